#!/usr/bin/env bash
# A Docker engine: installs Debian's if there is none, starts it if it does not run, and waits until it answers.
# Prints the docker client to call on stdout, everything else on stderr. Exit code 77: no engine can be had here.
set -euo pipefail

readonly NO_ENGINE=77
readonly LOG=/var/log/plumb-dockerd.log

main() {
  if answers; then client; return; fi
  [ "$(uname -s)" = Linux ] || cannot "this is not Linux: install Docker and start it"
  [ "$(id -u)" -eq 0 ] || cannot "no engine answers, and installing or starting one needs root: run this as root once, or join the group docker"
  install_missing
  start
  wait_for_it
  client
}

# Prefers Debian's client, because it fits Debian's engine.
client() {
  if [ -n "${DOCKER:-}" ]; then echo "$DOCKER"
  elif [ -x /usr/bin/docker ]; then echo /usr/bin/docker
  else command -v docker
  fi
}

answers() {
  local docker
  docker=$(client) && timeout 20 "$docker" version >/dev/null 2>&1
}

install_missing() {
  command -v dockerd >/dev/null && command -v iptables >/dev/null && return
  command -v apt-get >/dev/null || cannot "no dockerd, and no apt-get to install it with"
  say "installing docker.io and iptables"
  apt-get update -qq >&2 || cannot "apt-get update failed"
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends docker.io iptables >/dev/null ||
    cannot "docker.io could not be installed"
}

start() {
  if [ -d /run/systemd/system ]; then
    say "starting the service docker"
    systemctl start docker >&2 || cannot "the service docker does not start"
    return
  fi
  pgrep -x dockerd >/dev/null && return
  say "starting dockerd, log in $LOG"
  rm -f /var/run/docker.pid
  setsid nohup dockerd </dev/null >"$LOG" 2>&1 &
  daemon=$!
}

wait_for_it() {
  local end=$((SECONDS + 60))
  while [ "$SECONDS" -lt "$end" ]; do
    answers && return
    if [ -n "${daemon:-}" ] && ! kill -0 "$daemon" 2>/dev/null; then break; fi
    sleep 0.5
  done
  tail -n 20 "$LOG" >&2 2>/dev/null || true
  cannot "dockerd did not answer"
}

say() {
  echo "engine: $*" >&2
}

cannot() {
  printf '\n*** NO DOCKER ENGINE: %s\n\n' "$*" >&2
  exit "$NO_ENGINE"
}

main
