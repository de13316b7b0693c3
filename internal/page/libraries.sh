#!/usr/bin/env bash
# Fetches the libraries of the page from npm into internal/page/static, as internal/page/libraries.txt lists them, and verifies the
# archive of each package and each file. Needs npm, and openssl for the archive's checksum. For a new version: change the version
# and put "-" in place of both checksums; the script then prints the line with the new ones.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

die() { printf 'libraries: %s\n' "$*" >&2; exit 1; }
for tool in npm openssl sha256sum; do command -v "$tool" >/dev/null || die "$tool is missing: install it"; done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
while read -r file package version licence path integrity sum; do
  case "$file" in ''|'#'*) continue ;; esac
  archive="$work/$package-$version.tgz"
  if [ ! -e "$archive" ]; then
    (cd "$work" && npm pack --silent "$package@$version" >/dev/null) || die "npm has no $package $version"
  fi
  got_integrity="sha512-$(openssl dgst -sha512 -binary "$archive" | openssl base64 -A)"
  [ "$integrity" = - ] || [ "$integrity" = "$got_integrity" ] || die "$package $version is another archive than libraries.txt says: $got_integrity"
  tar -xzOf "$archive" "package/$path" >"$work/$file" || die "$package $version has no $path"
  if [ "$file" = hooks.js ]; then sed -i 's|from"preact"|from"./preact.js"|' "$work/$file"; fi
  got_sum=$(sha256sum "$work/$file" | cut -d' ' -f1)
  [ "$sum" = - ] || [ "$sum" = "$got_sum" ] || die "$file is another file than libraries.txt says: $got_sum"
  cp "$work/$file" "static/$file"
  if [ "$integrity" = - ] || [ "$sum" = - ]; then
    printf '%s %s %s %s %s %s %s\n' "$file" "$package" "$version" "$licence" "$path" "$got_integrity" "$got_sum"
  else
    printf '%s %s: %s is verified\n' "$package" "$version" "$file"
  fi
done <libraries.txt
