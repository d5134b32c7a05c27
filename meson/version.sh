#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The version is what git says; a tree without git (a tarball) carries it in the file VERSION.
cd "$(dirname "$0")/.." || exit 1
git describe --tags --always --dirty --match 'v[0-9]*' 2>/dev/null || cat VERSION 2>/dev/null || echo unknown
