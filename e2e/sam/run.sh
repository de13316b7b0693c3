#!/usr/bin/env bash
# The stack as the SAM command line runs it, in containers: validated, built, every
# event of events/ given to its function, and the API over HTTP, against DynamoDB
# Local, moto and the simulator.
#
# A Docker engine that runs is used. Where there is none, root on Linux starts one of
# its own, with a folder and a bridge that go away with it, so that several may run
# side by side, and with no rules in the firewall: the containers reach this machine
# and nothing else. Where that can't be either, all of it is skipped, and says so.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

skip() { # why, what to do
  printf '\n%s\n' "######################################################################"
  printf '# SKIPPED: e2e-sam, the stack under sam local\n#   why:  %s\n#   do:   %s\n' "$1" "$2"
  printf '%s\n\n' "######################################################################"
  exit 0
}

python3 -c 'import venv, ensurepip' >/dev/null 2>&1 ||
  skip "python3 with venv and pip is missing; the SAM command line needs it" "install Python 3.10 or later (Debian: python3-venv)"
for tool in java mvn; do
  command -v "$tool" >/dev/null || skip "$tool is missing; DynamoDB Local needs it" "install it (Debian: default-jre-headless and maven)"
done

work=$(mktemp -d /tmp/thalas-sam.XXXXXX) # short: the engine's socket lies in it, and its path has a limit
engine=
bridge=
cleanup() {
  if [ -n "$engine" ]; then
    kill "$engine" 2>/dev/null || true
    wait "$engine" 2>/dev/null || true
  elif [ -n "${standin:-}" ]; then
    docker rmi --force "$standin" "${standin/al2023/al2023-rapid}" >/dev/null 2>&1 || true
  fi
  if [ -n "$bridge" ]; then ip link delete "$bridge" 2>/dev/null || true; fi
  rm -rf "$work" || true
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

answers() { timeout 20 docker version >/dev/null 2>&1; }

install_engine() {
  local missing=()
  command -v dockerd >/dev/null && command -v docker >/dev/null || missing+=(docker.io)
  command -v busybox >/dev/null || missing+=(busybox-static)
  command -v ip >/dev/null || missing+=(iproute2)
  if [ ${#missing[@]} -eq 0 ]; then return; fi
  command -v apt-get >/dev/null || return 1
  echo "e2e-sam: installing ${missing[*]}"
  { apt-get -o DPkg::Lock::Timeout=300 update -qq &&
    DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install -y -qq --no-install-recommends "${missing[@]}"; } >"$work/apt.log" 2>&1 </dev/null
}

start_engine() {
  # Not docker0, which another engine may be using or about to use.
  bridge=thalas$$
  ip link add "$bridge" type bridge && ip link set "$bridge" up || return 1
  ip address add "10.213.$(($$ % 256)).1/24" dev "$bridge" || return 1
  export DOCKER_HOST=unix://$work/docker.sock
  echo "e2e-sam: starting a Docker engine of its own"
  dockerd --host "$DOCKER_HOST" --bridge "$bridge" --group root --storage-driver vfs --data-root "$work/data" --exec-root "$work/exec" --pidfile "$work/dockerd.pid" \
    --iptables=false --ip6tables=false --ip-masq=false --ip-forward=false >"$work/dockerd.log" 2>&1 </dev/null &
  engine=$!
  for _ in $(seq 120); do
    if answers; then return; fi
    kill -0 "$engine" 2>/dev/null || return 1
    sleep 0.5
  done
  return 1
}

if ! answers; then
  [ "$(uname -s)" = Linux ] && [ "$(id -u)" -eq 0 ] ||
    skip "no Docker engine answers, and only root on Linux may start one" "start Docker, then: make e2e-sam"
  install_engine || skip "Debian's docker.io can't be installed here: $(tail -n 1 "$work/apt.log" 2>/dev/null)" "install a Docker engine, then: make e2e-sam"
  start_engine || skip "a Docker engine does not start here: $(tail -n 1 "$work/dockerd.log" 2>/dev/null)" "run it where a Docker engine may run"
fi

tools/aws-servers.sh
e2e/template/install.sh

# The engine of somebody else can fetch the real image; what is made in its place
# goes away again.
image=public.ecr.aws/lambda/provided:al2023-$(uname -m | sed s/aarch64/arm64/)
if ! docker image inspect "$image" >/dev/null 2>&1; then
  if [ -n "$engine" ] || ! timeout 120 docker pull --quiet "$image" 2>/dev/null; then
    standin=$image
    e2e/sam/image.sh
  fi
fi

THALAS_E2E_SAM=1 go test -count=1 -timeout 10m -v -run '^TestSAM$' ./e2e/sam </dev/null
