#!/usr/bin/env bash
# Calls a deployed stack once: health through the gateway, with the stack's API key.
# Then says whether there are provider keys, which health learns only from runs.
set -euo pipefail

stack=${1:?usage: smoke.sh STACK}
output() {
  aws cloudformation describe-stacks --stack-name "$stack" --output text \
    --query "Stacks[0].Outputs[?OutputKey=='$1'].OutputValue"
}
url=$(output ApiUrl)
secret=$(output ProviderKeysSecret)
key=$(aws apigateway get-api-key --api-key "$(output ApiKeyId)" --include-value --query value --output text)

# The key goes in by standard input: arguments show in the list of processes.
health() {
  printf 'header = "x-api-key: %s"\n' "$key" | curl -sS --max-time 35 --config - -w '\n%{http_code}' "$url/v1/health"
}
for try in 1 2 3 4; do
  answer=$(health)
  status=${answer##*$'\n'}
  [[ $status == 401 && $try -lt 4 ]] || break # API Gateway may take seconds to know a new key
  sleep 5
done
printf '%s\n' "${answer%$'\n'*}"
case $status in
  200 | 503) echo "$stack answers at $url" ;;
  *)
    echo "$stack answered $status at $url/v1/health: see the log group of its HealthFunction" >&2
    exit 1
    ;;
esac

versions=$(aws secretsmanager describe-secret --secret-id "$secret" --query 'keys(VersionIdsToStages || `{}`)' --output text)
if [[ -z $versions || $versions == None ]]; then
  echo "Providers' keys are missing. Put them: aws secretsmanager put-secret-value --secret-id $secret --secret-string file:///dev/stdin"
  echo "docs/deploy.md shows what to type."
fi
