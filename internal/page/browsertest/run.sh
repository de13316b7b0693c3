#!/usr/bin/env bash
# Looks at the page in headless Chromium: make test-page. Chromium is installed where it is missing, on Debian as root; axe-core
# comes from npm, pinned, into the ignored .tools/axe. What is given is passed on to go test. PAGE_SCREENSHOTS names a folder for
# pictures of every view. Where Chromium or npm is missing and can't be installed, it says so and skips.
set -euo pipefail
if [ -n "${PAGE_SCREENSHOTS:-}" ]; then # relative to where the caller is
  mkdir -p "$PAGE_SCREENSHOTS"
  PAGE_SCREENSHOTS=$(cd "$PAGE_SCREENSHOTS" && pwd)
  export PAGE_SCREENSHOTS
fi
cd "$(dirname "${BASH_SOURCE[0]}")"

axe=4.14.1
integrity=sha512-FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ==
folder=../../../.tools/axe

die() { printf 'test-page: %s\n' "$*" >&2; exit 1; }
skip() { printf 'SKIPPED: the tests of the page need %s\n' "$*"; exit 0; }

if ! command -v chromium >/dev/null; then
  command -v apt-get >/dev/null && [ "$(id -u)" = 0 ] || skip "the command chromium, which is installed on Debian as root only (elsewhere: install it)."
  echo "test-page: installing Chromium"
  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null; } ||
    skip "Chromium, which apt-get could not install: see above."
fi
if [ "$(cat "$folder/.version" 2>/dev/null)" != "$axe" ]; then
  for tool in npm openssl; do command -v "$tool" >/dev/null || skip "$tool, which fetches axe-core: install it."; done
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  (cd "$work" && npm pack --silent "axe-core@$axe" >/dev/null) || die "npm has no axe-core $axe"
  got="sha512-$(openssl dgst -sha512 -binary "$work/axe-core-$axe.tgz" | openssl base64 -A)"
  [ "$got" = "$integrity" ] || die "axe-core $axe is another archive than expected: $got"
  rm -rf "$folder"
  mkdir -p "$folder"
  tar -xzf "$work/axe-core-$axe.tgz" -C "$folder" --strip-components=1 package/axe.min.js package/LICENSE
  echo "$axe" >"$folder/.version"
fi
# The stores are filled by thousands of durable writes, which a file system in memory takes at once.
if [ "$(df -Pk /dev/shm 2>/dev/null | awk 'NR == 2 { print $4 }')" -gt 1000000 ] 2>/dev/null; then
  export GOTMPDIR="${TMPDIR:-/tmp}" TMPDIR=/dev/shm
fi
go test -vet=off -count=1 -timeout=20m "$@" ./...
