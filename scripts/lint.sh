#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# All checks that need no running: lint.sh [BUILD-DIR]. Each says ok or FAILED; the first failure does not
# hide the others.
set -uo pipefail
cd "$(dirname "$0")/.." || exit

build=${1:-build}
log=$(mktemp)
trap 'rm -f "$log" "$log.tidy"' EXIT
n_failed=0

check() {
    local name=$1
    shift
    local start=$SECONDS
    if "$@" >"$log" 2>&1; then
        printf 'lint: %-28s ok (%d s)\n' "$name" $((SECONDS - start))
    else
        n_failed=$((n_failed + 1))
        printf 'lint: %-28s FAILED\n' "$name"
        tail -n 100 "$log"
    fi
}

# What git knows or would take; a tarball has no git.
files() {
    git ls-files --cached --others --exclude-standard -- "$@" 2>/dev/null | sort -u |
        while read -r file; do [ ! -f "$file" ] || echo "$file"; done
}

compile() {
    CC=$1 scripts/build.sh "$build-lint-$1" --werror "${@:2}"
}

format() {
    clang-format --dry-run -Werror "${c_files[@]}"
}

licence() {
    local file ret=0
    for file in "${c_files[@]}" "${scripts[@]}"; do
        head -n 2 "$file" | grep -q 'SPDX-License-Identifier: Apache-2.0' ||
            { echo "$file: no licence line"; ret=1; }
    done
    return $ret
}

python_syntax() {
    local file
    for file in "${python[@]}"; do
        /usr/bin/python3 -c 'import ast, sys; ast.parse(open(sys.argv[1]).read(), sys.argv[1])' "$file" ||
            return 1
    done
}

analyze() {
    cppcheck --quiet --std=c11 --enable=warning,performance,portability --inline-suppr -D__x86_64__ \
        --library=scripts/cppcheck.cfg --suppressions-list=scripts/cppcheck.suppressions \
        --error-exitcode=1 -j 2 -I . srv6 l7 pipeline conf ctrl app perf tests
}

# Its lines about what it ran and left out say nothing.
tidy() {
    run-clang-tidy -quiet -p "$build-lint-clang" -j 2 >"$log.tidy" 2>&1
    local ret=$?
    grep -vE '^clang-tidy|warnings? generated' "$log.tidy"
    rm -f "$log.tidy"
    return $ret
}

mapfile -t c_files < <(files '*.c' '*.h')
mapfile -t shell < <(files '*.sh' .ci/run)
mapfile -t python < <(files '*.py')
scripts=("${shell[@]}" "${python[@]}")

check 'licence lines' licence
check 'includes by folder' scripts/check_includes.py
check 'includes: planted ones' scripts/check_includes_test.py
check 'clang-format' format
check 'shellcheck' shellcheck -x "${shell[@]}"
check 'python syntax' python_syntax
check 'gcc, no warnings' compile gcc
check 'clang, no warnings' compile clang -Dfuzz=true
check 'cppcheck' analyze
check 'clang-tidy' tidy

if [ $n_failed -gt 0 ]; then
    echo "lint: $n_failed checks failed"
    exit 1
fi
