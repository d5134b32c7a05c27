// SPDX-License-Identifier: Apache-2.0

// Bytes, numbers and windows between two hosts.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/splice_rig.h"

static const char ANSWER[] = "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n";

enum {
	ANSWER_LEN = sizeof(ANSWER) - 1,
};

// A flow whose request is at the endpoint, and acknowledged there and to the client.
static uint32_t ask(struct rig *rig, uint32_t flow, const char *request, uint32_t head_len)
{
	uint32_t leg;

	rig_client(rig, flow, &(struct rig_in){.text = request});
	leg = rig_accept(rig);
	rig_server(rig, leg, &(struct rig_in){.ack = head_len});
	rig_forget(rig);
	return leg;
}

static void splice_head_edited_shifts_numbers_both_ways(void **state)
{
	struct rig *rig = *state;
	const struct rig_sent *sent;
	uint32_t flow, leg, up;

	rig->decision.edit_request = true;
	rig->decision.request_edits.forwarded_for = "192.0.2.1";
	rig_start(rig);
	flow = rig_open(rig);
	rig_client(rig, flow, &(struct rig_in){.text = POST});
	leg = rig_accept(rig);
	sent = rig_take_data(rig, SPLICE_SERVER);
	assert_non_null(strstr(sent->data, "x-forwarded-for: 192.0.2.1\r\n"));
	up = sent->len;
	rig_forget(rig);
	rig_client(rig, flow, &(struct rig_in){.seq = POST_LEN, .text = "0123456789"});
	sent = rig_take(rig, SPLICE_SERVER);
	assert_int_equal(sent->seq, up);
	assert_string_equal(sent->data, "0123456789");
	rig_forget(rig);
	// Inside the edit an ACK says nothing of the body; behind it, what it says of it.
	rig_server(rig, leg, &(struct rig_in){.ack = up - 1});
	rig_server(rig, leg, &(struct rig_in){.ack = up + 4});
	assert_int_equal(rig->sent[rig->n_sent - 1].side, SPLICE_CLIENT);
	assert_int_equal(rig->sent[rig->n_sent - 1].ack, POST_LEN + 4);
}

// Law 1.
static void splice_body_is_acknowledged_when_the_endpoint_has_it(void **state)
{
	struct rig *rig = *state;
	uint32_t flow, leg;

	rig_start(rig);
	flow = rig_open(rig);
	leg = ask(rig, flow, POST, POST_LEN);
	rig_client(rig, flow, &(struct rig_in){.seq = POST_LEN, .text = "0123456789"});
	assert_int_equal(rig_take(rig, SPLICE_SERVER)->len, 10);
	rig_expect_none(rig);
	rig_wait(rig, 5000);
	rig_expect_none(rig);
	rig_server(rig, leg, &(struct rig_in){.ack = POST_LEN + 10});
	assert_int_equal(rig_take(rig, SPLICE_CLIENT)->ack, POST_LEN + 10);
}

// Law 2: out of order, what lies wholly in the body goes on; what may be a head waits.
static void splice_early_segment_in_the_body_goes_on_behind_it_waits(void **state)
{
	struct rig *rig = *state;
	const struct rig_sent *sent;
	uint32_t flow;

	rig_start(rig);
	flow = rig_open(rig);
	ask(rig, flow, POST, POST_LEN);
	rig_client(rig, flow, &(struct rig_in){.seq = POST_LEN + 10, .text = "9876543210"});
	sent = rig_take(rig, SPLICE_SERVER);
	assert_int_equal(sent->seq, POST_LEN + 10);
	assert_true(sent->carried);
	rig_client(rig, flow, &(struct rig_in){.seq = POST_LEN + 20, .text = GET});
	for (; rig->n_taken < rig->n_sent; rig->n_taken++)
		assert_int_equal(rig->sent[rig->n_taken].len, 0);
	assert_int_equal(rig->n_live, 1);
}

// Law 3.
static void splice_head_repeated_with_other_bytes_is_rewritten(void **state)
{
	static const char other[] = "GET /y HTTP/1.1\r\nHost: y\r\n\r\n";
	struct rig *rig = *state;
	const struct rig_sent *sent;
	uint32_t flow, up = 0, down = 0;

	rig_start(rig);
	flow = rig_open(rig);
	rig_exchange(rig, flow, &up, &down); // so that the next head goes in place
	rig_client(rig, flow, &(struct rig_in){.seq = up, .ack = down, .text = GET});
	assert_true(rig_take(rig, SPLICE_SERVER)->carried);
	rig_forget(rig);
	rig_client(rig, flow, &(struct rig_in){.seq = up, .ack = down, .text = other});
	sent = rig_take(rig, SPLICE_SERVER);
	assert_string_equal(sent->data, GET);
	assert_true(sent->rewritten);
}

static void splice_response_head_repeated_with_other_bytes_is_rewritten(void **state)
{
	static const char other[] = "HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\n";
	struct rig *rig = *state;
	const struct rig_sent *sent;
	uint32_t flow, leg;

	rig_start(rig);
	flow = rig_open(rig);
	leg = ask(rig, flow, GET, GET_LEN);
	rig_server(rig, leg, &(struct rig_in){.ack = GET_LEN, .text = ANSWER});
	rig_forget(rig);
	rig_server(rig, leg, &(struct rig_in){.ack = GET_LEN, .text = other});
	sent = rig_take(rig, SPLICE_CLIENT);
	assert_string_equal(sent->data, ANSWER);
}

static void splice_chunk_size_repeated_with_other_bytes_is_rewritten(void **state)
{
	static const char head[] =
		"POST /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
	struct rig *rig = *state;
	uint32_t flow, len = sizeof(head) - 1;

	rig_start(rig);
	flow = rig_open(rig);
	ask(rig, flow, head, len);
	rig_client(rig, flow, &(struct rig_in){.seq = len, .text = "4\r\nabcd\r\n"});
	assert_string_equal(rig_take(rig, SPLICE_SERVER)->data, "4\r\nabcd\r\n");
	rig_forget(rig);
	rig_client(rig, flow, &(struct rig_in){.seq = len, .text = "9\r\nabcd\r\n"});
	assert_memory_equal(rig_take_data(rig, SPLICE_SERVER)->data, "4\r\n", 3);
}

static void splice_window_is_rescaled_and_zero_only_for_zero(void **state)
{
	struct rig *rig = *state;
	uint32_t flow, leg;

	rig->client_scale = 2;
	rig->server_scale = 7;
	rig_start(rig);
	flow = rig_open(rig);
	rig_client(rig, flow, &(struct rig_in){.text = POST});
	leg = rig_accept(rig);
	rig_forget(rig);
	rig_server(rig, leg, &(struct rig_in){.ack = POST_LEN, .window = 100}); // 12800 bytes
	assert_int_equal(rig_take(rig, SPLICE_CLIENT)->tcp.window, 12800 >> 5);
	rig_client(rig, flow, &(struct rig_in){.seq = POST_LEN, .window = 3}); // 12 bytes
	assert_int_equal(rig_take(rig, SPLICE_SERVER)->tcp.window, 1);
	rig_client(rig, flow, &(struct rig_in){.seq = POST_LEN, .shut = true});
	assert_int_equal(rig_take(rig, SPLICE_SERVER)->tcp.window, 0);
	rig_client(rig, flow, &(struct rig_in){.seq = POST_LEN, .window = 65535}); // 256 KiB
	assert_int_equal(rig_take(rig, SPLICE_SERVER)->tcp.window, 65535 * 4 >> 7);
}

// RFC 7323 §2.3: more than 14 means 14.
static void splice_window_scale_too_large_counts_as_14(void **state)
{
	struct rig *rig = *state;
	uint32_t flow, leg;

	rig->server_scale = 15;
	rig_start(rig);
	flow = rig_open(rig);
	rig_client(rig, flow, &(struct rig_in){.text = POST});
	leg = rig_accept(rig);
	rig_forget(rig);
	rig_server(rig, leg, &(struct rig_in){.ack = POST_LEN, .window = 1});
	assert_int_equal(rig_take(rig, SPLICE_CLIENT)->tcp.window, 16384 >> 5);
}

static void splice_ack_that_says_nothing_new_stays(void **state)
{
	struct rig *rig = *state;
	uint32_t flow, leg;

	rig_start(rig);
	flow = rig_open(rig);
	leg = ask(rig, flow, GET, GET_LEN);
	rig_server(rig, leg, &(struct rig_in){.ack = GET_LEN});
	rig_client(rig, flow, &(struct rig_in){.seq = GET_LEN});
	rig_forget(rig);
	rig_server(rig, leg, &(struct rig_in){.ack = GET_LEN});
	rig_client(rig, flow, &(struct rig_in){.seq = GET_LEN});
	rig_expect_none(rig);
}

static void splice_duplicate_ack_for_a_hole_goes_on_each_time(void **state)
{
	struct rig *rig = *state;
	const struct rig_sent *sent;
	uint32_t flow, leg;

	rig_start(rig);
	flow = rig_open(rig);
	leg = ask(rig, flow, POST, POST_LEN);
	rig_client(rig, flow, &(struct rig_in){.seq = POST_LEN + 5, .text = "01234"});
	rig_forget(rig);
	for (uint32_t i = 0; i < 3; i++) {
		rig_server(rig, leg,
			&(struct rig_in){.ack = POST_LEN,
				.n_sacks = 1,
				.sacks = {{.left = POST_LEN + 5, .right = POST_LEN + 10}}});
		sent = rig_take(rig, SPLICE_CLIENT);
		assert_int_equal(sent->ack, POST_LEN);
		assert_int_equal(sent->tcp.n_sacks, 1);
		assert_int_equal(sent->tcp.sacks[0].left, RIG_CLIENT_ISS + 1 + POST_LEN + 5);
		assert_int_equal(sent->tcp.sacks[0].right, RIG_CLIENT_ISS + 1 + POST_LEN + 10);
		rig_expect_none(rig);
	}
}

static void splice_sack_goes_only_to_who_asked_for_it(void **state)
{
	struct rig *rig = *state;
	uint32_t flow, leg;

	rig->client_sack = false;
	rig_start(rig);
	flow = rig_open(rig);
	leg = ask(rig, flow, POST, POST_LEN);
	rig_client(rig, flow, &(struct rig_in){.seq = POST_LEN + 5, .text = "01234"});
	rig_forget(rig);
	rig_server(rig, leg,
		&(struct rig_in){.ack = POST_LEN,
			.n_sacks = 1,
			.sacks = {{.left = POST_LEN + 5, .right = POST_LEN + 10}}});
	assert_int_equal(rig_take(rig, SPLICE_CLIENT)->tcp.n_sacks, 0);
}

static void splice_segment_above_the_endpoints_mss_is_cut(void **state)
{
	struct rig *rig = *state;
	static const char head[] = "POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 2000\r\n\r\n";
	char body[1001];
	enum splice_side side;
	uint32_t flow, leg, len = sizeof(head) - 1, n = 0, idx, seq;

	rig_start(rig);
	flow = rig_open(rig);
	leg = ask(rig, flow, head, len);
	memset(body, 'b', sizeof(body) - 1);
	body[1000] = 0;
	rig_client(rig, flow, &(struct rig_in){.seq = len, .text = body});
	rig_forget(rig);
	// From now on its path takes 300 bytes; the client is told with its own number.
	assert_true(splice_too_big(
		rig->splice, SPLICE_SERVER, leg, rig->leg_base[leg] + len, 300, &side, &idx, &seq));
	assert_int_equal(side, SPLICE_CLIENT);
	assert_int_equal(idx, flow);
	assert_int_equal(seq, RIG_CLIENT_ISS + 1 + len);
	rig_client(rig, flow, &(struct rig_in){.seq = len, .text = body});
	for (; rig->n_taken < rig->n_sent; rig->n_taken++) {
		assert_in_range(rig->sent[rig->n_taken].len, 0, 300);
		n += rig->sent[rig->n_taken].len;
	}
	assert_int_equal(n, 1000);
	// A number out of window is nobody's.
	assert_false(splice_too_big(rig->splice, SPLICE_SERVER, leg,
		rig->leg_base[leg] + len + 5000, 300, &side, &idx, &seq));
}

// Owned bytes: ten segments at first, then what ACKs let go; after a time-out, again from the hole.
static void splice_owned_bytes_are_clocked_and_repeated(void **state)
{
	struct rig *rig = *state;
	char body[2001];
	uint32_t flow, n = 0;

	memset(body, 'o', sizeof(body) - 1);
	rig->client_mss = 100;
	rig->decision = (struct splice_decision){
		.action = SPLICE_REPLY, .status = 200, .body = body, .body_len = 2000};
	rig_start(rig);
	flow = rig_open(rig);
	rig_client(rig, flow, &(struct rig_in){.text = GET});
	for (; n < 10; n++)
		assert_int_equal(rig_take_data(rig, SPLICE_CLIENT)->seq, n * 100);
	rig_expect_none(rig);
	rig_client(rig, flow, &(struct rig_in){.seq = GET_LEN, .ack = 200});
	for (; n < 14; n++)
		assert_int_equal(rig_take_data(rig, SPLICE_CLIENT)->seq, n * 100);
	rig_expect_none(rig);
	rig_forget(rig);
	rig_wait(rig, 1000);
	assert_int_equal(rig_take(rig, SPLICE_CLIENT)->seq, 200);
	// A SACK frees nothing: the bytes are repeated all the same.
	rig_client(rig, flow,
		&(struct rig_in){.seq = GET_LEN,
			.ack = 200,
			.n_sacks = 1,
			.sacks = {{.left = 300, .right = 1400}}});
	rig_client(rig, flow, &(struct rig_in){.seq = GET_LEN, .ack = 300});
	rig_forget(rig);
	rig_wait(rig, 3000);
	assert_int_equal(rig_take(rig, SPLICE_CLIENT)->seq, 300);
}

static void splice_owned_bytes_probe_a_shut_window(void **state)
{
	struct rig *rig = *state;
	const struct rig_sent *sent;
	uint32_t flow;

	rig->decision = (struct splice_decision){
		.action = SPLICE_REPLY, .status = 200, .body = "hello", .body_len = 5};
	rig_start(rig);
	flow = rig_open(rig);
	rig_client(rig, flow, &(struct rig_in){.text = GET, .shut = true});
	for (; rig->n_taken < rig->n_sent; rig->n_taken++)
		assert_int_equal(rig->sent[rig->n_taken].len, 0);
	rig_wait(rig, 1000);
	sent = rig_take(rig, SPLICE_CLIENT);
	assert_int_equal(sent->len, 1);
	assert_int_equal(sent->seq, 0);
	rig_wait(rig, 20000);
	assert_true(rig->flow_open[flow]); // not ended by a retry count
	rig_forget(rig);
	rig_client(rig, flow, &(struct rig_in){.seq = GET_LEN, .window = 1000});
	rig_wait(rig, 30000);
	assert_memory_equal(rig->sent[rig->n_sent - 1].data, "HTTP/1.1 200", 12);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(splice_head_edited_shifts_numbers_both_ways),
		CASE(splice_body_is_acknowledged_when_the_endpoint_has_it),
		CASE(splice_early_segment_in_the_body_goes_on_behind_it_waits),
		CASE(splice_head_repeated_with_other_bytes_is_rewritten),
		CASE(splice_response_head_repeated_with_other_bytes_is_rewritten),
		CASE(splice_chunk_size_repeated_with_other_bytes_is_rewritten),
		CASE(splice_window_is_rescaled_and_zero_only_for_zero),
		CASE(splice_window_scale_too_large_counts_as_14),
		CASE(splice_ack_that_says_nothing_new_stays),
		CASE(splice_duplicate_ack_for_a_hole_goes_on_each_time),
		CASE(splice_sack_goes_only_to_who_asked_for_it),
		CASE(splice_segment_above_the_endpoints_mss_is_cut),
		CASE(splice_owned_bytes_are_clocked_and_repeated),
		CASE(splice_owned_bytes_probe_a_shut_window),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
