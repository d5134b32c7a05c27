#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The demonstration of xDS: as demo_http.sh, with no route in the node's file. A control plane pushes services, moves
# weights under load and takes a server out. demo_xds.sh [BUILD-DIR]. Everything happens in network namespaces of
# its own, which are gone afterwards; exit 0 only if every step held.
set -uo pipefail
# shellcheck source=tests/demo/lab_http.sh
source "$(dirname "$0")/lab_http.sh"

# --- The control plane

# Orders go in, and a line comes out for each that the node has accepted.
start_control_plane() {
    mkfifo "$dir/orders" "$dir/accepted" || return
    ip netns exec "$ns-node" /usr/bin/python3 tests/demo/control_plane.py 18000 \
        <"$dir/orders" >"$dir/accepted" 2>"$dir/plane.log" &
    pids+=($!)
    exec {to_plane}>"$dir/orders" {from_plane}<"$dir/accepted"
    until_true is_connected || { cat "$dir/plane.log"; return 1; }
}

is_connected() {
    ctl xds | grep -Eq '^stream +up$'
}

n_live() {
    ctl xds | awk '/^went live/ { print $3 }'
}

has_gone_live() {
    [ "$(n_live)" -gt "$1" ]
}

# push ORDER...: until the node has accepted it, and it is live.
push() {
    local before answer
    before=$(n_live)
    echo "$*" >&"$to_plane"
    if ! read -r -t "$wait_s" -u "$from_plane" answer; then
        cat "$dir/plane.log"
        return 1
    fi
    echo "$answer"
    until_true has_gone_live "$before"
}

# Requests that were on their way have arrived when blue counts no more.
blue_rests() {
    local before=$n_blue
    look
    [ "$n_blue" -eq "$before" ]
}

# While wrk goes on.
blue_gets_nothing() {
    until_true blue_rests || return
    blue_before=$n_blue
    green_before=$n_green
    until_true have_passed
    echo "blue $to_blue, green $to_green, of $n_requests that were waited for"
    all_run && [ $to_blue -eq 0 ] && [ $to_green -ge $n_requests ] &&
        echo "      nginx counted 0 requests in blue, $to_green in green" >"$dir/shares"
}

cat <<'EOF'
Pergola demonstration: a control plane drives the node over xDS. No service is in the node's file.

   red    10.0.0.2  curl, wrk                -- Linux router --+                       control plane
                                                               |                           | xDS
   blue   10.0.0.2  nginx: payments v1       -- Linux router --+-- IPv6 underlay -- Pergola
                                                               |
   green  10.0.0.2  nginx: payments v2,      -- Linux router --+
                           orders, over IPv6

EOF

say "1. Building the network (namespaces $ns-*) and starting servers and node"
build_lab
must "Pergola runs, conf/demo-xds.cfg" start_node conf/demo-xds.cfg
step "nobody has told it what to serve: red cannot reach 10.100.0.1" is_unreachable red 10.100.0.1

say "2. The control plane says what is served: a listener, its routes, three clusters and their endpoints"
must "the node has asked for everything (LDS and CDS)" start_control_plane
must "pushed and live" push serve
must "the paths are up: first answers arrive" until_true are_up
show xds

say "3. Requests are routed by host, path and header, one by one"
show_routing

say "4. And by weight, which the control plane changes while wrk calls $payments/charge"
start_wrk
weighted "weights 90 and 10" 90
step "one push (RDS): weights 10 and 90" push weigh 10 90
weighted "the requests have moved" 10

say "5. The server in blue becomes unhealthy, says the control plane; wrk goes on"
step "one push (RDS): weights 90 and 10 again" push weigh 90 10
weighted "most goes to blue" 90
step "one push (EDS): blue's server is UNHEALTHY, the next in its cluster is green's" push health UNHEALTHY
told "blue gets nothing more" blue_gets_nothing
step "one push (EDS): it is HEALTHY again" push health HEALTHY
weighted "its share is back" 90
show_load

say "6. What the node says of it"
show xds
show clusters
show drops
finish
