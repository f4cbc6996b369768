#!/usr/bin/env bash
# Compares the frame path of two builds: interleaved pairs of runs, and the ratio new / old with its 95 % interval
# (Student's t on the log ratios). Above 1 is better: frames per second unpaced, 1 / p50 latency at 60 frames per
# second.
#
#   bench/compare.sh OLD NEW [PAIRS]     two folders, each with a release `server` and `client`
set -euo pipefail

old=$1 new=$2 pairs=${3:-10}
seconds=${SECONDS_A_RUN:-3}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

run() { # FOLDER REPORT OPTION...
  local folder=$1 report=$2
  shift 2
  # Files of the server's listening line, so that any free port will do.
  "$folder/server" --no-graphics --no-announce --once --listen 127.0.0.1:0 --seed 7 --duration "${seconds}s" \
    --json "$report" "$@" >/dev/null 2>"$work/server.log" &
  local server=$! address=
  for _ in $(seq 100); do
    address=$(sed -n 's/.*listening on \([^,]*\),.*/\1/p' "$work/server.log")
    [ -n "$address" ] && break
    sleep 0.05
  done
  "$folder/client" "$address" --no-graphics >/dev/null 2>&1
  wait "$server"
}

for case in raw:'--fps max' auto:'--fps max --encoding auto' paced:'--fps 60'; do
  name=${case%%:*}
  read -r -a options <<<"${case#*:}"
  for pair in $(seq "$pairs"); do
    # ABBA order: drift over time affects both alike.
    if ((pair % 2)); then order="old new"; else order="new old"; fi
    for side in $order; do
      run "${!side}" "$work/$name-$pair-$side.json" "${options[@]}"
    done
  done
done

python3 - "$work" "$pairs" <<'PYTHON'
import json, math, statistics, sys
work, pairs = sys.argv[1], int(sys.argv[2])
# Two-sided 95 % quantiles of Student's t, by degrees of freedom.
T = {1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776, 5: 2.571, 6: 2.447, 7: 2.365, 8: 2.306, 9: 2.262, 11: 2.201, 14: 2.145, 19: 2.093}
def figure(name, pair, side):
    session = json.load(open(f"{work}/{name}-{pair}-{side}.json"))["sessions"][0]
    return 1e3 / session["latency_us"]["p50"] if name == "paced" else session["fps"]["answered"]
for name, unit in (("raw", "frames/s"), ("auto", "frames/s"), ("paced", "1/ms")):
    old, new = ([figure(name, pair, side) for pair in range(1, pairs + 1)] for side in ("old", "new"))
    logs = [math.log(b / a) for a, b in zip(old, new)]
    mean = statistics.mean(logs)
    half = T.get(pairs - 1, 2.0) * statistics.stdev(logs) / math.sqrt(pairs)
    low, high = math.exp(mean - half), math.exp(mean + half)
    print(f"{name:6} old {statistics.median(old):8.2f} new {statistics.median(new):8.2f} {unit:9}"
          f" ratio {math.exp(mean):.3f}, 95 % interval {low:.3f} to {high:.3f}")
PYTHON
