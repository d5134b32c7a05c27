# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# What the demonstrations share, to be sourced by them: steps that are told and counted, and VPCs in network
# namespaces, with the Linux kernel's SRv6 as their routers. All of it is gone when the script ends.
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit

build=${1:-build}
[ "$(id -u)" -eq 0 ] || exec sudo "tests/demo/${0##*/}" "$build"

ns=pgdemo$$
dir=$(mktemp -d /tmp/pergola-demo.XXXXXX)
namespaces=()
pids=()
n_failed=0
wait_s=30 # for anything that should take a moment

cleanup() {
    local end=$((SECONDS + 10)) name
    trap - EXIT
    [ ${#pids[@]} -eq 0 ] || kill "${pids[@]}" 2>/dev/null
    while [ ${#pids[@]} -gt 0 ] && kill -0 "${pids[@]}" 2>/dev/null; do
        [ $SECONDS -lt $end ] || kill -KILL "${pids[@]}" 2>/dev/null
        sleep 0.1
    done
    if [ $n_failed -gt 0 ] && [ -s "$dir/node.log" ]; then
        printf '\nThe node said:\n'
        cat "$dir/node.log"
    fi
    for name in "${namespaces[@]}"; do
        ip netns del "$ns-$name" 2>/dev/null
        rm -rf "/etc/netns/$ns-$name"
    done
    rmdir --ignore-fail-on-non-empty /etc/netns 2>/dev/null
    rm -rf "$dir"
}
trap cleanup EXIT
trap 'echo; echo "interrupted"; exit 130' INT TERM

say() {
    printf '\n%s\n' "$*"
}

# step WHAT COMMAND...: runs it and says how it went; its output is shown when it failed.
step() {
    local what=$1
    shift
    if "$@" >"$dir/step.log" 2>&1; then
        printf '  %-66s ok\n' "$what"
    else
        printf '  %-66s FAILED\n' "$what"
        sed 's/^/      /' "$dir/step.log"
        n_failed=$((n_failed + 1))
    fi
}

# A step without which the rest makes no sense.
must() {
    local before=$n_failed
    step "$@"
    [ $n_failed -eq $before ] || exit 1
}

# The last line, and the exit code.
finish() {
    if [ $n_failed -gt 0 ]; then
        say "demonstration: $n_failed steps FAILED"
        exit 1
    fi
    say "demonstration: every step held"
}

within() {
    ip netns exec "$ns-$1" "${@:2}"
}

# until_true COMMAND...: tries again until it holds or the time is up.
until_true() {
    local end=$((SECONDS + wait_s))
    until "$@"; do
        [ $SECONDS -lt $end ] || return 1
        sleep 0.1
    done
}

ctl() {
    "$build/app/pergolactl" --socket "$dir/control.sock" "$@"
}

show() {
    printf '\n  $ pergolactl %s\n' "$*"
    ctl "$@" | sed 's/^/  /'
}

# --- The network

add_namespace() {
    ip netns add "$ns-$1" || return
    namespaces+=("$1")
    within "$1" sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0 \
        net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 net.ipv6.conf.default.accept_dad=0 \
        net.ipv6.conf.all.seg6_enabled=1 net.ipv6.conf.default.seg6_enabled=1 || return
    within "$1" ip link set lo up
}

# wire A A-IFACE B B-IFACE MTU: a cable. Offloads are off: the packets on it are as on a real one.
wire() {
    ip link add "$2" mtu "$5" netns "$ns-$1" type veth peer name "$4" mtu "$5" netns "$ns-$3" || return
    within "$1" ethtool -K "$2" tx off rx off tso off gso off gro off >/dev/null || return
    within "$3" ethtool -K "$4" tx off rx off tso off gso off gro off >/dev/null || return
    within "$1" ip link set "$2" up && within "$3" ip link set "$4" up
}

add_underlay() {
    add_namespace underlay || return
    within underlay ip link add br0 type bridge mcast_snooping 0 || return
    within underlay ip link set br0 up
    # The node's interface belongs to Pergola: the kernel must not answer on it.
    add_namespace node && within node sysctl -qw net.ipv6.conf.default.disable_ipv6=1 &&
        wire node core0 underlay node 1600 && within underlay ip link set node master br0
}

# on_underlay NAME ADDRESS: a namespace with an interface in the underlay, and the way to the node's SIDs.
on_underlay() {
    add_namespace "$1" && wire "$1" core underlay "$1" 1600 &&
        within underlay ip link set "$1" master br0 &&
        within "$1" ip addr add "$2/64" dev core &&
        within "$1" ip sr tunsrc set "$2" &&
        within "$1" ip -6 route add 2001:db8:f::/48 via 2001:db8:0:1::1
}

# add_vpc NAME LETTER NUMBER: a host, and its router, which is the Linux kernel's SRv6. The host's addresses
# are the same for every VPC.
add_vpc() {
    local router=$1-router sid=2001:db8:f:$3::
    on_underlay "$router" "2001:db8:0:1::$2" && add_namespace "$1" &&
        wire "$1" eth0 "$router" eth0 1500 || return
    within "$1" ip addr add 10.0.0.2/24 dev eth0 &&
        within "$1" ip addr add fd00:1::2/64 dev eth0 &&
        within "$router" ip addr add 10.0.0.1/24 dev eth0 &&
        within "$router" ip addr add fd00:1::1/64 dev eth0 &&
        within "$1" ip route add default via 10.0.0.1 &&
        within "$1" ip -6 route add default via fd00:1::1 || return
    # Out: everything from the host goes, encapsulated, to the node's SID of this VPC.
    within "$router" ip route add default encap seg6 mode encap segs "$sid" dev core &&
        within "$router" ip -6 route add fd00::/16 encap seg6 mode encap segs "$sid" dev core || return
    # In: this router's own SIDs take the outer header off.
    within "$router" ip -6 route add "2001:db8:$2::4" encap seg6local action End.DX4 nh4 10.0.0.2 dev core &&
        within "$router" ip -6 route add "2001:db8:$2::6" encap seg6local action End.DX6 nh6 fd00:1::2 dev core
}

# start_node CONFIG. In this shell, to know the process.
start_node() {
    ip netns exec "$ns-node" "$build/app/pergola" --control-socket "$dir/control.sock" "$1" >"$dir/node.log" 2>&1 &
    pids+=($!)
    until_true ctl status >/dev/null 2>&1 || { cat "$dir/node.log"; return 1; }
}

# is_unreachable VPC ADDRESS: the node says that the VPC's table does not have it.
is_unreachable() {
    local output
    output=$(within "$1" ping -c 3 -i 0.2 -W 2 "$2" 2>&1)
    echo "$output"
    grep -q ' 0 received' <<<"$output" && grep -q 'From 10.255.0.1 .*Unreachable' <<<"$output"
}
