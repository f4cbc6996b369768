#!/usr/bin/env bash
# The sessions of bench/vivid.sh, in its virtual machine. /mnt is a folder of the host, for the results: of each session
# NAME.json, NAME.server and NAME.client (what the two said) and NAME.codes (their exit codes).
set -uo pipefail
{ read -r repository; read -r programs; } </mnt/where
vivid=$repository/bench/vivid
export HOME=/mnt TMPDIR=/mnt PYTHONDONTWRITEBYTECODE=1
plain=(--no-graphics --no-announce --listen 127.0.0.1:0)

# Programs start slowly here. They must not be given up for that.
patient=(--deadline 60s)
waits=("${waits[@]}" --pipeline-timeout 20s)

# Starts a server, and waits until it listens: `address` is where, `server` its process.
serve() {
  local name=$1
  shift
  "$programs/server" "${plain[@]}" "${patient[@]}" --json "/mnt/$name.json" "$@" >/dev/null 2>"/mnt/$name.server" &
  server=$!
  until address=$(sed -n 's/.*listening on \([^, ]*\),.*/\1/p' "/mnt/$name.server") && [ -n "$address" ]; do
    kill -0 "$server" 2>/dev/null || return 1
    sleep 0.1
  done
}

# A client of that server.
ask() {
  local name=$1
  shift
  "$programs/client" "$address" --no-graphics "$@" >/dev/null 2>"/mnt/$name.client"
}

# One session: name, the server's options up to --, the client's.
session() {
  local name=$1 options=()
  shift
  while [ "$1" != -- ]; do options+=("$1"); shift; done
  shift
  serve "$name" --once "${options[@]}" && ask "$name" "$@"
  local client=$?
  wait "$server"
  echo "$? $client" >"/mnt/$name.codes"
  echo "$(cut -d' ' -f1 /proc/uptime) $name $(cat "/mnt/$name.codes")"
}

keeps() { echo "exec:python3 $vivid/keep.py /mnt/$1.pixels ${2:-0}"; }

# What the camera gives, over both links.
session grey --source camera:0 --size 640x360 --device-format GREY --frames 40 -- "${waits[@]}" --pipeline "$(keeps grey)"
session yuyv --source /dev/video0 --size 640x360 --device-format YUYV --frames 10 -- "${waits[@]}" --pipeline "$(keeps yuyv)"
session webrtc --source camera:0 --size 640x360 --frames 10 -- --link webrtc
session ticks --source camera:0 --size 640x360 --fps 10 --frames 10 -- --link tcp
session colour --source camera:0 --size 640x360 --pixel bgr8 --frames 5 -- "${waits[@]}" --pipeline "$(keeps colour)"
session deep --source camera:0 --size 640x360 --pixel gray16 --frames 5 -- "${waits[@]}" --pipeline "$(keeps deep)"

# Truth from outside, for some of its frames.
printf 'frame,count\n0,3\n2,3\n' >/mnt/truth.csv
session truth --source camera:0 --size 640x360 --truth /mnt/truth.csv --frames 5 -- --link tcp

# Rows that are longer in memory than their pixels.
python3 "$vivid/stride.py" /dev/video0 640 360 GREY 1024 >/mnt/stride.set
session stride --source camera:0 --size 640x360 --device-format GREY --frames 5 -- "${waits[@]}" --pipeline "$(keeps stride)"

# Timestamps of the start of the exposure.
python3 "$vivid/control.py" /dev/video0 'Timestamp Source' 1
session exposure --source camera:0 --size 640x360 --frames 10 -- --link tcp
python3 "$vivid/control.py" /dev/video0 'Timestamp Source' 0

# A client that is slower than the camera.
session slow --source camera:0 --size 640x360 --frames 8 --window 1 -- "${waits[@]}" --workers 1 --pipeline "$(keeps slow 0.3)"

# Two clients at a time, and a second program.
serve both --source camera:0 --size 640x360 --frames 10 || echo "the server of both did not start"
ask both --link tcp &
first=$!
ask both.second --link tcp
wait "$first"
"$programs/server" "${plain[@]}" --source camera:0 >/mnt/busy.server 2>&1
echo "$?" >/mnt/busy.codes
kill "$server"
wait "$server"
echo "$?" >/mnt/both.codes

# What is refused.
refused() {
  "$programs/server" "${plain[@]}" "${@:2}" >"/mnt/$1.server" 2>&1
  echo "$?" >"/mnt/$1.codes"
}
refused metadata --source camera:1
refused missing --source camera:7
refused size --source camera:0 --size 1000x700
refused format --source camera:0 --device-format MJPG

# The camera goes away in a session.
serve unplugged --once --source camera:0 --size 640x360 || echo "the server of unplugged did not start"
ask unplugged "${waits[@]}" --pipeline "$(keeps unplugged)" &
client=$!
until [ -s /mnt/unplugged.pixels ] || ! kill -0 "$client"; do sleep 0.2; done
sleep 1
echo vivid.0 >/sys/bus/platform/drivers/vivid/unbind
wait "$server"
code=$?
# Not in a substitution: a subshell cannot wait for a child of its parent.
wait "$client"
echo "$code $?" >/mnt/unplugged.codes
echo "$(cut -d' ' -f1 /proc/uptime) end" | tee /mnt/end
