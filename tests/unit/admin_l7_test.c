// SPDX-License-Identifier: Apache-2.0

// What the admin server says of services: rows and counters of listeners, and every refusal.

#include "tests/unit/admin_l7_rig.h"

#include "ctrl/admin/l7_status.h"
#include "ctrl/admin/l7_view.h"

static void admin_names_are_found_with_their_parent(void **state)
{
	static const struct l7_name all[] = {{0, "a"}, {5, "a"}, {0, "b"}};
	struct paged_draft none, draft;
	struct paged *empty, *names;
	uint32_t hint = 0;

	(void)state;
	paged_start(&none, NULL, PAGED_BYTES, sizeof(all[0]));
	empty = paged_finish(&none);
	paged_start(&draft, NULL, PAGED_BYTES, sizeof(all[0]));
	for (uint32_t i = 0; i < 3; i++)
		paged_set(&draft, i, &all[i]);
	names = paged_finish(&draft);
	assert_int_equal(l7_view_find_slot(names, 5, "a", &hint), 1);
	assert_int_equal(l7_view_find_slot(names, 0, "b", &hint), 2);
	assert_int_equal(l7_view_find_slot(names, 0, "a", &hint), 0);
	assert_int_equal(l7_view_find_slot(names, 5, "b", &hint), L7_NO_SLOT);
	assert_int_equal(l7_view_find_slot(empty, 0, "a", &hint), L7_NO_SLOT);
	paged_release(names);
	paged_release(empty);
}

static void admin_services_are_told_as_the_file_has_them(void **state)
{
	json_t *answer = ask(*state, "GET /services");
	const json_t *rows = rows_of(answer, "services"), *hosts = rows_of(answer, "virtual_hosts");

	assert_int_equal(json_array_size(rows), 3);
	assert_string_equal(text_at(rows, 0, "listener"), "web");
	expect_list(rows, 0, "addresses", "10.100.0.1:80 [fd00:100::1]:80");
	expect_list(rows, 0, "vrfs", "red blue");
	assert_string_equal(text_at(rows, 0, "route_configuration"), "shared");
	assert_string_equal(text_at(rows, 1, "route_configuration"), "own");
	assert_string_equal(text_at(rows, 2, "protocol"), "tcp");
	assert_true(json_is_null(json_object_get(json_array_get(rows, 2), "route_configuration")));
	assert_int_equal(json_array_size(hosts), 3);
	assert_string_equal(text_at(hosts, 0, "virtual_host"), "shared/cart");
	expect_list(hosts, 0, "domains", "cart.local *.cart.local");
	assert_string_equal(text_at(hosts, 2, "virtual_host"), "own/any");
	json_decref(answer);
}

static void admin_services_count_requests_replies_and_latencies(void **state)
{
	struct fixture *f = *state;
	struct l7_counters *web = rig_counters(f, L7_LISTENER, 0);
	const json_t *rows;
	json_t *answer;

	*web = (struct l7_counters){.n_requests = 100,
		.n_statuses = {1, 90, 2, 3, 4},
		.n_active = 5,
		.n_bytes_up = 1000,
		.n_bytes_down = 2000};
	web->n_own_replies[SPLICE_WHY_NO_ROUTE] = 3;
	web->n_own_replies[SPLICE_WHY_CONNECT] = 4;
	web->n_resets[SPLICE_WHY_DRAINED] = 1;
	for (uint64_t us = 1; us <= 100; us++)
		rig_measure(f, L7_LISTENER, 0, L7_FIRST_BYTE, us <= 90 ? 10 : 30);
	rig_measure(f, L7_LISTENER, 0, L7_RESPONSE, 1000000);
	f->l7.stats->n_malformed[1] = 6;
	f->l7.stats->n_cookies = 8;
	rig_counters(f, L7_VIRTUAL_HOST, 1)->n_requests = 70;
	answer = ask(f, "GET /services");
	rows = rows_of(answer, "services");
	assert_int_equal(number_at(rows, 0, "requests"), 100);
	assert_int_equal(number_at(rows, 0, "status.1xx"), 1);
	assert_int_equal(number_at(rows, 0, "status.5xx"), 4);
	assert_int_equal(number_at(rows, 0, "active"), 5);
	assert_int_equal(number_at(rows, 0, "bytes_up"), 1000);
	assert_int_equal(number_at(rows, 0, "bytes_down"), 2000);
	assert_int_equal(number_at(rows, 0, "own_replies"), 7);
	assert_int_equal(number_at(rows, 0, "own_replies_by_reason.no_route"), 3);
	assert_int_equal(number_at(rows, 0, "own_replies_by_reason.connect_failed"), 4);
	assert_int_equal(number_at(rows, 0, "resets_by_reason.drained"), 1);
	assert_int_equal(number_at(rows, 0, "first_byte_us.count"), 100);
	assert_int_equal(number_at(rows, 0, "first_byte_us.p50"), 10);
	assert_int_equal(number_at(rows, 0, "first_byte_us.p90"), 10);
	assert_int_equal(number_at(rows, 0, "first_byte_us.p99"), 30);
	assert_int_equal(number_at(rows, 0, "first_byte_us.max"), 30);
	assert_true(number_at(rows, 0, "response_us.max") >= 1000000);
	assert_int_equal(number_at(rows, 1, "requests"), 0);
	assert_int_equal(number_at(rows, 1, "response_us.count"), 0);
	assert_int_equal(number_at(rows_of(answer, "virtual_hosts"), 1, "requests"), 70);
	assert_int_equal(json_array_size(rows_of(answer, "malformed")), 1);
	assert_int_equal(number_at(rows_of(answer, "malformed"), 0, "heads"), 6);
	assert_string_equal(text_at(rows_of(answer, "events"), 1, "event"), "syn_cookies");
	assert_int_equal(number_at(rows_of(answer, "events"), 1, "count"), 8);
	json_decref(answer);
}

static void admin_services_of_one_name(void **state)
{
	static const struct {
		const char *request;
		size_t n_services;
		size_t n_hosts;
	} cases[] = {
		{"GET /services?name=web", 1, 0},
		{"GET /services?name=own", 1, 1},
		{"GET /services?name=shared", 0, 2},
		{"GET /services?name=shared/pay", 0, 1},
		{"GET /services?name=cart", 0, 1},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		json_t *answer = ask(*state, cases[i].request);

		assert_int_equal(json_array_size(rows_of(answer, "services")), cases[i].n_services);
		assert_int_equal(
			json_array_size(rows_of(answer, "virtual_hosts")), cases[i].n_hosts);
		assert_int_equal(json_array_size(rows_of(answer, "events")), 0);
		json_decref(answer);
	}
}

// By a text of the same length.
static void replace(char *text, const char *old, const char *new)
{
	char *at = strstr(text, old);

	assert_non_null(at);
	for (size_t i = 0; new[i] != '\0'; i++)
		at[i] = new[i];
}

// Counters that another had before in a slot are gone, its histograms too.
static void admin_counters_of_a_new_listener_begin_at_zero(void **state)
{
	struct fixture *f = *state;
	char *text = strdup(rig_config);
	const json_t *rows;
	json_t *answer;

	rig_counters(f, L7_LISTENER, 1)->n_requests = 9;
	rig_counters(f, L7_LISTENER, 2)->n_requests = 8;
	rig_measure(f, L7_LISTENER, 1, L7_RESPONSE, 5);
	for (int i = 0; i < 2; i++) {
		// Another name, which takes a slot of its own; then it again, in the slot that was its.
		replace(text, i == 0 ? "\"own\"" : "\"new\"", i == 0 ? "\"new\"" : "\"own\"");
		write_config(f, text, 0);
		json_decref(ask(f, "POST /reload"));
		assert_int_equal(f->status, 200);
	}
	free(text);
	answer = ask(f, "GET /services");
	rows = rows_of(answer, "services");
	assert_string_equal(text_at(rows, 1, "listener"), "own");
	assert_int_equal(number_at(rows, 1, "requests"), 0);
	assert_int_equal(number_at(rows, 1, "response_us.count"), 0);
	assert_int_equal(number_at(rows, 2, "requests"), 8);
	assert_int_equal(*rig_latency_at(f, L7_LISTENER, 1, L7_RESPONSE, 5), 0);
	json_decref(answer);
}

static void admin_wrong_requests_about_services_are_refused(void **state)
{
	static const struct {
		const char *request;
		int status;
		const char *reason;
	} cases[] = {
		{"GET /services?name=nope", 404, "no listener and no virtual host \"nope\""},
		{"GET /services?name=", 404, "no listener"},
		{"GET /clusters?name=nope", 404, "no cluster \"nope\""},
		{"GET /clusters?name=", 404, "no cluster"},
		{"GET /routes?listener=nope", 404, "no listener \"nope\""},
		{"GET /routes?listener=tcp", 404, "it has no routes"},
		{"GET /routes?http=2", 400, "http must be a number from 0 to 1"},
		{"GET /routes?http=1&vrf=red", 400, "no VRF and no address"},
		{"GET /flows?limit=0", 400, "limit must be a number from 1 to 1000"},
		{"GET /flows?limit=1001", 400, "limit must be a number"},
		{"GET /flows?client=x", 400, "client: \"x\" is no address"},
		{"GET /flows?client=10.1.0.0/33", 400, "is no address"},
		{"GET /flows?client=10.1.0.1/", 400, "is no address"},
		{"GET /flows?client=10.1.0.1:0", 400, "is no address"},
		{"GET /flows?client=[fd00::1", 400, "is no address"},
		{"GET /flows?endpoint=10.2.0.1/8", 400, "endpoint: "},
		{"GET /flows?endpoint=10.2.0.1:99999", 400, "endpoint: "},
		{"GET /flows?vrf=nope", 404, "no VRF \"nope\""},
		{"GET /flows?listener=nope", 404, "no listener \"nope\""},
		{"GET /flows?virtual_host=shared/nope", 404, "no virtual host"},
		{"GET /flows?cluster=nope", 404, "no cluster \"nope\""},
		{"GET /flows?phase=free", 404, "no phase \"free\""},
		{"GET /flows?color=red", 400, "no parameter \"color\""},
		{"POST /flows", 405, "wants GET"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fixture *f = *state;
		json_t *answer = ask(f, cases[i].request);
		const char *error = json_string_value(json_object_get(answer, "error"));

		if (f->status != cases[i].status || error == NULL ||
			strstr(error, cases[i].reason) == NULL)
			fail_msg("%s: %d %s", cases[i].request, f->status,
				error == NULL ? "" : error);
		json_decref(answer);
	}
}

static void admin_status_warns_when_flows_are_nearly_used_up(void **state)
{
	struct fixture *f = *state;
	json_t *rows, *lines;

	for (uint16_t i = 0; i < RIG_N_FLOWS * 8 / 10; i++)
		rig_open_flow(f, i, L7_NO_SLOT, L7_NO_SLOT, L7_NO_SLOT);
	rows = l7_status_rows(&f->ctrl);
	lines = l7_status_warnings(&f->ctrl);
	assert_int_equal(number_at(rows, 0, "flows.in_use"), RIG_N_FLOWS * 8 / 10);
	assert_int_equal(number_at(rows, 0, "flows.limit"), RIG_N_FLOWS);
	assert_int_equal(number_at(rows, 0, "half_open.in_use"), RIG_N_FLOWS * 8 / 10);
	assert_int_equal(number_at(rows, 0, "legs.limit"), RIG_N_LEGS);
	assert_int_equal(json_array_size(lines), 0);
	json_decref(lines);
	rig_open_flow(f, RIG_N_FLOWS, L7_NO_SLOT, L7_NO_SLOT, L7_NO_SLOT);
	lines = l7_status_warnings(&f->ctrl);
	assert_int_equal(json_array_size(lines), 2);
	assert_string_equal(json_string_value(json_array_get(lines, 0)),
		"worker 0: 3277 of 4096 flows in use: new connections are refused at the limit; "
		"raise l7.flows");
	json_decref(lines);
	json_decref(rows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(admin_names_are_found_with_their_parent),
		L7_TEST(admin_services_are_told_as_the_file_has_them),
		L7_TEST(admin_services_count_requests_replies_and_latencies),
		L7_TEST(admin_services_of_one_name),
		L7_TEST(admin_counters_of_a_new_listener_begin_at_zero),
		L7_TEST(admin_wrong_requests_about_services_are_refused),
		L7_TEST(admin_status_warns_when_flows_are_nearly_used_up),
	};

	return cmocka_run_group_tests(tests, eal_start, NULL);
}
