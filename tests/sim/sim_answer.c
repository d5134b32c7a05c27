// SPDX-License-Identifier: Apache-2.0

#include "tests/sim/sim_answer.h"

#include <stdlib.h>
#include <string.h>

#include "tests/sim/sim_edits.h"
#include "tests/sim/sim_scenario.h"

static struct sim_request *present(const struct sim_client_conn *conn)
{
	return conn->n_answered < conn->n_asked ? conn->asked[conn->n_answered] : NULL;
}

static void complain(struct sim_client_conn *conn, const char *what)
{
	struct sim_request *request = present(conn);

	if (!conn->client->sim->hostile)
		sim_fail(conn->client->sim, "client port %u, request %d: %s", conn->tcp->local.port,
			request ? (int)request->id : -1, what);
}

void sim_answer_unasked(struct sim_client_conn *conn)
{
	complain(conn, "bytes that nobody asked for");
}

// 'r' is answered by the node itself, 'n' has no route, 'e' no endpoint.
static bool may_refuse(const struct sim_client_conn *conn, const struct sim_request *request)
{
	const struct sim_scenario *scenario = conn->client->sim->scenario;

	if (scenario->may_fail && conn->status >= 400)
		return true;
	switch (request->set) {
	case 'r':
		return conn->status == 200;
	case 'n':
		return conn->status == 404;
	case 'e':
		return conn->status == 503;
	default:
		return conn->status >= 400 && scenario->unsafe_may_fail && !request->safe;
	}
}

static void check_head(struct sim_client_conn *conn, struct sim_request *request,
	const uint8_t *head, uint32_t len)
{
	uint32_t id = sim_http_number(head, len, "x-sim-id", UINT32_MAX);

	conn->from_node = id == UINT32_MAX;
	if (conn->from_node) {
		conn->disturbed = true;
		if (!conn->client->sim->hostile && !may_refuse(conn, request))
			sim_fail(conn->client->sim, "request %u: the node answers %u", request->id,
				conn->status);
		return;
	}
	if (id != request->id) {
		complain(conn, "another request's answer");
		return;
	}
	if (!request->response_sent_head || conn->status != request->status)
		complain(conn, "an answer that its endpoint never gave");
	else if (!sim_edits_match_response(request, head, len))
		complain(conn, "the answer's head was changed");
}

static enum sim_framing find_framing(
	const struct sim_request *request, uint16_t status, const uint8_t *head, uint32_t len)
{
	if (strcmp(request->method, "HEAD") == 0 || status == 204 || status == 304)
		return SIM_NO_BODY;
	if (sim_http_has(head, len, "transfer-encoding", "chunked"))
		return SIM_CHUNKED;
	if (sim_http_number(head, len, "content-length", UINT32_MAX) != UINT32_MAX)
		return SIM_LENGTH;
	return SIM_UNTIL_CLOSE;
}

static void write_tunnel(struct sim_client_conn *conn, struct sim_request *request)
{
	request->body_at = conn->out.len;
	for (uint32_t i = 0; i < request->body_len; i++) {
		uint8_t byte = sim_body_byte(request->id, 0, i);

		sim_text_add(&conn->out, &byte, 1);
	}
	request->body_wire_len = request->body_len;
	sim_client_write(conn);
}

static enum sim_framing take_info(struct sim_client_conn *conn, struct sim_request *request)
{
	if (conn->status == 101) {
		if (!request->upgrades)
			complain(conn, "an upgrade that it did not ask for");
		request->response_begun = true;
		request->response_seq = conn->tcp->irs + 1 + conn->reader.head_end;
		write_tunnel(conn, request);
		return conn->framing = SIM_TUNNEL;
	}
	if (conn->status == 100) {
		conn->gate = UINT32_MAX;
		sim_client_write(conn);
	}
	return SIM_NO_BODY;
}

static enum sim_framing take_head(void *ctx, const uint8_t *head, uint32_t head_len, uint32_t *len)
{
	struct sim_client_conn *conn = ctx;
	struct sim_request *request = present(conn);

	if (head_len < 16 || memcmp(head, "HTTP/1.", 7) != 0)
		return SIM_MALFORMED;
	conn->status = (uint16_t)atoi((const char *)head + 9);
	sim_say(conn->client->sim, "client port %u gets %u, length %u", conn->tcp->local.port,
		conn->status, sim_http_number(head, head_len, "content-length", 0));
	if (!request) {
		conn->reader.stopped = true; // a 408, say
		return SIM_NO_BODY;
	}
	conn->n_body = 0;
	if (conn->status < 200)
		return take_info(conn, request);
	check_head(conn, request, head, head_len);
	request->response_begun = true;
	request->response_seq = conn->tcp->irs + 1 + conn->reader.head_end;
	conn->framing = find_framing(request, conn->status, head, head_len);
	*len = sim_http_number(head, head_len, "content-length", 0);
	conn->answer_closes =
		sim_http_has(head, head_len, "connection", "close") || request->says_close ||
		conn->framing == SIM_UNTIL_CLOSE ||
		(request->minor == 0 && !sim_http_has(head, head_len, "connection", "keep-alive"));
	return conn->framing;
}

static void take_body(void *ctx, const uint8_t *data, uint32_t len)
{
	struct sim_client_conn *conn = ctx;
	struct sim_request *request = present(conn);
	uint32_t direction = conn->framing == SIM_TUNNEL ? 0 : 1;

	if (!request)
		return;
	for (uint32_t i = 0; i < len && !conn->from_node; i++)
		if (data[i] != sim_body_byte(request->id, direction, conn->n_body + i)) {
			complain(conn, "a byte of the answer's body is wrong");
			break;
		}
	conn->n_body += len;
	if (conn->framing == SIM_TUNNEL && conn->n_body >= request->body_len) {
		if (conn->n_body > request->body_len)
			complain(conn, "the tunnel brought too much");
		sim_client_answered(conn, true);
	}
}

static void take_wire(void *ctx, uint32_t len)
{
	struct sim_client_conn *conn = ctx;
	struct sim_request *request = present(conn);

	if (request)
		request->response_seen += len;
}

static void take_end(void *ctx)
{
	struct sim_client_conn *conn = ctx;
	struct sim_request *request = present(conn);

	if (!request || conn->status < 200)
		return;
	if (!conn->from_node && conn->framing != SIM_NO_BODY &&
		conn->n_body != request->response_len)
		complain(conn, "the answer's body has another length");
	sim_client_answered(conn, conn->answer_closes);
	if (conn->over)
		conn->reader.stopped = true;
}

// Whatever bytes an endpoint sends twice: the node reads the answer's framing, and so does the client.
static void take_malformed(void *ctx)
{
	struct sim_client_conn *conn = ctx;
	struct sim *sim = conn->client->sim;

	if (sim->scenario->attacks & SIM_ATTACK_OVERLAP_ANSWERS)
		sim_fail(sim, "client port %u reads another framing than the node",
			conn->tcp->local.port);
	complain(conn, "the answer is malformed");
}

const struct sim_reader_program sim_answer_program = {
	.head = take_head,
	.body = take_body,
	.end = take_end,
	.wire = take_wire,
	.malformed = take_malformed,
	.begins = "HTTP/1.",
};

void sim_answer_eof(struct sim_client_conn *conn)
{
	struct sim_request *request = present(conn);

	if (!request)
		return;
	if (conn->reader.state == SIM_READ_REST && conn->framing == SIM_UNTIL_CLOSE) {
		take_end(conn);
	} else if (conn->reader.state != SIM_READ_HEAD && conn->framing != SIM_TUNNEL) {
		complain(conn, "a FIN in the middle of the answer");
	} else if (conn->reader.line.len) {
		complain(conn, "a FIN in the middle of the answer's head");
	}
}
