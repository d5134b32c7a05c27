// SPDX-License-Identifier: Apache-2.0

#include "tests/sim/sim_server.h"

#include <stdlib.h>
#include <string.h>

#include "tests/sim/sim_client.h"
#include "tests/sim/sim_edits.h"
#include "tests/sim/sim_route.h"
#include "tests/sim/sim_scenario.h"

enum {
	PATIENCE_US = 250000000,
};

static void write_more(struct sim_server_conn *conn);

static void complain(struct sim_server_conn *conn, const char *what)
{
	struct sim *sim = conn->server->sim;

	if (!sim->hostile)
		sim_fail(sim, "endpoint %u, request %d: %s", conn->server->endpoint,
			conn->request ? (int)conn->request->id : -1, what);
}

static void write_bytes(struct sim_server_conn *conn, const void *data, uint32_t len)
{
	conn->stream_len += len;
	sim_tcp_write(conn->tcp, data, len);
}

static void run_close(void *arg)
{
	struct sim_server_conn *conn = arg;

	// A server that closes an idle connection does not do so in the middle of a request.
	if (conn->over || conn->answering || conn->reader.state != SIM_READ_HEAD ||
		conn->reader.line.len || !conn->request->response_sent_head)
		return;
	if (conn->lag) { // nor before it has read all, which would be a reset
		sim_at(conn->server->sim, conn->server->sim->now_us + 10000, run_close, conn);
		return;
	}
	conn->over = true;
	sim_tcp_close(conn->tcp);
}

// At rest, so that the node can tell that it is no answer to the next request.
static void run_unasked(void *arg)
{
	static const char evil[] = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil";
	struct sim_server_conn *conn = arg;

	if (conn->over || !conn->unasked || conn->reader.line.len || conn->tcp->fin_queued)
		return;
	conn->unasked = false;
	write_bytes(conn, evil, sizeof(evil) - 1);
}

static void end_response(struct sim_server_conn *conn)
{
	struct sim_request *request = conn->request;
	struct sim *sim = conn->server->sim;
	uint64_t later = sim->now_us + (sim_chance(sim, 500) ? 0 : sim_below(sim, 60000));

	conn->answering = false;
	sim_text_free(&conn->out);
	if (request->status == 101)
		return;
	if (request->early || request->response_framing == SIM_UNTIL_CLOSE ||
		request->closing == SIM_SAYS_CLOSE || request->says_close ||
		(request->minor == 0 && !request->keep_old))
		sim_tcp_shutdown(conn->tcp); // goes on reading
	else if (request->closing == SIM_CLOSES_SILENTLY)
		sim_at(sim, later, run_close, conn);
	else if (request->unasked) {
		conn->unasked = true;
		sim_at(sim, later, run_unasked, conn);
	}
}

static void run_writing(void *arg)
{
	struct sim_server_conn *conn = arg;

	conn->writing = false;
	if (!conn->over)
		write_more(conn);
}

static void crash(struct sim_server_conn *conn)
{
	sim_say(conn->server->sim, "endpoint %u port %u crashes", conn->server->endpoint,
		conn->tcp->remote.port);
	conn->over = true;
	conn->answering = false;
	sim_tcp_abort(conn->tcp);
}

static void write_more(struct sim_server_conn *conn)
{
	struct sim_request *request = conn->request;
	struct sim *sim = conn->server->sim;
	uint32_t n = conn->out.len - conn->n_written;

	if (conn->writing || !conn->answering)
		return;
	if (request->pace && n > request->pace)
		n = request->pace;
	request->response_sent_head = true;
	write_bytes(conn, conn->out.data + conn->n_written, n);
	if (conn->over)
		return;
	conn->n_written += n;
	if (request->closing == SIM_CRASHES && conn->n_written >= request->crash_at) {
		crash(conn);
	} else if (conn->n_written == conn->out.len) {
		end_response(conn);
	} else {
		conn->writing = true;
		sim_at(sim, sim->now_us + sim_below(sim, 20000), run_writing, conn);
	}
}

static void run_response(void *arg)
{
	struct sim_server_conn *conn = arg;
	struct sim_request *request = conn->request;
	uint32_t head_at, body_at;

	if (conn->over || conn->answering || conn->tcp->state == SIM_TCP_CLOSED)
		return;
	conn->answering = true;
	conn->n_written = 0;
	conn->out.len = 0;
	sim_http_write_response(
		conn->server->sim, request, conn->server->endpoint, &conn->out, &head_at, &body_at);
	request->response_at = conn->stream_len + body_at;
	request->response_head.len = 0;
	sim_text_add(&request->response_head, conn->out.data + head_at, body_at - head_at);
	write_more(conn);
}

static void answer(struct sim_server_conn *conn)
{
	struct sim *sim = conn->server->sim;
	uint32_t delay = conn->request->delay_us;

	if (delay)
		sim_at(sim, sim->now_us + delay, run_response, conn);
	else
		run_response(conn);
}

// All that was asked before on the client's connection has been answered, and the answers have arrived.
static bool is_in_turn(const struct sim_request *request)
{
	const struct sim_client_conn *client = request->client;

	return client->n_answered < client->n_asked && client->asked[client->n_answered] == request;
}

// The client was told that nobody knows what became of it.
static bool is_given_up(const struct sim *sim, const struct sim_request *request)
{
	return sim->scenario->unsafe_may_fail && !request->safe && request->outcome == SIM_REFUSED;
}

static void check_arrival(struct sim_server_conn *conn, struct sim_request *request,
	const uint8_t *head, uint32_t len)
{
	struct sim *sim = conn->server->sim;

	request->n_arrived++;
	if (request->n_arrived > 1 && !request->safe)
		complain(conn, "arrived twice, which only safe requests may");
	if (!sim->node)
		return;
	if (request->set != conn->server->set)
		complain(conn, "arrived at an endpoint of another set");
	if (!request->client->over && !is_in_turn(request) && !is_given_up(sim, request))
		complain(conn, "arrived before its turn");
	if (sim->scenario->tcp)
		return;
	if (!sim_edits_match_request(&request->routed, request->edits_request, head, len))
		complain(conn, "the head is not the one that was routed");
}

static enum sim_framing take_head(void *ctx, const uint8_t *head, uint32_t head_len, uint32_t *len)
{
	struct sim_server_conn *conn = ctx;
	struct sim *sim = conn->server->sim;
	uint32_t id = sim_http_number(head, head_len, "x-sim-id", UINT32_MAX);
	struct sim_request *request;

	if (sim->hostile && !sim_route_was_routed(sim->node, conn->server->set, head, head_len))
		sim_fail(sim, "endpoint %u got a head that was not routed to it",
			conn->server->endpoint);
	if (conn->answering)
		complain(conn, "the next request came before this one's answer ended");
	if (id >= sim->n_requests || !sim->requests[id]->client) {
		complain(conn, "a request that nobody made");
		conn->reader.stopped = true;
		return SIM_MALFORMED;
	}
	conn->request = request = sim->requests[id];
	request->server = conn;
	request->body_seen = 0;
	request->body_seq = conn->tcp->irs + 1 + conn->reader.head_end;
	request->body_done = false;
	request->response_sent_head = false;
	conn->n_body = 0;
	conn->answering = false;
	conn->unasked = false;
	sim_say(sim, "endpoint %u gets request %u, wants %u", conn->server->endpoint, id,
		request->response_len);
	if (!sim->hostile)
		check_arrival(conn, request, head, head_len);
	if (request->early && request->body_len)
		answer(conn);
	else if (request->expects)
		write_bytes(conn, "HTTP/1.1 100 Continue\r\n\r\n", 25);
	*len = sim_http_number(head, head_len, "content-length", 0);
	if (sim_http_has(head, head_len, "transfer-encoding", "chunked"))
		return SIM_CHUNKED;
	if (*len)
		return SIM_LENGTH;
	if (request->upgrades)
		answer(conn);
	return request->upgrades ? SIM_TUNNEL : SIM_NO_BODY;
}

static void take_body(void *ctx, const uint8_t *data, uint32_t len)
{
	struct sim_server_conn *conn = ctx;

	for (uint32_t i = 0; i < len; i++)
		if (data[i] != sim_body_byte(conn->request->id, 0, conn->n_body + i)) {
			complain(conn, "a byte of the body is wrong");
			break;
		}
	conn->n_body += len;
	if (!conn->request->upgrades)
		return;
	if (!conn->request->response_sent_head)
		complain(conn, "tunnel bytes before the upgrade");
	write_bytes(conn, data, len);
}

static void take_wire(void *ctx, uint32_t len)
{
	struct sim_server_conn *conn = ctx;

	if (conn->request->server == conn)
		conn->request->body_seen += len;
}

static void take_end(void *ctx)
{
	struct sim_server_conn *conn = ctx;
	struct sim_request *request = conn->request;

	if (request->framing != SIM_NO_BODY && conn->n_body != request->body_len)
		complain(conn, "the body has another length");
	request->body_done = true;
	if (!request->early || !request->body_len)
		answer(conn);
}

static void take_malformed(void *ctx)
{
	complain(ctx, "the request is malformed");
}

static const struct sim_reader_program reader_program = {
	.head = take_head,
	.body = take_body,
	.end = take_end,
	.wire = take_wire,
	.malformed = take_malformed,
};

static void run_reading(void *arg)
{
	struct sim_server_conn *conn = arg;
	struct sim *sim = conn->server->sim;
	uint32_t n = sim_between(sim, 1, 8000);

	conn->reading = false;
	if (n > conn->lag)
		n = conn->lag;
	conn->lag -= n;
	sim_tcp_read(conn->tcp, n);
	if (!conn->lag)
		return;
	conn->reading = true;
	sim_at(sim, sim->now_us + (sim_chance(sim, 30) ? 2000000 : sim_below(sim, 10000)),
		run_reading, conn);
}

static void take_data(void *ctx, const uint8_t *data, uint32_t len)
{
	struct sim_server_conn *conn = ctx;

	if (conn->server->lazy) {
		conn->lag += len;
		if (!conn->reading)
			run_reading(conn);
	} else {
		sim_tcp_read(conn->tcp, len);
	}
	sim_reader_feed(&conn->reader, data, len);
}

static void run_shutdown(void *arg)
{
	struct sim_server_conn *conn = arg;

	// A half-closed client still gets its answer.
	if (conn->over)
		return;
	if (conn->answering ||
		(conn->request && conn->request->body_done && !conn->request->response_sent_head))
		sim_at(conn->server->sim, conn->server->sim->now_us + 10000, run_shutdown, conn);
	else
		sim_tcp_shutdown(conn->tcp);
}

static void take_eof(void *ctx)
{
	struct sim_server_conn *conn = ctx;

	if (conn->reader.state != SIM_READ_HEAD && conn->reader.state != SIM_READ_REST &&
		conn->request && !conn->request->client->disturbed && !conn->request->early)
		complain(conn, "a FIN in the middle of the body");
	run_shutdown(conn);
}

static void take_closed(void *ctx, bool reset)
{
	struct sim_server_conn *conn = ctx;

	(void)reset;
	conn->over = true;
	conn->answering = false;
}

static const struct sim_tcp_program program = {
	.data = take_data,
	.eof = take_eof,
	.closed = take_closed,
};

// Forged bytes that were believed leave two hosts out of step for as long as one of them has patience.
static void run_out_of_patience(void *arg)
{
	struct sim_server_conn *conn = arg;

	if (!conn->over)
		crash(conn);
}

static void take_connection(void *ctx, struct sim_tcp *tcp)
{
	struct sim_server *server = ctx;
	struct sim_server_conn *conn = sim_alloc(sizeof(*conn));

	conn->server = server;
	conn->tcp = tcp;
	conn->reader.program = &reader_program;
	conn->reader.ctx = conn;
	conn->next = server->conns;
	server->conns = conn;
	if (server->sim->hostile)
		sim_at(server->sim, server->sim->now_us + PATIENCE_US, run_out_of_patience, conn);
	if (server->sim->scenario->unasked)
		tcp->options.nagle = false;
	tcp->program = &program;
	tcp->ctx = conn;
}

struct sim_server *sim_server_create(
	struct sim *sim, struct sim_host *host, uint32_t endpoint, char set)
{
	struct sim_server *server = sim_alloc(sizeof(*server));

	server->sim = sim;
	server->host = host;
	server->endpoint = endpoint;
	server->set = set;
	server->lazy = sim_chance(sim, sim->scenario->lazy_server);
	host->listens = true;
	host->accept = take_connection;
	host->ctx = server;
	return server;
}

void sim_server_destroy(struct sim_server *server)
{
	struct sim_server_conn *conn, *next;

	if (!server)
		return;
	for (conn = server->conns; conn; conn = next) {
		next = conn->next;
		sim_text_free(&conn->out);
		sim_text_free(&conn->reader.line);
		free(conn);
	}
	free(server);
}

struct sim_server_conn *sim_server_find(struct sim_server *server, const struct sim_tcp *tcp)
{
	for (struct sim_server_conn *conn = server->conns; conn; conn = conn->next)
		if (conn->tcp == tcp)
			return conn;
	return NULL;
}
