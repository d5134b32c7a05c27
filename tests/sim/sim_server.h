// SPDX-License-Identifier: Apache-2.0
#pragma once

// An HTTP server: checks that what arrives is what was routed to it, whole and in order, and answers as
// the request's plan says.

#include "tests/sim/sim_host.h"
#include "tests/sim/sim_http.h"

struct sim_server;

struct sim_server_conn {
	struct sim_server *server;
	struct sim_tcp *tcp;
	struct sim_server_conn *next;
	struct sim_request *request; // the present one, or the last
	struct sim_reader reader;
	uint32_t n_body;
	uint32_t stream_len; // bytes written
	struct sim_text out;
	uint32_t n_written;
	bool answering; // a response is under way
	bool writing;
	bool unasked; // it is about to go on behind its answer
	bool over;
	uint32_t lag;
	bool reading;
};

struct sim_server {
	struct sim *sim;
	struct sim_host *host;
	uint32_t endpoint;
	char set;
	bool lazy;
	struct sim_server_conn *conns;
};

struct sim_server *sim_server_create(
	struct sim *sim, struct sim_host *host, uint32_t endpoint, char set);
void sim_server_destroy(struct sim_server *server);
struct sim_server_conn *sim_server_find(struct sim_server *server, const struct sim_tcp *tcp);
