#!/usr/bin/env bash
# Sourced by the tests that need a Docker engine: finds one, or starts one.
#
# A Docker engine that runs is used. Where there is none, root on Linux starts one of
# its own, with a folder and a bridge that go away with it, so that several may run
# side by side, and with no rules in the firewall: the containers reach this machine
# and nothing else. Where that can't be either, the test is skipped, and says so; with
# THALAS_ENGINE=required it fails.
#
# test is the name of the test. work is a folder for it, and engine is the process id of
# an engine of our own. at_end may be redefined.

skip() { # why, what to do
  printf '\n%s\n' "######################################################################"
  printf '# SKIPPED: %s\n#   why:  %s\n#   do:   %s\n' "$test" "$1" "$2"
  printf '%s\n\n' "######################################################################"
  if [ "${THALAS_ENGINE:-}" = required ]; then exit 1; fi
  exit 0
}

work=$(mktemp -d /tmp/thalas-engine.XXXXXX) # short: the engine's socket lies in it, and its path has a limit
engine=
bridge=
at_end() { :; }
cleanup() {
  at_end
  if [ -n "$engine" ]; then
    kill "$engine" 2>/dev/null || true
    wait "$engine" 2>/dev/null || true
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
  command -v busybox >/dev/null || missing+=(busybox-static) # for e2e/sam/image.sh
  command -v ip >/dev/null || missing+=(iproute2)
  if [ ${#missing[@]} -eq 0 ]; then return; fi
  command -v apt-get >/dev/null || return 1
  echo "$test: installing ${missing[*]}"
  { apt-get -o DPkg::Lock::Timeout=300 update -qq &&
    DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install -y -qq --no-install-recommends "${missing[@]}"; } >"$work/apt.log" 2>&1 </dev/null
}

start_engine() {
  # Not docker0, which another engine may be using or about to use.
  bridge=thalas$$
  ip link add "$bridge" type bridge && ip link set "$bridge" up || return 1
  ip address add "10.213.$(($$ % 256)).1/24" dev "$bridge" || return 1
  export DOCKER_HOST=unix://$work/docker.sock
  echo "$test: starting a Docker engine of its own"
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
    skip "no Docker engine answers, and only root on Linux may start one" "start Docker, then run it again"
  install_engine || skip "Debian's docker.io can't be installed here: $(tail -n 1 "$work/apt.log" 2>/dev/null)" "install a Docker engine, then run it again"
  start_engine || skip "a Docker engine does not start here: $(tail -n 1 "$work/dockerd.log" 2>/dev/null)" "run it where a Docker engine may run"
fi
