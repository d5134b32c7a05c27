// SPDX-License-Identifier: Apache-2.0

#include "tests/sim/sim_law.h"

#include "tests/sim/sim_client.h"
#include "tests/sim/sim_scenario.h"
#include "tests/sim/sim_server.h"
#include "tests/sim/sim_tcp.h"

// A body on its way from one host to the other: where it lies in the numbers of both.
struct passage {
	const struct sim_tcp *from;
	const struct sim_tcp *to;
	uint32_t from_seq;
	uint32_t to_seq;
	uint32_t len;
};

static void check_length(struct sim *sim, const struct sim_host *host, const struct sim_seg *seg)
{
	uint16_t mss = host->options.mss ? host->options.mss : TCP_DEFAULT_MSS;

	if (seg->len > mss)
		sim_fail(sim, "a segment of %u bytes to host %u, whose MSS is %u", seg->len,
			host->number, mss);
}

// What the node tells the sender of a body is what the receiver said, or less.
static void check_passage(struct sim *sim, const struct passage *way, const struct tcp_out *tcp)
{
	uint32_t shift = way->to_seq - way->from_seq;
	uint32_t edge = tcp->ack + ((uint32_t)tcp->window << way->from->snd_scale) + shift;

	if (way->to->state < SIM_TCP_ESTABLISHED || way->to->state == SIM_TCP_TIME_WAIT ||
		way->from->fin_queued)
		return;
	// Rounded down, but never to zero.
	if (sim_seq_lt(way->to->rcv_edge + (1u << way->from->snd_scale), edge))
		sim_fail(sim, "host %u is promised %u bytes more than host %u has room for",
			way->from->host->number, edge - way->to->rcv_edge, way->to->host->number);
	for (uint32_t i = 0; i < tcp->n_sacks; i++) {
		uint32_t left = tcp->sacks[i].left, right = tcp->sacks[i].right;

		if (sim_seq_lt(left, way->from_seq) || sim_seq_lt(way->from_seq + way->len, right))
			continue;
		if (sim_seq_lt(way->to->rcv_nxt, right + shift) &&
			!sim_ranges_cover(&way->to->early, left + shift, right + shift))
			sim_fail(sim, "host %u gets a SACK of what host %u does not hold",
				way->from->host->number, way->to->host->number);
	}
}

// Behind a reply of the node that ends the connection, all is acknowledged and thrown away.
static bool is_behind_reply(const struct sim_client_conn *conn, const struct sim_request *request)
{
	for (uint32_t i = 0; i < conn->n_asked && conn->asked[i] != request; i++)
		if (conn->asked[i]->node_answers && !request->n_routed)
			return true;
	return false;
}

// The last request whose body begins below an offset of the client's stream.
static const struct sim_request *find_request(const struct sim_client_conn *conn, uint32_t offset)
{
	const struct sim_request *found = NULL;

	for (uint32_t i = 0; i < conn->n_asked; i++)
		if (conn->asked[i]->body_at < offset)
			found = conn->asked[i];
	return found;
}

void sim_law_to_client(struct sim *sim, const struct sim_seg *seg)
{
	struct sim_host *host = sim->clients[seg->dst.host - SIM_CLIENT_HOST];
	const struct sim_tcp *tcp = host ? sim_host_find(host, seg->dst, seg->src) : NULL;
	struct sim_client_conn *conn;
	const struct sim_request *request;
	uint32_t offset;

	if (!tcp || !host->ctx || sim->hostile || sim->scenario->tcp)
		return;
	check_length(sim, host, seg);
	conn = sim_client_find(host->ctx, tcp->local.port);
	if (!conn || conn->tcp != tcp)
		return;
	// Behind the node's FIN all is acknowledged and thrown away; the client sees the FIN.
	conn->node_closed |= (seg->tcp.flags & TCP_FIN) != 0;
	if (conn->node_closed || conn->disturbed || conn->over || conn->answered_close ||
		!(seg->tcp.flags & TCP_ACK) || (seg->tcp.flags & TCP_RST))
		return;
	offset = seg->tcp.ack - tcp->iss - 1;
	request = find_request(conn, offset);
	if (!request || request->node_answers || request->response_sent_head ||
		is_behind_reply(conn, request))
		return;
	if (request->server && request->server->request == request && !request->node_answers)
		check_passage(sim,
			&(struct passage){.from = tcp,
				.to = request->server->tcp,
				.from_seq = tcp->iss + 1 + request->body_at,
				.to_seq = request->body_seq,
				.len = request->body_wire_len},
			&seg->tcp);
	offset -= request->body_at;
	if (offset > request->body_wire_len)
		offset = request->body_wire_len;
	if (offset > request->body_seen)
		sim_fail(sim, "request %u: %u bytes of the body acknowledged, %u arrived",
			request->id, offset, request->body_seen);
}

void sim_law_to_server(struct sim *sim, const struct sim_seg *seg)
{
	struct sim_host *host = sim->servers[seg->dst.host - SIM_SERVER_HOST];
	const struct sim_tcp *tcp = host ? sim_host_find(host, seg->dst, seg->src) : NULL;
	const struct sim_server_conn *conn;
	const struct sim_request *request;
	uint32_t offset;

	if (!tcp || sim->hostile || sim->scenario->tcp)
		return;
	check_length(sim, host, seg);
	conn = sim_server_find(host->ctx, tcp);
	if (!conn || !conn->request || !(seg->tcp.flags & TCP_ACK) || (seg->tcp.flags & TCP_RST))
		return;
	request = conn->request;
	if (request->server != conn || !request->response_sent_head || request->client->disturbed ||
		request->client->over || request->garbage)
		return;
	offset = seg->tcp.ack - tcp->iss - 1;
	if ((int32_t)(offset - request->response_at) <= 0)
		return;
	if (request->response_begun && request->outcome == SIM_OPEN)
		check_passage(sim,
			&(struct passage){.from = tcp,
				.to = request->client->tcp,
				.from_seq = tcp->iss + 1 + request->response_at,
				.to_seq = request->response_seq,
				.len = conn->stream_len - request->response_at},
			&seg->tcp);
	offset -= request->response_at;
	if (offset > conn->stream_len - request->response_at)
		offset = conn->stream_len - request->response_at; // FIN
	if (offset > request->response_seen)
		sim_fail(sim, "answer %u: %u bytes of the body acknowledged, %u arrived",
			request->id, offset, request->response_seen);
}
