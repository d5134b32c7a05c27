// SPDX-License-Identifier: Apache-2.0

#include "tests/sim/sim_host.h"

#include <stdlib.h>
#include <string.h>

#include "tests/sim/sim_tcp.h"

struct sim_host *sim_host_create(struct sim *sim, uint16_t number)
{
	struct sim_host *host = sim_alloc(sizeof(*host));

	host->sim = sim;
	host->number = number;
	host->next_port = 1024;
	return host;
}

static void free_list(struct sim_tcp *tcp)
{
	while (tcp) {
		struct sim_tcp *next = tcp->next;

		free(tcp->out);
		free(tcp->in);
		free(tcp);
		tcp = next;
	}
}

void sim_host_destroy(struct sim_host *host)
{
	if (!host)
		return;
	free_list(host->connections);
	free_list(host->graveyard);
	free(host);
}

struct sim_tcp *sim_host_find(struct sim_host *host, struct sim_addr local, struct sim_addr remote)
{
	for (struct sim_tcp *tcp = host->connections; tcp; tcp = tcp->next)
		if (sim_addr_equal(tcp->local, local) && sim_addr_equal(tcp->remote, remote))
			return tcp;
	return NULL;
}

struct sim_tcp *sim_tcp_new(struct sim_host *host, struct sim_addr local, struct sim_addr remote)
{
	struct sim_tcp *tcp = sim_alloc(sizeof(*tcp));

	tcp->host = host;
	tcp->local = local;
	tcp->remote = remote;
	tcp->options = host->options;
	// Numbers wrap early in many connections.
	tcp->iss = (uint32_t)sim_random(host->sim);
	if (sim_chance(host->sim, 200))
		tcp->iss = 0u - sim_below(host->sim, 100000);
	tcp->snd_una = tcp->snd_nxt = tcp->snd_max = tcp->iss;
	tcp->mss = TCP_DEFAULT_MSS;
	tcp->in = sim_alloc(tcp->options.receive_buffer);
	tcp->rto_us = 1000000;
	tcp->ssthresh = UINT32_MAX;
	tcp->next = host->connections;
	host->connections = tcp;
	return tcp;
}

// It stays in memory: events and programs may still point to it.
void sim_tcp_end_it(struct sim_tcp *tcp, bool reset)
{
	const struct sim_tcp_program *program = tcp->program;
	struct sim_tcp **at = &tcp->host->connections;

	if (tcp->state == SIM_TCP_CLOSED)
		return;
	tcp->state = SIM_TCP_CLOSED;
	tcp->program = NULL;
	while (*at != tcp)
		at = &(*at)->next;
	*at = tcp->next;
	tcp->next = tcp->host->graveyard;
	tcp->host->graveyard = tcp;
	free(tcp->out);
	free(tcp->in);
	tcp->out = tcp->in = NULL;
	tcp->out_len = 0;
	if (program)
		program->closed(tcp->ctx, reset);
}

struct sim_tcp *sim_tcp_connect(struct sim_host *host, struct sim_addr remote,
	const struct sim_tcp_program *program, void *ctx)
{
	struct sim_addr local = {.host = host->number, .port = host->next_port++};
	struct sim_tcp *tcp = sim_tcp_new(host, local, remote);

	if (host->next_port == 0)
		host->next_port = 1024;
	tcp->program = program;
	tcp->ctx = ctx;
	tcp->state = SIM_TCP_SYN_SENT;
	sim_tcp_send_syn(tcp);
	return tcp;
}

static void take_syn(struct sim_host *host, const struct sim_seg *seg)
{
	struct sim_tcp *tcp = sim_tcp_new(host, seg->dst, seg->src);

	tcp->irs = seg->tcp.seq;
	tcp->rcv_nxt = seg->tcp.seq + 1;
	tcp->mss = seg->tcp.mss ? seg->tcp.mss : TCP_DEFAULT_MSS;
	if (tcp->mss > host->out.mtu - SIM_HEADERS_LEN)
		tcp->mss = host->out.mtu - SIM_HEADERS_LEN;
	tcp->sack = tcp->options.sack && seg->tcp.sack_offered;
	if (tcp->options.scale != TCP_NO_WINDOW_SCALE && seg->tcp.scale != TCP_NO_WINDOW_SCALE) {
		tcp->snd_scale = seg->tcp.scale;
		tcp->rcv_scale = tcp->options.scale;
	}
	tcp->snd_wnd = tcp->max_wnd = seg->tcp.window;
	tcp->snd_wl1 = seg->tcp.seq;
	tcp->state = SIM_TCP_SYN_RECEIVED;
	sim_tcp_send_syn(tcp);
}

void sim_host_input(struct sim_host *host, const struct sim_seg *seg)
{
	struct sim_tcp *tcp = sim_host_find(host, seg->dst, seg->src);

	if (host->silent)
		return;
	// A new connection may take the place of one in TIME_WAIT (RFC 9293 §3.10.7.4).
	if (tcp && tcp->state == SIM_TCP_TIME_WAIT && (seg->tcp.flags & TCP_SYN) &&
		!(seg->tcp.flags & (TCP_ACK | TCP_RST)) && sim_seq_lt(tcp->rcv_nxt, seg->tcp.seq)) {
		sim_tcp_end_it(tcp, false);
		tcp = NULL;
	}
	if (tcp)
		sim_tcp_input(tcp, seg);
	else if (seg->tcp.flags & TCP_RST)
		return;
	else if (host->listens && (seg->tcp.flags & (TCP_SYN | TCP_ACK)) == TCP_SYN)
		take_syn(host, seg);
	else
		sim_tcp_send_reset(host, seg);
}

void sim_host_too_big(struct sim_host *host, const struct sim_seg *quoted, uint16_t mss)
{
	struct sim_tcp *tcp = sim_host_find(host, quoted->src, quoted->dst);

	if (!tcp || mss >= tcp->mss)
		return;
	if (sim_seq_lt(quoted->tcp.seq, tcp->snd_una) ||
		!sim_seq_lt(quoted->tcp.seq, tcp->snd_max)) {
		if (!host->sim->hostile && sim_seq_lt(tcp->snd_max, quoted->tcp.seq))
			sim_fail(host->sim, "an ICMP error quotes a number that host %u never sent",
				host->number);
		return;
	}
	tcp->mss = mss;
	tcp->snd_nxt = tcp->snd_una;
	tcp->sacked.n = 0;
	tcp->recovering = false;
	sim_tcp_push(tcp);
}

void sim_host_crash(struct sim_host *host)
{
	while (host->connections)
		sim_tcp_end_it(host->connections, true);
}

void sim_tcp_write(struct sim_tcp *tcp, const uint8_t *data, uint32_t len)
{
	if (tcp->state == SIM_TCP_CLOSED || tcp->fin_queued || !len)
		return;
	if (tcp->out_len + len > tcp->out_size) {
		tcp->out_size = (tcp->out_len + len) * 2;
		tcp->out = sim_realloc(tcp->out, tcp->out_size);
	}
	memcpy(tcp->out + tcp->out_len, data, len);
	tcp->out_len += len;
	sim_tcp_push(tcp);
}

void sim_tcp_read(struct sim_tcp *tcp, uint32_t len)
{
	uint32_t room, step;

	if (tcp->state == SIM_TCP_CLOSED)
		return;
	tcp->unread -= len < tcp->unread ? len : tcp->unread;
	// Tell the sender when the window has grown by what is worth a segment (RFC 9293 §3.8.6.2.2).
	room = tcp->rcv_nxt + tcp->options.receive_buffer - tcp->unread - tcp->rcv_edge;
	step = tcp->options.receive_buffer / 2;
	if (step > 2u * tcp->mss)
		step = 2u * tcp->mss;
	if (tcp->state >= SIM_TCP_ESTABLISHED && !tcp->fin_seen && (int32_t)room >= (int32_t)step)
		sim_tcp_ack(tcp);
}

void sim_tcp_shutdown(struct sim_tcp *tcp)
{
	if (tcp->state == SIM_TCP_CLOSED || tcp->fin_queued)
		return;
	tcp->fin_queued = true;
	if (tcp->state == SIM_TCP_SYN_SENT)
		sim_tcp_end_it(tcp, false);
	else
		sim_tcp_push(tcp);
}

void sim_tcp_close(struct sim_tcp *tcp)
{
	tcp->program = NULL;
	if (tcp->unread)
		sim_tcp_abort(tcp);
	else
		sim_tcp_shutdown(tcp);
}

void sim_tcp_abort(struct sim_tcp *tcp)
{
	struct tcp_out reset = {
		.seq = tcp->snd_max, .ack = tcp->rcv_nxt, .flags = TCP_RST | TCP_ACK};

	if (tcp->state > SIM_TCP_SYN_SENT && tcp->state != SIM_TCP_TIME_WAIT)
		sim_net_send(tcp->host->sim, sim_seg_new(tcp->local, tcp->remote, &reset, NULL, 0));
	tcp->program = NULL;
	sim_tcp_end_it(tcp, true);
}
