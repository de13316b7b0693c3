#!/usr/bin/env bash
# Makes the base image that sam local runs the functions in, where there is none and
# no registry to fetch it from: busybox, the certificates, and nothing else. That is
# all that SAM's emulator and a static bootstrap need.
#
# It takes the name of AWS's image on the engine that it is made for. There,
# `docker rmi` of that name makes way for the real one.
set -euo pipefail

case "$(uname -m)" in
  x86_64) architecture=x86_64 platform=linux/amd64 ;;
  aarch64 | arm64) architecture=arm64 platform=linux/arm64 ;;
  *) echo "image: no functions run on the processor $(uname -m)" >&2; exit 1 ;;
esac
image=public.ecr.aws/lambda/provided:al2023-$architecture

if docker image inspect "$image" >/dev/null 2>&1; then
  exit
fi
busybox=$(command -v busybox) || { echo "image: busybox is missing: install busybox-static" >&2; exit 1; }
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
mkdir -p "$root/bin" "$root/tmp" "$root/var/task" "$root/var/runtime" "$root/etc/ssl/certs"
chmod 1777 "$root/tmp"
cp "$busybox" "$root/bin/busybox"
for applet in sh mv chmod ls cat env; do ln -s busybox "$root/bin/$applet"; done
printf 'root:x:0:0::/:/bin/sh\n' >"$root/etc/passwd"
if [ -r /etc/ssl/certs/ca-certificates.crt ]; then
  cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
fi
tar -C "$root" --owner=0 --group=0 -cf - . | docker import --platform "$platform" - "$image" >/dev/null
# A busybox that needs libraries starts nothing there.
if ! docker run --rm --network none --entrypoint /bin/sh "$image" -c 'chmod 755 /tmp'; then
  docker rmi --force "$image" >/dev/null
  echo "image: $busybox does not run by itself: install busybox-static" >&2
  exit 1
fi
echo "image: made a small stand-in for $image"
