#!/usr/bin/env bash
# Tests our programs with peers that are not Plumb's: which of them open a link and answer all frames.
#
#   bench/peers.sh [PEER...]      for example: bench/peers.sh aiortc-1.9.0 chromium
#
# aiortc-VERSION: as a client of our server, reliable and live, and as the source of frames of our client. chromium: a
# page driven by WebDriver, as a stranger and with the hello of a small receive buffer, paced and unpaced. werift: opens
# if its answer is changed to a=setup:passive; with its own answer it must be told what is wrong.
#
# Environment: BIN (the folder of the two programs, target/release), CACHE (where packages are put, target/peers). Needs
# python3 with venv and the package index; for werift node and npm, for chromium Debian's chromium and chromium-driver.
# A peer whose programs are missing is skipped. The exit code is 1 if a peer that was tried fails.
set -euo pipefail

here=$(cd "$(dirname "$0")/.." && pwd)
BIN=$(cd "${BIN:-$here/target/release}" && pwd)
readonly here BIN CACHE=${CACHE:-$here/target/peers} PEERS=$here/bench/peers
readonly FRAMES=60 WERIFT=0.24
folder='' server='' failed=0

main() {
  local peer
  [ $# -gt 0 ] || set -- aiortc-1.9.0 aiortc-1.14.0 aiortc-1.15.0 aiortc-1.16.0 chromium werift
  folder=$(mktemp -d)
  trap clean EXIT
  trap 'exit 130' INT TERM
  mkdir -p "$CACHE"
  for peer in "$@"; do
    case $peer in
      aiortc-*) aiortc "${peer#aiortc-}" ;;
      chromium) chromium ;;
      werift) werift ;;
      *) echo "no such peer: $peer" >&2 && exit 2 ;;
    esac
  done
  return $failed
}

aiortc() {
  local python=$CACHE/aiortc-$1/bin/python delivery
  if [ ! -x "$python" ]; then
    python3 -m venv "$CACHE/aiortc-$1"
    "$python" -m pip install -q --disable-pip-version-check --only-binary :all: "aiortc==$1" msgpack numpy
  fi
  for delivery in reliable live; do
    # Live, on a loaded machine, a frame may be late.
    serve "aiortc $1, $delivery" "$([ $delivery = live ] && echo 1 || echo $FRAMES)" --fps 30 --delivery $delivery -- \
      "$python" "$here/examples/aiortc_client.py"
  done
  source_of_frames "aiortc $1, as the source" "$python" "$PEERS/aiortc_source.py"
}

chromium() {
  command -v chromedriver >/dev/null || { echo "chromium: skipped, no chromedriver" && return; }
  local hello='{"type":"hello","plumb":1,"role":"sink","receive_buffer":131072}' rate
  for rate in 30 max; do
    serve "chromium, a stranger, --fps $rate" $FRAMES --fps $rate -- python3 "$PEERS/browser.py"
    serve "chromium, receive_buffer, --fps $rate" $FRAMES --fps $rate -- python3 "$PEERS/browser.py" AT "$hello"
  done
}

werift() {
  command -v npm >/dev/null || { echo "werift: skipped, no npm" && return; }
  (cd "$CACHE" && [ -d node_modules/werift ] || npm install --silent --no-fund --no-audit "werift@$WERIFT")
  cd "$CACHE"
  serve "werift $WERIFT, answering passive" $FRAMES --fps 30 -- node "$PEERS/werift_client.mjs" AT passive
  serve "werift $WERIFT, unchanged, told why" 0 --fps 30 -- node "$PEERS/werift_client.mjs"
  grep -q 'is to be answered with a=setup:passive' "$folder/server.err" || fail "it was not told"
  cd "$here"
}

# serve WHAT LEAST OPTION... -- PEER...: at least LEAST frames must be answered. AT in the peer's arguments stands for
# host and port; without AT they are its last arguments.
serve() {
  local what=$1 least=$2 port answered
  local -a options=()
  shift 2
  while [ "$1" != -- ]; do options+=("$1") && shift; done
  shift
  "$BIN/server" --listen 127.0.0.1:0 --once --frames $FRAMES --no-graphics --json "$folder/report.json" "${options[@]}" \
    >"$folder/server.out" 2>"$folder/server.err" &
  server=$!
  port=$(listening "$folder/server.err")
  timeout 60 $(placed "$port" "$@") >"$folder/peer.out" 2>"$folder/peer.err" || true
  kill -INT $server 2>/dev/null || true
  wait $server || true
  server=''
  answered=$(python3 -c 'import json, sys
sessions = json.load(open(sys.argv[1]))["sessions"]
print(sessions[0]["frames"]["answered"] if sessions else 0)' "$folder/report.json")
  tell "$what" "$answered of $FRAMES answered"
  [ "$answered" -ge "$least" ] || fail "$(tail -n 2 "$folder/server.err" "$folder/peer.err")"
}

# Prints a peer's command, one word per line. No word has a space.
placed() {
  local port=$1 word
  shift
  case " $* " in
    *' AT '*) for word in "$@"; do [ "$word" = AT ] && printf '%s\n' 127.0.0.1 "$port" || printf '%s\n' "$word"; done ;;
    *) printf '%s\n' "$@" 127.0.0.1 "$port" ;;
  esac
}

source_of_frames() {
  local what=$1 port source
  shift
  "$@" 5 >"$folder/source.out" 2>"$folder/source.err" &
  source=$!
  port=$(listening "$folder/source.out")
  timeout 40 "$BIN/client" "127.0.0.1:$port" --no-graphics >"$folder/client.out" 2>"$folder/client.err" || true
  if wait $source; then
    tell "$what" "5 of 5 answered"
  else
    tell "$what" "failed" && fail "$(tail -n 2 "$folder/client.err" "$folder/source.err")"
  fi
}

# Prints the port from the line in which a program says that it listens.
listening() {
  local port try
  for try in $(seq 200); do
    port=$(grep -ohE 'listening on ([0-9.]+:)?[0-9]+' "$1" | grep -oE '[0-9]+$' | head -n 1) && [ -n "$port" ] && echo "$port" && return
    sleep 0.05
  done
  echo "it does not listen: $(cat "$1")" >&2 && exit 1
}

tell() {
  printf '%-48s %s\n' "$1" "$2"
}

fail() {
  echo "  failed: $1"
  failed=1
}

clean() {
  [ -z "$server" ] || kill "$server" 2>/dev/null || true
  rm -rf "$folder"
}

main "$@"
