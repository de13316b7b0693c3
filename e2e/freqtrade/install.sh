#!/usr/bin/env bash
# Makes the virtual environment .tools/freqtrade with freqtrade, pinned in
# requirements.txt. One that is already there and whole is left alone.
# Needs python3 with venv, 3.11 or later.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

folder=.tools/freqtrade
wanted=e2e/freqtrade/requirements.txt

if cmp -s "$wanted" "$folder/.requirements"; then # the mark is written last
  exit
fi
echo "freqtrade: installing it into $folder, about two minutes"
rm -rf "$folder"
mkdir -p .tools
python3 -m venv "$folder"
# What is imported is compiled then, which is a tenth of what is there.
"$folder/bin/pip" install --quiet --no-compile --disable-pip-version-check --requirement "$wanted" </dev/null
cp "$wanted" "$folder/.requirements"
