// SPDX-License-Identifier: Apache-2.0
#pragma once

// A splice fed by hand: each test says what arrives and sees exactly what leaves. Numbers are relative: a
// host's first byte is 0, and so is the first byte that the splice sends to it.

#include "l7/splice.h"

enum {
	RIG_MAX_SENT = 256,
	RIG_MAX_FLOWS = 8,
	RIG_MAX_LEGS = 8,
	RIG_SERVER_ISS = 5000,
};

// What most tests send.
static const char GET[] = "GET /x HTTP/1.1\r\nHost: x\r\n\r\n";
static const char POST[] = "POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 20\r\n\r\n";
static const char UPGRADE[] = "GET /x HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n"
			      "Upgrade: websocket\r\n\r\n";
static const char SWITCHING[] = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n"
				"Upgrade: websocket\r\n\r\n";

enum {
	GET_LEN = sizeof(GET) - 1,
	POST_LEN = sizeof(POST) - 1,
	UPGRADE_LEN = sizeof(UPGRADE) - 1,
	SWITCHING_LEN = sizeof(SWITCHING) - 1,
};

#define RIG_CLIENT_ISS UINT32_C(0xfffffff0) // numbers wrap in the first bytes

struct rig_sent {
	enum splice_side side;
	uint32_t idx;
	struct tcp_out tcp;
	uint32_t seq; // relative
	uint32_t ack;
	uint32_t len;
	char data[4096]; // and a zero
	bool carried;
	bool rewritten;
};

// What arrives; numbers relative.
struct rig_in {
	uint8_t flags; // ACK is always set, unless RST or SYN
	uint32_t seq;
	uint32_t ack;
	uint16_t window; // 0: the one that the rig's host last had; see shut
	bool shut;	 // a window of 0
	const char *text;
	uint8_t n_sacks;
	struct tcp_sack sacks[TCP_MAX_SACKS]; // relative to what the splice sends
};

struct rig {
	struct splice *splice;
	struct splice_config config;
	struct splice_listener listener;
	uint64_t now_us;
	struct rig_sent sent[RIG_MAX_SENT];
	uint32_t n_sent, n_taken;
	uint32_t n_live;		     // segments that the splice holds
	uint32_t client_base[RIG_MAX_FLOWS]; // the splice's first number to the client
	uint32_t leg_base[RIG_MAX_LEGS];
	uint32_t leg_endpoint[RIG_MAX_LEGS];
	bool leg_open[RIG_MAX_LEGS];
	bool flow_open[RIG_MAX_FLOWS];
	uint64_t n_events[SPLICE_N_EVENTS];
	enum splice_why why; // of the last own reply or reset
	uint32_t picked;     // the cluster that an endpoint was last asked of

	// How a client of this rig is, and how an endpoint.
	uint16_t client_mss, client_window, server_window;
	uint8_t client_scale, server_scale;
	bool client_sack, server_sack;
	// What the owner decides.
	struct splice_decision decision;
	struct splice_target target; // the last one; cluster is one more with each
	uint32_t n_endpoints;	     // 0: none is healthy
	const char *date;	     // NULL at first: not known
	bool ports_out;
	bool removed;	      // all endpoints
	uint32_t leg_idle_ms; // how long idle legs are kept
};

// With the defaults; change config, listener and hosts before rig_start().
struct rig *rig_create(void);
void rig_start(struct rig *rig);
void rig_destroy(struct rig *rig);

// For cmocka: a rig that is not started, as the state of a test.
int rig_setup(void **state);
int rig_teardown(void **state);

// A client's handshake; returns its flow.
uint32_t rig_open(struct rig *rig);
uint32_t rig_syn(struct rig *rig, uint32_t seq, struct tcp_out *cookie);
void rig_client(struct rig *rig, uint32_t flow, const struct rig_in *in);
void rig_server(struct rig *rig, uint32_t leg, const struct rig_in *in);
// An empty segment without an ACK.
void rig_bare(struct rig *rig, enum splice_side side, uint32_t idx, uint8_t flags, uint32_t seq);
// Takes the SYN that the splice sends to an endpoint, answers it, and returns the leg.
uint32_t rig_accept(struct rig *rig);
// A request and its answer; returns the leg, which is idle then. up and down: bytes before, advanced.
uint32_t rig_exchange(struct rig *rig, uint32_t flow, uint32_t *up, uint32_t *down);

// The next segment that the splice sent; the test fails if there is none, or it went to the other side.
const struct rig_sent *rig_take(struct rig *rig, enum splice_side side);
// The next one with data; ACKs before it are passed over.
const struct rig_sent *rig_take_data(struct rig *rig, enum splice_side side);
// The client gets an answer with this status next.
void rig_expect_status(struct rig *rig, uint32_t status);
// How many went to a side since rig_forget(), with one of flags; 0: any.
uint32_t rig_n_sent(const struct rig *rig, enum splice_side side, uint8_t flags);
void rig_expect_none(const struct rig *rig);
void rig_forget(struct rig *rig); // what was sent and not looked at
void rig_wait(struct rig *rig, uint32_t ms);
