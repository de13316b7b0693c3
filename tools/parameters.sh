#!/usr/bin/env bash
# Stops a deployment that would lose a parameter. sam passes over what template.yaml does
# not have, without a word: what samconfig.toml gives, and what the deployed stack was
# given before. MOVED=yes says that the values of that stack have been moved. It also stops
# one whose functions would not fit into the 4 KB that Lambda has for an environment.
#
#   tools/parameters.sh ENV STACK
set -euo pipefail
environment=${1:?usage: parameters.sh ENV STACK} stack=${2:?usage: parameters.sh ENV STACK}
cd "$(dirname "${BASH_SOURCE[0]}")/.."

known() { awk '/^[A-Z]/ { on = $1 == "Parameters:" } on && /^  [A-Za-z]+:/ { sub(":", ""); print $1 }' template.yaml; }
lost() { awk 'NR == FNR { known[$1]; next } NF && !($1 in known)' <(known) -; } # lines that begin with no known name

section() { awk -v section="[$environment.deploy.parameters]" '{ sub("#.*", "") } /^\[/ { on = $0 == section } on' "${SAMCONFIG:-samconfig.toml}"; }

given=$(section | { grep -oE '["{ ][A-Z][A-Za-z]*"? *=' || true; } | tr -d '"{ =' | lost)
if [ -n "$given" ]; then
  echo "samconfig.toml gives $environment parameters that template.yaml does not have:" $given >&2
  echo "If they are of providers or venues, make them words of Settings: docs/deploy.md, \"Move to Settings\"." >&2
  exit 1
fi

most=2900 # what names, tables and the ARN of the secret leave of the 4,096 characters
long=$(section | sed -nE "s/.*[\"{ ](Providers|Settings|WatchList)\"? *= *//p" | tr -d '\n' | wc -c)
if [ "$long" -gt $most ]; then
  echo "Providers, Settings and WatchList of $environment have $((long)) characters together, and Lambda has room for $most: shorten them" >&2
  echo "(docs/deploy.md, \"Further providers\")." >&2
  exit 1
fi

if [ "${MOVED:-}" = yes ]; then exit; fi
if ! deployed=$(aws cloudformation describe-stacks --stack-name "$stack" --output text \
  --query 'Stacks[0].Parameters[].[ParameterKey,ParameterValue]' 2>&1); then
  [[ $deployed == *"does not exist"* ]] && exit # the first deployment
  echo "$deployed" >&2
  exit 1
fi
deployed=$(lost <<<"$deployed")
if [ -n "$deployed" ]; then
  echo "The stack $stack has parameters that template.yaml does not have any more. Their values would be lost:" >&2
  echo "$deployed" >&2
  echo "As words of Settings:" >&2
  awk -F'\t' '$2 != "" && match($1, /(Enabled|Weight|Model|Effort|MaxTokens|Temperature|BaseUrl)$/) {
    name = substr($1, 1, RSTART - 1) "_" substr($1, RSTART)
    sub(/MaxTokens/, "Max_Tokens", name)
    sub(/BaseUrl/, "Base_Url", name)
    printf "%s%s=%s", separator, toupper(name), $2
    separator = " "
  } END { print "" }' <<<"$deployed" >&2
  echo "Move what you have changed to samconfig.toml (docs/deploy.md, \"Move to Settings\"), then say so: make deploy ENV=$environment MOVED=yes" >&2
  exit 1
fi
