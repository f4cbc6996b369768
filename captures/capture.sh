#!/usr/bin/env bash
# Makes the pictures of this folder, all from real runs of the present program:
#
#   captures/capture.sh              all of them
#   captures/capture.sh NAME...      windows, terminal, docker
#
# Needs Xvfb, xdotool, ImageMagick, ffmpeg and tmux (apt-get install), Python's venv; docker needs an engine and both
# images (docker/test.sh images builds them).
set -euo pipefail
cd "$(dirname "$0")/.."

readonly SCREEN=2120x640
pids=()

main() {
  scratch=$(mktemp -d)
  trap clean EXIT
  cargo build --release -p client -p server
  [ $# -gt 0 ] || set -- windows terminal docker
  local picture
  for picture; do "$picture"; done
}

clean() {
  kill "${pids[@]}" 2>/dev/null || true
  tmux -L "$(basename "$scratch")" kill-server 2>/dev/null || true
  wait
  rm -rf "$scratch"
}

# Server and client window side by side: a picture and three seconds of film.
windows() {
  Xvfb -displayfd 3 -noreset -screen 0 ${SCREEN}x24 3>"$scratch/display" 2>/dev/null &
  pids+=($!)
  until [ -s "$scratch/display" ]; do sleep 0.1; done
  DISPLAY=:$(cat "$scratch/display")
  export DISPLAY

  local port server client
  port=$(free_port)
  target/release/server --listen "127.0.0.1:$port" --once --seed 7 --speed 300 &
  server=$!
  target/release/client "127.0.0.1:$port" &
  client=$!
  pids+=("$server" "$client")

  # No window manager runs: put the windows side by side, and the pointer away.
  xdotool search --sync --name 'Plumb server' windowmove 12 32 >/dev/null
  xdotool search --sync --name 'Plumb client' windowmove 1068 32 >/dev/null
  xdotool mousemove 2119 639
  sleep 5
  import -window root "$scratch/run.png"
  ffmpeg -loglevel error -y -f x11grab -framerate 20 -video_size $SCREEN -t 3 -i "$DISPLAY" \
    -vf 'crop=2120:600:0:20,scale=1060:-1:flags=lanczos,split[a][b];[a]palettegen=max_colors=64:stats_mode=diff[p];[b][p]paletteuse=dither=none:diff_mode=rectangle' \
    captures/data_channel_run.gif
  convert "$scratch/run.png" -trim +repage -bordercolor '#0b0d10' -border 12 -strip captures/data_channel_run.png
  kill -INT "$server"
  wait "$server" "$client"
  unset DISPLAY
}

# Rows and summary of both sides, one above the other.
terminal() {
  local address
  address=127.0.0.1:$(free_port)
  in_panes "server --once --no-graphics --rows --frames 12 --seed 7 --listen $address" "client $address --no-graphics"
  settled 'frames received'
  picture no_graphics 'Plumb without graphics'
}

# The two commands of the README.
docker() {
  local engine
  engine=$(docker/engine.sh)
  export PATH=$scratch:$PATH
  ln -sf "$engine" "$scratch/docker"
  in_panes 'docker run --rm --name plumb-capture rust-server --seed 7' 'docker run --rm rust-client'
  until shown 1 | grep -qE '^ +[1-9][0-9][0-9] '; do sleep 0.1; done
  "$engine" stop plumb-capture >/dev/null
  settled 'frames received'
  picture docker_run 'Plumb in two containers'
}

# Types two commands into two panes of one terminal.
in_panes() {
  tmux=(tmux -L "$(basename "$scratch")")
  local shell="env PS1='\$ ' PATH=$PWD/target/release:$PATH bash --norc"
  "${tmux[@]}" -f /dev/null new-session -d -x 104 -y 43 "$shell"
  "${tmux[@]}" set -g status off \; set -g pane-border-style fg=colour240 \; set -g pane-active-border-style fg=colour240
  "${tmux[@]}" split-window -v -l 18 "$shell"
  "${tmux[@]}" send-keys -t 0 "$1" Enter
  sleep 1
  "${tmux[@]}" send-keys -t 1 "$2" Enter
}

shown() {
  "${tmux[@]}" capture-pane -p -t "$1"
}

# Waits until both summaries are shown.
settled() {
  until shown 1 | grep -q "$1" && shown 0 | grep -q 'frames/s sent'; do sleep 0.1; done
  sleep 0.5
}

# Draws both panes, as they are, into one SVG.
picture() {
  local venv=target/captures-venv
  [ -x $venv/bin/python ] || python3 -m venv $venv
  $venv/bin/python -m pip install --quiet --disable-pip-version-check rich==15.0.0
  "${tmux[@]}" capture-pane -e -p -t 0 >"$scratch/above"
  "${tmux[@]}" capture-pane -e -p -t 1 >"$scratch/below"
  $venv/bin/python captures/terminal_svg.py "$2" "$scratch/above" "$scratch/below" >"$scratch/svg"
  mv "$scratch/svg" "captures/$1.svg"
  "${tmux[@]}" kill-server
}

free_port() {
  python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

main "$@"
