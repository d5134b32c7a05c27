// SPDX-License-Identifier: Apache-2.0

// What the admin server says of routes and clusters of services.

#include "tests/unit/admin_l7_rig.h"

static void admin_http_routes_tell_match_and_target(void **state)
{
	struct fixture *f = *state;
	const json_t *rows;
	json_t *answer;

	rig_counters(f, L7_ROUTE, 1)->n_requests = 11;
	rig_measure(f, L7_ROUTE, 1, L7_RESPONSE, 1000);
	answer = ask(f, "GET /routes?http=1");
	rows = rows_of(answer, "http_routes");
	assert_null(json_object_get(answer, "routes"));
	assert_int_equal(json_array_size(rows), 4);
	assert_string_equal(text_at(rows, 0, "route"), "shared/cart/beta");
	assert_string_equal(text_at(rows, 0, "match"), "/v2, x-team: blue, not agent: curl/*");
	assert_string_equal(text_at(rows, 0, "to"), "75 % a, 25 % b");
	assert_string_equal(text_at(rows, 1, "route"), "shared/cart/#1");
	assert_string_equal(text_at(rows, 1, "match"), "/*");
	assert_string_equal(text_at(rows, 1, "to"), "cluster a");
	assert_int_equal(number_at(rows, 1, "requests"), 11);
	assert_null(json_object_get(json_array_get(rows, 1), "host_rewrite"));
	assert_string_equal(text_at(rows, 2, "route"), "shared/pay/#0");
	assert_string_equal(text_at(rows, 2, "match"),
		"/*, a: *b (any case), c: *d* (missing is empty), not n: -1 to below 9");
	assert_string_equal(text_at(rows, 2, "host_rewrite"), "inner");
	assert_string_equal(text_at(rows, 3, "route"), "own/any/#0");
	assert_string_equal(text_at(rows, 3, "to"), "reply 204");
	for (size_t row = 0; row < 4; row++)
		assert_int_equal(number_at(rows, row, "response_us.count"),
			number_at(rows, row, "requests") == 11);
	for (size_t row = 0; row < 4; row++)
		if (number_at(rows, row, "requests") == 11)
			assert_in_range(number_at(rows, row, "response_us.p50"), 1000, 1125);
	json_decref(answer);
}

static void admin_route_to_a_virtual_address_names_listeners(void **state)
{
	json_t *answer = ask(*state, "GET /routes?vrf=red&address=10.100.0.1");

	assert_string_equal(json_string_value(json_object_get(answer, "kind")), "service");
	assert_string_equal(json_string_value(json_object_get(answer, "to")), "listener web");
	json_decref(answer);
	answer = ask(*state, "GET /routes?vrf=blue&address=10.100.0.2");
	assert_string_equal(json_string_value(json_object_get(answer, "to")), "2 listeners");
	assert_int_equal(json_array_size(rows_of(answer, "listeners")), 2);
	json_decref(answer);
}

static void admin_routes_are_of_ip_and_of_http(void **state)
{
	json_t *answer = ask(*state, "GET /routes");

	assert_true(json_array_size(rows_of(answer, "routes")) > 4);
	assert_int_equal(json_array_size(rows_of(answer, "http_routes")), 4);
	json_decref(answer);
	answer = ask(*state, "GET /routes?vrf=red");
	assert_null(json_object_get(answer, "http_routes"));
	json_decref(answer);
	answer = ask(*state, "GET /routes?listener=own");
	assert_int_equal(json_array_size(rows_of(answer, "http_routes")), 1);
	json_decref(answer);
}

static void admin_clusters_tell_their_endpoints(void **state)
{
	struct fixture *f = *state;
	const json_t *rows;
	json_t *answer;

	rig_counters(f, L7_CLUSTER, 0)->n_requests = 20;
	*rig_counters(f, L7_ENDPOINT, 1) = (struct l7_counters){
		.n_requests = 12, .n_active = 5, .n_connect_failures = 2, .n_retries = 1};
	// Not the legs, but what the splice counts: it has no flows here, so the number is planted.
	((uint32_t *)(uintptr_t)splice_active(f->l7.splice))[1] = 3;
	rig_measure(f, L7_ENDPOINT, 1, L7_FIRST_BYTE, 6);
	rig_measure(f, L7_ENDPOINT, 1, L7_FIRST_BYTE, UINT64_MAX);
	answer = ask(f, "GET /clusters");
	assert_int_equal(json_array_size(rows_of(answer, "clusters")), 2);
	assert_int_equal(number_at(rows_of(answer, "clusters"), 0, "requests"), 20);
	assert_int_equal(number_at(rows_of(answer, "clusters"), 0, "live_endpoints"), 2);
	assert_string_equal(text_at(rows_of(answer, "clusters"), 0, "lb_policy"), "ROUND_ROBIN");
	rows = rows_of(answer, "endpoints");
	assert_int_equal(json_array_size(rows), 3);
	assert_string_equal(text_at(rows, 0, "endpoint"), "10.2.0.1:8080");
	assert_string_equal(text_at(rows, 0, "vrf"), "blue");
	assert_string_equal(text_at(rows, 0, "policy"), "p");
	assert_string_equal(text_at(rows, 0, "state"), "live");
	assert_int_equal(number_at(rows, 0, "weight"), 3);
	assert_string_equal(text_at(rows, 0, "health"), "healthy");
	assert_int_equal(number_at(rows, 0, "priority"), 0);
	assert_true(json_is_null(json_object_get(json_array_get(rows, 0), "locality")));
	assert_string_equal(text_at(rows, 1, "endpoint"), "[fd00:2::1]:8081");
	assert_int_equal(number_at(rows, 1, "requests"), 12);
	assert_int_equal(number_at(rows, 1, "active"), 3);
	assert_int_equal(number_at(rows, 1, "idle_legs"), 0);
	assert_int_equal(number_at(rows, 1, "connect_failures"), 2);
	assert_int_equal(number_at(rows, 0, "first_byte_us.count"), 0);
	assert_int_equal(number_at(rows, 1, "first_byte_us.count"), 2);
	assert_int_equal(number_at(rows, 1, "first_byte_us.p50"), 7); // 4 to 7 are one bucket
	assert_int_equal(number_at(rows, 1, "first_byte_us.max"), UINT32_MAX);
	assert_int_equal(number_at(rows, 1, "response_us.count"), 0);
	assert_string_equal(text_at(rows, 2, "cluster"), "b");
	assert_string_equal(text_at(rows, 2, "vrf"), "client's");
	assert_string_equal(text_at(rows, 2, "health"), "degraded");
	assert_int_equal(number_at(rows, 2, "priority"), 1);
	assert_string_equal(text_at(rows, 2, "locality"), "west/w1/");
	assert_true(json_is_null(json_object_get(json_array_get(rows, 2), "policy")));
	json_decref(answer);
	answer = ask(f, "GET /clusters?name=b");
	assert_int_equal(json_array_size(rows_of(answer, "clusters")), 1);
	assert_int_equal(json_array_size(rows_of(answer, "endpoints")), 1);
	json_decref(answer);
}

static void admin_clusters_show_an_endpoint_that_drains(void **state)
{
	static const char endpoint[] = ",\n    { address = \"fd00:2::1\"; port = 8081; }";
	struct fixture *f = *state;
	char *text = strdup(rig_config);
	json_t *answer;
	char *at = strstr(text, endpoint);

	assert_non_null(at);
	memmove(at, at + strlen(endpoint), strlen(at + strlen(endpoint)) + 1);
	write_config(f, text, 0);
	free(text);
	rig_counters(f, L7_ENDPOINT, 1)->n_active = 1;
	json_decref(ask(f, "POST /reload"));
	answer = ask(f, "GET /clusters");
	assert_string_equal(text_at(rows_of(answer, "endpoints"), 1, "state"), "draining");
	assert_string_equal(text_at(rows_of(answer, "endpoints"), 1, "cluster"), "a");
	assert_true(json_is_null(
		json_object_get(json_array_get(rows_of(answer, "endpoints"), 1), "priority")));
	assert_int_equal(number_at(rows_of(answer, "clusters"), 0, "live_endpoints"), 1);
	json_decref(answer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		L7_TEST(admin_http_routes_tell_match_and_target),
		L7_TEST(admin_route_to_a_virtual_address_names_listeners),
		L7_TEST(admin_routes_are_of_ip_and_of_http),
		L7_TEST(admin_clusters_tell_their_endpoints),
		L7_TEST(admin_clusters_show_an_endpoint_that_drains),
	};

	return cmocka_run_group_tests(tests, eal_start, NULL);
}
