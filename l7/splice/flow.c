// SPDX-License-Identifier: Apache-2.0

// A flow's life: segments come in, exchanges follow each other, and at last it is closed, reset, or timed
// out.

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
	follow_drop_held(sp, &f->up);
	follow_drop_held(sp, &f->down);
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
		.cluster = l->protocol == SPLICE_TCP ? l->cluster : SPLICE_NONE,
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

struct flow *flow_take(struct splice *sp, uint32_t listener)
{
	const struct splice_listener *l = sp->io->listener(sp->ctx, listener);
	struct flow *f;

	if (sp->free_flow == SPLICE_NONE && sp->linger_first != SPLICE_NONE)
		flow_free(sp, &sp->flows[sp->linger_first]);
	if (sp->free_flow == SPLICE_NONE || l == NULL)
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

// ---- deadlines

void flow_deadline(struct flow *f, uint32_t at_ms)
{
	f->deadline_ms = at_ms;
	f->flags |= FLOW_DEADLINE;
}

void flow_no_deadline(struct flow *f)
{
	f->flags &= (uint16_t) ~(FLOW_DEADLINE | FLOW_DRAIN_LIMIT);
}

static uint32_t earlier(uint32_t a, uint32_t b)
{
	return time_reached(b, a) ? a : b;
}

// Whether the flow's pooled leg has not even acknowledged the head yet.
static bool awaits_sign_of_life(const struct splice *sp, const struct flow *f)
{
	const struct leg *leg = bound_leg(sp, f);

	return leg != NULL && leg->state == LEG_BOUND && leg->reused && !leg->heard &&
	       f->up.buf != 0 && !(f->flags & FLOW_SPOKEN);
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

void flow_arm(struct splice *sp, struct flow *f)
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
	flow_deadline(f, sp->now_ms + LINGER_MS);
}

void flow_close(struct splice *sp, struct flow *f)
{ // Where the client was told that the connection ends, what it sent before it knew is read and thrown away
	// (RFC 9112 §9.6). Where it was not, it learns by a reset that its next request did not count.
	bool unread = (f->flags & FLOW_TOLD) || f->up.follow == FOLLOW_DISCARD;
	drop_contents(sp, f);
	f->phase = PHASE_CLOSING;
	f->up.follow = unread ? FOLLOW_DISCARD : FOLLOW_END;
	f->up.collecting = false;
	f->up.base = f->client.rcv_nxt;
	flow_deadline(f, sp->now_ms + (unread ? DISCARD_MS : CLOSE_MS));
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

void flow_endpoint_lost(struct splice *sp, struct flow *f, enum splice_why why, bool unheard)
{
	struct leg *leg = &sp->legs[f->leg];

	if (leg->state == LEG_DEAD)
		return;
	leg->state = LEG_DEAD;
	leg->server.rto_armed = false;
	f->up.owning = false;
	switch (f->down.follow) {
	case FOLLOW_HEAD:
		bind_failed(sp, f, why, unheard);
		return;
	case FOLLOW_END: // the client may lack some of it yet: no one can send it again
		f->flags |= FLOW_CLOSE | FLOW_NO_POOL;
		flow_deadline(f, sp->now_ms + CLOSE_MS);
		return;
	default:
		flow_reset(sp, f, f->flags & FLOW_TCP ? why : SPLICE_WHY_TRUNCATED);
	}
}

// RFC 5961 §3.2: a reset is believed where its number is exact, and asked for again elsewhere in the window.
static bool is_reset_exact(const struct end *e, const struct tcp_segment *seg)
{
	return seg->seq == e->ack_sent || seg->seq == e->rcv_nxt;
}

static void reset_by(
	struct splice *sp, struct flow *f, enum splice_side from, const struct tcp_segment *seg)
{
	struct end *e = side_end(sp, f, from);
	uint32_t room = (uint32_t)e->win_sent << e->scale_out;

	if (!is_reset_exact(e, seg)) {
		if (seg->seq - e->ack_sent <= room)
			send_challenge(sp, f, from);
		return;
	}
	if (from == SPLICE_CLIENT) {
		leg_abort(sp, f);
		flow_free(sp, f);
		return;
	}
	flow_endpoint_lost(sp, f, SPLICE_WHY_ENDPOINT_RESET, false);
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

static bool is_tunnel_over(const struct flow *f, const struct leg *leg)
{
	const uint8_t both = END_FIN_IN | END_FIN_OUT;

	return (f->client.flags & both) == both && (leg->server.flags & both) == both &&
	       end_has_all(&leg->server);
}

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
		return is_tunnel_over(f, leg);
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
	flow_no_deadline(f);
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
	if (f->phase == PHASE_CLOSING && (f->client.flags & END_FIN_IN) && end_has_all(&f->client))
		linger(sp, f);
	leg_pay_ack(sp);
	flow_arm(sp, f);
}

// ---- segments

// SACK blocks, in the numbers of the side whose bytes they are about. Edges within the node's own bytes move
// outward; what is empty then goes.
static void take_sacks(
	struct splice *sp, struct flow *f, enum splice_side from, const struct tcp_segment *seg)
{
	const struct half *h = half_to(f, from);
	const struct end *e = side_end(sp, f, from);
	const struct end *to = side_end(sp, f, other_side(from));
	uint32_t data_end = e->snd_nxt - ((e->flags & END_FIN_OUT) != 0);

	if (to == NULL || !(to->flags & END_SACK))
		return;
	for (uint8_t i = 0; i < seg->n_sacks; i++) {
		struct tcp_sack sack = {
			.left = half_source(h, seg->sacks[i].left),
			.right = half_source(h, seq_min(seg->sacks[i].right, data_end)),
		};

		if (seq_before(sack.left, sack.right) && sack.left != half_source(h, seg->ack))
			sp->at_work.sacks[sp->at_work.n_sacks++] = sack;
	}
}

static void take_duplicate(struct splice *sp, struct flow *f, enum splice_side from)
{
	struct half *h = half_to(f, from);
	struct end *e = side_end(sp, f, from);

	if (h->owning && seq_before(e->snd_una, h->base + h->delta)) {
		if (e->n_dup_acks <= DUP_ACKS)
			e->n_dup_acks++;
		if (e->n_dup_acks == DUP_ACKS)
			own_resend(sp, f, from);
		return;
	}
	sp->at_work.duplicate = f->phase == PHASE_BOUND;
}

// RFC 9293 §3.10.7.4. False: it acknowledges what was never sent.
static bool take_ack(
	struct splice *sp, struct flow *f, enum splice_side from, const struct tcp_segment *seg)
{
	struct end *e = side_end(sp, f, from);
	uint32_t wnd_end = seg->ack + ((uint32_t)seg->window << e->scale_in);
	uint32_t n_acked = seg->ack - e->snd_una;
	uint32_t una = e->snd_una;
	bool same_window = wnd_end == e->wnd_end;

	if (seq_after(seg->ack, e->snd_nxt))
		return false;
	take_sacks(sp, f, from, seg);
	if (seq_before(seg->ack, e->snd_una))
		return true;
	// Beside RFC 9293's rule: a host whose window moved left sends ACKs with a number below its highest.
	if (n_acked > 0 || !seq_before(seg->seq, e->rcv_nxt) || seq_after(wnd_end, e->wnd_end))
		e->wnd_end = wnd_end;
	if (n_acked > 0) {
		f->active_ms = sp->now_ms;
		e->snd_una = seg->ack;
		e->n_dup_acks = 0;
		if (from == SPLICE_SERVER)
			sp->legs[f->leg].heard = true;
		own_acked(sp, f, from);
		splice_tell(sp, f, from == SPLICE_CLIENT ? SPLICE_BYTES_DOWN : SPLICE_BYTES_UP,
			end_data_una(e) - una);
		if (f->phase == PHASE_BOUND)
			follow_acked(sp, f, other_side(from));
	} else if (seg->len == 0 && !(seg->flags & TCP_FIN) && same_window && !end_has_all(e)) {
		take_duplicate(sp, f, from);
	}
	return true;
}

// A host asks whether a shut window has opened. The node answers for the far host, and asks it, in case its
// word was lost.
static void answer_probe(
	struct splice *sp, struct flow *f, enum splice_side from, const struct tcp_segment *seg)
{
	const struct end *far = side_end(sp, f, other_side(from));
	struct tcp_out out = {.seq = far == NULL ? 0 : far->snd_una - 1};
	uint16_t challenged = side_end(sp, f, from)->challenged;

	if (seg->len > 0 || (seg->flags & TCP_FIN)) {
		sp->at_work.ack[from] = true;
	} else {
		// Two ends out of step would answer each other's empty segments for ever.
		send_challenge(sp, f, from);
		if (side_end(sp, f, from)->challenged == challenged)
			return;
	}
	if (far != NULL && bound_leg(sp, f)->state == LEG_BOUND &&
		!seq_after(far->wnd_end, far->snd_una))
		send_segment(sp, f, other_side(from), &out, NULL, 0, NULL);
}

// What the host was already told that it arrived, it is told again.
static bool is_old(const struct end *e, const struct tcp_segment *seg)
{
	uint32_t n = seg->len + ((seg->flags & TCP_FIN) != 0);

	return n > 0 ? !seq_after(seg->seq + n, e->ack_sent) : seq_before(seg->seq, e->ack_sent);
}

// No window that was ever announced reaches that far.
static bool is_beyond(const struct end *e, const struct tcp_segment *seg)
{
	return seq_after(
		tcp_segment_end(seg), e->ack_sent + ((uint32_t)UINT16_MAX << e->scale_out));
}

static void linger_segment(struct splice *sp, struct flow *f, const struct tcp_segment *seg)
{
	if (seg->flags & TCP_RST) {
		if (is_reset_exact(&f->client, seg))
			flow_free(sp, f);
		return;
	}
	if (seg->flags & TCP_SYN) {
		if ((seg->flags & TCP_ACK) || !syn_again(sp, f, seg))
			send_challenge(sp, f, SPLICE_CLIENT);
		return;
	}
	if (seg->len > 0 || (seg->flags & TCP_FIN)) {
		struct tcp_out out = {.seq = f->client.snd_nxt};

		send_segment(sp, f, SPLICE_CLIENT, &out, NULL, 0, NULL);
	}
}

// False: the segment says nothing that could be followed.
static bool accept_segment(
	struct splice *sp, struct flow *f, enum splice_side from, const struct tcp_segment *seg)
{
	if (f->phase == PHASE_LINGER) {
		linger_segment(sp, f, seg);
		return false;
	}
	if (seg->flags & TCP_RST) {
		reset_by(sp, f, from, seg);
		return false;
	}
	if (f->phase == PHASE_SYN && !syn_segment(sp, f, seg))
		return false;
	if (!(f->flags & FLOW_ESTABLISHED)) // a TCP listener's flow, before its SYN-ACK
		return false;
	if ((seg->flags & TCP_SYN) || !(seg->flags & TCP_ACK) || !take_ack(sp, f, from, seg)) {
		send_challenge(sp, f, from);
		return false;
	}
	return true;
}

// The exchange may have ended with the segment's ACK: the rest of the segment is for an idle leg then.
static void follow_rest(struct splice *sp, struct flow *f, enum splice_side from, uint32_t leg,
	struct tcp_segment **seg)
{
	if (from == SPLICE_SERVER && (f->phase != PHASE_BOUND || f->leg != leg)) {
		leg_segment(sp, &sp->legs[leg], *seg);
		*seg = NULL;
		return;
	}
	if (is_beyond(side_end(sp, f, from), *seg)) {
		send_challenge(sp, f, from);
		return;
	}
	if (is_old(side_end(sp, f, from), *seg)) {
		answer_probe(sp, f, from, *seg);
		return;
	}
	// The client's next request crossed our FIN.
	if (f->phase == PHASE_CLOSING && f->up.follow == FOLLOW_END && (*seg)->len > 0) {
		flow_reset(sp, f, SPLICE_WHY_NONE);
		return;
	}
	if ((*seg)->len > 0 ||
		((*seg)->flags &
			TCP_FIN)) // hosts that only ask whether the other is there are idle
		f->active_ms = sp->now_ms;
	follow_segment(sp, f, from, seg);
}

void flow_segment(struct splice *sp, struct flow *f, enum splice_side from, struct tcp_segment *seg)
{
	uint32_t leg = f->leg;

	memset(&sp->at_work, 0, sizeof(sp->at_work));
	sp->at_work.sack_side = other_side(from);
	if (accept_segment(sp, f, from, seg)) {
		flow_rest(sp, f);
		if (f->phase != PHASE_FREE)
			follow_rest(sp, f, from, leg, &seg);
		flow_settle(sp, f, from, &seg);
	} else if (f->phase == PHASE_BOUND || f->phase == PHASE_REPLY) {
		flow_settle(sp, f, from, &seg);
	} else {
		flow_arm(sp, f);
	}
	if (seg != NULL)
		send_drop(sp, &seg);
}

// ---- time-outs

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

	flow_no_deadline(f);
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
	flow_deadline(f, limit_ms);
	f->flags |= FLOW_DRAIN_LIMIT;
}

void flow_timer(struct splice *sp, struct flow *f)
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
		flow_arm(sp, f);
	else
		flow_settle(sp, f, SPLICE_CLIENT, &none);
}
