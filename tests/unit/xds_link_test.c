// SPDX-License-Identifier: Apache-2.0

// Which server is tried when, and what is told of it. Waits are read from the link's status, not measured.

#include "tests/unit/grpc_server.h"

static void link_server_answers_stream_works(void **state)
{
	struct rig *rig = rig_create(NULL);
	char bytes[8];

	(void)state;
	rig_link(rig);
	assert_int_equal(link_send(rig->link, (const uint8_t *)"a", 1), -ENOTCONN);
	WAIT_FOR(rig->base, rig->n_messages == 1);
	assert_int_equal(rig->n_up, 1);
	assert_int_equal(rig_status(rig).state, LINK_UP);
	assert_true(rig_status(rig).answered);
	assert_string_equal(rig->up, rig_status(rig).server);
	assert_int_equal(link_send(rig->link, (const uint8_t *)"abc", 3), 0);
	WAIT_FOR(rig->base, evbuffer_get_length(rig->servers[0].messages) == 8);
	evbuffer_remove(rig->servers[0].messages, bytes, sizeof(bytes));
	assert_memory_equal(bytes, "\0\0\0\0\3abc", 8);
	assert_int_equal(rig_status(rig).counts.rx_bytes, 2);
	assert_int_equal(rig_status(rig).counts.tx_bytes, 3);
	rig_destroy(rig);
}

static void link_preferred_server_is_gone_next_one_is_taken(void **state)
{
	struct rig *rig = rig_create(NULL);

	(void)state;
	server_stop(&rig->servers[0]);
	rig->spec.n_servers = 2;
	rig_link(rig);
	WAIT_FOR(rig->base, rig->n_messages == 1);
	assert_int_equal(rig_status(rig).n_attempts, 2);
	assert_int_equal(rig->servers[1].n_calls, 1);
	assert_int_equal(rig->n_down, 0);
	assert_non_null(strstr(rig_status(rig).why, "Connection refused"));
	rig_destroy(rig);
}

static void link_preferred_server_refuses_next_one_is_taken(void **state)
{
	struct rig *rig = rig_create(NULL);

	(void)state;
	rig->servers[0].manner = SERVER_REFUSES;
	rig->spec.n_servers = 2;
	rig_link(rig);
	WAIT_FOR(rig->base, rig->n_messages == 1);
	assert_int_equal(rig->servers[0].n_calls, 1);
	assert_int_equal(rig->servers[1].n_calls, 1);
	assert_int_equal(rig->n_down, 1);
	assert_string_equal(rig->why, "UNAVAILABLE: the server ended the stream");
	rig_destroy(rig);
}

static void link_stream_breaks_preferred_server_is_first_again(void **state)
{
	struct rig *rig = rig_create(NULL);

	(void)state;
	rig->servers[0].manner = SERVER_REFUSES;
	rig->spec.n_servers = 2;
	rig_link(rig);
	WAIT_FOR(rig->base, rig->n_messages == 1);
	rig->servers[0].manner = SERVER_ANSWERS;
	server_hang_up_all(&rig->servers[1]);
	WAIT_FOR(rig->base, rig->n_down == 2);
	assert_string_equal(rig->why, "UNAVAILABLE: the server closed the connection");
	assert_int_equal(rig_status(rig).state, LINK_WAITING);
	assert_true(rig_status(rig).wait_ms <= 500);
	WAIT_FOR(rig->base, rig->n_messages == 2);
	assert_int_equal(rig->servers[0].n_calls, 2);
	assert_int_equal(rig->servers[1].n_calls, 1);
	rig_destroy(rig);
}

static void link_server_is_mute_deadline_ends_the_attempt(void **state)
{
	struct rig *rig = rig_create(NULL);

	(void)state;
	rig->servers[0].manner = SERVER_IS_MUTE;
	rig->spec.connect_timeout_ms = 30;
	rig_link(rig);
	assert_string_equal(rig_failure(rig), "opening a stream took longer than 30 ms");
	assert_int_equal(rig->n_up, 0);
	assert_int_equal(rig->n_down, 0);
	rig_destroy(rig);
}

static void link_rounds_fail_wait_grows_to_its_bound(void **state)
{
	static const uint32_t bounds[] = {500, 1000, 2000, 4000, 8000, 16000, 30000, 30000};

	(void)state;
	for (uint32_t i = 0; i < sizeof(bounds) / sizeof(bounds[0]); i++)
		assert_int_equal(link_backoff_bound_ms(i), bounds[i]);
	assert_int_equal(link_backoff_bound_ms(UINT32_MAX), 30000);
}

static void link_message_comes_back_off_starts_over(void **state)
{
	struct rig *rig = rig_create(NULL);

	(void)state;
	rig->servers[0].manner = SERVER_REFUSES;
	rig_link(rig);
	WAIT_FOR(rig->base, rig->n_down == 2);
	assert_int_equal(rig_status(rig).n_failed_rounds, 2);
	rig->servers[0].manner = SERVER_ANSWERS;
	WAIT_FOR(rig->base, rig->n_messages == 1);
	server_hang_up_all(&rig->servers[0]);
	WAIT_FOR(rig->base, rig->n_down == 3);
	assert_int_equal(rig_status(rig).n_failed_rounds, 0);
	rig_destroy(rig);
}

static void link_reset_by_its_owner_counts_as_failure(void **state)
{
	struct rig *rig = rig_create(NULL);

	(void)state;
	rig_link(rig);
	WAIT_FOR(rig->base, rig->n_messages == 1);
	link_reset(rig->link, "nonsense");
	assert_int_equal(rig->n_down, 0);
	WAIT_FOR(rig->base, rig->n_down == 1);
	assert_string_equal(rig->why, "nonsense");
	assert_int_equal(rig_status(rig).n_failed_rounds, 1);
	WAIT_FOR(rig->base, rig->n_messages == 2);
	rig_destroy(rig);
}

static void link_paused_nothing_comes_until_resumed(void **state)
{
	struct rig *rig = rig_create(NULL);

	(void)state;
	rig->servers[0].manner = SERVER_LISTENS;
	rig_link(rig);
	WAIT_FOR(rig->base, rig->n_up == 1 && rig->servers[0].n_calls == 1);
	link_pause(rig->link);
	bufferevent_write(rig->servers[0].calls[0], server_answer, sizeof(server_answer) - 1);
	WAIT_FOR(rig->base,
		evbuffer_get_length(bufferevent_get_output(rig->servers[0].calls[0])) == 0);
	for (int i = 0; i < 20; i++)
		event_base_loop(rig->base, EVLOOP_NONBLOCK);
	assert_int_equal(rig->n_messages, 0);
	link_resume(rig->link);
	WAIT_FOR(rig->base, rig->n_messages == 1);
	rig_destroy(rig);
}

static void link_name_in_hosts_is_found(void **state)
{
	struct rig *rig = rig_create(NULL);

	(void)state;
	rig->specs[0].host = "localhost";
	rig_link(rig);
	WAIT_FOR(rig->base, rig->n_messages == 1);
	assert_non_null(strstr(rig->up, "localhost:"));
	rig_destroy(rig);
}

static void link_name_without_name_server_is_told(void **state)
{
	struct rig *rig = rig_create(NULL);

	(void)state;
	rig->specs[0].host = "xds.invalid";
	rig_link(rig);
	assert_string_equal(
		rig_failure(rig), "looking up xds.invalid: no name server in /nonexistent");
	rig_destroy(rig);
}

static void link_destroyed_at_any_turn_leaves_nothing(void **state)
{
	(void)state;
	for (int turns = 0; turns < 12; turns++) {
		struct rig *rig = rig_create(NULL);

		rig_link(rig);
		for (int i = 0; i < turns; i++)
			event_base_loop(rig->base, EVLOOP_NONBLOCK);
		rig_destroy(rig);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(link_server_answers_stream_works),
		cmocka_unit_test(link_preferred_server_is_gone_next_one_is_taken),
		cmocka_unit_test(link_preferred_server_refuses_next_one_is_taken),
		cmocka_unit_test(link_stream_breaks_preferred_server_is_first_again),
		cmocka_unit_test(link_server_is_mute_deadline_ends_the_attempt),
		cmocka_unit_test(link_rounds_fail_wait_grows_to_its_bound),
		cmocka_unit_test(link_message_comes_back_off_starts_over),
		cmocka_unit_test(link_reset_by_its_owner_counts_as_failure),
		cmocka_unit_test(link_paused_nothing_comes_until_resumed),
		cmocka_unit_test(link_name_in_hosts_is_found),
		cmocka_unit_test(link_name_without_name_server_is_told),
		cmocka_unit_test(link_destroyed_at_any_turn_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
