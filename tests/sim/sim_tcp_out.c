// SPDX-License-Identifier: Apache-2.0

#include <string.h>

#include "tests/sim/sim_tcp.h"

static uint32_t min32(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

// The window to advertise. Its right edge stays where it is until it can move by what is worth a segment
// (RFC 9293 §3.8.6.2.2), and never moves left.
static uint16_t take_window(struct sim_tcp *tcp)
{
	uint32_t size = tcp->options.receive_buffer;
	uint32_t edge = tcp->rcv_nxt + size - tcp->unread;
	uint32_t most = UINT32_C(65535) << tcp->rcv_scale;

	if ((int32_t)(edge - tcp->rcv_edge) >= (int32_t)min32(tcp->mss, size / 2))
		tcp->rcv_edge = edge;
	if (sim_seq_lt(tcp->rcv_edge, tcp->rcv_nxt))
		tcp->rcv_edge = tcp->rcv_nxt;
	if (tcp->rcv_edge - tcp->rcv_nxt > most)
		tcp->rcv_edge = tcp->rcv_nxt + most;
	return (uint16_t)((tcp->rcv_edge - tcp->rcv_nxt) >> tcp->rcv_scale);
}

// A duplicate's range first (RFC 2883), then what waits out of order, latest not necessarily first.
static void put_sacks(struct sim_tcp *tcp, struct tcp_out *out)
{
	const struct sim_ranges *early = &tcp->early;

	if (!tcp->sack)
		return;
	if (tcp->dsack.left != tcp->dsack.right) {
		out->sacks[out->n_sacks++] =
			(struct tcp_sack){.left = tcp->dsack.left, .right = tcp->dsack.right};
		tcp->dsack = (struct sim_range){0};
	}
	for (uint32_t i = early->n; i-- > 0 && out->n_sacks < TCP_MAX_SACKS;)
		out->sacks[out->n_sacks++] =
			(struct tcp_sack){.left = early->at[i].left, .right = early->at[i].right};
}

static void emit(
	struct sim_tcp *tcp, uint8_t flags, uint32_t seq, const uint8_t *data, uint32_t len)
{
	struct tcp_out out = {.seq = seq, .flags = flags | TCP_ACK, .scale = TCP_NO_WINDOW_SCALE};

	out.ack = tcp->rcv_nxt;
	out.window = take_window(tcp);
	put_sacks(tcp, &out);
	tcp->n_unacked_segs = 0;
	tcp->delack_at = 0;
	if (tcp->options.keepalive_us)
		tcp->keepalive_at = tcp->host->sim->now_us + tcp->options.keepalive_us;
	sim_net_send(tcp->host->sim, sim_seg_new(tcp->local, tcp->remote, &out, data, len));
}

void sim_tcp_ack(struct sim_tcp *tcp)
{
	uint32_t seq = tcp->snd_max;

	// A number beyond the peer's window would not be looked at.
	if (sim_seq_lt(tcp->snd_una + tcp->snd_wnd, seq))
		seq = tcp->snd_una + tcp->snd_wnd;
	emit(tcp, 0, seq, NULL, 0);
}

void sim_tcp_send_syn(struct sim_tcp *tcp)
{
	bool answer = tcp->state == SIM_TCP_SYN_RECEIVED;
	uint32_t window = min32(tcp->options.receive_buffer, 65535);
	struct tcp_out out = {
		.seq = tcp->iss,
		.ack = answer ? tcp->rcv_nxt : 0,
		.window = (uint16_t)window,
		.flags = answer ? TCP_SYN | TCP_ACK : TCP_SYN,
		.mss = tcp->options.mss,
		.scale = answer ? TCP_NO_WINDOW_SCALE : tcp->options.scale,
		.sack_offered = answer ? tcp->sack : tcp->options.sack,
	};

	if (answer && (tcp->snd_scale || tcp->rcv_scale))
		out.scale = tcp->rcv_scale;
	if (answer)
		tcp->rcv_edge = tcp->rcv_nxt + window;
	tcp->snd_nxt = tcp->snd_max = tcp->iss + 1;
	tcp->timing = tcp->n_backoffs == 0;
	tcp->timed_seq = tcp->snd_nxt;
	tcp->timed_us = tcp->host->sim->now_us;
	sim_tcp_arm_rto(tcp);
	sim_net_send(tcp->host->sim, sim_seg_new(tcp->local, tcp->remote, &out, NULL, 0));
}

void sim_tcp_send_reset(struct sim_host *host, const struct sim_seg *to)
{
	struct tcp_out out = {.flags = TCP_RST, .scale = TCP_NO_WINDOW_SCALE};

	if (to->tcp.flags & TCP_ACK) {
		out.seq = to->tcp.ack;
	} else {
		out.flags |= TCP_ACK;
		out.ack = to->tcp.seq + to->len + !!(to->tcp.flags & TCP_SYN) +
			  !!(to->tcp.flags & TCP_FIN);
	}
	sim_net_send(host->sim, sim_seg_new(to->dst, to->src, &out, NULL, 0));
}

uint32_t sim_tcp_end(const struct sim_tcp *tcp)
{
	return tcp->snd_una + (tcp->snd_una == tcp->iss) + tcp->out_len;
}

// Sends the bytes at seq, and FIN when they end where it stands.
static void transmit(struct sim_tcp *tcp, uint32_t seq, uint32_t len, bool fin)
{
	uint32_t end = seq + len + fin;

	emit(tcp, (fin ? TCP_FIN : 0) | (len ? TCP_PSH : 0), seq, tcp->out + (seq - tcp->snd_una),
		len);
	if (!tcp->timing && sim_seq_le(tcp->snd_max, seq)) {
		tcp->timing = true;
		tcp->timed_seq = end;
		tcp->timed_us = tcp->host->sim->now_us;
	} else if (tcp->timing && sim_seq_lt(seq, tcp->snd_max)) {
		tcp->timing = false; // Karn's rule
	}
	if (sim_seq_lt(tcp->snd_max, end))
		tcp->snd_max = end;
	if (!fin)
		return;
	if (tcp->state == SIM_TCP_ESTABLISHED)
		tcp->state = SIM_TCP_FIN_WAIT_1;
	else if (tcp->state == SIM_TCP_CLOSE_WAIT)
		tcp->state = SIM_TCP_LAST_ACK;
}

// Whether a piece is too small to go now (Nagle; and no small pieces because the window is small).
static bool should_wait(const struct sim_tcp *tcp, uint32_t len, uint32_t left)
{
	if (len >= tcp->mss || tcp->snd_nxt == tcp->snd_una)
		return false;
	if (len < left)
		return len < tcp->max_wnd / 2;
	return tcp->options.nagle && !tcp->fin_queued;
}

static uint32_t n_sacked_bytes(const struct sim_tcp *tcp)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < tcp->sacked.n; i++)
		n += tcp->sacked.at[i].right - tcp->sacked.at[i].left;
	return n;
}

// What the peer holds already is passed over.
static void skip_sacked(struct sim_tcp *tcp)
{
	for (uint32_t i = 0; i < tcp->sacked.n; i++)
		if (sim_seq_le(tcp->sacked.at[i].left, tcp->snd_nxt) &&
			sim_seq_lt(tcp->snd_nxt, tcp->sacked.at[i].right))
			tcp->snd_nxt = tcp->sacked.at[i].right;
}

static uint32_t until_sacked(const struct sim_tcp *tcp, uint32_t seq, uint32_t len)
{
	for (uint32_t i = 0; i < tcp->sacked.n; i++)
		if (sim_seq_le(seq, tcp->sacked.at[i].left))
			return min32(len, tcp->sacked.at[i].left - seq);
	return len;
}

static bool push_one(struct sim_tcp *tcp)
{
	uint32_t end = sim_tcp_end(tcp), left, window, len;
	bool fin;

	skip_sacked(tcp);
	if (tcp->fin_acked || sim_seq_lt(end, tcp->snd_nxt))
		return false; // FIN is out
	left = end - tcp->snd_nxt;
	window = min32(tcp->snd_wnd, tcp->cwnd + n_sacked_bytes(tcp));
	if (window <= tcp->snd_nxt - tcp->snd_una)
		return false;
	window -= tcp->snd_nxt - tcp->snd_una;
	len = until_sacked(tcp, tcp->snd_nxt, min32(min32(left, window), tcp->mss));
	fin = tcp->fin_queued && len == left && window > len;
	if ((!len && !fin) || (len && !fin && should_wait(tcp, len, left)))
		return false;
	transmit(tcp, tcp->snd_nxt, len, fin);
	tcp->snd_nxt += len + fin;
	return true;
}

// Retransmits the next hole below what the peer has told of, once for each acknowledgement.
static void fill_hole(struct sim_tcp *tcp)
{
	uint32_t seq = sim_seq_lt(tcp->rexmit_nxt, tcp->snd_una) ? tcp->snd_una : tcp->rexmit_nxt;
	uint32_t end = sim_tcp_end(tcp), len;

	for (uint32_t i = 0; i < tcp->sacked.n; i++)
		if (sim_seq_le(tcp->sacked.at[i].left, seq) &&
			sim_seq_lt(seq, tcp->sacked.at[i].right))
			seq = tcp->sacked.at[i].right;
	if (seq != tcp->snd_una &&
		(!tcp->sacked.n || !sim_seq_lt(seq, tcp->sacked.at[tcp->sacked.n - 1].left)))
		return;
	if (sim_seq_lt(end, seq) || !sim_seq_lt(seq, tcp->snd_max))
		return;
	len = until_sacked(tcp, seq, min32(end - seq, tcp->mss));
	len = min32(len, tcp->snd_max - seq);
	transmit(tcp, seq, len, tcp->fin_queued && seq + len == end && tcp->snd_max == end + 1);
	tcp->rexmit_nxt = seq + len;
}

void sim_tcp_push(struct sim_tcp *tcp)
{
	if (tcp->state < SIM_TCP_ESTABLISHED || tcp->state == SIM_TCP_TIME_WAIT)
		return;
	if (tcp->recovering)
		fill_hole(tcp);
	while (push_one(tcp))
		;
	if (tcp->snd_nxt != tcp->snd_una && !tcp->rto_at)
		sim_tcp_arm_rto(tcp);
	// Something waits, nothing is under way: only a window update can help, and it may get lost.
	if (tcp->snd_nxt == tcp->snd_una &&
		(tcp->out_len || (tcp->fin_queued && !tcp->fin_acked)) && !tcp->persist_at) {
		tcp->persist_at = tcp->host->sim->now_us + tcp->rto_us;
		tcp->rto_at = 0;
	}
	sim_tcp_arm(tcp);
}

void sim_tcp_probe(struct sim_tcp *tcp)
{
	if (tcp->options.probe_with_data && tcp->out_len) {
		emit(tcp, 0, tcp->snd_una, tcp->out, 1);
		if (sim_seq_lt(tcp->snd_max, tcp->snd_una + 1))
			tcp->snd_max = tcp->snd_una + 1;
	} else {
		emit(tcp, 0, tcp->snd_una - 1, NULL, 0);
	}
}

// Old kinds carry a byte that has long been acknowledged.
void sim_tcp_keepalive(struct sim_tcp *tcp)
{
	static const uint8_t garbage = 0;

	emit(tcp, 0, tcp->snd_una - 1, &garbage, tcp->options.probe_with_data);
}
