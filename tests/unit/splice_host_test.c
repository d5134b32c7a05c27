// SPDX-License-Identifier: Apache-2.0

// What hosts' TCPs do beside the usual: probes, old and odd segments, options that are missing. And what those
// try who are no party to the connection (RFC 5961).

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/splice_rig.h"

// A connection on which both hosts may send.
static uint32_t open_both_ways(struct rig *rig, uint32_t *flow)
{
	uint32_t leg;

	rig_start(rig);
	*flow = rig_open(rig);
	rig_client(rig, *flow, &(struct rig_in){.text = UPGRADE});
	leg = rig_accept(rig);
	rig_server(rig, leg, &(struct rig_in){.ack = UPGRADE_LEN, .text = SWITCHING});
	rig_client(rig, *flow, &(struct rig_in){.seq = UPGRADE_LEN, .ack = SWITCHING_LEN});
	rig_wait(rig, 1000);
	rig_forget(rig);
	return leg;
}

// ---- shut windows

static void splice_window_probe_of_a_client_is_answered_and_passed_on(void **state)
{
	struct rig *rig = *state;
	const struct rig_sent *sent;
	uint32_t flow, leg = open_both_ways(rig, &flow);

	rig_server(
		rig, leg, &(struct rig_in){.seq = SWITCHING_LEN, .ack = UPGRADE_LEN, .shut = true});
	assert_int_equal(rig_take(rig, SPLICE_CLIENT)->tcp.window, 0);
	rig_client(rig, flow, &(struct rig_in){.seq = UPGRADE_LEN - 1, .ack = SWITCHING_LEN});
	sent = rig_take(rig, SPLICE_CLIENT);
	assert_int_equal(sent->tcp.window, 0);
	assert_int_equal(sent->ack, UPGRADE_LEN);
	sent = rig_take(rig, SPLICE_SERVER); // it may have opened, and said so in vain
	assert_int_equal(sent->seq, UPGRADE_LEN - 1);
	assert_int_equal(sent->len, 0);
	rig_expect_none(rig);
	rig_server(rig, leg,
		&(struct rig_in){.seq = SWITCHING_LEN, .ack = UPGRADE_LEN, .window = 9000});
	assert_in_range(rig_take(rig, SPLICE_CLIENT)->tcp.window, 1, 9000);
}

static void splice_window_probe_of_an_endpoint_is_answered_and_passed_on(void **state)
{
	struct rig *rig = *state;
	const struct rig_sent *sent;
	uint32_t flow, leg = open_both_ways(rig, &flow);

	rig_client(rig, flow,
		&(struct rig_in){.seq = UPGRADE_LEN, .ack = SWITCHING_LEN, .shut = true});
	assert_int_equal(rig_take(rig, SPLICE_SERVER)->tcp.window, 0);
	rig_server(rig, leg, &(struct rig_in){.seq = SWITCHING_LEN - 1, .ack = UPGRADE_LEN});
	sent = rig_take(rig, SPLICE_SERVER);
	assert_int_equal(sent->tcp.window, 0);
	assert_int_equal(sent->ack, SWITCHING_LEN);
	sent = rig_take(rig, SPLICE_CLIENT);
	assert_int_equal(sent->seq, SWITCHING_LEN - 1);
	assert_int_equal(sent->len, 0);
	rig_expect_none(rig);
}

// A probe with a byte of the body: the host's refusal goes back, although it says nothing new.
static void splice_window_probe_with_data_is_refused_by_the_host(void **state)
{
	struct rig *rig = *state;
	const struct rig_sent *sent;
	uint32_t flow, leg = open_both_ways(rig, &flow);

	rig_client(rig, flow,
		&(struct rig_in){.seq = UPGRADE_LEN, .ack = SWITCHING_LEN, .shut = true});
	rig_take(rig, SPLICE_SERVER);
	rig_server(
		rig, leg, &(struct rig_in){.seq = SWITCHING_LEN, .ack = UPGRADE_LEN, .text = "x"});
	assert_string_equal(rig_take(rig, SPLICE_CLIENT)->data, "x");
	rig_client(rig, flow,
		&(struct rig_in){.seq = UPGRADE_LEN, .ack = SWITCHING_LEN, .shut = true});
	sent = rig_take(rig, SPLICE_SERVER);
	assert_int_equal(sent->ack, SWITCHING_LEN);
	assert_int_equal(sent->tcp.window, 0);
}

// ---- keep-alive probes

static void splice_keepalive_probe_of_an_endpoint_is_answered(void **state)
{
	struct rig *rig = *state;
	const struct rig_sent *sent;
	uint32_t flow, leg, up = 0, down = 0;

	leg = open_both_ways(rig, &flow);
	rig_server(rig, leg,
		&(struct rig_in){.seq = SWITCHING_LEN - 1, .ack = UPGRADE_LEN, .text = "?"});
	sent = rig_take(rig, SPLICE_SERVER);
	assert_int_equal(sent->ack, SWITCHING_LEN);
	rig_expect_none(rig);

	// And of one that waits in the pool.
	flow = rig_open(rig);
	leg = rig_exchange(rig, flow, &up, &down);
	rig_server(rig, leg, &(struct rig_in){.seq = down - 1, .ack = up});
	sent = rig_take(rig, SPLICE_SERVER);
	assert_int_equal(sent->ack, down);
	assert_int_equal(sent->seq, up);
	rig_expect_none(rig);
	assert_true(rig->leg_open[leg]);
}

// ---- options

static void splice_client_without_window_scale_is_told_at_most_64_kib(void **state)
{
	struct rig *rig = *state;
	uint32_t flow, leg;

	rig->client_scale = TCP_NO_WINDOW_SCALE;
	rig->server_scale = 7;
	leg = open_both_ways(rig, &flow);
	rig_server(rig, leg,
		&(struct rig_in){.seq = SWITCHING_LEN, .ack = UPGRADE_LEN, .window = 100});
	assert_int_equal(rig_take(rig, SPLICE_CLIENT)->tcp.window, 12800);
	rig_server(rig, leg,
		&(struct rig_in){.seq = SWITCHING_LEN, .ack = UPGRADE_LEN, .window = 60000});
	assert_int_equal(rig_take(rig, SPLICE_CLIENT)->tcp.window, 65535);
	rig_client(rig, flow,
		&(struct rig_in){.seq = UPGRADE_LEN, .ack = SWITCHING_LEN, .window = 12800});
	assert_int_equal(rig_take(rig, SPLICE_SERVER)->tcp.window, 100); // the node's scale is 7
}

static void splice_endpoint_without_window_scale_is_told_unscaled(void **state)
{
	struct rig *rig = *state;
	uint32_t flow, leg;

	rig->client_scale = 7;
	rig->server_scale = TCP_NO_WINDOW_SCALE;
	leg = open_both_ways(rig, &flow);
	rig_client(rig, flow,
		&(struct rig_in){.seq = UPGRADE_LEN, .ack = SWITCHING_LEN, .window = 100});
	assert_int_equal(rig_take(rig, SPLICE_SERVER)->tcp.window, 12800);
	rig_server(rig, leg,
		&(struct rig_in){.seq = SWITCHING_LEN, .ack = UPGRADE_LEN, .window = 6400});
	assert_int_equal(rig_take(rig, SPLICE_CLIENT)->tcp.window, 6400 >> 5);
}

static void splice_urgent_data_is_plain_data(void **state)
{
	struct rig *rig = *state;
	const struct rig_sent *sent;
	uint32_t flow, leg = open_both_ways(rig, &flow);

	rig_client(rig, flow,
		&(struct rig_in){
			.flags = TCP_URG, .seq = UPGRADE_LEN, .ack = SWITCHING_LEN, .text = "now"});
	sent = rig_take(rig, SPLICE_SERVER);
	assert_string_equal(sent->data, "now");
	assert_false(sent->tcp.flags & TCP_URG);
	rig_server(rig, leg,
		&(struct rig_in){.flags = TCP_URG,
			.seq = SWITCHING_LEN,
			.ack = UPGRADE_LEN + 3,
			.text = "yes"});
	sent = rig_take(rig, SPLICE_CLIENT);
	assert_string_equal(sent->data, "yes");
	assert_false(sent->tcp.flags & TCP_URG);
}

// Edges within what the node owns move outward, and blocks that are empty then go. RFC 2883's stay below the ACK.
static void splice_sack_within_an_edited_head_moves_outward(void **state)
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
	up = rig_take_data(rig, SPLICE_SERVER)->len;
	rig_client(rig, flow, &(struct rig_in){.seq = POST_LEN, .text = "01234"});
	rig_client(rig, flow, &(struct rig_in){.seq = POST_LEN + 10, .text = "01234"});
	rig_forget(rig);
	rig_server(rig, leg,
		&(struct rig_in){.ack = 5,
			.n_sacks = 3,
			.sacks = {{.left = 10, .right = up - 3}, {.left = up - 7, .right = up + 5},
				{.left = up - 1, .right = up + 5}}});
	rig_expect_none(rig); // it would begin at the ACK
	rig_server(rig, leg,
		&(struct rig_in){.ack = up + 5,
			.n_sacks = 2,
			.sacks = {{.left = up + 1, .right = up + 5},
				{.left = up + 10, .right = up + 15}}});
	sent = rig_take(rig, SPLICE_CLIENT);
	assert_int_equal(sent->ack, POST_LEN + 5);
	assert_int_equal(sent->tcp.n_sacks, 2);
	assert_int_equal(sent->tcp.sacks[0].left, RIG_CLIENT_ISS + 1 + POST_LEN + 1);
	assert_int_equal(sent->tcp.sacks[0].right, RIG_CLIENT_ISS + 1 + POST_LEN + 5);
	assert_int_equal(sent->tcp.sacks[1].left, RIG_CLIENT_ISS + 1 + POST_LEN + 10);
}

static void splice_owned_bytes_are_repeated_after_three_duplicate_acks(void **state)
{
	char body[2001];
	struct rig *rig = *state;
	uint32_t flow;

	memset(body, 'o', sizeof(body) - 1);
	body[2000] = '\0';
	rig->client_mss = 500;
	rig->decision = (struct splice_decision){
		.action = SPLICE_REPLY, .status = 200, .body = body, .body_len = 2000};
	rig_start(rig);
	flow = rig_open(rig);
	rig_client(rig, flow, &(struct rig_in){.text = GET});
	rig_client(rig, flow, &(struct rig_in){.seq = GET_LEN, .ack = 500});
	rig_forget(rig);
	for (uint32_t i = 0; i < 2; i++)
		rig_client(rig, flow, &(struct rig_in){.seq = GET_LEN, .ack = 500});
	rig_expect_none(rig);
	rig_client(rig, flow, &(struct rig_in){.seq = GET_LEN, .ack = 500});
	assert_int_equal(rig_take(rig, SPLICE_CLIENT)->seq, 500);
	rig_expect_none(rig);
}

// ---- segments out of place

// Expects that the side's host was asked to prove that it is itself, or, limited, nothing.
static void expect_challenge(struct rig *rig, enum splice_side side, uint32_t ack)
{
	const struct rig_sent *sent = rig_take(rig, side);

	assert_int_equal(sent->tcp.flags, TCP_ACK);
	assert_int_equal(sent->ack, ack);
	assert_int_equal(sent->len, 0);
	rig_expect_none(rig);
	rig_wait(rig, 505);
}

static void splice_data_with_an_ack_from_nowhere_is_challenged(void **state)
{
	struct rig *rig = *state;
	uint32_t flow, leg = open_both_ways(rig, &flow);

	rig_client(rig, flow,
		&(struct rig_in){.seq = UPGRADE_LEN, .ack = SWITCHING_LEN + 1, .text = "unsent"});
	expect_challenge(rig, SPLICE_CLIENT, UPGRADE_LEN);
	rig_client(rig, flow,
		&(struct rig_in){
			.seq = UPGRADE_LEN, .ack = SWITCHING_LEN - 70000, .text = "too old"});
	expect_challenge(rig, SPLICE_CLIENT, UPGRADE_LEN);
	rig_server(rig, leg,
		&(struct rig_in){
			.seq = SWITCHING_LEN, .ack = UPGRADE_LEN - 70000, .text = "too old"});
	expect_challenge(rig, SPLICE_SERVER, SWITCHING_LEN);
	rig_client(rig, flow, &(struct rig_in){.seq = UPGRADE_LEN, .ack = 3, .text = "old"});
	assert_string_equal(rig_take(rig, SPLICE_SERVER)->data, "old");
}

// Neither its data nor its ACK counts.
static void splice_segment_far_off_is_challenged(void **state)
{
	struct rig *rig = *state;
	uint32_t flow, leg = open_both_ways(rig, &flow);

	rig_server(rig, leg,
		&(struct rig_in){.seq = SWITCHING_LEN, .ack = UPGRADE_LEN, .text = "body"});
	rig_forget(rig);
	rig_client(rig, flow,
		&(struct rig_in){
			.seq = UPGRADE_LEN + (65536 << 5), .ack = SWITCHING_LEN + 4, .text = "x"});
	expect_challenge(rig, SPLICE_CLIENT, UPGRADE_LEN);
	rig_client(rig, flow,
		&(struct rig_in){
			.seq = UPGRADE_LEN - (65536 << 5), .ack = SWITCHING_LEN + 4, .text = "x"});
	expect_challenge(rig, SPLICE_CLIENT, UPGRADE_LEN);
	assert_int_equal(rig->n_events[SPLICE_BYTES_DOWN], 1); // the head's, before
	rig_client(rig, flow, &(struct rig_in){.seq = UPGRADE_LEN, .ack = SWITCHING_LEN + 4});
	assert_int_equal(rig_take(rig, SPLICE_SERVER)->ack, SWITCHING_LEN + 4);
}

// RFC 9293 §3.10.7.4: dropped.
static void splice_segment_without_ack_is_not_answered(void **state)
{
	struct rig *rig = *state;
	uint32_t flow, leg, up = 0, down = 0;

	leg = open_both_ways(rig, &flow);
	rig_bare(rig, SPLICE_CLIENT, flow, 0, UPGRADE_LEN);
	rig_bare(rig, SPLICE_CLIENT, flow, TCP_FIN, UPGRADE_LEN);
	rig_bare(rig, SPLICE_SERVER, leg, TCP_FIN, SWITCHING_LEN);
	flow = rig_open(rig);
	leg = rig_exchange(rig, flow, &up, &down);
	rig_bare(rig, SPLICE_SERVER, leg, TCP_FIN, down);
	rig_expect_none(rig);
	assert_true(rig->leg_open[leg]);
}

static void splice_reset_of_an_endpoint_is_believed_only_in_place(void **state)
{
	struct rig *rig = *state;
	uint32_t flow, leg = open_both_ways(rig, &flow);

	rig_server(rig, leg, &(struct rig_in){.flags = TCP_RST, .seq = SWITCHING_LEN - 1});
	rig_server(rig, leg, &(struct rig_in){.flags = TCP_RST, .seq = SWITCHING_LEN + 10000000});
	rig_expect_none(rig);
	rig_server(rig, leg, &(struct rig_in){.flags = TCP_RST, .seq = SWITCHING_LEN + 1});
	expect_challenge(rig, SPLICE_SERVER, SWITCHING_LEN);
	assert_true(rig->flow_open[flow]);
	rig_server(rig, leg, &(struct rig_in){.flags = TCP_RST, .seq = SWITCHING_LEN});
	assert_true(rig_n_sent(rig, SPLICE_CLIENT, TCP_RST) > 0);
	assert_false(rig->flow_open[flow]);
	assert_false(rig->leg_open[leg]);
}

static void splice_reset_of_an_idle_leg_is_believed_only_in_place(void **state)
{
	struct rig *rig = *state;
	uint32_t flow, leg, up = 0, down = 0;

	rig_start(rig);
	flow = rig_open(rig);
	leg = rig_exchange(rig, flow, &up, &down);
	rig_server(rig, leg, &(struct rig_in){.flags = TCP_RST, .seq = down - 1});
	rig_server(rig, leg, &(struct rig_in){.flags = TCP_RST, .seq = down + 10000000});
	rig_expect_none(rig);
	rig_server(rig, leg, &(struct rig_in){.flags = TCP_RST, .seq = down + 1});
	expect_challenge(rig, SPLICE_SERVER, down);
	assert_true(rig->leg_open[leg]);
	rig_server(rig, leg, &(struct rig_in){.flags = TCP_RST, .seq = down});
	assert_false(rig->leg_open[leg]);
	rig_expect_none(rig);
	assert_true(rig->flow_open[flow]);
}

static void splice_data_far_off_does_not_end_an_idle_leg(void **state)
{
	struct rig *rig = *state;
	uint32_t flow, leg, up = 0, down = 0;

	rig_start(rig);
	flow = rig_open(rig);
	leg = rig_exchange(rig, flow, &up, &down);
	rig_server(rig, leg, &(struct rig_in){.seq = down + 10000000, .ack = up, .text = "x"});
	expect_challenge(rig, SPLICE_SERVER, down);
	rig_server(rig, leg, &(struct rig_in){.flags = TCP_FIN, .seq = down + 10000000, .ack = up});
	expect_challenge(rig, SPLICE_SERVER, down);
	assert_true(rig->leg_open[leg]);
	rig_server(rig, leg, &(struct rig_in){.seq = down, .ack = up, .text = "x"});
	assert_true(rig_take(rig, SPLICE_SERVER)->tcp.flags & TCP_RST);
	assert_false(rig->leg_open[leg]);
}

// A client that restarted takes the same port: it resets the old connection when it is challenged.
static void splice_syn_of_a_restarted_client_gets_through_at_last(void **state)
{
	struct rig *rig = *state;
	uint32_t flow, leg = open_both_ways(rig, &flow);

	rig_client(rig, flow, &(struct rig_in){.flags = TCP_SYN, .seq = 123456});
	assert_int_equal(rig->sent[rig->n_sent - 1].tcp.flags, TCP_ACK);
	assert_int_equal(rig->sent[rig->n_sent - 1].ack, UPGRADE_LEN);
	rig_client(rig, flow, &(struct rig_in){.flags = TCP_RST, .seq = UPGRADE_LEN});
	assert_false(rig->flow_open[flow]);
	assert_false(rig->leg_open[leg]);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(splice_window_probe_of_a_client_is_answered_and_passed_on),
		CASE(splice_window_probe_of_an_endpoint_is_answered_and_passed_on),
		CASE(splice_window_probe_with_data_is_refused_by_the_host),
		CASE(splice_keepalive_probe_of_an_endpoint_is_answered),
		CASE(splice_client_without_window_scale_is_told_at_most_64_kib),
		CASE(splice_endpoint_without_window_scale_is_told_unscaled),
		CASE(splice_urgent_data_is_plain_data),
		CASE(splice_sack_within_an_edited_head_moves_outward),
		CASE(splice_owned_bytes_are_repeated_after_three_duplicate_acks),
		CASE(splice_data_with_an_ack_from_nowhere_is_challenged),
		CASE(splice_segment_far_off_is_challenged),
		CASE(splice_segment_without_ack_is_not_answered),
		CASE(splice_reset_of_an_endpoint_is_believed_only_in_place),
		CASE(splice_reset_of_an_idle_leg_is_believed_only_in_place),
		CASE(splice_data_far_off_does_not_end_an_idle_leg),
		CASE(splice_syn_of_a_restarted_client_gets_through_at_last),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
