// SPDX-License-Identifier: Apache-2.0

// What the node keeps of a message on its way: segments that came too early (law 2), and copies of what it has
// read (law 3), until the far side acknowledges that.

#include "l7/splice/splice_priv.h"

enum {
	MAX_KEPT = 16 * 1024, // bytes of chunk framing that the far side has not acknowledged
};

// A piece that was read, in a half's `kept` buffer: chunk framing, a response head. Its bytes follow.
struct kept {
	uint32_t seq;
	uint32_t len;
};

// ---- segments that wait

// In order of sequence numbers.
void kept_hold(struct splice *sp, struct flow *f, enum splice_side from, struct tcp_segment **seg)
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

struct tcp_segment *kept_take(struct splice *sp, struct half *h)
{
	struct tcp_segment *seg = h->held;

	h->held = seg->next;
	h->n_held--;
	sp->n_held--;
	return seg;
}

void kept_drop_held(struct splice *sp, struct half *h)
{
	while (h->held != NULL)
		sp->io->drop(sp->ctx, kept_take(sp, h));
}

// ---- what was read

// Framing that the far side has acknowledged is forgotten.
void kept_prune(struct splice *sp, struct flow *f, enum splice_side from)
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

bool kept_add(struct splice *sp, struct half *h, uint32_t seq, const uint8_t *data, uint32_t len)
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
void kept_restore(
	const struct splice *sp, struct flow *f, enum splice_side from, struct tcp_segment *seg)
{
	const struct half *h = half_from(f, from);
	const struct buffer *kept = h->kept == 0 ? NULL : buffer_at(sp, h->kept);
	struct buffer *head =
		from == SPLICE_SERVER || h->buf == 0 || h->owning || (f->flags & FLOW_BODY_PASSED)
			? NULL
			: buffer_at(sp, h->buf);

	if (head != NULL) {
		overwrite(seg, head->src_end - head->len, head->data, head->len);
		head->repeated = true;
	}
	for (uint32_t off = 0; kept != NULL && off < kept->len;) {
		struct kept k;

		memcpy(&k, kept->data + off, sizeof(k));
		overwrite(seg, k.seq, kept->data + off + sizeof(k), k.len);
		off += sizeof(k) + k.len;
	}
}
