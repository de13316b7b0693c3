#!/usr/bin/env bash
# Writes the series of internal/market/testdata anew, and the values that TA-Lib
# gives for them. Nothing needs this but a change of the series: the tests read
# what is committed. Installs TA-Lib, pinned, below the ignored .tools/; needs
# python3 with venv.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

version=0.8.2 # of the Python package, which brings the C library 0.8.1
numpy=2.4.6

command -v python3 >/dev/null || { echo "talib: python3 is missing: install Python 3.11 or later with venv (Debian: python3-venv)" >&2; exit 1; }
folder=.tools/talib
if [ "$(cat "$folder/.version" 2>/dev/null)" != "$version $numpy" ]; then
  rm -rf "$folder"
  mkdir -p .tools
  python3 -m venv "$folder"
  "$folder/bin/pip" install --quiet --disable-pip-version-check --only-binary :all: "ta-lib==$version" "numpy==$numpy"
  printf '%s\n' "$version $numpy" >"$folder/.version"
fi
PYTHONDONTWRITEBYTECODE=1 "$folder/bin/python" tools/talib_series.py
