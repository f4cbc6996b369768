#!/usr/bin/env bash
# What a sweep costs: trials per second, the time of a trial with one frame, memory during the sweep, size of the
# folder, and time of the merge. TRIALS (10,000) trials of 100 frames of 320x240 run in process, on all cores. Memory is
# read each second, because each trial takes and returns some megabytes; the medians of each fifth of the trials are
# compared. PLUMB_BIN names the folder of the programs; without it they are built.
set -euo pipefail
cd "$(dirname "$0")/.."

trials=${TRIALS:-10000}
if [ -z "${PLUMB_BIN:-}" ]; then
  cargo build --quiet --locked --release -p server --bin server
  PLUMB_BIN=target/release
fi
server=$(realpath "$PLUMB_BIN/server")
unset PLUMB_BIN
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

plan() { # FRAMES TRIALS
  cat <<PLAN
repeats = $(($2 / 100))
[run]
frames = $1
size = "320x240"
radius = 15
[axes]
noise = { from = 0, to = 20, steps = 10 }
blur = { from = 0, to = 2, steps = 10 }
PLAN
}
seconds() { date +%s.%N; }
resident() { awk '/^VmRSS/ { print $2 }' "/proc/$1/status" 2>/dev/null || echo 0; }
medians() { # TRIALS FILE
  for fifth in 0 1 2 3 4; do
    awk -v from=$((fifth * $1 / 5)) -v to=$(((fifth + 1) * $1 / 5)) '$1 >= from && $1 < to && $2 > 0 { print $2 }' "$2" |
      sort -n | awk '{ all[NR] = $1 } END { printf "%.1f ", all[int((NR + 1) / 2)] / 1024 }'
  done
  sort -k 2n "$2" | awk 'END { printf "%.1f", $2 / 1024 }'
}
count() { find "$1/trials" -name report.json 2>/dev/null | wc -l; }

plan 100 "$trials" >plan.toml
began=$(seconds)
"$server" sweep plan.toml --out out -q >said.txt & pid=$!
while kill -0 $pid 2>/dev/null; do
  # The merge at the end needs memory for its rows, and the sweep alone is to be measured.
  done=$(count out || true)
  if [ "$done" -lt "$trials" ]; then echo "$done $(resident $pid)"; fi
  sleep 1
done >memory.txt
wait $pid
ended=$(seconds)
tail -n 2 said.txt
merge_began=$(seconds)
"$server" sweep merge out >/dev/null
merge_ended=$(seconds)
plan 1 200 >one.toml
one_began=$(seconds)
"$server" sweep one.toml --out one --jobs 1 -q >/dev/null
one_ended=$(seconds)

awk -v trials="$trials" -v began="$began" -v ended="$ended" -v m0="$merge_began" -v m1="$merge_ended" \
  -v o0="$one_began" -v o1="$one_ended" -v memory="$(medians "$trials" memory.txt)" \
  -v size="$(du -sk --apparent-size out | cut -f1)" -v disk="$(du -sk out | cut -f1)" -v table="$(stat -c %s out/sweep.parquet)" 'BEGIN {
  all = ended - began; merge = m1 - m0; one = o1 - o0
  printf "%d trials of 100 frames, 320x240: %.0f s, %.1f trials/s; 10,000 would take %.1f min\n", trials, all, trials / all, 1e4 * all / trials / 60
  printf "a trial of one frame, one job: %.2f ms\n", one / 200 * 1e3
  printf "memory, median of each fifth of the trials, and the most: %s MiB\n", memory
  printf "a trial takes %.1f KiB (%.1f KiB on this disk), a row of the table %.0f bytes; the merge %.2f ms per trial\n", size / trials, disk / trials, table / trials, merge / trials * 1e3
}'
