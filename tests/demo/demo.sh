#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The demonstration of SRv6: two VPCs with the same addresses talk to a third host through a Pergola node, all at
# the same time. demo.sh [BUILD-DIR]. Everything happens in network namespaces of its own, which are gone
# afterwards; exit 0 only if every step held.
set -uo pipefail
# shellcheck source=tests/demo/lab.sh
source "$(dirname "$0")/lab.sh"

# give_server NUMBER ADDRESS4 ADDRESS6: the third host's address in a VPC. What it sends from there goes
# back to the SID of that VPC.
give_server() {
    local sid=2001:db8:f:$1::
    within server ip addr add "$2/32" dev lo &&
        within server ip addr add "$3/128" dev lo &&
        within server ip -6 route add "2001:db8:c:$1::4" encap seg6local action End.DX4 nh4 "$2" dev core &&
        within server ip -6 route add "2001:db8:c:$1::6" encap seg6local action End.DT6 table local dev core &&
        within server ip rule add from "$2" lookup "10$1" &&
        within server ip -6 rule add from "$3" lookup "10$1" &&
        within server ip route add default encap seg6 mode encap segs "$sid" dev core table "10$1" &&
        within server ip -6 route add default encap seg6 mode encap segs "$sid" dev core table "10$1"
}

# This and the next run in this shell, to know the processes.
start_server() {
    ip netns exec "$ns-server" /usr/bin/python3 tests/demo/web.py "$dir/web.ready" \
        10.1.0.1=VPC-RED fd00:a::1=VPC-RED 10.2.0.1=VPC-BLUE fd00:b::1=VPC-BLUE >"$dir/web.log" 2>&1 &
    pids+=($!)
    until_true test -e "$dir/web.ready" || { cat "$dir/web.log"; return 1; }
}

# What arrives at the clients is recorded until the end.
start_captures() {
    local vpc
    for vpc in red blue; do
        ip netns exec "$ns-$vpc" tcpdump -Z root -U -i eth0 -w "$dir/$vpc.pcap" 2>"$dir/$vpc.tcpdump" &
        pids+=($!)
        captures+=($!)
        until_true grep -q 'listening on' "$dir/$vpc.tcpdump" || return 1
    done
}
captures=()

# --- What is shown

# together COMMAND: runs it for both VPCs and both families at once; COMMAND VPC ADDRESS FAMILY.
together() {
    local jobs=() job ret=0
    "$1" red 10.1.0.1 4 >"$dir/red4" 2>&1 & jobs+=($!)
    "$1" red fd00:a::1 6 >"$dir/red6" 2>&1 & jobs+=($!)
    "$1" blue 10.2.0.1 4 >"$dir/blue4" 2>&1 & jobs+=($!)
    "$1" blue fd00:b::1 6 >"$dir/blue6" 2>&1 & jobs+=($!)
    for job in "${jobs[@]}"; do
        wait "$job" || ret=1
    done
    [ $ret -eq 0 ] || tail -n 5 "$dir"/{red,blue}{4,6}
    return $ret
}

# Hexadecimal for ping -p: its packets say which VPC they belong to.
marker() {
    printf 'VPC-%s.' "${1^^}" | od -An -tx1 | tr -d ' \n'
}

reach() {
    until_true within "$1" ping -q -c 1 -W 1 -p "$(marker "$1")" "$2"
}

do_ping() {
    # In one burst: ping then waits up to one interval for the last answer, however busy the machine is.
    within "$1" ping -q -c 50 -l 50 -i "$wait_s" -p "$(marker "$1")" "$2" >"$dir/ping-$1$3" 2>&1
    cat "$dir/ping-$1$3"
    grep -q ' 0% packet loss' "$dir/ping-$1$3"
}

url() {
    [ "$2" = 4 ] && echo "http://$1" || echo "http://[$1]"
}

fetch() {
    within "$1" curl -sS -g --max-time 60 "$(url "$2" "$3")/VPC-${1^^}" | tee "$dir/answer-$1$3" |
        grep -qx "VPC-${1^^}: hello .*, you called $2"
}

# Twenty thousand lines, each of which must name the right VPC.
fetch_bulk() {
    within "$1" curl -sS -g --max-time 120 -o "$dir/bulk-$1$3" "$(url "$2" "$3")/bulk/VPC-${1^^}" &&
        [ "$(grep -c "^VPC-${1^^}: " "$dir/bulk-$1$3")" -eq 20000 ] &&
        [ "$(wc -l <"$dir/bulk-$1$3")" -eq 20000 ]
}

stop_captures() {
    local pid
    for pid in "${captures[@]}"; do
        kill "$pid" && wait "$pid"
    done
}

# only_own VPC OWN4 OWN6 OTHER: all that came to the client is from its VPC's address of the third host, its
# router or the node's ICMP, and no byte of the other's payload was there.
only_own() {
    local own foreign
    local to_client="(dst host 10.0.0.2 or dst host fd00:1::2)"
    own=$(tcpdump -nr "$dir/$1.pcap" "$to_client and (src host $2 or src host $3)" 2>/dev/null | wc -l)
    foreign=$(tcpdump -nr "$dir/$1.pcap" "$to_client and not (src host $2 or src host $3 or
        src host 10.0.0.1 or src net fd00:1::/64 or src net fe80::/10 or src host 10.255.0.1)" 2>/dev/null)
    echo "$own packets from its own VPC; foreign ones:"
    echo "$foreign" | head -n 5
    [ "$own" -gt 200 ] && [ -z "$foreign" ] && grep -qa "VPC-${1^^}" "$dir/$1.pcap" &&
        ! grep -qa "VPC-${4^^}" "$dir/$1.pcap"
}

cat <<'EOF'
Pergola demonstration: two VPCs with the same addresses, one node, one third host.

   red   10.0.0.2  fd00:1::2 -- Linux router --+                         one address per VPC:
                                               +-- IPv6 underlay -- third host   red  10.1.0.1  fd00:a::1
   blue  10.0.0.2  fd00:1::2 -- Linux router --+        |                        blue 10.2.0.1  fd00:b::1
                                                     Pergola

The routers and the third host are the Linux kernel's own SRv6. Every packet goes to the node and back out:
the node takes the outer IPv6 header off at a SID, looks the inner packet up in the table of its VPC, and
puts a new outer header on.
EOF

say "1. Building the network (namespaces $ns-*) and starting the node"
must "underlay: a bridge, with the node's interface" add_underlay
must "VPC red: client and Linux SRv6 router" add_vpc red a 1
must "VPC blue: client with the same addresses, and its router" add_vpc blue b 2
must "third host on the underlay" on_underlay server 2001:db8:0:1::c
must "  its address in red, answering through red's SID" give_server 1 10.1.0.1 fd00:a::1
must "  its address in blue, answering through blue's SID" give_server 2 10.2.0.1 fd00:b::1
must "Pergola runs, conf/demo.cfg" start_node conf/demo.cfg
must "web server on the third host" start_server
must "recording all that arrives at the two clients" start_captures

say "2. Both VPCs at the same time, over IPv4 and IPv6"
must "the paths are up: first answers arrive" together reach
step "ping: 4 x 50 packets, none lost" together do_ping
step "HTTP: the third host names the VPC it was called from" together fetch
sed 's/^/      /' "$dir"/answer-{red,blue}{4,6}
step "HTTP: 4 downloads of a megabyte; every line from the right VPC" together fetch_bulk

say "3. Apart: what belongs to the other VPC cannot be reached or seen"
# The other VPC's address of the third host is not in the client's table.
step "red cannot reach the third host's address in blue" is_unreachable red 10.2.0.1
step "blue cannot reach the third host's address in red" is_unreachable blue 10.1.0.1
stop_captures
step "no packet of blue arrived at red's client" only_own red 10.1.0.1 fd00:a::1 blue
step "no packet of red arrived at blue's client" only_own blue 10.2.0.1 fd00:b::1 red

say "4. What the node counted"
show sids
show policies
show drops

finish
