# One session of a server and a client in release builds, for benchmarks that source this file. They set `work`, a folder
# for files, and `seconds`, the length of a session.

listen() { # FOLDER NAME OPTION... -> $server, its process, and $address; rows and log are $work/NAME.{rows,log}
  local folder=$1 name=$2
  shift 2
  # Any free port will do: the log has the address.
  "$folder/server" --no-graphics --no-announce --once --listen 127.0.0.1:0 --seed 7 --duration "${seconds}s" "$@" \
    >"$work/$name.rows" 2>"$work/$name.log" &
  server=$! address=
  for _ in $(seq 100); do
    address=$(sed -n 's/.*listening on \([^,]*\),.*/\1/p' "$work/$name.log" 2>/dev/null || true)
    [ -n "$address" ] && break
    sleep 0.05
  done
}

answer() { # FOLDER: a client for the server of `listen`, until both end
  "$1/client" "$address" --no-graphics >/dev/null 2>&1
  wait "$server"
}

order() { # PAIR A B: which side goes first. ABBA: what drifts over time falls on both.
  if (($1 % 2)); then echo "$2 $3"; else echo "$3 $2"; fi
}
