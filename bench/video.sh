#!/usr/bin/env bash
# A video of 1920x1080 in H.264 at 30 frames per second, played at its rate: no frame may be late. Run by .ci/long.
#
#   bench/video.sh [SECONDS]    length of the video, 20 by default
#
# It needs ffmpeg, and builds the programs in release mode (BIN=FOLDER: takes them from there).
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=${1:-20}
if [ -z "${BIN:-}" ]; then
  cargo build --release --locked -p server -p client
  BIN=${CARGO_TARGET_DIR:-target}/release
fi
folder=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null || true; rm -rf "$folder"' EXIT
ffmpeg -v error -f lavfi -i "testsrc2=size=1920x1080:rate=30:duration=$seconds" -c:v libx264 -pix_fmt yuv420p "$folder/a.mp4"

"$BIN/server" --no-graphics --no-announce --listen 127.0.0.1:0 --source "$folder/a.mp4" --once \
  --json "$folder/report.json" >/dev/null 2>"$folder/log" &
server=$!
until address=$(sed -n 's/.*listening on \([^, ]*\),.*/\1/p' "$folder/log") && [ -n "$address" ]; do
  kill -0 "$server" || { cat "$folder/log"; exit 1; }
  sleep 0.1
done
"$BIN/client" "$address" --no-graphics >/dev/null 2>&1
wait "$server"
server=

python3 - "$folder/report.json" "$((30 * seconds))" <<'PYTHON'
import json, sys

report = json.load(open(sys.argv[1]))
session = report["sessions"][0]
frames, source = session["frames"], session["source"]
print(f"{frames['sent']} frames at {session['fps']['sent']:.2f} per second, {source['late']} late, {frames['skipped']} skipped, "
      f"decode p50 {source['decode_us']['p50'] / 1e3:.1f} ms, p99 {source['decode_us']['p99'] / 1e3:.1f} ms, "
      f"latency p50 {session['latency_us']['p50'] / 1e3:.1f} ms, p99 {session['latency_us']['p99'] / 1e3:.1f} ms")
if (frames["answered"], source["late"]) != (int(sys.argv[2]), 0):
    sys.exit(f"expected {sys.argv[2]} frames answered and none late")
PYTHON
