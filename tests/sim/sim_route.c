// SPDX-License-Identifier: Apache-2.0

// Each request's path begins with the letter of the set of endpoints that it is for; some letters are
// answered by the node. What was routed is remembered, to be compared with what arrives.

#include "tests/sim/sim_route.h"

#include <string.h>

#include "tests/sim/sim_client.h"
#include "tests/sim/sim_edits.h"
#include "tests/sim/sim_scenario.h"

static void note_routed(
	struct sim_node *node, char set, bool edited, const uint8_t *raw, uint32_t len)
{
	struct sim_routed *routed;

	if (node->n_routed == node->max_routed) {
		node->max_routed = node->max_routed * 2 + 64;
		node->routed =
			sim_realloc(node->routed, node->max_routed * sizeof(struct sim_routed));
	}
	routed = &node->routed[node->n_routed++];
	*routed = (struct sim_routed){.set = set, .edited = edited};
	sim_text_add(&routed->head, raw, len);
}

bool sim_route_was_routed(const struct sim_node *node, char set, const uint8_t *head, uint32_t len)
{
	for (uint32_t i = node->n_routed; i-- > 0;) {
		const struct sim_routed *routed = &node->routed[i];
		struct sim_text text = routed->head;

		if (routed->set == set && sim_edits_match_request(&text, routed->edited, head, len))
			return true;
	}
	return false;
}

static void check_routed(struct sim_node *node, uint32_t flow, struct sim_request *request,
	const uint8_t *raw, uint32_t len)
{
	const struct sim_client_conn *conn = request->client;

	if (request->n_routed)
		sim_fail(node->sim, "request %u is routed twice", request->id);
	if (conn->tcp->local.port != node->flows[flow].host.port ||
		conn->tcp->local.host != node->flows[flow].host.host)
		sim_fail(node->sim, "request %u came on another flow", request->id);
	// The head ends where the body begins.
	if (conn->out.data &&
		(request->body_at < len ||
			memcmp(conn->out.data + request->body_at - len, raw, len) != 0))
		sim_fail(node->sim, "request %u is routed by other bytes than were sent",
			request->id);
}

static void fill_edits(struct sim_node *node, bool edit_request, bool edit_response,
	struct splice_decision *decision)
{
	decision->edit_request = edit_request;
	decision->edit_response = edit_response;
	strcpy(node->request_id, "sim-request");
	decision->request_edits = (struct http1_edits){
		.forwarded_for = "10.0.0.1",
		.forwarded_proto = "http",
		.forwarded_port = "80",
		.request_id = node->request_id,
	};
}

void sim_route_edit_response(void *ctx, uint32_t flow, struct http1_edits *edits)
{
	(void)ctx;
	(void)flow;
	edits->request_id = "sim-answer";
}

static void decide(char set, struct splice_decision *decision)
{
	static const char body[] = "the node's own words\n";

	decision->action = SPLICE_REPLY;
	if (set == 'r') {
		decision->status = 200;
		decision->body = body;
		decision->body_len = sizeof(body) - 1;
	} else if (set == 'n') {
		decision->status = 404;
	} else {
		decision->action = SPLICE_TO_CLUSTER;
		decision->cluster = (uint32_t)(set - 'a');
	}
}

void sim_route_request(void *ctx, uint32_t flow, const uint8_t *raw, const struct http1_head *head,
	struct splice_decision *decision)
{
	struct sim_node *node = ctx;
	struct sim *sim = node->sim;
	uint32_t id = sim_http_number(raw, head->len, "x-sim-id", UINT32_MAX);
	char set = head->path.len > 1 ? (char)raw[head->path.off + 1] : 'n';
	bool edit_request = sim_chance(sim, sim->scenario->edit_request);
	bool edit_response = sim_chance(sim, sim->scenario->edit_response);

	memset(decision, 0, sizeof(*decision));
	decision->connect_timeout_ms = 15000;
	if (set < 'a' || (set >= 'a' + SIM_MAX_SETS && set != 'r' && set != 'e'))
		set = 'n';
	decide(set, decision);
	fill_edits(node, edit_request, edit_response, decision);
	sim_say(sim, "the node routes %c/%u", set, id);
	if (sim->hostile) {
		note_routed(node, set, edit_request, raw, head->len);
		return;
	}
	if (id >= sim->n_requests || !sim->requests[id]->client) {
		sim_fail(sim, "a head is routed that nobody sent");
		return;
	}
	check_routed(node, flow, sim->requests[id], raw, head->len);
	sim->requests[id]->n_routed++;
	sim->requests[id]->edits_request = edit_request;
	sim->requests[id]->edits_response = edit_response;
	sim_text_add(&sim->requests[id]->routed, raw, head->len);
	sim->requests[id]->node_answers = decision->action == SPLICE_REPLY || set == 'e';
}

uint32_t sim_route_pick(
	void *ctx, uint32_t flow, uint32_t cluster, const uint32_t *tried, uint32_t n_tried)
{
	struct sim_node *node = ctx;
	uint32_t n = node->sim->scenario->n_endpoints, fallback = SPLICE_NONE;

	(void)flow;
	if (cluster >= node->sim->scenario->n_sets ||
		sim_chance(node->sim, node->sim->scenario->pick_fails))
		return SPLICE_NONE;
	for (uint32_t i = 0; i < n; i++) {
		uint32_t endpoint = cluster * n + (node->next_pick + i) % n;
		bool was_tried = false;

		if (node->removed[endpoint])
			continue;
		for (uint32_t j = 0; j < n_tried; j++)
			was_tried |= tried[j] == endpoint;
		if (!was_tried) {
			node->next_pick++;
			return endpoint;
		}
		fallback = endpoint;
	}
	return fallback;
}

bool sim_route_lives(void *ctx, uint32_t endpoint)
{
	const struct sim_node *node = ctx;

	return !node->removed[endpoint];
}
