#!/usr/bin/env bash
# Checks template.yaml: sam validate, cfn-lint, checkov, and the tests beside this
# script over the template as SAM expands it. Needs python3 with venv, no account
# and, once installed, no network.
#
#   e2e/template/run.sh                   all
#   e2e/template/run.sh test_rights       one file
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

e2e/template/install.sh

# Nothing of the caller's AWS set-up: these have to pass without any.
for name in $(compgen -e | grep '^AWS_' || true); do unset "$name"; done
export AWS_ACCESS_KEY_ID=planted AWS_SECRET_ACCESS_KEY=planted AWS_DEFAULT_REGION=eu-central-1
export AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null AWS_EC2_METADATA_DISABLED=true
export SAM_CLI_TELEMETRY=0 PYTHONPYCACHEPREFIX="$PWD/.tools/pycache" PYTHONWARNINGS=ignore::DeprecationWarning

export PYTHONPATH=e2e/template
if [ $# -eq 0 ]; then
  set -- discover --start-directory e2e/template
fi
output=$(mktemp)
trap 'rm -f "$output"' EXIT
status=0
.tools/sam/bin/python -m unittest "$@" </dev/null 2>&1 | tee "$output" || status=$?
passed=$(sed -n 's/^Ran \([0-9]*\) tests\{0,1\} .*/\1/p' "$output")
if [ "$status" -ne 0 ] || ! grep -q '^OK$' "$output"; then
  echo "template: FAILED"
  exit 1
fi
echo "template: $passed passed"
