#!/bin/sh
# Prints what a program is made of, as CycloneDX 1.5 in JSON: each crate that is in it, with its version, its licence and
# the checksum in Cargo.lock. Crates that only run while it is built are left out.
#
#   docker/sbom.sh client|server
set -eu
cd "$(dirname "$0")/.."
program=$1
crates=$(cargo tree --locked --package "$program" --edges normal,no-proc-macro --prefix none --format '{p}|{l}')

# A line is "NAME vVERSION (FOLDER)|LICENCE", with a " (*)" behind it if the crate was there before.
printf '%s\n' "$crates" | sed 's/ (\*)$//' | sort -u | awk -v program="$program" '
  FNR == 1 { file++ }
  file == 1 && $1 == "name" { gsub(/"/, "", $3); name = $3 }
  file == 1 && $1 == "version" { gsub(/"/, "", $3); version = $3 }
  file == 1 && $1 == "checksum" { gsub(/"/, "", $3); checksums[name " " version] = $3 }
  file == 2 {
    bar = index($0, "|")
    licence = substr($0, bar + 1)
    split(substr($0, 1, bar - 1), word, " ")
    name = word[1]
    version = substr(word[2], 2)
    # What SPDX writes as OR, older crates write as a slash.
    gsub(/ *\/ */, " OR ", licence)
    about = "\"name\":\"" name "\",\"version\":\"" version "\",\"bom-ref\":\"" name "@" version "\""
    if (licence != "") about = about ",\"licenses\":[{\"expression\":\"" licence "\"}]"
    # This workspace is not on crates.io.
    sum = checksums[name " " version]
    if (sum != "") about = about ",\"purl\":\"pkg:cargo/" name "@" version "\",\"hashes\":[{\"alg\":\"SHA-256\",\"content\":\"" sum "\"}]"
    if (name == program) itself = "{\"type\":\"application\"," about "}"
    else libraries = libraries (libraries == "" ? "" : ",\n") "{\"type\":\"library\"," about "}"
  }
  END {
    if (itself == "" || libraries == "") exit 1
    print "{\"bomFormat\":\"CycloneDX\",\"specVersion\":\"1.5\",\"version\":1,\"metadata\":{\"component\":" itself "},"
    print "\"components\":[\n" libraries "\n]}"
  }
' Cargo.lock -
