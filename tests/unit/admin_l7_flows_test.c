// SPDX-License-Identifier: Apache-2.0

// What the admin server says of flows, which a real splice has and a worker tells. The worker takes its turns with
// client and server.

#include "tests/unit/admin_l7_rig.h"

static void admin_flow_is_told_with_both_ends(void **state)
{
	struct fixture *f = *state;
	const json_t *rows;
	json_t *answer;

	rig_open_flow(f, 5, 0, 0, 1);
	rig_open_flow(f, 6, L7_NO_SLOT, L7_NO_SLOT, L7_NO_SLOT);
	answer = ask(f, "GET /flows");
	rows = rows_of(answer, "flows");
	assert_int_equal(json_array_size(rows), 2);
	assert_string_equal(text_at(rows, 0, "client"), "10.1.0.5:1000");
	assert_string_equal(text_at(rows, 0, "address"), "10.100.0.1:80");
	assert_string_equal(text_at(rows, 0, "vrf"), "red");
	assert_string_equal(text_at(rows, 0, "listener"), "web");
	assert_string_equal(text_at(rows, 0, "virtual_host"), "shared/cart");
	assert_string_equal(text_at(rows, 0, "route"), "beta");
	assert_string_equal(text_at(rows, 0, "cluster"), "a");
	assert_string_equal(text_at(rows, 0, "endpoint"), "[fd00:2::1]:8081");
	assert_string_equal(text_at(rows, 0, "phase"), "handshake");
	assert_true(json_is_null(json_object_get(json_array_get(rows, 0), "source")));
	assert_true(json_is_null(json_object_get(json_array_get(rows, 1), "cluster")));
	assert_int_equal(json_integer_value(json_object_get(answer, "in_use")), 2);
	assert_true(json_is_false(json_object_get(answer, "cut")));
	assert_true(json_is_true(json_object_get(answer, "complete")));
	json_decref(answer);
}

static void admin_flows_are_filtered(void **state)
{
	static const struct {
		const char *query;
		size_t n;
	} cases[] = {
		{"client=10.1.0.5", 1},
		{"client=10.1.0.5:1000", 1},
		{"client=10.1.0.5:1001", 0},
		{"client=10.1.0.0/24", 4},
		{"client=10.1.0.4/31", 2},
		{"client=10.1.0.4/30", 4},
		{"client=10.1.0.0/16", 5},
		{"client=0.0.0.0/0", 5},
		{"client=fd00::1", 0},
		{"client=::/0", 0},
		{"vrf=red", 5},
		{"vrf=blue", 0},
		{"listener=web", 5},
		{"listener=own", 0},
		{"virtual_host=cart", 2},
		{"virtual_host=shared/cart", 2},
		{"virtual_host=pay", 1},
		{"virtual_host=shared/any", 0},
		{"cluster=a", 2},
		{"cluster=b", 1},
		{"endpoint=10.2.0.1", 1},
		{"endpoint=10.2.0.1:8080", 1},
		{"endpoint=10.2.0.1:8081", 0},
		{"endpoint=[fd00:2::1]:8081", 1},
		{"endpoint=fd00:2::1", 1},
		{"endpoint=[fd00:2::1]", 1},
		{"phase=handshake", 5},
		{"phase=bound", 0},
		{"cluster=a&endpoint=10.2.0.1", 1},
		{"cluster=b&endpoint=10.2.0.1", 0},
	};
	struct fixture *f = *state;

	rig_open_flow(f, 4, 0, 0, 0);
	rig_open_flow(f, 5, 0, 0, 1);
	rig_open_flow(f, 6, 1, 1, 2);
	rig_open_flow(f, 7, L7_NO_SLOT, L7_NO_SLOT, L7_NO_SLOT);
	rig_open_flow(f, 0x107, L7_NO_SLOT, L7_NO_SLOT, L7_NO_SLOT);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char request[128];
		json_t *answer;

		snprintf(request, sizeof(request), "GET /flows?%s", cases[i].query);
		answer = ask(f, request);
		if (f->status != 200 ||
			json_array_size(json_object_get(answer, "flows")) != cases[i].n)
			fail_msg("%s: %s", request, strstr(f->output, "\r\n\r\n"));
		json_decref(answer);
	}
}

// More flows than the worker's ring holds; the limit cuts, the filter finds those at the end.
static void admin_flows_beyond_the_ring_are_found_and_cut_at_the_limit(void **state)
{
	struct fixture *f = *state;
	json_t *answer;

	for (uint16_t i = 0; i < RIG_N_FLOWS; i++)
		rig_open_flow(f, i, L7_NO_SLOT, L7_NO_SLOT, L7_NO_SLOT);
	answer = ask(f, "GET /flows?limit=1000");
	assert_int_equal(json_array_size(rows_of(answer, "flows")), 1000);
	assert_true(json_is_true(json_object_get(answer, "cut")));
	assert_int_equal(json_integer_value(json_object_get(answer, "in_use")), RIG_N_FLOWS);
	json_decref(answer);
	// What is left of the one before, some of them, is not taken for this one's.
	answer = ask(f, "GET /flows?client=10.1.4.0/24&limit=1000");
	assert_int_equal(json_array_size(rows_of(answer, "flows")), 256);
	json_decref(answer);
	answer = ask(f, "GET /flows?client=10.1.15.240/28&limit=16");
	assert_int_equal(json_array_size(rows_of(answer, "flows")), 16);
	assert_true(json_is_false(json_object_get(answer, "cut")));
	json_decref(answer);
}

static void admin_flows_of_a_client_that_leaves_are_given_up(void **state)
{
	struct fixture *f = *state;
	json_t *answer;
	int fd, other_fd;

	rig_open_flow(f, 1, 0, 0, 0);
	f->turn_fn = NULL;
	fd = send_request(f, "GET /flows");
	for (int i = 0; i < 100; i++)
		turn(f);
	other_fd = send_request(f, "GET /flows");
	json_decref(read_answer(f, other_fd));
	assert_int_equal(f->status, 409);
	close(fd);
	while (f->ctrl.flow_session != NULL)
		turn(f);
	assert_int_equal(f->l7.report->asked, 0);
	f->turn_fn = rig_run_worker;
	answer = ask(f, "GET /flows");
	assert_int_equal(f->status, 200);
	assert_int_equal(json_array_size(rows_of(answer, "flows")), 1);
	json_decref(answer);
}

static void admin_server_that_ends_while_flows_are_listed_frees_them(void **state)
{
	struct fixture *f = *state;
	int fd;

	f->turn_fn = NULL;
	fd = send_request(f, "GET /flows");
	for (int i = 0; i < 100; i++)
		turn(f);
	assert_non_null(f->ctrl.flow_session);
	admin_destroy(f->ctrl.admin);
	f->ctrl.admin = NULL;
	assert_null(f->ctrl.flow_session);
	assert_int_equal(f->l7.report->asked, 0);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		L7_TEST(admin_flow_is_told_with_both_ends),
		L7_TEST(admin_flows_are_filtered),
		L7_TEST(admin_flows_beyond_the_ring_are_found_and_cut_at_the_limit),
		L7_TEST(admin_flows_of_a_client_that_leaves_are_given_up),
		L7_TEST(admin_server_that_ends_while_flows_are_listed_frees_them),
	};

	return cmocka_run_group_tests(tests, eal_start, NULL);
}
