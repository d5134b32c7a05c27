// SPDX-License-Identifier: Apache-2.0

// Joins a flow with a leg for one exchange, and with another leg when an endpoint fails before it answers.

#include "l7/splice/splice_priv.h"

uint32_t bind_route_left(const struct splice *sp, const struct flow *f)
{
	uint32_t gone_ms = ((uint32_t)sp->now_us - f->head_us) / 1000;
	uint32_t route_ms = f->up.buf == 0 ? 0 : buffer_at(sp, f->up.buf)->route_ms;

	if (route_ms == 0)
		return UINT32_MAX;
	return gone_ms < route_ms ? route_ms - gone_ms : 0;
}

enum beginning {
	BEGIN_IN_PLACE, // the head is passed on in the client's packet
	BEGIN_HELD,	// what the client sent waited here, and it was not told so
	BEGIN_OWNED,
};

static void begin_exchange(struct splice *sp, struct flow *f, enum beginning how)
{
	struct leg *leg = &sp->legs[f->leg];

	leg->state = LEG_BOUND;
	leg->heard = false;
	f->phase = PHASE_BOUND;
	f->flags &= (uint16_t)~FLOW_DRAINING;
	timeout_clear(f);
	if (bind_route_left(sp, f) != UINT32_MAX)
		timeout_set(f, sp->now_ms + bind_route_left(sp, f));
	f->down.base = leg->server.rcv_nxt;
	f->down.delta = f->client.snd_nxt - f->down.base;
	f->down.follow = f->flags & FLOW_TCP ? FOLLOW_OPAQUE : FOLLOW_HEAD;
	if (how == BEGIN_IN_PLACE)
		own_begin_in_place(sp, f);
	else if (how == BEGIN_HELD)
		own_begin_held(sp, f);
	else
		own_begin(sp, f, SPLICE_SERVER);
	if (f->up.follow != FOLLOW_END)
		sp->at_work.ack[SPLICE_CLIENT] = true; // the endpoint's window, at once
	if (f->n_requests > 1 && f->last_leg != f->leg)
		splice_tell(sp, f, SPLICE_REBIND, 0);
	f->last_leg = f->leg;
}

void bind_done(struct splice *sp, struct flow *f)
{
	if (f->flags & FLOW_TCP) {
		f->up.follow = FOLLOW_OPAQUE;
		f->flags |= FLOW_NO_POOL | FLOW_CLOSE;
		sp->at_work.ack[SPLICE_SERVER] = true;
		begin_exchange(sp, f, BEGIN_IN_PLACE); // there is no head
		buffer_give(sp, &f->up.buf);
		return;
	}
	begin_exchange(sp, f, f->up.base != f->client.rcv_nxt ? BEGIN_HELD : BEGIN_OWNED);
}

static void give_up(struct splice *sp, struct flow *f, enum splice_why why)
{
	uint16_t status = 502;

	if (f->flags & FLOW_TCP) {
		flow_reset(sp, f, why);
		return;
	}
	if (why == SPLICE_WHY_CONNECT || why == SPLICE_WHY_NO_ENDPOINT ||
		why == SPLICE_WHY_NO_MEMORY)
		status = 503;
	else if (why == SPLICE_WHY_ROUTE_TIMEOUT || why == SPLICE_WHY_IDLE_TIMEOUT)
		status = 504;
	reply_send(sp, f, status, NULL, 0, why);
}

// The client was told of no byte of the head, and its own bytes will do: so it is told when the endpoint has them.
static bool is_unacknowledged(const struct flow *f, const struct buffer *b)
{
	return b->as_sent && f->client.ack_sent == b->src_end - b->len;
}

// A pooled leg for a first try, a fresh one for the others: what failed once may fail again.
static bool bind_to(struct splice *sp, struct flow *f, uint32_t endpoint, bool first, bool in_place)
{
	uint32_t leg = SPLICE_NONE, wait_ms;

	if (first && !(f->flags & FLOW_TCP))
		leg = leg_from_pool(sp, f, endpoint);
	if (leg != SPLICE_NONE) {
		f->leg = leg;
		sp->legs[leg].flow = flow_idx(sp, f);
		begin_exchange(sp, f, in_place ? BEGIN_IN_PLACE : BEGIN_OWNED);
		return true;
	}
	leg = leg_open(sp, f, endpoint);
	if (leg == SPLICE_NONE)
		return false;
	f->leg = leg;
	f->phase = PHASE_CONNECT;
	if (is_unacknowledged(f, buffer_at(sp, f->up.buf)))
		f->up.base = f->client.ack_sent;
	wait_ms = buffer_at(sp, f->up.buf)->connect_ms;
	if (bind_route_left(sp, f) < wait_ms)
		wait_ms = bind_route_left(sp, f);
	timeout_set(f, sp->now_ms + wait_ms);
	return true;
}

void bind_request(struct splice *sp, struct flow *f, bool in_place)
{
	struct buffer *b = buffer_at(sp, f->up.buf);
	enum splice_why why = SPLICE_WHY_NO_ENDPOINT;

	while (b->n_tried < SPLICE_MAX_TRIES) {
		uint32_t endpoint =
			sp->io->pick(sp->ctx, flow_idx(sp, f), f->cluster, b->tried, b->n_tried);

		if (endpoint == SPLICE_NONE)
			break;
		b->tried[b->n_tried++] = endpoint;
		if (bind_to(sp, f, endpoint, b->n_tried == 1, in_place))
			return;
		why = SPLICE_WHY_CONNECT;
	}
	give_up(sp, f, why);
}

// RFC 9110 §9.2.2.
static bool is_idempotent(const struct flow *f)
{
	switch (f->method) {
	case HTTP1_GET:
	case HTTP1_HEAD:
	case HTTP1_PUT:
	case HTTP1_DELETE:
	case HTTP1_OPTIONS:
	case HTTP1_TRACE:
		return true;
	}
	return false;
}

// The head is still here, nothing of the answer was seen, and the client sends again what came behind.
bool bind_may_retry(const struct splice *sp, const struct flow *f, bool unheard)
{
	const struct buffer *b = f->up.buf == 0 ? NULL : buffer_at(sp, f->up.buf);

	if (b == NULL || (f->flags & (FLOW_SPOKEN | FLOW_ANSWERED | FLOW_BODY_PASSED)) ||
		b->n_tried >= SPLICE_MAX_TRIES)
		return false;
	return unheard || (f->flags & FLOW_TCP) || is_idempotent(f);
}

// Back to right behind the head.
static void rewind_request(struct splice *sp, struct flow *f)
{
	const struct buffer *b = buffer_at(sp, f->up.buf);

	f->up.owning = false;
	if (!(f->flags & FLOW_CLIENT_CLOSES))
		f->flags &= (uint16_t)~FLOW_NO_POOL; // the next leg may be fit
	buffer_give(sp, &f->up.kept);
	if (f->client.rcv_nxt != b->src_end)
		f->client.flags &= (uint8_t)~END_FIN_IN;
	f->client.rcv_nxt = b->src_end;
	f->up.base = b->src_end;
	follow_body(&f->up, b->body, b->content_length);
}

void bind_failed(struct splice *sp, struct flow *f, enum splice_why why, bool unheard)
{
	bool retry = bind_may_retry(sp, f, unheard);

	if (f->phase == PHASE_CONNECT)
		splice_tell(sp, f, SPLICE_CONNECT_FAILED, 0);
	if ((f->flags & FLOW_ESTABLISHED) &&
		!end_has_all(&f->client)) { // it waits for bytes that nobody has any more
		flow_reset(sp, f, why);
		return;
	}
	leg_abort(sp, f);
	buffer_give(sp, &f->down.kept);
	kept_drop_held(sp, &f->down);
	f->phase = PHASE_REQUEST;
	f->down.collecting = false;
	buffer_give(sp, &f->down.buf);
	if (!retry) {
		give_up(sp, f, why);
		return;
	}
	rewind_request(sp, f);
	splice_tell(sp, f, SPLICE_RETRY, buffer_at(sp, f->up.buf)->n_tried);
	bind_request(sp, f, false);
}
