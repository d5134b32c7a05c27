// SPDX-License-Identifier: Apache-2.0

// FINs, resets, lingering, drain.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/splice_rig.h"

static void splice_endpoint_fin_on_an_idle_leg_is_not_seen(void **state)
{
	struct rig *rig = *state;
	uint32_t flow, leg, up = 0, down = 0;

	rig_start(rig);
	flow = rig_open(rig);
	leg = rig_exchange(rig, flow, &up, &down);
	rig_server(rig, leg, &(struct rig_in){.flags = TCP_FIN, .seq = down, .ack = up});
	assert_int_equal(rig_n_sent(rig, SPLICE_CLIENT, 0), 0);
	rig_forget(rig);
	rig_client(rig, flow, &(struct rig_in){.seq = up, .ack = down, .text = GET});
	assert_int_not_equal(rig_accept(rig), leg);
	assert_string_equal(rig_take_data(rig, SPLICE_SERVER)->data, GET);
}

static void splice_idle_leg_is_kept_for_its_endpoints_time(void **state)
{
	struct rig *rig = *state;
	struct splice_usage usage;
	uint32_t up = 0, down = 0;

	rig_start(rig);
	rig->leg_idle_ms = 10000;
	rig_exchange(rig, rig_open(rig), &up, &down);
	rig_wait(rig, 8000);
	assert_int_equal(rig_n_sent(rig, SPLICE_SERVER, 0), 0);
	rig_wait(rig, 6000);
	assert_int_equal(rig_n_sent(rig, SPLICE_SERVER, TCP_FIN) > 0, 1);
	splice_usage(rig->splice, &usage);
	assert_int_equal(usage.n_idle_legs, 0);
}

static void splice_client_fin_between_requests_keeps_the_leg(void **state)
{
	struct rig *rig = *state;
	struct splice_usage usage;
	uint32_t flow, leg, up = 0, down = 0;

	rig_start(rig);
	flow = rig_open(rig);
	leg = rig_exchange(rig, flow, &up, &down);
	rig_client(rig, flow, &(struct rig_in){.flags = TCP_FIN, .seq = up, .ack = down});
	assert_int_equal(rig_n_sent(rig, SPLICE_SERVER, 0), 0);
	assert_int_equal(rig_n_sent(rig, SPLICE_CLIENT, TCP_FIN), 1);
	assert_int_equal(rig->sent[rig->n_sent - 1].ack, up + 1);
	rig_client(rig, flow, &(struct rig_in){.seq = up + 1, .ack = down + 1});
	splice_usage(rig->splice, &usage);
	assert_int_equal(usage.n_lingering, 1);
	assert_int_equal(usage.n_idle_legs, 1);
	assert_true(rig->leg_open[leg]);
}

static void splice_client_fin_in_the_body_reaches_the_endpoint(void **state)
{
	struct rig *rig = *state;
	uint32_t flow, leg;

	rig_start(rig);
	flow = rig_open(rig);
	rig_client(rig, flow, &(struct rig_in){.text = POST});
	leg = rig_accept(rig);
	rig_server(rig, leg, &(struct rig_in){.ack = POST_LEN});
	rig_forget(rig);
	rig_client(rig, flow, &(struct rig_in){.flags = TCP_FIN, .seq = POST_LEN, .text = "01234"});
	assert_int_equal(rig_n_sent(rig, SPLICE_SERVER, TCP_FIN), 1);
	for (uint32_t i = 0; i < rig->n_sent; i++)
		if (rig->sent[i].tcp.flags & TCP_FIN)
			assert_int_equal(rig->sent[i].seq + rig->sent[i].len, POST_LEN + 5);
}

static void splice_client_half_closed_still_gets_its_answer(void **state)
{
	static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
	struct rig *rig = *state;
	const struct rig_sent *sent;
	uint32_t flow, leg;

	rig_start(rig);
	flow = rig_open(rig);
	rig_client(rig, flow, &(struct rig_in){.flags = TCP_FIN, .text = GET});
	leg = rig_accept(rig);
	rig_forget(rig);
	rig_server(rig, leg, &(struct rig_in){.ack = GET_LEN, .text = answer});
	assert_memory_equal(rig_take_data(rig, SPLICE_CLIENT)->data, answer, 17);
	sent = &rig->sent[rig->n_sent - 1];
	rig_client(rig, flow, &(struct rig_in){.seq = GET_LEN + 1, .ack = sent->seq + sent->len});
	sent = &rig->sent[rig->n_sent - 1];
	rig_client(rig, flow, &(struct rig_in){.seq = GET_LEN + 1, .ack = sent->seq + sent->len});
	assert_int_equal(rig_n_sent(rig, SPLICE_CLIENT, TCP_FIN), 1);
}

// Its FIN comes ahead of the data before it.
static void splice_client_fin_waits_for_what_is_before_it(void **state)
{
	struct rig *rig = *state;
	uint32_t flow;

	rig_start(rig);
	flow = rig_open(rig);
	rig_client(rig, flow, &(struct rig_in){.flags = TCP_FIN, .seq = 10, .text = GET + 10});
	rig_expect_none(rig);
	rig_client(rig, flow, &(struct rig_in){.text = "GET /x HTT"});
	assert_int_equal(rig_n_sent(rig, SPLICE_SERVER, TCP_SYN), 1);
	while (rig->sent[rig->n_taken].side == SPLICE_CLIENT)
		rig->n_taken++;
	rig_accept(rig);
	assert_string_equal(rig_take_data(rig, SPLICE_SERVER)->data, GET);
	assert_int_equal(rig->sent[rig->n_sent - 1].ack, GET_LEN + 1);
}

// Both close a connection at rest: the FINs cross.
static void splice_fins_that_cross_end_the_connection(void **state)
{
	struct rig *rig = *state;
	struct splice_usage usage;
	const struct rig_sent *sent;
	uint32_t flow, up = 0, down = 0;

	rig_start(rig);
	flow = rig_open(rig);
	rig_exchange(rig, flow, &up, &down);
	splice_drain(rig->splice);
	assert_int_equal(rig_n_sent(rig, SPLICE_CLIENT, TCP_FIN), 1);
	rig_forget(rig);
	rig_client(rig, flow, &(struct rig_in){.flags = TCP_FIN, .seq = up, .ack = down});
	sent = rig_take(rig, SPLICE_CLIENT);
	assert_int_equal(sent->tcp.flags, TCP_ACK);
	assert_int_equal(sent->ack, up + 1);
	rig_client(rig, flow, &(struct rig_in){.seq = up + 1, .ack = down + 1});
	splice_usage(rig->splice, &usage);
	assert_int_equal(usage.n_lingering, 1);
	rig_wait(rig, 3000);
	assert_false(rig->flow_open[flow]);
	assert_int_equal(rig_n_sent(rig, SPLICE_CLIENT, TCP_RST), 0);
}

// The same between the node and an endpoint.
static void splice_fins_that_cross_end_a_leg(void **state)
{
	struct rig *rig = *state;
	uint32_t leg, up = 0, down = 0;

	rig->leg_idle_ms = 5000;
	rig_start(rig);
	leg = rig_exchange(rig, rig_open(rig), &up, &down);
	rig_wait(rig, 6500);
	assert_true(rig_n_sent(rig, SPLICE_SERVER, TCP_FIN) > 0);
	rig_forget(rig);
	rig_server(rig, leg, &(struct rig_in){.flags = TCP_FIN, .seq = down, .ack = up});
	assert_int_equal(rig_take(rig, SPLICE_SERVER)->ack, down + 1);
	assert_true(rig->leg_open[leg]);
	rig_server(rig, leg, &(struct rig_in){.seq = down + 1, .ack = up + 1});
	assert_false(rig->leg_open[leg]);
	assert_int_equal(rig_n_sent(rig, SPLICE_SERVER, TCP_RST), 0);
}

static void splice_reset_is_believed_only_in_window(void **state)
{
	struct rig *rig = *state;
	uint32_t flow, leg, up = 0, down = 0;

	rig_start(rig);
	flow = rig_open(rig);
	rig_exchange(rig, flow, &up, &down);
	rig_client(rig, flow, &(struct rig_in){.seq = up, .ack = down, .text = POST});
	leg = rig_take_data(rig, SPLICE_SERVER)->idx;
	rig_server(rig, leg, &(struct rig_in){.seq = down, .ack = up + POST_LEN});
	up += POST_LEN;
	rig_wait(rig, 1000);
	rig_forget(rig);
	rig_client(rig, flow, &(struct rig_in){.flags = TCP_RST, .seq = up - 1});
	rig_client(rig, flow, &(struct rig_in){.flags = TCP_RST, .seq = up + 10000000});
	rig_expect_none(rig);
	rig_client(rig, flow, &(struct rig_in){.flags = TCP_RST, .seq = up + 5});
	assert_int_equal(rig_take(rig, SPLICE_CLIENT)->tcp.flags, TCP_ACK); // prove it
	rig_expect_none(rig);
	assert_true(rig->flow_open[flow]);
	rig_client(rig, flow, &(struct rig_in){.flags = TCP_RST, .seq = up});
	assert_int_equal(rig_n_sent(rig, SPLICE_SERVER, TCP_RST), 1);
	assert_false(rig->flow_open[flow]);
	assert_false(rig->leg_open[leg]);
}

static void splice_challenge_acks_are_limited(void **state)
{
	struct rig *rig = *state;
	uint32_t flow;

	rig_start(rig);
	flow = rig_open(rig);
	rig_wait(rig, 1000);
	for (uint32_t i = 0; i < 5; i++)
		rig_client(rig, flow, &(struct rig_in){.flags = TCP_SYN, .seq = 7});
	assert_int_equal(rig->n_sent - rig->n_taken, 1);
	rig_forget(rig);
	rig_wait(rig, 505);
	for (uint32_t i = 0; i < 5; i++)
		rig_client(rig, flow, &(struct rig_in){.ack = 1000}); // of what was never sent
	assert_int_equal(rig_take(rig, SPLICE_CLIENT)->tcp.flags, TCP_ACK);
	rig_expect_none(rig);
}

// Brings a flow into linger; what the client used is below up + 1.
static uint32_t linger(struct rig *rig, uint32_t *up, uint32_t *down)
{
	uint32_t flow = rig_open(rig);

	rig_exchange(rig, flow, up, down);
	rig_client(rig, flow, &(struct rig_in){.flags = TCP_FIN, .seq = *up, .ack = *down});
	rig_client(rig, flow, &(struct rig_in){.seq = *up + 1, .ack = *down + 1});
	rig_forget(rig);
	return flow;
}

static void splice_linger_answers_what_is_late(void **state)
{
	struct rig *rig = *state;
	const struct rig_sent *sent;
	uint32_t flow, up = 0, down = 0;

	rig_start(rig);
	flow = linger(rig, &up, &down);
	rig_client(rig, flow, &(struct rig_in){.flags = TCP_FIN, .seq = up, .ack = down});
	sent = rig_take(rig, SPLICE_CLIENT);
	assert_int_equal(sent->ack, up + 1);
	assert_int_equal(sent->seq, down + 1);
	rig_expect_none(rig);
}

static void splice_syn_in_linger_above_the_last_number_begins_anew(void **state)
{
	struct rig *rig = *state;
	uint32_t flow, up = 0, down = 0;

	rig_start(rig);
	flow = linger(rig, &up, &down);
	rig_wait(rig, 600);
	rig_client(rig, flow, &(struct rig_in){.flags = TCP_SYN, .seq = up - 5});
	assert_int_equal(rig_take(rig, SPLICE_CLIENT)->tcp.flags, TCP_ACK);
	rig_client(rig, flow, &(struct rig_in){.flags = TCP_SYN, .seq = up + 100});
	assert_int_equal(rig_take(rig, SPLICE_CLIENT)->tcp.flags, TCP_SYN | TCP_ACK);
	rig_client(rig, flow, &(struct rig_in){.seq = up + 101, .text = GET});
	assert_string_equal(rig_take_data(rig, SPLICE_SERVER)->data, GET); // by the idle leg
}

static void splice_linger_gives_way_to_new_connections(void **state)
{
	struct rig *rig = *state;
	struct tcp_out cookie;
	uint32_t flow, up = 0, down = 0;

	rig->config.n_flows = 1;
	rig_start(rig);
	flow = linger(rig, &up, &down);
	assert_int_equal(rig_syn(rig, 4711, &cookie), flow);
	assert_int_equal(rig_take(rig, SPLICE_CLIENT)->tcp.flags, TCP_SYN | TCP_ACK);
}

static void splice_flows_used_up_refuses_the_next(void **state)
{
	struct rig *rig = *state;
	struct tcp_out cookie;

	rig->config.n_flows = 1;
	rig_start(rig);
	rig_open(rig);
	assert_int_equal(rig_syn(rig, 4711, &cookie), SPLICE_NONE);
	assert_int_equal(cookie.flags, 0);
	rig_expect_none(rig);
}

static void splice_drain_closes_the_idle_and_lets_the_others_end(void **state)
{
	static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
	struct rig *rig = *state;
	const struct rig_sent *sent;
	struct tcp_out cookie;
	uint32_t flow, leg, up = 0, down = 0;

	rig_start(rig);
	flow = rig_open(rig);
	leg = rig_exchange(rig, flow, &up, &down);
	rig_client(rig, flow, &(struct rig_in){.seq = up, .ack = down, .text = GET});
	rig_forget(rig);
	splice_drain(rig->splice);
	assert_int_equal(rig_n_sent(rig, SPLICE_CLIENT, TCP_FIN), 0);
	assert_int_equal(rig_syn(rig, 4711, &cookie), SPLICE_NONE);
	rig_server(rig, leg, &(struct rig_in){.seq = down, .ack = up + GET_LEN, .text = answer});
	sent = rig_take_data(rig, SPLICE_CLIENT);
	assert_memory_equal(sent->data, "HTTP/1.1 200 ", 13);
	rig_client(rig, flow, &(struct rig_in){.seq = up + GET_LEN, .ack = sent->seq + sent->len});
	assert_int_equal(rig_n_sent(rig, SPLICE_CLIENT, TCP_FIN), 1);
}

static void splice_drain_closes_an_idle_flow(void **state)
{
	struct rig *rig = *state;
	uint32_t flow, up = 0, down = 0;

	rig_start(rig);
	flow = rig_open(rig);
	rig_exchange(rig, flow, &up, &down);
	splice_drain(rig->splice);
	rig_wait(rig, 100);
	assert_int_equal(rig_n_sent(rig, SPLICE_CLIENT, TCP_FIN), 1);
	rig_client(rig, flow, &(struct rig_in){.flags = TCP_FIN, .seq = up, .ack = down + 1});
	rig_wait(rig, 70000);
	assert_false(rig->flow_open[flow]);
}

static void splice_endpoint_removed_drains_until_its_limit(void **state)
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
	rig_client(rig, flow, &(struct rig_in){.seq = GET_LEN, .ack = 39});
	rig->removed = true;
	rig_wait(rig, 9000);
	assert_true(rig->flow_open[flow]);
	rig_wait(rig, 4000);
	assert_false(rig->flow_open[flow]);
	assert_int_equal(rig->why, SPLICE_WHY_DRAINED);
}

static void splice_idle_flow_is_closed_in_good_order(void **state)
{
	struct rig *rig = *state;
	uint32_t flow, up = 0, down = 0;

	rig_start(rig);
	flow = rig_open(rig);
	rig_exchange(rig, flow, &up, &down);
	rig_wait(rig, 59000);
	assert_int_equal(rig_n_sent(rig, SPLICE_CLIENT, 0), 0);
	rig_wait(rig, 2000);
	assert_int_equal(rig_n_sent(rig, SPLICE_CLIENT, TCP_FIN) > 0, 1);
	assert_int_equal(rig_n_sent(rig, SPLICE_CLIENT, TCP_RST), 0);
	rig_wait(rig, 20000); // nobody answers
	assert_false(rig->flow_open[flow]);
}

static void splice_keepalive_probe_is_answered_not_forwarded(void **state)
{
	struct rig *rig = *state;
	const struct rig_sent *sent;
	uint32_t flow, up = 0, down = 0;

	rig_start(rig);
	flow = rig_open(rig);
	rig_exchange(rig, flow, &up, &down);
	rig_client(rig, flow, &(struct rig_in){.seq = up - 1, .ack = down, .text = "?"});
	sent = rig_take(rig, SPLICE_CLIENT);
	assert_int_equal(sent->ack, up);
	assert_int_equal(sent->len, 0);
	// Empty ones are answered, too, but not each: two ends out of step would go on for ever.
	for (uint32_t i = 0; i < 9; i++)
		rig_client(rig, flow, &(struct rig_in){.seq = up - 1, .ack = down});
	assert_int_equal(rig_take(rig, SPLICE_CLIENT)->ack, up);
	rig_expect_none(rig);
	rig_wait(rig, 505);
	rig_client(rig, flow, &(struct rig_in){.seq = up - 1, .ack = down});
	assert_int_equal(rig_take(rig, SPLICE_CLIENT)->ack, up);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(splice_endpoint_fin_on_an_idle_leg_is_not_seen),
		CASE(splice_idle_leg_is_kept_for_its_endpoints_time),
		CASE(splice_client_fin_between_requests_keeps_the_leg),
		CASE(splice_client_fin_in_the_body_reaches_the_endpoint),
		CASE(splice_client_half_closed_still_gets_its_answer),
		CASE(splice_client_fin_waits_for_what_is_before_it),
		CASE(splice_fins_that_cross_end_the_connection),
		CASE(splice_fins_that_cross_end_a_leg),
		CASE(splice_reset_is_believed_only_in_window),
		CASE(splice_challenge_acks_are_limited),
		CASE(splice_linger_answers_what_is_late),
		CASE(splice_syn_in_linger_above_the_last_number_begins_anew),
		CASE(splice_linger_gives_way_to_new_connections),
		CASE(splice_flows_used_up_refuses_the_next),
		CASE(splice_drain_closes_the_idle_and_lets_the_others_end),
		CASE(splice_drain_closes_an_idle_flow),
		CASE(splice_endpoint_removed_drains_until_its_limit),
		CASE(splice_idle_flow_is_closed_in_good_order),
		CASE(splice_keepalive_probe_is_answered_not_forwarded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
