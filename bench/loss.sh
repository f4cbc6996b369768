#!/usr/bin/env bash
# Live delivery over a network that loses packets: a server and a client in network namespaces of their own, joined by a
# veth pair that drops packets at random in both directions, and a table of what became of the frames.
#
#   bench/loss.sh [SERVER OPTION...]     for example: bench/loss.sh --delivery live --fps 60 --size 160x120
#
# Environment: SECONDS_EACH (20), LOSS (percentages, "0 1 5 10 20"), CLIENT_OPTIONS, BIN (the folder of the two programs,
# target/release), KEEP (a folder for reports and logs). Needs root, ip, iptables and python3. Nothing of it is left
# behind. Ends with 1 if a session died or frames are not accounted for; the table says the rest.
set -euo pipefail

readonly BIN=${BIN:-$(dirname "$0")/../target/release}
readonly LOSS=${LOSS:-0 1 5 10 20}
readonly SECONDS_EACH=${SECONDS_EACH:-20}
# Names of at most 15 bytes, the kernel's limit for devices.
readonly SERVER_SPACE=plumb-s-$$ CLIENT_SPACE=plumb-c-$$
readonly SERVER_ADDRESS=10.99.7.1 CLIENT_ADDRESS=10.99.7.2 PORT=9200
server='' client='' folder='' failed=0

main() {
  needs
  folder=${KEEP:-$(mktemp -d)}
  mkdir -p "$folder"
  trap clean EXIT
  trap 'exit 130' INT TERM
  network
  [ $# -gt 0 ] || set -- --delivery live --fps 60 --size 160x120
  echo "server $*; ${SECONDS_EACH} s each; lost packets in both directions"
  echo "| loss | sent | scored | p50 ms | p99 ms | p99 intervals | lost by | skipped | wire B/frame | connect ms | end |"
  echo "|---|---|---|---|---|---|---|---|---|---|---|"
  local percent
  for percent in $LOSS; do
    session "$percent" "$@"
  done
  return "$failed"
}

needs() {
  local program
  [ "$(id -u)" -eq 0 ] || stop_with "needs root: it makes network namespaces and drops packets in them"
  for program in ip iptables python3; do
    command -v "$program" >/dev/null || stop_with "needs $program"
  done
  for program in server client; do
    [ -x "$BIN/$program" ] || stop_with "no $BIN/$program: cargo build --release, or name its folder with BIN"
  done
}

stop_with() {
  echo "bench/loss.sh: $1" >&2
  exit 2
}

network() {
  ip netns add "$SERVER_SPACE"
  ip netns add "$CLIENT_SPACE"
  ip -n "$SERVER_SPACE" link add wire type veth peer name wire netns "$CLIENT_SPACE"
  ip -n "$SERVER_SPACE" address add "$SERVER_ADDRESS/24" dev wire
  ip -n "$CLIENT_SPACE" address add "$CLIENT_ADDRESS/24" dev wire
  local space
  for space in "$SERVER_SPACE" "$CLIENT_SPACE"; do
    ip -n "$space" link set lo up
    ip -n "$space" link set wire up
  done
}

# Each end drops what arrives of UDP: signaling by TCP would only be slower to begin.
drop() {
  local space
  for space in "$SERVER_SPACE" "$CLIENT_SPACE"; do
    ip netns exec "$space" iptables -F INPUT
    [ "$1" = 0 ] || ip netns exec "$space" iptables -A INPUT -i wire -p udp -m statistic --mode random \
      --probability "$(python3 -c "print($1 / 100)")" -j DROP
  done
}

session() {
  local percent=$1 report=$folder/$1.json
  shift
  drop "$percent"
  # A link that does not open, or a session that hangs, must not hold up the table.
  local limit=$((SECONDS_EACH + 30))
  ip netns exec "$SERVER_SPACE" timeout "$limit" "$BIN/server" --listen "$SERVER_ADDRESS:$PORT" --no-graphics --no-announce --once \
    --duration "${SECONDS_EACH}s" --json "$report" "$@" >"$folder/$percent.server.rows" 2>"$folder/$percent.server.log" &
  server=$!
  # shellcheck disable=SC2086 # options are words
  ip netns exec "$CLIENT_SPACE" timeout "$limit" "$BIN/client" "$SERVER_ADDRESS:$PORT" --no-graphics ${CLIENT_OPTIONS:-} \
    >"$folder/$percent.client.rows" 2>"$folder/$percent.client.log" &
  client=$!
  wait "$client" || { sleep 1; kill -INT "$server" 2>/dev/null || true; }
  wait "$server" || true
  server='' client=''
  python3 - "$percent" "$report" <<'PYTHON' || failed=1
import json, sys

percent, path = sys.argv[1:]
report = json.load(open(path))
if not report["sessions"]:
    sys.exit(print(f"| {percent} % | no session | | | | | | | | | |") or 1)
session, config = report["sessions"][0], report["run"]["config"]
frames, latency = session["frames"], session["latency_us"]
scored = frames["circle"] + frames["no_circle"]
accounted = scored + frames["dropped"] + frames["lost"] + frames["unresolved"] == frames["sent"]
causes = ", ".join(f"{count} {cause}" for cause, count in frames["lost_by"].items() if count) or "–"
ms = lambda us: "–" if us is None else f"{us / 1000:.1f}"
intervals = "–" if None in (latency["p99"], config["fps"]) else f"{latency['p99'] * config['fps'] / 1e6:.2f}"
end = session["end"]["kind"] + ("" if accounted else ", NOT ACCOUNTED FOR")
bytes_each = session["bytes"]["frames_wire"] // max(frames["sent"], 1)
print(f"| {percent} % | {frames['sent']} | {scored / max(frames['sent'], 1):.2%} | {ms(latency['p50'])} | "
      f"{ms(latency['p99'])} | {intervals} | {causes} | {frames['skipped']} | {bytes_each} | "
      f"{ms(session['connect_us'])} | {end} |")
sys.exit(not accounted or session["end"]["kind"] != "finished")
PYTHON
}

clean() {
  local process
  for process in $server $client; do
    kill "$process" 2>/dev/null || true
  done
  wait
  ip netns delete "$SERVER_SPACE" 2>/dev/null || true
  ip netns delete "$CLIENT_SPACE" 2>/dev/null || true
  [ -n "${KEEP:-}" ] || rm -rf "$folder"
}

main "$@"
