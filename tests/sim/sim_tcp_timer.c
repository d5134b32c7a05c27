// SPDX-License-Identifier: Apache-2.0

#include "tests/sim/sim_tcp.h"

enum {
	MAX_RTO_US = 60000000,
	MAX_SYN_BACKOFFS = 6,
	MAX_BACKOFFS = 15,
};

void sim_tcp_measured(struct sim_tcp *tcp, uint64_t rtt_us)
{
	uint32_t rtt = (uint32_t)rtt_us, delta;

	if (!tcp->srtt_us) {
		tcp->srtt_us = rtt ? rtt : 1;
		tcp->rttvar_us = rtt / 2;
	} else {
		delta = tcp->srtt_us > rtt ? tcp->srtt_us - rtt : rtt - tcp->srtt_us;
		tcp->rttvar_us = (3 * tcp->rttvar_us + delta) / 4;
		tcp->srtt_us = (7 * tcp->srtt_us + rtt) / 8;
	}
	tcp->rto_us = tcp->srtt_us + 4 * tcp->rttvar_us;
	if (tcp->rto_us < tcp->options.min_rto_us)
		tcp->rto_us = tcp->options.min_rto_us;
}

static uint64_t backed_off(const struct sim_tcp *tcp)
{
	uint64_t us = (uint64_t)tcp->rto_us << tcp->n_backoffs;

	return tcp->host->sim->now_us + (us < MAX_RTO_US ? us : MAX_RTO_US);
}

void sim_tcp_arm_rto(struct sim_tcp *tcp)
{
	tcp->rto_at = backed_off(tcp);
	tcp->persist_at = 0;
	sim_tcp_arm(tcp);
}

static void retransmit(struct sim_tcp *tcp)
{
	uint32_t flight = tcp->snd_max - tcp->snd_una;
	bool handshake = tcp->state < SIM_TCP_ESTABLISHED;

	tcp->rto_at = 0;
	if (tcp->n_backoffs++ == (handshake ? MAX_SYN_BACKOFFS : MAX_BACKOFFS)) {
		sim_tcp_end_it(tcp, true);
		return;
	}
	if (handshake) {
		sim_tcp_send_syn(tcp);
		return;
	}
	tcp->ssthresh = flight / 2 > 2u * tcp->mss ? flight / 2 : 2u * tcp->mss;
	tcp->cwnd = tcp->mss;
	tcp->snd_nxt = tcp->snd_una;
	tcp->sacked.n = 0; // the peer may have thrown away what it only SACKed (RFC 2018 §8)
	tcp->recovering = false;
	tcp->recover = tcp->snd_max;
	tcp->n_dupacks = 0;
	tcp->timing = false;
	sim_tcp_push(tcp);
}

static void persist(struct sim_tcp *tcp)
{
	if (tcp->n_backoffs < 20)
		tcp->n_backoffs++;
	tcp->persist_at = backed_off(tcp);
	sim_tcp_probe(tcp);
}

static bool is_due(const struct sim_tcp *tcp, uint64_t at)
{
	return at && at <= tcp->host->sim->now_us && tcp->state != SIM_TCP_CLOSED;
}

static void run_timers(void *arg)
{
	struct sim_tcp *tcp = arg;

	if (tcp->wake_at > tcp->host->sim->now_us)
		return; // an earlier one took its place
	tcp->wake_at = 0;
	if (is_due(tcp, tcp->gone_at)) {
		sim_tcp_end_it(tcp, false);
		return;
	}
	if (is_due(tcp, tcp->delack_at))
		sim_tcp_ack(tcp);
	if (is_due(tcp, tcp->rto_at))
		retransmit(tcp);
	if (is_due(tcp, tcp->persist_at))
		persist(tcp);
	if (is_due(tcp, tcp->keepalive_at)) {
		tcp->keepalive_at = 0;
		if (tcp->state == SIM_TCP_ESTABLISHED && tcp->snd_una == tcp->snd_max)
			sim_tcp_keepalive(tcp);
	}
	sim_tcp_arm(tcp);
}

void sim_tcp_arm(struct sim_tcp *tcp)
{
	const uint64_t times[] = {
		tcp->rto_at, tcp->delack_at, tcp->persist_at, tcp->gone_at, tcp->keepalive_at};
	uint64_t first = 0;

	if (tcp->state == SIM_TCP_CLOSED)
		return;
	for (uint32_t i = 0; i < sizeof(times) / sizeof(*times); i++)
		if (times[i] && (!first || times[i] < first))
			first = times[i];
	if (!first || (tcp->wake_at && tcp->wake_at <= first))
		return;
	tcp->wake_at = first;
	sim_at(tcp->host->sim, first, run_timers, tcp);
}
