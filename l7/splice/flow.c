// SPDX-License-Identifier: Apache-2.0

// A flow's life: exchanges follow each other, and at last it is closed or reset.

#include "l7/splice/splice_priv.h"

// ---- records

static void linger_unlink(struct splice *sp, struct flow *f)
{
	uint32_t next = f->leg, prev = f->last_leg;

	if (prev == SPLICE_NONE)
		sp->linger_first = next;
	else
		sp->flows[prev].leg = next;
	if (next == SPLICE_NONE)
		sp->linger_last = prev;
	else
		sp->flows[next].last_leg = prev;
	sp->n_lingering--;
	f->leg = SPLICE_NONE;
	f->last_leg = SPLICE_NONE;
}

static void drop_contents(struct splice *sp, struct flow *f)
{
	kept_drop_held(sp, &f->up);
	kept_drop_held(sp, &f->down);
	buffer_give(sp, &f->up.buf);
	buffer_give(sp, &f->up.kept);
	buffer_give(sp, &f->down.buf);
	buffer_give(sp, &f->down.kept);
	f->up.owning = false;
	f->down.owning = false;
}

void flow_free(struct splice *sp, struct flow *f)
{
	if (f->phase == PHASE_LINGER)
		linger_unlink(sp, f);
	if (f->flags & FLOW_HALF_OPEN)
		sp->n_half_open--;
	drop_contents(sp, f);
	timer_clear(sp, &f->timer);
	f->phase = PHASE_FREE;
	f->flags = 0;
	splice_tell(sp, f, SPLICE_FLOW_CLOSED, 0);
	sp->io->flow_closed(sp->ctx, flow_idx(sp, f));
	f->leg = sp->free_flow;
	sp->free_flow = flow_idx(sp, f);
	sp->n_flows_used--;
}

static void init(
	struct splice *sp, struct flow *f, uint32_t listener, const struct splice_listener *l)
{
	*f = (struct flow){
		.leg = SPLICE_NONE,
		.last_leg = SPLICE_NONE,
		.cluster = SPLICE_NONE,
		.route = SPLICE_NONE,
		.virtual_host = SPLICE_NONE,
		.listener = listener,
		.active_ms = sp->now_ms,
		.idle_ms = l->idle_timeout_ms,
		.flags = l->protocol == SPLICE_TCP ? FLOW_TCP : 0,
		.up.follow = FOLLOW_HEAD,
		.timer.prev = TIMER_OUT,
	};
}

struct flow *flow_take(struct splice *sp, uint32_t listener, const struct splice_listener *l)
{
	struct flow *f;

	if (sp->free_flow == SPLICE_NONE && sp->linger_first != SPLICE_NONE)
		flow_free(sp, &sp->flows[sp->linger_first]);
	if (sp->free_flow == SPLICE_NONE)
		return NULL;
	f = &sp->flows[sp->free_flow];
	sp->free_flow = f->leg;
	sp->n_flows_used++;
	init(sp, f, listener, l);
	return f;
}

void flow_restart(struct splice *sp, struct flow *f, const struct splice_listener *l)
{
	linger_unlink(sp, f);
	timer_clear(sp, &f->timer);
	splice_tell(sp, f, SPLICE_FLOW_CLOSED, 0);
	init(sp, f, f->listener, l);
}

// ---- ends

static void linger(struct splice *sp, struct flow *f)
{
	drop_contents(sp, f);
	f->phase = PHASE_LINGER;
	f->client.rto_armed = false;
	f->leg = SPLICE_NONE;
	f->last_leg = sp->linger_last;
	if (sp->linger_last == SPLICE_NONE)
		sp->linger_first = flow_idx(sp, f);
	else
		sp->flows[sp->linger_last].leg = flow_idx(sp, f);
	sp->linger_last = flow_idx(sp, f);
	sp->n_lingering++;
	timeout_set(f, sp->now_ms + LINGER_MS);
}

void flow_close(struct splice *sp, struct flow *f)
{
	// Where the client was told that the connection ends, what it sent before it knew is read and thrown away
	// (RFC 9112 §9.6). Where it was not, it learns by a reset that its next request did not count.
	bool unread = (f->flags & FLOW_TOLD) || f->up.follow == FOLLOW_DISCARD;

	drop_contents(sp, f);
	f->phase = PHASE_CLOSING;
	f->up.follow = unread ? FOLLOW_DISCARD : FOLLOW_END;
	f->up.collecting = false;
	f->up.base = f->client.rcv_nxt;
	timeout_set(f, sp->now_ms + (unread ? DISCARD_MS : CLOSE_MS));
	if (!(f->client.flags & END_FIN_OUT))
		send_fin(sp, f, SPLICE_CLIENT);
}

void flow_reset(struct splice *sp, struct flow *f, enum splice_why why)
{
	splice_tell(sp, f, SPLICE_RESET_CLIENT, why);
	send_reset(sp, f, SPLICE_CLIENT); // its ACK is the leg's
	leg_abort(sp, f);
	flow_free(sp, f);
}

// More of the answer is here, and waits for the client to acknowledge an interim one.
static bool holds_answer(const struct flow *f, const struct leg *leg)
{
	const struct tcp_segment *first = f->down.held;

	return first != NULL && first->len > 0 && !seq_after(first->seq, leg->server.rcv_nxt);
}

// An answer that is whole ends the connection when the client has it: nobody can send it again.
static void go_on_without(struct splice *sp, struct flow *f, enum splice_why why, bool unheard)
{
	if (f->down.follow == FOLLOW_END || holds_answer(f, &sp->legs[f->leg])) {
		f->flags |= FLOW_CLOSE | FLOW_NO_POOL;
		timeout_set(f, sp->now_ms + CLOSE_MS);
	} else if (f->down.follow == FOLLOW_HEAD) {
		bind_failed(sp, f, why, unheard);
	} else {
		flow_reset(sp, f, f->flags & FLOW_TCP ? why : SPLICE_WHY_TRUNCATED);
	}
}

void flow_endpoint_lost(struct splice *sp, struct flow *f, enum splice_why why, bool unheard)
{
	struct leg *leg = &sp->legs[f->leg];

	if (leg->state == LEG_DEAD)
		return;
	leg->state = LEG_DEAD;
	leg->server.rto_armed = false;
	f->up.owning = false;
	go_on_without(sp, f, why, unheard);
}

void flow_followed_held(struct splice *sp, struct flow *f)
{
	const struct leg *leg = bound_leg(sp, f);

	if (leg != NULL && leg->state == LEG_DEAD)
		go_on_without(sp, f, SPLICE_WHY_ENDPOINT_RESET, false);
}

// ---- FINs

static void client_fin(struct splice *sp, struct flow *f)
{
	switch (f->up.follow) {
	case FOLLOW_HEAD:
		flow_close(sp, f);
		break;
	case FOLLOW_LENGTH:
	case FOLLOW_CHUNKED:
	case FOLLOW_OPAQUE: // in mid-message: the endpoint must see it
		f->flags |= FLOW_CLOSE | FLOW_NO_POOL;
		send_fin(sp, f, SPLICE_SERVER);
		break;
	default: // the request is whole: its response is still wanted
		f->flags |= FLOW_CLOSE;
	}
}

static void server_fin(struct splice *sp, struct flow *f)
{
	const struct leg *leg = &sp->legs[f->leg];

	f->flags |= FLOW_NO_POOL;
	switch (f->down.follow) {
	case FOLLOW_HEAD:
		send_reset(sp, f, SPLICE_SERVER);
		flow_endpoint_lost(sp, f, SPLICE_WHY_ENDPOINT_CLOSED, !leg->heard);
		break;
	case FOLLOW_OPAQUE:
		if (f->up.follow == FOLLOW_OPAQUE) { // a tunnel
			send_fin(sp, f, SPLICE_CLIENT);
			break;
		}
		f->down.follow = FOLLOW_END;
		f->flags |= FLOW_CLOSE;
		response_ended(sp, f);
		break;
	case FOLLOW_LENGTH:
	case FOLLOW_CHUNKED:
		flow_reset(sp, f, SPLICE_WHY_TRUNCATED);
		break;
	}
}

void flow_fin(struct splice *sp, struct flow *f, enum splice_side from)
{
	sp->at_work.ack[from] = true;
	if (from == SPLICE_CLIENT)
		client_fin(sp, f);
	else
		server_fin(sp, f);
}

// ---- exchanges

static bool is_at_rest(const struct splice *sp, const struct flow *f)
{
	const struct leg *leg = bound_leg(sp, f);

	if (f->down.owning || !end_has_all(&f->client))
		return false;
	if (f->phase == PHASE_REPLY)
		return true;
	if (leg == NULL)
		return false;
	if (f->down.follow == FOLLOW_OPAQUE && f->up.follow == FOLLOW_OPAQUE)
		return end_is_over(&f->client) && end_is_over(&leg->server);
	if (f->down.follow != FOLLOW_END)
		return false;
	if (leg->state == LEG_DEAD || f->up.follow != FOLLOW_END)
		return true;
	return !f->up.owning && end_has_all(&leg->server);
}

static void begin_request(struct splice *sp, struct flow *f)
{
	const struct splice_listener *l = sp->io->listener(sp->ctx, f->listener);

	f->phase = PHASE_REQUEST;
	f->up.follow = FOLLOW_HEAD;
	f->up.base = f->client.rcv_nxt;
	f->down.follow = FOLLOW_IDLE;
	f->cluster = SPLICE_NONE;
	buffer_give(sp, &f->up.buf);
	buffer_give(sp, &f->up.kept);
	buffer_give(sp, &f->down.kept);
	timeout_clear(f);
	if (l == NULL || sp->draining)
		flow_close(sp, f);
	else
		f->idle_ms = l->idle_timeout_ms;
}

bool flow_rest(struct splice *sp, struct flow *f)
{
	follow_fin(sp, f, SPLICE_CLIENT);
	if (f->phase != PHASE_FREE)
		follow_fin(sp, f, SPLICE_SERVER);
	if (f->phase == PHASE_FREE || !is_at_rest(sp, f))
		return false;
	if (f->phase == PHASE_BOUND) {
		// A request that is still coming leaves a leg that nobody else can use.
		if (f->up.follow != FOLLOW_END && f->up.follow != FOLLOW_OPAQUE)
			leg_abort(sp, f);
		else
			leg_release(sp, f);
	}
	sp->at_work.n_sacks = 0;
	sp->at_work.duplicate = false;
	if (f->flags & FLOW_CLOSE)
		flow_close(sp, f);
	else
		begin_request(sp, f);
	if ((uint32_t)f->client.win_sent << f->client.scale_out < HEAD_WINDOW / 2)
		sp->at_work.ack[SPLICE_CLIENT] = true; // the endpoint's window was nearly shut
	return true;
}

// Once the response's last byte is on its way, a connection that ends with it can end.
static bool can_say_goodbye(const struct flow *f)
{
	return f->phase == PHASE_BOUND && (f->flags & FLOW_CLOSE) && f->down.follow == FOLLOW_END &&
	       !f->down.owning && !(f->client.flags & END_FIN_OUT);
}

static bool go_on(struct splice *sp, struct flow *f)
{
	bool moved;

	own_send(sp, f, SPLICE_CLIENT);
	own_send(sp, f, SPLICE_SERVER);
	if (can_say_goodbye(f))
		send_fin(sp, f, SPLICE_CLIENT);
	moved = flow_rest(sp, f);
	moved = follow_held(sp, f, SPLICE_CLIENT) || moved;
	if (f->phase == PHASE_FREE)
		return false;
	return follow_held(sp, f, SPLICE_SERVER) || moved;
}

void flow_settle(
	struct splice *sp, struct flow *f, enum splice_side from, struct tcp_segment **carrier)
{
	while (f->phase != PHASE_FREE && go_on(sp, f))
		;
	if (f->phase == PHASE_FREE) {
		leg_pay_ack(sp);
		return;
	}
	send_ack(sp, f, other_side(from), carrier);
	if (sp->at_work.ack[from])
		send_ack(sp, f, from, carrier);
	if (f->phase == PHASE_CLOSING && end_is_over(&f->client))
		linger(sp, f);
	leg_pay_ack(sp);
	timeout_arm(sp, f);
}
