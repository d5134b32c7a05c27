// SPDX-License-Identifier: Apache-2.0

// A connection is used until it says close, its client has had enough of it, or it breaks. What was asked
// behind an answer that says close is asked again on the next one; what breaks without such an answer is
// the splice's fault, unless the scenario allows it.

#include "tests/sim/sim_client.h"

#include <stdlib.h>
#include <string.h>

#include "tests/sim/sim_answer.h"
#include "tests/sim/sim_scenario.h"

static void run_client(void *arg);

struct sim_client *sim_client_create(struct sim *sim, struct sim_host *host, struct sim_addr to)
{
	const struct sim_scenario *scenario = sim->scenario;
	struct sim_client *client = sim_alloc(sizeof(*client));

	client->sim = sim;
	client->host = host;
	client->to = to;
	client->depth = sim_between(sim, 1, scenario->pipeline);
	client->splits = sim_chance(sim, scenario->split);
	client->lazy = sim_chance(sim, scenario->lazy_client);
	host->ctx = client;
	return client;
}

void sim_client_destroy(struct sim_client *client)
{
	struct sim_client_conn *conn, *next;

	if (!client)
		return;
	for (conn = client->conns; conn; conn = next) {
		next = conn->next;
		sim_text_free(&conn->out);
		sim_text_free(&conn->reader.line);
		free(conn);
	}
	free(client->plan);
	free(client);
}

void sim_client_plan(struct sim_client *client, struct sim_request *request)
{
	client->plan =
		sim_realloc(client->plan, (client->n_plan + 1) * sizeof(struct sim_request *));
	client->plan[client->n_plan++] = request;
}

bool sim_client_is_done(const struct sim_client *client)
{
	return client->n_started == client->n_plan && !client->waiting &&
	       (!client->conn || client->conn->over ||
		       client->conn->n_answered == client->conn->n_asked);
}

void sim_client_hang_up(struct sim_client *client)
{
	if (client->conn && !client->conn->over)
		sim_tcp_close(client->conn->tcp);
}

struct sim_client_conn *sim_client_find(struct sim_client *client, uint16_t port)
{
	for (struct sim_client_conn *conn = client->conns; conn; conn = conn->next)
		if (conn->tcp->local.port == port)
			return conn;
	return NULL;
}

void sim_client_start(struct sim_client *client, uint64_t at_us)
{
	if (client->waiting)
		return;
	client->waiting = true;
	sim_at(client->sim, at_us, run_client, client);
}

static void settle(
	struct sim_client_conn *conn, struct sim_request *request, enum sim_outcome outcome)
{
	struct sim *sim = conn->client->sim;

	if (request->outcome != SIM_OPEN)
		return;
	request->outcome = outcome;
	sim->n_open_requests--;
	if (outcome == SIM_ANSWERED && sim->now_us - request->asked_us > sim->slowest_us)
		sim->slowest_us = sim->now_us - request->asked_us;
	sim_say(sim, "request %u: %s", request->id,
		outcome == SIM_ANSWERED	 ? "answered"
		: outcome == SIM_REFUSED ? "refused by the node"
					 : "lost");
}

// Nothing more comes on this connection.
static void finish(struct sim_client_conn *conn, const char *how)
{
	struct sim_client *client = conn->client;
	const struct sim_scenario *scenario = client->sim->scenario;

	if (conn->over)
		return;
	conn->over = true;
	for (uint32_t i = conn->n_answered; i < conn->n_asked; i++) {
		struct sim_request *request = conn->asked[i];
		bool may = scenario->may_fail || conn->disturbed ||
			   (scenario->unsafe_may_fail && !request->safe);

		settle(conn, request, SIM_LOST);
		if (conn->answered_close || (conn->disturbed && !scenario->may_fail))
			sim_client_plan(client, sim_request_again(client->sim, request));
		else if (!may)
			sim_fail(client->sim, "request %u: %s instead of an answer", request->id,
				how);
		else
			conn->answered_close = true; // what was asked behind it may be asked again
	}
	if (!conn->n_asked && scenario->may_fail) // not even connected: so much for what comes next
		settle(conn, client->plan[client->n_started++], SIM_LOST);
	sim_text_free(&conn->out);
	conn->n_written = 0;
	if (client->conn == conn)
		client->conn = NULL;
	if (client->n_started < client->n_plan)
		sim_client_start(client, client->sim->now_us + sim_below(client->sim, 20000));
}

static void run_abort(void *arg)
{
	struct sim_client_conn *conn = arg;

	if (conn->over)
		return;
	sim_say(conn->client->sim, "client port %u gives up", conn->tcp->local.port);
	conn->disturbed = true;
	sim_tcp_abort(conn->tcp);
	finish(conn, "given up");
}

// The answer said close, but the connection stayed open.
static void run_overdue(void *arg)
{
	struct sim_client_conn *conn = arg;

	if (!conn->over && conn->tcp->state != SIM_TCP_CLOSED && !conn->tcp->fin_seen &&
		!conn->client->sim->hostile && !conn->client->sim->scenario->may_fail)
		sim_fail(conn->client->sim, "port %u: the last answer came, but no FIN",
			conn->tcp->local.port);
}

static void run_writing(void *arg)
{
	struct sim_client_conn *conn = arg;

	conn->writing = false;
	sim_client_write(conn);
}

void sim_client_write(struct sim_client_conn *conn)
{
	struct sim *sim = conn->client->sim;
	uint32_t end = conn->out.len < conn->gate ? conn->out.len : conn->gate, n;

	if (conn->over || conn->writing)
		return;
	n = end - conn->n_written;
	if (conn->client->splits && n > 1) {
		n = sim_between(sim, 1, n < 2000 ? n : 2000);
		conn->writing = true;
		sim_at(sim, sim->now_us + sim_below(sim, 30000), run_writing, conn);
	}
	// Sent later, while memory may move.
	conn->n_written += n;
	sim_tcp_write(conn->tcp, conn->out.data + conn->n_written - n, n);
	if (conn->over || conn->n_written < conn->out.len || !conn->n_asked)
		return;
	if (conn->asked[conn->n_asked - 1]->half_close)
		sim_tcp_shutdown(conn->tcp);
}

static void run_gate(void *arg)
{
	struct sim_client_conn *conn = arg;

	conn->gate = UINT32_MAX;
	sim_client_write(conn);
}

static void ask(struct sim_client_conn *conn, struct sim_request *request)
{
	struct sim *sim = conn->client->sim;

	conn->asked[conn->n_asked++] = request;
	request->client = conn;
	request->asked_us = sim->now_us;
	sim_http_write_request(sim, request, &conn->out, &request->body_at);
	request->body_wire_len = conn->out.len - request->body_at;
	sim_say(sim, "client %u port %u asks for %c/%u: %s, %u bytes",
		conn->client->host->number - SIM_CLIENT_HOST, conn->tcp->local.port, request->set,
		request->id, request->method, request->body_wire_len);
	if (request->expects) {
		conn->gate = request->body_at;
		sim_at(sim, sim->now_us + sim_between(sim, 500000, 2000000), run_gate, conn);
	}
	if (request->expects || request->upgrades || request->half_close || request->says_close ||
		(request->minor == 0 && !request->keep_old) || conn->n_asked == SIM_MAX_ASKED)
		conn->last = true;
}

static void ask_more(struct sim_client_conn *conn)
{
	struct sim_client *client = conn->client;

	while (!conn->over && !conn->last && client->n_started < client->n_plan &&
		conn->n_asked - conn->n_answered < client->depth)
		ask(conn, client->plan[client->n_started++]);
	sim_client_write(conn);
}

static void take_established(void *ctx)
{
	ask_more(ctx);
}

static void run_reading(void *arg)
{
	struct sim_client_conn *conn = arg;
	struct sim *sim = conn->client->sim;
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
	struct sim_client_conn *conn = ctx;

	if (conn->client->lazy) {
		conn->lag += len;
		if (!conn->reading)
			run_reading(conn);
	} else {
		sim_tcp_read(conn->tcp, len);
	}
	if (conn->n_answered == conn->n_asked && !conn->client->sim->hostile && !conn->over &&
		!conn->answered_close)
		sim_answer_unasked(conn);
	sim_reader_feed(&conn->reader, data, len);
}

static void take_eof(void *ctx)
{
	struct sim_client_conn *conn = ctx;

	sim_answer_eof(conn);
	sim_tcp_close(conn->tcp);
	finish(conn, "FIN");
}

static void take_closed(void *ctx, bool reset)
{
	finish(ctx, reset ? "a reset" : "the end");
}

static const struct sim_tcp_program program = {
	.established = take_established,
	.data = take_data,
	.eof = take_eof,
	.closed = take_closed,
};

static void open_conn(struct sim_client *client)
{
	struct sim *sim = client->sim;
	struct sim_client_conn *conn = sim_alloc(sizeof(*conn));

	conn->client = client;
	conn->gate = UINT32_MAX;
	conn->reader.program = &sim_answer_program;
	conn->reader.ctx = conn;
	conn->next = client->conns;
	client->conns = client->conn = conn;
	conn->tcp = sim_tcp_connect(client->host, client->to, &program, conn);
	if (sim->hostile || sim->scenario->may_fail) // a reset may have been lost
		sim_at(sim, sim->now_us + 250000000, run_abort, conn);
	if (sim_chance(sim, sim->scenario->abort))
		sim_at(sim, sim->now_us + sim_below(sim, sim_chance(sim, 500) ? 50000 : 1000000),
			run_abort, conn);
}

static void run_client(void *arg)
{
	struct sim_client *client = arg;

	client->waiting = false;
	if (client->n_started == client->n_plan)
		return;
	if (client->conn)
		ask_more(client->conn);
	else
		open_conn(client);
}

// An answer is whole.
void sim_client_answered(struct sim_client_conn *conn, bool closes)
{
	struct sim_client *client = conn->client;
	struct sim *sim = client->sim;
	struct sim_request *request = conn->asked[conn->n_answered++];

	settle(conn, request, conn->from_node ? SIM_REFUSED : SIM_ANSWERED);
	// A body that was not sent cannot be left out.
	if (conn->n_written < request->body_at + request->body_wire_len)
		closes = true;
	if (closes || (conn->last && conn->n_answered == conn->n_asked)) {
		conn->answered_close |= closes;
		conn->last = true;
		if (closes && sim_chance(sim, 500)) {
			if (conn->framing == SIM_TUNNEL)
				sim_tcp_shutdown(conn->tcp); // the server waits for that
			sim_at(sim, sim->now_us + 150000000, run_overdue, conn);
			return;
		}
		conn->disturbed = true;
		sim_tcp_close(conn->tcp);
		finish(conn, "the end");
		return;
	}
	if (client->n_started == client->n_plan && conn->n_answered == conn->n_asked) {
		if (sim_chance(sim, sim->scenario->client_close)) {
			sim_tcp_close(conn->tcp);
			finish(conn, "the end");
		}
		return;
	}
	sim_client_start(client, sim->now_us + sim_below(sim, sim->scenario->think_us));
}
