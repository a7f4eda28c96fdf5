#!/bin/sh
# stubs.sh FROM TO: manifests and lock of the workspace, and stand-ins for its own
# sources, so that the dependencies can be built before a source of ours is there.
set -eu
from=$1
to=$2
mkdir -p "$to/src"
cp "$from/Cargo.toml" "$from/Cargo.lock" "$to/"
echo 'fn main() {}' > "$to/src/main.rs"
for manifest in "$from"/*/Cargo.toml; do
    crate=$(basename "$(dirname "$manifest")")
    mkdir -p "$to/$crate/src"
    cp "$manifest" "$to/$crate/"
    : > "$to/$crate/src/lib.rs"
done
rm "$to/xtask/src/lib.rs"
echo 'fn main() {}' > "$to/xtask/src/main.rs"
