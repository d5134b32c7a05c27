// SPDX-License-Identifier: Apache-2.0
#pragma once

// The TCP splice: a client's connection to a virtual address (flow) joined, request by request, to
// connections with endpoints (legs), without terminating TCP. One struct splice belongs to one worker and
// one thread. It sees segments and times, not packets and clocks: whoever owns it (a worker's nodes, or a
// simulator) finds the flow or leg of a segment, gives the segment in, and sends what comes out through
// struct splice_io. docs/splice.md tells how it works; the three laws that it keeps:
//
// 1. Nothing acknowledged is lost: the node acknowledges only what the far end has, or the node holds.
// 2. Nothing passes unclassified: what is not yet known to belong to the open message waits, or is dropped.
// 3. First copy wins: what the node has read of a message is what arrives.
//
// All memory is taken at creation: flows, legs and buffers have numbers below what was asked for.

#include <stddef.h>
#include <stdint.h>

#include "l7/http1_edit.h"
#include "l7/http1_head.h"
#include "l7/tcp_segment.h"

struct splice;

enum {
	SPLICE_NONE = UINT32_MAX, // no flow, no leg, no endpoint
};

// Which connection a segment belongs to.
enum splice_side {
	SPLICE_CLIENT, // index: flow
	SPLICE_SERVER, // index: leg
};

enum splice_protocol {
	SPLICE_HTTP1,
	SPLICE_TCP, // no messages: bound at the SYN, opaque both ways
};

// What a listener promises and allows.
struct splice_listener {
	enum splice_protocol protocol;
	struct http1_limits limits; // of request heads; together at most SPLICE_MAX_HEAD
	uint32_t head_timeout_ms;   // from a head's first byte to its last (408)
	uint32_t idle_timeout_ms;   // without a segment from either side
	uint32_t drain_timeout_ms;  // of a flow whose endpoint was removed
	uint16_t mss;		    // promised to clients: fits the worst path to any endpoint
	uint8_t window_scale;	    // offered to clients that offer one
	uint8_t rules;		    // of request heads: enum http1_rule bits (l7/http1_rule.h)
};

// Where a connection to a TCP listener goes; of HTTP the decision says it.
struct splice_target {
	uint32_t cluster; // asked for with pick
	uint32_t connect_timeout_ms;
};

enum {
	SPLICE_MAX_HEAD = 60 * 1024, // bytes of a head, edits included
	SPLICE_MAX_REPLY_BODY = 4096,
	SPLICE_MAX_TRIES = 3, // endpoints that one request is offered to
};

enum splice_action {
	SPLICE_TO_CLUSTER,
	SPLICE_REPLY,
};

// What is to become of a request.
struct splice_decision {
	enum splice_action action;
	uint32_t cluster;
	uint32_t route; // the caller's own numbers, given back with events
	uint32_t virtual_host;
	uint32_t connect_timeout_ms;
	uint32_t route_timeout_ms; // from the head's end to the response's end (504); 0: none
	uint32_t idle_timeout_ms;  // of this request; 0: the listener's
	bool edit_request;
	bool edit_response;		  // response_edits: the texts live as long as the flow
	struct http1_edits request_edits; // the texts live until the call returns
	uint16_t status;		  // SPLICE_REPLY: at most SPLICE_MAX_REPLY_BODY of body
	uint32_t body_len;
	const char *body; // copied
};

// What the owner learns for its counters. value is said beside each.
enum splice_event {
	SPLICE_FLOW_OPENED,
	SPLICE_FLOW_CLOSED,
	SPLICE_REQUEST,	   // a head was routed: flow_route() knows where. value: 0
	SPLICE_RESPONSE,   // a final response head. value: status
	SPLICE_FIRST_BYTE, // value: microseconds from the head's end to the response's first byte
	SPLICE_RESPONSE_DONE, // value: microseconds from the head's end to the response's end
	SPLICE_OWN_REPLY,     // value: enum splice_why
	SPLICE_MALFORMED,     // a request or response head. value: enum http1_reason
	SPLICE_CONNECT_FAILED, // of the endpoint picked last: refused, unreachable, or no answer in time
	SPLICE_RETRY,	       // value: attempt
	SPLICE_REBIND,	       // a request went to another leg than the one before on this flow
	SPLICE_RESET_CLIENT, // value: enum splice_why
	SPLICE_BYTES_UP,     // request bytes that an endpoint acknowledged
	SPLICE_BYTES_DOWN,   // response bytes that the client acknowledged
	SPLICE_LEG_OPENED,
	SPLICE_LEG_CLOSED,
	SPLICE_HELD_DROPPED, // a segment that had to wait found no room
	SPLICE_N_EVENTS,
};

// Why the node answered, or broke off, by itself.
#define SPLICE_WHYS(X)                                                                             \
	X(NONE, "none")                                                                            \
	X(DIRECT, "direct_response")                                                               \
	X(PATH_REDIRECT, "path_redirect")                                                          \
	X(NO_ROUTE, "no_route")                                                                    \
	X(MALFORMED, "malformed_request")                                                          \
	X(HEAD_TIMEOUT, "request_head_timeout")                                                    \
	X(NO_ENDPOINT, "no_healthy_endpoint")                                                      \
	X(CONNECT, "connect_failed")                                                               \
	X(ENDPOINT_RESET, "endpoint_reset")                                                        \
	X(ENDPOINT_CLOSED, "endpoint_closed")                                                      \
	X(BAD_RESPONSE, "malformed_response")                                                      \
	X(ROUTE_TIMEOUT, "route_timeout")                                                          \
	X(IDLE_TIMEOUT, "idle_timeout")                                                            \
	X(NO_MEMORY, "no_memory")                                                                  \
	X(TRUNCATED, "response_truncated")                                                         \
	X(DRAINED, "drained")                                                                      \
	X(REFUSED_UPGRADE, "upgrade_refused")

enum splice_why {
#define X(symbol, name) SPLICE_WHY_##symbol,
	SPLICE_WHYS(X)
#undef X
	SPLICE_N_WHYS,
};

const char *splice_why_name(enum splice_why why);

// What a new leg is opened with.
struct splice_opening {
	uint32_t isn; // max(RFC 6528 clock, what the tuple used last)
	uint16_t mss; // what fits the path to this endpoint
};

// The world outside, as the splice asks for it. All functions are called from within splice_* calls, on the
// same thread, and must not call back.
struct splice_io {
	// Sends a segment to a flow's client or a leg's endpoint. data lies in carrier, which is taken over;
	// without carrier the bytes are copied. len may be 0.
	void (*send)(void *ctx, enum splice_side side, uint32_t idx, const struct tcp_out *out,
		const uint8_t *data, uint32_t len, struct tcp_segment *carrier);
	// Frees a segment that was given in.
	void (*drop)(void *ctx, struct tcp_segment *seg);

	// The listener by the number that splice_syn() was given, as it is now; NULL: it is gone, and its
	// flows drain.
	const struct splice_listener *(*listener)(void *ctx, uint32_t listener);
	// Decides about a new connection to a TCP listener, once, in the call that begins its flow.
	struct splice_target (*target)(void *ctx, uint32_t listener);
	// Decides about a complete request head.
	void (*route)(void *ctx, uint32_t flow, const uint8_t *raw, const struct http1_head *head,
		struct splice_decision *decision);
	// The time as a Date field says it (l7/http1_date.h), for the node's own replies; NULL: it is not known.
	const char *(*date)(void *ctx);
	// Fills what is to be changed in the head of a final response.
	void (*edit_response)(void *ctx, uint32_t flow, struct http1_edits *edits);
	// An endpoint of the cluster that is not among tried, or among them if there is no other;
	// SPLICE_NONE: none is healthy. Endpoint numbers are below n_endpoints of splice_config.
	uint32_t (*pick)(void *ctx, uint32_t flow, uint32_t cluster, const uint32_t *tried,
		uint32_t n_tried);
	// Whether new requests may still go to the endpoint: false once it was removed.
	bool (*endpoint_lives)(void *ctx, uint32_t endpoint);
	// How long an idle leg to the endpoint is kept for another request, in ms; 0: not at all.
	uint32_t (*leg_idle_ms)(void *ctx, uint32_t endpoint);

	// Gives a new leg its addresses and ports, so that segments to and from it find it.
	// 0, or -EADDRNOTAVAIL: no port is free.
	int (*open_leg)(void *ctx, uint32_t flow, uint32_t leg, uint32_t endpoint,
		struct splice_opening *opening);
	// Whether an idle leg to the endpoint that was picked may serve the flow: an endpoint can stand for one
	// in each VPC.
	bool (*leg_fits)(void *ctx, uint32_t flow, uint32_t leg);
	// The leg's tuple is free again; last_seq: one past the highest number that was used on it.
	void (*leg_closed)(void *ctx, uint32_t leg, uint32_t last_seq);
	// The flow's tuple is free again.
	void (*flow_closed)(void *ctx, uint32_t flow);

	void (*event)(void *ctx, uint32_t flow, enum splice_event event, uint64_t value);
};

struct splice_config {
	uint32_t n_flows;
	uint32_t n_legs;
	uint32_t n_endpoints;
	uint32_t n_half_open;	  // handshakes with state; beyond it SYN cookies
	uint32_t n_small_buffers; // 2 KiB each: heads, edits, replies, chunk framing
	uint32_t n_large_buffers; // 64 KiB each: heads that outgrow a small one
	uint32_t n_held;	  // segments that may wait at once, over all flows
	uint32_t max_idle_legs;	  // per endpoint
	uint8_t cookie_key[16];
	uint64_t now_us;
	const struct splice_io *io;
	void *ctx;
};

// NULL with errno ENOMEM, or EINVAL for a zero where one cannot be.
struct splice *splice_create(const struct splice_config *config);
// Frees everything, held segments through io->drop, without sending. NULL is fine.
void splice_destroy(struct splice *sp);

// The time, in microseconds of a clock that never goes back. Set before segments are given in.
void splice_set_time(struct splice *sp, uint64_t now_us);
// Runs what is due: time-outs, retransmissions, acknowledgements that were put off. At least every 10 ms.
void splice_run_timers(struct splice *sp);

// A SYN to a listener that belongs to no flow. Returns the new flow, for the owner to index under the
// segment's tuple, or SPLICE_NONE: refused, or answered with a cookie. tuple_hash: the same for all
// segments of the connection, keyed by the owner. The answer is sent by splice_flow_begin(), once the
// flow can be found; a cookie goes out through *cookie (flags 0: nothing to send). The segment stays the
// caller's.
uint32_t splice_syn(struct splice *sp, uint32_t listener, uint64_t tuple_hash,
	const struct tcp_segment *seg, struct tcp_out *cookie);
// An ACK to a listener that belongs to no flow: if it returns a cookie of ours, the flow it proves, else
// SPLICE_NONE; *reset is then the answer (flags 0: none). Afterwards splice_flow_begin(), and the segment
// itself is given in by splice_client_segment().
uint32_t splice_cookie_ack(struct splice *sp, uint32_t listener, uint64_t tuple_hash,
	const struct tcp_segment *seg, struct tcp_out *reset);
void splice_flow_begin(struct splice *sp, uint32_t flow);

// Fetches into the cache what a segment from a side will touch: first its own record; then, once that is there,
// the record of the other side, which is returned: a leg, or a flow, or SPLICE_NONE. For owners that have
// many segments at hand.
void splice_prefetch(const struct splice *sp, enum splice_side side, uint32_t idx);
uint32_t splice_prefetch_peer(const struct splice *sp, enum splice_side side, uint32_t idx);

// Likewise what the next request for an endpoint will touch: where its pool begins; then the idle leg there, which
// is returned, or SPLICE_NONE.
void splice_prefetch_pool(const struct splice *sp, uint32_t endpoint);
uint32_t splice_prefetch_idle(const struct splice *sp, uint32_t endpoint);

// A segment from a flow's client, or a leg's endpoint. Takes the segment over.
void splice_client_segment(struct splice *sp, uint32_t flow, struct tcp_segment *seg);
void splice_server_segment(struct splice *sp, uint32_t leg, struct tcp_segment *seg);

// An ICMP error says that segments with more than mss bytes of payload do not reach a side, quoting seq.
// Returns true when the other side's host is to be told, too, and sets *other_side, *other_idx and
// *other_seq (the quoted number as that host knows it); false when the quote is not of this connection's
// window, or what was too big was the node's own and has been cut again.
bool splice_too_big(struct splice *sp, enum splice_side side, uint32_t idx, uint32_t seq,
	uint16_t mss, enum splice_side *other_side, uint32_t *other_idx, uint32_t *other_seq);
// An ICMP error says that the endpoint of a leg cannot be reached; counts only while connecting.
void splice_unreachable(struct splice *sp, uint32_t leg, uint32_t seq);

// No new flows; those that are idle close, the others after their response. For a stop in good order.
void splice_drain(struct splice *sp);

// What a look at a flow shows (pergolactl flows). False: the number is not in use.
struct splice_view {
	const char *phase;
	uint32_t listener;
	uint32_t cluster; // SPLICE_NONE: not bound
	uint32_t route;
	uint32_t virtual_host;
	uint32_t leg;
	uint32_t endpoint;
	uint32_t idle_ms;
	uint64_t n_requests;
};

bool splice_view(const struct splice *sp, uint32_t flow, struct splice_view *view);
// The flow that a leg is bound to, or SPLICE_NONE.
uint32_t splice_leg_flow(const struct splice *sp, uint32_t leg);

// All that phase can be in a view, and NULL behind the last.
const char *splice_phase_name(uint32_t phase);

struct splice_usage {
	uint32_t n_flows; // in use
	uint32_t n_half_open;
	uint32_t n_lingering;
	uint32_t n_legs;
	uint32_t n_idle_legs;
	uint32_t n_small_buffers;
	uint32_t n_large_buffers;
	uint32_t n_held;
	size_t bytes_per_flow; // of a flow and a leg together
};

// All three may be called while another thread uses the splice: each number was right a moment ago.
void splice_usage(const struct splice *sp, struct splice_usage *usage);
// What the same members cannot exceed.
void splice_limits(const struct splice *sp, struct splice_usage *limits);
// By endpoint: requests, tunnels and TCP connections that have a leg to it, or wait for one to connect. Any thread,
// roughly.
const uint32_t *splice_active(const struct splice *sp);
// Idle legs to an endpoint.
uint32_t splice_idle_legs(const struct splice *sp, uint32_t endpoint);
