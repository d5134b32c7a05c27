// SPDX-License-Identifier: Apache-2.0

// The splice as its owner sees it: creation, segments, time, and a look at what there is.

#include <stdlib.h>

#include "l7/pages.h"
#include "l7/splice/splice_priv.h"

enum {
	CACHE_LINE = 64,
	USUAL_HEAD = 256, // bytes of a buffer that are fetched
};

static bool is_sound(const struct splice_config *c)
{
	return c->n_flows > 0 && c->n_legs > 0 && c->n_small_buffers > 0 &&
	       c->n_large_buffers > 0 && c->io != NULL;
}

static void init_flows(struct splice *sp)
{
	sp->free_flow = SPLICE_NONE;
	sp->linger_first = SPLICE_NONE;
	sp->linger_last = SPLICE_NONE;
	for (uint32_t i = sp->n_flows; i-- > 0;) {
		sp->flows[i].leg = sp->free_flow;
		sp->flows[i].timer.prev = TIMER_OUT;
		sp->free_flow = i;
	}
}

static void init_legs(struct splice *sp)
{
	sp->free_leg = SPLICE_NONE;
	sp->ack_owed = SPLICE_NONE;
	for (uint32_t i = sp->n_legs; i-- > 0;) {
		sp->legs[i].pool_next = sp->free_leg;
		sp->legs[i].timer.prev = TIMER_OUT;
		sp->free_leg = i;
	}
	for (uint32_t i = 0; i < sp->n_endpoints; i++)
		sp->pools[i] = SPLICE_NONE;
}

static void take_config(struct splice *sp, const struct splice_config *c)
{
	*sp = (struct splice){
		.io = c->io,
		.ctx = c->ctx,
		.n_flows = c->n_flows,
		.n_legs = c->n_legs,
		.n_endpoints = c->n_endpoints,
		.max_half_open = c->n_half_open,
		.max_held = c->n_held,
		.max_idle_legs = c->max_idle_legs,
		.now_us = c->now_us,
		.now_ms = (uint32_t)(c->now_us / 1000),
	};
	memcpy(sp->secret, c->cookie_key, sizeof(sp->secret));
}

struct splice *splice_create(const struct splice_config *config)
{
	struct splice *sp;

	if (!is_sound(config)) {
		errno = EINVAL;
		return NULL;
	}
	sp = malloc(sizeof(*sp));
	if (sp == NULL)
		return NULL;
	take_config(sp, config);
	sp->flows = pages_map(sp->n_flows * sizeof(*sp->flows), PAGES_ALL);
	sp->legs = pages_map(sp->n_legs * sizeof(*sp->legs), PAGES_ALL);
	sp->pools = calloc(sp->n_endpoints + 1, sizeof(*sp->pools));
	sp->n_pool = calloc(sp->n_endpoints + 1, sizeof(*sp->n_pool));
	sp->n_active = calloc(sp->n_endpoints + 1, sizeof(*sp->n_active));
	if (sp->flows == NULL || sp->legs == NULL || sp->pools == NULL || sp->n_pool == NULL ||
		sp->n_active == NULL || timer_create(sp) != 0 || buffer_create(sp, config) != 0) {
		splice_destroy(sp);
		errno = ENOMEM;
		return NULL;
	}
	init_flows(sp);
	init_legs(sp);
	return sp;
}

void splice_destroy(struct splice *sp)
{
	if (sp == NULL)
		return;
	for (uint32_t i = 0; sp->flows != NULL && i < sp->n_flows; i++) {
		kept_drop_held(sp, &sp->flows[i].up);
		kept_drop_held(sp, &sp->flows[i].down);
	}
	buffer_destroy(sp);
	timer_destroy(sp);
	free(sp->n_pool);
	free(sp->n_active);
	free(sp->pools);
	pages_unmap(sp->legs, sp->n_legs * sizeof(*sp->legs));
	pages_unmap(sp->flows, sp->n_flows * sizeof(*sp->flows));
	free(sp);
}

void splice_set_time(struct splice *sp, uint64_t now_us)
{
	sp->now_us = now_us;
	sp->now_ms = (uint32_t)(now_us / 1000);
}

void splice_run_timers(struct splice *sp)
{
	struct timer *t;

	while ((t = timer_due(sp)) != NULL) {
		uintptr_t off = (uintptr_t)t - (uintptr_t)sp->flows;

		if (off < sp->n_flows * sizeof(struct flow))
			timeout_run(sp, &sp->flows[off / sizeof(struct flow)]);
		else
			leg_timer(sp, &sp->legs[((uintptr_t)t - (uintptr_t)sp->legs) /
						sizeof(struct leg)]);
	}
}

static void prefetch(const void *record, size_t len)
{
	const char *at = record;

	for (size_t off = 0; off < len; off += CACHE_LINE)
		__builtin_prefetch(at + off, 1);
	__builtin_prefetch(at + len - 1, 1);
}

static void prefetch_buffer(const struct splice *sp, uint32_t buf)
{
	if (buf != 0)
		prefetch(buffer_at(sp, buf), sizeof(struct buffer) + USUAL_HEAD);
}

static void prefetch_flow(const struct splice *sp, uint32_t flow)
{
	prefetch(&sp->flows[flow], sizeof(sp->flows[flow]));
}

void splice_prefetch(const struct splice *sp, enum splice_side side, uint32_t idx)
{
	if (side == SPLICE_CLIENT)
		prefetch_flow(sp, idx);
	else
		prefetch(&sp->legs[idx], sizeof(sp->legs[idx]));
}

uint32_t splice_prefetch_peer(const struct splice *sp, enum splice_side side, uint32_t idx)
{
	const struct flow *f = &sp->flows[idx];

	if (side == SPLICE_SERVER) {
		uint32_t flow = leg_flow(&sp->legs[idx]);

		if (flow != SPLICE_NONE)
			prefetch_flow(sp, flow);
		return flow;
	}
	if (f->phase != PHASE_BOUND)
		return SPLICE_NONE;
	prefetch(&sp->legs[f->leg], sizeof(sp->legs[f->leg]));
	prefetch_buffer(sp, f->up.buf);
	prefetch_buffer(sp, f->down.kept);
	return f->leg;
}

void splice_prefetch_pool(const struct splice *sp, uint32_t endpoint)
{
	prefetch(&sp->pools[endpoint], sizeof(sp->pools[endpoint]));
	prefetch(&sp->n_pool[endpoint], sizeof(sp->n_pool[endpoint]));
	prefetch(&sp->n_active[endpoint], sizeof(sp->n_active[endpoint]));
}

uint32_t splice_prefetch_idle(const struct splice *sp, uint32_t endpoint)
{
	uint32_t leg = sp->pools[endpoint];

	if (leg != SPLICE_NONE)
		prefetch(&sp->legs[leg], sizeof(sp->legs[leg]));
	return leg;
}

void splice_client_segment(struct splice *sp, uint32_t flow, struct tcp_segment *seg)
{
	segment_take(sp, &sp->flows[flow], SPLICE_CLIENT, seg);
}

void splice_server_segment(struct splice *sp, uint32_t leg, struct tcp_segment *seg)
{
	struct leg *l = &sp->legs[leg];

	if (leg_flow(l) != SPLICE_NONE && sp->flows[l->flow].phase == PHASE_BOUND)
		segment_take(sp, &sp->flows[l->flow], SPLICE_SERVER, seg);
	else
		leg_segment(sp, l, seg);
}

// ---- what ICMP says

bool splice_too_big(struct splice *sp, enum splice_side side, uint32_t idx, uint32_t seq,
	uint16_t mss, enum splice_side *other, uint32_t *other_idx, uint32_t *other_seq)
{
	uint32_t flow = side == SPLICE_CLIENT ? idx : leg_flow(&sp->legs[idx]);
	struct flow *f = flow == SPLICE_NONE ? NULL : &sp->flows[flow];
	struct end *e = f == NULL ? NULL : side_end(sp, f, side);
	const struct half *h;

	if (e == NULL || seq_before(seq, e->snd_una) || !seq_before(seq, e->snd_nxt))
		return false;
	mss = mss < MIN_MSS ? MIN_MSS : mss;
	e->mss = mss < e->mss ? mss : e->mss;
	h = half_to(f, side);
	if (h->owning && seq_before(seq, h->base + h->delta)) {
		buffer_at(sp, h->buf)->nxt = e->snd_una;
		memset(&sp->at_work, 0, sizeof(sp->at_work));
		own_send(sp, f, side);
		return false;
	}
	if (f->phase != PHASE_BOUND)
		return false;
	*other = other_side(side);
	*other_idx = side == SPLICE_CLIENT ? f->leg : flow;
	*other_seq = half_source(h, seq);
	return true;
}

void splice_unreachable(struct splice *sp, uint32_t leg, uint32_t seq)
{
	struct leg *l = &sp->legs[leg];

	if (l->state == LEG_CONNECTING && seq == l->server.snd_nxt - 1)
		leg_refused(sp, l);
}

// ---- drain, and a look

void splice_drain(struct splice *sp)
{
	sp->draining = true;
	for (uint32_t i = 0; i < sp->n_flows; i++) {
		struct flow *f = &sp->flows[i];
		struct tcp_segment *none = NULL;

		if (f->phase == PHASE_FREE || f->phase == PHASE_LINGER)
			continue;
		memset(&sp->at_work, 0, sizeof(sp->at_work));
		if (f->phase == PHASE_REQUEST && !f->up.collecting) {
			flow_close(sp, f);
			flow_settle(sp, f, SPLICE_CLIENT, &none);
		} else {
			f->flags |= FLOW_CLOSE;
		}
	}
	for (uint32_t i = 0; i < sp->n_legs; i++)
		if (sp->legs[i].state == LEG_IDLE)
			leg_retire(sp, &sp->legs[i]);
}

const char *splice_phase_name(uint32_t phase)
{
	static const char *const NAMES[] = {
		"free", "handshake", "request", "connect", "bound", "reply", "closing", "linger"};

	return phase <= PHASE_LINGER ? NAMES[phase] : NULL;
}

bool splice_view(const struct splice *sp, uint32_t flow, struct splice_view *view)
{
	const struct flow *f = &sp->flows[flow];
	bool has_leg;

	if (flow >= sp->n_flows || f->phase == PHASE_FREE)
		return false;
	has_leg = f->phase == PHASE_BOUND || f->phase == PHASE_CONNECT;
	*view = (struct splice_view){
		.phase = splice_phase_name(f->phase),
		.listener = f->listener,
		.cluster = f->cluster,
		.route = f->route,
		.virtual_host = f->virtual_host,
		.leg = has_leg ? f->leg : SPLICE_NONE,
		.endpoint = has_leg ? sp->legs[f->leg].endpoint : SPLICE_NONE,
		.idle_ms = sp->now_ms - f->active_ms,
		.n_requests = f->n_requests,
	};
	return true;
}

uint32_t splice_leg_flow(const struct splice *sp, uint32_t leg)
{
	return leg_flow(&sp->legs[leg]);
}

const uint32_t *splice_active(const struct splice *sp)
{
	return sp->n_active;
}

uint32_t splice_idle_legs(const struct splice *sp, uint32_t endpoint)
{
	return endpoint < sp->n_endpoints ? sp->n_pool[endpoint] : 0;
}

void splice_usage(const struct splice *sp, struct splice_usage *usage)
{
	*usage = (struct splice_usage){
		.n_flows = sp->n_flows_used,
		.n_half_open = sp->n_half_open,
		.n_lingering = sp->n_lingering,
		.n_legs = sp->n_legs_used,
		.n_idle_legs = sp->n_idle,
		.n_small_buffers = sp->small.n_used,
		.n_large_buffers = sp->large.n_used,
		.n_held = sp->n_held,
		.bytes_per_flow = sizeof(struct flow) + sizeof(struct leg),
	};
}

void splice_limits(const struct splice *sp, struct splice_usage *limits)
{
	*limits = (struct splice_usage){
		.n_flows = sp->n_flows,
		.n_half_open = sp->max_half_open,
		.n_lingering = sp->n_flows,
		.n_legs = sp->n_legs,
		.n_idle_legs = sp->n_legs,
		.n_small_buffers = sp->small.n,
		.n_large_buffers = sp->large.n,
		.n_held = sp->max_held,
		.bytes_per_flow = sizeof(struct flow) + sizeof(struct leg),
	};
}
