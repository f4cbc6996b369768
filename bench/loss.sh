#!/usr/bin/env bash
# Delivery over a network that loses packets. A server and a client run in separate network namespaces, joined by a veth
# pair that drops packets at random in both directions. The table shows how many frames were scored, and when.
#
#   bench/loss.sh [--runs N] [--seconds N] [--tables NAMES] [SERVER OPTION...]     for example: bench/loss.sh --fps 30 --size 160x120
#
# Each row is the median of --runs sessions (3) of --seconds each (20), with losses summed up. A table's name is its
# delivery and its encoding; --tables takes several, in quotes ("live-auto live-raw reliable-auto reliable-raw"), and
# without it the table is live-auto. The server gets --delivery, --encoding and the options given. The goal at 1 % and 5
# % loss: 99 % and 95 % of the frames are scored, and the p99 of their latency is within two frame intervals. The goal
# at any other loss: every frame is accounted for.
#
# Environment: LOSS (percentages, "0 1 5 10 20"), CLIENT_OPTIONS, BIN (the folder of the two programs, target/release),
# KEEP (a folder for reports and logs, named after table, loss and run). Needs root, ip, iptables and python3. It
# removes everything that it makes. The exit code is 1 if frames are not accounted for, or if a session did not begin or
# did not finish. A missed goal only shows in the table.
set -euo pipefail

readonly BIN=${BIN:-$(dirname "$0")/../target/release}
readonly LOSS=${LOSS:-0 1 5 10 20}
# Names of at most 15 bytes, the kernel's limit for devices.
readonly SERVER_SPACE=plumb-s-$$ CLIENT_SPACE=plumb-c-$$
readonly SERVER_ADDRESS=10.99.7.1 CLIENT_ADDRESS=10.99.7.2 PORT=9200
server='' client='' folder='' failed=0 runs=3 seconds=20 tables=live-auto

main() {
  while [ $# -gt 0 ]; do
    case $1 in
      --runs) runs=$2 && shift 2 ;;
      --seconds) seconds=$2 && shift 2 ;;
      --tables) tables=$2 && shift 2 ;;
      *) break ;;
    esac
  done
  needs
  folder=${KEEP:-$(mktemp -d)}
  mkdir -p "$folder"
  trap clean EXIT
  trap 'exit 130' INT TERM
  network
  echo "${runs} runs of ${seconds} s a row; lost packets in both directions"
  local name
  for name in $tables; do
    table "$name" --delivery "${name%-*}" --encoding "${name#*-}" "$@"
  done
  return "$failed"
}

# One row for each loss, in files of this name, with these options of the server.
table() {
  local table=$1 percent run name reports
  shift
  echo
  echo "server $*"
  echo
  echo "| loss | sent | scored | p50 intervals | p99 intervals | lost by | skipped | wire B/frame | connect ms | accounted for | goal | met |"
  echo "|---|---|---|---|---|---|---|---|---|---|---|---|"
  for percent in $LOSS; do
    name=$folder/$table-loss$percent-run reports=()
    # Files of an earlier table with this name.
    rm -f "$name"*
    for run in $(seq "$runs"); do
      session "$percent" "$name$run" "$@"
      reports+=("$name$run.json")
    done
    judge "$percent" "${reports[@]}" || failed=1
  done
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

# Each end drops arriving packets, of UDP and also of TCP, with which a session begins.
drop() {
  local space
  for space in "$SERVER_SPACE" "$CLIENT_SPACE"; do
    ip netns exec "$space" iptables -F INPUT
    [ "$1" = 0 ] || ip netns exec "$space" iptables -A INPUT -i wire -m statistic --mode random \
      --probability "$(python3 -c "print($1 / 100)")" -j DROP
  done
}

# Runs one session at this loss, with its report, rows and logs in files of this name.
session() {
  local percent=$1 name=$2
  shift 2
  drop "$percent"
  # A link that does not open, or a session that hangs, must not hold up the table.
  local limit=$((seconds + 30))
  ip netns exec "$SERVER_SPACE" timeout "$limit" "$BIN/server" --listen "$SERVER_ADDRESS:$PORT" --no-graphics --no-announce --once \
    --duration "${seconds}s" --json "$name.json" "$@" >"$name.server.rows" 2>"$name.server.log" &
  server=$!
  # shellcheck disable=SC2086 # options are words
  ip netns exec "$CLIENT_SPACE" timeout "$limit" "$BIN/client" "$SERVER_ADDRESS:$PORT" --no-graphics ${CLIENT_OPTIONS:-} \
    >"$name.client.rows" 2>"$name.client.log" &
  client=$!
  wait "$client" || { sleep 1; kill -INT "$server" 2>/dev/null || true; }
  wait "$server" || true
  server='' client=''
}

# Prints the row for this loss, computed from the reports of its sessions.
judge() {
  python3 - "$@" <<'PYTHON'
import json, os, statistics, sys

percent, paths = float(sys.argv[1]), sys.argv[2:]
# A server that did not start wrote no report.
reports = [json.load(open(path)) for path in paths if os.path.exists(path)]
sessions = [(report["run"]["config"], report["sessions"][0]) for report in reports if report["sessions"]]
ended = [session for _, session in sessions if session["end"]["kind"] == "finished"]


def is_accounted(frames):
    kinds = ("circle", "no_circle", "dropped", "lost", "unresolved")
    by_cause = sum(frames["lost_by"].values())
    return sum(frames[kind] for kind in kinds) == frames["sent"] and by_cause == frames["lost"]


def median(values, form):
    values = [value for value in values if value is not None]
    return form.format(statistics.median(values)) if values else "–"


def scored(frames):
    return (frames["circle"] + frames["no_circle"]) / max(frames["sent"], 1)


def intervals(percentile):
    return [
        session["latency_us"][percentile] * config["fps"] / 1e6
        for config, session in sessions
        if session["latency_us"][percentile] is not None and config["fps"] is not None
    ]


all_frames = [session["frames"] for _, session in sessions]
accounted = bool(sessions) and all(map(is_accounted, all_frames))
causes = {}
for frames in all_frames:
    for cause, count in frames["lost_by"].items():
        causes[cause] = causes.get(cause, 0) + count
least = {1: 0.99, 5: 0.95}.get(percent)
if least is None:
    goal, met = "accounted for", accounted
else:
    goal = f"≥ {least:.0%}, p99 ≤ 2"
    p99 = intervals("p99")
    met = accounted and bool(p99) and statistics.median(map(scored, all_frames)) >= least and statistics.median(p99) <= 2
told = "yes" if accounted else "NO"
if len(ended) < len(paths):
    told += f", of {len(ended)} of {len(paths)} sessions"
print(
    f"| {percent:g} % | {sum(frames['sent'] for frames in all_frames)} | {median(map(scored, all_frames), '{:.2%}')} "
    f"| {median(intervals('p50'), '{:.3f}')} | {median(intervals('p99'), '{:.2f}')} "
    f"| {', '.join(f'{count} {cause}' for cause, count in causes.items() if count) or '–'} "
    f"| {sum(frames['skipped'] for frames in all_frames)} "
    f"| {median([s['bytes']['frames_wire'] / max(s['frames']['sent'], 1) for _, s in sessions], '{:.0f}')} "
    f"| {median([s['connect_us'] and s['connect_us'] / 1000 for _, s in sessions], '{:.0f}')} "
    f"| {told} | {goal} | {'yes' if met else 'no'} |"
)
sys.exit(not accounted or len(ended) < len(paths))
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
