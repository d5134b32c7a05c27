// SPDX-License-Identifier: Apache-2.0

// Which route a request takes: known answers for each rule. Headers and the naive model have programs of their own.

#include "tests/unit/route_table_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void expect_route(const struct route_table *table, const char *path, uint32_t route)
{
	struct request_text rq;

	request_start(&rq, "GET", "h", path);
	if (rig_route(table, &rq) != route)
		fail_msg("\"%s\" takes route %u, not %u", path, rig_route(table, &rq), route);
}

static void route_table_paths_first_in_order_wins(void **state)
{
	static const struct l7_route_spec routes[] = {
		{.path_type = PATH_EXACT, .path = "/a/b", TO_ZERO},
		{.path_type = PATH_PREFIX, .path = "/a/", TO_ZERO},
		{.path_type = PATH_EXACT, .path = "/a/c", TO_ZERO}, // behind a prefix of it
		{.path_type = PATH_PREFIX, .path = "/a/b", TO_ZERO},
		{.path_type = PATH_PREFIX, .path = "/ab", TO_ZERO},
		{.path_type = PATH_EXACT, .path = "/", TO_ZERO},
		{.path_type = PATH_EXACT, .path = "*", TO_ZERO},
		{.path_type = PATH_PREFIX, .path = "/", TO_ZERO},
		{.path_type = PATH_PREFIX, .path = "/z", TO_ZERO},
	};
	struct route_table *table = rig_build_routes(routes, 9);

	(void)state;
	expect_route(table, "/a/b", 0);
	expect_route(table, "/a/b?x=1", 0);
	expect_route(table, "/a/b/", 1);
	expect_route(table, "/a/c", 1);
	expect_route(table, "/A/b", 7);
	expect_route(table, "/ab", 4);
	expect_route(table, "/abc?", 4);
	expect_route(table, "/a", 7);
	expect_route(table, "/", 5);
	expect_route(table, "/?a", 5);
	expect_route(table, "", 5);	   // "GET http://host HTTP/1.1"
	expect_route(table, "?a=/a/b", 5); // "GET http://host?a=/a/b HTTP/1.1"
	expect_route(table, "*", 6);
	expect_route(table, "/z", 7);
	expect_route(table, "x", ROUTE_NO_SLOT);
	block_release(&table->block);
}

// All steps at all places, and at some that are not there. Where it reads a sanitizer sees; it writes nothing.
static void fetch_everything(const struct virtual_host_spec *hosts, uint32_t n_hosts)
{
	const struct route_configuration_spec spec = {
		.name = "c", .n_virtual_hosts = n_hosts, .virtual_hosts = hosts};
	struct route_table *table = rig_build(&spec);
	uint32_t n_bytes = (uint32_t)table->block.n_bytes;
	void *before = malloc(n_bytes);

	memcpy(before, table, n_bytes);
	for (uint32_t place = 0; place < table->n_routes + 3; place++)
		for (int step = ROUTE_FETCH_ROUTE; step <= ROUTE_FETCH_TEXTS; step++)
			route_table_fetch(table, place, (enum route_fetch)step);
	for (int step = ROUTE_FETCH_ROUTE; step <= ROUTE_FETCH_TEXTS; step++) {
		route_table_fetch(table, ROUTE_NO_SLOT, (enum route_fetch)step);
		route_table_fetch(table, UINT32_MAX / 2, (enum route_fetch)step);
	}
	assert_memory_equal(before, table, n_bytes);
	free(before);
	block_release(&table->block);
}

static void route_table_fetch_takes_any_place_of_any_table(void **state)
{
	static const char *const any[] = {"*"}, *const suffix[] = {"*.x"}, *const exact[] = {"a"};
	static const struct l7_route_spec direct[] = {{.path_type = PATH_EXACT,
		.path = "/",
		.action = ROUTE_ACTION_DIRECT,
		.status = 200}};
	static const struct l7_route_spec prefix[] = {
		{.path_type = PATH_PREFIX, .path = "/", TO_ZERO},
		{.path_type = PATH_PREFIX, .path = "/long/enough", TO_ZERO}};
	static const struct virtual_host_spec hosts[] = {
		{.name = "bare", .n_domains = 1, .domains = any},
		{.name = "d", .n_domains = 1, .domains = suffix, .n_routes = 1, .routes = direct},
		{.name = "p", .n_domains = 1, .domains = exact, .n_routes = 2, .routes = prefix},
	};

	(void)state;
	fetch_everything(NULL, 0);
	for (uint32_t i = 0; i < 3; i++)
		for (uint32_t n = 1; i + n <= 3; n++)
			fetch_everything(&hosts[i], n);
}

static void route_table_separated_prefix_ends_with_a_part(void **state)
{
	static const struct l7_route_spec routes[] = {
		{.path_type = PATH_SEPARATED_PREFIX, .path = "/a/b", TO_ZERO},
		{.path_type = PATH_SEPARATED_PREFIX, .path = "/a", TO_ZERO},
		{.path_type = PATH_PREFIX,
			.path = "/a",
			TO_ZERO}, // in one chain with the one before
		{.path_type = PATH_EXACT, .path = "/a/b", TO_ZERO},
	};
	struct route_table *table = rig_build_routes(routes, 4);

	(void)state;
	expect_route(table, "/a", 1);
	expect_route(table, "/a?b", 1);
	expect_route(table, "/a/", 1);
	expect_route(table, "/a/c", 1);
	expect_route(table, "/ab", 2);
	expect_route(table, "/a.b", 2);
	expect_route(table, "/a/b", 0);
	expect_route(table, "/a/b/c", 0);
	expect_route(table, "/a/bc", 1);
	expect_route(table, "/", ROUTE_NO_SLOT);
	expect_route(table, "/A", ROUTE_NO_SLOT);
	block_release(&table->block);
}

static void route_table_connect_takes_no_route(void **state)
{
	static const struct l7_route_spec routes[] = {
		{.path_type = PATH_PREFIX, .path = "", TO_ZERO}};
	struct route_table *table = rig_build_routes(routes, 1);
	struct request_text rq;
	struct route_verdict verdict;

	(void)state;
	request_start(&rq, "CONNECT", "h:443", "");
	verdict = rig_match(table, &rq, 0);
	assert_int_equal(verdict.action, ROUTE_ACTION_NONE);
	assert_int_equal(verdict.virtual_host, RIG_FIRST_HOST);
	assert_int_equal(verdict.route, ROUTE_NO_SLOT);
	block_release(&table->block);
}

static void route_table_hosts_choose_virtual_host_first(void **state)
{
	static const char *const domains_a[] = {"a.local", "b.local:8080"};
	static const char *const domains_b[] = {"*.local"};
	static const struct l7_route_spec routes[] = {
		{.path_type = PATH_EXACT, .path = "/x", TO_ZERO},
		{.path_type = PATH_PREFIX, .path = "/", TO_ZERO}};
	const struct virtual_host_spec hosts[] = {{.name = "a",
							  .n_domains = 2,
							  .domains = domains_a,
							  .n_routes = 1,
							  .routes = routes},
		{.name = "b",
			.n_domains = 1,
			.domains = domains_b,
			.n_routes = 2,
			.routes = routes}};
	struct route_configuration_spec spec = {
		.name = "c", .n_virtual_hosts = 2, .virtual_hosts = hosts};
	struct request_text rq;

	(void)state;
	for (int ignore_port = 0; ignore_port < 2; ignore_port++) {
		struct route_table *table;

		spec.ignore_port_in_host = ignore_port != 0;
		table = rig_build(&spec);
		request_start(&rq, "GET", "A.local", "/x");
		assert_int_equal(rig_match(table, &rq, 0).route, RIG_FIRST_ROUTE);
		// The other virtual host's routes are not looked at, nor its exact paths.
		request_start(&rq, "GET", "a.local", "/y");
		assert_int_equal(rig_match(table, &rq, 0).route, ROUTE_NO_SLOT);
		assert_int_equal(rig_match(table, &rq, 0).virtual_host, RIG_FIRST_HOST);
		request_start(&rq, "GET", "c.local", "/x");
		assert_int_equal(rig_match(table, &rq, 0).route, RIG_FIRST_ROUTE + 1);
		request_start(&rq, "GET", "a.local:80", "/x");
		assert_int_equal(rig_match(table, &rq, 0).virtual_host,
			ignore_port ? RIG_FIRST_HOST : ROUTE_NO_SLOT);
		request_start(&rq, "GET", "b.local:8080", "/x");
		assert_int_equal(rig_match(table, &rq, 0).route, RIG_FIRST_ROUTE + ignore_port);
		request_start(&rq, "GET", "[::1]", "/x");
		assert_int_equal(rig_match(table, &rq, 0).virtual_host, ROUTE_NO_SLOT);
		block_release(&table->block);
	}
}

static void route_table_verdict_carries_what_the_route_says(void **state)
{
	static const struct weighted_cluster_spec shares[] = {{.cluster = "3", .weight = 90},
		{.cluster = "4", .weight = 0}, {.cluster = "5", .weight = 10}};
	static const struct l7_route_spec routes[] = {
		{.path_type = PATH_EXACT,
			.path = "/w",
			.action = ROUTE_ACTION_CLUSTER,
			.n_clusters = 3,
			.clusters = shares,
			.host_rewrite = "inner",
			.timeout_ms = 7,
			.idle_timeout_ms = 9},
		{.path_type = PATH_EXACT,
			.path = "/d",
			.action = ROUTE_ACTION_DIRECT,
			.status = 503,
			.body = "later",
			.idle_timeout_ms = L7_TIMEOUT_OF_LISTENER},
		{.path_type = PATH_EXACT,
			.path = "/n",
			.action = ROUTE_ACTION_DIRECT,
			.status = 204},
	};
	struct route_table *table = rig_build_routes(routes, 3);
	uint32_t n_had[6] = {0};
	struct route_verdict verdict;
	struct request_text rq;

	(void)state;
	request_start(&rq, "GET", "h", "/w");
	for (uint32_t random = 1000; random < 1100; random++)
		n_had[rig_match(table, &rq, random).cluster]++;
	assert_int_equal(n_had[3], 90);
	assert_int_equal(n_had[4], 0);
	assert_int_equal(n_had[5], 10);
	verdict = rig_match(table, &rq, 0);
	assert_string_equal(verdict.host_rewrite, "inner");
	assert_int_equal(verdict.timeout_ms, 7);
	assert_int_equal(verdict.idle_timeout_ms, 9);
	request_start(&rq, "GET", "h", "/d");
	verdict = rig_match(table, &rq, 0);
	assert_int_equal(verdict.action, ROUTE_ACTION_DIRECT);
	assert_int_equal(verdict.direct.status, 503);
	assert_null(verdict.host_rewrite);
	assert_int_equal(verdict.direct.body_len, 5);
	assert_memory_equal(verdict.direct.body, "later", 5);
	assert_int_equal(verdict.idle_timeout_ms, L7_TIMEOUT_OF_LISTENER);
	request_start(&rq, "GET", "h", "/n");
	assert_int_equal(rig_match(table, &rq, 0).direct.body_len, 0);
	block_release(&table->block);
}

// Equal configurations must give equal blocks, since that is how a reload finds what did not change.
static void route_table_equal_only_when_nothing_changed(void **state)
{
	struct header_match_spec header = {.name = "x", .type = HEADER_PREFIX, .value = "y"};
	struct l7_route_spec routes[] = {{.path_type = PATH_PREFIX,
						 .path = "/a",
						 .n_headers = 1,
						 .headers = &header,
						 TO_ZERO},
		{.path_type = PATH_EXACT,
			.path = "/a",
			.action = ROUTE_ACTION_DIRECT,
			.status = 200,
			.body = "b"}};
	struct route_table *one = rig_build_routes(routes, 2), *two = rig_build_routes(routes, 2),
			   *other;

	(void)state;
	assert_true(block_equal(&one->block, &two->block));
	block_acquire(&one->block);
	assert_true(block_equal(&one->block, &two->block));
	header.invert = true;
	other = rig_build_routes(routes, 2);
	assert_false(block_equal(&one->block, &other->block));
	block_release(&other->block);
	header.invert = false;
	routes[0].host_rewrite = "h";
	other = rig_build_routes(routes, 2);
	assert_false(block_equal(&one->block, &other->block));
	block_release(&other->block);
	routes[0].host_rewrite = NULL;
	routes[1].body = "c";
	other = rig_build_routes(routes, 2);
	assert_false(block_equal(&one->block, &other->block));
	block_release(&other->block);
	block_release(&two->block);
	block_release(&one->block);
	block_release(&one->block);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(route_table_paths_first_in_order_wins),
		cmocka_unit_test(route_table_fetch_takes_any_place_of_any_table),
		cmocka_unit_test(route_table_separated_prefix_ends_with_a_part),
		cmocka_unit_test(route_table_connect_takes_no_route),
		cmocka_unit_test(route_table_hosts_choose_virtual_host_first),
		cmocka_unit_test(route_table_verdict_carries_what_the_route_says),
		cmocka_unit_test(route_table_equal_only_when_nothing_changed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
