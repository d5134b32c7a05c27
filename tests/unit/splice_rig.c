// SPDX-License-Identifier: Apache-2.0

#include "tests/unit/splice_rig.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum {
	STEP_MS = 5,
	MSS = 1460,
};

static const char REQUEST[] = "GET /x HTTP/1.1\r\nHost: x\r\n\r\n";
static const char ANSWER[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

struct carrier {
	struct tcp_segment seg;
	uint8_t data[4096];
};

static void keep_sent(struct rig *rig, enum splice_side side, uint32_t idx,
	const struct tcp_out *out, const uint8_t *data, uint32_t len)
{
	struct rig_sent *sent = &rig->sent[rig->n_sent++];

	assert_true(rig->n_sent < RIG_MAX_SENT && len < sizeof(sent->data));
	if (side == SPLICE_CLIENT && (out->flags & TCP_SYN))
		rig->client_base[idx] = out->seq + 1;
	*sent = (struct rig_sent){.side = side, .idx = idx, .tcp = *out, .len = len};
	if (len)
		memcpy(sent->data, data, len);
	if (side == SPLICE_CLIENT) {
		sent->seq = out->seq - rig->client_base[idx];
		sent->ack = out->ack - (RIG_CLIENT_ISS + 1);
	} else {
		sent->seq = out->seq - rig->leg_base[idx];
		sent->ack = out->ack - (RIG_SERVER_ISS + 1);
	}
}

static void on_send(void *ctx, enum splice_side side, uint32_t idx, const struct tcp_out *out,
	const uint8_t *data, uint32_t len, struct tcp_segment *carrier)
{
	struct rig *rig = ctx;

	assert_true(side == SPLICE_CLIENT ? rig->flow_open[idx] : rig->leg_open[idx]);
	keep_sent(rig, side, idx, out, data, len);
	if (!carrier)
		return;
	rig->sent[rig->n_sent - 1].carried = true;
	rig->sent[rig->n_sent - 1].rewritten = carrier->rewritten;
	rig->n_live--;
	free(carrier);
}

static void on_drop(void *ctx, struct tcp_segment *seg)
{
	struct rig *rig = ctx;

	rig->n_live--;
	free(seg);
}

static const struct splice_listener *on_listener(void *ctx, uint32_t listener)
{
	struct rig *rig = ctx;

	return listener == 0 ? &rig->listener : NULL;
}

// Another cluster each time.
static struct splice_target on_target(void *ctx, uint32_t listener)
{
	struct rig *rig = ctx;

	assert_int_equal(listener, 0);
	rig->target.cluster++;
	return rig->target;
}

static void on_route(void *ctx, uint32_t flow, const uint8_t *raw, const struct http1_head *head,
	struct splice_decision *decision)
{
	struct rig *rig = ctx;

	(void)flow;
	(void)raw;
	(void)head;
	*decision = rig->decision;
}

static void on_edit(void *ctx, uint32_t flow, struct http1_edits *edits)
{
	(void)ctx;
	(void)flow;
	edits->request_id = "r";
}

static uint32_t on_pick(
	void *ctx, uint32_t flow, uint32_t cluster, const uint32_t *tried, uint32_t n_tried)
{
	struct rig *rig = ctx;

	(void)flow;
	rig->picked = cluster;
	if (!rig->n_endpoints)
		return SPLICE_NONE;
	return n_tried ? (tried[n_tried - 1] + 1) % rig->n_endpoints : 0;
}

static bool on_lives(void *ctx, uint32_t endpoint)
{
	struct rig *rig = ctx;

	(void)endpoint;
	return !rig->removed;
}

static int on_open_leg(
	void *ctx, uint32_t flow, uint32_t leg, uint32_t endpoint, struct splice_opening *opening)
{
	struct rig *rig = ctx;

	(void)flow;
	if (rig->ports_out)
		return -EADDRNOTAVAIL;
	assert_false(rig->leg_open[leg]);
	rig->leg_open[leg] = true;
	rig->leg_endpoint[leg] = endpoint;
	opening->isn = 0xffffffe0u + leg * 1000;
	opening->mss = MSS;
	rig->leg_base[leg] = opening->isn + 1;
	return 0;
}

static bool on_leg_fits(void *ctx, uint32_t flow, uint32_t leg)
{
	(void)ctx;
	(void)flow;
	(void)leg;
	return true;
}

static void on_leg_closed(void *ctx, uint32_t leg, uint32_t last_seq)
{
	struct rig *rig = ctx;

	(void)last_seq;
	assert_true(rig->leg_open[leg]);
	rig->leg_open[leg] = false;
}

static void on_flow_closed(void *ctx, uint32_t flow)
{
	struct rig *rig = ctx;

	assert_true(rig->flow_open[flow]);
	rig->flow_open[flow] = false;
}

static void on_event(void *ctx, uint32_t flow, enum splice_event event, uint64_t value)
{
	struct rig *rig = ctx;

	(void)flow;
	rig->n_events[event]++;
	if (event == SPLICE_OWN_REPLY || event == SPLICE_RESET_CLIENT)
		rig->why = (enum splice_why)value;
}

static uint32_t on_leg_idle_ms(void *ctx, uint32_t endpoint)
{
	struct rig *rig = ctx;

	(void)endpoint;
	return rig->removed ? 0 : rig->leg_idle_ms;
}

static const char *on_date(void *ctx)
{
	return ((const struct rig *)ctx)->date;
}

static const struct splice_io io = {
	.send = on_send,
	.drop = on_drop,
	.listener = on_listener,
	.target = on_target,
	.route = on_route,
	.date = on_date,
	.edit_response = on_edit,
	.pick = on_pick,
	.endpoint_lives = on_lives,
	.leg_idle_ms = on_leg_idle_ms,
	.open_leg = on_open_leg,
	.leg_fits = on_leg_fits,
	.leg_closed = on_leg_closed,
	.flow_closed = on_flow_closed,
	.event = on_event,
};

struct rig *rig_create(void)
{
	struct rig *rig = calloc(1, sizeof(*rig));

	rig->now_us = 1000000;
	rig->leg_idle_ms = 60000;
	rig->config = (struct splice_config){
		.n_flows = RIG_MAX_FLOWS,
		.n_legs = RIG_MAX_LEGS,
		.n_endpoints = 4,
		.n_half_open = 4,
		.n_small_buffers = 64,
		.n_large_buffers = 4,
		.n_held = 64,
		.max_idle_legs = 4,
		.cookie_key = {7},
		.io = &io,
		.ctx = rig,
	};
	rig->listener = (struct splice_listener){
		.limits = {.request_line_bytes = 8192, .fields_bytes = 4096},
		.head_timeout_ms = 5000,
		.idle_timeout_ms = 60000,
		.drain_timeout_ms = 10000,
		.mss = 1400,
		.window_scale = 5,
	};
	rig->target = (struct splice_target){.cluster = 40, .connect_timeout_ms = 4000};
	rig->decision =
		(struct splice_decision){.action = SPLICE_TO_CLUSTER, .connect_timeout_ms = 4000};
	rig->n_endpoints = 3;
	rig->client_mss = rig->client_window = MSS;
	rig->client_window = rig->server_window = 32768;
	rig->client_scale = rig->server_scale = 0;
	rig->client_sack = rig->server_sack = true;
	return rig;
}

void rig_start(struct rig *rig)
{
	rig->config.now_us = rig->now_us;
	rig->splice = splice_create(&rig->config);
	assert_non_null(rig->splice);
}

void rig_destroy(struct rig *rig)
{
	splice_destroy(rig->splice);
	assert_int_equal(rig->n_live, 0);
	free(rig);
}

int rig_setup(void **state)
{
	*state = rig_create();
	return 0;
}

int rig_teardown(void **state)
{
	rig_destroy(*state);
	return 0;
}

static struct tcp_segment *carry(struct rig *rig, const struct rig_in *in)
{
	struct carrier *carrier = calloc(1, sizeof(*carrier));
	struct tcp_segment *seg = &carrier->seg;

	rig->n_live++;
	seg->data = carrier->data;
	seg->flags = in->flags;
	if (!(in->flags & (TCP_SYN | TCP_RST)))
		seg->flags |= TCP_ACK;
	if (in->text) {
		seg->len = (uint32_t)strlen(in->text);
		assert_true(seg->len <= sizeof(carrier->data));
		memcpy(carrier->data, in->text, seg->len);
	}
	seg->mss = rig->client_mss; // these of a SYN
	seg->scale = rig->client_scale;
	seg->sack_offered = rig->client_sack;
	seg->n_sacks = in->n_sacks;
	return seg;
}

static void place(struct tcp_segment *seg, const struct rig_in *in, uint32_t own, uint32_t far)
{
	seg->seq = own + in->seq;
	seg->ack = far + in->ack;
	for (uint8_t i = 0; i < in->n_sacks; i++)
		seg->sacks[i] = (struct tcp_sack){
			.left = far + in->sacks[i].left, .right = far + in->sacks[i].right};
}

uint32_t rig_syn(struct rig *rig, uint32_t seq, struct tcp_out *cookie)
{
	struct tcp_segment syn = {
		.seq = seq,
		.window = rig->client_window,
		.flags = TCP_SYN,
		.mss = rig->client_mss,
		.scale = rig->client_scale,
		.sack_offered = rig->client_sack,
	};
	uint32_t flow = splice_syn(rig->splice, 0, seq, &syn, cookie);

	if (flow == SPLICE_NONE)
		return flow;
	rig->flow_open[flow] = true;
	splice_flow_begin(rig->splice, flow);
	return flow;
}

uint32_t rig_open(struct rig *rig)
{
	struct tcp_out cookie;
	uint32_t flow = rig_syn(rig, RIG_CLIENT_ISS, &cookie);

	assert_int_not_equal(flow, SPLICE_NONE);
	rig_take(rig, SPLICE_CLIENT);
	rig_client(rig, flow, &(struct rig_in){0});
	rig_expect_none(rig);
	return flow;
}

void rig_client(struct rig *rig, uint32_t flow, const struct rig_in *in)
{
	struct tcp_segment *seg = carry(rig, in);

	place(seg, in, RIG_CLIENT_ISS + 1, rig->client_base[flow]);
	seg->window = in->shut ? 0 : in->window ? in->window : rig->client_window;
	splice_client_segment(rig->splice, flow, seg);
}

void rig_server(struct rig *rig, uint32_t leg, const struct rig_in *in)
{
	struct tcp_segment *seg = carry(rig, in);

	place(seg, in, RIG_SERVER_ISS + 1, rig->leg_base[leg]);
	seg->window = in->shut ? 0 : in->window ? in->window : rig->server_window;
	splice_server_segment(rig->splice, leg, seg);
}

void rig_bare(struct rig *rig, enum splice_side side, uint32_t idx, uint8_t flags, uint32_t seq)
{
	struct tcp_segment *seg = carry(rig, &(struct rig_in){0});

	seg->flags = flags;
	if (side == SPLICE_CLIENT) {
		seg->seq = RIG_CLIENT_ISS + 1 + seq;
		splice_client_segment(rig->splice, idx, seg);
	} else {
		seg->seq = RIG_SERVER_ISS + 1 + seq;
		splice_server_segment(rig->splice, idx, seg);
	}
}

uint32_t rig_accept(struct rig *rig)
{
	const struct rig_sent *syn = rig_take(rig, SPLICE_SERVER);
	struct tcp_segment *seg = carry(rig, &(struct rig_in){.flags = TCP_SYN});
	uint32_t leg = syn->idx;

	assert_int_equal(syn->tcp.flags, TCP_SYN);
	seg->flags = TCP_SYN | TCP_ACK;
	seg->seq = RIG_SERVER_ISS;
	seg->ack = rig->leg_base[leg];
	seg->window = rig->server_window;
	seg->mss = MSS;
	seg->scale = rig->server_scale;
	seg->sack_offered = rig->server_sack;
	splice_server_segment(rig->splice, leg, seg);
	return leg;
}

uint32_t rig_exchange(struct rig *rig, uint32_t flow, uint32_t *up, uint32_t *down)
{
	uint32_t leg, request = sizeof(REQUEST) - 1, answer = sizeof(ANSWER) - 1;
	const struct rig_sent *sent;
	uint32_t at;

	rig_client(rig, flow, &(struct rig_in){.seq = *up, .ack = *down, .text = REQUEST});
	leg = rig->sent[rig->n_taken].tcp.flags & TCP_SYN ? rig_accept(rig) : SPLICE_NONE;
	sent = rig_take_data(rig, SPLICE_SERVER);
	leg = sent->idx;
	at = sent->ack;
	rig_server(rig, leg,
		&(struct rig_in){.seq = at, .ack = sent->seq + sent->len, .text = ANSWER});
	*up += request;
	*down += answer;
	rig_client(rig, flow, &(struct rig_in){.seq = *up, .ack = *down});
	rig_forget(rig);
	return leg;
}

void rig_expect_status(struct rig *rig, uint32_t status)
{
	char start[16];
	const struct rig_sent *sent = rig_take_data(rig, SPLICE_CLIENT);

	snprintf(start, sizeof(start), "HTTP/1.1 %u ", status);
	assert_memory_equal(sent->data, start, strlen(start));
}

const struct rig_sent *rig_take(struct rig *rig, enum splice_side side)
{
	const struct rig_sent *sent = &rig->sent[rig->n_taken];

	if (rig->n_taken == rig->n_sent)
		fail_msg("nothing was sent to the %s",
			side == SPLICE_CLIENT ? "client" : "endpoint");
	if (sent->side != side)
		fail_msg("not to the %s: flags %x seq %u ack %u '%s'",
			side == SPLICE_CLIENT ? "client" : "endpoint", sent->tcp.flags, sent->seq,
			sent->ack, sent->data);
	rig->n_taken++;
	return sent;
}

const struct rig_sent *rig_take_data(struct rig *rig, enum splice_side side)
{
	while (rig->n_taken < rig->n_sent && !rig->sent[rig->n_taken].len)
		rig->n_taken++;
	return rig_take(rig, side);
}

uint32_t rig_n_sent(const struct rig *rig, enum splice_side side, uint8_t flags)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < rig->n_sent; i++)
		n += rig->sent[i].side == side && (!flags || (rig->sent[i].tcp.flags & flags));
	return n;
}

void rig_expect_none(const struct rig *rig)
{
	const struct rig_sent *sent = &rig->sent[rig->n_taken];

	if (rig->n_taken != rig->n_sent)
		fail_msg("unexpected to the %s: flags %x seq %u ack %u win %u '%s'",
			sent->side == SPLICE_CLIENT ? "client" : "endpoint", sent->tcp.flags,
			sent->seq, sent->ack, sent->tcp.window, sent->data);
}

void rig_forget(struct rig *rig)
{
	rig->n_sent = rig->n_taken = 0;
}

void rig_wait(struct rig *rig, uint32_t ms)
{
	for (uint32_t i = 0; i < ms; i += STEP_MS) {
		rig->now_us += STEP_MS * 1000;
		splice_set_time(rig->splice, rig->now_us);
		splice_run_timers(rig->splice);
	}
}
