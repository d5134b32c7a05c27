// SPDX-License-Identifier: Apache-2.0

#include "tests/sim/sim_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/sim_attack.h"
#include "tests/sim/sim_client.h"
#include "tests/sim/sim_http.h"
#include "tests/sim/sim_node.h"
#include "tests/sim/sim_plan.h"
#include "tests/sim/sim_server.h"

enum {
	PATIENCE_S = 2000, // virtual seconds in which all requests must be answered
	AFTERMATH_S = 400, // and in which the node must have forgotten everything
	CRASH_US = 300000,
	MAX_STEPS = 3000000, // of one world
};

static void build_servers(struct sim *sim)
{
	const struct sim_scenario *scenario = sim->scenario;

	sim->n_servers = scenario->n_sets * scenario->n_endpoints;
	for (uint32_t i = 0; i < sim->n_servers; i++) {
		sim->servers[i] = sim_plan_host(sim, (uint16_t)(SIM_SERVER_HOST + i));
		sim_server_create(sim, sim->servers[i], i, (char)('a' + i / scenario->n_endpoints));
	}
}

static void build_clients(struct sim *sim, enum sim_between_hosts between)
{
	const struct sim_scenario *scenario = sim->scenario;

	for (uint32_t i = 0; i < scenario->n_clients; i++) {
		struct sim_addr to = {.host = SIM_VIP, .port = 80};
		struct sim_client *client;

		if (between == SIM_WITHOUT_SPLICE)
			to.host = (uint16_t)(SIM_SERVER_HOST + i % sim->n_servers);
		sim->clients[i] = sim_plan_host(sim, (uint16_t)(SIM_CLIENT_HOST + i));
		client = sim_client_create(sim, sim->clients[i], to);
		for (uint32_t j = 0; j < scenario->n_requests; j++)
			sim_client_plan(client, sim_plan_request(sim));
		sim_client_start(client, sim_below(sim, 200000));
	}
}

static void run_recovery(void *arg)
{
	struct sim_host *host = arg;

	host->silent = false;
	host->listens = true;
}

static void run_crash(void *arg)
{
	struct sim *sim = arg;
	struct sim_host *host = sim->servers[sim_below(sim, sim->n_servers)];

	sim_say(sim, "server host %u restarts", host->number);
	sim_host_crash(host);
	host->listens = false;
	host->silent = sim_chance(sim, 300);
	sim_at(sim, sim->now_us + sim_below(sim, CRASH_US), run_recovery, host);
	if (sim->n_open_requests)
		sim_at(sim, sim->now_us + sim_below(sim, 2 * sim->scenario->restart_us), run_crash,
			sim);
}

// One endpoint of a set stays.
static void run_removal(void *arg)
{
	struct sim *sim = arg;
	uint32_t n = sim->scenario->n_endpoints, endpoint = sim_below(sim, sim->n_servers);

	if (endpoint % n != 0)
		sim->node->removed[endpoint] ^= true;
	if (sim->n_open_requests)
		sim_at(sim, sim->now_us + sim_below(sim, 2 * sim->scenario->remove_us), run_removal,
			sim);
}

static void run_shrink(void *arg)
{
	struct sim_host *host = arg;
	struct sim_path *path = sim_chance(host->sim, 500) ? &host->in : &host->out;

	if (path->mtu > 600)
		path->mtu = (uint16_t)sim_between(host->sim, 576, path->mtu);
}

static void run_stop(void *arg)
{
	struct sim *sim = arg;

	splice_set_time(sim->node->splice, sim->now_us);
	splice_drain(sim->node->splice);
}

static void plan_troubles(struct sim *sim)
{
	const struct sim_scenario *scenario = sim->scenario;

	if (scenario->restart_us)
		sim_at(sim, sim_below(sim, 2 * scenario->restart_us), run_crash, sim);
	if (scenario->remove_us)
		sim_at(sim, sim_below(sim, 2 * scenario->remove_us), run_removal, sim);
	if (scenario->stop)
		sim_at(sim, sim_below(sim, 2000000), run_stop, sim);
	for (uint32_t i = 0; i < scenario->n_clients; i++)
		if (sim_chance(sim, scenario->mtu_shrinks))
			sim_at(sim, sim_below(sim, 2000000), run_shrink, sim->clients[i]);
	for (uint32_t i = 0; i < sim->n_servers; i++)
		if (sim_chance(sim, scenario->mtu_shrinks))
			sim_at(sim, sim_below(sim, 2000000), run_shrink, sim->servers[i]);
	if (scenario->attacks)
		sim_attack_start(sim);
}

static bool is_done(const struct sim *sim)
{
	for (uint32_t i = 0; i < sim->scenario->n_clients; i++)
		if (!sim_client_is_done(sim->clients[i]->ctx))
			return false;
	return true;
}

static void report_stall(struct sim *sim)
{
	for (uint32_t i = 0; i < sim->n_requests; i++) {
		const struct sim_request *request = sim->requests[i];

		if (request->outcome == SIM_OPEN && request->client) {
			sim_fail(sim,
				"request %u of client %u port %u stalls: routed %u, arrived %u, "
				"body %u of %u, "
				"answer %u",
				request->id, request->client->tcp->local.host - SIM_CLIENT_HOST,
				request->client->tcp->local.port, request->n_routed,
				request->n_arrived, request->body_seen, request->body_wire_len,
				request->response_seen);
			return;
		}
	}
	sim_fail(sim, "the world stalls");
}

// Clients that left a connection open hang up, so that the end comes for sure.
static void hang_up(struct sim *sim)
{
	for (uint32_t i = 0; i < sim->scenario->n_clients; i++)
		sim_client_hang_up(sim->clients[i]->ctx);
}

static bool is_empty(struct sim *sim)
{
	struct splice_usage usage;

	if (!sim->node)
		return true;
	splice_usage(sim->node->splice, &usage);
	return !usage.n_flows && !usage.n_legs && !usage.n_lingering;
}

static void run(struct sim *sim)
{
	uint64_t end_us = (uint64_t)PATIENCE_S * 1000000;

	if (sim->scenario->cut)
		end_us = sim_below(sim, 5000000);
	while (sim->now_us < end_us && !is_done(sim) && sim_step(sim))
		if (sim->n_steps > MAX_STEPS)
			sim_fail(sim, "more than %u steps: a storm of segments", MAX_STEPS);
	if (sim->failed || sim->scenario->cut)
		return;
	if (!is_done(sim)) {
		report_stall(sim);
		return;
	}
	hang_up(sim);
	end_us = sim->now_us + (uint64_t)AFTERMATH_S * 1000000;
	while (sim->now_us < end_us && (sim->n_steps % 256 || !is_empty(sim)) && sim_step(sim))
		;
	if (!sim->failed && sim->node)
		sim_node_check_empty(sim->node);
}

static void summarize(const struct sim *sim, struct sim_result *result)
{
	*result = (struct sim_result){
		.n_steps = sim->n_steps,
		.n_segments = sim->n_segments,
		.virtual_us = sim->now_us,
		.slowest_us = sim->slowest_us,
		.n_requests = sim->n_requests,
	};
	for (uint32_t i = 0; i < sim->n_requests; i++)
		result->n_outcomes[sim->requests[i]->outcome]++;
	if (!sim->node)
		return;
	result->n_retries = sim->node->n_events[SPLICE_RETRY];
	result->n_rebinds = sim->node->n_events[SPLICE_REBIND];
	result->n_own_replies = sim->node->n_events[SPLICE_OWN_REPLY];
}

static void destroy(struct sim *sim)
{
	sim_node_destroy(sim->node);
	for (uint32_t i = 0; i < sim->scenario->n_clients; i++) {
		sim_client_destroy(sim->clients[i]->ctx);
		sim_host_destroy(sim->clients[i]);
	}
	sim_attack_end(sim);
	for (uint32_t i = 0; i < sim->n_servers; i++) {
		sim_server_destroy(sim->servers[i]->ctx);
		sim_host_destroy(sim->servers[i]);
	}
	for (uint32_t i = 0; i < sim->n_requests; i++) {
		sim_text_free(&sim->requests[i]->routed);
		sim_text_free(&sim->requests[i]->response_head);
		free(sim->requests[i]);
	}
	sim_net_forget(sim);
	free(sim->requests);
	free(sim->events);
	free(sim);
}

void sim_world_run(const struct sim_scenario *scenario, uint64_t seed,
	enum sim_between_hosts between, uint32_t options, struct sim_result *result)
{
	struct sim *sim = sim_alloc(sizeof(*sim));
	struct sim_scenario mixed = *scenario;

	sim->scenario = &mixed;
	sim->random = seed * 0x2545f4914f6cdd1d + 1;
	sim->trace = options & SIM_TRACE;
	if (mixed.mixed)
		sim_scenario_mix(sim, &mixed);
	sim->hostile = mixed.attacks &
		       (SIM_ATTACK_OVERLAP | SIM_ATTACK_OVERLAP_ANSWERS | SIM_ATTACK_FORGE);
	build_servers(sim);
	build_clients(sim, between);
	if (between == SIM_WITH_SPLICE) {
		sim_node_create(sim);
		plan_troubles(sim);
	}
	run(sim);
	summarize(sim, result);
	if (!sim->failed && sim->node) {
		sim_node_destroy(sim->node);
		sim->node = NULL;
	}
	result->failed = sim->failed;
	memcpy(result->failure, sim->failure, sizeof(result->failure));
	destroy(sim);
}
