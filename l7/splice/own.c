// SPDX-License-Identifier: Apache-2.0

// Bytes that the node owns: heads that it edited or collected, and its own replies. It sends them as a
// small TCP sender would: an initial window of ten segments, then clocked by ACKs; repeated after three
// duplicate ACKs or a time-out that doubles; probing while the host's window is shut. A SACK never frees
// them: hosts may renege.

#include "l7/splice/splice_priv.h"

void own_rto_arm(struct splice *sp, struct end *e, uint32_t ms)
{
	uint32_t timeout_ms = ms << (e->n_timeouts < 8 ? e->n_timeouts : 8);

	e->rto_at = sp->now_ms + (timeout_ms < MAX_RTO_MS ? timeout_ms : MAX_RTO_MS);
	e->rto_armed = true;
}

void own_begin(struct splice *sp, struct flow *f, enum splice_side side)
{
	struct half *h = half_to(f, side);
	struct end *e = side_end(sp, f, side);
	struct buffer *b = buffer_at(sp, h->buf);

	b->nxt = e->snd_nxt;
	h->delta = e->snd_nxt + b->len - h->base;
	h->owning = true;
	e->n_timeouts = 0;
	e->n_dup_acks = 0;
	own_send(sp, f, side);
}

// Nothing is taken over: the endpoint's ACK is the client's. The node stands by with its copy.
void own_begin_in_place(struct splice *sp, struct flow *f)
{
	struct end *e = side_end(sp, f, SPLICE_SERVER);
	struct buffer *b = buffer_at(sp, f->up.buf);

	f->up.base = f->client.rcv_nxt - b->len;
	f->up.delta = e->snd_nxt - f->up.base;
	b->nxt = e->snd_nxt + b->len;
	e->n_timeouts = 0;
	if (b->len > 0)
		own_rto_arm(sp, e, RTO_MS);
}

// What the window leaves for later goes when nothing was acknowledged in time.
void own_begin_held(struct splice *sp, struct flow *f)
{
	struct end *e = side_end(sp, f, SPLICE_SERVER);
	const struct buffer *b = buffer_at(sp, f->up.buf);
	uint32_t end = e->snd_nxt + b->len;
	uint32_t limit = seq_min(end, e->wnd_end);

	own_begin_in_place(sp, f);
	while (seq_before(e->snd_nxt, limit)) {
		uint32_t seq = e->snd_nxt, to = seq_min(seq + e->mss, limit);
		struct tcp_out out = {.seq = seq, .flags = to == end ? TCP_PSH : 0};

		e->snd_nxt = to;
		send_segment(
			sp, f, SPLICE_SERVER, &out, b->data + b->len - (end - seq), to - seq, NULL);
	}
}

// The endpoint has acknowledged nothing of a head that went in place: it is the node's from now on. Its
// numbers do not change.
static void take_over_head(struct splice *sp, struct flow *f)
{
	struct buffer *b = f->up.buf == 0 ? NULL : buffer_at(sp, f->up.buf);

	if (b == NULL || b->len == 0 || f->up.owning || sp->legs[f->leg].heard ||
		(f->flags & FLOW_SPOKEN))
		return;
	f->up.base = b->src_end;
	f->up.owning = true;
	b->nxt = sp->legs[f->leg].server.snd_una;
}

// [from, to) of the owned bytes, at most one segment.
static void send_some(
	struct splice *sp, struct flow *f, enum splice_side side, uint32_t from, uint32_t to)
{
	const struct half *h = half_to(f, side);
	struct end *e = side_end(sp, f, side);
	const struct buffer *b = buffer_at(sp, h->buf);
	uint32_t own_end = h->base + h->delta;
	struct tcp_out out = {.seq = from, .flags = to == own_end ? TCP_PSH : 0};

	e->snd_nxt = seq_max(e->snd_nxt, to);
	send_segment(sp, f, side, &out, b->data + (from - (own_end - b->len)), to - from, NULL);
}

void own_send(struct splice *sp, struct flow *f, enum splice_side side)
{
	struct half *h = half_to(f, side);
	struct end *e = side_end(sp, f, side);
	uint32_t own_end = h->base + h->delta;
	uint32_t limit;
	struct buffer *b;

	if (!h->owning || e == NULL)
		return;
	b = buffer_at(sp, h->buf);
	// Slow start: as many bytes again as were acknowledged.
	limit = e->snd_una + INITIAL_SEGMENTS * e->mss + (e->snd_una - (own_end - b->len));
	limit = seq_min(seq_min(limit, own_end), e->wnd_end);
	b->nxt = seq_max(b->nxt, seq_min(e->snd_una, own_end));
	while (seq_before(b->nxt, limit)) {
		uint32_t to = seq_min(b->nxt + e->mss, limit);

		send_some(sp, f, side, b->nxt, to);
		b->nxt = to;
	}
	if (!e->rto_armed)
		own_rto_arm(sp, e, RTO_MS);
}

void own_acked(struct splice *sp, struct flow *f, enum splice_side side)
{
	struct half *h = half_to(f, side);
	struct end *e = side_end(sp, f, side);

	e->n_timeouts = 0;
	e->rto_armed = false;
	if (h->owning && !seq_before(e->snd_una, h->base + h->delta)) {
		h->owning = false;
		if (side == SPLICE_CLIENT || (f->flags & FLOW_ANSWERED))
			buffer_give(sp, &h->buf);
	}
	if (h->owning || ((e->flags & END_FIN_OUT) && !end_has_all(e)))
		own_rto_arm(sp, e, RTO_MS);
}

void own_resend(struct splice *sp, struct flow *f, enum splice_side side)
{
	const struct half *h = half_to(f, side);
	const struct end *e = side_end(sp, f, side);
	uint32_t to = seq_min(e->snd_una + e->mss, h->base + h->delta);

	if (h->owning && seq_before(e->snd_una, buffer_at(sp, h->buf)->nxt))
		send_some(sp, f, side, e->snd_una, to);
}

// With a shut window one byte asks whether it has opened; that may go on as long as the request may.
static void repeat_owned(struct splice *sp, struct flow *f, enum splice_side side)
{
	struct end *e = side_end(sp, f, side);
	struct buffer *b = buffer_at(sp, half_to(f, side)->buf);

	if (!seq_after(e->wnd_end, e->snd_una)) {
		if (e->n_timeouts >= MAX_TIMEOUTS)
			e->n_timeouts = MAX_TIMEOUTS - 1;
		send_some(sp, f, side, e->snd_una, e->snd_una + 1);
		return;
	}
	b->nxt = e->snd_una;
	own_send(sp, f, side);
}

// As long as the host lacks data before it, it is for the far host to lose patience.
static void repeat_fin(struct splice *sp, struct flow *f, enum splice_side side)
{
	struct end *e = side_end(sp, f, side);

	if (e->snd_una != e->snd_nxt - 1 && e->n_timeouts >= MAX_TIMEOUTS)
		e->n_timeouts = MAX_TIMEOUTS - 1;
	send_fin(sp, f, side);
}

void own_rto_fire(struct splice *sp, struct flow *f, enum splice_side side)
{
	struct end *e = side_end(sp, f, side);

	e->rto_armed = false;
	e->n_timeouts++;
	if (side == SPLICE_SERVER)
		take_over_head(sp, f);
	if (half_to(f, side)->owning)
		repeat_owned(sp, f, side);
	else if ((e->flags & END_FIN_OUT) && !end_has_all(e))
		repeat_fin(sp, f, side);
	else
		return;
	own_rto_arm(sp, e, RTO_MS);
}
