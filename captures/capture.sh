#!/usr/bin/env bash
# Takes the picture in the README: server and client windows of a real run, side by side, on a virtual display.
# Needs Xvfb, xdotool and ImageMagick (.ci/install) and the release build.
set -euo pipefail
cd "$(dirname "$0")/.."

cargo build --release --workspace
scratch=$(mktemp -d)
pids=()
trap 'kill "${pids[@]}" 2>/dev/null || true; wait; rm -rf "$scratch"' EXIT

Xvfb -displayfd 3 -screen 0 2120x640x24 3>"$scratch/display" 2>/dev/null &
pids+=($!)
until [ -s "$scratch/display" ]; do sleep 0.1; done
DISPLAY=:$(cat "$scratch/display")
export DISPLAY

port=$((20000 + RANDOM % 10000))
target/release/server --listen "127.0.0.1:$port" --once --seed 7 &
server=$!
target/release/client "127.0.0.1:$port" &
client=$!
pids+=("$server" "$client")

# No window manager runs: put the windows side by side.
xdotool search --sync --name 'Plumb server' windowmove 10 30 >/dev/null
xdotool search --sync --name 'Plumb client' windowmove 1070 30 >/dev/null
sleep 5
import -window root "$scratch/run.png"
convert "$scratch/run.png" -trim +repage -bordercolor '#0b0d10' -border 12 -strip captures/data_channel_run.png
kill -INT "$server"
wait "$server" "$client"
