// SPDX-License-Identifier: Apache-2.0

#include "tests/sim/sim_plan.h"

#include <string.h>

#include "tests/sim/sim_scenario.h"

static void plan_method(struct sim *sim, struct sim_request *request)
{
	const struct sim_scenario *scenario = sim->scenario;

	request->safe = true;
	request->minor = 1;
	if (sim_chance(sim, scenario->head_method)) {
		request->method = "HEAD";
	} else if (sim_chance(sim, scenario->post)) {
		request->safe = sim_chance(sim, 300);
		request->method = request->safe ? "PUT" : "POST";
		request->framing = sim_chance(sim, scenario->chunked) ? SIM_CHUNKED : SIM_LENGTH;
		request->body_len = sim_below(sim, scenario->max_request_len + 1);
		if (sim_chance(sim, 300))
			request->body_len = sim_below(sim, 100);
		request->trailers = sim_chance(sim, scenario->trailers);
		request->expects = request->body_len && sim_chance(sim, scenario->expect);
	} else {
		request->method = "GET";
	}
	if (sim_chance(sim, scenario->old_version)) {
		request->minor = 0;
		request->keep_old = sim_chance(sim, scenario->keep_old);
		request->expects = false;
		if (request->framing == SIM_CHUNKED)
			request->framing = SIM_LENGTH;
	}
}

static void plan_upgrade(struct sim *sim, struct sim_request *request)
{
	request->method = "GET";
	request->framing = SIM_NO_BODY;
	request->safe = true;
	request->minor = 1;
	request->upgrades = true;
	request->expects = false;
	request->keep_old = false;
	request->body_len = sim_between(sim, 1, sim->scenario->max_request_len + 1);
	request->status = 101;
	request->response_framing = SIM_NO_BODY;
	request->early = false;
	request->closing = SIM_KEEPS;
	request->unasked = false;
}

static void plan_closing(struct sim *sim, struct sim_request *request)
{
	const struct sim_scenario *scenario = sim->scenario;

	if (sim_chance(sim, scenario->crashes)) {
		request->closing = SIM_CRASHES;
		request->crash_at = sim_below(sim, sim_chance(sim, 500) ? 300 : 20000);
		request->pace = sim_between(sim, 50, 3000);
	} else if (sim_chance(sim, scenario->says_close)) {
		request->closing = SIM_SAYS_CLOSE;
	} else if (sim_chance(sim, scenario->closes_silently)) {
		request->closing = SIM_CLOSES_SILENTLY;
	}
	if (request->early && request->closing != SIM_CRASHES)
		request->closing = SIM_SAYS_CLOSE;
	request->garbage = sim_chance(sim, scenario->garbage);
	request->unasked = sim_chance(sim, scenario->unasked) && !request->garbage &&
			   request->closing == SIM_KEEPS && !request->early && !request->pace &&
			   request->response_len < 100;
}

static void plan_response(struct sim *sim, struct sim_request *request)
{
	const struct sim_scenario *scenario = sim->scenario;

	request->status =
		sim_chance(sim, scenario->no_content) ? (sim_chance(sim, 500) ? 204 : 304) : 200;
	request->response_framing = SIM_LENGTH;
	if (request->minor == 1 && sim_chance(sim, scenario->response_chunked))
		request->response_framing = SIM_CHUNKED;
	request->response_len = sim_below(sim, scenario->max_response_len + 1);
	if (sim_chance(sim, 300))
		request->response_len = sim_below(sim, 100);
	request->response_trailers = sim_chance(sim, scenario->trailers);
	if (request->minor == 1 && sim_chance(sim, scenario->info))
		request->n_info = (uint8_t)sim_between(sim, 1, 3);
	if (request->framing != SIM_NO_BODY && sim_chance(sim, scenario->early)) {
		request->early = true;
		request->status = 413;
	}
	if (sim_chance(sim, 300))
		request->delay_us = sim_below(sim, scenario->slow_us);
	if (sim_chance(sim, scenario->paced))
		request->pace = sim_between(sim, 1, 3000);
	if (request->pace && request->response_len / request->pace > 200)
		request->pace = request->response_len / 200;
	plan_closing(sim, request);
	if (request->status == 200 && strcmp(request->method, "HEAD") != 0 &&
		sim_chance(sim, scenario->until_close)) {
		request->response_framing = SIM_UNTIL_CLOSE;
		request->keep_old = false;
		request->unasked = false;
	}
}

static char plan_set(struct sim *sim)
{
	const struct sim_scenario *scenario = sim->scenario;

	if (sim_chance(sim, scenario->direct))
		return 'r';
	if (sim_chance(sim, scenario->no_route))
		return 'n';
	if (sim_chance(sim, scenario->no_endpoint))
		return 'e';
	return (char)('a' + sim_below(sim, scenario->n_sets));
}

struct sim_request *sim_plan_request(struct sim *sim)
{
	const struct sim_scenario *scenario = sim->scenario;
	struct sim_request *request = sim_request_new(sim);

	request->set = plan_set(sim);
	plan_method(sim, request);
	plan_response(sim, request);
	if (request->set < 'd' && sim_chance(sim, scenario->upgrade))
		plan_upgrade(sim, request);
	else
		request->half_close = sim_chance(sim, scenario->half_close);
	if (sim_chance(sim, scenario->big_head))
		request->head_padding = sim_below(sim, 12000);
	if (sim_chance(sim, scenario->empty_line))
		request->empty_line = 2;
	request->says_close = !request->upgrades && sim_chance(sim, 50);
	return request;
}

static void plan_path(struct sim *sim, struct sim_path *path)
{
	const struct sim_scenario *scenario = sim->scenario;

	path->loss = scenario->loss;
	path->duplicate = scenario->duplicate;
	path->reorder = scenario->reorder;
	path->min_delay_us = sim_between(sim, scenario->min_delay_us, scenario->max_delay_us);
	path->max_delay_us = sim_between(sim, path->min_delay_us, scenario->max_delay_us);
	path->mtu = 1500;
	if (sim_chance(sim, scenario->small_mtu))
		path->mtu = (uint16_t)sim_between(sim, 576, 1500);
}

struct sim_host *sim_plan_host(struct sim *sim, uint16_t number)
{
	static const uint16_t mss[] = {1460, 1460, 1400, 1220, 536, 300};
	struct sim_host *host = sim_host_create(sim, number);
	struct sim_tcp_options *options = &host->options;

	options->mss = mss[sim_below(sim, sizeof(mss) / sizeof(*mss))];
	options->scale = sim_chance(sim, 200) ? TCP_NO_WINDOW_SCALE : (uint8_t)sim_below(sim, 11);
	options->sack = sim_chance(sim, 800);
	options->dsack = options->sack && sim_chance(sim, 500);
	options->nagle = sim_chance(sim, 500);
	options->quick_ack = sim_chance(sim, 300);
	options->probe_with_data = sim_chance(sim, 500);
	options->receive_buffer = sim_between(sim, 4096, sim_chance(sim, 300) ? 8192 : 300000);
	options->min_rto_us = 200000;
	options->time_wait_us = sim_chance(sim, 500) ? 60000000 : 1000000;
	options->keepalive_us = sim_chance(sim, 200) ? 3000000 : 0;
	plan_path(sim, &host->out);
	plan_path(sim, &host->in);
	// What it announces must fit its own link.
	if (options->mss > host->in.mtu - SIM_HEADERS_LEN && sim_chance(sim, 500))
		options->mss = host->in.mtu - SIM_HEADERS_LEN;
	return host;
}
