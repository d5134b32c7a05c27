// SPDX-License-Identifier: Apache-2.0

// Which route a request takes: known answers for each rule, and a naive model, written from the rules one
// after the other, over random configurations and requests.

#include "l7/route_table.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/route_request.h"

enum {
	MAX_HOSTS = 6,
	MAX_ROUTES = 24, // of all virtual hosts
	MAX_HEADERS = 2,
	FIRST_HOST_SLOT = 500,
	FIRST_ROUTE_SLOT = 1000,
	N_CONFIGURATIONS = 2000,
	N_REQUESTS = 60,
};

// Clusters are called "0", "1" and so on.
static uint32_t cluster_slot(const void *context, const char *name)
{
	(void)context;
	return (uint32_t)atoi(name);
}

static struct route_table *build(const struct route_configuration_spec *spec)
{
	uint32_t hosts[MAX_HOSTS], routes[MAX_ROUTES];
	const struct route_table_slots slots = {
		.cluster_slot = cluster_slot, .virtual_hosts = hosts, .routes = routes};
	struct route_table *table;

	for (uint32_t i = 0; i < MAX_HOSTS; i++)
		hosts[i] = FIRST_HOST_SLOT + i;
	for (uint32_t i = 0; i < MAX_ROUTES; i++)
		routes[i] = FIRST_ROUTE_SLOT + i;
	table = route_table_build(spec, &slots);
	assert_non_null(table);
	return table;
}

static struct route_verdict match(
	const struct route_table *table, const struct request_text *rq, uint32_t random)
{
	struct route_verdict verdict;
	// At the end of an allocation, so that a sanitizer sees a read past it.
	uint8_t *raw = malloc(rq->len);

	memcpy(raw, rq->raw, rq->len);
	route_table_match(table, raw, &rq->head, random, &verdict);
	free(raw);
	return verdict;
}

// A configuration of one virtual host for everything.
static struct route_table *build_routes(const struct l7_route_spec *routes, uint32_t n)
{
	static const char *const any[] = {"*"};
	const struct virtual_host_spec host = {
		.name = "h", .n_domains = 1, .domains = any, .n_routes = n, .routes = routes};
	const struct route_configuration_spec spec = {
		.name = "c", .n_virtual_hosts = 1, .virtual_hosts = &host};

	return build(&spec);
}

static const struct weighted_cluster_spec to_zero[] = {{.cluster = "0", .weight = 1}};

#define TO_ZERO .action = ROUTE_ACTION_CLUSTER, .n_clusters = 1, .clusters = to_zero

static uint32_t route_of(const struct route_table *table, const struct request_text *rq)
{
	uint32_t slot = match(table, rq, 0).route;

	return slot == ROUTE_NO_SLOT ? slot : slot - FIRST_ROUTE_SLOT;
}

static void expect_route(const struct route_table *table, const char *path, uint32_t route)
{
	struct request_text rq;

	request_start(&rq, "GET", "h", path);
	if (route_of(table, &rq) != route)
		fail_msg("\"%s\" takes route %u, not %u", path, route_of(table, &rq), route);
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
	struct route_table *table = build_routes(routes, 9);

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
	struct route_table *table = build(&spec);
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
	struct route_table *table = build_routes(routes, 4);

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
	struct route_table *table = build_routes(routes, 1);
	struct request_text rq;
	struct route_verdict verdict;

	(void)state;
	request_start(&rq, "CONNECT", "h:443", "");
	verdict = match(table, &rq, 0);
	assert_int_equal(verdict.action, ROUTE_ACTION_NONE);
	assert_int_equal(verdict.virtual_host, FIRST_HOST_SLOT);
	assert_int_equal(verdict.route, ROUTE_NO_SLOT);
	block_release(&table->block);
}

// A route with one header match, and what it makes of a request.
static bool takes(struct header_match_spec header, const struct request_text *rq)
{
	const struct l7_route_spec route = {
		.path_type = PATH_PREFIX, .path = "", .n_headers = 1, .headers = &header, TO_ZERO};
	struct route_table *table = build_routes(&route, 1);
	bool taken = route_of(table, rq) == 0;

	block_release(&table->block);
	return taken;
}

#define EXACT(n, v) ((struct header_match_spec){.name = (n), .type = HEADER_EXACT, .value = (v)})
#define PREFIX(n, v) ((struct header_match_spec){.name = (n), .type = HEADER_PREFIX, .value = (v)})
#define PRESENT(n) ((struct header_match_spec){.name = (n), .type = HEADER_PRESENT})

static struct header_match_spec inverted(struct header_match_spec header)
{
	header.invert = true;
	return header;
}

static void route_table_headers_match_by_value(void **state)
{
	struct request_text rq;

	(void)state;
	request_start(&rq, "GET", "h", "/");
	request_field(&rq, "X-Team", "blue");
	request_field(&rq, "empty", "");
	assert_true(takes(EXACT("x-team", "blue"), &rq));
	assert_true(takes(EXACT("X-TEAM", "blue"), &rq));
	assert_false(takes(EXACT("x-team", "Blue"), &rq));
	assert_false(takes(EXACT("x-team", "blu"), &rq));
	assert_false(takes(EXACT("x-team", "blue2"), &rq));
	assert_false(takes(EXACT("x-tea", "blue"), &rq));
	assert_true(takes(PREFIX("x-team", "bl"), &rq));
	assert_true(takes(PREFIX("x-team", "blue"), &rq));
	assert_false(takes(PREFIX("x-team", "blue2"), &rq));
	assert_false(takes(PREFIX("x-team", "lue"), &rq));
	assert_true(takes(EXACT("empty", ""), &rq));
	assert_false(takes(EXACT("empty", "a"), &rq));
	assert_true(takes(PRESENT("empty"), &rq));
	assert_false(takes(PRESENT("none"), &rq));
	assert_false(takes(inverted(EXACT("x-team", "blue")), &rq));
	assert_true(takes(inverted(EXACT("x-team", "red")), &rq));
	assert_true(takes(inverted(PREFIX("x-team", "r")), &rq));
	assert_false(takes(inverted(PREFIX("x-team", "b")), &rq));
}

static void route_table_missing_header_never_matches_but_by_presence(void **state)
{
	struct request_text rq;

	(void)state;
	request_start(&rq, "GET", "", "/");
	request_field(&rq, "a", "1");
	assert_false(takes(inverted(EXACT("none", "x")), &rq));
	assert_false(takes(inverted(PREFIX("none", "x")), &rq));
	assert_false(takes(EXACT("none", ""), &rq));
	assert_true(takes(inverted(PRESENT("none")), &rq));
	assert_false(takes(inverted(PRESENT("a")), &rq));
	assert_true(takes(inverted(PRESENT(":authority")), &rq));
	assert_false(takes(inverted(EXACT(":authority", "x")), &rq));
}

static void route_table_repeated_headers_are_joined_by_commas(void **state)
{
	struct request_text rq;

	(void)state;
	request_start(&rq, "GET", "h", "/");
	request_field(&rq, "a", "1");
	request_field(&rq, "b", "x");
	request_field(&rq, "A", "2");
	request_field(&rq, "a", "");
	assert_true(takes(EXACT("a", "1,2,"), &rq));
	assert_false(takes(EXACT("a", "1,2"), &rq));
	assert_false(takes(EXACT("a", "1"), &rq));
	assert_false(takes(EXACT("a", "2"), &rq));
	assert_false(takes(EXACT("a", "1, 2,"), &rq));
	assert_true(takes(PREFIX("a", "1,"), &rq));
	assert_true(takes(PREFIX("a", "1,2"), &rq));
	assert_false(takes(PREFIX("a", "1,3"), &rq));
	assert_false(takes(PREFIX("a", "2"), &rq));
}

static void route_table_pseudo_headers_are_ordinary_names(void **state)
{
	struct request_text rq;

	(void)state;
	request_start(&rq, "GET", "Pay.Local:80", "/a?b=c");
	// What an absolute-form target overrides is no host.
	request_field(&rq, "Host", "other");
	assert_true(takes(EXACT(":method", "GET"), &rq));
	assert_false(takes(EXACT(":method", "get"), &rq));
	assert_true(takes(inverted(EXACT(":method", "POST")), &rq));
	assert_true(takes(EXACT(":path", "/a?b=c"), &rq));
	assert_false(takes(EXACT(":path", "/a"), &rq));
	assert_true(takes(PREFIX(":path", "/a?b"), &rq));
	assert_true(takes(EXACT(":authority", "Pay.Local:80"), &rq));
	assert_true(takes(EXACT("Host", "Pay.Local:80"), &rq));
	assert_false(takes(EXACT("host", "other"), &rq));
	request_start(&rq, "GET", "h", "?q");
	assert_true(takes(EXACT(":path", "/?q"), &rq));
	request_start(&rq, "GET", "h", "");
	assert_true(takes(EXACT(":path", "/"), &rq));
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
		table = build(&spec);
		request_start(&rq, "GET", "A.local", "/x");
		assert_int_equal(match(table, &rq, 0).route, FIRST_ROUTE_SLOT);
		// The other virtual host's routes are not looked at, nor its exact paths.
		request_start(&rq, "GET", "a.local", "/y");
		assert_int_equal(match(table, &rq, 0).route, ROUTE_NO_SLOT);
		assert_int_equal(match(table, &rq, 0).virtual_host, FIRST_HOST_SLOT);
		request_start(&rq, "GET", "c.local", "/x");
		assert_int_equal(match(table, &rq, 0).route, FIRST_ROUTE_SLOT + 1);
		request_start(&rq, "GET", "a.local:80", "/x");
		assert_int_equal(match(table, &rq, 0).virtual_host,
			ignore_port ? FIRST_HOST_SLOT : ROUTE_NO_SLOT);
		request_start(&rq, "GET", "b.local:8080", "/x");
		assert_int_equal(match(table, &rq, 0).route, FIRST_ROUTE_SLOT + ignore_port);
		request_start(&rq, "GET", "[::1]", "/x");
		assert_int_equal(match(table, &rq, 0).virtual_host, ROUTE_NO_SLOT);
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
	struct route_table *table = build_routes(routes, 3);
	uint32_t n_had[6] = {0};
	struct route_verdict verdict;
	struct request_text rq;

	(void)state;
	request_start(&rq, "GET", "h", "/w");
	for (uint32_t random = 1000; random < 1100; random++)
		n_had[match(table, &rq, random).cluster]++;
	assert_int_equal(n_had[3], 90);
	assert_int_equal(n_had[4], 0);
	assert_int_equal(n_had[5], 10);
	verdict = match(table, &rq, 0);
	assert_int_equal(verdict.timeout_ms, 7);
	assert_int_equal(verdict.idle_timeout_ms, 9);
	request_start(&rq, "GET", "h", "/d");
	verdict = match(table, &rq, 0);
	assert_int_equal(verdict.action, ROUTE_ACTION_DIRECT);
	assert_int_equal(verdict.direct.status, 503);
	assert_int_equal(verdict.direct.body_len, 5);
	assert_memory_equal(verdict.direct.body, "later", 5);
	assert_int_equal(verdict.idle_timeout_ms, L7_TIMEOUT_OF_LISTENER);
	request_start(&rq, "GET", "h", "/n");
	assert_int_equal(match(table, &rq, 0).direct.body_len, 0);
	block_release(&table->block);
}

// Equal configurations must give equal blocks, since that is how a reload finds what did not change.
static void route_table_equal_only_when_nothing_changed(void **state)
{
	struct header_match_spec header = PREFIX("x", "y");
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
	struct route_table *one = build_routes(routes, 2), *two = build_routes(routes, 2), *other;

	(void)state;
	assert_true(block_equal(&one->block, &two->block));
	block_acquire(&one->block);
	assert_true(block_equal(&one->block, &two->block));
	header.invert = true;
	other = build_routes(routes, 2);
	assert_false(block_equal(&one->block, &other->block));
	block_release(&other->block);
	header.invert = false;
	routes[1].body = "c";
	other = build_routes(routes, 2);
	assert_false(block_equal(&one->block, &other->block));
	block_release(&other->block);
	block_release(&two->block);
	block_release(&one->block);
	block_release(&one->block);
}

// The naive model.

struct random_spec {
	char domains[MAX_HOSTS][2][12];
	const char *domain_ptrs[MAX_HOSTS][2];
	char paths[MAX_ROUTES][12];
	struct header_match_spec headers[MAX_ROUTES][MAX_HEADERS];
	struct l7_route_spec routes[MAX_ROUTES];
	struct virtual_host_spec hosts[MAX_HOSTS];
	struct route_configuration_spec spec;
};

static const char *any_of(const char *const *texts, size_t n)
{
	return texts[(size_t)rand() % n];
}

#define ANY_OF(...)                                                                                \
	any_of((const char *const[]){__VA_ARGS__},                                                 \
		sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *))

static void random_path(char *path)
{
	uint32_t n = (uint32_t)rand() % 6;

	path[0] = '/';
	for (uint32_t i = 1; i <= n; i++)
		path[i] = "ab/"[rand() % 3];
	path[n + 1] = '\0';
}

static void random_route(struct random_spec *r, uint32_t i)
{
	struct l7_route_spec *route = &r->routes[i];

	random_path(r->paths[i]);
	*route = (struct l7_route_spec){.path_type = (enum path_match_type)(rand() % 3),
		.path = r->paths[i],
		.n_headers = (uint32_t)rand() % (MAX_HEADERS + 1),
		.headers = r->headers[i],
		TO_ZERO};
	for (uint32_t k = 0; k < route->n_headers; k++) {
		struct header_match_spec *header = &r->headers[i][k];

		header->type = (enum header_match_type)(rand() % 3);
		header->name = ANY_OF("x-a", "X-B", ":method", ":authority", "host", ":path");
		header->value = ANY_OF("1", "1,2", "12", "", "GET", "a.b", "/a", "/");
		header->invert = rand() % 2;
	}
}

static void random_configuration(struct random_spec *r)
{
	static const char *const domains[MAX_HOSTS] = {"a.b", "*.b", "a.*", "*", "*.a.b", "b"};
	uint32_t n_routes = 0;

	r->spec = (struct route_configuration_spec){.name = "c", .virtual_hosts = r->hosts};
	for (uint32_t h = 0; h < MAX_HOSTS; h++) {
		struct virtual_host_spec *host = &r->hosts[r->spec.n_virtual_hosts];

		if (rand() % 3 == 0)
			continue;
		r->spec.n_virtual_hosts++;
		*host = (struct virtual_host_spec){.name = domains[h],
			.n_domains = 1,
			.domains = &domains[h],
			.n_routes = (uint32_t)rand() % (MAX_ROUTES / MAX_HOSTS + 1),
			.routes = &r->routes[n_routes]};
		for (uint32_t i = 0; i < host->n_routes; i++)
			random_route(r, n_routes++);
	}
}

// The value of a header as the rules have it; false: there is none.
static bool naive_value(const struct request_text *rq, const char *name, char *value)
{
	const char *raw = (const char *)rq->raw;
	bool found = false;

	value[0] = '\0';
	if (strcasecmp(name, ":method") == 0)
		strcpy(value, raw + rq->head.method_text.off);
	else if (strcasecmp(name, ":path") == 0)
		strcpy(value, raw + rq->head.path.off);
	else if (strcasecmp(name, ":authority") == 0 || strcasecmp(name, "host") == 0)
		strcpy(value, raw + rq->head.authority.off);
	if (value[0] != '\0')
		return true;
	for (uint32_t i = 0; i < rq->head.n_fields; i++) {
		if (strcasecmp(raw + rq->head.fields[i].name.off, name) != 0)
			continue;
		strcat(value, found ? "," : "");
		strcat(value, raw + rq->head.fields[i].value.off);
		found = true;
	}
	return found;
}

static bool naive_header(const struct request_text *rq, const struct header_match_spec *header)
{
	char value[REQUEST_BYTES];
	bool found = naive_value(rq, header->name, value), matches;

	if (header->type == HEADER_PRESENT)
		return header->invert ? !found : found;
	if (!found)
		return false;
	matches = header->type == HEADER_EXACT
			  ? strcmp(value, header->value) == 0
			  : strncmp(value, header->value, strlen(header->value)) == 0;
	return header->invert ? !matches : matches;
}

static bool naive_route(const struct request_text *rq, const struct l7_route_spec *route)
{
	char path[16];

	snprintf(path, sizeof(path), "%s", (const char *)rq->raw + rq->head.path.off);
	path[strcspn(path, "?")] = '\0';
	for (uint32_t i = 0; i < route->n_headers; i++)
		if (!naive_header(rq, &route->headers[i]))
			return false;
	if (route->path_type == PATH_EXACT)
		return strcmp(path, route->path) == 0;
	if (strncmp(path, route->path, strlen(route->path)) != 0)
		return false;
	return route->path_type == PATH_PREFIX || strchr("/", path[strlen(route->path)]) != NULL;
}

// 0: no match, then the rank of the kind of domain, exact highest, and the length within a kind.
static size_t domain_rank(const char *domain, const char *host)
{
	size_t len = strlen(domain), host_len = strlen(host);

	if (strcmp(domain, "*") == 0)
		return 1;
	if (domain[0] == '*')
		return host_len > len - 1 && strcmp(host + host_len - (len - 1), domain + 1) == 0
			       ? 200 + len
			       : 0;
	if (domain[len - 1] == '*')
		return host_len > len - 1 && strncmp(host, domain, len - 1) == 0 ? 100 + len : 0;
	return strcmp(domain, host) == 0 ? 300 : 0;
}

static void expect_as_naive(
	const struct random_spec *r, const struct route_table *table, const struct request_text *rq)
{
	uint32_t host = ROUTE_NO_SLOT, route = ROUTE_NO_SLOT, first_route = 0, n_routes = 0;
	struct route_verdict verdict = match(table, rq, (uint32_t)rand());
	char text[16];
	size_t best = 0;

	snprintf(text, sizeof(text), "%s", (const char *)rq->raw + rq->head.authority.off);
	for (char *c = text; *c != '\0'; c++)
		*c = (char)tolower(*c);
	for (uint32_t h = 0; h < r->spec.n_virtual_hosts; h++) {
		size_t rank = domain_rank(r->hosts[h].domains[0], text);

		if (rank > best) {
			best = rank;
			host = h;
			first_route = n_routes;
		}
		n_routes += r->hosts[h].n_routes;
	}
	for (uint32_t i = 0; best > 0 && route == ROUTE_NO_SLOT && i < r->hosts[host].n_routes; i++)
		if (naive_route(rq, &r->hosts[host].routes[i]))
			route = first_route + i;
	assert_int_equal(verdict.virtual_host, best > 0 ? FIRST_HOST_SLOT + host : ROUTE_NO_SLOT);
	assert_int_equal(verdict.route, route == ROUTE_NO_SLOT ? route : FIRST_ROUTE_SLOT + route);
	assert_int_equal(
		verdict.action, route == ROUTE_NO_SLOT ? ROUTE_ACTION_NONE : ROUTE_ACTION_CLUSTER);
}

static void random_request(struct request_text *rq)
{
	char path[16];

	random_path(path);
	strcat(path, ANY_OF("", "", "?", "?a"));
	request_start(rq, ANY_OF("GET", "POST"),
		ANY_OF("a.b", "A.B", "b", "x.b", "x.a.b", "a.x", "", "c", ".b"), path);
	for (int i = rand() % 4; i > 0; i--)
		request_field(rq, ANY_OF("x-a", "X-A", "x-b", "y"), ANY_OF("1", "2", "12", ""));
}

static void route_table_random_requests_agree_with_naive_model(void **state)
{
	struct random_spec *r = calloc(1, sizeof(*r));
	struct request_text rq;

	(void)state;
	srand(3);
	for (int round = 0; round < N_CONFIGURATIONS; round++) {
		struct route_table *table;

		random_configuration(r);
		table = build(&r->spec);
		for (int i = 0; i < N_REQUESTS; i++) {
			random_request(&rq);
			expect_as_naive(r, table, &rq);
		}
		block_release(&table->block);
	}
	free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(route_table_paths_first_in_order_wins),
		cmocka_unit_test(route_table_fetch_takes_any_place_of_any_table),
		cmocka_unit_test(route_table_separated_prefix_ends_with_a_part),
		cmocka_unit_test(route_table_connect_takes_no_route),
		cmocka_unit_test(route_table_headers_match_by_value),
		cmocka_unit_test(route_table_missing_header_never_matches_but_by_presence),
		cmocka_unit_test(route_table_repeated_headers_are_joined_by_commas),
		cmocka_unit_test(route_table_pseudo_headers_are_ordinary_names),
		cmocka_unit_test(route_table_hosts_choose_virtual_host_first),
		cmocka_unit_test(route_table_verdict_carries_what_the_route_says),
		cmocka_unit_test(route_table_equal_only_when_nothing_changed),
		cmocka_unit_test(route_table_random_requests_agree_with_naive_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
