// SPDX-License-Identifier: Apache-2.0

// A naive model of routing, written from the rules one after the other: the tables agree with it over random
// configurations and requests.

#include "tests/unit/route_table_rig.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum {
	MAX_HEADERS = 2,
	N_CONFIGURATIONS = 2000,
	N_REQUESTS = 60,
};

struct random_spec {
	char paths[RIG_MAX_ROUTES][12];
	struct header_match_spec headers[RIG_MAX_ROUTES][MAX_HEADERS];
	struct l7_route_spec routes[RIG_MAX_ROUTES];
	struct virtual_host_spec hosts[RIG_MAX_HOSTS];
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

		header->type = (enum header_match_type)(rand() % 6);
		header->name = ANY_OF("x-a", "X-B", ":method", ":authority", "host", ":path");
		header->value = ANY_OF("1", "1,2", "12", "", "GET", "get", "a.b", "/a", "/", "121");
		header->range_start = rand() % 14;
		header->range_end = rand() % 14;
		header->invert = rand() % 2;
		header->ignore_case = rand() % 2;
		header->missing_as_empty = rand() % 2;
	}
}

static void random_configuration(struct random_spec *r)
{
	static const char *const domains[RIG_MAX_HOSTS] = {"a.b", "*.b", "a.*", "*", "*.a.b", "b"};
	uint32_t n_routes = 0;

	r->spec = (struct route_configuration_spec){.name = "c", .virtual_hosts = r->hosts};
	for (uint32_t h = 0; h < RIG_MAX_HOSTS; h++) {
		struct virtual_host_spec *host = &r->hosts[r->spec.n_virtual_hosts];

		if (rand() % 3 == 0)
			continue;
		r->spec.n_virtual_hosts++;
		*host = (struct virtual_host_spec){.name = domains[h],
			.n_domains = 1,
			.domains = &domains[h],
			.n_routes = (uint32_t)rand() % (RIG_MAX_ROUTES / RIG_MAX_HOSTS + 1),
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

static void to_lower(char *text)
{
	for (; *text != '\0'; text++)
		*text = (char)tolower(*text);
}

static bool naive_match(const struct header_match_spec *header, char *value)
{
	char wanted[16], *end;
	size_t len = strlen(value), wanted_len = strlen(header->value);
	long number = strtol(value, &end, 10);

	strcpy(wanted, header->value);
	if (header->ignore_case) {
		to_lower(value);
		to_lower(wanted);
	}
	switch (header->type) {
	case HEADER_EXACT:
		return strcmp(value, wanted) == 0;
	case HEADER_PREFIX:
		return strncmp(value, wanted, wanted_len) == 0;
	case HEADER_SUFFIX:
		return len >= wanted_len && strcmp(value + len - wanted_len, wanted) == 0;
	case HEADER_CONTAINS:
		return strstr(value, wanted) != NULL;
	default:
		return len > 0 && *end == '\0' && number >= header->range_start &&
		       number < header->range_end;
	}
}

static bool naive_header(const struct request_text *rq, const struct header_match_spec *header)
{
	char value[REQUEST_BYTES];
	bool found = naive_value(rq, header->name, value) || header->missing_as_empty, matches;

	if (header->type == HEADER_PRESENT)
		return header->invert ? !found : found;
	if (!found)
		return false;
	matches = naive_match(header, value);
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
	struct route_verdict verdict = rig_match(table, rq, (uint32_t)rand());
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
	assert_int_equal(verdict.virtual_host, best > 0 ? RIG_FIRST_HOST + host : ROUTE_NO_SLOT);
	assert_int_equal(verdict.route, route == ROUTE_NO_SLOT ? route : RIG_FIRST_ROUTE + route);
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
		request_field(
			rq, ANY_OF("x-a", "X-A", "x-b", "y"), ANY_OF("1", "2", "12", "", "1121"));
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
		table = rig_build(&r->spec);
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
		cmocka_unit_test(route_table_random_requests_agree_with_naive_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
