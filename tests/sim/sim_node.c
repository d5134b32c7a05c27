// SPDX-License-Identifier: Apache-2.0

#include "tests/sim/sim_node.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/sim_client.h"
#include "tests/sim/sim_host.h"
#include "tests/sim/sim_law.h"
#include "tests/sim/sim_route.h"
#include "tests/sim/sim_scenario.h"

// A segment as it is given in: one piece of memory, so that a use after its end shows.
struct carrier {
	struct tcp_segment seg;
	uint32_t size;
	uint8_t data[];
};

static void take_back(struct sim_node *node, struct tcp_segment *seg)
{
	node->n_live--;
	free(seg);
}

static void send_segment(void *ctx, enum splice_side side, uint32_t idx, const struct tcp_out *out,
	const uint8_t *data, uint32_t len, struct tcp_segment *carrier)
{
	struct sim_node *node = ctx;
	const struct sim_pair *pair = side == SPLICE_CLIENT ? &node->flows[idx] : &node->legs[idx];
	const struct carrier *own = (const struct carrier *)carrier;
	struct sim_seg *seg;

	if (!pair->used) {
		sim_fail(node->sim, "a segment to %s %u, which is not open",
			side == SPLICE_CLIENT ? "flow" : "leg", idx);
		return;
	}
	if (own && len && (data < own->data || data + len > own->data + own->size))
		sim_fail(node->sim, "data does not lie in the segment that carries it");
	seg = sim_seg_new(pair->node, pair->host, out, data, len);
	if (side == SPLICE_CLIENT)
		sim_law_to_client(node->sim, seg);
	else
		sim_law_to_server(node->sim, seg);
	sim_net_send(node->sim, seg);
	if (!carrier)
		return;
	take_back(node, carrier);
}

static void drop_segment(void *ctx, struct tcp_segment *seg)
{
	struct sim_node *node = ctx;

	take_back(node, seg);
}

static const struct splice_listener *find_listener(void *ctx, uint32_t listener)
{
	struct sim_node *node = ctx;

	return listener == 0 ? &node->listener : NULL;
}

static struct splice_target find_target(void *ctx, uint32_t listener)
{
	(void)ctx;
	(void)listener;
	return (struct splice_target){.cluster = 0, .connect_timeout_ms = 15000};
}

static bool leg_fits(void *ctx, uint32_t flow, uint32_t leg)
{
	(void)ctx;
	(void)flow;
	(void)leg;
	return true;
}

// A clock that goes up every 4 us, from another number for each tuple (RFC 6528).
static uint32_t clock_isn(const struct sim_node *node, uint16_t source, uint32_t endpoint)
{
	uint32_t z = source * 0x9e3779b9u + endpoint * 0x85ebca6bu;

	return (z ^ (z >> 13)) * 0xc2b2ae35u + (uint32_t)(node->sim->now_us / 4);
}

static int open_leg(
	void *ctx, uint32_t flow, uint32_t leg, uint32_t endpoint, struct splice_opening *opening)
{
	struct sim_node *node = ctx;
	uint16_t source;
	uint32_t last;

	(void)flow;
	if (!node->n_free || sim_chance(node->sim, node->sim->scenario->port_fails))
		return -EADDRNOTAVAIL;
	if (node->legs[leg].used)
		sim_fail(node->sim, "leg %u is opened twice", leg);
	source = node->free_sources[node->first_free];
	node->first_free = (node->first_free + 1) % SIM_N_SOURCES;
	node->n_free--;
	node->leg_source[leg] = source;
	node->leg_endpoint[leg] = endpoint;
	node->legs[leg] = (struct sim_pair){
		.used = true,
		.host = {.host = (uint16_t)(SIM_SERVER_HOST + endpoint), .port = 80},
		.node = {.host = (uint16_t)(SIM_NODE_HOST + source / SIM_N_PORTS),
			.port = (uint16_t)(SIM_FIRST_PORT + source % SIM_N_PORTS)},
	};
	last = node->last_seq[source][endpoint];
	opening->isn = clock_isn(node, source, endpoint);
	if (last && (int32_t)(opening->isn - last) < 0)
		opening->isn = last;
	opening->mss = node->listener.mss;
	return 0;
}

static void close_leg(void *ctx, uint32_t leg, uint32_t last_seq)
{
	struct sim_node *node = ctx;
	uint16_t source = node->leg_source[leg];

	if (!node->legs[leg].used) {
		sim_fail(node->sim, "leg %u is closed twice", leg);
		return;
	}
	node->legs[leg].used = false;
	node->last_seq[source][node->leg_endpoint[leg]] = last_seq ? last_seq : 1;
	node->free_sources[(node->first_free + node->n_free++) % SIM_N_SOURCES] = source;
}

static void close_flow(void *ctx, uint32_t flow)
{
	struct sim_node *node = ctx;

	if (!node->flows[flow].used)
		sim_fail(node->sim, "flow %u is closed twice", flow);
	node->flows[flow].used = false;
}

// What the node answers or breaks off itself is known from here on: the request's ACKs prove nothing.
static void mark_disturbed(struct sim_node *node, uint32_t flow)
{
	struct sim_host *host = node->sim->clients[node->flows[flow].host.host - SIM_CLIENT_HOST];
	struct sim_client_conn *conn;

	if (!host || !host->ctx)
		return;
	conn = sim_client_find(host->ctx, node->flows[flow].host.port);
	for (uint32_t i = conn ? conn->n_answered : 0; conn && i < conn->n_asked; i++)
		conn->asked[i]->node_answers = true;
}

static void note_event(void *ctx, uint32_t flow, enum splice_event event, uint64_t value)
{
	struct sim_node *node = ctx;

	node->n_events[event] += event == SPLICE_BYTES_UP || event == SPLICE_BYTES_DOWN ? value : 1;
	if (event == SPLICE_OWN_REPLY || event == SPLICE_RESET_CLIENT) {
		sim_say(node->sim, "flow %u: the node %s (%s)", flow,
			event == SPLICE_OWN_REPLY ? "answers" : "resets",
			splice_why_name((enum splice_why)value));
		node->n_whys[value]++;
		mark_disturbed(node, flow);
	} else if (event == SPLICE_RETRY || event == SPLICE_REBIND || event == SPLICE_MALFORMED) {
		sim_say(node->sim, "flow %u: %s %u", flow,
			event == SPLICE_RETRY	 ? "retry"
			: event == SPLICE_REBIND ? "rebind"
						 : "malformed",
			(uint32_t)value);
	}
}

static uint32_t leg_idle_ms(void *ctx, uint32_t endpoint)
{
	return sim_route_lives(ctx, endpoint) ? SIM_LEG_IDLE_MS : 0;
}

// A world without a calendar.
static const char *tell_date(void *ctx)
{
	(void)ctx;
	return NULL;
}

static const struct splice_io io = {
	.send = send_segment,
	.drop = drop_segment,
	.listener = find_listener,
	.target = find_target,
	.route = sim_route_request,
	.date = tell_date,
	.edit_response = sim_route_edit_response,
	.leg_fits = leg_fits,
	.pick = sim_route_pick,
	.endpoint_lives = sim_route_lives,
	.leg_idle_ms = leg_idle_ms,
	.open_leg = open_leg,
	.leg_closed = close_leg,
	.flow_closed = close_flow,
	.event = note_event,
};

static struct tcp_segment *carry(struct sim_node *node, const struct sim_seg *seg)
{
	struct carrier *carrier = sim_alloc(sizeof(*carrier) + seg->len);

	carrier->size = seg->len;
	memcpy(carrier->data, seg->data, seg->len);
	carrier->seg = (struct tcp_segment){
		.data = carrier->data,
		.len = seg->len,
		.seq = seg->tcp.seq,
		.ack = seg->tcp.ack,
		.window = seg->tcp.window,
		.flags = seg->tcp.flags,
		.n_sacks = seg->tcp.n_sacks,
		.mss = seg->tcp.mss,
		.scale = seg->tcp.flags & TCP_SYN ? seg->tcp.scale : TCP_NO_WINDOW_SCALE,
		.sack_offered = seg->tcp.sack_offered,
	};
	memcpy(carrier->seg.sacks, seg->tcp.sacks, sizeof(carrier->seg.sacks));
	node->n_live++;
	return &carrier->seg;
}

static uint32_t find_pair(const struct sim_pair *pairs, uint32_t n, const struct sim_seg *seg)
{
	for (uint32_t i = 0; i < n; i++)
		if (pairs[i].used && sim_addr_equal(pairs[i].host, seg->src) &&
			sim_addr_equal(pairs[i].node, seg->dst))
			return i;
	return SPLICE_NONE;
}

static uint64_t tuple_hash(const struct sim_seg *seg)
{
	uint64_t z = ((uint64_t)seg->src.host << 32 | seg->src.port) * 0x9e3779b97f4a7c15;

	return (z ^ (z >> 29)) * 0xbf58476d1ce4e5b9;
}

static void send_answer(struct sim_node *node, const struct sim_seg *to, const struct tcp_out *out)
{
	if (out->flags)
		sim_net_send(node->sim, sim_seg_new(to->dst, to->src, out, NULL, 0));
}

static uint32_t begin_flow(struct sim_node *node, uint32_t flow, const struct sim_seg *seg)
{
	if (flow == SPLICE_NONE)
		return flow;
	if (node->flows[flow].used)
		sim_fail(node->sim, "flow %u is opened twice", flow);
	node->flows[flow] = (struct sim_pair){.used = true, .host = seg->src, .node = seg->dst};
	splice_flow_begin(node->splice, flow);
	return flow;
}

static void input_unknown(struct sim_node *node, const struct sim_seg *seg)
{
	struct tcp_segment *given = carry(node, seg);
	struct tcp_out answer = {0};
	uint32_t flow;

	if (seg->tcp.flags & TCP_RST) {
		take_back(node, given);
	} else if (seg->tcp.flags & TCP_SYN) {
		if (!(seg->tcp.flags & TCP_ACK)) {
			flow = splice_syn(node->splice, 0, tuple_hash(seg), given, &answer);
			if (flow == SPLICE_NONE && !answer.flags) // refused
				answer = (struct tcp_out){.flags = TCP_RST | TCP_ACK,
					.ack = seg->tcp.seq + 1,
					.scale = TCP_NO_WINDOW_SCALE};
			send_answer(node, seg, &answer);
			begin_flow(node, flow, seg);
		}
		take_back(node, given);
	} else {
		flow = splice_cookie_ack(node->splice, 0, tuple_hash(seg), given, &answer);
		send_answer(node, seg, &answer);
		if (begin_flow(node, flow, seg) != SPLICE_NONE)
			splice_client_segment(node->splice, flow, given);
		else
			take_back(node, given);
	}
}

void sim_node_input(struct sim_node *node, const struct sim_seg *seg)
{
	uint32_t idx;

	splice_set_time(node->splice, node->sim->now_us);
	if (seg->src.host >= SIM_SERVER_HOST) {
		idx = find_pair(node->legs, SIM_N_LEGS, seg);
		if (idx != SPLICE_NONE)
			splice_server_segment(node->splice, idx, carry(node, seg));
		return;
	}
	idx = find_pair(node->flows, SIM_N_FLOWS, seg);
	if (idx != SPLICE_NONE)
		splice_client_segment(node->splice, idx, carry(node, seg));
	else
		input_unknown(node, seg);
}

void sim_node_too_big(struct sim_node *node, const struct sim_seg *quoted, uint16_t mss)
{
	bool to_client = quoted->src.host == SIM_VIP;
	const struct sim_pair *pairs = to_client ? node->flows : node->legs, *other;
	struct sim_seg *told;
	struct sim_host *host;
	enum splice_side side;
	uint32_t other_idx, seq;

	for (uint32_t i = 0; i < (to_client ? SIM_N_FLOWS : SIM_N_LEGS); i++) {
		if (!pairs[i].used || !sim_addr_equal(pairs[i].host, quoted->dst) ||
			!sim_addr_equal(pairs[i].node, quoted->src))
			continue;
		splice_set_time(node->splice, node->sim->now_us);
		if (!splice_too_big(node->splice, to_client ? SPLICE_CLIENT : SPLICE_SERVER, i,
			    quoted->tcp.seq, mss, &side, &other_idx, &seq))
			return;
		other = side == SPLICE_CLIENT ? &node->flows[other_idx] : &node->legs[other_idx];
		told = sim_seg_new(other->host, other->node, &quoted->tcp, NULL, 0);
		told->tcp.seq = seq;
		host = side == SPLICE_CLIENT
			       ? node->sim->clients[other->host.host - SIM_CLIENT_HOST]
			       : node->sim->servers[other->host.host - SIM_SERVER_HOST];
		sim_host_too_big(host, told, mss);
		free(told);
		return;
	}
}

// Each endpoint has as many requests as flows have legs to it.
static void check_active(const struct sim_node *node)
{
	const uint32_t *n_active = splice_active(node->splice);
	uint32_t expected[SIM_MAX_ENDPOINTS] = {0};

	for (uint32_t leg = 0; leg < SIM_N_LEGS; leg++)
		if (node->legs[leg].used && splice_leg_flow(node->splice, leg) != SPLICE_NONE)
			expected[node->leg_endpoint[leg]]++;
	for (uint32_t i = 0; i < SIM_MAX_ENDPOINTS; i++)
		if (n_active[i] != expected[i])
			sim_fail(node->sim, "endpoint %u has %u requests, but %u legs in use", i,
				n_active[i], expected[i]);
}

static void run_tick(void *arg)
{
	struct sim_node *node = arg;

	splice_set_time(node->splice, node->sim->now_us);
	splice_run_timers(node->splice);
	check_active(node);
	sim_at(node->sim, node->sim->now_us + sim_between(node->sim, 1000, 10000), run_tick, node);
}

static void fill_listener(struct sim_node *node)
{
	node->listener = (struct splice_listener){
		.protocol = node->sim->scenario->tcp ? SPLICE_TCP : SPLICE_HTTP1,
		.limits = {.request_line_bytes = 8192, .fields_bytes = 32768},
		.head_timeout_ms = 60000,
		.idle_timeout_ms = 130000,
		.drain_timeout_ms = 20000,
		.mss = 1460,
		.window_scale = (uint8_t)sim_below(node->sim, 10),
	};
}

struct sim_node *sim_node_create(struct sim *sim)
{
	struct sim_node *node = sim_alloc(sizeof(*node));
	bool tight = sim->scenario->tight;
	struct splice_config config = {
		.n_flows = tight ? 8 : SIM_N_FLOWS,
		.n_legs = tight ? 6 : SIM_N_LEGS,
		.n_endpoints = SIM_MAX_ENDPOINTS,
		.n_half_open = tight ? 2 : sim_between(sim, 2, 64),
		.n_small_buffers = tight ? 8 : 1024,
		.n_large_buffers = tight ? 2 : 64,
		.n_held = tight ? 8 : 1024,
		.max_idle_legs = sim_between(sim, 1, 8),
		.cookie_key = {1, 2, 3},
		.now_us = sim->now_us,
		.io = &io,
		.ctx = node,
	};

	node->sim = sim;
	fill_listener(node);
	for (uint32_t i = 0; i < SIM_N_SOURCES; i++)
		node->free_sources[i] = (uint16_t)((i * 29) % SIM_N_SOURCES);
	node->n_free = sim->scenario->n_ports ? sim->scenario->n_ports : SIM_N_SOURCES;
	node->splice = splice_create(&config);
	if (!node->splice)
		abort();
	sim->node = node;
	sim_at(sim, sim->now_us, run_tick, node);
	return node;
}

void sim_node_destroy(struct sim_node *node)
{
	if (!node)
		return;
	splice_destroy(node->splice);
	if (node->n_live)
		sim_fail(node->sim, "%u segments were neither sent nor dropped",
			(uint32_t)node->n_live);
	for (uint32_t i = 0; i < node->n_routed; i++)
		sim_text_free(&node->routed[i].head);
	free(node->routed);
	free(node);
}

void sim_node_check_empty(struct sim_node *node)
{
	struct splice_usage usage;

	splice_usage(node->splice, &usage);
	if (usage.n_flows || usage.n_half_open || usage.n_lingering || usage.n_legs ||
		usage.n_idle_legs || usage.n_small_buffers || usage.n_large_buffers || usage.n_held)
		sim_fail(node->sim,
			"left over: flows %u half-open %u lingering %u legs %u idle %u small %u "
			"large %u held %u",
			usage.n_flows, usage.n_half_open, usage.n_lingering, usage.n_legs,
			usage.n_idle_legs, usage.n_small_buffers, usage.n_large_buffers,
			usage.n_held);
	if (node->n_live)
		sim_fail(node->sim, "%u segments were neither sent nor dropped",
			(uint32_t)node->n_live);
	if (node->n_events[SPLICE_FLOW_OPENED] != node->n_events[SPLICE_FLOW_CLOSED] ||
		node->n_events[SPLICE_LEG_OPENED] != node->n_events[SPLICE_LEG_CLOSED])
		sim_fail(node->sim, "flows or legs opened and closed do not match");
	check_active(node);
}
