# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# What the demonstrations of HTTP routing share, to be sourced by them: clients in one VPC, nginx in two others, and
# wrk, of whose requests is counted where they went.
# shellcheck source=tests/demo/lab.sh
source "$(dirname "${BASH_SOURCE[0]}")/lab.sh"

payments=http://payments.lattice.local
orders=http://orders.lattice.local
n_requests=10000 # of wrk, at least, for each pair of weights
wait_s=60        # also for those
n_connections=16

# --- The network

# ip netns exec shows this file as /etc/hosts.
name_services() {
    mkdir -p "/etc/netns/$ns-red" &&
        printf '%s payments.lattice.local orders.lattice.local unknown.lattice.local\n' 10.100.0.1 fd00:100::1 \
            >"/etc/netns/$ns-red/hosts"
}

# start_nginx VPC VERSION-OF-PAYMENTS. This and others run in this shell, to know the process.
start_nginx() {
    local home=$dir/nginx-$1
    mkdir "$home" && sed "s/@VPC@/$1/; s/@VERSION@/$2/" tests/demo/nginx.conf >"$home/nginx.conf" || return
    ip netns exec "$ns-$1" nginx -p "$home/" -c nginx.conf -e error.log >"$home/log" 2>&1 &
    pids+=($!)
    until_true within "$1" curl -sf -o /dev/null http://10.0.0.2:8080/ || { cat "$home/log"; return 1; }
}

# The three VPCs, and servers in two of them.
build_lab() {
    must "underlay: a bridge, with the node's interface" add_underlay
    must "VPC red: client and Linux SRv6 router" add_vpc red a 1
    must "VPC blue: server with the same address, and its router" add_vpc blue b 2
    must "VPC green: server with the same address, and its router" add_vpc green d 3
    must "red knows the services' names" name_services
    must "nginx in blue" start_nginx blue v1
    must "nginx in green" start_nginx green v2
}

# --- Routing

call() {
    within red curl -sS --max-time 20 "$@"
}

are_up() {
    call -4 -f "$payments/" && call -4 -f "$payments/refunds/" && call -6 -f "$orders/"
}

# routed WHAT EXPECTED CURL-ARGUMENT...: what curl says must begin with EXPECTED.
routed() {
    step "$1" answers "${@:2}"
    printf '      $ curl %s\n' "${*:3}"
    sed 's/^/        /' "$dir/answer"
}

answers() {
    call "${@:2}" >"$dir/answer" && grep "^$1" "$dir/answer"
}

is_status() {
    [ "$(call -o /dev/null -w '%{http_code}' "$2" | tee "$dir/answer")" = "$1" ]
}

# By everything but weight.
show_routing() {
    routed "by path: refunds are in green" "payments v2, VPC green: .* for 10.0.0.2$" -4 "$payments/refunds/7"
    routed "by header: a preview of version 2" "payments v2, VPC green" -4 -H x-version:2 "$payments/charge"
    routed "by host: orders; its server has IPv6 only, the client IPv4" "orders, VPC green" -4 "$orders/list"
    routed "  and from a client with IPv6 to a server with IPv4" "payments v2, .* for fd00:1::2$" -6 "$payments/refunds/7"
    routed "the node itself can answer" "fine, says the node" "$payments/health"
    step "a host that nobody serves: 404" is_status 404 http://unknown.lattice.local/
    step "blue is not in the service network: unreachable for it" is_unreachable blue 10.100.0.1
}

# --- Weights

start_wrk() {
    look
    n_before_wrk=$((n_blue + n_green))
    ip netns exec "$ns-red" wrk -t 1 -c $n_connections -d 5m --timeout 30s "$payments/charge" >"$dir/wrk" 2>&1 &
    wrk_pid=$!
    pids+=("$wrk_pid")
}

n_nginx() {
    within "$1" curl -sS http://127.0.0.1:8099/ | awk 'NR == 3 { print $3 }'
}

# What nginx counted in each VPC, but for our own looks at it.
n_looks=0
to_blue=0
to_green=0
look() {
    n_looks=$((n_looks + 1))
    n_blue=$(($(n_nginx blue) - n_looks)) && n_green=$(($(n_nginx green) - n_looks))
}

all_run() {
    local pid
    for pid in "${pids[@]}"; do
        kill -0 "$pid" || return
    done
}

# Or never will.
have_passed() {
    all_run || return 0
    look
    to_blue=$((n_blue - blue_before))
    to_green=$((n_green - green_before))
    [ $((to_blue + to_green)) -ge $n_requests ]
}

# told WHAT COMMAND...: a step that may have a line to show in $dir/shares.
told() {
    rm -f "$dir/shares"
    step "$@"
    [ ! -f "$dir/shares" ] || cat "$dir/shares"
}

# weighted WHAT PERCENT: of the next requests so many go to blue, give or take 3, while wrk goes on.
weighted() {
    told "$1" shares_are "$2"
}

shares_are() {
    look
    blue_before=$n_blue
    green_before=$n_green
    until_true have_passed
    echo "blue $to_blue, green $to_green, of $n_requests that were waited for"
    all_run && [ $((to_blue + to_green)) -ge $n_requests ] &&
        awk -v blue=$to_blue -v green=$to_green -v wanted="$1" 'BEGIN {
            share = 100 * blue / (blue + green)
            printf "      nginx counted %d requests in blue, %d in green: ", blue, green
            printf "%.1f %% and %.1f %%\n", share, 100 - share
            exit share < wanted - 3 || share > wanted + 3 }' >"$dir/shares"
}

# wrk names errors only when there are some. The servers may have had more requests than wrk waited for, never fewer.
none_failed() {
    local n_wrk n_servers
    kill -INT "$wrk_pid"
    unset "pids[-1]"
    wait "$wrk_pid" || { cat "$dir/wrk"; return 1; }
    cat "$dir/wrk"
    look
    n_wrk=$(awk '/requests in/ { print $1 }' "$dir/wrk")
    n_servers=$((n_blue + n_green - n_before_wrk))
    echo "the servers counted $n_servers requests"
    ! grep -qE 'Socket errors|Non-2xx' "$dir/wrk" && [ "$n_servers" -ge "$n_wrk" ]
}

# carried TABLE COLUMN: no row of the table has 0 packets.
carried() {
    ctl "$1" | awk -v column="$2" '{ print } NR > 1 && $column == 0 { none = 1 } END { exit none || NR < 2 }'
}

# What wrk saw in all, and by which way.
show_load() {
    step "not one request failed: no socket error, nothing but 2xx" none_failed
    grep 'requests in' "$dir/wrk"
    step "all of it came in over SRv6: each VPC's SID has counted" carried sids 4
    step "  and went out over SRv6: each policy has counted" carried policies 3
}
