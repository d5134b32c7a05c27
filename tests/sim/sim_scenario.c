// SPDX-License-Identifier: Apache-2.0

#include "tests/sim/sim_scenario.h"

#include <string.h>

// What most worlds have in common; those that follow override it (the last initializer counts).
#define COMMON                                                                                     \
	.min_delay_us = 100, .max_delay_us = 20000, .n_clients = 4, .n_requests = 12, .n_sets = 3, \
	.n_endpoints = 2, .post = 400, .chunked = 400, .trailers = 300, .head_method = 100,        \
	.big_head = 100, .client_close = 700, .split = 200, .pipeline = 1, .think_us = 50000,      \
	.max_request_len = 20000, .max_response_len = 30000, .response_chunked = 400,              \
	.no_content = 100, .info = 100, .slow_us = 100000, .edit_request = 500,                    \
	.edit_response = 500, .direct = 30, .no_route = 20
#define LOSSY .loss = 20, .duplicate = 10, .reorder = 30

// That a later initializer counts is the point.
#pragma GCC diagnostic ignored "-Woverride-init"

const struct sim_scenario sim_scenarios[] = {
	{.name = "plain",
		COMMON,
		.edit_request = 0,
		.edit_response = 0,
		.post = 0,
		.response_chunked = 0,
		.no_content = 0,
		.info = 0,
		.big_head = 0},
	{.name = "clean", COMMON},
	{.name = "edited", COMMON, .edit_request = 1000, .edit_response = 1000},
	{.name = "lossy", COMMON, LOSSY},
	{.name = "lossy_plain", COMMON, LOSSY, .edit_request = 0, .edit_response = 0},
	{.name = "lossy_edited", COMMON, LOSSY, .edit_request = 1000, .edit_response = 1000},
	{.name = "very_lossy", COMMON, .loss = 120, .duplicate = 50, .reorder = 200},
	{.name = "pipelined", COMMON, .pipeline = 6, .think_us = 0},
	{.name = "pipelined_lossy", COMMON, LOSSY, .pipeline = 6, .think_us = 0, .split = 500},
	{.name = "uploads",
		COMMON,
		LOSSY,
		.post = 1000,
		.n_requests = 4,
		.expect = 300,
		.max_request_len = 300000,
		.lazy_server = 300},
	{.name = "downloads",
		COMMON,
		LOSSY,
		.n_requests = 4,
		.max_response_len = 300000,
		.lazy_client = 500,
		.paced = 300},
	{.name = "small_pieces",
		COMMON,
		LOSSY,
		.split = 1000,
		.big_head = 500,
		.paced = 800,
		.empty_line = 200,
		.n_requests = 6},
	{.name = "old_http",
		COMMON,
		LOSSY,
		.old_version = 600,
		.keep_old = 500,
		.until_close = 300,
		.says_close = 100,
		.half_close = 100},
	{.name = "expects", COMMON, LOSSY, .post = 1000, .expect = 800, .early = 200},
	{.name = "early", COMMON, .post = 1000, .early = 500, .max_request_len = 100000},
	{.name = "closing", COMMON, .closes_silently = 500, .says_close = 200, .slow_us = 30000},
	{.name = "closing_lossy",
		COMMON,
		LOSSY,
		.closes_silently = 500,
		.says_close = 200,
		.pipeline = 3,
		.unsafe_may_fail = true},
	// Without loss: what is sent again after the next request came, nobody can tell from its answer.
	{.name = "unasked",
		COMMON,
		.duplicate = 10,
		.unasked = 700,
		.pipeline = 3,
		.unsafe_may_fail = true},
	{.name = "upgrades", COMMON, LOSSY, .upgrade = 400},
	{.name = "half_closed", COMMON, LOSSY, .half_close = 500},
	{.name = "giving_up", COMMON, LOSSY, .abort = 500, .pipeline = 3},
	{.name = "restarts", COMMON, LOSSY, .restart_us = 500000, .crashes = 100, .may_fail = true},
	{.name = "garbage", COMMON, .garbage = 200, .crashes = 100, .may_fail = true},
	{.name = "removals", COMMON, LOSSY, .remove_us = 200000, .n_endpoints = 3},
	{.name = "shortages",
		COMMON,
		LOSSY,
		.pick_fails = 50,
		.port_fails = 50,
		.no_endpoint = 50,
		.may_fail = true},
	{.name = "ports",
		COMMON,
		LOSSY,
		.n_ports = 8,
		.n_clients = 6,
		.n_requests = 30,
		.closes_silently = 300,
		.says_close = 500,
		.may_fail = true},
	{.name = "far",
		COMMON,
		LOSSY,
		.min_delay_us = 20000,
		.max_delay_us = 400000,
		.pipeline = 4},
	{.name = "large",
		COMMON,
		LOSSY,
		.n_clients = 2,
		.n_requests = 3,
		.max_request_len = 3000000,
		.max_response_len = 3000000},
	{.name = "mtu",
		COMMON,
		LOSSY,
		.small_mtu = 500,
		.mtu_shrinks = 500,
		.max_request_len = 60000},
	{.name = "tight",
		COMMON,
		LOSSY,
		.tight = true,
		.n_clients = 12,
		.pipeline = 3,
		.may_fail = true},
	{.name = "stop", COMMON, LOSSY, .stop = true, .may_fail = true},
	{.name = "cut",
		COMMON,
		LOSSY,
		.cut = true,
		.pipeline = 3,
		.n_clients = 8,
		.may_fail = true},
	{.name = "tcp",
		COMMON,
		LOSSY,
		.tcp = true,
		.n_sets = 1,
		.direct = 0,
		.no_route = 0,
		.half_close = 200,
		.n_requests = 5,
		.closes_silently = 0,
		.big_head = 300},
	{.name = "old_duplicates", COMMON, LOSSY, .attacks = SIM_ATTACK_OLD},
	{.name = "flood", COMMON, LOSSY, .attacks = SIM_ATTACK_FLOOD},
	{.name = "half_heads", COMMON, LOSSY, .attacks = SIM_ATTACK_HALF_HEADS, .n_requests = 30},
	{.name = "overlaps",
		COMMON,
		LOSSY,
		.attacks = SIM_ATTACK_OVERLAP,
		.pipeline = 3,
		.may_fail = true},
	{.name = "answer_overlaps",
		COMMON,
		LOSSY,
		.loss = 100,
		.edit_response = 300,
		.attacks = SIM_ATTACK_OVERLAP_ANSWERS,
		.pipeline = 3,
		.may_fail = true},
	{.name = "forgeries",
		COMMON,
		LOSSY,
		.attacks = SIM_ATTACK_FORGE,
		.pipeline = 3,
		.may_fail = true},
	{.name = "mixed", COMMON, .mixed = true, .unsafe_may_fail = true},
	{.name = "mixed_broken", COMMON, .mixed = true, .may_fail = true},
	{.name = "all",
		COMMON,
		LOSSY,
		.pipeline = 4,
		.expect = 200,
		.early = 50,
		.old_version = 100,
		.keep_old = 500,
		.until_close = 50,
		.says_close = 50,
		.closes_silently = 100,
		.upgrade = 50,
		.half_close = 50,
		.abort = 50,
		.crashes = 30,
		.garbage = 30,
		.paced = 100,
		.lazy_client = 100,
		.lazy_server = 100,
		.restart_us = 2000000,
		.remove_us = 1000000,
		.pick_fails = 10,
		.small_mtu = 100,
		.mtu_shrinks = 100,
		.n_clients = 8,
		.n_requests = 20,
		.empty_line = 50,
		.may_fail = true,
		.attacks = SIM_ATTACK_FLOOD | SIM_ATTACK_HALF_HEADS},
};

const uint32_t sim_n_scenarios = sizeof(sim_scenarios) / sizeof(*sim_scenarios);

const struct sim_scenario *sim_scenario_find(const char *name)
{
	for (uint32_t i = 0; i < sim_n_scenarios; i++)
		if (strcmp(sim_scenarios[i].name, name) == 0)
			return &sim_scenarios[i];
	return NULL;
}

// Half of the chances are nothing, so that each world is about a few things.
static void mix_chance(struct sim *sim, uint16_t *chance, uint32_t most)
{
	*chance = sim_chance(sim, 500) ? 0 : (uint16_t)sim_below(sim, most + 1);
}

static void mix_troubles(struct sim *sim, struct sim_scenario *scenario)
{
	mix_chance(sim, &scenario->abort, 300);
	mix_chance(sim, &scenario->crashes, 200);
	mix_chance(sim, &scenario->garbage, 200);
	mix_chance(sim, &scenario->pick_fails, 100);
	mix_chance(sim, &scenario->port_fails, 100);
	if (sim_chance(sim, 300))
		scenario->restart_us = sim_between(sim, 100000, 3000000);
	if (sim_chance(sim, 300))
		scenario->remove_us = sim_between(sim, 100000, 3000000);
	scenario->tight = sim_chance(sim, 200);
	scenario->cut = sim_chance(sim, 100);
	scenario->stop = sim_chance(sim, 100);
	if (sim_chance(sim, 300))
		scenario->attacks |= SIM_ATTACK_FLOOD;
	if (sim_chance(sim, 300))
		scenario->attacks |= SIM_ATTACK_HALF_HEADS;
	if (sim_chance(sim, 200))
		scenario->attacks |= SIM_ATTACK_FORGE;
}

static void mix_messages(struct sim *sim, struct sim_scenario *scenario)
{
	struct chance {
		uint16_t *value;
		uint32_t most;
	} chances[] = {
		{&scenario->post, 1000},
		{&scenario->chunked, 1000},
		{&scenario->trailers, 500},
		{&scenario->expect, 500},
		{&scenario->old_version, 300},
		{&scenario->keep_old, 1000},
		{&scenario->head_method, 300},
		{&scenario->big_head, 500},
		{&scenario->upgrade, 200},
		{&scenario->half_close, 200},
		{&scenario->split, 1000},
		{&scenario->lazy_client, 500},
		{&scenario->empty_line, 300},
		{&scenario->response_chunked, 1000},
		{&scenario->until_close, 200},
		{&scenario->no_content, 200},
		{&scenario->info, 300},
		{&scenario->early, 200},
		{&scenario->paced, 500},
		{&scenario->lazy_server, 500},
		{&scenario->says_close, 300},
		{&scenario->closes_silently, 300},
		{&scenario->edit_request, 1000},
		{&scenario->edit_response, 1000},
		{&scenario->direct, 200},
		{&scenario->no_endpoint, 100},
	};

	for (uint32_t i = 0; i < sizeof(chances) / sizeof(*chances); i++)
		mix_chance(sim, chances[i].value, chances[i].most);
	scenario->pipeline = (uint8_t)sim_between(sim, 1, 6);
	scenario->think_us = sim_below(sim, 200000);
	scenario->max_request_len = sim_below(sim, 1u << sim_between(sim, 4, 18));
	scenario->max_response_len = sim_below(sim, 1u << sim_between(sim, 4, 18));
	scenario->slow_us = sim_below(sim, 500000);
}

void sim_scenario_mix(struct sim *sim, struct sim_scenario *scenario)
{
	mix_messages(sim, scenario);
	mix_chance(sim, &scenario->loss, 80);
	mix_chance(sim, &scenario->duplicate, 50);
	mix_chance(sim, &scenario->reorder, 150);
	mix_chance(sim, &scenario->small_mtu, 500);
	mix_chance(sim, &scenario->mtu_shrinks, 500);
	scenario->min_delay_us = sim_below(sim, 5000);
	scenario->max_delay_us =
		scenario->min_delay_us + sim_below(sim, 1u << sim_between(sim, 6, 17));
	scenario->n_clients = (uint8_t)sim_between(sim, 1, 10);
	scenario->n_endpoints = (uint8_t)sim_between(sim, 1, 5);
	if (scenario->may_fail)
		mix_troubles(sim, scenario);
}
