#!/bin/sh
# build.sh PROFILE FOLDER: the program from its real sources, and the image's files.
set -eu
profile=$1
image=$2
# Newer than what was built of the stand-ins, whatever time the sources were stored with.
find . -path ./target -prune -o -name '*.rs' -exec touch {} +
cargo build --locked --profile "$profile" --no-default-features --package iothome
# Cargo keeps what `dev` makes in a folder of another name.
[ "$profile" = dev ] && profile=debug
sh deploy/hub/gather.sh "target/$profile/iothome" "$image"
# A file's time is part of the image.
find "$image" -exec touch --no-dereference --date="@${SOURCE_DATE_EPOCH:-0}" {} +
