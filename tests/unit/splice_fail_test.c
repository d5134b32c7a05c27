// SPDX-License-Identifier: Apache-2.0

// Endpoints that fail before they answer, in the middle of it, and behind it.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/splice_rig.h"

static const char ANSWER[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
static const char HINTS[] = "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n";

enum {
	ANSWER_LEN = sizeof(ANSWER) - 1,
	HINTS_LEN = sizeof(HINTS) - 1,
};

// A leg is opened; what else is sent is passed over.
static uint32_t accept_next(struct rig *rig)
{
	while (!(rig->sent[rig->n_taken].tcp.flags & TCP_SYN))
		rig->n_taken++;
	return rig_accept(rig);
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
	rig_expect_status(rig, 502);
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
	assert_true(rig_n_sent(rig, SPLICE_CLIENT, TCP_RST) > 0);
	assert_false(rig->flow_open[flow]);
}

// A POST on a leg from the pool, sent but not acknowledged there. Numbers as rig_exchange() left them.
static uint32_t post_on_pooled_leg(struct rig *rig, uint32_t *flow, uint32_t *up, uint32_t *down)
{
	uint32_t leg;

	*up = *down = 0;
	rig_start(rig);
	*flow = rig_open(rig);
	leg = rig_exchange(rig, *flow, up, down);
	rig_client(rig, *flow, &(struct rig_in){.seq = *up, .ack = *down, .text = POST});
	assert_int_equal(rig_take_data(rig, SPLICE_SERVER)->idx, leg);
	rig_forget(rig);
	return leg;
}

// The keep-alive race: the endpoint closed just before the request came.
static void splice_fin_that_acknowledges_nothing_retries_a_post(void **state)
{
	struct rig *rig = *state;
	uint32_t flow, up, down, leg = post_on_pooled_leg(rig, &flow, &up, &down);

	rig_server(rig, leg, &(struct rig_in){.flags = TCP_FIN, .seq = ANSWER_LEN, .ack = GET_LEN});
	assert_int_equal(rig->n_events[SPLICE_RETRY], 1);
	accept_next(rig);
	assert_string_equal(rig_take_data(rig, SPLICE_SERVER)->data, POST);
}

// A host that does not know the connection any more answers so (RFC 9293 §3.5.2).
static void splice_reset_that_acknowledges_nothing_retries_a_post(void **state)
{
	struct rig *rig = *state;
	uint32_t flow, up, down, leg = post_on_pooled_leg(rig, &flow, &up, &down);

	rig_server(rig, leg, &(struct rig_in){.flags = TCP_RST, .seq = down});
	assert_int_equal(rig->n_events[SPLICE_RETRY], 1);
	accept_next(rig);
	assert_string_equal(rig_take_data(rig, SPLICE_SERVER)->data, POST);
	for (uint32_t i = 0; i < rig->n_sent; i++)
		assert_false(rig->sent[i].side == SPLICE_CLIENT && rig->sent[i].len > 0);
}

static void splice_reset_in_answer_to_a_post_and_its_body_retries_it(void **state)
{
	struct rig *rig = *state;
	char text[POST_LEN + 21];
	uint32_t flow, leg, up = 0, down = 0;

	strcpy(text, POST);
	strcat(text, "01234567890123456789");
	rig_start(rig);
	flow = rig_open(rig);
	leg = rig_exchange(rig, flow, &up, &down);
	rig_client(rig, flow, &(struct rig_in){.seq = up, .ack = down, .text = text});
	assert_string_equal(rig_take_data(rig, SPLICE_SERVER)->data, text);
	rig_server(rig, leg, &(struct rig_in){.flags = TCP_RST, .seq = down});
	assert_int_equal(rig->n_events[SPLICE_RETRY], 1);
	accept_next(rig);
	assert_string_equal(rig_take_data(rig, SPLICE_SERVER)->data, POST);
	rig_forget(rig);
	rig_client(rig, flow, &(struct rig_in){.seq = up, .ack = down, .text = text});
	assert_string_equal(rig_take_data(rig, SPLICE_SERVER)->data + POST_LEN, text + POST_LEN);
}

// It may have known it when the head came, lost its memory, and have no answer but that to the body.
static void splice_reset_behind_more_of_a_post_is_502(void **state)
{
	struct rig *rig = *state;
	uint32_t flow, up, down, leg = post_on_pooled_leg(rig, &flow, &up, &down);

	rig_wait(rig, 20);
	rig_client(rig, flow, &(struct rig_in){.seq = up + POST_LEN, .ack = down, .text = "01"});
	rig_server(rig, leg, &(struct rig_in){.flags = TCP_RST, .seq = down});
	assert_int_equal(rig->n_events[SPLICE_RETRY], 0);
	rig_take(rig, SPLICE_SERVER);
	rig_expect_status(rig, 502);
}

static void splice_reset_behind_a_post_the_client_repeated_is_502(void **state)
{
	struct rig *rig = *state;
	uint32_t flow, up, down, leg = post_on_pooled_leg(rig, &flow, &up, &down);

	rig_client(rig, flow, &(struct rig_in){.seq = up, .ack = down, .text = POST});
	assert_string_equal(rig_take_data(rig, SPLICE_SERVER)->data, POST);
	rig_server(rig, leg, &(struct rig_in){.flags = TCP_RST, .seq = down});
	assert_int_equal(rig->n_events[SPLICE_RETRY], 0);
	rig_expect_status(rig, 502);
}

static void splice_reset_behind_a_repeated_post_is_502(void **state)
{
	struct rig *rig = *state;
	uint32_t flow, up, down, leg = post_on_pooled_leg(rig, &flow, &up, &down);

	rig_wait(rig, 500);
	assert_string_equal(rig_take_data(rig, SPLICE_SERVER)->data, POST);
	rig_server(rig, leg, &(struct rig_in){.flags = TCP_RST, .seq = down});
	assert_int_equal(rig->n_events[SPLICE_RETRY], 0);
	rig_expect_status(rig, 502);
}

// One whose program gave up says what it got until then.
static void splice_reset_that_acknowledges_the_head_of_a_post_is_502(void **state)
{
	struct rig *rig = *state;
	uint32_t flow, up, down, leg = post_on_pooled_leg(rig, &flow, &up, &down);

	rig_server(rig, leg,
		&(struct rig_in){.flags = TCP_RST | TCP_ACK, .seq = down, .ack = up + POST_LEN});
	assert_int_equal(rig->n_events[SPLICE_RETRY], 0);
	rig_expect_status(rig, 502);
}

static void splice_reset_with_an_old_ack_retries_a_post(void **state)
{
	struct rig *rig = *state;
	uint32_t flow, up, down, leg = post_on_pooled_leg(rig, &flow, &up, &down);

	rig_server(rig, leg, &(struct rig_in){.flags = TCP_RST | TCP_ACK, .seq = down, .ack = up});
	assert_int_equal(rig->n_events[SPLICE_RETRY], 1);
}

// What must not be sent twice is sent again to the same endpoint, for as long as that makes sense.
static void splice_pooled_leg_silent_for_a_second_keeps_a_post(void **state)
{
	struct rig *rig = *state;
	uint32_t flow, up, down, n = 0, leg = post_on_pooled_leg(rig, &flow, &up, &down);

	rig_wait(rig, 30000);
	for (; rig->n_taken < rig->n_sent; rig->n_taken++) {
		assert_int_equal(rig->sent[rig->n_taken].idx, leg);
		n += strcmp(rig->sent[rig->n_taken].data, POST) == 0;
	}
	assert_in_range(n, 5, 8);
	assert_int_equal(rig->n_events[SPLICE_RETRY], 0);
	rig_server(rig, leg, &(struct rig_in){.seq = down, .ack = up + POST_LEN, .text = ANSWER});
	rig_expect_status(rig, 200);
}

static void splice_pooled_leg_silent_for_ever_ends_a_post(void **state)
{
	struct rig *rig = *state;
	uint32_t flow, up, down;

	rig->listener.idle_timeout_ms = 200000;
	post_on_pooled_leg(rig, &flow, &up, &down);
	rig_wait(rig, 70000);
	assert_int_equal(rig->n_events[SPLICE_RETRY], 0);
	while (rig->sent[rig->n_taken].side == SPLICE_SERVER)
		rig->n_taken++;
	rig_expect_status(rig, 503);
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
	accept_next(rig);
	assert_string_equal(rig_take_data(rig, SPLICE_SERVER)->data, GET);
}

// The client lacks some of the answer when the leg turns out to be out of step: only the endpoint can send it
// again. So the leg is reset afterwards, and the client notices nothing.
static void splice_bytes_behind_the_answer_cost_only_the_leg(void **state)
{
	struct rig *rig = *state;
	uint32_t flow, leg, other;

	rig_start(rig);
	flow = rig_open(rig);
	rig_client(rig, flow, &(struct rig_in){.text = GET});
	leg = rig_accept(rig);
	rig_forget(rig);
	rig_server(rig, leg,
		&(struct rig_in){.ack = GET_LEN,
			.text = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokSMUGGLED"});
	rig_server(rig, leg, &(struct rig_in){.seq = ANSWER_LEN, .ack = GET_LEN, .text = ANSWER});
	assert_string_equal(rig_take_data(rig, SPLICE_CLIENT)->data, ANSWER);
	rig_server(rig, leg, &(struct rig_in){.ack = GET_LEN, .text = ANSWER}); // once more
	assert_string_equal(rig_take_data(rig, SPLICE_CLIENT)->data, ANSWER);
	rig_client(rig, flow, &(struct rig_in){.seq = GET_LEN, .ack = ANSWER_LEN});
	assert_int_equal(rig_n_sent(rig, SPLICE_SERVER, TCP_RST), 1);
	assert_int_equal(rig_n_sent(rig, SPLICE_CLIENT, TCP_FIN | TCP_RST), 0);
	assert_false(rig->leg_open[leg]);
	for (uint32_t i = 0; i < rig->n_sent; i++)
		assert_true(rig->sent[i].side == SPLICE_SERVER || rig->sent[i].seq <= ANSWER_LEN);
	rig_forget(rig);
	rig_client(rig, flow, &(struct rig_in){.seq = GET_LEN, .ack = ANSWER_LEN, .text = GET});
	other = rig_accept(rig);
	assert_string_equal(rig_take_data(rig, SPLICE_SERVER)->data, GET);
	rig_server(rig, other, &(struct rig_in){.ack = GET_LEN, .text = ANSWER});
	assert_int_equal(rig_take_data(rig, SPLICE_CLIENT)->seq, ANSWER_LEN);
}

// The commonest of them.
static void splice_body_of_an_answer_to_head_costs_only_the_leg(void **state)
{
	static const char head[] = "HEAD /x HTTP/1.1\r\nHost: x\r\n\r\n";
	struct rig *rig = *state;
	uint32_t flow, leg, len = sizeof(head) - 1;

	rig_start(rig);
	flow = rig_open(rig);
	rig_client(rig, flow, &(struct rig_in){.text = head});
	leg = rig_accept(rig);
	rig_forget(rig);
	rig_server(rig, leg, &(struct rig_in){.ack = len, .text = ANSWER});
	assert_int_equal(rig_take_data(rig, SPLICE_CLIENT)->len, ANSWER_LEN - 2);
	rig_client(rig, flow, &(struct rig_in){.seq = len, .ack = ANSWER_LEN - 2});
	assert_int_equal(rig_n_sent(rig, SPLICE_SERVER, TCP_RST), 1);
	assert_false(rig->leg_open[leg]);
	assert_int_equal(rig_n_sent(rig, SPLICE_CLIENT, TCP_FIN | TCP_RST), 0);
}

// The leg went to the pool before the endpoint went on: what it says was said before it got the request.
static void splice_answer_before_the_request_came_is_not_its_answer(void **state)
{
	struct rig *rig = *state;
	uint32_t flow, leg, up = 0, down = 0;

	rig_start(rig);
	flow = rig_open(rig);
	leg = rig_exchange(rig, flow, &up, &down);
	rig_client(rig, flow, &(struct rig_in){.seq = up, .ack = down, .text = GET});
	rig_forget(rig);
	rig_server(rig, leg, &(struct rig_in){.seq = down, .ack = up, .text = ANSWER});
	assert_true(rig_take(rig, SPLICE_SERVER)->tcp.flags & TCP_RST);
	assert_int_equal(rig->n_events[SPLICE_RETRY], 1);
	accept_next(rig);
	assert_string_equal(rig_take_data(rig, SPLICE_SERVER)->data, GET);
	for (uint32_t i = 0; i < rig->n_sent; i++) // the client may hear of another window
		assert_true(rig->sent[i].side == SPLICE_SERVER ||
			    (rig->sent[i].len == 0 && rig->sent[i].ack == up));
}

static void splice_answer_before_the_post_came_is_502(void **state)
{
	struct rig *rig = *state;
	uint32_t flow, up, down, leg = post_on_pooled_leg(rig, &flow, &up, &down);

	rig_server(rig, leg, &(struct rig_in){.seq = down, .ack = up, .text = ANSWER});
	assert_true(rig_take(rig, SPLICE_SERVER)->tcp.flags & TCP_RST);
	rig_expect_status(rig, 502);
	assert_int_equal(rig->why, SPLICE_WHY_BAD_RESPONSE);
}

// A flow whose endpoint sent an interim answer, which the client has not acknowledged, text behind it, and then
// a reset.
static uint32_t hold_and_crash(struct rig *rig, const char *text, uint32_t *leg)
{
	uint32_t flow;

	rig_start(rig);
	flow = rig_open(rig);
	rig_client(rig, flow, &(struct rig_in){.text = GET});
	*leg = rig_accept(rig);
	rig_server(rig, *leg, &(struct rig_in){.ack = GET_LEN, .text = HINTS});
	rig_server(rig, *leg, &(struct rig_in){.seq = HINTS_LEN, .ack = GET_LEN, .text = text});
	rig_forget(rig);
	rig_server(rig, *leg, &(struct rig_in){.flags = TCP_RST, .seq = HINTS_LEN});
	assert_true(rig->flow_open[flow]);
	rig_client(rig, flow, &(struct rig_in){.seq = GET_LEN, .ack = HINTS_LEN});
	return flow;
}

static void splice_answer_that_waited_is_delivered_after_a_reset(void **state)
{
	struct rig *rig = *state;
	const struct rig_sent *sent;
	uint32_t leg, flow = hold_and_crash(rig, ANSWER, &leg);

	sent = rig_take_data(rig, SPLICE_CLIENT);
	assert_int_equal(sent->seq, HINTS_LEN);
	assert_memory_equal(sent->data, "HTTP/1.1 200 OK\r\n", 17);
	assert_non_null(strstr(sent->data, "connection: close\r\n"));
	sent = rig_take_data(rig, SPLICE_CLIENT);
	assert_string_equal(sent->data, "ok");
	rig_client(rig, flow, &(struct rig_in){.seq = GET_LEN, .ack = sent->seq + 2});
	assert_int_equal(rig_n_sent(rig, SPLICE_CLIENT, TCP_FIN), 1);
	assert_int_equal(rig_n_sent(rig, SPLICE_CLIENT, TCP_RST), 0);
	assert_false(rig->leg_open[leg]);
}

static void splice_answer_that_waited_and_is_not_whole_ends_in_a_reset(void **state)
{
	struct rig *rig = *state;
	uint32_t leg,
		flow = hold_and_crash(rig, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx", &leg);

	assert_false(rig->flow_open[flow]);
	assert_false(rig->leg_open[leg]);
	assert_int_equal(rig->why, SPLICE_WHY_TRUNCATED);
	assert_true(rig_n_sent(rig, SPLICE_CLIENT, TCP_RST) > 0);
}

static void splice_beginning_of_an_answer_that_waited_is_502(void **state)
{
	struct rig *rig = *state;
	uint32_t leg, flow = hold_and_crash(rig, "HTTP/1.1 200 OK\r\nContent-Le", &leg);

	assert_true(rig->flow_open[flow]);
	assert_false(rig->leg_open[leg]);
	rig_expect_status(rig, 502);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(splice_reset_before_the_answer_retries_what_is_idempotent),
		CASE(splice_reset_before_the_answer_of_a_post_is_502),
		CASE(splice_reset_in_the_answer_resets_the_client),
		CASE(splice_fin_that_acknowledges_nothing_retries_a_post),
		CASE(splice_reset_that_acknowledges_nothing_retries_a_post),
		CASE(splice_reset_in_answer_to_a_post_and_its_body_retries_it),
		CASE(splice_reset_behind_more_of_a_post_is_502),
		CASE(splice_reset_behind_a_post_the_client_repeated_is_502),
		CASE(splice_reset_behind_a_repeated_post_is_502),
		CASE(splice_reset_that_acknowledges_the_head_of_a_post_is_502),
		CASE(splice_reset_with_an_old_ack_retries_a_post),
		CASE(splice_pooled_leg_silent_for_a_second_keeps_a_post),
		CASE(splice_pooled_leg_silent_for_ever_ends_a_post),
		CASE(splice_pooled_leg_silent_for_a_second_is_dead),
		CASE(splice_bytes_behind_the_answer_cost_only_the_leg),
		CASE(splice_body_of_an_answer_to_head_costs_only_the_leg),
		CASE(splice_answer_before_the_request_came_is_not_its_answer),
		CASE(splice_answer_before_the_post_came_is_502),
		CASE(splice_answer_that_waited_is_delivered_after_a_reset),
		CASE(splice_answer_that_waited_and_is_not_whole_ends_in_a_reset),
		CASE(splice_beginning_of_an_answer_that_waited_is_502),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
