// SPDX-License-Identifier: Apache-2.0

// Where the splice follows no messages: TCP listeners, and connections that were upgraded.

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/splice_rig.h"

// A TCP listener's flow: the endpoint is asked first.
static uint32_t open_tcp(struct rig *rig, uint32_t *leg)
{
	struct tcp_out cookie;
	uint32_t flow;

	rig->listener.protocol = SPLICE_TCP;
	rig_start(rig);
	flow = rig_syn(rig, RIG_CLIENT_ISS, &cookie);
	*leg = rig_accept(rig);
	return flow;
}

static void splice_tcp_answers_the_syn_when_the_endpoint_has(void **state)
{
	struct rig *rig = *state;
	uint32_t flow, leg;

	flow = open_tcp(rig, &leg);
	while (rig->sent[rig->n_taken].side == SPLICE_SERVER)
		rig->n_taken++;
	assert_int_equal(rig_take(rig, SPLICE_CLIENT)->tcp.flags, TCP_SYN | TCP_ACK);
	rig_client(rig, flow, &(struct rig_in){0});
	rig_forget(rig);
	rig_client(rig, flow, &(struct rig_in){.text = "any\r\nthing"});
	assert_string_equal(rig_take_data(rig, SPLICE_SERVER)->data, "any\r\nthing");
	rig_forget(rig);
	rig_server(rig, leg, &(struct rig_in){.ack = 10, .text = "back"});
	assert_string_equal(rig_take_data(rig, SPLICE_CLIENT)->data, "back");
	assert_int_equal(rig->sent[0].ack, 10);
}

static void splice_tcp_endpoint_may_speak_first(void **state)
{
	struct rig *rig = *state;
	uint32_t flow, leg;

	flow = open_tcp(rig, &leg);
	rig_server(rig, leg, &(struct rig_in){.text = "220 hello"}); // before the client's ACK
	rig_client(rig, flow, &(struct rig_in){0});
	assert_string_equal(rig_take_data(rig, SPLICE_CLIENT)->data, "220 hello");
}

static void splice_tcp_no_endpoint_resets_the_client(void **state)
{
	struct rig *rig = *state;
	struct tcp_out cookie;
	uint32_t flow;

	rig->listener.protocol = SPLICE_TCP;
	rig->n_endpoints = 0;
	rig_start(rig);
	flow = rig_syn(rig, RIG_CLIENT_ISS, &cookie);
	assert_true(rig_take(rig, SPLICE_CLIENT)->tcp.flags & TCP_RST);
	assert_false(rig->flow_open[flow]);
}

// One target is drawn, its time-out is the endpoint's, and what is tried next is of the same cluster.
static void splice_tcp_target_is_drawn_once(void **state)
{
	struct rig *rig = *state;
	struct splice_view view;
	struct tcp_out cookie;
	uint32_t flow;

	rig->listener.protocol = SPLICE_TCP;
	rig->target = (struct splice_target){.cluster = 6, .connect_timeout_ms = 1500};
	rig_start(rig);
	flow = rig_syn(rig, RIG_CLIENT_ISS, &cookie);
	assert_int_equal(rig->picked, 7);
	rig_wait(rig, 1400);
	assert_int_equal(rig->n_events[SPLICE_CONNECT_FAILED], 0);
	rig->picked = SPLICE_NONE;
	rig_wait(rig, 200);
	assert_int_equal(rig->n_events[SPLICE_CONNECT_FAILED], 1);
	assert_int_equal(rig->picked, 7);
	assert_int_equal(rig->target.cluster, 7);
	assert_true(splice_view(rig->splice, flow, &view));
	assert_int_equal(view.cluster, 7);
}

// The endpoint's MSS does not count options, and the client's segment was cut for another one: SACK blocks go where they
// do not make a segment too long, and once.
static void splice_tcp_sack_does_not_lengthen_what_is_cut(void **state)
{
	struct rig *rig = *state;
	uint32_t flow, leg, idx, seq;
	enum splice_side side;
	char body[1001];

	flow = open_tcp(rig, &leg);
	rig_client(rig, flow, &(struct rig_in){.text = "a"});
	assert_true(splice_too_big(
		rig->splice, SPLICE_SERVER, leg, rig->leg_base[leg], 300, &side, &idx, &seq));
	rig_server(rig, leg, &(struct rig_in){.seq = 5, .ack = 1, .text = "56789"});
	for (uint32_t len = 280; len <= 1000; len += 10) {
		uint32_t n_with = 0;

		rig_forget(rig);
		memset(body, 'b', len);
		body[len] = 0;
		rig_client(rig, flow,
			&(struct rig_in){.seq = 1,
				.text = body,
				.n_sacks = 1,
				.sacks = {{.left = 5, .right = 10}}});
		for (; rig->n_taken < rig->n_sent; rig->n_taken++) {
			const struct rig_sent *sent = &rig->sent[rig->n_taken];

			assert_int_equal(sent->side, SPLICE_SERVER);
			assert_in_range(sent->len + tcp_sacks_len(sent->tcp.n_sacks), 0, 300);
			n_with += sent->tcp.n_sacks > 0;
		}
		assert_int_equal(n_with, 1);
	}
}

static void splice_tcp_fins_pass_both_ways(void **state)
{
	struct rig *rig = *state;
	uint32_t flow, leg;

	flow = open_tcp(rig, &leg);
	rig_client(rig, flow, &(struct rig_in){0});
	rig_forget(rig);
	rig_client(rig, flow, &(struct rig_in){.flags = TCP_FIN, .text = "bye"});
	assert_int_equal(rig_n_sent(rig, SPLICE_SERVER, TCP_FIN), 1);
	rig_server(rig, leg, &(struct rig_in){.ack = 4, .text = "still"}); // half-closed
	assert_string_equal(rig_take_data(rig, SPLICE_SERVER)->data, "bye");
	while (rig->sent[rig->n_taken].side == SPLICE_SERVER)
		rig->n_taken++;
	assert_string_equal(rig_take_data(rig, SPLICE_CLIENT)->data, "still");
	assert_int_equal(rig_n_sent(rig, SPLICE_CLIENT, TCP_FIN), 0);
	rig_server(rig, leg, &(struct rig_in){.flags = TCP_FIN, .seq = 5, .ack = 4});
	assert_int_equal(rig_n_sent(rig, SPLICE_CLIENT, TCP_FIN), 1);
	rig_client(rig, flow, &(struct rig_in){.seq = 4, .ack = 6});
	rig_wait(rig, 200000);
	assert_false(rig->flow_open[flow]);
	assert_false(rig->leg_open[leg]);
}

static void splice_tcp_fins_that_cross_end_both_connections(void **state)
{
	struct rig *rig = *state;
	uint32_t flow, leg;

	flow = open_tcp(rig, &leg);
	rig_client(rig, flow, &(struct rig_in){0});
	rig_forget(rig);
	rig_client(rig, flow, &(struct rig_in){.flags = TCP_FIN});
	rig_server(rig, leg, &(struct rig_in){.flags = TCP_FIN});
	assert_int_equal(rig_n_sent(rig, SPLICE_SERVER, TCP_FIN), 1);
	assert_int_equal(rig_n_sent(rig, SPLICE_CLIENT, TCP_FIN), 1);
	rig_client(rig, flow, &(struct rig_in){.seq = 1, .ack = 1});
	rig_server(rig, leg, &(struct rig_in){.seq = 1, .ack = 1});
	rig_wait(rig, 3000);
	assert_false(rig->flow_open[flow]);
	assert_false(rig->leg_open[leg]);
	assert_int_equal(rig_n_sent(rig, SPLICE_CLIENT, TCP_RST), 0);
}

static void splice_upgrade_accepted_becomes_a_tunnel(void **state)
{
	struct rig *rig = *state;
	uint32_t flow, leg;

	rig_start(rig);
	flow = rig_open(rig);
	rig_client(rig, flow, &(struct rig_in){.text = UPGRADE});
	leg = rig_accept(rig);
	rig_forget(rig);
	rig_server(rig, leg, &(struct rig_in){.ack = UPGRADE_LEN, .text = SWITCHING});
	assert_string_equal(rig_take_data(rig, SPLICE_CLIENT)->data, SWITCHING);
	rig_forget(rig);
	rig_client(
		rig, flow, &(struct rig_in){.seq = UPGRADE_LEN, .ack = SWITCHING_LEN, .text = GET});
	assert_string_equal(rig_take_data(rig, SPLICE_SERVER)->data, GET);
	assert_int_equal(rig->n_events[SPLICE_REQUEST], 1); // nobody reads it
}

static void splice_upgrade_nobody_asked_for_is_502(void **state)
{
	struct rig *rig = *state;
	uint32_t flow, leg;

	rig_start(rig);
	flow = rig_open(rig);
	rig_client(rig, flow, &(struct rig_in){.text = GET});
	leg = rig_accept(rig);
	rig_forget(rig);
	rig_server(rig, leg, &(struct rig_in){.ack = GET_LEN, .text = SWITCHING});
	while (rig->sent[rig->n_taken].side == SPLICE_SERVER)
		rig->n_taken++;
	assert_memory_equal(rig_take_data(rig, SPLICE_CLIENT)->data, "HTTP/1.1 502 ", 13);
	assert_int_equal(rig->why, SPLICE_WHY_BAD_RESPONSE);
}

static void splice_connect_is_refused(void **state)
{
	struct rig *rig = *state;
	uint32_t flow;

	rig_start(rig);
	flow = rig_open(rig);
	rig_client(
		rig, flow, &(struct rig_in){.text = "CONNECT x:1 HTTP/1.1\r\nHost: x:1\r\n\r\n"});
	assert_string_equal(rig_take_data(rig, SPLICE_CLIENT)->data,
		"HTTP/1.1 405 Method Not Allowed\r\n"
		"allow: GET, HEAD, POST, PUT, DELETE, OPTIONS, TRACE, PATCH\r\n"
		"content-length: 0\r\nconnection: close\r\n\r\n");
	assert_int_equal(rig->why, SPLICE_WHY_REFUSED_UPGRADE);
}

// Ten segments of a flow, and not more than the worker's share, may wait.
static void splice_segments_that_wait_are_bounded(void **state)
{
	struct rig *rig = *state;
	struct splice_usage usage;
	uint32_t flow, other;

	rig->config.n_held = 12;
	rig_start(rig);
	flow = rig_open(rig);
	other = rig_open(rig);
	for (uint32_t i = 1; i <= 20; i++)
		rig_client(rig, flow, &(struct rig_in){.seq = i, .text = "x"});
	splice_usage(rig->splice, &usage);
	assert_int_equal(usage.n_held, 10);
	assert_int_equal(rig->n_live, 10);
	for (uint32_t i = 1; i <= 20; i++)
		rig_client(rig, other, &(struct rig_in){.seq = i, .text = "x"});
	splice_usage(rig->splice, &usage);
	assert_int_equal(usage.n_held, 12);
	assert_int_equal(rig->n_live, 12);
	assert_int_equal(rig->n_events[SPLICE_HELD_DROPPED], 28);
}

static void splice_create_refuses_nothing_at_all(void **state)
{
	struct rig *rig = *state;

	rig_start(rig);
	rig->config.n_flows = 0;
	assert_null(splice_create(&rig->config));
	assert_int_equal(errno, EINVAL);
}

static void splice_view_shows_where_a_flow_is(void **state)
{
	struct rig *rig = *state;
	struct splice_view view;
	uint32_t flow, leg;

	rig->decision.cluster = 3;
	rig->decision.route = 4;
	rig_start(rig);
	flow = rig_open(rig);
	assert_true(splice_view(rig->splice, flow, &view));
	assert_int_equal(view.leg, SPLICE_NONE);
	assert_int_equal(view.cluster, SPLICE_NONE);
	rig_client(rig, flow, &(struct rig_in){.text = GET});
	leg = rig_accept(rig);
	assert_true(splice_view(rig->splice, flow, &view));
	assert_int_equal(view.leg, leg);
	assert_int_equal(view.cluster, 3);
	assert_int_equal(view.route, 4);
	assert_int_equal(view.endpoint, 0);
	assert_int_equal(view.n_requests, 1);
	assert_int_equal(splice_leg_flow(rig->splice, leg), flow);
	assert_int_equal(view.listener, 0);
	assert_false(splice_view(rig->splice, flow + 1, &view));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(splice_tcp_answers_the_syn_when_the_endpoint_has),
		CASE(splice_tcp_endpoint_may_speak_first),
		CASE(splice_tcp_no_endpoint_resets_the_client),
		CASE(splice_tcp_target_is_drawn_once),
		CASE(splice_tcp_sack_does_not_lengthen_what_is_cut),
		CASE(splice_tcp_fins_pass_both_ways),
		CASE(splice_tcp_fins_that_cross_end_both_connections),
		CASE(splice_upgrade_accepted_becomes_a_tunnel),
		CASE(splice_upgrade_nobody_asked_for_is_502),
		CASE(splice_connect_is_refused),
		CASE(splice_segments_that_wait_are_bounded),
		CASE(splice_create_refuses_nothing_at_all),
		CASE(splice_view_shows_where_a_flow_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
