#!/usr/bin/env bash
# Cameras as sources, with a real V4L2 driver: Debian's kernel with its virtual camera, vivid, in QEMU without hardware
# support. The guest's root is this machine's, read-only, so it runs the programs that were built here. Run by .ci/long.
#
#   bench/vivid.sh              BIN=FOLDER: takes the programs from there, else it builds them in release mode
#
# It installs qemu-system-x86 if it is missing, and downloads Debian's kernel and busybox-static, which it unpacks below
# target/vivid without installing them. It takes about a minute, and at most LIMIT seconds (300).
set -euo pipefail
cd "$(dirname "$0")/.."
here=$PWD

if [ -z "${BIN:-}" ]; then
  cargo build --release --locked -p server -p client
  BIN=${CARGO_TARGET_DIR:-target}/release
fi
BIN=$(realpath "$BIN")
cache=$(realpath -m "${CARGO_TARGET_DIR:-target}/vivid")
mkdir -p "$cache"

as_root=()
[ "$(id -u)" -eq 0 ] || as_root=(sudo)
missing() { echo "bench/vivid.sh: $1" >&2; exit 1; }
[ "$(uname -m)" = x86_64 ] || missing "the virtual machine is for x86_64, and this is $(uname -m)"
command -v apt-get >/dev/null || missing "no apt-get: the kernel with vivid comes from Debian's packages"
if ! command -v qemu-system-x86_64 >/dev/null; then
  "${as_root[@]}" apt-get update -qq || true
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends qemu-system-x86 >/dev/null \
    || missing "no qemu-system-x86_64, and apt-get cannot install it: install the package qemu-system-x86"
fi

# Unpacks a package below the cache, once for each of its versions.
unpack() {
  local package=$1 folder
  folder=$cache/$package-$(apt-cache policy "$package" | sed -n 's/.*Candidate: //p')
  if [ ! -e "$folder/done" ]; then
    (cd "$cache" && rm -f "${package}"_*.deb && apt-get download -qq -o APT::Sandbox::User=root "$package" && dpkg-deb -x "${package}"_*.deb "$folder" \
      && rm -f "${package}"_*.deb) >&2 || missing "the package $package cannot be had: apt-get update, then try again"
    touch "$folder/done"
  fi
  echo "$folder"
}
kernel=$(apt-cache depends linux-image-amd64 | sed -n 's/.*Depends: //p' | head -n 1)
[ -n "$kernel" ] || missing "no package linux-image-amd64: apt-get update, then try again"
kernel=$(unpack "$kernel")
busybox=$(unpack busybox-static)/bin/busybox

work=$(mktemp -d)
qemu=
trap '[ -z "$qemu" ] || kill "$qemu" 2>/dev/null || true; rm -rf "$work"' EXIT
mkdir -p "$work/initrd/bin" "$work/initrd/modules" "$work/results"
cp "$busybox" "$work/initrd/bin/busybox"
cp bench/vivid/init "$work/initrd/init"
python3 bench/vivid/modules.py "$kernel/lib/modules" "$work/initrd/modules" virtio_pci 9p 9pnet_virtio vivid
(cd "$work/initrd" && find . | "$busybox" cpio -o -H newc 2>/dev/null | gzip -1) >"$work/initrd.gz"

# A test asks for what it needs here: the folder of the repository and that of the programs.
printf '%s\n%s\n' "$here" "$BIN" >"$work/results/where"
share=security_model=none,multidevs=remap
started=$(date +%s)
qemu-system-x86_64 -accel tcg,thread=multi -smp 2 -m 1024 -nic none -display none -no-reboot -serial "file:$work/console" \
  -kernel "$kernel"/boot/vmlinuz-* -initrd "$work/initrd.gz" -append 'console=ttyS0 quiet panic=-1' \
  -virtfs "local,path=/,mount_tag=root,$share,readonly=on" -virtfs "local,path=$work/results,mount_tag=results,$share" &
qemu=$!
until ! kill -0 "$qemu" 2>/dev/null; do
  if [ $(($(date +%s) - started)) -ge "${LIMIT:-300}" ]; then
    tail -n 20 "$work/console" >&2
    missing "the virtual machine did not end within ${LIMIT:-300} s"
  fi
  sleep 0.5
done
wait "$qemu" || missing "QEMU failed with exit code $?"
qemu=
[ -e "$work/results/end" ] || { tail -n 20 "$work/console" >&2; missing "the virtual machine ended early"; }
echo "in the virtual machine: $(($(date +%s) - started)) s"
python3 bench/vivid/check.py "$work/results"
