#!/usr/bin/env bash
# The stack as the SAM command line runs it, in containers: validated, built, every
# event of events/ given to its function, and the API over HTTP, against DynamoDB
# Local, moto and the simulator.
# It needs a Docker engine, which e2e/engine.sh finds or starts.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

test="e2e-sam, the stack under sam local"
source e2e/engine.sh

python3 -c 'import venv, ensurepip' >/dev/null 2>&1 ||
  skip "python3 with venv and pip is missing; the SAM command line needs it" "install Python 3.10 or later (Debian: python3-venv)"
for tool in java mvn; do
  command -v "$tool" >/dev/null || skip "$tool is missing; DynamoDB Local needs it" "install it (Debian: default-jre-headless and maven)"
done

# What is made in the place of the real image goes away again.
at_end() {
  if [ -z "$engine" ] && [ -n "${standin:-}" ]; then
    docker rmi --force "$standin" "${standin/al2023/al2023-rapid}" >/dev/null 2>&1 || true
  fi
}

tools/aws-servers.sh
e2e/template/install.sh

# The engine of somebody else can fetch the real image.
image=public.ecr.aws/lambda/provided:al2023-$(uname -m | sed s/aarch64/arm64/)
if ! docker image inspect "$image" >/dev/null 2>&1; then
  if [ -n "$engine" ] || ! timeout 120 docker pull --quiet "$image" 2>/dev/null; then
    standin=$image
    e2e/sam/image.sh
  fi
fi

THALAS_E2E_SAM=1 go test -count=1 -timeout 10m -v -run '^TestSAM$' ./e2e/sam </dev/null
