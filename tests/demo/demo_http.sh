#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The demonstration of HTTP routing: clients in one VPC call a virtual address, servers in two others answer, and
# the weights of the two change under load. demo_http.sh [BUILD-DIR]. Everything happens in network namespaces of
# its own, which are gone afterwards; exit 0 only if every step held.
set -uo pipefail
# shellcheck source=tests/demo/lab_http.sh
source "$(dirname "$0")/lab_http.sh"

start_node_with_copy() {
    cp conf/demo-vpcs.cfg "$dir" && cp conf/demo-http.cfg "$dir/node.cfg" && start_node "$dir/node.cfg"
}

# weigh BLUE GREEN: in the running node.
weigh() {
    sed -i -E "s/(\"payments-v1\"; weight =) [0-9]+/\1 $1/; s/(\"payments-v2\"; weight =) [0-9]+/\1 $2/" \
        "$dir/node.cfg" && ctl reload
}

cat <<'EOF'
Pergola demonstration: HTTP requests routed between three VPCs with the same addresses.

   red    10.0.0.2  curl, wrk                -- Linux router --+
                                                               |
   blue   10.0.0.2  nginx: payments v1       -- Linux router --+-- IPv6 underlay -- Pergola
                                                               |
   green  10.0.0.2  nginx: payments v2,      -- Linux router --+
                           orders, over IPv6

The services' names lead to virtual addresses, 10.100.0.1 and fd00:100::1, that exist in the node only. A request
comes from red's router over SRv6; the node looks at its head and passes it on over SRv6 to where it belongs.
EOF

say "1. Building the network (namespaces $ns-*) and starting servers and node"
build_lab
must "Pergola runs, conf/demo-http.cfg" start_node_with_copy
must "the paths are up: first answers arrive" until_true are_up

say "2. Requests are routed by host, path and header, one by one"
show_routing

say "3. And by weight, which changes while wrk calls $payments/charge over $n_connections connections"
start_wrk
weighted "weights 90 and 10" 90
step "reload with weights 10 and 90" weigh 10 90
weighted "the requests have moved" 10
show_load

say "4. What the node counted"
show routes --http
show clusters
show drops
finish
