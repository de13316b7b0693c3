#!/usr/bin/env bash
# Makes the virtual environment .tools/sam with the SAM command line and checkov,
# pinned in requirements.txt. One that is already there and whole is left alone.
# Needs python3 with venv.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

folder=.tools/sam
wanted=e2e/template/requirements.txt

if cmp -s "$wanted" "$folder/.requirements"; then # the mark is written last
  exit
fi
command -v python3 >/dev/null || { echo "template: python3 is missing: install Python 3.10 or later with venv (Debian: python3-venv)" >&2; exit 1; }
echo "template: installing the SAM command line and checkov into $folder, one to three minutes"
rm -rf "$folder"
mkdir -p .tools
python3 -m venv "$folder"
"$folder/bin/pip" install --quiet --no-compile --disable-pip-version-check --requirement "$wanted" </dev/null
cp "$wanted" "$folder/.requirements"
