#!/usr/bin/env bash
# Runs a server and a client in separate network namespaces, with a path of small MTU between them.
#
#   bench/path.sh end|middle MTU SERVER... -- CLIENT...        for example:
#   bench/path.sh end 1280 target/release/server --once --frames 60 --no-graphics --listen SERVER:9200 -- target/release/client SERVER:9200
#
# `end`: both ends have interfaces of that MTU, as behind WireGuard, so that TCP knows it. `middle`: only the router
# between them has that MTU, towards the client, and it sends no ICMP. SERVER in either command stands for the server's
# address. The client is started once the server says "listening on". Ends with the client's exit code; with 1 if the
# server fails. Needs root, ip and iptables. It removes everything that it makes.
set -euo pipefail

readonly A=plumb-a-$$ R=plumb-r-$$ B=plumb-b-$$
readonly SERVER_ADDRESS=10.99.8.1 CLIENT_ADDRESS=10.99.9.1
folder='' server=''

main() {
  [ "$(id -u)" -eq 0 ] || stop_with "needs root: it makes network namespaces"
  [ $# -ge 2 ] || stop_with "what it takes stands at its top"
  local where=$1 mtu=$2 line
  local -a serving=() calling=()
  shift 2
  while [ $# -gt 0 ] && [ "$1" != -- ]; do serving+=("${1//SERVER:/$SERVER_ADDRESS:}") && shift; done
  shift
  for word in "$@"; do calling+=("${word/#SERVER/$SERVER_ADDRESS}"); done
  folder=$(mktemp -d)
  trap clean EXIT
  trap 'exit 130' INT TERM
  network "$where" "$mtu"

  ip netns exec $A "${serving[@]}" > >(tee "$folder/server") 2>&1 &
  server=$!
  until line=$(grep -m 1 'listening on' "$folder/server"); do
    kill -0 "$server" || stop_with "the server does not listen"
    sleep 0.05
  done
  ip netns exec $B timeout 60 "${calling[@]}"
  wait "$server" || stop_with "the server ended with $?"
}

# A and B, joined by a router R.
network() {
  local where=$1 mtu=$2 space
  for space in $A $R $B; do ip netns add "$space" && ip -n "$space" link set lo up; done
  join $A $SERVER_ADDRESS 10.99.8.2
  join $B $CLIENT_ADDRESS 10.99.9.2
  ip netns exec $R sysctl -qw net.ipv4.ip_forward=1
  case $where in
    end) ip -n $A link set to-router mtu "$mtu" && ip -n $B link set to-router mtu "$mtu" ;;
    middle)
      ip -n $R link set $B mtu "$mtu"
      ip netns exec $R iptables -A OUTPUT -p icmp --icmp-type fragmentation-needed -j DROP
      ;;
    *) stop_with "end or middle, not $where" ;;
  esac
}

# Joins a namespace to the router: its address, and the router's.
join() {
  local space=$1 own=$2 routers=$3
  ip -n "$space" link add to-router type veth peer name "$space" netns $R
  ip -n "$space" addr add "$own/24" dev to-router && ip -n $R addr add "$routers/24" dev "$space"
  ip -n "$space" link set to-router up && ip -n $R link set "$space" up
  ip -n "$space" route add default via "$routers"
}

clean() {
  [ -z "$server" ] || kill "$server" 2>/dev/null || true
  local space
  for space in $A $R $B; do ip netns del "$space" 2>/dev/null || true; done
  rm -rf "$folder"
}

stop_with() {
  echo "bench/path.sh: $1" >&2
  exit 1
}

main "$@"
