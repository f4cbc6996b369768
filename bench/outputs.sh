#!/usr/bin/env bash
# Measures what the outputs cost: interleaved pairs of runs with every output (--out, --csv, --json, --junit, a gate,
# rows in a file, and a monitor that reads /metrics each second) and without, and the ratio with / without with its 95 %
# interval (Student's t on the log ratios). Then the memory and the rate of the outputs alone, with ten million rows.
#
#   bench/outputs.sh [PAIRS] [ROWS]     needs target/release/{server,client}; BIN names another folder, ROWS 0 leaves them out
#
# Goals: unpaced, a rate ratio of at least 0.9 and no lost row; at 60 frames per second, a p50 latency ratio of at most
# 1.05 within its interval; at most 100 MB for the rows. The exit code is 1 if a goal is missed.
set -euo pipefail
cd "$(dirname "$0")/.."

pairs=${1:-10} rows=${2:-10000000}
seconds=${SECONDS_A_RUN:-5}
bin=${BIN:-target/release}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

run() { # NAME with|without OPTION...
  local name=$1 side=$2
  shift 2
  local options=(--json "$work/$name.json" "$@")
  if [ "$side" = with ]; then
    options+=(--out "$work/$name.out" --csv "$work/$name.csv" --junit "$work/$name.xml" --gate 'frames.sent > 0')
  fi
  "$bin/server" --no-graphics --no-announce --once --listen 127.0.0.1:0 --seed 7 --duration "${seconds}s" \
    "${options[@]}" >"$work/$name.rows" 2>"$work/$name.log" &
  local server=$! address='' monitor=
  for _ in $(seq 100); do
    address=$(sed -n 's/.*listening on \([^,]*\),.*/\1/p' "$work/$name.log" 2>/dev/null || true)
    [ -n "$address" ] && break
    sleep 0.05
  done
  if [ "$side" = with ]; then
    while sleep 1; do curl -s -o /dev/null "http://$address/metrics" || true; done &
    monitor=$!
  fi
  "$bin/client" "$address" --no-graphics >/dev/null 2>&1
  wait "$server"
  if [ -n "$monitor" ]; then kill "$monitor" && wait "$monitor" 2>/dev/null || true; fi
}

for case in unpaced:'--fps max' paced:'--fps 60'; do
  name=${case%%:*}
  read -r -a options <<<"${case#*:}"
  for pair in $(seq "$pairs"); do
    # ABBA order: drift over time affects both alike.
    if ((pair % 2)); then order="without with"; else order="with without"; fi
    for side in $order; do
      run "$name-$pair-$side" "$side" "${options[@]}"
    done
    # What was written is checked at once, so that the disk holds one pair.
    python3 - "$work/$name-$pair-with" <<'PYTHON'
import json, re, sys
start = sys.argv[1]
report = json.load(open(f"{start}.out/report.json"))
sent = report["sessions"][0]["frames"]["sent"]
for place in (f"{start}.csv", f"{start}.out/frames.csv"):
    written = sum(1 for _ in open(place)) - 1
    assert written == sent, f"{place} has {written} rows of {sent}"
printed = sum(1 for line in open(f"{start}.rows") if re.match(r" *\d+ ", line))
assert printed == sent, f"{printed} of {sent} rows are printed"
assert report.get("incomplete") is None, report["incomplete"]
PYTHON
    rm -rf "$work/$name-$pair-with.out" "$work"/*.csv "$work"/*.rows
  done
done

python3 - "$work" "$pairs" <<'PYTHON'
import json, math, statistics, sys
work, pairs = sys.argv[1], int(sys.argv[2])
# Two-sided 95 % quantiles of Student's t, by degrees of freedom.
T = {1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776, 5: 2.571, 6: 2.447, 7: 2.365, 8: 2.306, 9: 2.262, 11: 2.201, 14: 2.145, 19: 2.093}
def figure(name, pair, side):
    session = json.load(open(f"{work}/{name}-{pair}-{side}.json"))["sessions"][0]
    return session["latency_us"]["p50"] / 1e3 if name == "paced" else session["fps"]["answered"]
missed = False
for name, unit in (("unpaced", "frames/s"), ("paced", "ms p50")):
    without, with_ = ([figure(name, pair, side) for pair in range(1, pairs + 1)] for side in ("without", "with"))
    logs = [math.log(b / a) for a, b in zip(without, with_)]
    mean = statistics.mean(logs)
    half = T.get(pairs - 1, 2.0) * statistics.stdev(logs) / math.sqrt(pairs) if pairs > 1 else math.inf
    low, high = math.exp(mean - half), math.exp(mean + half)
    holds = high >= 0.9 if name == "unpaced" else low <= 1.05
    missed |= not holds
    print(f"{name:8} without {statistics.median(without):9.3f} with {statistics.median(with_):9.3f} {unit:9}"
          f" ratio {math.exp(mean):.3f}, 95 % interval {low:.3f} to {high:.3f}{'' if holds else '  TOO MUCH'}")
sys.exit(missed)
PYTHON
echo "no row is missing in any of them"

if [ "$rows" != 0 ]; then
  cargo bench --quiet -p server --bench outputs -- --rows "$rows"
fi
