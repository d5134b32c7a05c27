// SPDX-License-Identifier: Apache-2.0
#pragma once

// HTTP clients and servers for http_bench, as many as a machine of any size could be: a connection is 64
// bytes. Their TCP does what Linux hosts do when nothing is lost: handshake, a bare ACK for the first data of
// a connection, then ACKs that ride on the next request or response and go alone after 40 ms, an ACK for every
// second full segment, FINs. A segment that is lost or comes in the wrong order is never repaired but counted.
//
// Every request carries a number, in its path, and the service it is for. The server that gets it checks the
// whole head and that it is an endpoint of the service; its response carries the number in a header and at
// either end of the body, and the client checks that whole head, too.
//
// Frames come and go as bytes; the load knows neither devices nor clocks. One thread at a time.

#include <stdbool.h>
#include <stdint.h>

#include "perf/http_packet.h"

enum http_load_kind {
	HTTP_LOAD_KEEPALIVE,	  // request after request on each connection
	HTTP_LOAD_KEEPALIVE_EDIT, // and servers expect x-forwarded-for
	HTTP_LOAD_CONNECT,	  // a connection for each request
	HTTP_LOAD_BULK,		  // long responses
	HTTP_LOAD_N_KINDS,
};

enum http_load_side {
	HTTP_LOAD_CLIENTS,
	HTTP_LOAD_SERVERS,
	HTTP_LOAD_N_SIDES,
};

enum http_load_phase {
	HTTP_LOAD_OPEN,	 // connections are opened, without requests
	HTTP_LOAD_RUN,	 // clients take turns to send a request each
	HTTP_LOAD_DRAIN, // no new requests
};

// Where everybody lives.
enum {
	HTTP_LOAD_VIP = 0x0aff0001,	      // 10.255.0.1
	HTTP_LOAD_CLIENT_NET = 0x0a000000,    // 10.0.0.0/10: client t at port 32768 + t % 32768
	HTTP_LOAD_SERVER_NET = 0x0a800000,    // 10.128.0.0/10: endpoint e of service s is s * 4 + e
	HTTP_LOAD_SOURCE_NET = 0x0ac00000,    // 10.192.0.0: the node's, towards servers
	HTTP_LOAD_PORT = 80,		      // of services and of endpoints
	HTTP_LOAD_ENDPOINTS = 4,	      // of each service
	HTTP_LOAD_MAX_SOURCES = 64,	      // of the node's addresses
	HTTP_LOAD_MAX_TUPLES = 1 << 21,	      // addresses and ports that clients have
	HTTP_LOAD_MAX_FRAME = 14 + 40 + 1500, // of both sides
	HTTP_LOAD_MAX_STREAMS = 10000,	      // long responses under way at a time
	HTTP_LOAD_BULK_BYTES = 1 << 20,	      // of a body
};

struct http_load_config {
	enum http_load_kind kind;
	uint32_t
		n_flows; // connections of clients that are open at a time; at most half of the tuples
	uint32_t n_services; // "s00000.lattice.local" and so on
	uint32_t n_sources;
	struct http_packet_link links[HTTP_LOAD_N_SIDES];
	// Whether this endpoint of the service may get a request that was sent in an epoch; NULL: any may.
	bool (*may_serve_fn)(void *ctx, uint32_t service, uint32_t endpoint, uint64_t epoch);
	void *ctx;
};

struct http_load_counts {
	uint64_t n_opened;		    // connections of clients, established
	uint64_t n_legs;		    // connections of the node to servers, established
	uint64_t n_legs_gone;		    // ended by the node
	uint64_t n_requests;		    // sent
	uint64_t n_served;		    // that reached a server
	uint64_t n_responses;		    // that came back whole
	uint64_t n_bytes;		    // of IPv4 packets that carried them to the clients
	uint64_t n_sent[HTTP_LOAD_N_SIDES]; // packets
	uint64_t n_taken[HTTP_LOAD_N_SIDES];
	// What must not be.
	uint64_t n_malformed; // packets: headers, checksums, addresses
	uint64_t n_disorder;  // segments that do not follow the last one
	uint64_t n_wrong;     // heads and bodies that are not what they should be
	uint64_t n_reset;     // connections of clients that the node reset or closed
	// What a node that was kept from its core for long may do.
	uint64_t n_repeated;
};

struct http_load;

// NULL with errno ENOMEM.
struct http_load *http_load_create(const struct http_load_config *config);
void http_load_destroy(struct http_load *load);

void http_load_set_phase(struct http_load *load, enum http_load_phase phase);
// The hosts' time, for ACKs that are put off.
void http_load_set_time(struct http_load *load, uint64_t now_us);

// What requests are marked with from now on, see may_serve_fn.
void http_load_set_epoch(struct http_load *load, uint64_t epoch);

// A frame arrives at a side.
void http_load_take(
	struct http_load *load, enum http_load_side side, const uint8_t *frame, uint32_t len);

// Writes the next frame of a side and returns its length, or 0: nothing is to be sent now. The frame has room
// for HTTP_LOAD_MAX_FRAME bytes. *spread: the connection's share of the node's queues: for clients any number,
// for servers that of the node's address.
uint32_t http_load_next(
	struct http_load *load, enum http_load_side side, uint8_t *frame, uint32_t *spread);

// Whether all connections are open and at rest (HTTP_LOAD_OPEN), or no response is awaited.
bool http_load_is_settled(const struct http_load *load);

const struct http_load_counts *http_load_counts(const struct http_load *load);
