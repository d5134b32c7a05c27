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
	MAX_KEPT = 16 * 1024, // bytes of chunk framing that the far side has not acknowledged
	EXTENT_BITS = 30,     // longer bodies end beyond any window
};

// A piece that was read, in a half's `kept` buffer: chunk framing, a response head. Its bytes follow.
struct kept {
	uint32_t seq;
	uint32_t len;
};

// In order of sequence numbers.
void follow_hold(struct splice *sp, struct flow *f, enum splice_side from, struct tcp_segment **seg)
{
	struct half *h = half_from(f, from);
	struct tcp_segment **at = &h->held;

	while (*at != NULL && seq_before((*at)->seq, (*seg)->seq))
		at = &(*at)->next;
	// First copy wins.
	if (*at != NULL && (*at)->seq == (*seg)->seq && (*at)->len >= (*seg)->len) {
		send_drop(sp, seg);
		return;
	}
	if (h->n_held == MAX_HELD || sp->n_held == sp->max_held) {
		splice_tell(sp, f, SPLICE_HELD_DROPPED, 1);
		if (from == SPLICE_SERVER && ((*seg)->flags & TCP_FIN))
			f->flags |= FLOW_NO_POOL; // it is closing, even if we forget when
		send_drop(sp, seg);
		return;
	}
	(*seg)->next = *at;
	*at = *seg;
	*seg = NULL;
	h->n_held++;
	sp->n_held++;
}

static struct tcp_segment *take_held(struct splice *sp, struct half *h)
{
	struct tcp_segment *seg = h->held;

	h->held = seg->next;
	h->n_held--;
	sp->n_held--;
	return seg;
}

void follow_drop_held(struct splice *sp, struct half *h)
{
	while (h->held != NULL)
		sp->io->drop(sp->ctx, take_held(sp, h));
}

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

// ---- what was read is kept

// Framing that the far side has acknowledged is forgotten.
static void prune_kept(struct splice *sp, struct flow *f, enum splice_side from)
{
	struct half *h = half_from(f, from);
	const struct end *to = side_end(sp, f, other_side(from));
	struct buffer *b;
	uint32_t done = 0;

	if (h->kept == 0 || to == NULL)
		return;
	b = buffer_at(sp, h->kept);
	while (done < b->len) {
		struct kept k;

		memcpy(&k, b->data + done, sizeof(k));
		if (seq_before(half_source(h, to->snd_una), k.seq + k.len))
			break;
		done += sizeof(k) + k.len;
	}
	memmove(b->data, b->data + done, b->len - done);
	b->len -= done;
	if (b->len == 0)
		buffer_give(sp, &h->kept);
}

static bool keep_framing(
	struct splice *sp, struct half *h, uint32_t seq, const uint8_t *data, uint32_t len)
{
	struct kept k = {.seq = seq, .len = len};
	uint32_t have = h->kept == 0 ? 0 : buffer_at(sp, h->kept)->len;

	if (have + sizeof(k) + len > MAX_KEPT)
		return false;
	if (!buffer_append(sp, &h->kept, (const uint8_t *)&k, sizeof(k)))
		return false;
	if (buffer_append(sp, &h->kept, data, len))
		return true;
	buffer_at(sp, h->kept)->len = have;
	return false;
}

static void overwrite(struct tcp_segment *seg, uint32_t seq, const uint8_t *data, uint32_t len)
{
	uint32_t from = seq_max(seq, seg->seq);
	uint32_t to = seq_min(seq + len, tcp_segment_end(seg));

	if (!seq_before(from, to))
		return;
	memcpy(seg->data + (from - seg->seq), data + (from - seq), to - from);
	seg->rewritten = true;
}

// Law 3: what a retransmission says where the node has read is what was read the first time. A request head
// that went in place is in the half's buffer until it is answered.
static void restore_read(
	const struct splice *sp, struct flow *f, enum splice_side from, struct tcp_segment *seg)
{
	const struct half *h = half_from(f, from);
	const struct buffer *kept = h->kept == 0 ? NULL : buffer_at(sp, h->kept);
	const struct buffer *head =
		from == SPLICE_SERVER || h->buf == 0 || h->owning || (f->flags & FLOW_BODY_PASSED)
			? NULL
			: buffer_at(sp, h->buf);

	if (head != NULL)
		overwrite(seg, head->src_end - head->len, head->data, head->len);
	for (uint32_t off = 0; kept != NULL && off < kept->len;) {
		struct kept k;

		memcpy(&k, kept->data + off, sizeof(k));
		overwrite(seg, k.seq, kept->data + off + sizeof(k), k.len);
		off += sizeof(k) + k.len;
	}
}

// ---- heads

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
	const struct splice_listener *l = sp->io->listener(sp->ctx, f->listener);
	static const struct http1_limits MOST = {SPLICE_MAX_HEAD / 2, SPLICE_MAX_HEAD / 2};

	if (from == SPLICE_CLIENT)
		return http1_request_parse(
			data, len, seen, l == NULL ? &MOST : &l->limits, &sp->head, reason);
	return http1_response_parse(data, len, seen, f->method, &MOST, &sp->head, reason);
}

// The beginning of a head is taken over and acknowledged at once: the host may wait for that.
static bool collect(
	struct splice *sp, struct flow *f, enum splice_side from, const struct tcp_segment *seg)
{
	const struct splice_listener *l = sp->io->listener(sp->ctx, f->listener);
	struct half *h = half_from(f, from);
	struct end *e = side_end(sp, f, from);

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
	if (from == SPLICE_CLIENT && !(f->flags & FLOW_DEADLINE))
		flow_deadline(f, sp->now_ms + (l == NULL ? CLOSE_MS : l->head_timeout_ms));
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

// The segment begins at rcv_nxt or behind. A response head waits until the client has everything before it,
// so that it can be taken over (law 1).
static bool follow_head(
	struct splice *sp, struct flow *f, enum splice_side from, struct tcp_segment **seg)
{
	struct half *h = half_from(f, from);
	enum http1_reason reason = HTTP1_OK;
	uint32_t had = 0;
	const uint8_t *raw = (*seg)->data;
	int n;

	if ((*seg)->seq != side_end(sp, f, from)->rcv_nxt ||
		(from == SPLICE_SERVER && (h->owning || !end_has_all(&f->client)))) {
		follow_hold(sp, f, from, seg);
		return false;
	}
	note_first_byte(sp, f, from);
	if (h->collecting) {
		had = buffer_at(sp, h->buf)->len;
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
	else if (from == SPLICE_SERVER &&
		 (sp->head.status < 200 || !(f->flags & FLOW_EDIT_RESPONSE)) &&
		 !keep_framing(sp, h, (*seg)->seq, (*seg)->data, (uint32_t)n))
		return false; // it comes again

	head_complete(sp, f, from, raw, (uint32_t)n - had, had == 0);
	return true;
}

// ---- bodies

static void advance(struct end *e, struct half *h, uint32_t n)
{
	e->rcv_nxt += n;
	if (h->follow == FOLLOW_LENGTH)
		h->body_left -= n;
}

// Bytes behind a response: the endpoint is out of step. Out of order they may yet turn out to be old.
static bool refuse_unasked(struct splice *sp, struct flow *f, struct tcp_segment **seg)
{
	send_drop(sp, seg);
	if (f->down.follow == FOLLOW_END) {
		send_reset(sp, f, SPLICE_SERVER);
		flow_endpoint_lost(sp, f, SPLICE_WHY_ENDPOINT_RESET, false);
	}
	return false;
}

static bool follow_too_early(
	struct splice *sp, struct flow *f, enum splice_side from, struct tcp_segment **seg)
{
	if (from == SPLICE_SERVER)
		return refuse_unasked(sp, f, seg);
	follow_hold(sp, f, from, seg);
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
			!keep_framing(sp, h, *pos, data, (uint32_t)n)) {
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
			follow_hold(sp, f, from, seg);
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
	prune_kept(sp, f, from);
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
	if (seq_before((*seg)->seq, e->rcv_nxt))
		restore_read(sp, f, from, *seg);
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
		return follow_head(sp, f, from, seg);
	return follow_too_early(sp, f, from, seg);
}

static void trim(struct tcp_segment *seg, uint32_t to)
{
	if (seq_after(tcp_segment_end(seg), to))
		seg->len = seq_after(to, seg->seq) ? to - seg->seq : 0;
}

static void cut_owned(const struct half *h, struct tcp_segment *seg)
{
	if (seq_before(seg->seq, h->base))
		tcp_segment_cut(seg, h->base - seg->seq < seg->len ? h->base - seg->seq : seg->len);
}

// Between a request's head and its leg, what comes waits.
static bool is_waiting(const struct flow *f, enum splice_side from)
{
	return from == SPLICE_CLIENT && f->phase == PHASE_CONNECT;
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
	for (;;) {
		if (f->phase == PHASE_FREE || side_end(sp, f, from) != e) // reset, or another leg
			return;
		cut_owned(half_from(f, from), *seg);
		if ((*seg)->len == 0)
			break;
		if (is_waiting(f, from)) {
			follow_hold(sp, f, from, seg);
			return;
		}
		if (!follow_some(sp, f, from, seg) || *seg == NULL)
			break;
	}
	if (fin && f->phase != PHASE_FREE && side_end(sp, f, from) == e && e->rcv_nxt == fin_seq &&
		!(e->flags & END_FIN_IN)) {
		if (is_waiting(f, from) && *seg != NULL) {
			follow_hold(sp, f, from, seg);
			return;
		}
		e->flags |= END_FIN_IN;
		flow_fin(sp, f, from);
		return;
	}
	if (!fin || f->phase == PHASE_FREE || side_end(sp, f, from) != e ||
		!seq_after(fin_seq, e->rcv_nxt))
		return;
	if (*seg != NULL)
		follow_hold(sp, f, from, seg); // behind what waits, or was sent on out of order
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
	seg = take_held(sp, h);
	follow_segment(sp, f, from, &seg);
	if (seg != NULL)
		send_drop(sp, &seg);
	return h->held != first;
}
