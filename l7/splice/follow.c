// SPDX-License-Identifier: Apache-2.0

// Follows what a host sends, message by message (law 2). A segment is taken apart at the borders of
// messages: what belongs to the open message is sent on, a head is read, and what comes too early waits.
//
// Positions: a half's base <= end's rcv_nxt. Below base nothing is sent on. [base, rcv_nxt) was followed
// before: a retransmission, sent on again. From rcv_nxt on, bytes are new. Out of order, only what lies
// wholly within a known extent (Content-Length, a chunk's data, an opaque tunnel) goes on; rcv_nxt then
// catches up when the gap is filled, or when the far side acknowledges it.

#include "l7/splice/splice_priv.h"

enum {
	EXTENT_BITS = 30, // longer bodies end beyond any window
};

void follow_body(struct half *h, enum http1_body body, uint64_t content_length)
{
	switch (body) {
	case HTTP1_BODY_NONE:
		h->follow = FOLLOW_END;
		break;
	case HTTP1_BODY_LENGTH:
		h->follow = content_length == 0 ? FOLLOW_END : FOLLOW_LENGTH;
		h->body_left = content_length;
		break;
	case HTTP1_BODY_CHUNKED:
		h->follow = FOLLOW_CHUNKED;
		h->chunk = (struct http1_chunk){0};
		break;
	case HTTP1_BODY_UNTIL_CLOSE:
		h->follow = FOLLOW_OPAQUE;
		break;
	}
}

static void message_ended(struct splice *sp, struct flow *f, enum splice_side from)
{
	half_from(f, from)->follow = FOLLOW_END;
	if (from == SPLICE_SERVER)
		response_ended(sp, f);
}

// ---- bodies

static void advance(struct end *e, struct half *h, uint32_t n)
{
	e->rcv_nxt += n;
	if (h->follow == FOLLOW_LENGTH)
		h->body_left -= n;
}

// Bytes behind a response: the endpoint is out of step. Its leg is reset once the client has the response, as
// only the endpoint can send that again. Out of order they may yet turn out to be old.
static bool refuse_unasked(struct splice *sp, struct flow *f, struct tcp_segment **seg)
{
	send_drop(sp, seg);
	if (f->down.follow == FOLLOW_END)
		sp->legs[f->leg].server.flags |= END_UNASKED;
	return false;
}

static bool follow_too_early(
	struct splice *sp, struct flow *f, enum splice_side from, struct tcp_segment **seg)
{
	if (from == SPLICE_SERVER)
		return refuse_unasked(sp, f, seg);
	kept_hold(sp, f, from, seg);
	return false;
}

static bool follow_length(
	struct splice *sp, struct flow *f, enum splice_side from, struct tcp_segment **seg)
{
	struct half *h = half_from(f, from);
	struct end *e = side_end(sp, f, from);
	uint32_t to = tcp_segment_end(*seg);

	if (h->body_left < 1u << EXTENT_BITS) {
		uint32_t body_end = e->rcv_nxt + (uint32_t)h->body_left;

		if (!seq_before((*seg)->seq, body_end))
			return follow_too_early(sp, f, from, seg);
		to = seq_min(to, body_end);
	}
	if (!seq_after((*seg)->seq, e->rcv_nxt) && seq_after(to, e->rcv_nxt))
		advance(e, h, to - e->rcv_nxt);
	send_on(sp, f, from, seg, to);
	if (h->body_left == 0)
		message_ended(sp, f, from);
	return true;
}

static bool follow_opaque(
	struct splice *sp, struct flow *f, enum splice_side from, struct tcp_segment **seg)
{
	struct end *e = side_end(sp, f, from);
	uint32_t to = tcp_segment_end(*seg);

	if (!seq_after((*seg)->seq, e->rcv_nxt))
		e->rcv_nxt = seq_max(e->rcv_nxt, to);
	send_on(sp, f, from, seg, to);
	return true;
}

static bool follow_discard(
	struct splice *sp, struct flow *f, enum splice_side from, struct tcp_segment **seg)
{
	struct half *h = half_from(f, from);
	struct end *e = side_end(sp, f, from);

	if ((*seg)->seq == e->rcv_nxt) {
		e->rcv_nxt += (*seg)->len;
		h->base = e->rcv_nxt;
	}
	sp->at_work.ack[from] = true;
	tcp_segment_cut(*seg, (*seg)->len);
	return true;
}

// ---- chunked bodies

// Reads [*pos, end of seg) as far as the body goes and its framing can be kept; what is behind comes again.
// 0, or what is wrong.
static int read_chunks(struct splice *sp, struct half *h, const struct tcp_segment *seg,
	uint32_t *pos, bool *ended, enum http1_reason *reason)
{
	int n;

	do {
		enum http1_chunk_part part;
		const uint8_t *data = seg->data + (*pos - seg->seq);
		struct http1_chunk before = h->chunk;

		n = http1_chunk_feed(&h->chunk, data, tcp_segment_end(seg) - *pos, &part, reason);
		if (n < 0)
			return n;
		*ended = part == HTTP1_CHUNK_END;
		if (part == HTTP1_CHUNK_FRAMING && n > 0 &&
			!kept_add(sp, h, *pos, data, (uint32_t)n)) {
			h->chunk = before;
			return 0;
		}
		*pos += (uint32_t)n;
	} while (n > 0);
	return 0;
}

static bool refuse_chunks(
	struct splice *sp, struct flow *f, enum splice_side from, enum http1_reason reason)
{
	splice_tell(sp, f, SPLICE_MALFORMED, reason);
	if (from == SPLICE_SERVER || (f->flags & FLOW_SPOKEN)) {
		flow_reset(sp, f,
			from == SPLICE_SERVER ? SPLICE_WHY_BAD_RESPONSE : SPLICE_WHY_MALFORMED);
		return false;
	}
	leg_abort(sp, f);
	f->phase = PHASE_REQUEST;
	reply_send(sp, f, http1_reason_status(reason), NULL, 0, SPLICE_WHY_MALFORMED);
	return true;
}

static bool follow_chunked(
	struct splice *sp, struct flow *f, enum splice_side from, struct tcp_segment **seg)
{
	struct half *h = half_from(f, from);
	struct end *e = side_end(sp, f, from);
	enum http1_reason reason = HTTP1_OK;
	uint32_t pos = e->rcv_nxt;
	bool ended = false, kept_all;
	int rc;

	if (seq_after((*seg)->seq, e->rcv_nxt)) {
		if (tcp_segment_end(*seg) - e->rcv_nxt <= http1_chunk_room(&h->chunk))
			send_on(sp, f, from, seg, tcp_segment_end(*seg));
		else
			kept_hold(sp, f, from, seg);
		return false;
	}
	if (!seq_after(tcp_segment_end(*seg), e->rcv_nxt)) {
		send_on(sp, f, from, seg, tcp_segment_end(*seg));
		return false;
	}
	rc = read_chunks(sp, h, *seg, &pos, &ended, &reason);
	if (rc < 0)
		return refuse_chunks(sp, f, from, reason);
	kept_all = ended || pos == tcp_segment_end(*seg);
	advance(e, h, pos - e->rcv_nxt);
	send_on(sp, f, from, seg, pos);
	if (ended)
		message_ended(sp, f, from);
	return kept_all;
}

// The far side has bytes beyond rcv_nxt: they were sent on out of order.
static void catch_up(struct splice *sp, struct flow *f, enum splice_side from, uint32_t ack)
{
	struct half *h = half_from(f, from);
	struct end *e = side_end(sp, f, from);
	uint64_t n = ack - e->rcv_nxt;
	enum http1_chunk_part part;
	enum http1_reason reason;

	if (h->follow == FOLLOW_LENGTH) {
		n = n < h->body_left ? n : h->body_left;
	} else if (h->follow == FOLLOW_CHUNKED) {
		n = n < http1_chunk_room(&h->chunk) ? n : http1_chunk_room(&h->chunk);
		if (n > 0) // data is skipped, not read
			http1_chunk_feed(
				&h->chunk, (const uint8_t *)"", (uint32_t)n, &part, &reason);
	} else if (h->follow != FOLLOW_OPAQUE) {
		return;
	}
	advance(e, h, (uint32_t)n);
	if (h->follow == FOLLOW_LENGTH && h->body_left == 0)
		message_ended(sp, f, from);
}

// base goes along, so that it is never half the circle away from what it is compared with.
void follow_acked(struct splice *sp, struct flow *f, enum splice_side from)
{
	struct half *h = half_from(f, from);
	const struct end *e = side_end(sp, f, from);
	uint32_t ack = half_source(h, end_data_una(side_end(sp, f, other_side(from))));

	if (seq_after(ack, e->rcv_nxt))
		catch_up(sp, f, from, ack);
	ack = seq_min(ack, e->rcv_nxt);
	kept_prune(sp, f, from);
	if (h->owning || !seq_after(ack, h->base))
		return;
	h->base = ack;
	if (from == SPLICE_CLIENT && h->buf != 0 && seq_after(ack, buffer_at(sp, h->buf)->src_end))
		f->flags |= FLOW_BODY_PASSED;
}

// ---- the loop

// True: go on with what is left of the segment.
static bool follow_some(
	struct splice *sp, struct flow *f, enum splice_side from, struct tcp_segment **seg)
{
	const struct half *h = half_from(f, from);
	const struct end *e = side_end(sp, f, from);

	switch (h->follow) {
	case FOLLOW_LENGTH:
		return follow_length(sp, f, from, seg);
	case FOLLOW_CHUNKED:
		return follow_chunked(sp, f, from, seg);
	case FOLLOW_OPAQUE:
		return follow_opaque(sp, f, from, seg);
	case FOLLOW_DISCARD:
		return follow_discard(sp, f, from, seg);
	}
	if (seq_before((*seg)->seq, e->rcv_nxt)) {
		send_on(sp, f, from, seg, seq_min(tcp_segment_end(*seg), e->rcv_nxt));
		return true;
	}
	if (h->follow == FOLLOW_HEAD)
		return head_follow(sp, f, from, seg);
	return follow_too_early(sp, f, from, seg);
}

static void trim(struct tcp_segment *seg, uint32_t to)
{
	if (seq_after(tcp_segment_end(seg), to))
		seg->len = seq_after(to, seg->seq) ? to - seg->seq : 0;
}

// Between a request's head and its leg, what comes waits. The head itself is here already.
static bool is_waiting(const struct flow *f, enum splice_side from)
{
	return from == SPLICE_CLIENT && f->phase == PHASE_CONNECT;
}

static void cut_known(
	struct flow *f, enum splice_side from, const struct end *e, struct tcp_segment *seg)
{
	uint32_t to = is_waiting(f, from) ? e->rcv_nxt : half_from(f, from)->base;

	if (seq_before(seg->seq, to))
		tcp_segment_cut(seg, to - seg->seq < seg->len ? to - seg->seq : seg->len);
}

// The FIN behind a segment's data. It waits for bytes before it, and for a leg; not in a packet that was sent on.
static void follow_its_fin(struct splice *sp, struct flow *f, enum splice_side from,
	struct tcp_segment **seg, uint32_t fin_seq)
{
	struct end *e = side_end(sp, f, from);

	if ((e->flags & END_FIN_IN) || seq_before(fin_seq, e->rcv_nxt))
		return;
	if (fin_seq != e->rcv_nxt || is_waiting(f, from)) {
		if (*seg != NULL)
			kept_hold(sp, f, from, seg);
		return;
	}
	e->flags |= END_FIN_IN;
	flow_fin(sp, f, from);
}

// False: it was reset, or another leg serves it now.
static bool is_still(
	const struct splice *sp, struct flow *f, enum splice_side from, const struct end *e)
{
	return f->phase != PHASE_FREE && side_end(sp, f, from) == e;
}

void follow_segment(
	struct splice *sp, struct flow *f, enum splice_side from, struct tcp_segment **seg)
{
	struct end *e = side_end(sp, f, from);
	bool fin = ((*seg)->flags & TCP_FIN) != 0;
	uint32_t fin_seq = tcp_segment_end(*seg);

	// What was taken over before is answered by an ACK alone; so is a FIN that came before.
	if ((*seg)->len > 0 && !seq_after(fin_seq, half_from(f, from)->base))
		sp->at_work.ack[from] = true;
	if (fin && (e->flags & END_FIN_IN))
		sp->at_work.ack[from] = true;
	if (e->flags & END_FIN_IN) // nothing comes behind a FIN
		trim(*seg, e->rcv_nxt);
	cut_known(f, from, e, *seg);
	if (seq_before((*seg)->seq, e->rcv_nxt))
		kept_restore(sp, f, from, *seg);
	while ((*seg)->len > 0) {
		if (is_waiting(f, from)) {
			kept_hold(sp, f, from, seg);
			return;
		}
		if (!follow_some(sp, f, from, seg) || *seg == NULL)
			break;
		if (!is_still(sp, f, from, e))
			return;
		cut_known(f, from, e, *seg);
	}
	if (fin && is_still(sp, f, from, e))
		follow_its_fin(sp, f, from, seg, fin_seq);
}

void follow_fin(struct splice *sp, struct flow *f, enum splice_side from)
{
	const struct half *h = half_from(f, from);

	if (h->held != NULL && h->held->len == 0)
		follow_held(sp, f, from);
}

bool follow_held(struct splice *sp, struct flow *f, enum splice_side from)
{
	struct half *h = half_from(f, from);
	const struct end *e = side_end(sp, f, from);
	struct tcp_segment *seg, *first = h->held;

	if (first == NULL || e == NULL || seq_after(first->seq, e->rcv_nxt) ||
		is_waiting(f, from) ||
		(from == SPLICE_CLIENT && first->len > 0 && h->follow == FOLLOW_END))
		return false;
	seg = kept_take(sp, h);
	follow_segment(sp, f, from, &seg);
	if (seg != NULL)
		send_drop(sp, &seg);
	if (from == SPLICE_SERVER)
		flow_followed_held(sp, f);
	return h->held != first;
}
