// SPDX-License-Identifier: Apache-2.0
#pragma once

// The inside of the splice: its records, and what its files call of each other.
//
// A flow is a client's connection. While a request is under way it has a leg, the connection with the
// endpoint. A connection is a struct end, as the node knows its host. A direction is a struct half: what
// the host at its source sends, followed message by message, and how its sequence numbers become the
// other side's.
//
// Source bytes below a half's `base` are the node's business: taken over, or of an exchange that is over.
// From base on they are the hosts', and a byte's number on the other side is its own plus `delta`. A head
// that the node sends from its buffer ends at base + delta there. So one rule translates acknowledgements:
// from base + delta on, minus delta; below, base.
//
// An exchange begins and ends at rest: every byte that either host was sent is acknowledged. There the leg
// can be changed for another, and base and delta are set anew.

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "l7/http1_chunk.h"
#include "l7/http1_reply.h"
#include "l7/splice.h"

enum {
	MAX_HELD = 10,	       // segments of a half that may wait: one initial window (RFC 6928)
	INITIAL_SEGMENTS = 10, // owned segments that go out before the first ACK (RFC 6928)
	DUP_ACKS = 3,	       // RFC 5681 §3.2
	RTO_MS = 300,	       // no round trip is measured: above what hosts put ACKs off by
	SYN_RTO_MS = 1000,     // RFC 6298 §2.1
	MAX_RTO_MS = 30 * 1000,
	MAX_TIMEOUTS = 7, // of one segment while the window is open: 68 s, then the host is gone
	MAX_SYN_TIMEOUTS = 3,	 // of a SYN-ACK: 15 s
	DEAD_LEG_MS = 1000,	 // a pooled leg that does not even acknowledge a head
	CLOSE_MS = 10 * 1000,	 // for the far side's FIN, or its last ACK
	DISCARD_MS = 30 * 1000,	 // reading on behind a reply that ends the connection
	LINGER_MS = 2 * 1000,	 // answering what is late, after both FINs
	CHALLENGE_MS = 500,	 // RFC 5961 §7: a challenge ACK per side and this time
	LOOK_MS = 2 * 1000,	 // how often a bound flow asks whether its endpoint still lives
	HEAD_WINDOW = 16 * 1024, // bytes a client may send before it is bound
	IDLE_WINDOW = 0xffff,	 // bytes offered to the endpoint of an idle leg
	LEG_PERIOD_MS = 1024,	 // how fine a leg knows its age: 16 bits of it are 18 hours
	MIN_MSS = 48,		 // as Linux: no host makes the node send smaller segments
	LEG_WINDOW_SCALE = 7,	 // offered to endpoints: windows up to 8 MiB
};

enum follow {
	FOLLOW_IDLE,	// nothing is expected: a server that speaks unasked is reset
	FOLLOW_HEAD,	// a head begins, or goes on
	FOLLOW_LENGTH,	// body_left bytes
	FOLLOW_CHUNKED, // chunks and trailers
	FOLLOW_OPAQUE,	// anything until the FIN
	FOLLOW_DISCARD, // anything; it is acknowledged and thrown away
	FOLLOW_END,	// the message has ended: what comes waits for the next exchange
};

enum end_flag {
	END_SACK = 1 << 0,
	END_FIN_IN = 1 << 1,  // the host's FIN, at rcv_nxt
	END_FIN_OUT = 1 << 2, // the node's FIN, at snd_nxt - 1
	END_SCALE = 1 << 3,   // windows are scaled
	END_UNASKED = 1 << 4, // the endpoint went on behind its answer: nobody else may use the leg
};

// A host's connection as the node knows it. "Its": the host's numbers. "Ours": numbers of what it is sent.
struct end {
	uint32_t rcv_nxt;	// its: everything below was followed
	uint32_t ack_sent;	// its: the highest acknowledgement it got
	uint32_t snd_una;	// ours: it acknowledged everything below
	uint32_t snd_nxt;	// ours: it was sent everything below
	uint32_t wnd_end;	// ours: it has room below
	uint32_t rto_at;	// ms, while rto_armed
	uint16_t win_sent;	// as on the wire
	uint16_t mss;		// payload that fits a segment to it
	uint16_t challenged;	// period of CHALLENGE_MS in which it got its last challenge ACK
	uint8_t flags;		// enum end_flag
	uint8_t scale_in : 4;	// of windows that it announces
	uint8_t scale_out : 4;	// of windows that it is told
	uint8_t n_dup_acks : 3; // at most DUP_ACKS + 1
	uint8_t n_timeouts : 4;
	uint8_t rto_armed : 1;
};

struct half {
	uint32_t base;	// source numbers
	uint32_t delta; // destination minus source
	uint32_t buf;	// a head that is collected, sent, or kept for a retry; 0: none
	uint32_t kept;	// chunk framing that the far side has not acknowledged; 0: none
	struct tcp_segment *held;
	union {
		uint64_t body_left; // FOLLOW_LENGTH: from rcv_nxt
		struct http1_chunk chunk;
	};
	uint8_t follow; // enum follow
	uint8_t n_held;
	bool owning;	 // of buf, bytes are not sent or not acknowledged yet
	bool collecting; // buf holds a head's beginning
};

enum phase {
	PHASE_FREE,
	PHASE_SYN,     // our SYN-ACK is not acknowledged yet, or not even sent (TCP listeners)
	PHASE_REQUEST, // a request head is awaited or collected
	PHASE_CONNECT, // the leg's handshake
	PHASE_BOUND,
	PHASE_REPLY,   // the node answers
	PHASE_CLOSING, // nothing but FINs is left
	PHASE_LINGER,  // over; answers what is late
};

enum flow_flag {
	FLOW_CLOSE = 1 << 0,	     // the connection ends with this exchange
	FLOW_CLIENT_CLOSES = 1 << 1, // it was the client who said so
	FLOW_TOLD = 1 << 2,	     // a head that passed told the client so
	FLOW_OLD = 1 << 3,	     // HTTP/1.0: the node's own replies end the connection
	FLOW_WEBSOCKET = 1 << 4,     // the request offers one
	FLOW_EDIT_RESPONSE = 1 << 5,
	FLOW_SPOKEN = 1 << 6,	   // the endpoint's first byte of an answer was seen
	FLOW_ANSWERED = 1 << 7,	   // the head of its final response was seen
	FLOW_BODY_PASSED = 1 << 8, // the client was told that bytes behind the head arrived
	FLOW_NO_POOL = 1 << 9,	   // the leg is not for further requests
	FLOW_HALF_OPEN = 1 << 10,
	FLOW_ESTABLISHED = 1 << 11, // the client's handshake is complete
	FLOW_TCP = 1 << 12,
	FLOW_DEADLINE = 1 << 13,    // deadline_ms holds
	FLOW_DRAINING = 1 << 14,    // its endpoint or listener is gone, and that was noted
	FLOW_DRAIN_LIMIT = 1 << 15, // deadline_ms is the drain limit
};

struct timer {
	uint32_t next;
	uint32_t prev; // TIMER_OUT: not in the wheel
	uint32_t at_ms;
};

static const uint32_t TIMER_OUT = UINT32_MAX - 1;

// With its leg 256 bytes, in cache lines of their own.
struct flow {
	struct end client;
	struct timer timer;
	struct half up;	  // request: client to endpoint
	struct half down; // response
	uint32_t leg;	  // in linger: the next flow that lingers
	uint32_t
		last_leg; // that served the request before; in linger: the flow that lingered before
	uint32_t listener;
	uint32_t cluster;
	uint32_t route;
	uint32_t virtual_host;
	uint32_t head_us;     // when the request head was complete
	uint32_t active_ms;   // when either side last sent or acknowledged a byte
	uint32_t deadline_ms; // of the phase, with FLOW_DEADLINE
	uint32_t idle_ms;     // time-out
	uint32_t n_requests;
	uint16_t flags; // enum flow_flag
	uint8_t phase;	// enum phase
	uint8_t method; // enum http1_method
};

_Static_assert(sizeof(struct flow) == 192, "three cache lines");

enum leg_state {
	LEG_FREE,
	LEG_CONNECTING,
	LEG_IDLE, // in the pool
	LEG_BOUND,
	LEG_DEAD,    // bound still, but reset by its endpoint
	LEG_CLOSING, // our FIN is out
};

struct leg {
	struct end server;
	struct timer timer;
	union {
		uint32_t flow;	    // SPLICE_NONE: none
		uint32_t pool_prev; // of an idle leg
	};
	uint32_t pool_next; // idle legs of the endpoint, the last used first; or free legs
	uint32_t endpoint;
	uint16_t since;	       // in this state: in periods of LEG_PERIOD_MS
	uint8_t state : 3;     // enum leg_state
	uint8_t mss_class : 4; // what the endpoint was told fits
	uint8_t reused : 1;    // from the pool
	uint8_t heard : 1;     // it has acknowledged something of this exchange
};

_Static_assert(sizeof(struct leg) == 64, "one cache line");

struct buffer {
	uint32_t next_free;
	uint32_t len; // of data
	uint32_t
		nxt; // ours: what is sent next, while the half owns it; else behind the head's packet
	// Of a request head, for another try:
	uint32_t src_end; // its: behind the head
	uint32_t n_tried;
	uint32_t tried[SPLICE_MAX_TRIES];
	uint32_t connect_ms; // time-out
	uint32_t route_ms;   // time-out; 0: none
	uint64_t content_length;
	uint8_t body; // enum http1_body
	// The client's own bytes, from one segment: it hears that they arrived from the endpoint.
	bool as_sent;
	bool repeated; // the client sent it again, and that was passed on
	uint8_t data[];
};

struct buffer_pool {
	uint8_t *memory;
	uint32_t size; // of one
	uint32_t n;
	uint32_t n_used;
	uint32_t free;
};

struct splice {
	const struct splice_io *io;
	void *ctx;
	struct flow *flows;
	struct leg *legs;
	uint32_t *pools; // by endpoint: first idle leg
	uint32_t *n_pool;
	uint32_t *n_active; // by endpoint: legs that a flow has
	uint32_t *wheel;    // by slot: first timer
	uint64_t now_us;
	uint32_t now_ms;
	uint32_t wheel_ms; // all slots before are empty
	struct buffer_pool small;
	struct buffer_pool large;
	uint64_t secret[2];
	uint32_t n_flows;
	uint32_t n_legs;
	uint32_t n_endpoints;
	uint32_t max_half_open;
	uint32_t max_held;
	uint32_t max_idle_legs;
	uint32_t free_flow;
	uint32_t free_leg;
	uint32_t linger_first;
	uint32_t linger_last;
	uint32_t ack_owed; // leg that was released while a segment is at work
	uint32_t leg_hand; // where the search for an idle leg to give up goes on
	uint32_t n_flows_used;
	uint32_t n_half_open;
	uint32_t n_lingering;
	uint32_t n_legs_used;
	uint32_t n_idle;
	uint32_t n_held;
	bool draining;
	bool cookies; // some were given out, the last at cookie_ms
	uint32_t cookie_ms;
	// Of the segment at work: what goes along with what is sent to one side.
	struct {
		bool duplicate; // a true duplicate ACK
		bool ack[2];	// by side: an ACK is due whatever else is sent
		enum splice_side sack_side;
		uint8_t n_sacks;
		struct tcp_sack sacks[TCP_MAX_SACKS];
	} at_work;
	struct http1_head head;
	uint8_t rules; // of the listener of a request in head
};

static inline uint32_t flow_idx(const struct splice *sp, const struct flow *f)
{
	return (uint32_t)(f - sp->flows);
}

static inline uint32_t leg_idx(const struct splice *sp, const struct leg *leg)
{
	return (uint32_t)(leg - sp->legs);
}

// The flow that a leg connects for or is bound to.
static inline uint32_t leg_flow(const struct leg *leg)
{
	return leg->state == LEG_CONNECTING || leg->state == LEG_BOUND || leg->state == LEG_DEAD
		       ? leg->flow
		       : SPLICE_NONE;
}

static inline bool time_reached(uint32_t now_ms, uint32_t at_ms)
{
	return (int32_t)(now_ms - at_ms) >= 0;
}

static inline enum splice_side other_side(enum splice_side side)
{
	return side == SPLICE_CLIENT ? SPLICE_SERVER : SPLICE_CLIENT;
}

// The leg whose bytes and ACKs are translated, or NULL.
static inline struct leg *bound_leg(const struct splice *sp, const struct flow *f)
{
	return f->phase == PHASE_BOUND ? &sp->legs[f->leg] : NULL;
}

// A side's host; NULL: the flow is not bound.
static inline struct end *side_end(const struct splice *sp, struct flow *f, enum splice_side side)
{
	if (side == SPLICE_CLIENT)
		return &f->client;
	return f->phase == PHASE_BOUND ? &sp->legs[f->leg].server : NULL;
}

// What a side sends, and what it is sent.
static inline struct half *half_from(struct flow *f, enum splice_side side)
{
	return side == SPLICE_CLIENT ? &f->up : &f->down;
}

static inline struct half *half_to(struct flow *f, enum splice_side side)
{
	return side == SPLICE_CLIENT ? &f->down : &f->up;
}

// A destination's number as the source knows it.
static inline uint32_t half_source(const struct half *h, uint32_t number)
{
	return seq_before(number, h->base + h->delta) ? h->base : number - h->delta;
}

// What the host acknowledged of data: our FIN is not counted.
static inline uint32_t end_data_una(const struct end *e)
{
	return (e->flags & END_FIN_OUT) && e->snd_una == e->snd_nxt ? e->snd_una - 1 : e->snd_una;
}

static inline bool end_has_all(const struct end *e)
{
	return e->snd_una == e->snd_nxt;
}

// Both have said all, and the host has it.
static inline bool end_is_over(const struct end *e)
{
	const uint8_t both = END_FIN_IN | END_FIN_OUT;

	return (e->flags & both) == both && end_has_all(e);
}

// RFC 5961 §7: challenge ACKs are limited, so that two hosts out of step do not answer each other for ever. True:
// one may be sent, and counts as sent.
static inline bool end_take_challenge(const struct splice *sp, struct end *e)
{
	// Never 0, so that a new connection may be challenged at once.
	uint16_t period = (uint16_t)(sp->now_ms / CHALLENGE_MS | 1 << 15);

	if (e->challenged == period)
		return false;
	e->challenged = period;
	return true;
}

// No window that was ever announced, or that an old duplicate was sent in, reaches that far (RFC 9293 §3.10.7.4).
static inline bool end_is_far_off(const struct end *e, const struct tcp_segment *seg)
{
	uint32_t most = (uint32_t)UINT16_MAX << e->scale_out;

	return seq_after(tcp_segment_end(seg), e->ack_sent + most) ||
	       seq_before(seg->seq, e->ack_sent - most);
}

static inline void splice_tell(
	struct splice *sp, struct flow *f, enum splice_event event, uint64_t value)
{
	sp->io->event(sp->ctx, flow_idx(sp, f), event, value);
}

// ---- timer.c

int timer_create(struct splice *sp); // -ENOMEM
void timer_destroy(struct splice *sp);
void timer_set(struct splice *sp, struct timer *t, uint32_t at_ms);
void timer_clear(struct splice *sp, struct timer *t);
// Takes a timer that is due out of the wheel and returns it, or NULL: none is due.
struct timer *timer_due(struct splice *sp);

// ---- buffer.c

int buffer_create(struct splice *sp, const struct splice_config *config); // -ENOMEM
void buffer_destroy(struct splice *sp);
// A buffer for at least len bytes; 0: there is none.
uint32_t buffer_take(struct splice *sp, uint32_t len);
void buffer_give(struct splice *sp, uint32_t *buf); // sets it to 0
struct buffer *buffer_at(const struct splice *sp, uint32_t buf);
uint32_t buffer_room(const struct splice *sp, uint32_t buf); // bytes of data that it can hold
// Adds bytes behind those in *buf (0: a new one), in a larger buffer if need be. False: no buffer is free.
bool buffer_append(struct splice *sp, uint32_t *buf, const uint8_t *data, uint32_t len);

// ---- send.c: what goes out

// Sends a segment to a side, with the ACK and the window that it is due now.
void send_segment(struct splice *sp, struct flow *f, enum splice_side side, struct tcp_out *out,
	const uint8_t *data, uint32_t len, struct tcp_segment *carrier);
// Sends an ACK to a side when ACK, window or SACK blocks changed, or one is due anyway; in *carrier, if it
// is not NULL.
void send_ack(
	struct splice *sp, struct flow *f, enum splice_side side, struct tcp_segment **carrier);
void send_challenge(struct splice *sp, struct flow *f, enum splice_side side);
// Sends [(*seg)->seq, to) to the other side. *seg then begins at to, or is NULL: nothing is left.
void send_on(struct splice *sp, struct flow *f, enum splice_side from, struct tcp_segment **seg,
	uint32_t to);
void send_fin(struct splice *sp, struct flow *f, enum splice_side side);
void send_reset(struct splice *sp, struct flow *f, enum splice_side side);
void send_drop(struct splice *sp, struct tcp_segment **seg);

// ---- own.c: bytes that the node owns

// From now on the node sends buf of the half towards side, behind what was sent to it so far.
void own_begin(struct splice *sp, struct flow *f, enum splice_side side);
// Sends of it what the window allows.
void own_send(struct splice *sp, struct flow *f, enum splice_side side);
// The host acknowledged something.
void own_acked(struct splice *sp, struct flow *f, enum splice_side side);
// The leg is sent the request head in the client's own packet; if that gets lost, the node's copy goes.
void own_begin_in_place(struct splice *sp, struct flow *f);
// As before, but the head waited here while the leg connected.
void own_begin_held(struct splice *sp, struct flow *f);
// The host asked for the same byte three times.
void own_resend(struct splice *sp, struct flow *f, enum splice_side side);
void own_rto_arm(struct splice *sp, struct end *e, uint32_t ms);
void own_rto_fire(struct splice *sp, struct flow *f, enum splice_side side);

// ---- follow.c: what comes in

// Follows the data and the FIN of a segment. *seg becomes NULL when it was sent on, held or dropped.
void follow_segment(
	struct splice *sp, struct flow *f, enum splice_side from, struct tcp_segment **seg);
// A FIN that waited for bytes before it is taken when they are there.
void follow_fin(struct splice *sp, struct flow *f, enum splice_side from);
// Follows a segment that waited and can go on now. True: there was one.
bool follow_held(struct splice *sp, struct flow *f, enum splice_side from);
// The far side acknowledged what was sent on out of order: the source's position moves up to it.
void follow_acked(struct splice *sp, struct flow *f, enum splice_side from);
void follow_body(struct half *h, enum http1_body body, uint64_t content_length);

// ---- kept.c: what is kept of what came in

// Keeps a segment until its place is known or its turn comes, or drops it for want of room.
void kept_hold(struct splice *sp, struct flow *f, enum splice_side from, struct tcp_segment **seg);
struct tcp_segment *kept_take(struct splice *sp, struct half *h); // the first that waits
void kept_drop_held(struct splice *sp, struct half *h);
// Keeps a copy of a piece that was read, until the far side has it. False: there is no room.
bool kept_add(struct splice *sp, struct half *h, uint32_t seq, const uint8_t *data, uint32_t len);
void kept_prune(struct splice *sp, struct flow *f, enum splice_side from);
// Makes a retransmission say where the node has read what was read the first time.
void kept_restore(
	const struct splice *sp, struct flow *f, enum splice_side from, struct tcp_segment *seg);

// ---- head.c, request.c, response.c: heads

// Follows a segment that belongs to a head and begins at rcv_nxt or behind, as follow_segment() does. True: go on
// with what is left of it.
bool head_follow(
	struct splice *sp, struct flow *f, enum splice_side from, struct tcp_segment **seg);

// A head is complete: raw[0..sp->head.len), parsed in sp->head. in_segment: all of it lies in the segment at
// work, at the half's position; else it is in the half's buffer, and taken over.
void request_head(struct splice *sp, struct flow *f, const uint8_t *raw, bool in_segment);
// Makes the head what its listener wants; it is in the half's buffer then. False: it was answered.
bool normal_head(struct splice *sp, struct flow *f, const uint8_t **raw, bool *in_segment);
void request_malformed(struct splice *sp, struct flow *f, enum http1_reason reason);
void response_head(struct splice *sp, struct flow *f, const uint8_t *raw, bool in_segment);
// The response's last byte was followed.
void response_ended(struct splice *sp, struct flow *f);

// ---- bind.c: a flow and its leg

// Looks for an endpoint and binds the flow to a leg, or begins one. in_place: the head lies in the segment at
// work and may go on in it, if a leg is at hand.
void bind_request(struct splice *sp, struct flow *f, bool in_place);
// Milliseconds that are left of the route's time-out while the request head is kept; UINT32_MAX: there is none.
uint32_t bind_route_left(const struct splice *sp, const struct flow *f);
// The flow's leg is established: the exchange begins.
void bind_done(struct splice *sp, struct flow *f);
// Whether another endpoint may be tried if this one fails. unheard: it had nothing of the request for certain.
bool bind_may_retry(const struct splice *sp, const struct flow *f, bool unheard);
// The endpoint failed before the final response: tries another, or replies.
void bind_failed(struct splice *sp, struct flow *f, enum splice_why why, bool unheard);

// ---- reply.c

// Answers the request, and closes the connection where HTTP says so. The flow has no leg.
void reply_send(struct splice *sp, struct flow *f, uint16_t status, const char *body,
	uint32_t body_len, enum splice_why why);
// 307. The location is copied.
void reply_redirect(struct splice *sp, struct flow *f, const uint8_t *location, uint32_t len);

// ---- flow.c: a flow's life

// Of a listener and its number. NULL: all are in use.
struct flow *flow_take(struct splice *sp, uint32_t listener, const struct splice_listener *l);
void flow_free(struct splice *sp, struct flow *f);
// A flow that lingers begins anew, under the same tuple.
void flow_restart(struct splice *sp, struct flow *f, const struct splice_listener *l);
// After each event: sends, ends the exchange when it is at rest, goes on with what waited. carrier: the
// segment at work, if it is still there, from that side.
void flow_settle(
	struct splice *sp, struct flow *f, enum splice_side from, struct tcp_segment **carrier);
// Ends the exchange if it is over and at rest. True: it did.
bool flow_rest(struct splice *sp, struct flow *f);
void flow_fin(struct splice *sp, struct flow *f, enum splice_side from);
// The leg is dead. What came from it before and has to wait is still followed.
void flow_endpoint_lost(struct splice *sp, struct flow *f, enum splice_why why, bool unheard);
// Some of what waited was followed: if the leg is dead, and that was the last of it, the flow goes on without.
void flow_followed_held(struct splice *sp, struct flow *f);
// Nothing but FINs is left.
void flow_close(struct splice *sp, struct flow *f);
// Resets the client, and the leg with it.
void flow_reset(struct splice *sp, struct flow *f, enum splice_why why);

// ---- segment.c

// A segment of a flow's client, or of the leg that it is bound to. Takes it over.
void segment_take(
	struct splice *sp, struct flow *f, enum splice_side from, struct tcp_segment *seg);

// ---- timeout.c: what a flow does when nothing comes

void timeout_set(struct flow *f, uint32_t at_ms); // the phase's deadline
void timeout_clear(struct flow *f);
// Sets the flow's timer to the first thing that is due.
void timeout_arm(struct splice *sp, struct flow *f);
void timeout_run(struct splice *sp, struct flow *f);

// ---- leg.c: legs and their pool

// Takes an idle leg to the endpoint that fits the client, or SPLICE_NONE.
uint32_t leg_from_pool(struct splice *sp, const struct flow *f, uint32_t endpoint);
// Opens a leg for f, or SPLICE_NONE: no record or no port is free.
uint32_t leg_open(struct splice *sp, struct flow *f, uint32_t endpoint);
void leg_segment(
	struct splice *sp, struct leg *leg, struct tcp_segment *seg); // of a leg that is not bound
void leg_release(
	struct splice *sp, struct flow *f); // at rest: into the pool if it is fit, else closed
void leg_abort(struct splice *sp, struct flow *f); // resets it; fine without a leg
// Acknowledges the rest of the response to the leg that was released, unless that has been done.
void leg_pay_ack(struct splice *sp);
void leg_free(struct splice *sp, struct leg *leg);
void leg_timer(struct splice *sp, struct leg *leg);
void leg_retire(struct splice *sp, struct leg *leg);  // an idle one
void leg_refused(struct splice *sp, struct leg *leg); // while it was connecting

// ---- syn.c: the client's handshake

void syn_answer(struct splice *sp, struct flow *f); // sends the SYN-ACK
// A segment in PHASE_SYN. True: the handshake is complete, and the segment may be followed.
bool syn_segment(struct splice *sp, struct flow *f, const struct tcp_segment *seg);
// A SYN in linger. True: it begins the connection anew.
bool syn_again(struct splice *sp, struct flow *f, const struct tcp_segment *seg);
