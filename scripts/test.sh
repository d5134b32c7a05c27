#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Builds and runs all tests: test.sh [BUILD-DIR]. Release build: every test. Sanitizers: all but
# what talks to the Linux kernel or to peers. Fuzz targets: a few seconds each from their corpus. Ends with one line of counts.
set -uo pipefail
cd "$(dirname "$0")/.." || exit

build=${1:-build}
fuzz_s=${FUZZ_S:-5}
passed=0
failed=0
skipped=0

step() {
    echo
    echo "== $*"
}

count() {
    passed=$((passed + $1))
    failed=$((failed + $2))
    skipped=$((skipped + $3))
}

# Adds the results of the last "meson test" in directory $1 to the counts.
count_meson() {
    local counts
    counts=$(/usr/bin/python3 - "$1/meson-logs/testlog.json" <<'EOF'
import json, sys
results = [json.loads(line)["result"] for line in open(sys.argv[1])]
passed = sum(r in ("OK", "EXPECTEDFAIL") for r in results)
skipped = results.count("SKIP")
print(passed, len(results) - passed - skipped, skipped)
EOF
    ) || counts="0 1 0"
    # shellcheck disable=SC2086
    count $counts
}

# run_suite DIR MESON-OPTIONS -- TEST-OPTIONS: builds, tests, counts; a build that fails is one failure.
run_suite() {
    local dir=$1 options=()
    shift
    while [ "$1" != -- ]; do
        options+=("$1")
        shift
    done
    shift
    if ! scripts/build.sh "$dir" "${options[@]}"; then
        count 0 1 0
        return
    fi
    rm -f "$dir/meson-logs/testlog.json"
    meson test -C "$dir" --no-rebuild --print-errorlogs --num-processes 2 "$@"
    count_meson "$dir"
}

# Searches from the corpus in a copy of it: what is found worth keeping is added to the tree by hand.
fuzz() {
    local target name corpus
    for target in "$build-fuzz"/tests/fuzz/*_fuzz; do
        name=$(basename "$target" _fuzz)
        corpus=$(mktemp -d)
        cp -r "tests/fuzz/corpus/$name/." "$corpus"
        echo "fuzz: $name for $fuzz_s s"
        if "$target" -max_total_time="$fuzz_s" -timeout=10 -artifact_prefix="$build-fuzz/" \
            "$corpus" >"$build-fuzz/$name.log" 2>&1; then
            tail -n 1 "$build-fuzz/$name.log"
            count 1 0 0
        else
            tail -n 60 "$build-fuzz/$name.log"
            count 0 1 0
        fi
        rm -rf "$corpus"
    done
}

step "release build, all tests"
run_suite "$build" --

step "address and undefined-behaviour sanitizers: all that is ours"
export ASAN_OPTIONS=detect_leaks=1:abort_on_error=0 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
run_suite "$build-asan" -Dbuildtype=debugoptimized -Db_sanitize=address,undefined -- \
    --no-suite interop --no-suite demo --no-suite peers --timeout-multiplier 4

step "fuzz targets from their corpora"
if CC=clang scripts/build.sh "$build-fuzz" -Dfuzz=true -Dbuildtype=debugoptimized; then
    fuzz
else
    count 0 1 0
fi

echo
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
