#!/usr/bin/env bash
# Calls a deployed stack once: health through the gateway, with the stack's API key.
# A stack without provider keys answers 503, which proves as much.
set -euo pipefail

stack=${1:?usage: smoke.sh STACK}
output() {
  aws cloudformation describe-stacks --stack-name "$stack" --output text \
    --query "Stacks[0].Outputs[?OutputKey=='$1'].OutputValue"
}
url=$(output ApiUrl)
key=$(aws apigateway get-api-key --api-key "$(output ApiKeyId)" --include-value --query value --output text)

# The key goes in by standard input: arguments show in the list of processes.
answer=$(printf 'header = "x-api-key: %s"\n' "$key" | curl -sS --max-time 35 --config - -w '\n%{http_code}' "$url/v1/health")
status=${answer##*$'\n'}
printf '%s\n' "${answer%$'\n'*}"
case $status in
  200) echo "$stack answers at $url" ;;
  503) echo "$stack answers at $url; it needs keys: see docs/deploy.md" ;;
  *)
    echo "$stack answered $status at $url/v1/health: see the log group of its HealthFunction" >&2
    exit 1
    ;;
esac
