// SPDX-License-Identifier: Apache-2.0
#pragma once

// A host with a TCP of its own, small but right (RFC 9293, 2018, 5681, 5961, 6298, 7323 without
// timestamps), written without a look at the splice. Programs sit on its connections by callbacks.
// Bytes that arrived in order are given to the program at once; they fill the receive window until the
// program says that it has read them. Connections live as long as the world.

#include "tests/sim/sim_net.h"

enum sim_tcp_state {
	SIM_TCP_CLOSED,
	SIM_TCP_SYN_SENT,
	SIM_TCP_SYN_RECEIVED,
	SIM_TCP_ESTABLISHED,
	SIM_TCP_CLOSE_WAIT,
	SIM_TCP_FIN_WAIT_1,
	SIM_TCP_FIN_WAIT_2,
	SIM_TCP_CLOSING,
	SIM_TCP_LAST_ACK,
	SIM_TCP_TIME_WAIT,
};

// What kinds of TCP there are in the world.
struct sim_tcp_options {
	uint16_t mss;  // announced; 0: not
	uint8_t scale; // TCP_NO_WINDOW_SCALE: not offered
	bool sack;
	bool dsack;
	bool nagle;
	bool quick_ack;
	bool probe_with_data; // a zero window is probed with a byte, else with an old number
	uint32_t receive_buffer;
	uint32_t min_rto_us;
	uint32_t time_wait_us;
	uint32_t keepalive_us; // 0: none
};

struct sim_range {
	uint32_t left;
	uint32_t right;
};

enum {
	SIM_TCP_MAX_RANGES = 64,
};

struct sim_ranges {
	uint32_t n;
	struct sim_range at[SIM_TCP_MAX_RANGES]; // sorted, apart
};

struct sim_tcp;

// What a program hears of its connection. After closed() nothing more comes.
struct sim_tcp_program {
	void (*established)(void *ctx);
	void (*data)(void *ctx, const uint8_t *data, uint32_t len);
	void (*eof)(void *ctx);
	void (*closed)(void *ctx, bool reset);
};

struct sim_tcp {
	struct sim_host *host;
	struct sim_tcp *next;
	struct sim_addr local, remote;
	enum sim_tcp_state state;
	struct sim_tcp_options options;
	const struct sim_tcp_program *program; // NULL: nobody; data gets a reset
	void *ctx;

	uint32_t iss, snd_una, snd_nxt, snd_max, snd_wl1, snd_wl2;
	uint32_t snd_wnd, max_wnd;
	uint8_t snd_scale, rcv_scale;
	bool sack, fin_queued, fin_acked;
	uint16_t mss; // of what it sends
	uint8_t *out; // bytes from snd_una on
	uint32_t out_len, out_size;
	struct sim_ranges sacked;

	uint32_t irs, rcv_nxt, rcv_edge; // edge: the right one that was advertised
	uint32_t unread;
	uint8_t *in; // a ring by number, of the receive buffer's size; holds what is out of order
	struct sim_ranges early;
	struct sim_range dsack;
	bool fin_known, fin_seen;
	uint32_t fin_seq; // of the peer's, once known
	uint32_t n_unacked_segs;

	uint32_t cwnd, ssthresh, recover, rexmit_nxt;
	uint8_t n_dupacks, n_backoffs;
	bool recovering;
	bool timing;
	uint32_t timed_seq;
	uint64_t timed_us;
	uint32_t srtt_us, rttvar_us, rto_us;
	uint64_t rto_at, delack_at, persist_at, gone_at, keepalive_at; // 0: not set
	uint64_t wake_at; // the event that is under way
};

struct sim_host {
	struct sim *sim;
	uint16_t number;
	bool listens;
	bool silent; // drops all
	uint16_t next_port;
	struct sim_tcp_options options;
	struct sim_path out, in;
	struct sim_tcp *connections; // not closed ones
	struct sim_tcp *graveyard;
	// A new connection asks who serves it.
	void (*accept)(void *ctx, struct sim_tcp *tcp);
	void *ctx;
};

struct sim_host *sim_host_create(struct sim *sim, uint16_t number);
void sim_host_destroy(struct sim_host *host);
void sim_host_input(struct sim_host *host, const struct sim_seg *seg);
// A segment of ours did not fit.
void sim_host_too_big(struct sim_host *host, const struct sim_seg *quoted, uint16_t mss);
struct sim_tcp *sim_host_find(struct sim_host *host, struct sim_addr local, struct sim_addr remote);
// Forgets all connections without a word to their peers, as a crash does.
void sim_host_crash(struct sim_host *host);

struct sim_tcp *sim_tcp_connect(struct sim_host *host, struct sim_addr remote,
	const struct sim_tcp_program *program, void *ctx);
void sim_tcp_write(struct sim_tcp *tcp, const uint8_t *data, uint32_t len);
// The program has taken len bytes out of the receive buffer.
void sim_tcp_read(struct sim_tcp *tcp, uint32_t len);
void sim_tcp_shutdown(struct sim_tcp *tcp); // no more to write
void sim_tcp_close(struct sim_tcp *tcp); // nobody reads any more; unread bytes turn it into a reset
void sim_tcp_abort(struct sim_tcp *tcp);
