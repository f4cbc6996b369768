#!/usr/bin/env bash
# The public base images of the Dockerfiles: pulled where a registry can be reached; otherwise made here under the same
# names, from this machine's own Debian mirror and Rust toolchain. Does nothing for an image that is there.
set -euo pipefail

readonly RUST=1.95
readonly DEBIAN_IMAGE=debian:bookworm-slim
readonly BUILDER_IMAGE=rust:$RUST-slim-bookworm
readonly SUITE=bookworm

main() {
  docker=${DOCKER:-$("$(dirname "$0")/engine.sh")}
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  have "$DEBIAN_IMAGE" || make_debian
  have "$BUILDER_IMAGE" || make_builder
}

have() {
  "$docker" image inspect "$1" >/dev/null 2>&1 && return
  # An unreachable registry must not hold this up for long; a slow one that sends may take its time.
  [ -n "${unreachable:-}" ] && return 1
  say "pulling $1"
  if timeout 600 "$docker" pull -q "$1" >/dev/null 2>"$work/pull"; then return; fi
  say "cannot pull it ($(tail -n 1 "$work/pull" | cut -c 1-120)): making it here"
  unreachable=yes
  return 1
}

# A minimal Debian, without documentation and translations.
make_debian() {
  needs_root
  command -v debootstrap >/dev/null || install debootstrap
  local mirror root=$work/root
  mirror=$(debian_mirror)
  say "$DEBIAN_IMAGE from the mirror of this machine"
  export_apt_proxy
  debootstrap --variant=minbase "$SUITE" "$root" "$mirror" >"$work/debootstrap" 2>&1 ||
    fail "debootstrap: $(tail -n 3 "$work/debootstrap")"
  tar -C "$root" --exclude='./var/lib/apt/lists/*' --exclude='./var/cache/apt/*.bin' --exclude='./var/cache/apt/archives/*.deb' \
    --exclude='./usr/share/doc/*' --exclude='./usr/share/man/*' --exclude='./usr/share/locale/*' --exclude='./dev/*' -c . |
    "$docker" import --change 'CMD ["bash"]' - "$DEBIAN_IMAGE" >/dev/null
}

# The same Debian with a C compiler and this machine's Rust, and with the settings through which cargo reaches its
# registry.
make_builder() {
  needs_root
  local sysroot version context=$work/builder
  version=$(rustc --version) || fail "no rustc here to make $BUILDER_IMAGE of"
  case $version in "rustc $RUST."*) ;; *) fail "$BUILDER_IMAGE needs Rust $RUST here, this is $version" ;; esac
  sysroot=$(rustc --print sysroot)
  say "$BUILDER_IMAGE from $version of this machine"
  mkdir -p "$context/rust/bin" "$context/rust/lib" "$context/cargo"
  cp "$sysroot"/bin/{cargo,rustc} "$context/rust/bin/"
  (cd "$sysroot/lib" && cp -a ./*.so* rustlib "$context/rust/lib/")
  rm -rf "$context/rust/lib/rustlib/src"
  cp "$(ca_bundle)" "$context/ca.crt"
  local file
  for file in config config.toml; do
    cp "${CARGO_HOME:-$HOME/.cargo}/$file" "$context/cargo/" 2>/dev/null || true
  done
  {
    cat <<-DOCKERFILE
	FROM $DEBIAN_IMAGE
	ENV PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin CARGO_HOME=/usr/local/cargo
	RUN apt-get update -qq \\
	 && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends ca-certificates gcc libc6-dev >/dev/null \\
	 && rm -rf /var/lib/apt/lists/*
	COPY rust /usr/local
	COPY cargo /usr/local/cargo
	COPY ca.crt /etc/ssl/certs/ca-certificates.crt
	RUN cargo --version && rustc --version
	DOCKERFILE
    proxies | sed 's/^/ENV /'
  } >"$context/Dockerfile"
  "$docker" build -q -t "$BUILDER_IMAGE" "$context" >"$work/build" 2>&1 || fail "$(tail -n 20 "$work/build")"
}

# The mirror from which this machine's apt gets Debian.
debian_mirror() {
  local found
  # shellcheck disable=SC2016  # apt-get fills these in
  found=$(apt-get indextargets --format '$(REPO_URI) $(CODENAME) $(COMPONENT) $(ORIGIN)' 'Identifier: Packages' |
    awk -v suite="$SUITE" '$2 == suite && $3 == "main" && $4 == "Debian" { print $1; exit }')
  [ -n "$found" ] || fail "this machine's apt knows no mirror of Debian $SUITE, and no registry can be reached"
  echo "$found"
}

export_apt_proxy() {
  local proxy
  eval "$(apt-config shell proxy Acquire::http::Proxy)"
  if [ -n "${proxy:-}" ] && [ "$proxy" != DIRECT ]; then export http_proxy=$proxy; fi
}

# The authorities this machine trusts.
ca_bundle() {
  local file
  for file in "${CARGO_HTTP_CAINFO:-}" "${SSL_CERT_FILE:-}" /etc/ssl/certs/ca-certificates.crt; do
    if [ -s "$file" ]; then echo "$file"; return; fi
  done
  fail "no bundle of certificate authorities here"
}

# How cargo goes out from here, if not directly.
proxies() {
  env | grep -E '^(https?_proxy|no_proxy|HTTPS?_PROXY|NO_PROXY|CARGO_HTTP_PROXY|CARGO_NET_[A-Z_]+)=' || true
}

install() {
  say "installing $1"
  apt-get update -qq >/dev/null
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$1" >/dev/null
}

needs_root() {
  [ "$(id -u)" -eq 0 ] || fail "making base images needs root"
}

say() {
  echo "bases: $*" >&2
}

fail() {
  say "$*"
  exit 1
}

main
