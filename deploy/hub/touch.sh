#!/bin/sh
# Makes every source of ours newer than what was built of the stand-ins.
set -eu
find src engine store actors views http tls broker simulator xtask \
    -name '*.rs' -exec touch {} +
