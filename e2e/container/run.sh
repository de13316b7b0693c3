#!/usr/bin/env bash
# The container's image: built offline from the Dockerfile, and run as docs/containers.md
# tells, also by compose.yaml. It needs a Docker engine, which e2e/engine.sh finds or
# starts, and Compose, which is installed where that engine is.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

test="e2e-container, the image of the Dockerfile"
source e2e/engine.sh

has_compose() {
  if docker compose version >/dev/null 2>&1; then
    export THALAS_COMPOSE="docker compose"
  else
    command -v docker-compose >/dev/null && export THALAS_COMPOSE=docker-compose
  fi
}
if ! has_compose && [ -n "$engine" ]; then
  { apt-get -o DPkg::Lock::Timeout=300 update -qq &&
    DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install -y -qq --no-install-recommends docker-compose; } >"$work/apt.log" 2>&1 </dev/null || true
  has_compose || true
fi

make image-files
THALAS_E2E_CONTAINER=1 go test -count=1 -timeout 10m -v -run '^TestImage$' ./e2e/container </dev/null
