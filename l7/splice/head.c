// SPDX-License-Identifier: Apache-2.0

// Reads heads, also piece by piece, and gives those that are complete to request.c and response.c.

#include "l7/splice/splice_priv.h"

static bool refuse_head(
	struct splice *sp, struct flow *f, enum splice_side from, enum http1_reason reason)
{
	if (from == SPLICE_CLIENT) {
		request_malformed(sp, f, reason);
		return true; // to be thrown away
	}
	splice_tell(sp, f, SPLICE_MALFORMED, reason);
	bind_failed(sp, f, SPLICE_WHY_BAD_RESPONSE, false);
	return false;
}

static int parse(struct splice *sp, struct flow *f, enum splice_side from, const uint8_t *data,
	uint32_t len, uint32_t seen, enum http1_reason *reason)
{
	static const struct http1_limits MOST = {SPLICE_MAX_HEAD / 2, SPLICE_MAX_HEAD / 2};
	const struct splice_listener *l;

	if (from == SPLICE_SERVER)
		return http1_response_parse(data, len, seen, f->method, &MOST, &sp->head, reason);
	l = sp->io->listener(sp->ctx, f->listener);
	sp->rules = l == NULL ? 0 : l->rules;
	return http1_request_parse(
		data, len, seen, l == NULL ? &MOST : &l->limits, &sp->head, reason);
}

// The beginning of a head is taken over and acknowledged at once: the host may wait for that.
static bool collect(
	struct splice *sp, struct flow *f, enum splice_side from, const struct tcp_segment *seg)
{
	struct half *h = half_from(f, from);
	struct end *e = side_end(sp, f, from);
	const struct splice_listener *l;

	if (!h->collecting) {
		assert(h->buf == 0);
		// However many heads are incomplete, those that are complete find a buffer.
		if (from == SPLICE_CLIENT && sp->small.n_used >= sp->small.n / 2)
			return false;
		if (!buffer_append(sp, &h->buf, seg->data, seg->len))
			return false;
		h->collecting = true;
	}
	e->rcv_nxt += seg->len;
	h->base = e->rcv_nxt;
	sp->at_work.ack[from] = true;
	if (from == SPLICE_CLIENT && !(f->flags & FLOW_DEADLINE)) {
		l = sp->io->listener(sp->ctx, f->listener);
		timeout_set(f, sp->now_ms + (l == NULL ? CLOSE_MS : l->head_timeout_ms));
	}
	return true;
}

// The endpoint has begun to answer.
static void note_first_byte(struct splice *sp, struct flow *f, enum splice_side from)
{
	if (from == SPLICE_CLIENT || (f->flags & FLOW_SPOKEN))
		return;
	f->flags |= FLOW_SPOKEN;
	splice_tell(sp, f, SPLICE_FIRST_BYTE, (uint32_t)sp->now_us - f->head_us);
}

static void head_complete(struct splice *sp, struct flow *f, enum splice_side from,
	const uint8_t *raw, uint32_t n_new, bool in_segment)
{
	struct half *h = half_from(f, from);
	struct end *e = side_end(sp, f, from);

	h->collecting = false;
	e->rcv_nxt += n_new;
	if (!in_segment || from == SPLICE_CLIENT)
		h->base = e->rcv_nxt; // taken over, unless it turns out that it can go on in place
	if (from == SPLICE_CLIENT)
		request_head(sp, f, raw, in_segment);
	else
		response_head(sp, f, raw, in_segment);
}

// A request head goes on in place, with what is behind it in the segment.
static void note_packet(struct splice *sp, struct flow *f, const struct tcp_segment *seg)
{
	const struct end *to = side_end(sp, f, SPLICE_SERVER);
	struct buffer *b;

	if (to == NULL || f->up.base != seg->seq)
		return;
	b = buffer_at(sp, f->up.buf);
	b->nxt =
		seq_max(b->nxt, seg->seq + f->up.delta + (seg->len < to->mss ? seg->len : to->mss));
}

// When the endpoint said this, it had nothing of the request: what it means is an answer before.
static bool is_premature(
	const struct splice *sp, const struct flow *f, const struct tcp_segment *seg)
{
	const struct buffer *b = buffer_at(sp, f->up.buf);

	return !seq_after(seg->ack, b->src_end + f->up.delta - b->len);
}

// Its place is not known yet; or it is an answer, and the client lacks something before it. Then it cannot be taken
// over (law 1).
static bool must_wait(const struct splice *sp, struct flow *f, enum splice_side from,
	const struct tcp_segment *seg)
{
	if (seg->seq != side_end(sp, f, from)->rcv_nxt)
		return true;
	return from == SPLICE_SERVER && (f->down.owning || !end_has_all(&f->client));
}

// False: it waits, or the exchange has failed.
static bool may_read(
	struct splice *sp, struct flow *f, enum splice_side from, struct tcp_segment **seg)
{
	if (must_wait(sp, f, from, *seg)) {
		kept_hold(sp, f, from, seg);
		return false;
	}
	if (from == SPLICE_SERVER && is_premature(sp, f, *seg)) {
		bind_failed(sp, f, SPLICE_WHY_BAD_RESPONSE, false);
		return false;
	}
	return true;
}

// An answer's head that goes on in place is kept for law 3. False: there is no room, it has to come again.
static bool keep_answer(
	struct splice *sp, struct flow *f, const struct tcp_segment *seg, uint32_t head_len)
{
	if (sp->head.status >= 200 && (f->flags & FLOW_EDIT_RESPONSE))
		return true;
	return kept_add(sp, &f->down, seg->seq, seg->data, head_len);
}

bool head_follow(struct splice *sp, struct flow *f, enum splice_side from, struct tcp_segment **seg)
{
	struct half *h = half_from(f, from);
	enum http1_reason reason = HTTP1_OK;
	uint32_t had = h->collecting ? buffer_at(sp, h->buf)->len : 0;
	const uint8_t *raw = (*seg)->data;
	int n;

	if (!may_read(sp, f, from, seg))
		return false;
	note_first_byte(sp, f, from);
	if (h->collecting) {
		if (!buffer_append(sp, &h->buf, (*seg)->data, (*seg)->len))
			return had + (*seg)->len > SPLICE_MAX_HEAD
				       ? refuse_head(sp, f, from, HTTP1_FIELDS_TOO_LARGE)
				       : false;
		raw = buffer_at(sp, h->buf)->data;
	}
	n = parse(sp, f, from, raw, had + (*seg)->len, had, &reason);
	if (n == -EAGAIN)
		return collect(sp, f, from, *seg);
	if (n < 0)
		return refuse_head(sp, f, from, reason);
	if (had > 0)
		buffer_at(sp, h->buf)->len = (uint32_t)n;
	else if (from == SPLICE_SERVER && !keep_answer(sp, f, *seg, (uint32_t)n))
		return false;
	head_complete(sp, f, from, raw, (uint32_t)n - had, had == 0);
	if (from == SPLICE_CLIENT)
		note_packet(sp, f, *seg);
	return true;
}
