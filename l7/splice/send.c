// SPDX-License-Identifier: Apache-2.0

// Everything that leaves for the host of a bound or unbound flow. Whatever goes out carries the newest
// acknowledgement and window: an ACK of its own is sent only when they changed and nothing else went.

#include "l7/splice/splice_priv.h"

// Law 1: what the far side has, or the node holds. Without a leg, base is where the node's own ends.
static uint32_t ack_due(const struct splice *sp, struct flow *f, enum splice_side side)
{
	const struct half *h = half_from(f, side);
	const struct end *from = side_end(sp, f, side);
	const struct end *to = side_end(sp, f, other_side(side));
	uint32_t ack = to == NULL ? h->base : half_source(h, end_data_una(to));

	ack = seq_min(ack, from->rcv_nxt);
	if ((from->flags & END_FIN_IN) && ack == from->rcv_nxt)
		ack++;
	return seq_max(ack, from->ack_sent);
}

// The far side's right edge in the source's numbers; without one, room for a head.
static uint16_t window_due(
	const struct splice *sp, struct flow *f, enum splice_side side, uint32_t ack)
{
	const struct half *h = half_from(f, side);
	const struct end *from = side_end(sp, f, side);
	const struct end *to = side_end(sp, f, other_side(side));
	int32_t room = to == NULL ? HEAD_WINDOW : (int32_t)(to->wnd_end - h->delta - ack);
	uint32_t window;

	if (room <= 0)
		return 0;
	window = (uint32_t)room >> from->scale_out;
	if (window == 0)
		return 1; // 0 only for 0
	return window > UINT16_MAX ? UINT16_MAX : (uint16_t)window;
}

// Only where they fit: an MSS does not count options (RFC 6691). Otherwise an ACK behind the data takes them.
static void add_sacks(struct splice *sp, struct tcp_out *out, uint32_t room)
{
	if (room < tcp_sacks_len(sp->at_work.n_sacks))
		return;
	out->n_sacks = sp->at_work.n_sacks;
	memcpy(out->sacks, sp->at_work.sacks, sizeof(out->sacks));
	sp->at_work.n_sacks = 0;
}

// A leg that its endpoint reset is sent nothing more.
static bool is_deaf(const struct splice *sp, const struct flow *f, enum splice_side side)
{
	return side == SPLICE_SERVER && sp->legs[f->leg].state == LEG_DEAD;
}

void send_segment(struct splice *sp, struct flow *f, enum splice_side side, struct tcp_out *out,
	const uint8_t *data, uint32_t len, struct tcp_segment *carrier)
{
	struct end *e = side_end(sp, f, side);

	out->flags |= TCP_ACK;
	out->ack = ack_due(sp, f, side);
	out->window = window_due(sp, f, side, out->ack);
	if (sp->at_work.n_sacks > 0 && sp->at_work.sack_side == side)
		add_sacks(sp, out, len < e->mss ? e->mss - len : 0);
	e->ack_sent = out->ack;
	e->win_sent = out->window;
	sp->at_work.ack[side] = false;
	sp->io->send(sp->ctx, side, side == SPLICE_CLIENT ? flow_idx(sp, f) : f->leg, out, data,
		len, carrier);
}

// Whether the side would learn something, or the host behind it said the same thing twice on purpose.
static bool has_news(const struct splice *sp, struct flow *f, enum splice_side side)
{
	const struct end *e = side_end(sp, f, side);
	uint32_t ack = ack_due(sp, f, side);

	if (ack != e->ack_sent || window_due(sp, f, side, ack) != e->win_sent)
		return true;
	return sp->at_work.sack_side == side && (sp->at_work.duplicate || sp->at_work.n_sacks > 0);
}

void send_ack(
	struct splice *sp, struct flow *f, enum splice_side side, struct tcp_segment **carrier)
{
	const struct end *e = side_end(sp, f, side);
	struct tcp_out out = {.seq = e == NULL ? 0 : e->snd_nxt};

	if (e == NULL || is_deaf(sp, f, side) || (!sp->at_work.ack[side] && !has_news(sp, f, side)))
		return;
	sp->at_work.duplicate = sp->at_work.duplicate && sp->at_work.sack_side != side;
	send_segment(sp, f, side, &out, *carrier == NULL ? NULL : (*carrier)->data, 0, *carrier);
	*carrier = NULL;
}

void send_challenge(struct splice *sp, struct flow *f, enum splice_side side)
{
	struct end *e = side_end(sp, f, side);
	struct tcp_out out = {.seq = e == NULL ? 0 : e->snd_nxt};

	if (e != NULL && !is_deaf(sp, f, side) && end_take_challenge(sp, e))
		send_segment(sp, f, side, &out, NULL, 0, NULL);
}

void send_drop(struct splice *sp, struct tcp_segment **seg)
{
	sp->io->drop(sp->ctx, *seg);
	*seg = NULL;
}

// One piece, short enough for the host. The last one travels in the segment's own packet.
static void send_piece(struct splice *sp, struct flow *f, enum splice_side from,
	struct tcp_segment **seg, uint32_t n)
{
	enum splice_side side = other_side(from);
	struct end *to = side_end(sp, f, side);
	struct tcp_out out = {.seq = (*seg)->seq + half_from(f, from)->delta};
	// A FIN that comes ahead of bytes waits, in its own packet.
	bool fin_waits =
		((*seg)->flags & TCP_FIN) && seq_after((*seg)->seq, side_end(sp, f, from)->rcv_nxt);
	bool is_last = n == (*seg)->len && !fin_waits;

	if (n == (*seg)->len)
		out.flags = (*seg)->flags & TCP_PSH;
	to->snd_nxt = seq_max(to->snd_nxt, out.seq + n);
	send_segment(sp, f, side, &out, (*seg)->data, n, is_last ? *seg : NULL);
	if (is_last)
		*seg = NULL;
	else
		tcp_segment_cut(*seg, n);
}

void send_on(struct splice *sp, struct flow *f, enum splice_side from, struct tcp_segment **seg,
	uint32_t to)
{
	const struct end *far = side_end(sp, f, other_side(from));
	uint32_t left = to - (*seg)->seq;

	if (far == NULL || is_deaf(sp, f, other_side(from))) {
		tcp_segment_cut(*seg, left);
		if ((*seg)->len == 0)
			send_drop(sp, seg);
		return;
	}
	while (left > 0) {
		uint32_t n = left < far->mss ? left : far->mss;

		send_piece(sp, f, from, seg, n);
		left -= n;
	}
}

// The node repeats FINs itself, towards either side: a host's FIN is acknowledged when the far side has
// everything before it.
void send_fin(struct splice *sp, struct flow *f, enum splice_side side)
{
	struct end *e = side_end(sp, f, side);
	struct tcp_out out = {.flags = TCP_FIN};

	if (e == NULL || is_deaf(sp, f, side))
		return;
	if (!(e->flags & END_FIN_OUT)) {
		// Behind what the node has still to send.
		if (half_to(f, side)->owning)
			e->snd_nxt = seq_max(
				e->snd_nxt, half_to(f, side)->base + half_to(f, side)->delta);
		e->snd_nxt++;
	}
	e->flags |= END_FIN_OUT;
	out.seq = e->snd_nxt - 1;
	send_segment(sp, f, side, &out, NULL, 0, NULL);
	if (!e->rto_armed)
		own_rto_arm(sp, e, RTO_MS);
}

void send_reset(struct splice *sp, struct flow *f, enum splice_side side)
{
	const struct end *e = side_end(sp, f, side);
	struct tcp_out out = {.flags = TCP_RST};

	if (e == NULL || is_deaf(sp, f, side))
		return;
	out.seq = e->snd_nxt;
	send_segment(sp, f, side, &out, NULL, 0, NULL);
	if (end_has_all(e))
		return;
	// A host that lacks bytes believes only what it waits for (RFC 5961 §3.2), and there will be nobody to
	// answer its challenge.
	out = (struct tcp_out){.flags = TCP_RST, .seq = e->snd_una};
	send_segment(sp, f, side, &out, NULL, 0, NULL);
}
