// SPDX-License-Identifier: Apache-2.0

// The order of checks is that of RFC 9293 §3.10.7, with RFC 5961's answers to blind attacks.

#include <stdlib.h>
#include <string.h>

#include "tests/sim/sim_tcp.h"

enum {
	DELAYED_ACK_US = 40000,
	N_DUPACKS = 3,
	INITIAL_WINDOW_SEGS = 10,
	ORPHAN_US = 60000000, // that a connection waits in FIN_WAIT_2 when nobody reads
};

static void open_it(struct sim_tcp *tcp)
{
	tcp->state = SIM_TCP_ESTABLISHED;
	tcp->cwnd = INITIAL_WINDOW_SEGS * tcp->mss;
	tcp->n_backoffs = 0;
	tcp->rto_at = 0;
}

static void take_syn_ack(struct sim_tcp *tcp, const struct sim_seg *seg)
{
	const struct tcp_out *in = &seg->tcp;
	uint16_t path = tcp->host->out.mtu - SIM_HEADERS_LEN;

	tcp->irs = in->seq;
	tcp->rcv_nxt = tcp->rcv_edge = in->seq + 1;
	tcp->snd_una = in->ack;
	tcp->mss = in->mss ? in->mss : TCP_DEFAULT_MSS;
	if (tcp->mss > path)
		tcp->mss = path;
	tcp->sack = tcp->options.sack && in->sack_offered;
	if (tcp->options.scale != TCP_NO_WINDOW_SCALE && in->scale != TCP_NO_WINDOW_SCALE) {
		tcp->snd_scale = in->scale;
		tcp->rcv_scale = tcp->options.scale;
	}
	tcp->snd_wnd = tcp->max_wnd = in->window;
	tcp->snd_wl1 = in->seq;
	tcp->snd_wl2 = in->ack;
	if (tcp->timing)
		sim_tcp_measured(tcp, tcp->host->sim->now_us - tcp->timed_us);
	tcp->timing = false;
	open_it(tcp);
	sim_tcp_ack(tcp);
	if (tcp->program && tcp->program->established)
		tcp->program->established(tcp->ctx);
	sim_tcp_push(tcp);
}

static void input_syn_sent(struct sim_tcp *tcp, const struct sim_seg *seg)
{
	const struct tcp_out *in = &seg->tcp;
	bool ack_good = (in->flags & TCP_ACK) && in->ack == tcp->iss + 1;

	if ((in->flags & TCP_ACK) && !ack_good) {
		if (!(in->flags & TCP_RST))
			sim_tcp_send_reset(tcp->host, seg);
	} else if (in->flags & TCP_RST) {
		if (ack_good)
			sim_tcp_end_it(tcp, true);
	} else if ((in->flags & TCP_SYN) && ack_good) {
		take_syn_ack(tcp, seg);
	}
}

static uint32_t length(const struct sim_seg *seg)
{
	return seg->len + !!(seg->tcp.flags & TCP_SYN) + !!(seg->tcp.flags & TCP_FIN);
}

// Whether some of it lies in the window (RFC 9293 table 6).
static bool is_acceptable(const struct sim_tcp *tcp, const struct sim_seg *seg)
{
	uint32_t len = length(seg), window = tcp->rcv_edge - tcp->rcv_nxt;
	uint32_t first = seg->tcp.seq - tcp->rcv_nxt, last = first + len - 1;

	if (!window)
		return first == 0;
	return first < window || (len && last < window);
}

// Whatever a reset in the window does must not help who guesses (RFC 5961 §3).
static void take_reset(struct sim_tcp *tcp, const struct sim_seg *seg)
{
	if (seg->tcp.seq == tcp->rcv_nxt)
		sim_tcp_end_it(tcp, true);
	else
		sim_tcp_ack(tcp);
}

static void grow_cwnd(struct sim_tcp *tcp, uint32_t n_acked)
{
	if (tcp->cwnd < tcp->ssthresh)
		tcp->cwnd += n_acked;
	else
		tcp->cwnd += (uint32_t)((uint64_t)tcp->mss * tcp->mss / tcp->cwnd) + 1;
}

static void take_new_ack(struct sim_tcp *tcp, uint32_t ack)
{
	uint32_t n = ack - tcp->snd_una, n_bytes = n;

	if (n_bytes > tcp->out_len) {
		n_bytes = tcp->out_len;
		tcp->fin_acked = true;
	}
	tcp->out_len -= n_bytes;
	memmove(tcp->out, tcp->out + n_bytes, tcp->out_len);
	tcp->snd_una = ack;
	if (sim_seq_lt(tcp->snd_nxt, ack))
		tcp->snd_nxt = ack;
	if (tcp->timing && sim_seq_le(tcp->timed_seq, ack)) {
		sim_tcp_measured(tcp, tcp->host->sim->now_us - tcp->timed_us);
		tcp->timing = false;
	}
	tcp->n_backoffs = 0;
	tcp->n_dupacks = 0;
	tcp->rto_at = tcp->persist_at = 0;
	sim_ranges_forget(&tcp->sacked, ack);
	if (tcp->recovering && sim_seq_le(tcp->recover, ack)) {
		tcp->recovering = false;
		tcp->cwnd = tcp->ssthresh;
	} else if (!tcp->recovering) {
		grow_cwnd(tcp, n);
	}
	if (tcp->snd_una != tcp->snd_max)
		sim_tcp_arm_rto(tcp);
}

static void start_recovery(struct sim_tcp *tcp)
{
	uint32_t half = (tcp->snd_max - tcp->snd_una) / 2;

	tcp->recovering = true;
	tcp->recover = tcp->snd_max;
	tcp->rexmit_nxt = tcp->snd_una;
	tcp->ssthresh = half > 2u * tcp->mss ? half : 2u * tcp->mss;
	tcp->cwnd = tcp->ssthresh + N_DUPACKS * tcp->mss;
}

static void take_sacks(struct sim_tcp *tcp, const struct sim_seg *seg)
{
	for (uint32_t i = 0; i < seg->tcp.n_sacks && i < TCP_MAX_SACKS; i++) {
		uint32_t left = seg->tcp.sacks[i].left, right = seg->tcp.sacks[i].right;

		if (!tcp->host->sim->hostile &&
			(!tcp->sack || !sim_seq_lt(left, right) || sim_seq_lt(tcp->snd_max, right)))
			sim_fail(tcp->host->sim, "host %u port %u got a bad SACK",
				tcp->host->number, tcp->local.port);
		if (sim_seq_le(tcp->snd_una, left) && sim_seq_lt(left, right) &&
			sim_seq_le(right, tcp->snd_max))
			sim_ranges_add(&tcp->sacked, left, right);
	}
}

static void take_duplicate_ack(struct sim_tcp *tcp, const struct sim_seg *seg)
{
	if (seg->len || tcp->snd_una == tcp->snd_max || (seg->tcp.flags & TCP_FIN) ||
		(uint32_t)seg->tcp.window << tcp->snd_scale != tcp->snd_wnd)
		return;
	if (tcp->n_dupacks < UINT8_MAX)
		tcp->n_dupacks++;
	if (tcp->recovering)
		tcp->cwnd += tcp->mss;
	else if (tcp->n_dupacks == N_DUPACKS && sim_seq_le(tcp->recover, tcp->snd_una))
		start_recovery(tcp);
}

static void take_window(struct sim_tcp *tcp, const struct sim_seg *seg)
{
	if (!sim_seq_lt(tcp->snd_wl1, seg->tcp.seq) &&
		(tcp->snd_wl1 != seg->tcp.seq || !sim_seq_le(tcp->snd_wl2, seg->tcp.ack)))
		return;
	tcp->snd_wnd = (uint32_t)seg->tcp.window << tcp->snd_scale;
	tcp->snd_wl1 = seg->tcp.seq;
	tcp->snd_wl2 = seg->tcp.ack;
	if (tcp->snd_wnd > tcp->max_wnd)
		tcp->max_wnd = tcp->snd_wnd;
	if (tcp->snd_wnd && tcp->persist_at) {
		tcp->persist_at = 0;
		tcp->n_backoffs = 0;
	}
}

// False: the segment is not to be looked at any further.
static bool take_ack(struct sim_tcp *tcp, const struct sim_seg *seg)
{
	uint32_t ack = seg->tcp.ack;

	if (tcp->state == SIM_TCP_SYN_RECEIVED) {
		if (ack != tcp->iss + 1) {
			sim_tcp_send_reset(tcp->host, seg);
			return false;
		}
		if (tcp->timing)
			sim_tcp_measured(tcp, tcp->host->sim->now_us - tcp->timed_us);
		tcp->timing = false;
		tcp->snd_una = ack;
		tcp->snd_wl1 = seg->tcp.seq - 1;
		open_it(tcp);
		tcp->host->accept(tcp->host->ctx, tcp);
		if (tcp->program && tcp->program->established)
			tcp->program->established(tcp->ctx);
	}
	if (sim_seq_lt(tcp->snd_max, ack)) {
		if (!tcp->host->sim->hostile)
			sim_fail(tcp->host->sim, "host %u port %u got an ACK of what it never sent",
				tcp->host->number, tcp->local.port);
		sim_tcp_ack(tcp);
		return false;
	}
	if (tcp->snd_una - ack < UINT32_C(0x80000000) && tcp->snd_una - ack > tcp->max_wnd) {
		sim_tcp_ack(tcp);
		return false;
	}
	take_sacks(tcp, seg);
	if (sim_seq_lt(tcp->snd_una, ack))
		take_new_ack(tcp, ack);
	else if (ack == tcp->snd_una)
		take_duplicate_ack(tcp, seg);
	take_window(tcp, seg);
	return true;
}

// What an ACK of our FIN does to the state. False: the connection is gone.
static bool follow_fin_ack(struct sim_tcp *tcp)
{
	uint64_t now = tcp->host->sim->now_us;

	if (!tcp->fin_acked)
		return true;
	if (tcp->state == SIM_TCP_FIN_WAIT_1) {
		tcp->state = SIM_TCP_FIN_WAIT_2;
		if (!tcp->program)
			tcp->gone_at = now + ORPHAN_US;
	} else if (tcp->state == SIM_TCP_CLOSING) {
		tcp->state = SIM_TCP_TIME_WAIT;
		tcp->gone_at = now + tcp->options.time_wait_us;
	} else if (tcp->state == SIM_TCP_LAST_ACK) {
		sim_tcp_end_it(tcp, false);
		return false;
	}
	return true;
}

static void give(struct sim_tcp *tcp, const uint8_t *data, uint32_t len)
{
	tcp->rcv_nxt += len;
	tcp->unread += len;
	if (tcp->program)
		tcp->program->data(tcp->ctx, data, len);
}

static void store_early(struct sim_tcp *tcp, uint32_t seq, const uint8_t *data, uint32_t len)
{
	uint32_t size = tcp->options.receive_buffer;

	for (uint32_t i = 0; i < len; i++)
		if (!sim_ranges_cover(&tcp->early, seq + i, seq + i + 1))
			tcp->in[(seq + i - tcp->irs) % size] = data[i]; // the first copy wins
	sim_ranges_add(&tcp->early, seq, seq + len);
}

// Gives what has come in order by now.
static void give_early(struct sim_tcp *tcp)
{
	uint32_t size = tcp->options.receive_buffer, right, at, len;
	uint8_t *piece;

	sim_ranges_forget(&tcp->early, tcp->rcv_nxt);
	if (!tcp->early.n || tcp->early.at[0].left != tcp->rcv_nxt)
		return;
	right = tcp->early.at[0].right;
	len = right - tcp->rcv_nxt;
	piece = sim_alloc(len);
	for (uint32_t i = 0; i < len; i++) {
		at = (tcp->rcv_nxt + i - tcp->irs) % size;
		piece[i] = tcp->in[at];
	}
	sim_ranges_forget(&tcp->early, right);
	give(tcp, piece, len);
	free(piece);
}

// The part of the segment's data that lies in the window.
static void take_data(struct sim_tcp *tcp, const struct sim_seg *seg)
{
	uint32_t seq = seg->tcp.seq, len = seg->len, skip = 0;

	if (sim_seq_lt(seq, tcp->rcv_nxt)) {
		skip = tcp->rcv_nxt - seq < len ? tcp->rcv_nxt - seq : len;
		if (tcp->options.dsack && skip)
			tcp->dsack = (struct sim_range){.left = seq, .right = seq + skip};
	}
	seq += skip;
	len -= skip;
	if (len > tcp->rcv_edge - seq)
		len = tcp->rcv_edge - seq;
	tcp->n_unacked_segs++;
	if (!len) {
		tcp->n_unacked_segs = UINT16_MAX;
	} else if (seq != tcp->rcv_nxt) {
		store_early(tcp, seq, seg->data + skip, len);
		tcp->n_unacked_segs = UINT16_MAX;
	} else {
		if (tcp->early.n)
			tcp->n_unacked_segs = UINT16_MAX;
		give(tcp, seg->data + skip, len);
		if (tcp->state != SIM_TCP_CLOSED)
			give_early(tcp);
	}
}

static void enter_fin(struct sim_tcp *tcp)
{
	tcp->rcv_nxt++;
	tcp->fin_seen = true;
	if (tcp->state == SIM_TCP_ESTABLISHED) {
		tcp->state = SIM_TCP_CLOSE_WAIT;
	} else if (tcp->state == SIM_TCP_FIN_WAIT_1) {
		tcp->state = SIM_TCP_CLOSING;
	} else if (tcp->state == SIM_TCP_FIN_WAIT_2) {
		tcp->state = SIM_TCP_TIME_WAIT;
		tcp->gone_at = tcp->host->sim->now_us + tcp->options.time_wait_us;
	}
	sim_tcp_ack(tcp);
	if (tcp->program)
		tcp->program->eof(tcp->ctx);
}

static void acknowledge(struct sim_tcp *tcp)
{
	bool gap = tcp->early.n != 0;

	if (!tcp->n_unacked_segs)
		return;
	if (gap || tcp->n_unacked_segs >= 2 || tcp->options.quick_ack)
		sim_tcp_ack(tcp);
	else if (!tcp->delack_at)
		tcp->delack_at = tcp->host->sim->now_us + DELAYED_ACK_US;
}

static void take_text(struct sim_tcp *tcp, const struct sim_seg *seg)
{
	bool receiving = tcp->state == SIM_TCP_ESTABLISHED || tcp->state == SIM_TCP_FIN_WAIT_1 ||
			 tcp->state == SIM_TCP_FIN_WAIT_2;

	if (!receiving || tcp->fin_seen) {
		if (length(seg))
			sim_tcp_ack(tcp);
		return;
	}
	// Nobody is there to read it (RFC 2525 §2.17).
	if (seg->len && !tcp->program && sim_seq_lt(tcp->rcv_nxt, seg->tcp.seq + seg->len)) {
		sim_tcp_send_reset(tcp->host, seg);
		sim_tcp_end_it(tcp, true);
		return;
	}
	if (seg->len)
		take_data(tcp, seg);
	if (tcp->state == SIM_TCP_CLOSED)
		return;
	if (seg->tcp.flags & TCP_FIN) {
		tcp->fin_seq = seg->tcp.seq + seg->len;
		tcp->fin_known = true;
		tcp->n_unacked_segs = UINT16_MAX;
	}
	if (tcp->fin_known && tcp->fin_seq == tcp->rcv_nxt)
		enter_fin(tcp);
	if (tcp->state != SIM_TCP_CLOSED)
		acknowledge(tcp);
}

static void refuse(struct sim_tcp *tcp, const struct sim_seg *seg)
{
	if (seg->tcp.flags & TCP_RST)
		return;
	if (tcp->state == SIM_TCP_SYN_RECEIVED && (seg->tcp.flags & TCP_SYN))
		sim_tcp_send_syn(tcp);
	else
		sim_tcp_ack(tcp);
	if (tcp->state == SIM_TCP_TIME_WAIT && (seg->tcp.flags & TCP_FIN))
		tcp->gone_at = tcp->host->sim->now_us + tcp->options.time_wait_us;
	if (tcp->options.dsack && seg->len)
		tcp->dsack = (struct sim_range){0};
}

void sim_tcp_input(struct sim_tcp *tcp, const struct sim_seg *seg)
{
	if (tcp->options.keepalive_us)
		tcp->keepalive_at = tcp->host->sim->now_us + tcp->options.keepalive_us;
	if (tcp->state == SIM_TCP_SYN_SENT) {
		input_syn_sent(tcp, seg);
		return;
	}
	if (!is_acceptable(tcp, seg)) {
		refuse(tcp, seg);
	} else if (seg->tcp.flags & TCP_RST) {
		take_reset(tcp, seg);
	} else if (seg->tcp.flags & TCP_SYN) {
		sim_tcp_ack(tcp);
	} else if ((seg->tcp.flags & TCP_ACK) && take_ack(tcp, seg) && follow_fin_ack(tcp)) {
		take_text(tcp, seg);
		if (tcp->state != SIM_TCP_CLOSED)
			sim_tcp_push(tcp);
	}
	sim_tcp_arm(tcp);
}
