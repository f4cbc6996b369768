#!/usr/bin/env bash
# Measures what the outputs cost: interleaved pairs of runs with every output (--out, --csv, --json, --junit, a gate,
# rows in a file, and a monitor that reads /metrics each second) and without, and the ratio with / without with its 95 %
# interval (Student's t on the log ratios). Then the memory and the rate of the outputs alone, with ten million rows, and the
# same for `server report` on their folder.
#
#   bench/outputs.sh [PAIRS] [ROWS]     needs target/release/{server,client}; BIN names another folder, ROWS 0 leaves them out
#
# Goals: unpaced, a rate ratio of at least 0.9 and no lost row; at 60 frames per second, a p50 latency ratio of at most
# 1.05 within its interval; for the rows, at most 100 MB of memory and a page of at most 1 MB. The exit code is 1 if a goal
# is missed.
set -euo pipefail
cd "$(dirname "$0")/.."
. bench/pairs/session.sh

pairs=${1:-10} rows=${2:-10000000}
seconds=${SECONDS_A_RUN:-5}
bin=${BIN:-target/release}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

run() { # NAME with|without OPTION...
  local name=$1 side=$2 monitor=
  shift 2
  local options=(--json "$work/$name.json" "$@")
  if [ "$side" = with ]; then
    options+=(--out "$work/$name.out" --csv "$work/$name.csv" --junit "$work/$name.xml" --gate 'frames.sent > 0')
  fi
  listen "$bin" "$name" "${options[@]}"
  if [ "$side" = with ]; then
    while sleep 1; do curl -s -o /dev/null "http://$address/metrics" || true; done &
    monitor=$!
  fi
  answer "$bin"
  if [ -n "$monitor" ]; then kill "$monitor" && wait "$monitor" 2>/dev/null || true; fi
}

for case in unpaced:'--fps max' paced:'--fps 60'; do
  name=${case%%:*}
  read -r -a options <<<"${case#*:}"
  for pair in $(seq "$pairs"); do
    for side in $(order "$pair" without with); do
      run "$name-$pair-$side" "$side" "${options[@]}"
    done
    # The files are checked and removed after each pair, so that the disk holds only one pair.
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

PYTHONPATH=bench/pairs python3 - "$work" "$pairs" <<'PYTHON'
import statistics, sys
from ratio import ratio, session
work, pairs = sys.argv[1], int(sys.argv[2])
def figure(name, pair, side):
    found = session(f"{work}/{name}-{pair}-{side}.json")
    return found["latency_us"]["p50"] / 1e3 if name == "paced" else found["fps"]["answered"]
missed = False
for name, unit in (("unpaced", "frames/s"), ("paced", "ms p50")):
    without, with_ = ([figure(name, pair, side) for pair in range(1, pairs + 1)] for side in ("without", "with"))
    mean, low, high = ratio(without, with_)
    holds = high >= 0.9 if name == "unpaced" else low <= 1.05
    missed |= not holds
    print(f"{name:8} without {statistics.median(without):9.3f} with {statistics.median(with_):9.3f} {unit:9}"
          f" ratio {mean:.3f}, 95 % interval {low:.3f} to {high:.3f}{'' if holds else '  TOO MUCH'}")
sys.exit(missed)
PYTHON
echo "no row is missing in any of them"

if [ "$rows" != 0 ]; then
  cargo bench --quiet -p server --bench outputs -- --rows "$rows"
fi
