#!/usr/bin/env bash
# The container's image: built offline from the Dockerfile, and run as docs/containers.md
# tells. It needs a Docker engine, which e2e/engine.sh finds or starts.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

test="e2e-container, the image of the Dockerfile"
source e2e/engine.sh

make image-files
THALAS_E2E_CONTAINER=1 go test -count=1 -timeout 10m -v -run '^TestImage$' ./e2e/container </dev/null
