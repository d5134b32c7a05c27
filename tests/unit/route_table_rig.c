// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/route_table_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

const struct weighted_cluster_spec rig_to_zero[1] = {{.cluster = "0", .weight = 1}};

static uint32_t cluster_slot(const void *context, const char *name)
{
	(void)context;
	return (uint32_t)atoi(name);
}

struct route_table *rig_build(const struct route_configuration_spec *spec)
{
	uint32_t hosts[RIG_MAX_HOSTS], routes[RIG_MAX_ROUTES];
	const struct route_table_slots slots = {
		.cluster_slot = cluster_slot, .virtual_hosts = hosts, .routes = routes};
	struct route_table *table;

	for (uint32_t i = 0; i < RIG_MAX_HOSTS; i++)
		hosts[i] = RIG_FIRST_HOST + i;
	for (uint32_t i = 0; i < RIG_MAX_ROUTES; i++)
		routes[i] = RIG_FIRST_ROUTE + i;
	table = route_table_build(spec, &slots);
	assert_non_null(table);
	return table;
}

struct route_table *rig_build_routes(const struct l7_route_spec *routes, uint32_t n)
{
	static const char *const any[] = {"*"};
	const struct virtual_host_spec host = {
		.name = "h", .n_domains = 1, .domains = any, .n_routes = n, .routes = routes};
	const struct route_configuration_spec spec = {
		.name = "c", .n_virtual_hosts = 1, .virtual_hosts = &host};

	return rig_build(&spec);
}

struct route_verdict rig_match(
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

uint32_t rig_route(const struct route_table *table, const struct request_text *rq)
{
	uint32_t slot = rig_match(table, rq, 0).route;

	return slot == ROUTE_NO_SLOT ? slot : slot - RIG_FIRST_ROUTE;
}
