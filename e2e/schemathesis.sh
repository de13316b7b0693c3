#!/usr/bin/env bash
# An OpenAPI checker over the real API: requests made of the contract, right and
# wrong ones, and every answer held against it. Installs into the ignored .tools/.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

version=4.32.5
venv=.tools/schemathesis-$version
if [ ! -x "$venv/bin/st" ]; then
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --no-compile --disable-pip-version-check "schemathesis==$version"
fi
SCHEMATHESIS="$PWD/$venv/bin/st" go test -count=1 -v -run '^TestSchemathesis$' ./internal/api
