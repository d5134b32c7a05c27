// SPDX-License-Identifier: Apache-2.0

// Requests, their answers, and what the node says itself.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/splice_rig.h"

static const char ANSWER[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

enum {
	ANSWER_LEN = sizeof(ANSWER) - 1,
};

static void splice_head_repeated_while_connecting_is_absorbed(void **state)
{
	struct rig *rig = *state;
	uint32_t flow, leg;

	rig_start(rig);
	flow = rig_open(rig);
	rig_client(rig, flow, &(struct rig_in){.text = GET});
	rig->n_taken = rig->n_sent - 1;
	leg = rig_take(rig, SPLICE_SERVER)->idx;
	rig_client(rig, flow, &(struct rig_in){.text = GET});
	rig_expect_none(rig);
	rig->n_taken = 0;
	while (!(rig->sent[rig->n_taken].tcp.flags & TCP_SYN) ||
		rig->sent[rig->n_taken].side == SPLICE_CLIENT)
		rig->n_taken++;
	assert_int_equal(rig_accept(rig), leg);
	assert_string_equal(rig_take_data(rig, SPLICE_SERVER)->data, GET);
	for (; rig->n_taken < rig->n_sent; rig->n_taken++)
		assert_int_equal(rig->sent[rig->n_taken].len, 0);
}

// Nothing changes it: the client hears that it arrived from the endpoint, also over a leg that must be opened first.
static void splice_head_unedited_is_acknowledged_by_the_endpoint(void **state)
{
	struct rig *rig = *state;
	uint32_t flow, leg;

	rig_start(rig);
	flow = rig_open(rig);
	rig_client(rig, flow, &(struct rig_in){.text = GET});
	leg = rig_accept(rig);
	assert_string_equal(rig_take_data(rig, SPLICE_SERVER)->data, GET);
	rig_client(rig, flow, &(struct rig_in){.text = GET}); // it goes on in place by now
	assert_string_equal(rig_take_data(rig, SPLICE_SERVER)->data, GET);
	assert_int_equal(rig_n_sent(rig, SPLICE_CLIENT, 0), 1); // the SYN-ACK
	rig_server(rig, leg, &(struct rig_in){.ack = GET_LEN});
	assert_int_equal(rig_take(rig, SPLICE_CLIENT)->ack, GET_LEN);
	rig_expect_none(rig);
}

// What the leg lost is repeated by the node, which holds it, and tells the client so.
static void splice_head_unedited_and_lost_is_repeated(void **state)
{
	struct rig *rig = *state;
	uint32_t flow;

	rig_start(rig);
	flow = rig_open(rig);
	rig_client(rig, flow, &(struct rig_in){.text = GET});
	rig_accept(rig);
	rig_forget(rig);
	rig_wait(rig, 400);
	assert_string_equal(rig_take_data(rig, SPLICE_SERVER)->data, GET);
	rig_forget(rig);
	rig_client(rig, flow, &(struct rig_in){.text = GET});
	assert_int_equal(rig_take(rig, SPLICE_CLIENT)->ack, GET_LEN);
	rig_expect_none(rig);
}

// A new leg whose window is too small for it gets it piece by piece.
static void splice_head_unedited_obeys_the_window_of_a_new_leg(void **state)
{
	struct rig *rig = *state;
	uint32_t flow, leg;

	rig->server_window = 10;
	rig->server_scale = 7; // not of a SYN's window (RFC 7323 §2.2)
	rig_start(rig);
	flow = rig_open(rig);
	rig_client(rig, flow, &(struct rig_in){.text = GET});
	leg = rig_accept(rig);
	assert_int_equal(rig_take(rig, SPLICE_SERVER)->len, 10);
	rig_server(rig, leg, &(struct rig_in){.ack = 10, .window = 1000});
	assert_int_equal(rig_take(rig, SPLICE_CLIENT)->ack, 10);
	rig_client(rig, flow, &(struct rig_in){.seq = 10, .text = GET + 10});
	assert_string_equal(rig_take_data(rig, SPLICE_SERVER)->data, GET + 10);
}

static void splice_head_unedited_is_acknowledged_with_the_refusal(void **state)
{
	struct rig *rig = *state;
	uint32_t flow;

	rig_start(rig);
	flow = rig_open(rig);
	rig_client(rig, flow, &(struct rig_in){.text = GET});
	rig_wait(rig, 12100); // three endpoints
	assert_int_equal(rig_n_sent(rig, SPLICE_CLIENT, 0), 2);
	assert_int_equal(rig->sent[rig->n_sent - 1].ack, GET_LEN);
	assert_memory_equal(rig->sent[rig->n_sent - 1].data, "HTTP/1.1 503 ", 13);
	assert_true(rig->flow_open[flow]);
}

static void splice_request_second_goes_in_place_on_the_pooled_leg(void **state)
{
	struct rig *rig = *state;
	const struct rig_sent *sent;
	uint32_t flow, leg, up = 0, down = 0;

	rig_start(rig);
	flow = rig_open(rig);
	leg = rig_exchange(rig, flow, &up, &down);
	rig_client(rig, flow, &(struct rig_in){.seq = up, .ack = down, .text = GET});
	sent = rig_take(rig, SPLICE_SERVER);
	assert_int_equal(sent->idx, leg);
	assert_true(sent->carried);
	assert_int_equal(sent->seq, GET_LEN);
	assert_string_equal(sent->data, GET);
}

// What the endpoint was promised at the leg's handshake must hold for the client.
static void splice_request_of_a_lesser_client_gets_a_leg_of_its_own(void **state)
{
	struct rig *rig = *state;
	uint32_t flow, up = 0, down = 0;

	rig_start(rig);
	rig_exchange(rig, rig_open(rig), &up, &down);
	rig->client_mss = 600;
	flow = rig_open(rig);
	rig_forget(rig);
	rig_client(rig, flow, &(struct rig_in){.text = GET});
	assert_int_equal(rig_take(rig, SPLICE_SERVER)->tcp.mss, 536);
	rig->client_mss = 1460;
	rig->client_sack = false;
	flow = rig_open(rig);
	rig_forget(rig);
	rig_client(rig, flow, &(struct rig_in){.text = GET});
	assert_int_equal(rig_take(rig, SPLICE_SERVER)->tcp.flags, TCP_SYN);
	assert_false(rig->sent[rig->n_taken - 1].tcp.sack_offered);
	assert_int_equal(splice_idle_legs(rig->splice, rig->leg_endpoint[0]), 1);
}

static void splice_request_pipelined_waits_for_the_answers_ack(void **state)
{
	struct rig *rig = *state;
	uint32_t flow, leg;

	rig_start(rig);
	flow = rig_open(rig);
	rig_client(rig, flow, &(struct rig_in){.text = GET});
	leg = rig_accept(rig);
	rig_client(rig, flow, &(struct rig_in){.seq = GET_LEN, .text = GET});
	rig_server(rig, leg, &(struct rig_in){.ack = GET_LEN, .text = ANSWER});
	assert_int_equal(rig->n_events[SPLICE_REQUEST], 1);
	for (uint32_t i = 0; i < rig->n_sent; i++)
		assert_true(rig->sent[i].side == SPLICE_SERVER || rig->sent[i].ack <= GET_LEN);
	rig_forget(rig);
	rig_client(rig, flow, &(struct rig_in){.seq = 2 * GET_LEN, .ack = ANSWER_LEN});
	assert_int_equal(rig->n_events[SPLICE_REQUEST], 2);
	assert_string_equal(rig_take_data(rig, SPLICE_SERVER)->data, GET);
}

// A delayed ACK that rides on the next head counts.
static void splice_request_with_the_answers_ack_goes_at_once(void **state)
{
	struct rig *rig = *state;
	uint32_t flow, leg;

	rig_start(rig);
	flow = rig_open(rig);
	rig_client(rig, flow, &(struct rig_in){.text = GET});
	leg = rig_accept(rig);
	rig_server(rig, leg, &(struct rig_in){.ack = GET_LEN, .text = ANSWER});
	rig_forget(rig);
	rig_client(rig, flow, &(struct rig_in){.seq = GET_LEN, .ack = ANSWER_LEN, .text = GET});
	assert_string_equal(rig_take_data(rig, SPLICE_SERVER)->data, GET);
}

static void splice_head_too_slow_is_408(void **state)
{
	struct rig *rig = *state;
	uint32_t flow;

	rig_start(rig);
	flow = rig_open(rig);
	rig_client(rig, flow, &(struct rig_in){.text = "GET /x HT"});
	rig_forget(rig);
	rig_wait(rig, 4900);
	rig_expect_none(rig);
	rig_wait(rig, 200);
	rig_expect_status(rig, 408);
	assert_int_equal(rig->why, SPLICE_WHY_HEAD_TIMEOUT);
	rig_client(rig, flow, &(struct rig_in){.seq = 9, .ack = rig->sent[0].len});
	assert_true(rig_n_sent(rig, SPLICE_CLIENT, TCP_FIN) > 0);
}

static void splice_head_too_large_is_431(void **state)
{
	struct rig *rig = *state;
	char line[1401];
	uint32_t flow, seq = 27;

	rig_start(rig);
	flow = rig_open(rig);
	rig_client(rig, flow,
		&(struct rig_in){.text = "GET /x HTTP/1.1\r\nHost: x\r\n"
					 "y"});
	for (uint32_t i = 0; i < 4; i++) {
		memset(line, 'y', 1400);
		line[1400] = 0;
		if (i == 0)
			line[0] = ':';
		rig_client(rig, flow, &(struct rig_in){.seq = seq, .text = line});
		seq += 1400;
	}
	rig_expect_status(rig, 431);
}

static void splice_head_malformed_is_400_and_the_end(void **state)
{
	struct rig *rig = *state;
	const struct rig_sent *sent;
	uint32_t flow;

	rig_start(rig);
	flow = rig_open(rig);
	rig_client(rig, flow, &(struct rig_in){.text = "GET /x HTTP/1.1\r\nHost : x\r\n\r\n"});
	sent = rig_take_data(rig, SPLICE_CLIENT);
	assert_memory_equal(sent->data, "HTTP/1.1 400 ", 13);
	assert_non_null(strstr(sent->data, "connection: close"));
	assert_int_equal(rig->n_events[SPLICE_MALFORMED], 1);
	rig_client(rig, flow, &(struct rig_in){.seq = 30, .ack = sent->len});
	assert_true(rig_n_sent(rig, SPLICE_CLIENT, TCP_FIN) > 0);
}

static void splice_answer_malformed_is_502(void **state)
{
	struct rig *rig = *state;
	uint32_t flow, leg;

	rig_start(rig);
	flow = rig_open(rig);
	rig_client(rig, flow, &(struct rig_in){.text = GET});
	leg = rig_accept(rig);
	rig_forget(rig);
	rig_server(rig, leg,
		&(struct rig_in){
			.ack = GET_LEN, .text = "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"});
	while (rig->sent[rig->n_taken].side == SPLICE_SERVER)
		rig->n_taken++;
	rig_expect_status(rig, 502);
	assert_int_equal(rig->why, SPLICE_WHY_BAD_RESPONSE);
	assert_true(rig_n_sent(rig, SPLICE_SERVER, TCP_RST) > 0);
}

static void splice_no_endpoint_is_503_and_the_connection_goes_on(void **state)
{
	struct rig *rig = *state;
	uint32_t flow;

	rig->n_endpoints = 0;
	rig_start(rig);
	flow = rig_open(rig);
	rig_client(rig, flow, &(struct rig_in){.text = GET});
	rig_expect_status(rig, 503);
	assert_int_equal(rig->why, SPLICE_WHY_NO_ENDPOINT);
	rig->n_endpoints = 1;
	rig_client(rig, flow,
		&(struct rig_in){
			.seq = GET_LEN, .ack = rig->sent[rig->n_sent - 1].len, .text = GET});
	rig_forget(rig);
	assert_true(rig->flow_open[flow]);
	assert_int_equal(rig->n_events[SPLICE_REQUEST], 2);
}

// RFC 9110 §6.6.1.
static void splice_own_reply_says_when_it_was_made(void **state)
{
	struct rig *rig = *state;
	uint32_t flow;

	rig->n_endpoints = 0;
	rig->date = "Sun, 06 Nov 1994 08:49:37 GMT";
	rig_start(rig);
	flow = rig_open(rig);
	rig_client(rig, flow, &(struct rig_in){.text = GET});
	assert_string_equal(rig_take_data(rig, SPLICE_CLIENT)->data,
		"HTTP/1.1 503 Service Unavailable\r\ndate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
		"content-length: 0\r\n\r\n");
}

static void splice_no_port_is_503(void **state)
{
	struct rig *rig = *state;
	uint32_t flow;

	rig->ports_out = true;
	rig_start(rig);
	flow = rig_open(rig);
	rig_client(rig, flow, &(struct rig_in){.text = GET});
	rig_expect_status(rig, 503);
}

static void splice_answer_too_late_is_504(void **state)
{
	struct rig *rig = *state;
	uint32_t flow, leg;

	rig->decision.route_timeout_ms = 2000;
	rig_start(rig);
	flow = rig_open(rig);
	rig_client(rig, flow, &(struct rig_in){.text = GET});
	leg = rig_accept(rig);
	rig_server(rig, leg, &(struct rig_in){.ack = GET_LEN});
	rig_forget(rig);
	rig_wait(rig, 1900);
	rig_expect_none(rig);
	rig_wait(rig, 200);
	while (rig->sent[rig->n_taken].side == SPLICE_SERVER)
		rig->n_taken++;
	rig_expect_status(rig, 504);
}

// The route's time-out runs while the leg is opened, too.
static void splice_endpoint_that_does_not_connect_in_the_routes_time_is_504(void **state)
{
	struct rig *rig = *state;
	uint32_t flow;

	rig->decision.connect_timeout_ms = 5000;
	rig->decision.route_timeout_ms = 700;
	rig_start(rig);
	flow = rig_open(rig);
	rig_client(rig, flow, &(struct rig_in){.text = GET});
	rig_forget(rig);
	rig_wait(rig, 800);
	rig_expect_status(rig, 504);
	assert_int_equal(rig->why, SPLICE_WHY_ROUTE_TIMEOUT);
}

static void splice_answer_before_the_body_ends_the_connection(void **state)
{
	struct rig *rig = *state;
	const struct rig_sent *sent;
	uint32_t flow, leg;

	rig_start(rig);
	flow = rig_open(rig);
	rig_client(rig, flow, &(struct rig_in){.text = POST});
	leg = rig_accept(rig);
	rig_forget(rig);
	rig_server(rig, leg,
		&(struct rig_in){
			.ack = POST_LEN, .text = "HTTP/1.1 413 No\r\nContent-Length: 0\r\n\r\n"});
	sent = rig_take_data(rig, SPLICE_CLIENT);
	assert_memory_equal(sent->data, "HTTP/1.1 413 ", 13);
	assert_non_null(strstr(sent->data, "lose\r\n"));
	rig_client(rig, flow, &(struct rig_in){.seq = POST_LEN, .ack = sent->len});
	assert_true(rig_n_sent(rig, SPLICE_CLIENT, TCP_FIN) > 0);
	assert_false(rig->leg_open[leg]);
}

static void splice_interim_answers_pass_unedited(void **state)
{
	static const char hints[] = "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n";
	struct rig *rig = *state;
	const struct rig_sent *sent;
	uint32_t flow, leg, len = sizeof(hints) - 1;

	rig->decision.edit_response = true;
	rig_start(rig);
	flow = rig_open(rig);
	rig_client(rig, flow, &(struct rig_in){.text = GET});
	leg = rig_accept(rig);
	rig_forget(rig);
	rig_server(rig, leg, &(struct rig_in){.ack = GET_LEN, .text = hints});
	assert_string_equal(rig_take_data(rig, SPLICE_CLIENT)->data, hints);
	rig_client(rig, flow, &(struct rig_in){.seq = GET_LEN, .ack = len});
	rig_server(rig, leg, &(struct rig_in){.seq = len, .ack = GET_LEN, .text = ANSWER});
	while (rig->sent[rig->n_taken].side == SPLICE_SERVER)
		rig->n_taken++;
	sent = rig_take_data(rig, SPLICE_CLIENT);
	assert_memory_equal(sent->data, "HTTP/1.1 200 OK\r\n", 17);
	assert_non_null(strstr(sent->data, "x-request-id: r\r\n"));
	assert_int_equal(sent->seq, len);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(splice_head_repeated_while_connecting_is_absorbed),
		CASE(splice_head_unedited_is_acknowledged_by_the_endpoint),
		CASE(splice_head_unedited_and_lost_is_repeated),
		CASE(splice_head_unedited_obeys_the_window_of_a_new_leg),
		CASE(splice_head_unedited_is_acknowledged_with_the_refusal),
		CASE(splice_request_second_goes_in_place_on_the_pooled_leg),
		CASE(splice_request_of_a_lesser_client_gets_a_leg_of_its_own),
		CASE(splice_request_pipelined_waits_for_the_answers_ack),
		CASE(splice_request_with_the_answers_ack_goes_at_once),
		CASE(splice_head_too_slow_is_408),
		CASE(splice_head_too_large_is_431),
		CASE(splice_head_malformed_is_400_and_the_end),
		CASE(splice_answer_malformed_is_502),
		CASE(splice_no_endpoint_is_503_and_the_connection_goes_on),
		CASE(splice_own_reply_says_when_it_was_made),
		CASE(splice_no_port_is_503),
		CASE(splice_answer_too_late_is_504),
		CASE(splice_endpoint_that_does_not_connect_in_the_routes_time_is_504),
		CASE(splice_answer_before_the_body_ends_the_connection),
		CASE(splice_interim_answers_pass_unedited),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
