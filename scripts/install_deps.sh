#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Installs the Debian packages that are missing for what is named: build, demo, test, bench, lint. With all of
# them there it changes nothing and needs no network.
set -euo pipefail

packages() {
    case $1 in
    build)
        echo gcc libc6-dev make meson ninja-build pkg-config libdpdk-dev libconfig-dev libssl-dev \
            libevent-dev libjansson-dev libjemalloc-dev libcmocka-dev libhttp-parser-dev \
            libprotobuf-c-dev protobuf-c-compiler libxxhash-dev libnghttp2-dev
        ;;
    demo)
        echo iproute2 iputils-ping ethtool procps curl tcpdump python3 nginx wrk python3-grpcio \
            python3-protobuf protobuf-compiler
        ;;
    test)
        echo python3 python3-pytest python3-scapy python3-grpcio python3-protobuf iperf3 clang \
            libclang-rt-14-dev protobuf-compiler curl haproxy nftables nginx nodejs procps wrk \
            nghttp2-client python3-websockets python3-cryptography
        ;;
    bench) echo curl ethtool haproxy iproute2 nginx python3 wrk ;;
    lint) echo clang libclang-rt-14-dev clang-format clang-tidy cppcheck shellcheck python3 ;;
    esac
}

is_installed() {
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

for use in "$@"; do
    case $use in
    build | demo | test | bench | lint) ;;
    *)
        echo "usage: $0 build|demo|test|bench|lint ..." >&2
        exit 2
        ;;
    esac
done
mapfile -t wanted < <(for use in "$@"; do packages "$use"; done | tr ' ' '\n' | sort -u)
if ! command -v apt-get >/dev/null; then
    echo "install_deps: no apt-get here; these Debian packages, or their like, are needed:" "${wanted[@]}" >&2
    exit 0
fi
missing=()
for package in "${wanted[@]}"; do
    is_installed "$package" || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

as_root=()
[ "$(id -u)" -eq 0 ] || as_root=(sudo)
echo "install_deps: installing ${missing[*]}"

# Debian starts the services of what it installs, at once and with every boot. Here nginx is a program for tests.
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
    trap '"${as_root[@]}" rm -f $policy' EXIT
    printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee $policy >/dev/null
    "${as_root[@]}" chmod 755 $policy
fi
"${as_root[@]}" apt-get update -q
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -q -y --no-install-recommends "${missing[@]}"
if [[ " ${missing[*]} " == *" nginx "* ]] && command -v systemctl >/dev/null; then
    "${as_root[@]}" systemctl --quiet disable nginx
fi
