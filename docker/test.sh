#!/usr/bin/env bash
# Builds the images from their Dockerfiles, and runs them in the ways that docs/docker.md describes.
#
#   docker/test.sh            all of it
#   docker/test.sh NAME...    only these scenarios, with the images that are there (names: see SCENARIOS)
#
# Without a Docker engine it says so and skips the tests; with CI=true it fails. Needs python3; docker-compose for
# `compose`.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly SCENARIOS=(images locked_down pair_server_first pair_client_first four_clients stop_client stop_server interrupt health
  kill_client kill_server user_network host_network published_port wrong_server compose window video indexed_job)
readonly PREFIX=plumb-test-$$
# Nothing here takes this long on an idle machine; a loaded one may.
readonly PATIENCE=30
passed=0 failed=0 shown='' xvfb=''

main() {
  engine
  folder=$(mktemp -d)
  trap clean EXIT
  trap 'exit 130' INT TERM
  if [ $# -eq 0 ]; then
    build
    set -- "${SCENARIOS[@]}"
  fi
  local scenario
  for scenario; do
    echo "== ${scenario//_/ }"
    shown=
    "$scenario" || echo "           the rest of this depends on that"
    remove_containers
  done
  echo "$passed passed, $failed failed"
  [ "$failed" -eq 0 ]
}

engine() {
  local code=0
  docker=$(docker/engine.sh) || code=$?
  [ "$code" -eq 0 ] && return
  if [ "${CI:-}" = true ]; then
    echo "*** no Docker engine, and CI must have one" >&2
    exit 1
  fi
  echo "*** SKIPPED: THE IMAGES WERE NOT TESTED, because there is no Docker engine" >&2
  exit 0
}

build() {
  DOCKER=$docker docker/bases.sh
  local program start
  for program in server client; do
    start=$SECONDS
    echo "== build rust-$program"
    "$docker" build -f docker/$program.Dockerfile -t rust-$program . >"$folder/build" 2>&1 || {
      tail -n 60 "$folder/build"
      echo "*** rust-$program does not build"
      exit 1
    }
    echo "   in $((SECONDS - start)) s"
  done
}

clean() {
  local code=$?
  [ -z "$xvfb" ] || kill "$xvfb" 2>/dev/null
  remove_containers
  "$docker" network ls -q --filter "name=^$PREFIX-" | xargs -r "$docker" network rm >/dev/null 2>&1 || true
  rm -rf "$folder"
  exit "$code"
}

remove_containers() {
  "$docker" ps -aq --filter "name=^/$PREFIX-" | xargs -r "$docker" rm -f -v >/dev/null 2>&1 || true
}

# Scenarios ----------------------------------------------------------------------------------------------------------

images() {
  local program size
  for program in server client; do
    size=$(image rust-$program '{{.Size}}')
    check "rust-$program has $((size / 1000)) kB, under 25 MB" [ "$size" -lt 25000000 ]
    check "rust-$program does not run as root" [ "$(image rust-$program '{{.Config.User}}')" = 65532:65532 ]
    check "rust-$program says its version" [ "$(label rust-$program version)" = "$(version $program)" ]
    check "rust-$program says its licence" [ "$(label rust-$program licenses)" = "MIT OR Apache-2.0" ]
    "$docker" create --name "$PREFIX-files" rust-$program >/dev/null
    "$docker" export "$PREFIX-files" | tar -t >"$folder/files"
    check "rust-$program holds the program" grep -qx $program "$folder/files"
    check "rust-$program holds nothing else to run" not grep -qE '^(bin|usr|lib)/.' "$folder/files"
    "$docker" cp "$PREFIX-files:/$program.cdx.json" "$folder/" >/dev/null || true
    check "rust-$program says what it is made of" docker/check_sbom.py $program "$folder/$program.cdx.json"
    if [ "$program" = server ]; then
      # Its size counts: without Rust for WebAssembly, the image is built all the same, and smaller.
      "$docker" cp "$PREFIX-files:/server" "$folder/" >/dev/null
      check "rust-server holds the page's detector" grep -aqE 'HOUGH_BYTES = [1-9]' "$folder/server"
    fi
    "$docker" rm "$PREFIX-files" >/dev/null
    check "rust-$program has no shell" not "$docker" run --rm --entrypoint /bin/sh rust-$program -c true 2>/dev/null
  done
}

# With the least that a container can have: a root that cannot be written, no capability, 64 MiB of memory.
locked_down() {
  local least=(--read-only --cap-drop ALL --security-opt no-new-privileges --memory 64m --memory-swap 64m)
  run server "${least[@]}" rust-server
  run client "${least[@]}" rust-client "$(address_of server):8080"
  pair
}

pair_server_first() {
  run server rust-server
  check "the server listens" eventually says server 'listening on 0.0.0.0:8080'
  run client rust-client
  pair
}

pair_client_first() {
  run client rust-client
  check "the client starts" eventually says client .
  run server rust-server
  pair
}

# Both print rows and stop well, the client first.
pair() {
  must "the server prints rows" eventually server_rows server 60 || return
  check "the client prints rows" eventually client_rows client 60
  stops client
  check "the client prints its summary" says client 'frames received: [0-9]+ circle'
  check "the server prints the session's summary" eventually says server '^  frames +[0-9]+ sent: [0-9]+ circle, 0 none, 0 dropped, 0 lost'
  stops server
}

four_clients() {
  mkdir "$folder/four"
  run_to_report four rust-server --frames 120
  local address client
  address=$(address_of server):8080
  for client in 1 2 3 4; do run client$client rust-client "$address"; done
  for client in 1 2 3 4; do
    check "client $client ends with 0" exits client$client 0
    check "client $client has all frames" says client$client '^120 frames received: 120 circle'
  done
  stops server
  check "the report has four sessions" report four 'len(sessions) == 4'
  check "each with every frame a circle" report four 'all(f["sent"] == f["circle"] == 120 for f in frames)'
  check "and a small error" report four 'all(s["error_px"]["l1"]["mean"] < 0.05 for s in sessions)'
}

stop_client() {
  mkdir "$folder/next"
  run_to_report next rust-server
  run client1 rust-client "$(address_of server):8080"
  must "frames flow" eventually client_rows client1 30 || return
  stops client1
  check "the server sums up the session" eventually says server '^session [0-9]+ with plumb-client'
  run client2 rust-client "$(address_of server):8080"
  check "the server serves the next client" eventually client_rows client2 30
  stops server
  check "and that client ends with 0" exits client2 0
  check "the report has both sessions" report next 'len(sessions) == 2'
  check "no frame is unaccounted for" report next 'all(conserved(f) for f in frames)'
}

stop_server() {
  run server rust-server
  run client rust-client "$(address_of server):8080"
  must "frames flow" eventually client_rows client 30 || return
  stops server
  check "the server prints the summary" says server '^  frames +[0-9]+ sent'
  check "the client ends with 0" exits client 0
  check "and prints its summary" says client 'frames received'
}

interrupt() {
  run server rust-server
  run client rust-client "$(address_of server):8080"
  must "frames flow" eventually client_rows client 30 || return
  "$docker" kill -s INT "$PREFIX-client" >/dev/null
  check "the client ends with 0 on Ctrl-C" exits client 0
  "$docker" kill -s INT "$PREFIX-server" >/dev/null
  check "the server ends with 0 on Ctrl-C" exits server 0
}

health() {
  run server --health-interval 1s rust-server
  check "the server becomes healthy" eventually healthy server
  check "asking makes no session" not says server 'session'
  stops server
  run elsewhere --health-interval 1s -e PLUMB_LISTEN=0.0.0.0:9000 rust-server
  check "also on another port" eventually healthy elsewhere
}

kill_client() {
  run server rust-server
  run client --restart on-failure rust-client
  must "frames flow" eventually client_rows client 30 || return
  crash client
  check "the crashed client is started again by its policy" eventually restarted client 1
  check "and is served: a second session" eventually sessions server 2
  "$docker" kill "$PREFIX-client" >/dev/null
  check "the server sums up both" eventually summaries server 2
  check "and still runs" running server
  "$docker" start "$PREFIX-client" >/dev/null
  check "a killed client that is started is served: a third session" eventually sessions server 3
  stops client
  stops server
}

kill_server() {
  run server --restart on-failure rust-server
  run client --restart on-failure rust-client
  must "frames flow" eventually client_rows client 30 || return
  crash server
  check "the crashed server is started again by its policy" eventually restarted server 1
  check "the client notices" eventually says client 'the server is gone'
  check "is started again by its policy" eventually restarted client 1
  check "and served: a second session" eventually sessions server 2
  "$docker" kill "$PREFIX-server" >/dev/null
  check "the client notices again" eventually restarted client 2
  "$docker" start "$PREFIX-server" >/dev/null
  check "a killed server that is started serves it: a third session" eventually sessions server 3
  stops server
  check "the client ends with 0 and stays so" exits client 0
}

user_network() {
  network
  run server --network "$PREFIX-net" --network-alias rust-server -e PLUMB_NO_ANNOUNCE=true rust-server
  run named --network "$PREFIX-net" rust-client rust-server:8080
  check "a client that is given the name finds it" eventually client_rows named 30
  run client --network "$PREFIX-net" rust-client
  check "a client without arguments finds the name rust-server" eventually client_rows client 30
  stops server
  check "both clients end with 0" both exits named 0 exits client 0
}

host_network() {
  local port
  port=$(free_port)
  run server --network host -e PLUMB_LISTEN=127.0.0.1:"$port" rust-server
  run client --network host rust-client 127.0.0.1:"$port"
  must "frames flow" eventually client_rows client 30 || return
  stops client
  stops server
}

published_port() {
  run server -p 127.0.0.1::8080 rust-server
  local port udp host
  port=$("$docker" port "$PREFIX-server" 8080/tcp | sed 's/.*://')
  run client --network host rust-client 127.0.0.1:"$port"
  must "a client on the host reaches the published port" eventually client_rows client 30 || return
  stops client
  stops server
  # As from another machine: networks do not reach each other, only what the host publishes, here on their gateway.
  network
  host=$("$docker" network inspect -f '{{(index .IPAM.Config 0).Gateway}}' "$PREFIX-net")
  udp=$(free_port)
  run far -p "$host":8080:8080 -p "$host:$udp:$udp"/udp rust-server --udp-port "$udp" --advertise "$host"
  run outside --network "$PREFIX-net" rust-client "$host":8080
  must "a client elsewhere reaches the published ports" eventually client_rows outside 30 || return
  stops outside
  run searching --network "$PREFIX-net" rust-client
  check "and one without arguments finds them behind its gateway" eventually client_rows searching 30
  stops far
  check "the client ends with 0" exits searching 0
}

wrong_server() {
  run refused rust-client 127.0.0.1:9 --wait 1s
  check "nobody there: exit code 3" exits refused 3
  check "and one clear line" says refused 'no server at 127.0.0.1:9 within 1s'
  run unknown rust-client nobody.invalid:8080 --wait 1s
  check "no such name: exit code 3" exits unknown 3
  check "and one clear line" says unknown 'no server at nobody.invalid:8080'
  run nonsense rust-client nonsense
  check "no address: exit code 2" exits nonsense 2
}

compose() {
  local compose project=$PREFIX-compose code=0
  if ! compose=$(compose_command); then
    check "docker-compose is there" false
    return
  fi
  mkdir "$folder/results"
  export RUN_AS RESULTS=$folder/results FRAMES=120
  RUN_AS=$(id -u):$(id -g)
  composed() { $compose -p "$project" -f docker/compose.yaml "$@"; }
  composed up -d --no-build --scale client=4 >"$folder/compose" 2>&1 || code=$?
  must "compose starts a server and four clients" [ "$code" -eq 0 ] || { tail -n 20 "$folder/compose"; return 1; }
  local containers container
  containers=$("$docker" ps -aq --filter "label=com.docker.compose.project=$project" --filter label=com.docker.compose.service=client)
  check "four clients" [ "$(wc -w <<<"$containers")" -eq 4 ]
  for container in $containers; do
    check "a client ends with 0" [ "$(timeout $PATIENCE "$docker" wait "$container")" = 0 ]
  done
  container=$("$docker" ps -aq --filter "label=com.docker.compose.project=$project" --filter label=com.docker.compose.service=server)
  check "the server becomes healthy" eventually health_of "$container"
  check "memory and CPU are limited" [ "$("$docker" inspect -f '{{.HostConfig.Memory}} {{.HostConfig.NanoCpus}}' "$container")" = "536870912 2000000000" ]
  composed stop >>"$folder/compose" 2>&1
  check "the server ends with 0" [ "$("$docker" inspect -f '{{.State.ExitCode}}' "$container")" = 0 ]
  check "the report has four sessions" report results 'len(sessions) == 4'
  check "each with every frame a circle" report results 'all(f["sent"] == f["circle"] == 120 for f in frames)'
  check "it belongs to the caller" [ "$(stat -c %u:%g "$folder/results/report.json")" = "$RUN_AS" ]
  composed down -v >>"$folder/compose" 2>&1
}

window() {
  if ! { command -v Xvfb && command -v xwininfo; } >/dev/null; then
    check "Xvfb and xwininfo are there" [ "${CI:-}" != true ]
    return
  fi
  local program
  for program in server client; do
    must "rust-$program-window builds" build_window $program || return
  done
  Xvfb -displayfd 3 -screen 0 1600x1000x24 -nolisten tcp 3>"$folder/display" >/dev/null 2>&1 &
  xvfb=$!
  must "a display is there" eventually [ -s "$folder/display" ] || return
  display=:$(tr -d '\n' <"$folder/display")
  local with_display=(--user "$(id -u)" -e DISPLAY="$display" -v /tmp/.X11-unix:/tmp/.X11-unix)
  run server "${with_display[@]}" rust-server-window
  run client "${with_display[@]}" rust-client-window "$(address_of server):8080"
  check "the server opens a window" eventually shows "Plumb server"
  check "the client opens a window" eventually shows "Plumb client"
  check "a session begins" eventually says server 'session [0-9]+: plumb-client'
  stops client
  check "the server sums up the session" eventually summaries server 1
  stops server
  kill "$xvfb" && wait "$xvfb" 2>/dev/null
  xvfb=
}

video() {
  must "rust-server-video builds" "$docker" build -q -f docker/server.Dockerfile -t rust-server-video --target video . || return
  mkdir "$folder/videos" && chmod 777 "$folder/videos"
  "$docker" run --rm --entrypoint ffmpeg -v "$folder/videos":/videos rust-server-video \
    -v error -f lavfi -i testsrc2=size=320x240:rate=30:duration=1 /videos/a.mp4
  run static -v "$folder/videos":/videos:ro rust-server --source /videos/a.mp4
  check "without ffmpeg: exit code 2" exits static 2
  check "and what to do" says static 'built with --target video'
  run server -v "$folder/videos":/videos:ro rust-server-video --source /videos/a.mp4 --once
  run client rust-client "$(address_of server):8080"
  check "a video is played to its end" exits server 0
  check "all of it" says server '^  frames +30 sent'
}

# The pods of examples/sweep.k8s.yaml, one after the other, with the manifest's arguments, user and volumes.
indexed_job() {
  local arguments index job="$folder/job"
  mkdir -p "$job/plan" "$job/results"
  # The volume belongs to the image's user, as fsGroup makes it.
  chown 65532:65532 "$job/results"
  cat >"$job/plan/plan.toml" <<-PLAN
	repeats = 2
	[run]
	frames = 20
	size = "160x120"
	radius = 12
	[axes]
	noise = [0, 5, 10, 15, 20, 25, 30, 35]
	PLAN
  arguments=$(sed -n 's/^ *args: \[\(.*\)\]$/\1/p' examples/sweep.k8s.yaml | tr -d '",')
  for index in 0 1 2 3 4 5 6 7; do
    # The manifest's arguments are words.
    # shellcheck disable=SC2086
    check "the pod with index $index ends with 0" pod "$job" -e JOB_COMPLETION_INDEX=$index rust-server $arguments
  done
  check "the shards are merged" pod "$job" rust-server sweep merge /results/sweep
  check "the table is there" [ -s "$job/results/sweep/sweep.parquet" ]
  check "each of 16 trials ran once" [ "$(find "$job/results/sweep/trials" -name report.json | wc -l)" -eq 16 ]
}

# pod FOLDER ARGUMENT...
pod() {
  local job=$1
  shift
  "$docker" run --rm --user 65532:65532 --read-only -v "$job/plan:/plan:ro" -v "$job/results:/results" "$@" >"$folder/pod" 2>&1
}

# Doing ---------------------------------------------------------------------------------------------------------------

# run NAME OPTION... IMAGE ARGUMENT...
run() {
  local name=$1
  shift
  "$docker" run -d --name "$PREFIX-$name" "$@" >/dev/null
}

# A server that writes its report into a folder of the caller's.
run_to_report() {
  local name=$1 image=$2
  shift 2
  run server --user "$(id -u):$(id -g)" -v "$folder/$name:/report" "$image" --json /report/report.json "$@"
}

build_window() {
  "$docker" build -f docker/"$1".Dockerfile -t rust-"$1"-window --target window . >"$folder/build" 2>&1 && return
  tail -n 20 "$folder/build"
  return 1
}

shows() {
  xwininfo -display "$display" -root -tree 2>/dev/null >"$folder/windows"
  grep -qF "\"$1\"" "$folder/windows"
}

network() {
  "$docker" network inspect "$PREFIX-net" >/dev/null 2>&1 || "$docker" network create "$PREFIX-net" >/dev/null
}

# Ends a container's program as the kernel does when memory runs out. `docker kill` would count as the user's own decision,
# after which no restart policy applies.
crash() {
  "$docker" run --rm --name "$PREFIX-crash" --pid host debian:bookworm-slim \
    sh -c "kill -9 $("$docker" inspect -f '{{.State.Pid}}' "$PREFIX-$1")"
}

address_of() {
  "$docker" inspect -f '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}' "$PREFIX-$1"
}

free_port() {
  python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

compose_command() {
  if command -v docker-compose >/dev/null; then command -v docker-compose
  elif "$docker" compose version >/dev/null 2>&1; then echo "$docker compose"
  elif [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends docker-compose >/dev/null 2>&1
    command -v docker-compose
  else return 1
  fi
}

image() {
  "$docker" image inspect -f "$2" "$1"
}

label() {
  image "$1" "{{index .Config.Labels \"org.opencontainers.image.$2\"}}"
}

version() {
  "$docker" run --rm --name "$PREFIX-version" rust-"$1" --version | awk '{ print $2 }'
}

# Checking ------------------------------------------------------------------------------------------------------------

# must WHAT COMMAND...: a check on which the rest of the scenario depends
must() {
  local what=$1
  shift
  if "$@"; then
    passed=$((passed + 1))
    echo "   ok      $what"
  else
    failed=$((failed + 1))
    echo "   FAILED  $what    ($*)"
    show_logs
    return 1
  fi
}

check() {
  must "$@" || true
}

# Once per scenario, because the first failure says most.
show_logs() {
  local container
  [ -z "$shown" ] || return 0
  shown=yes
  for container in $("$docker" ps -a --filter "name=^/$PREFIX-" --format '{{.Names}}'); do
    echo "           --- $("$docker" ps -a --filter "name=^/$container\$" --format '{{.Names}}: {{.Status}}')"
    "$docker" logs "$container" 2>&1 | tail -n 6 | cut -c 1-160 | sed 's/^/           /'
  done
}

not() {
  ! "$@"
}

# both COMMAND with two arguments, twice
both() {
  "$1" "$2" "$3" && "$4" "$5" "$6"
}

eventually() {
  local end=$((SECONDS + PATIENCE))
  until "$@"; do
    [ "$SECONDS" -lt "$end" ] || return 1
    sleep 0.1
  done
}

logs() {
  "$docker" logs "$PREFIX-$1" 2>&1
}

says() {
  logs "$1" >"$folder/log"
  grep -qE "$2" "$folder/log"
}

# The server has scored at least this many frames: frame, four coordinates, error, cumulative, latency, session.
server_rows() {
  [ "$(logs "$1" | grep -cE '^ +[0-9]+( +[0-9]+\.[0-9]+){7} +[0-9]+$')" -ge "$2" ]
}

# The client has found at least this many circles: frame, two coordinates, radius, time.
client_rows() {
  [ "$(logs "$1" | grep -cE '^ +[0-9]+( +[0-9]+\.[0-9]+){4}$')" -ge "$2" ]
}

# The server, over all its starts, has printed the summaries of at least this many sessions.
summaries() {
  [ "$(logs "$1" | grep -cE '^session [0-9]+ with plumb-client')" -ge "$2" ]
}

# The server, over all its starts, has scored frames of at least this many sessions.
sessions() {
  [ "$(logs "$1" | grep -cE '^ +0( +[0-9]+\.[0-9]+){7} +[0-9]+$')" -ge "$2" ]
}

# exits NAME CODE
exits() {
  [ "$(timeout $PATIENCE "$docker" wait "$PREFIX-$1")" = "$2" ]
}

# `docker stop` ends it at once, not by the SIGKILL after 10 s.
stops() {
  local start end
  start=$(date +%s%3N)
  "$docker" stop "$PREFIX-$1" >/dev/null
  end=$(date +%s%3N)
  check "$1 stops in $((end - start)) ms, under 2 s" [ $((end - start)) -lt 2000 ]
  check "$1 ends with 0" exits "$1" 0
}

running() {
  [ "$("$docker" inspect -f '{{.State.Running}}' "$PREFIX-$1")" = true ]
}

restarted() {
  running "$1" && [ "$("$docker" inspect -f '{{.RestartCount}}' "$PREFIX-$1")" -ge "$2" ]
}

health_of() {
  [ "$("$docker" inspect -f '{{.State.Health.Status}}' "$1")" = healthy ]
}

healthy() {
  health_of "$PREFIX-$1"
}

# report FOLDER EXPRESSION: the expression holds for the server's report.
report() {
  python3 - "$folder/$1/report.json" "$2" <<-'PYTHON'
	import json, sys
	sessions = json.load(open(sys.argv[1]))["sessions"]
	frames = [session["frames"] for session in sessions]
	conserved = lambda f: f["sent"] == sum(f[k] for k in ("circle", "no_circle", "dropped", "lost", "unresolved"))
	sys.exit(not eval(sys.argv[2]))
	PYTHON
}

main "$@"
