#!/usr/bin/env bash
# Fetches axe-core from npm, pinned, into the ignored .tools/axe: make test-page looks at the page with it. Needs npm and openssl.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

version=4.14.1
integrity=sha512-FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ==

folder=.tools/axe
if [ "$(cat "$folder/.version" 2>/dev/null)" = "$version" ]; then
  echo "axe-core $version is in $folder"
  exit
fi
for tool in npm openssl; do
  command -v "$tool" >/dev/null || { echo "page-axe: $tool is missing: install it" >&2; exit 1; }
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
(cd "$work" && npm pack --silent "axe-core@$version" >/dev/null)
got="sha512-$(openssl dgst -sha512 -binary "$work/axe-core-$version.tgz" | openssl base64 -A)"
[ "$got" = "$integrity" ] || { echo "page-axe: axe-core $version is another archive than expected: $got" >&2; exit 1; }
rm -rf "$folder"
mkdir -p "$folder"
tar -xzf "$work/axe-core-$version.tgz" -C "$folder" --strip-components=1 package/axe.min.js package/LICENSE
echo "$version" >"$folder/.version"
echo "axe-core $version is in $folder now"
