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

static const char GET[] = "GET /x HTTP/1.1\r\nHost: x\r\n\r\n";
static const char POST[] = "POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 20\r\n\r\n";
static const char ANSWER[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

enum {
	GET_LEN = sizeof(GET) - 1,
	POST_LEN = sizeof(POST) - 1,
	ANSWER_LEN = sizeof(ANSWER) - 1,
};

static int setup(void **state)
{
	*state = rig_create();
	return 0;
}

static int teardown(void **state)
{
	rig_destroy(*state);
	return 0;
}

static void expect_status(struct rig *rig, uint32_t status)
{
	char start[16];
	const struct rig_sent *sent = rig_take_data(rig, SPLICE_CLIENT);

	snprintf(start, sizeof(start), "HTTP/1.1 %u ", status);
	assert_memory_equal(sent->data, start, strlen(start));
}

static bool sent_to(const struct rig *rig, enum splice_side side, uint8_t flag)
{
	for (uint32_t i = 0; i < rig->n_sent; i++)
		if (rig->sent[i].side == side && (rig->sent[i].tcp.flags & flag))
			return true;
	return false;
}

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
	for (uint32_t i = rig->n_taken; i < rig->n_sent; i++)
		assert_int_equal(rig->sent[i].side, SPLICE_CLIENT); // an ACK at most
	rig->n_taken = 0;
	while (!(rig->sent[rig->n_taken].tcp.flags & TCP_SYN) ||
		rig->sent[rig->n_taken].side == SPLICE_CLIENT)
		rig->n_taken++;
	assert_int_equal(rig_accept(rig), leg);
	assert_string_equal(rig_take_data(rig, SPLICE_SERVER)->data, GET);
	for (; rig->n_taken < rig->n_sent; rig->n_taken++)
		assert_int_equal(rig->sent[rig->n_taken].len, 0);
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

static void ask_and_crash(struct rig *rig, const char *request, uint32_t head_len, bool acked)
{
	uint32_t flow, leg;

	rig_start(rig);
	flow = rig_open(rig);
	rig_client(rig, flow, &(struct rig_in){.text = request});
	leg = rig_accept(rig);
	if (acked)
		rig_server(rig, leg, &(struct rig_in){.ack = head_len});
	rig_forget(rig);
	rig_server(rig, leg, &(struct rig_in){.flags = TCP_RST});
}

static void splice_reset_before_the_answer_retries_what_is_idempotent(void **state)
{
	struct rig *rig = *state;

	ask_and_crash(rig, GET, GET_LEN, true);
	assert_int_equal(rig->n_events[SPLICE_RETRY], 1);
	assert_int_equal(rig->leg_endpoint[rig_accept(rig)], 1);
	assert_string_equal(rig_take_data(rig, SPLICE_SERVER)->data, GET);
}

static void splice_reset_before_the_answer_of_a_post_is_502(void **state)
{
	struct rig *rig = *state;

	ask_and_crash(rig, POST, POST_LEN, true);
	assert_int_equal(rig->n_events[SPLICE_RETRY], 0);
	expect_status(rig, 502);
	assert_int_equal(rig->why, SPLICE_WHY_ENDPOINT_RESET);
}

static void splice_reset_in_the_answer_resets_the_client(void **state)
{
	struct rig *rig = *state;
	uint32_t flow, leg;

	rig_start(rig);
	flow = rig_open(rig);
	rig_client(rig, flow, &(struct rig_in){.text = GET});
	leg = rig_accept(rig);
	rig_server(rig, leg,
		&(struct rig_in){
			.ack = GET_LEN, .text = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx"});
	rig_forget(rig);
	rig_server(rig, leg, &(struct rig_in){.flags = TCP_RST, .seq = 39});
	rig_server(rig, leg,
		&(struct rig_in){.flags = TCP_RST, .seq = 0}); // what was acknowledged so far
	assert_true(sent_to(rig, SPLICE_CLIENT, TCP_RST));
	assert_false(rig->flow_open[flow]);
}

// The keep-alive race: the endpoint closed just before the request came.
static void splice_fin_that_acknowledges_nothing_retries_a_post(void **state)
{
	struct rig *rig = *state;
	uint32_t flow, leg, up = 0, down = 0;

	rig_start(rig);
	flow = rig_open(rig);
	leg = rig_exchange(rig, flow, &up, &down);
	rig_client(rig, flow, &(struct rig_in){.seq = up, .ack = down, .text = POST});
	assert_int_equal(rig_take_data(rig, SPLICE_SERVER)->idx, leg);
	rig_forget(rig);
	rig_server(rig, leg, &(struct rig_in){.flags = TCP_FIN, .seq = ANSWER_LEN, .ack = GET_LEN});
	assert_int_equal(rig->n_events[SPLICE_RETRY], 1);
	while (!(rig->sent[rig->n_taken].tcp.flags & TCP_SYN))
		rig_take(rig, SPLICE_SERVER);
	rig_accept(rig);
	assert_string_equal(rig_take_data(rig, SPLICE_SERVER)->data, POST);
}

static void splice_pooled_leg_silent_for_a_second_is_dead(void **state)
{
	struct rig *rig = *state;
	uint32_t flow, leg, up = 0, down = 0;

	rig_start(rig);
	flow = rig_open(rig);
	leg = rig_exchange(rig, flow, &up, &down);
	rig_client(rig, flow, &(struct rig_in){.seq = up, .ack = down, .text = GET});
	rig_wait(rig, 900);
	assert_int_equal(rig->n_events[SPLICE_RETRY], 0);
	rig_wait(rig, 200);
	assert_int_equal(rig->n_events[SPLICE_RETRY], 1);
	assert_false(rig->leg_open[leg] && rig->leg_endpoint[leg] == 0);
	while (!(rig->sent[rig->n_taken].tcp.flags & TCP_SYN))
		rig_take(rig, SPLICE_SERVER);
	rig_accept(rig);
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
	expect_status(rig, 408);
	assert_int_equal(rig->why, SPLICE_WHY_HEAD_TIMEOUT);
	rig_client(rig, flow, &(struct rig_in){.seq = 9, .ack = rig->sent[0].len});
	assert_true(sent_to(rig, SPLICE_CLIENT, TCP_FIN));
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
	expect_status(rig, 431);
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
	assert_true(sent_to(rig, SPLICE_CLIENT, TCP_FIN));
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
	expect_status(rig, 502);
	assert_int_equal(rig->why, SPLICE_WHY_BAD_RESPONSE);
	assert_true(sent_to(rig, SPLICE_SERVER, TCP_RST));
}

static void splice_no_endpoint_is_503_and_the_connection_goes_on(void **state)
{
	struct rig *rig = *state;
	uint32_t flow;

	rig->n_endpoints = 0;
	rig_start(rig);
	flow = rig_open(rig);
	rig_client(rig, flow, &(struct rig_in){.text = GET});
	expect_status(rig, 503);
	assert_int_equal(rig->why, SPLICE_WHY_NO_ENDPOINT);
	rig->n_endpoints = 1;
	rig_client(rig, flow,
		&(struct rig_in){
			.seq = GET_LEN, .ack = rig->sent[rig->n_sent - 1].len, .text = GET});
	rig_forget(rig);
	assert_true(rig->flow_open[flow]);
	assert_int_equal(rig->n_events[SPLICE_REQUEST], 2);
}

static void splice_no_port_is_503(void **state)
{
	struct rig *rig = *state;
	uint32_t flow;

	rig->ports_out = true;
	rig_start(rig);
	flow = rig_open(rig);
	rig_client(rig, flow, &(struct rig_in){.text = GET});
	expect_status(rig, 503);
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
	expect_status(rig, 504);
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
	assert_true(sent_to(rig, SPLICE_CLIENT, TCP_FIN));
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

static void splice_bytes_behind_the_answer_reset_the_leg(void **state)
{
	struct rig *rig = *state;
	uint32_t flow, leg;

	rig_start(rig);
	flow = rig_open(rig);
	rig_client(rig, flow, &(struct rig_in){.text = GET});
	leg = rig_accept(rig);
	rig_forget(rig);
	rig_server(rig, leg,
		&(struct rig_in){.ack = GET_LEN,
			.text = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokSMUGGLED"});
	for (uint32_t i = 0; i < rig->n_sent; i++)
		assert_null(strstr(rig->sent[i].data, "SMUGGLED"));
	assert_true(sent_to(rig, SPLICE_SERVER, TCP_RST));
	rig_client(rig, flow, &(struct rig_in){.seq = GET_LEN, .ack = ANSWER_LEN + 1});
	assert_false(rig->leg_open[leg]);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(splice_head_repeated_while_connecting_is_absorbed),
		CASE(splice_request_second_goes_in_place_on_the_pooled_leg),
		CASE(splice_request_pipelined_waits_for_the_answers_ack),
		CASE(splice_request_with_the_answers_ack_goes_at_once),
		CASE(splice_reset_before_the_answer_retries_what_is_idempotent),
		CASE(splice_reset_before_the_answer_of_a_post_is_502),
		CASE(splice_reset_in_the_answer_resets_the_client),
		CASE(splice_fin_that_acknowledges_nothing_retries_a_post),
		CASE(splice_pooled_leg_silent_for_a_second_is_dead),
		CASE(splice_head_too_slow_is_408),
		CASE(splice_head_too_large_is_431),
		CASE(splice_head_malformed_is_400_and_the_end),
		CASE(splice_answer_malformed_is_502),
		CASE(splice_no_endpoint_is_503_and_the_connection_goes_on),
		CASE(splice_no_port_is_503),
		CASE(splice_answer_too_late_is_504),
		CASE(splice_answer_before_the_body_ends_the_connection),
		CASE(splice_interim_answers_pass_unedited),
		CASE(splice_bytes_behind_the_answer_reset_the_leg),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
