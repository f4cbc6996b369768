#!/bin/sh
# A sweep by GNU parallel, here or on machines that share a folder: examples/sweep.parallel.sh plan.toml /shared/sweep
# HOSTS names the machines as parallel's --sshlogin does, for example HOSTS=4/node1,4/node2.
set -eu
plan=$1 out=$2 shards=${SHARDS:-8}
seq "$shards" | parallel --will-cite --halt never --retries 3 ${HOSTS:+--sshlogin "$HOSTS" --workdir .} \
  server sweep "$plan" --out "$out" --jobs 1 --shard "{}/$shards"
exec server sweep merge "$out"
