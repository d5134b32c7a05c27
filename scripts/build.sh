#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Builds into the directory named, setting it up first if need be: build.sh DIR [MESON-OPTION...]
set -euo pipefail
cd "$(dirname "$0")/.." || exit

dir=$1
shift
if [ ! -f "$dir/build.ninja" ]; then
    meson setup "$dir" "$@"
fi
ninja -C "$dir"
