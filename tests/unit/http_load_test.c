// SPDX-License-Identifier: Apache-2.0

// The load of http_bench, its clients and servers joined without a node: a wire that gives each client's
// connection an address towards the servers. What a node could do wrong must be noticed.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "perf/http_load.h"

enum {
	N_FLOWS = 100,
	N_SERVICES = 7,
	N_TURNS = 1000,
};

enum fault {
	FAULT_NONE,
	FAULT_CHECKSUM, // a flipped bit
	FAULT_LOSS,
	FAULT_ENDPOINT, // a request reaches a server of another service
	FAULT_SWAP,	// two responses change places
	FAULT_EDIT,	// a byte of the head, with the right checksum
};

struct wire {
	struct http_load *load;
	struct http_packet_link links[HTTP_LOAD_N_SIDES];
	enum fault fault;
	unsigned int n_until_fault; // segments with data
	struct http_packet kept;    // FAULT_SWAP
	uint8_t kept_data[2048];
	uint64_t now_us;
};

static bool is_due(struct wire *w, const struct http_packet *p)
{
	return p->len > 0 && w->n_until_fault > 0 && --w->n_until_fault == 0;
}

// The number of the flow whose packet it is.
static uint32_t flow_of(const struct http_packet *p, enum http_load_side from)
{
	if (from == HTTP_LOAD_CLIENTS)
		return (p->src - HTTP_LOAD_CLIENT_NET - 1) << 15 | (p->src_port & 0x7fff);
	return (p->dst - HTTP_LOAD_SOURCE_NET) << 16 | p->dst_port;
}

static void translate(struct http_packet *p, enum http_load_side from, uint32_t flow)
{
	if (from == HTTP_LOAD_CLIENTS) {
		p->src = HTTP_LOAD_SOURCE_NET + (flow >> 16);
		p->src_port = (uint16_t)flow;
		p->dst = HTTP_LOAD_SERVER_NET + flow % N_SERVICES * HTTP_LOAD_ENDPOINTS + flow % 4;
		return;
	}
	p->src = HTTP_LOAD_VIP;
	p->dst = HTTP_LOAD_CLIENT_NET + 1 + (flow >> 15);
	p->dst_port = (uint16_t)(0x8000 | (flow & 0x7fff));
}

static void deliver(struct wire *w, struct http_packet *p, enum http_load_side from)
{
	enum http_load_side to = from == HTTP_LOAD_CLIENTS ? HTTP_LOAD_SERVERS : HTTP_LOAD_CLIENTS;
	uint8_t frame[4096], data[2048];
	uint32_t len;

	memcpy(data, p->data, p->len);
	if (w->fault == FAULT_EDIT && is_due(w, p))
		data[p->len / 2] ^= 1;
	memcpy(frame + http_packet_headers_len(&w->links[from], p), data, p->len);
	len = http_packet_write(frame, &w->links[from], p, 0);
	if (w->fault == FAULT_CHECKSUM && is_due(w, p))
		frame[len - 1] ^= 1;
	http_load_take(w->load, to, frame, len);
}

// Payloads of two responses of the same length change places.
static bool swap(struct wire *w, struct http_packet *p)
{
	struct http_packet first = w->kept;

	if (w->fault != FAULT_SWAP || p->len == 0 || w->n_until_fault == 0)
		return false;
	if (w->kept.len == 0) {
		w->kept = *p;
		memcpy(w->kept_data, p->data, p->len);
		return true;
	}
	w->n_until_fault = 0;
	w->kept.data = p->data;
	deliver(w, &w->kept, HTTP_LOAD_SERVERS);
	p->data = w->kept_data;
	p->len = first.len;
	deliver(w, p, HTTP_LOAD_SERVERS);
	return true;
}

static void carry(struct wire *w, enum http_load_side from, const uint8_t *frame, uint32_t len)
{
	struct http_packet p;
	uint32_t flow;

	assert_true(http_packet_read(frame, len, &p));
	if (w->fault == FAULT_LOSS && is_due(w, &p))
		return;
	flow = flow_of(&p, from);
	translate(&p, from, flow);
	if (w->fault == FAULT_ENDPOINT && from == HTTP_LOAD_CLIENTS && flow == 3)
		p.dst += HTTP_LOAD_ENDPOINTS;
	if (w->fault == FAULT_ENDPOINT && from == HTTP_LOAD_SERVERS && flow == 3)
		p.dst = HTTP_LOAD_CLIENT_NET + 1;
	if (from != HTTP_LOAD_SERVERS || !swap(w, &p))
		deliver(w, &p, from);
}

static void run(struct wire *w, enum http_load_phase phase, unsigned int n_turns)
{
	http_load_set_phase(w->load, phase);
	for (unsigned int i = 0; i < n_turns; i++)
		for (int side = 0; side < HTTP_LOAD_N_SIDES; side++) {
			uint8_t frame[HTTP_LOAD_MAX_FRAME];
			uint32_t len, spread;

			w->now_us += 1000;
			http_load_set_time(w->load, w->now_us);
			for (int n = 0; n < 64; n++) {
				len = http_load_next(
					w->load, (enum http_load_side)side, frame, &spread);
				if (len == 0)
					break;
				assert_true(len <= sizeof(frame));
				carry(w, (enum http_load_side)side, frame, len);
			}
		}
}

static unsigned int n_asked;

static bool may_serve_before_five(void *ctx, uint32_t service, uint32_t endpoint, uint64_t epoch)
{
	++*(unsigned int *)ctx;
	assert_true(service < N_SERVICES && endpoint < HTTP_LOAD_ENDPOINTS);
	return epoch < 5;
}

static struct wire make_wire(enum http_load_kind kind, bool srv6, enum fault fault)
{
	struct http_load_config config = {.kind = kind,
		.n_flows = N_FLOWS,
		.n_services = N_SERVICES,
		.n_sources = 32,
		.may_serve_fn = may_serve_before_five,
		.ctx = &n_asked};
	struct wire w = {.fault = fault, .n_until_fault = 50};

	config.links[0].srv6 = config.links[1].srv6 = srv6;
	w.links[0] = config.links[0];
	w.links[1] = config.links[1];
	w.load = http_load_create(&config);
	assert_non_null(w.load);
	return w;
}

static uint64_t count_faults(const struct http_load_counts *n)
{
	return n->n_malformed + n->n_disorder + n->n_wrong + n->n_reset;
}

static void check_clean(enum http_load_kind kind, bool srv6)
{
	struct wire w = make_wire(kind, srv6, FAULT_NONE);
	const struct http_load_counts *n = http_load_counts(w.load);

	run(&w, HTTP_LOAD_OPEN, 20);
	assert_true(http_load_is_settled(w.load));
	assert_int_equal(n->n_opened, N_FLOWS);
	run(&w, HTTP_LOAD_RUN, N_TURNS);
	run(&w, HTTP_LOAD_DRAIN, 20 * N_TURNS);
	assert_true(http_load_is_settled(w.load));
	assert_true(n->n_requests > 10);
	assert_int_equal(n->n_requests, n->n_served);
	assert_int_equal(n->n_requests, n->n_responses);
	assert_int_equal(n->n_repeated, 0);
	assert_int_equal(count_faults(n), 0);
	http_load_destroy(w.load);
}

static void http_load_keepalive_every_request_is_answered(void **state)
{
	(void)state;
	check_clean(HTTP_LOAD_KEEPALIVE, false);
	check_clean(HTTP_LOAD_KEEPALIVE, true);
}

static void http_load_bulk_long_bodies_arrive_whole(void **state)
{
	(void)state;
	check_clean(HTTP_LOAD_BULK, true);
}

static uint64_t run_faulty(enum fault fault)
{
	struct wire w = make_wire(HTTP_LOAD_KEEPALIVE, true, fault);
	uint64_t n;

	run(&w, HTTP_LOAD_OPEN, 20);
	run(&w, HTTP_LOAD_RUN, 100);
	run(&w, HTTP_LOAD_DRAIN, N_TURNS);
	n = count_faults(http_load_counts(w.load));
	if (fault == FAULT_LOSS) // one request or response never arrives
		n = !http_load_is_settled(w.load);
	http_load_destroy(w.load);
	return n;
}

static void http_load_faulty_node_is_noticed(void **state)
{
	(void)state;
	assert_int_equal(run_faulty(FAULT_NONE), 0);
	assert_int_equal(run_faulty(FAULT_CHECKSUM), 1);
	assert_int_equal(run_faulty(FAULT_LOSS), 1);
	assert_true(run_faulty(FAULT_ENDPOINT) > 0);
	assert_true(run_faulty(FAULT_SWAP) >= 2);
	assert_true(run_faulty(FAULT_EDIT) > 0);
}

// An unedited head is not what servers look for where edits are expected.
static void http_load_missing_edit_is_noticed(void **state)
{
	struct wire w = make_wire(HTTP_LOAD_KEEPALIVE_EDIT, false, FAULT_NONE);
	const struct http_load_counts *n = http_load_counts(w.load);

	(void)state;
	run(&w, HTTP_LOAD_OPEN, 20);
	run(&w, HTTP_LOAD_RUN, 10);
	assert_true(n->n_served > 0);
	assert_int_equal(n->n_wrong, n->n_served);
	http_load_destroy(w.load);
}

// Which endpoint may answer depends on when the request was sent.
static void http_load_answer_by_the_wrong_endpoint_is_noticed(void **state)
{
	struct wire w = make_wire(HTTP_LOAD_KEEPALIVE, false, FAULT_NONE);
	const struct http_load_counts *n = http_load_counts(w.load);
	uint64_t n_right;

	(void)state;
	run(&w, HTTP_LOAD_OPEN, 20);
	http_load_set_epoch(w.load, 4);
	run(&w, HTTP_LOAD_RUN, 10);
	run(&w, HTTP_LOAD_DRAIN, N_TURNS);
	n_right = n->n_served;
	assert_in_range(n_right, 1, n_asked);
	assert_int_equal(n->n_wrong, 0);
	http_load_set_epoch(w.load, 5);
	run(&w, HTTP_LOAD_RUN, 10);
	assert_true(n->n_wrong > 0);
	assert_int_equal(n->n_wrong, n->n_served - n_right);
	http_load_destroy(w.load);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(http_load_keepalive_every_request_is_answered),
		cmocka_unit_test(http_load_bulk_long_bodies_arrive_whole),
		cmocka_unit_test(http_load_faulty_node_is_noticed),
		cmocka_unit_test(http_load_missing_edit_is_noticed),
		cmocka_unit_test(http_load_answer_by_the_wrong_endpoint_is_noticed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
