// SPDX-License-Identifier: Apache-2.0
#pragma once

// An HTTP client: asks what is planned, over as many connections as it takes, and checks each answer.

#include "tests/sim/sim_host.h"
#include "tests/sim/sim_http.h"

enum {
	SIM_MAX_ASKED = 64, // requests on one connection
};

struct sim_client;

struct sim_client_conn {
	struct sim_client *client;
	struct sim_tcp *tcp;
	struct sim_client_conn *next;
	struct sim_request *asked[SIM_MAX_ASKED];
	uint32_t n_asked, n_answered;
	struct sim_text out; // what is to be written
	uint32_t n_written;
	uint32_t gate;	     // bytes that may be written before a 100 comes; UINT32_MAX: all
	bool writing;	     // an event is under way
	bool last;	     // nothing more is asked on it
	bool answered_close; // an answer said that it is the last
	bool over;
	bool node_closed; // its FIN is on the way
	bool disturbed; // the node answered itself, or somebody broke off: ACKs prove nothing any more
	struct sim_reader reader;
	uint32_t n_body; // bytes of the present answer's body
	enum sim_framing framing;
	uint16_t status;
	bool from_node;
	bool answer_closes;
	uint32_t lag; // bytes that wait to be read
	bool reading;
};

struct sim_client {
	struct sim *sim;
	struct sim_host *host;
	struct sim_addr to;
	struct sim_request **plan;
	uint32_t n_plan, n_started;
	struct sim_client_conn *conn;  // the present one
	struct sim_client_conn *conns; // all that ever were
	bool waiting;
	uint32_t depth;
	bool splits, lazy;
};

struct sim_client *sim_client_create(struct sim *sim, struct sim_host *host, struct sim_addr to);
void sim_client_plan(struct sim_client *client, struct sim_request *request);
void sim_client_start(struct sim_client *client, uint64_t at_us);
void sim_client_destroy(struct sim_client *client);
// Closes a connection that was left open when all was answered.
void sim_client_hang_up(struct sim_client *client);
bool sim_client_is_done(const struct sim_client *client);
// The client's connection of a port, or NULL.
struct sim_client_conn *sim_client_find(struct sim_client *client, uint16_t port);
