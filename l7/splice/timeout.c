// SPDX-License-Identifier: Apache-2.0

// What a flow does when nothing comes: deadlines, repetitions, and looks at its endpoint. Its one timer is set for
// the first of them.

#include "l7/splice/splice_priv.h"

void timeout_set(struct flow *f, uint32_t at_ms)
{
	f->deadline_ms = at_ms;
	f->flags |= FLOW_DEADLINE;
}

void timeout_clear(struct flow *f)
{
	f->flags &= (uint16_t) ~(FLOW_DEADLINE | FLOW_DRAIN_LIMIT);
}

static uint32_t earlier(uint32_t a, uint32_t b)
{
	return time_reached(b, a) ? a : b;
}

// Whether the flow's pooled leg has not even acknowledged the head yet. One that holds what must not be sent
// twice gets more time.
static bool awaits_sign_of_life(const struct splice *sp, const struct flow *f)
{
	const struct leg *leg = bound_leg(sp, f);

	return leg != NULL && leg->state == LEG_BOUND && leg->reused && !leg->heard &&
	       bind_may_retry(sp, f, false);
}

// Milliseconds until it counts as dead. Pooled legs are bound when the head is complete.
static uint32_t dead_leg_left(const struct splice *sp, const struct flow *f)
{
	uint32_t waited_ms = ((uint32_t)sp->now_us - f->head_us) / 1000;

	return waited_ms < DEAD_LEG_MS ? DEAD_LEG_MS - waited_ms : 0;
}

// The other phases have deadlines of their own.
static bool may_idle_out(const struct flow *f)
{
	return f->phase == PHASE_BOUND || f->phase == PHASE_REPLY ||
	       (f->phase == PHASE_REQUEST && !f->up.collecting);
}

void timeout_arm(struct splice *sp, struct flow *f)
{
	const struct leg *leg = bound_leg(sp, f);
	uint32_t at = sp->now_ms + LOOK_MS;

	if (f->phase == PHASE_FREE)
		return;
	if (may_idle_out(f))
		at = leg == NULL ? f->active_ms + f->idle_ms
				 : earlier(at, f->active_ms + f->idle_ms);
	if (f->flags & FLOW_DEADLINE)
		at = earlier(at, f->deadline_ms);
	if (f->client.rto_armed)
		at = earlier(at, f->client.rto_at);
	if (leg != NULL && leg->server.rto_armed)
		at = earlier(at, leg->server.rto_at);
	if (awaits_sign_of_life(sp, f))
		at = earlier(at, sp->now_ms + dead_leg_left(sp, f));
	if (f->timer.prev == TIMER_OUT || seq_before(at, f->timer.at_ms))
		timer_set(sp, &f->timer, at);
}

// ---- what is due

static void response_timeout(struct splice *sp, struct flow *f, enum splice_why why)
{
	if ((f->phase == PHASE_CONNECT || f->down.follow == FOLLOW_HEAD) &&
		!(f->flags & FLOW_TCP)) {
		if (f->up.buf != 0)
			buffer_at(sp, f->up.buf)->n_tried = SPLICE_MAX_TRIES; // not once more
		bind_failed(sp, f, why, false);
		return;
	}
	flow_reset(sp, f, why);
}

static void deadline_reached(struct splice *sp, struct flow *f)
{
	bool is_drained = (f->flags & FLOW_DRAIN_LIMIT) != 0;

	timeout_clear(f);
	switch (f->phase) {
	case PHASE_REQUEST:
		f->flags |= FLOW_CLOSE;
		f->method = HTTP1_OTHER;
		reply_send(sp, f, 408, NULL, 0, SPLICE_WHY_HEAD_TIMEOUT);
		break;
	case PHASE_CONNECT:
		if (bind_route_left(sp, f) == 0)
			response_timeout(sp, f, SPLICE_WHY_ROUTE_TIMEOUT);
		else
			bind_failed(sp, f, SPLICE_WHY_CONNECT, true);
		break;
	case PHASE_BOUND:
		if (is_drained)
			flow_reset(sp, f, SPLICE_WHY_DRAINED);
		else if (sp->legs[f->leg].state == LEG_DEAD)
			flow_reset(sp, f, SPLICE_WHY_ENDPOINT_RESET);
		else
			response_timeout(sp, f, SPLICE_WHY_ROUTE_TIMEOUT);
		break;
	case PHASE_CLOSING:
		send_reset(sp, f, SPLICE_CLIENT);
		flow_free(sp, f);
		break;
	default:
		flow_free(sp, f);
	}
}

static void idle_timeout(struct splice *sp, struct flow *f)
{
	if (f->phase == PHASE_REQUEST)
		flow_close(sp, f);
	else if (f->phase == PHASE_BOUND)
		response_timeout(sp, f, SPLICE_WHY_IDLE_TIMEOUT);
	else
		flow_reset(sp, f, SPLICE_WHY_IDLE_TIMEOUT);
}

static void host_timeout(struct splice *sp, struct flow *f, enum splice_side side)
{
	struct end *e = side_end(sp, f, side);

	if (e == NULL || !e->rto_armed || !time_reached(sp->now_ms, e->rto_at))
		return;
	if (f->phase == PHASE_SYN) {
		if (e->n_timeouts++ < MAX_SYN_TIMEOUTS)
			syn_answer(sp, f);
		else
			flow_reset(sp, f, SPLICE_WHY_NONE);
	} else if (e->n_timeouts < MAX_TIMEOUTS) {
		own_rto_fire(sp, f, side);
	} else if (side == SPLICE_CLIENT) {
		flow_reset(sp, f, SPLICE_WHY_NONE);
	} else {
		send_reset(sp, f, SPLICE_SERVER);
		flow_endpoint_lost(sp, f, SPLICE_WHY_CONNECT, false);
	}
}

static void look_at_endpoint(struct splice *sp, struct flow *f)
{
	const struct leg *leg = bound_leg(sp, f);
	const struct splice_listener *l;
	uint32_t limit_ms;

	if (leg == NULL)
		return;
	if (awaits_sign_of_life(sp, f) && dead_leg_left(sp, f) == 0) {
		send_reset(sp, f, SPLICE_SERVER); // it may yet get the head
		flow_endpoint_lost(sp, f, SPLICE_WHY_CONNECT, false);
		return;
	}
	l = sp->io->listener(sp->ctx, f->listener);
	if ((f->flags & FLOW_DRAINING) ||
		(l != NULL && sp->io->endpoint_lives(sp->ctx, leg->endpoint)))
		return;
	f->flags |= FLOW_DRAINING | FLOW_NO_POOL;
	limit_ms = sp->now_ms + (l == NULL ? CLOSE_MS : l->drain_timeout_ms);
	if ((l != NULL && l->drain_timeout_ms == 0) ||
		((f->flags & FLOW_DEADLINE) && time_reached(limit_ms, f->deadline_ms)))
		return;
	timeout_set(f, limit_ms);
	f->flags |= FLOW_DRAIN_LIMIT;
}

void timeout_run(struct splice *sp, struct flow *f)
{
	struct tcp_segment *none = NULL;

	memset(&sp->at_work, 0, sizeof(sp->at_work));
	if ((f->flags & FLOW_DEADLINE) && time_reached(sp->now_ms, f->deadline_ms))
		deadline_reached(sp, f);
	else if (may_idle_out(f) && time_reached(sp->now_ms, f->active_ms + f->idle_ms))
		idle_timeout(sp, f);
	if (f->phase != PHASE_FREE)
		host_timeout(sp, f, SPLICE_CLIENT);
	if (f->phase != PHASE_FREE)
		host_timeout(sp, f, SPLICE_SERVER);
	if (f->phase != PHASE_FREE)
		look_at_endpoint(sp, f);
	if (f->phase == PHASE_FREE || f->phase == PHASE_SYN || f->phase == PHASE_LINGER)
		timeout_arm(sp, f);
	else
		flow_settle(sp, f, SPLICE_CLIENT, &none);
}
