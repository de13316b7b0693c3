#!/usr/bin/env bash
# Runs the strategy of examples/freqtrade in the real freqtrade, offline: its loader,
# a bot, a dry run, backtests and a hyperopt, against the real binary and against a
# service that answers wrongly. Needs Go, and python3 3.11 or later with venv.
#
#   e2e/freqtrade/run.sh                    all
#   e2e/freqtrade/run.sh test_failures      one file
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

e2e/freqtrade/install.sh

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
CGO_ENABLED=0 go build -trimpath -o "$work/thalas" ./cmd/thalas

# Nothing of the caller's set-up: these have to pass without any.
for name in $(compgen -e | grep -E '^(THALAS_|FREQTRADE__)|_proxy$|_PROXY$' || true); do unset "$name"; done
export THALAS_BINARY="$work/thalas" TMPDIR="$work" PYTHONPYCACHEPREFIX="$PWD/.tools/pycache" PYTHONPATH=e2e/freqtrade

if [ $# -eq 0 ]; then
  set -- discover --buffer --start-directory e2e/freqtrade
else
  set -- --buffer "$@"
fi
status=0
.tools/freqtrade/bin/python -W ignore -m unittest "$@" </dev/null 2>&1 | tee "$work/output" || status=$?
passed=$(sed -n 's/^Ran \([0-9]*\) tests\{0,1\} .*/\1/p' "$work/output")
if [ "$status" -ne 0 ] || ! grep -q '^OK$' "$work/output"; then
  echo "freqtrade: FAILED"
  exit 1
fi
echo "freqtrade: $passed passed"
