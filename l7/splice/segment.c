// SPDX-License-Identifier: Apache-2.0

// A segment of a flow's client, or of its leg, comes in. What it says of the connection is taken, or refused, as in
// RFC 9293 §3.10.7 and RFC 5961; then its data is followed.

#include "l7/splice/splice_priv.h"

// ---- resets

// RFC 5961 §3.2: a reset is believed where its number is exact, and asked for again elsewhere in the window.
static bool is_reset_exact(const struct end *e, const struct tcp_segment *seg)
{
	return seg->seq == e->ack_sent || seg->seq == e->rcv_nxt;
}

// The endpoint was sent the head, and what fitted into its packet, once, and nothing else.
static bool is_only_head_sent(const struct splice *sp, const struct flow *f)
{
	const struct end *e = &sp->legs[f->leg].server;
	const struct buffer *b = f->up.buf == 0 ? NULL : buffer_at(sp, f->up.buf);

	return b != NULL && e->n_timeouts == 0 && !b->repeated && !seq_after(e->snd_nxt, b->nxt);
}

// What an endpoint's reset says of the request: nothing of it was read for certain. Where a program gave up, the
// reset says what had come until then. A host that does not know the connection answers without an ACK (RFC 9293
// §3.5.2); but had it known it when the head came, and forgotten it, it would answer so to what came later.
static bool is_unheard(const struct splice *sp, const struct flow *f, const struct tcp_segment *seg)
{
	const struct leg *leg = &sp->legs[f->leg];

	return !leg->heard && ((seg->flags & TCP_ACK) || is_only_head_sent(sp, f));
}

// True also for a reset whose number is not exact: the next one answers our challenge, and says less.
static bool acknowledges_some(const struct end *e, const struct tcp_segment *seg)
{
	return (seg->flags & TCP_ACK) && seq_after(seg->ack, e->snd_una) &&
	       !seq_after(seg->ack, e->snd_nxt);
}

static void reset_by(
	struct splice *sp, struct flow *f, enum splice_side from, const struct tcp_segment *seg)
{
	struct end *e = side_end(sp, f, from);
	uint32_t room = (uint32_t)e->win_sent << e->scale_out;

	if (from == SPLICE_SERVER && acknowledges_some(e, seg))
		sp->legs[f->leg].heard = true;
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
	flow_endpoint_lost(sp, f, SPLICE_WHY_ENDPOINT_RESET, is_unheard(sp, f, seg));
}

// ---- ACKs

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

// RFC 9293 §3.10.7.4. False: it acknowledges what was never sent, or nobody would acknowledge any more.
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
	if (seq_before(seg->ack, e->snd_una)) // an old duplicate, or a guess (RFC 5961 §5.2)
		return e->snd_una - seg->ack <= (uint32_t)UINT16_MAX << e->scale_in;
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

// ---- segments

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
	if (!(seg->flags & (TCP_SYN | TCP_ACK)))
		return false;
	if ((seg->flags & TCP_SYN) || end_is_far_off(side_end(sp, f, from), seg) ||
		!take_ack(sp, f, from, seg)) {
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
	if (is_old(side_end(sp, f, from), *seg)) {
		answer_probe(sp, f, from, *seg);
		return;
	}
	// The client's next request crossed our FIN.
	if (f->phase == PHASE_CLOSING && f->up.follow == FOLLOW_END && (*seg)->len > 0) {
		flow_reset(sp, f, SPLICE_WHY_NONE);
		return;
	}
	// Hosts that only ask whether the other is there are idle.
	if ((*seg)->len > 0 || ((*seg)->flags & TCP_FIN))
		f->active_ms = sp->now_ms;
	follow_segment(sp, f, from, seg);
}

void segment_take(struct splice *sp, struct flow *f, enum splice_side from, struct tcp_segment *seg)
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
		timeout_arm(sp, f);
	}
	if (seg != NULL)
		send_drop(sp, &seg);
}
