#!/usr/bin/env bash
# Compares the frame path of two builds: interleaved pairs of runs, and the ratio new / old with its 95 % interval
# (Student's t on the log ratios). Above 1 is better: frames per second unpaced, 1 / p50 latency at 60 frames per
# second.
#
#   bench/compare.sh OLD NEW [PAIRS]     two folders, each with a release `server` and `client`
set -euo pipefail
pairs_of="$(cd "$(dirname "$0")" && pwd)/pairs"
. "$pairs_of/session.sh"

old=$1 new=$2 pairs=${3:-10}
seconds=${SECONDS_A_RUN:-3}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for case in raw:'--fps max' auto:'--fps max --encoding auto' paced:'--fps 60'; do
  name=${case%%:*}
  read -r -a options <<<"${case#*:}"
  for pair in $(seq "$pairs"); do
    for side in $(order "$pair" old new); do
      listen "${!side}" run --json "$work/$name-$pair-$side.json" "${options[@]}"
      answer "${!side}"
    done
  done
done

PYTHONPATH=$pairs_of python3 - "$work" "$pairs" <<'PYTHON'
import statistics, sys
from ratio import ratio, session
work, pairs = sys.argv[1], int(sys.argv[2])
def figure(name, pair, side):
    found = session(f"{work}/{name}-{pair}-{side}.json")
    return 1e3 / found["latency_us"]["p50"] if name == "paced" else found["fps"]["answered"]
for name, unit in (("raw", "frames/s"), ("auto", "frames/s"), ("paced", "1/ms")):
    old, new = ([figure(name, pair, side) for pair in range(1, pairs + 1)] for side in ("old", "new"))
    mean, low, high = ratio(old, new)
    print(f"{name:6} old {statistics.median(old):8.2f} new {statistics.median(new):8.2f} {unit:9}"
          f" ratio {mean:.3f}, 95 % interval {low:.3f} to {high:.3f}")
PYTHON
