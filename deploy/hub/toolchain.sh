#!/bin/sh
# toolchain.sh VERSION: a C compiler, and Rust of that version for Debian's own
# architecture. A base that has cargo already keeps it.
set -eu
version=$1
apt-get update
apt-get install -y --no-install-recommends gcc libc6-dev ca-certificates curl tzdata
rm -rf /var/lib/apt/lists/*
export CARGO_HOME=/usr/local/cargo RUSTUP_HOME=/usr/local/rustup
[ -x "$CARGO_HOME/bin/cargo" ] && exit 0

case $(dpkg --print-architecture) in
    amd64) host=x86_64-unknown-linux-gnu ;;
    arm64) host=aarch64-unknown-linux-gnu ;;
    armhf) host=armv7-unknown-linux-gnueabihf ;;
    # The Pi Zero and the first Pi: ARMv6 with Debian's soft-float libraries.
    armel) host=arm-unknown-linux-gnueabi ;;
    *) echo "no Rust for $(dpkg --print-architecture) here" >&2; exit 1 ;;
esac
from=https://static.rust-lang.org/rustup/dist/$host
# One try may fail on a weak line; five that fail are an outage.
fetch() { curl --fail --silent --show-error --location --proto '=https' --retry 5 --output "$1" "$2"; }
fetch /tmp/rustup-init "$from/rustup-init"
fetch /tmp/rustup-init.sha256 "$from/rustup-init.sha256"
[ "$(cut -d' ' -f1 /tmp/rustup-init.sha256)" = "$(sha256sum /tmp/rustup-init | cut -d' ' -f1)" ]
chmod 755 /tmp/rustup-init
/tmp/rustup-init -y --quiet --no-modify-path --profile minimal \
    --default-host "$host" --default-toolchain "$version"
rm /tmp/rustup-init /tmp/rustup-init.sha256
