// SPDX-License-Identifier: Apache-2.0

#include "tests/sim/sim_net.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/sim_attack.h"
#include "tests/sim/sim_host.h"
#include "tests/sim/sim_node.h"
#include "tests/sim/sim_scenario.h"

enum {
	TEXT_LEN = 72, // bytes of data that a trace shows
};

struct travel {
	struct sim *sim;
	struct sim_seg *seg;
};

struct sim_seg *sim_seg_new(struct sim_addr src, struct sim_addr dst, const struct tcp_out *tcp,
	const uint8_t *data, uint32_t len)
{
	struct sim_seg *seg = sim_alloc(sizeof(*seg) + len);

	seg->src = src;
	seg->dst = dst;
	seg->tcp = *tcp;
	seg->len = len;
	if (len)
		memcpy(seg->data, data, len);
	return seg;
}

struct sim_seg *sim_seg_copy(const struct sim_seg *seg)
{
	return sim_seg_new(seg->src, seg->dst, &seg->tcp, seg->data, seg->len);
}

// The host at an address, or NULL: the node.
static struct sim_host *find_host(struct sim *sim, uint16_t host)
{
	if (host >= SIM_SERVER_HOST && host < SIM_SERVER_HOST + SIM_MAX_ENDPOINTS)
		return sim->servers[host - SIM_SERVER_HOST];
	if (host >= SIM_CLIENT_HOST && host < SIM_CLIENT_HOST + SIM_MAX_CLIENTS)
		return sim->clients[host - SIM_CLIENT_HOST];
	return NULL;
}

static void print_name(const struct sim_addr *addr, char *out, size_t len)
{
	if (addr->host >= SIM_SERVER_HOST)
		snprintf(out, len, "s%u.%u", addr->host - SIM_SERVER_HOST, addr->port);
	else if (addr->host >= SIM_CLIENT_HOST)
		snprintf(out, len, "c%u.%u", addr->host - SIM_CLIENT_HOST, addr->port);
	else if (addr->host == SIM_VIP)
		snprintf(out, len, "vip.%u", addr->port);
	else
		snprintf(out, len, "n%u.%u", addr->host - SIM_NODE_HOST, addr->port);
}

// The numbers that src's and dst's sequences began with, as the host at one end knows them.
static void find_bases(struct sim *sim, const struct sim_seg *seg, uint32_t *src, uint32_t *dst)
{
	struct sim_host *host = find_host(sim, seg->src.host);
	const struct sim_tcp *tcp;

	*src = *dst = 0;
	if (host && (tcp = sim_host_find(host, seg->src, seg->dst))) {
		*src = tcp->iss;
		*dst = tcp->irs;
		return;
	}
	host = find_host(sim, seg->dst.host);
	if (host && (tcp = sim_host_find(host, seg->dst, seg->src))) {
		*src = tcp->irs ? tcp->irs : seg->tcp.seq;
		*dst = tcp->iss;
	}
}

static void print_flags(uint8_t flags, char *out)
{
	static const char letters[] = "FSRP.U";

	for (uint32_t i = 0; letters[i]; i++)
		if (flags & (1 << i))
			*out++ = letters[i];
	*out = 0;
}

// What the data begins with. Returns its length.
static int print_text(const struct sim_seg *seg, char *text)
{
	int len = seg->len < TEXT_LEN ? (int)seg->len : TEXT_LEN;

	for (int i = 0; i < len; i++)
		text[i] = seg->data[i] >= ' ' && seg->data[i] <= '~' ? (char)seg->data[i] : '.';
	return len;
}

void sim_net_print(struct sim *sim, const struct sim_seg *seg, const char *note)
{
	const struct tcp_out *tcp = &seg->tcp;
	char src[16], dst[16], flags[8], sacks[128] = "", text[TEXT_LEN];
	uint32_t src_base, dst_base;

	if (!sim->trace)
		return;
	print_name(&seg->src, src, sizeof(src));
	print_name(&seg->dst, dst, sizeof(dst));
	print_flags(tcp->flags, flags);
	find_bases(sim, seg, &src_base, &dst_base);
	for (uint32_t i = 0; i < tcp->n_sacks; i++)
		snprintf(sacks + strlen(sacks), sizeof(sacks) - strlen(sacks), " {%u:%u}",
			tcp->sacks[i].left - dst_base, tcp->sacks[i].right - dst_base);
	sim_say(sim, "%-9s > %-9s [%s] %u:%u (%u) ack %u win %u%s%s", src, dst, flags,
		tcp->seq - src_base, tcp->seq - src_base + seg->len, seg->len,
		tcp->flags & TCP_ACK ? tcp->ack - dst_base : 0, tcp->window, sacks, note);
	if (seg->len)
		sim_say(sim, "%24s %.*s", "", print_text(seg, text), text);
	if (tcp->flags & TCP_SYN)
		sim_say(sim, "%24s seq %u mss %u scale %d sack %d", "", tcp->seq, tcp->mss,
			tcp->scale == TCP_NO_WINDOW_SCALE ? -1 : tcp->scale, tcp->sack_offered);
}

void sim_net_arrive(struct sim *sim, struct sim_seg *seg)
{
	struct sim_host *host = find_host(sim, seg->dst.host);

	sim->n_segments++;
	if (host)
		sim_host_input(host, seg);
	else if (sim->node)
		sim_node_input(sim->node, seg);
	free(seg);
}

static void run_arrival(void *arg)
{
	struct travel travel = *(struct travel *)arg;

	free(arg);
	if (!find_host(travel.sim, travel.seg->dst.host))
		sim_net_print(travel.sim, travel.seg, " (in)");
	sim_net_arrive(travel.sim, travel.seg);
}

void sim_net_inject(struct sim *sim, struct sim_seg *seg, uint64_t at_us)
{
	struct travel *travel = sim_alloc(sizeof(*travel));

	*travel = (struct travel){.sim = sim, .seg = seg};
	sim_at(sim, at_us, run_arrival, travel);
}

static void start_travel(struct sim *sim, struct sim_path *path, struct sim_seg *seg)
{
	uint64_t at = sim->now_us + sim_between(sim, path->min_delay_us, path->max_delay_us);

	// Only those that are reordered on purpose may overtake, or be overtaken.
	if (sim_chance(sim, path->reorder)) {
		at += sim_below(sim, 3 * path->max_delay_us + 1000);
	} else {
		if (at < path->last_us)
			at = path->last_us;
		path->last_us = at;
	}
	sim_net_inject(sim, seg, at);
}

// ICMP errors are never lost, but take their time: the sender is not called back from its own call.
static void run_too_big(void *arg)
{
	struct travel travel = *(struct travel *)arg;
	struct sim *sim = travel.sim;
	struct sim_seg *seg = travel.seg;
	struct sim_host *host = find_host(sim, seg->src.host);
	uint16_t mtu = host ? host->out.mtu : find_host(sim, seg->dst.host)->in.mtu;

	free(arg);
	sim_net_print(sim, seg, " (quoted in packet too big)");
	if (host)
		sim_host_too_big(host, seg, mtu - SIM_HEADERS_LEN);
	else
		sim_node_too_big(sim->node, seg, mtu - SIM_HEADERS_LEN);
	free(seg);
}

static void refuse_too_big(struct sim *sim, struct sim_seg *seg)
{
	struct travel *travel = sim_alloc(sizeof(*travel));

	sim_net_print(sim, seg, " (too big)");
	*travel = (struct travel){.sim = sim, .seg = seg};
	sim_at(sim, sim->now_us + 100, run_too_big, travel);
}

void sim_net_forget(struct sim *sim)
{
	for (uint32_t i = 0; i < sim->n_events; i++) {
		struct travel *travel = sim->events[i].arg;

		if (sim->events[i].run != run_arrival && sim->events[i].run != run_too_big)
			continue;
		free(travel->seg);
		free(travel);
	}
}

void sim_net_send(struct sim *sim, struct sim_seg *seg)
{
	struct sim_host *host = find_host(sim, seg->src.host);
	struct sim_path *path;

	if (host)
		path = &host->out;
	else if ((host = find_host(sim, seg->dst.host)))
		path = &host->in;
	else {
		free(seg); // to an address that was forged
		return;
	}
	if (seg->len + SIM_HEADERS_LEN > path->mtu) {
		refuse_too_big(sim, seg);
		return;
	}
	if (sim_chance(sim, path->loss)) {
		sim_net_print(sim, seg, " (lost)");
		free(seg);
		return;
	}
	sim_net_print(sim, seg, "");
	if (sim->scenario->attacks)
		sim_attack_see(sim, seg);
	if (sim_chance(sim, path->duplicate))
		start_travel(sim, path, sim_seg_copy(seg));
	start_travel(sim, path, seg);
}
