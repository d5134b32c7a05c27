// SPDX-License-Identifier: Apache-2.0

// The client's handshake, cookies, and the handshake with an endpoint.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/splice_rig.h"

static void splice_syn_with_options_promises_the_listeners(void **state)
{
	struct rig *rig = *state;
	const struct rig_sent *answer;
	struct tcp_out cookie;

	rig->client_scale = 9;
	rig_start(rig);
	rig_syn(rig, RIG_CLIENT_ISS, &cookie);
	answer = rig_take(rig, SPLICE_CLIENT);
	assert_int_equal(answer->tcp.flags, TCP_SYN | TCP_ACK);
	assert_int_equal(answer->tcp.mss, 1400);
	assert_int_equal(answer->tcp.scale, 5);
	assert_true(answer->tcp.sack_offered);
	assert_int_equal(answer->ack, 0);
	rig_expect_none(rig);
}

static void splice_syn_without_options_promises_none(void **state)
{
	struct rig *rig = *state;
	const struct rig_sent *answer;
	struct tcp_out cookie;

	rig->client_scale = TCP_NO_WINDOW_SCALE;
	rig->client_sack = false;
	rig_start(rig);
	rig_syn(rig, RIG_CLIENT_ISS, &cookie);
	answer = rig_take(rig, SPLICE_CLIENT);
	assert_int_equal(answer->tcp.scale, TCP_NO_WINDOW_SCALE);
	assert_false(answer->tcp.sack_offered);
}

// RFC 9293 §3.10.7.2: data may be left for later, and is sent again.
static void splice_syn_with_data_is_acknowledged_without_it(void **state)
{
	struct rig *rig = *state;
	char data[] = "GET /x HT";
	struct tcp_segment syn = {
		.data = (uint8_t *)data,
		.len = sizeof(data) - 1,
		.seq = RIG_CLIENT_ISS,
		.window = 1000,
		.flags = TCP_SYN,
		.mss = 1000,
		.scale = TCP_NO_WINDOW_SCALE,
	};
	struct tcp_out cookie;
	uint32_t flow;

	rig_start(rig);
	flow = splice_syn(rig->splice, 0, 1, &syn, &cookie);
	rig->flow_open[flow] = true;
	splice_flow_begin(rig->splice, flow);
	assert_int_equal(rig_take(rig, SPLICE_CLIENT)->ack, 0);
	rig_client(rig, flow, &(struct rig_in){0});
	rig_client(rig, flow, &(struct rig_in){.text = GET});
	rig_accept(rig);
	assert_string_equal(rig_take_data(rig, SPLICE_SERVER)->data, GET);
}

// RFC 9293 §3.7.1: a host that announces no MSS takes 536 bytes, and so does the leg that serves it.
static void splice_syn_without_mss_means_536(void **state)
{
	struct rig *rig = *state;
	static const char head[] = "HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n";
	char answer[901];
	uint32_t flow, leg;

	rig->client_mss = 0;
	rig_start(rig);
	flow = rig_open(rig);
	rig_client(rig, flow, &(struct rig_in){.text = GET});
	assert_int_equal(rig->sent[rig->n_taken].tcp.mss, 536);
	leg = rig_accept(rig);
	rig_forget(rig);
	memset(answer, 'b', sizeof(answer) - 1);
	answer[900] = '\0';
	memcpy(answer, head, sizeof(head) - 1);
	rig_server(rig, leg, &(struct rig_in){.ack = sizeof(GET) - 1, .text = answer});
	assert_int_equal(rig_take(rig, SPLICE_CLIENT)->len, 536);
	assert_int_equal(rig_take(rig, SPLICE_CLIENT)->len, 900 - 536);
}

static void splice_syn_ack_lost_is_repeated_then_given_up(void **state)
{
	struct rig *rig = *state;
	struct tcp_out cookie;
	uint32_t flow, n = 0;

	rig_start(rig);
	flow = rig_syn(rig, RIG_CLIENT_ISS, &cookie);
	rig_take(rig, SPLICE_CLIENT);
	rig_wait(rig, 900);
	rig_expect_none(rig);
	rig_wait(rig, 200);
	assert_int_equal(rig_take(rig, SPLICE_CLIENT)->tcp.flags, TCP_SYN | TCP_ACK);
	rig_wait(rig, 60000);
	assert_false(rig->flow_open[flow]);
	for (; n < rig->n_sent; n++)
		assert_true(rig->sent[n].tcp.flags & (TCP_SYN | TCP_RST));
	assert_in_range(n, 3, 8);
}

static void splice_syn_repeated_is_answered_again(void **state)
{
	struct rig *rig = *state;
	struct tcp_out cookie;
	uint32_t flow;

	rig_start(rig);
	flow = rig_syn(rig, RIG_CLIENT_ISS, &cookie);
	rig_take(rig, SPLICE_CLIENT);
	rig_client(rig, flow, &(struct rig_in){.flags = TCP_SYN, .seq = -1u});
	assert_int_equal(rig_take(rig, SPLICE_CLIENT)->tcp.flags, TCP_SYN | TCP_ACK);
}

// Fills the half-open table, so that the next SYN gets a cookie.
static uint32_t take_cookie(struct rig *rig, uint32_t seq, struct tcp_out *cookie)
{
	struct tcp_out none;

	for (uint32_t i = 0; i < rig->config.n_half_open; i++) {
		assert_int_not_equal(rig_syn(rig, 77000 + i, &none), SPLICE_NONE);
		assert_int_equal(none.flags, 0);
	}
	rig_forget(rig);
	return rig_syn(rig, seq, cookie);
}

static uint32_t return_cookie(struct rig *rig, uint32_t seq, uint32_t ack, struct tcp_out *reset)
{
	struct tcp_segment seg = {.seq = seq, .ack = ack, .flags = TCP_ACK, .window = 1000};

	return splice_cookie_ack(rig->splice, 0, seq - 1, &seg, reset);
}

static void splice_syn_beyond_half_open_gets_cookie_without_state(void **state)
{
	struct rig *rig = *state;
	struct tcp_out cookie, reset;
	struct splice_usage usage;
	uint32_t flow;

	rig->client_scale = 9;
	rig_start(rig);
	assert_int_equal(take_cookie(rig, RIG_CLIENT_ISS, &cookie), SPLICE_NONE);
	assert_int_equal(cookie.flags, TCP_SYN | TCP_ACK);
	assert_int_equal(cookie.scale, 5);
	assert_int_equal(cookie.mss, 1400);
	splice_usage(rig->splice, &usage);
	assert_int_equal(usage.n_half_open, rig->config.n_half_open);
	assert_int_equal(usage.n_flows, rig->config.n_half_open);

	flow = return_cookie(rig, RIG_CLIENT_ISS + 1, cookie.seq + 1, &reset);
	assert_int_not_equal(flow, SPLICE_NONE);
	assert_int_equal(reset.flags, 0);
	rig->flow_open[flow] = true;
	rig->client_base[flow] = cookie.seq + 1;
	splice_flow_begin(rig->splice, flow);
	rig_expect_none(rig);
	rig_client(rig, flow, &(struct rig_in){.text = GET});
	rig_accept(rig);
	assert_string_equal(rig_take(rig, SPLICE_SERVER)->data, GET);
}

// What the endpoint is told when a client's MSS has been through a cookie.
static uint16_t told_after_cookie(struct rig *rig, uint16_t mss, uint32_t seq)
{
	struct tcp_out cookie, reset;
	uint32_t flow;

	rig->client_mss = mss;
	rig_syn(rig, seq, &cookie);
	assert_int_equal(cookie.flags, TCP_SYN | TCP_ACK);
	flow = return_cookie(rig, seq + 1, cookie.seq + 1, &reset);
	assert_int_not_equal(flow, SPLICE_NONE);
	rig->flow_open[flow] = true;
	rig->client_base[flow] = cookie.seq + 1;
	splice_flow_begin(rig->splice, flow);
	rig_client(rig, flow, &(struct rig_in){.seq = seq - RIG_CLIENT_ISS, .text = GET});
	return rig_take(rig, SPLICE_SERVER)->tcp.mss;
}

static void splice_cookie_keeps_most_of_the_mss(void **state)
{
	static const struct {
		uint16_t client, leg;
	} CASES[] = {{47, 48}, {535, 48}, {536, 536}, {1124, 1120}, {1219, 1120}, {1460, 1440}};
	struct rig *rig = *state;
	struct tcp_out none;

	rig->listener.mss = 8844;
	rig->config.n_half_open = 1;
	rig_start(rig);
	assert_int_not_equal(rig_syn(rig, 77000, &none), SPLICE_NONE);
	rig_forget(rig);
	for (uint32_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++)
		assert_int_equal(
			told_after_cookie(rig, CASES[i].client, RIG_CLIENT_ISS), CASES[i].leg);
}

// Narrow links and outer headers, on the client's side.
static void splice_leg_class_keeps_most_of_the_mss(void **state)
{
	static const struct {
		uint16_t client, leg;
	} CASES[] = {{1092, 1090}, {1124, 1120}, {1180, 1180}, {1312, 1300}, {1344, 1340},
		{1400, 1400}, {1460, 1440}};
	struct rig *rig = *state;

	rig->listener.mss = 8844;
	rig_start(rig);
	for (uint32_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
		rig->client_mss = CASES[i].client;
		rig_client(rig, rig_open(rig), &(struct rig_in){.text = GET});
		assert_int_equal(rig_take(rig, SPLICE_SERVER)->tcp.mss, CASES[i].leg);
	}
}

static void splice_cookie_guessed_is_reset(void **state)
{
	struct rig *rig = *state;
	struct tcp_out cookie, reset;

	rig_start(rig);
	take_cookie(rig, RIG_CLIENT_ISS, &cookie);
	assert_int_equal(
		return_cookie(rig, RIG_CLIENT_ISS + 1, cookie.seq + 2, &reset), SPLICE_NONE);
	assert_int_equal(reset.flags, TCP_RST);
	assert_int_equal(reset.seq, cookie.seq + 2);
	assert_int_equal(
		return_cookie(rig, RIG_CLIENT_ISS + 2, cookie.seq + 1, &reset), SPLICE_NONE);
	rig_wait(rig, 300000);
	assert_int_equal(
		return_cookie(rig, RIG_CLIENT_ISS + 1, cookie.seq + 1, &reset), SPLICE_NONE);
}

static void splice_leg_waits_for_a_whole_head(void **state)
{
	struct rig *rig = *state;
	const struct rig_sent *syn;
	uint32_t flow;

	rig->client_mss = 1000;
	rig_start(rig);
	flow = rig_open(rig);
	rig_client(rig, flow, &(struct rig_in){.text = "GET /x HTTP/1.1\r\n"});
	assert_int_equal(rig_take(rig, SPLICE_CLIENT)->ack, 17); // a Nagle client waits for it
	rig_expect_none(rig);
	rig_client(rig, flow, &(struct rig_in){.seq = 17, .text = "Host: x\r\n\r\n"});
	syn = rig_take(rig, SPLICE_SERVER);
	assert_int_equal(syn->tcp.flags, TCP_SYN);
	assert_in_range(syn->tcp.mss, 500, 1000); // a class not above the client's
	assert_int_not_equal(syn->tcp.scale, TCP_NO_WINDOW_SCALE);
	assert_true(syn->tcp.sack_offered);
}

static void splice_leg_wrong_ack_is_reset_and_syn_repeated(void **state)
{
	struct rig *rig = *state;
	const struct rig_sent *sent;
	uint32_t flow, leg;

	rig_start(rig);
	flow = rig_open(rig);
	rig_client(rig, flow, &(struct rig_in){.text = GET});
	leg = rig_take(rig, SPLICE_SERVER)->idx;
	rig_forget(rig);
	rig_server(rig, leg, &(struct rig_in){.seq = 700, .ack = 12345}); // of an old connection
	sent = rig_take(rig, SPLICE_SERVER);
	assert_int_equal(sent->tcp.flags, TCP_RST);
	assert_int_equal(sent->seq, 12345);
	rig_wait(rig, 1100);
	assert_int_equal(rig_take(rig, SPLICE_SERVER)->tcp.flags, TCP_SYN);
}

static void splice_leg_refused_tries_the_next_endpoint(void **state)
{
	struct rig *rig = *state;
	const struct rig_sent *syn;
	uint32_t flow, leg;

	rig_start(rig);
	flow = rig_open(rig);
	rig_client(rig, flow, &(struct rig_in){.text = GET});
	leg = rig_take(rig, SPLICE_SERVER)->idx;
	rig_forget(rig);
	rig_server(rig, leg, &(struct rig_in){.flags = TCP_RST | TCP_ACK, .seq = 0});
	syn = rig_take(rig, SPLICE_SERVER);
	assert_int_equal(syn->tcp.flags, TCP_SYN);
	assert_int_equal(rig->leg_endpoint[syn->idx], 1);
	assert_int_equal(rig->n_events[SPLICE_RETRY], 1);
	// An ICMP error counts, too, while connecting.
	splice_unreachable(rig->splice, syn->idx, syn->tcp.seq);
	syn = rig_take(rig, SPLICE_SERVER);
	assert_int_equal(rig->leg_endpoint[syn->idx], 2);
	rig_wait(rig, 3900);
	assert_int_equal(rig->n_events[SPLICE_OWN_REPLY], 0);
	rig_wait(rig, 200); // the last of three
	assert_int_equal(rig->n_events[SPLICE_OWN_REPLY], 1);
	assert_int_equal(rig->why, SPLICE_WHY_CONNECT);
	assert_memory_equal(rig->sent[rig->n_sent - 1].data, "HTTP/1.1 503 ", 13);
}

static void splice_leg_reset_with_another_ack_is_not_believed(void **state)
{
	struct rig *rig = *state;
	uint32_t flow, leg;

	rig_start(rig);
	flow = rig_open(rig);
	rig_client(rig, flow, &(struct rig_in){.text = GET});
	leg = rig_take(rig, SPLICE_SERVER)->idx;
	rig_server(rig, leg, &(struct rig_in){.flags = TCP_RST | TCP_ACK, .ack = 5});
	rig_expect_none(rig);
	assert_true(rig->leg_open[leg]);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(splice_syn_with_options_promises_the_listeners),
		CASE(splice_syn_without_options_promises_none),
		CASE(splice_syn_with_data_is_acknowledged_without_it),
		CASE(splice_syn_without_mss_means_536),
		CASE(splice_syn_ack_lost_is_repeated_then_given_up),
		CASE(splice_syn_repeated_is_answered_again),
		CASE(splice_syn_beyond_half_open_gets_cookie_without_state),
		CASE(splice_cookie_keeps_most_of_the_mss),
		CASE(splice_leg_class_keeps_most_of_the_mss),
		CASE(splice_cookie_guessed_is_reset),
		CASE(splice_leg_waits_for_a_whole_head),
		CASE(splice_leg_wrong_ack_is_reset_and_syn_repeated),
		CASE(splice_leg_refused_tries_the_next_endpoint),
		CASE(splice_leg_reset_with_another_ack_is_not_believed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
