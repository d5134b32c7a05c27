// SPDX-License-Identifier: Apache-2.0
#pragma once

// What clients and servers share: connections, the order in which they get to send, messages.

#include "l7/tcp_segment.h"
#include "perf/http_load.h"

enum {
	MSS = 1460,
	WINDOW_SCALE = 7,
	CWND = 256 * MSS, // a grown one: nothing is ever lost
	BURST = 16 * MSS, // of one stream before the next one's turn
	MAX_WAITING =
		512, // requests under way, but for long responses: what a busy node's queues hold
	DELAYED_ACK_US = 40 * 1000, // TCP_DELACK_MIN of Linux
	NUMBER_LEN = 16,
	MESSAGE_ROOM = 512,
};

enum state {
	STATE_CLOSED,
	STATE_SYN_SENT,
	STATE_SYN_TAKEN,
	STATE_OPEN,    // client: between requests
	STATE_WAITING, // client: for a response
	STATE_CLOSING, // FIN is to be sent, or was
};

// What a connection is to send, in this order.
enum todo {
	TODO_SYN = 1 << 0,
	TODO_ACK = 1 << 1,  // alone
	TODO_DATA = 1 << 2, // request or response
	TODO_FIN = 1 << 3,
};

struct conn {
	uint64_t number; // of the request under way
	uint32_t rcv_nxt;
	uint32_t ack_sent;
	uint32_t snd_nxt;
	uint32_t snd_una;
	uint32_t wnd_end;   // the other end has room below
	uint32_t left;	    // bytes of the message: client: to come; server: to be sent
	uint32_t peer;	    // server: which address it has
	uint32_t ack_at_us; // when a delayed ACK is due
	uint32_t epoch;	    // client: of the request
	uint16_t rcv_mss;   // longest segment that came
	uint8_t state;	    // enum state
	uint8_t todo;	    // enum todo bits
	uint8_t scale;	    // of the other end's windows
	bool is_queued;	    // to send
	bool is_streaming;  // server: in the queue of those that send long bodies
	bool is_delayed;    // in the queue of delayed ACKs
	bool is_warm;	    // some data came before
	bool is_served;	    // client: has had a response
	uint8_t pad[10];
};

_Static_assert(sizeof(struct conn) == 64, "one cache line");

// Connections in the order in which they came.
struct queue {
	uint32_t *conns;
	uint32_t mask;
	uint32_t head;
	uint32_t tail;
};

struct half {
	struct http_packet_link link;
	struct conn *conns;
	uint32_t n_conns;
	struct queue ready; // have something to send
};

struct http_load {
	struct http_load_config config;
	enum http_load_phase phase;
	uint32_t now_us;
	uint64_t epoch;
	struct half halves[HTTP_LOAD_N_SIDES];
	struct queue delayed; // clients with an ACK to send some time
	uint32_t *delayed_us; // until when, by place in the queue
	struct queue resting; // clients that wait for their turn
	struct queue streams; // servers with long bodies to send
	uint32_t next_tuple;
	uint32_t n_begun;   // connections of the opening phase
	uint32_t n_waiting; // clients, for a response
	uint32_t isn;
	uint32_t burst; // bytes that the first stream has sent in its turn
	uint32_t body_len;
	uint32_t request_len;
	uint32_t response_head_len;
	char request[MESSAGE_ROOM]; // with a number and a service to be filled in
	char response_head[MESSAGE_ROOM];
	struct http_load_counts counts;
};

static inline bool queue_is_empty(const struct queue *q)
{
	return q->head == q->tail;
}

static inline void queue_put(struct queue *q, uint32_t conn)
{
	q->conns[q->tail++ & q->mask] = conn;
}

static inline uint32_t queue_take(struct queue *q)
{
	return q->conns[q->head++ & q->mask];
}

static inline uint32_t queue_first(const struct queue *q)
{
	return q->conns[q->head & q->mask];
}

// Adds to what a connection has to send.
void http_load_add(struct http_load *load, enum http_load_side side, uint32_t idx, uint8_t todo);

// Writes a segment of the connection around p, in which the caller filled in addresses, flags, ack and length;
// the payload is in its place.
uint32_t http_load_write(struct http_load *load, enum http_load_side side, struct conn *c,
	struct http_packet *p, uint8_t *frame, uint32_t flow_label);

// What is common to any segment of an open connection: ACK and order. False: there is nothing more to it.
bool http_load_accept(struct http_load *load, enum http_load_side side, uint32_t idx,
	const struct http_packet *p);

// The head of the request, or response, with a number.
void http_load_make_request(
	const struct http_load *load, uint64_t number, uint32_t service, char *out);
void http_load_make_response_head(const struct http_load *load, uint64_t number, char *out);
void http_load_write_number(uint64_t number, char *out);

void http_load_client_take(struct http_load *load, const struct http_packet *p);
uint32_t http_load_client_next(struct http_load *load, uint8_t *frame, uint32_t *spread);
void http_load_server_take(struct http_load *load, const struct http_packet *p);
uint32_t http_load_server_next(struct http_load *load, uint8_t *frame, uint32_t *spread);

static inline uint32_t http_load_service_of(const struct http_load *load, uint32_t tuple)
{
	return tuple % load->config.n_services;
}

static inline uint32_t http_load_client_addr(uint32_t tuple)
{
	return HTTP_LOAD_CLIENT_NET + 1 + (tuple >> 15);
}
