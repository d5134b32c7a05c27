// SPDX-License-Identifier: Apache-2.0

#include "tests/sim/sim_attack.h"

#include <string.h>

#include "tests/sim/sim_host.h"
#include "tests/sim/sim_node.h"
#include "tests/sim/sim_plan.h"
#include "tests/sim/sim_scenario.h"

enum {
	FLOOD_US = 3000, // between two SYNs
	FORGE_US = 5000,
	HALF_HEAD_US = 20000,
	END_US = 20000000, // when they lose interest
	N_HALF_HEADS = 60,
};

// Other bytes of the same length: other digits and letters, so that lengths, numbers and paths change.
static void change(struct sim *sim, struct sim_seg *seg)
{
	static const char smuggled[] =
		"0\r\n\r\nGET /c/0 HTTP/1.1\r\nHost: sim\r\nx-sim-id: 0\r\n\r\n";

	uint32_t chance;

	if (sim_chance(sim, 100)) {
		uint32_t at = sim_below(sim, seg->len);

		for (uint32_t i = 0; at + i < seg->len && i < sizeof(smuggled) - 1; i++)
			seg->data[at + i] = (uint8_t)smuggled[i];
		return;
	}
	chance = sim_chance(sim, 500) ? 100 : 0;
	for (uint32_t i = 0; i < seg->len; i++) {
		bool length = i >= 8 && memcmp(seg->data + i - 8, "Length: ", 8) == 0;

		if (!sim_chance(sim, length ? 900 : chance))
			continue;
		if (seg->data[i] >= '0' && seg->data[i] <= '9')
			seg->data[i] = (uint8_t)('0' + sim_below(sim, 10));
		else if (seg->data[i] >= 'a' && seg->data[i] <= 'c')
			seg->data[i] = (uint8_t)('a' + sim_below(sim, 3));
	}
}

// The same numbers with other bytes, a little before or long after the true ones; or cut elsewhere.
static void overlap(struct sim *sim, const struct sim_seg *seg)
{
	struct sim_seg *other = sim_seg_copy(seg);
	uint64_t at = sim->now_us + sim_below(sim, sim_chance(sim, 500) ? 5000 : 400000);
	uint32_t cut = sim_chance(sim, 300) ? sim_below(sim, seg->len) : 0;

	change(sim, other);
	memmove(other->data, other->data + cut, other->len - cut);
	other->len -= cut;
	other->tcp.seq += cut;
	sim_net_inject(sim, other, at);
}

void sim_attack_see(struct sim *sim, const struct sim_seg *seg)
{
	uint32_t attacks = sim->scenario->attacks;

	if ((attacks & SIM_ATTACK_OVERLAP) && seg->len && seg->dst.host == SIM_VIP &&
		sim_chance(sim, 300))
		overlap(sim, seg);
	if ((attacks & SIM_ATTACK_OVERLAP_ANSWERS) && seg->len &&
		seg->src.host >= SIM_SERVER_HOST && sim_chance(sim, 300))
		overlap(sim, seg);
	if ((attacks & SIM_ATTACK_OLD) && sim_chance(sim, 50))
		sim_net_inject(sim, sim_seg_copy(seg), sim->now_us + sim_below(sim, 8000000));
}

static void again(struct sim *sim, uint32_t step_us, void (*run)(void *arg))
{
	if (sim->n_open_requests && sim->now_us < END_US)
		sim_at(sim, sim->now_us + sim_below(sim, 2 * step_us), run, sim);
}

static void run_flood(void *arg)
{
	struct sim *sim = arg;
	struct sim_addr src = {
		.host = SIM_CLIENT_HOST + SIM_MAX_CLIENTS - 1 - (uint16_t)sim_below(sim, 8),
		.port = (uint16_t)sim_random(sim)};
	struct sim_addr dst = {.host = SIM_VIP, .port = 80};
	struct tcp_out syn = {.seq = (uint32_t)sim_random(sim),
		.flags = TCP_SYN,
		.window = 1000,
		.mss = 1460,
		.scale = TCP_NO_WINDOW_SCALE};

	// One in ten guesses at a cookie.
	if (sim_chance(sim, 100)) {
		syn.flags = TCP_ACK;
		syn.ack = (uint32_t)sim_random(sim);
	}
	sim_net_inject(sim, sim_seg_new(src, dst, &syn, NULL, 0), sim->now_us);
	again(sim, FLOOD_US, run_flood);
}

static uint32_t guess(struct sim *sim, uint32_t right)
{
	static const uint32_t reach[] = {0, 1, 3, 2000, 100000, 0x7fffffff};
	uint32_t off = sim_below(sim, reach[sim_below(sim, 6)] + 1);

	return sim_chance(sim, 500) ? right + off : right - off;
}

static void forge(struct sim *sim, const struct sim_pair *pair, const struct sim_tcp *tcp)
{
	static const uint8_t flags[] = {TCP_RST, TCP_RST | TCP_ACK, TCP_SYN, TCP_ACK,
		TCP_ACK | TCP_FIN, TCP_SYN | TCP_ACK, TCP_ACK | TCP_URG, 0};
	uint8_t data[64] = "GET /c/0 HTTP/1.1\r\nHost: sim\r\n\r\n";
	struct tcp_out out = {
		.seq = guess(sim, tcp->snd_max),
		.ack = guess(sim, tcp->rcv_nxt),
		.window = (uint16_t)sim_random(sim),
		.flags = flags[sim_below(sim, sizeof(flags))],
		.scale = TCP_NO_WINDOW_SCALE,
		.n_sacks = (uint8_t)sim_below(sim, 2),
		.sacks = {{.left = guess(sim, tcp->rcv_nxt), .right = guess(sim, tcp->rcv_nxt)}},
	};
	uint32_t len = out.flags & TCP_ACK && sim_chance(sim, 300) ? sim_below(sim, 64) : 0;

	sim_net_inject(sim, sim_seg_new(pair->host, pair->node, &out, data, len), sim->now_us);
}

static void run_forge(void *arg)
{
	struct sim *sim = arg;
	bool client = sim_chance(sim, 500);
	const struct sim_pair *pair = client ? &sim->node->flows[sim_below(sim, SIM_N_FLOWS)]
					     : &sim->node->legs[sim_below(sim, SIM_N_LEGS)];
	struct sim_host *host;
	const struct sim_tcp *tcp;

	if (pair->used) {
		host = client ? sim->clients[pair->host.host - SIM_CLIENT_HOST]
			      : sim->servers[pair->host.host - SIM_SERVER_HOST];
		tcp = host ? sim_host_find(host, pair->host, pair->node) : NULL;
		if (tcp)
			forge(sim, pair, tcp);
	}
	again(sim, pair->used ? FORGE_US : 500, run_forge);
}

static struct sim_host **half_head_host(struct sim *sim)
{
	return &sim->clients[SIM_MAX_CLIENTS - 10];
}

static void begin_head(void *ctx)
{
	static const uint8_t half[] = "GET /a/0 HTTP/1.1\r\nHost: s";

	sim_tcp_write(ctx, half, sizeof(half) - 1);
}

static void ignore_data(void *ctx, const uint8_t *data, uint32_t len)
{
	(void)data;
	sim_tcp_read(ctx, len);
}

static void ignore_eof(void *ctx)
{
	sim_tcp_close(ctx);
}

static void ignore_closed(void *ctx, bool reset)
{
	(void)ctx;
	(void)reset;
}

static const struct sim_tcp_program half_head_program = {
	.established = begin_head,
	.data = ignore_data,
	.eof = ignore_eof,
	.closed = ignore_closed,
};

static void run_half_head(void *arg)
{
	struct sim *sim = arg;
	struct sim_host *host = *half_head_host(sim);
	struct sim_addr to = {.host = SIM_VIP, .port = 80};
	struct sim_tcp *tcp;

	tcp = sim_tcp_connect(host, to, &half_head_program, NULL);
	tcp->ctx = tcp;
	if (host->next_port - 1024 < N_HALF_HEADS)
		again(sim, HALF_HEAD_US, run_half_head);
}

void sim_attack_start(struct sim *sim)
{
	uint32_t attacks = sim->scenario->attacks;

	if (attacks & SIM_ATTACK_FLOOD)
		run_flood(sim);
	if (attacks & SIM_ATTACK_FORGE)
		run_forge(sim);
	if (attacks & SIM_ATTACK_HALF_HEADS) {
		*half_head_host(sim) = sim_plan_host(sim, SIM_CLIENT_HOST + SIM_MAX_CLIENTS - 10);
		run_half_head(sim);
	}
}

void sim_attack_end(struct sim *sim)
{
	sim_host_destroy(*half_head_host(sim));
}
