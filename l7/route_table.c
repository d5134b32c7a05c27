// SPDX-License-Identifier: Apache-2.0

// Routes that ask for the same path of a virtual host are chained in their order. The exact path and each
// prefix of a request's path lead to one chain. Walking a chain, the first route whose headers match is a
// candidate; a later chain need only be walked as far as routes come before the candidate. So the result is
// that of trying all routes in order, at the cost of those whose path matches.

#include "l7/route_table.h"

#include <stdlib.h>
#include <string.h>

#include "l7/cluster.h"
#include "l7/header_match.h"
#include "l7/http1_head.h"

// Of the block.
enum {
	PART_HOSTS,
	PART_ROUTES,
	PART_HEADERS,
	PART_CHOICES,
	PART_DOMAINS,
	PART_PATHS,
	PART_NODES,
	PART_TEXTS,
};

enum {
	NO_ROUTE = UINT32_MAX,
	NO_TEXT = UINT32_MAX,
};

struct host {
	uint32_t slot;
	uint32_t prefixes; // radix tree
	uint32_t domain;   // entry of one of its domains that are not wildcards
	uint64_t
		exact_lens; // bit n: of the paths that routes name exactly, one has n bytes (modulo 64)
};

struct route {
	uint32_t host;
	uint32_t next;	    // with the same path
	uint32_t separated; // 1: only where a part of the request's path ends with it
	uint32_t slot;
	uint32_t first_header;
	uint32_t n_headers;
	uint32_t first_choice;
	uint32_t n_choices;
	uint32_t timeout_ms;
	uint32_t idle_timeout_ms;
	uint32_t action; // enum route_action
	uint32_t status; // DIRECT, or where a cluster is missing
	uint32_t body_off;
	uint32_t body_len;
	uint32_t host_rewrite_off; // ends with a NUL; NO_TEXT: none
};

// A route's path while its table is built.
struct path {
	const char *text;
	uint32_t len;
	uint32_t route;
};

struct build {
	struct block_builder builder;
	struct route_table *head;
	const struct route_table_slots *slots;
	// Room for all routes.
	struct path *paths;
	struct radix_key *prefixes; // of one virtual host
	struct text_key *exact;	    // of all virtual hosts
	uint32_t n_exact;
};

static uint32_t n_added(const struct build *b, uint32_t part, size_t item_bytes)
{
	return (uint32_t)(b->builder.parts[part].n_bytes / item_bytes);
}

static void add_choices(struct build *b, const struct l7_route_spec *spec)
{
	struct cluster_choice choice = {0};

	for (uint32_t i = 0; i < spec->n_clusters; i++) {
		choice.end += spec->clusters[i].weight;
		choice.cluster =
			b->slots->cluster_slot(b->slots->context, spec->clusters[i].cluster);
		block_add(&b->builder, PART_CHOICES, &choice, sizeof(choice));
	}
}

static uint32_t add_host_rewrite(struct build *b, const struct l7_route_spec *spec)
{
	if (spec->host_rewrite == NULL)
		return NO_TEXT;
	return block_add(
		&b->builder, PART_TEXTS, spec->host_rewrite, strlen(spec->host_rewrite) + 1);
}

static void add_route(
	struct build *b, const struct l7_route_spec *spec, uint32_t host_idx, uint32_t slot)
{
	struct route route = {
		.host = host_idx,
		.next = NO_ROUTE,
		.separated = spec->path_type == PATH_SEPARATED_PREFIX,
		.slot = slot,
		.first_header = n_added(b, PART_HEADERS, sizeof(struct header_match)),
		.n_headers = spec->n_headers,
		.first_choice = n_added(b, PART_CHOICES, sizeof(struct cluster_choice)),
		.timeout_ms = spec->timeout_ms,
		.idle_timeout_ms = spec->idle_timeout_ms,
		.action = (uint32_t)spec->action,
		.host_rewrite_off = add_host_rewrite(b, spec),
	};

	for (uint32_t i = 0; i < spec->n_headers; i++)
		header_match_add(&b->builder, PART_HEADERS, PART_TEXTS, &spec->headers[i]);
	if (spec->action == ROUTE_ACTION_CLUSTER) {
		route.n_choices = spec->n_clusters;
		route.status = spec->cluster_not_found_status;
		add_choices(b, spec);
	} else {
		route.status = spec->status;
		route.body_len = spec->body == NULL ? 0 : (uint32_t)strlen(spec->body);
		route.body_off = block_add(&b->builder, PART_TEXTS, spec->body, route.body_len);
	}
	block_add(&b->builder, PART_ROUTES, &route, sizeof(route));
}

static int compare_paths(const void *a, const void *b)
{
	const struct path *x = a, *y = b;
	int order =
		radix_compare((const uint8_t *)x->text, x->len, (const uint8_t *)y->text, y->len);

	if (order != 0)
		return order;
	return x->route < y->route ? -1 : 1;
}

// Either the routes that name a path exactly, or those of prefixes of both types, which share a tree.
static uint32_t collect_paths(struct build *b, const struct virtual_host_spec *spec,
	enum path_match_type type, uint32_t first_route)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < spec->n_routes; i++)
		if ((spec->routes[i].path_type == PATH_EXACT) == (type == PATH_EXACT))
			b->paths[n++] = (struct path){spec->routes[i].path,
				(uint32_t)strlen(spec->routes[i].path), first_route + i};
	if (n > 0)
		qsort(b->paths, n, sizeof(*b->paths), compare_paths);
	return n;
}

// Chains routes with one path, and leaves in b->paths the first of each chain.
static uint32_t chain_paths(struct build *b, uint32_t n_paths)
{
	struct route *routes = (struct route *)b->builder.parts[PART_ROUTES].bytes;
	uint32_t n_chains = 0, last = NO_ROUTE;

	for (uint32_t i = 0; i < n_paths; i++) {
		const struct path *path = &b->paths[i];
		const struct path *chain = n_chains > 0 ? &b->paths[n_chains - 1] : NULL;

		if (chain != NULL && chain->len == path->len &&
			memcmp(chain->text, path->text, path->len) == 0)
			routes[last].next = path->route;
		else
			b->paths[n_chains++] = *path;
		last = b->paths[i].route;
	}
	return n_chains;
}

static void add_host(struct build *b, const struct virtual_host_spec *spec, uint32_t host_idx,
	uint32_t first_route)
{
	struct host host = {.slot = b->slots->virtual_hosts[host_idx]};
	uint32_t n;

	for (uint32_t i = 0; i < spec->n_routes; i++)
		add_route(b, &spec->routes[i], host_idx, b->slots->routes[first_route + i]);
	if (b->builder.failed)
		return;
	n = chain_paths(b, collect_paths(b, spec, PATH_EXACT, first_route));
	for (uint32_t i = 0; i < n; i++) {
		host.exact_lens |= 1ull << b->paths[i].len % 64;
		b->exact[b->n_exact++] = (struct text_key){
			b->paths[i].text, b->paths[i].len, host_idx, b->paths[i].route};
	}
	n = chain_paths(b, collect_paths(b, spec, PATH_PREFIX, first_route));
	for (uint32_t i = 0; i < n; i++)
		b->prefixes[i] = (struct radix_key){
			(const uint8_t *)b->paths[i].text, b->paths[i].len, b->paths[i].route};
	host.prefixes = radix_build(&b->builder, &b->head->radix, b->prefixes, n);
	block_add(&b->builder, PART_HOSTS, &host, sizeof(host));
}

static void add_domains(struct build *b, const struct route_configuration_spec *spec)
{
	struct domain_key *keys;
	uint32_t n = 0;

	for (uint32_t i = 0; i < spec->n_virtual_hosts; i++)
		n += spec->virtual_hosts[i].n_domains;
	keys = malloc((n + 1) * sizeof(*keys));
	if (keys == NULL) {
		b->builder.failed = true;
		return;
	}
	n = 0;
	for (uint32_t i = 0; i < spec->n_virtual_hosts; i++)
		for (uint32_t k = 0; k < spec->virtual_hosts[i].n_domains; k++)
			keys[n++] = (struct domain_key){spec->virtual_hosts[i].domains[k], i};
	domain_table_build(&b->head->domains, &b->builder, keys, n);
	free(keys);
}

static void note_domains(struct build *b)
{
	struct host *hosts = (struct host *)b->builder.parts[PART_HOSTS].bytes;
	const struct text_entry *entries =
		(const struct text_entry *)b->builder.parts[PART_DOMAINS].bytes;
	uint32_t n = b->builder.failed ? 0 : n_added(b, PART_DOMAINS, sizeof(*entries));

	for (uint32_t i = 0; i < n; i++)
		if (entries[i].value != TEXT_TABLE_NONE)
			hosts[entries[i].value].domain = i;
}

static void add_hosts(struct build *b, const struct route_configuration_spec *spec)
{
	uint32_t n_routes = 0;

	for (uint32_t i = 0; i < spec->n_virtual_hosts; i++)
		n_routes += spec->virtual_hosts[i].n_routes;
	b->paths = malloc((n_routes + 1) * sizeof(*b->paths));
	b->prefixes = malloc((n_routes + 1) * sizeof(*b->prefixes));
	b->exact = malloc((n_routes + 1) * sizeof(*b->exact));
	b->builder.failed = b->paths == NULL || b->prefixes == NULL || b->exact == NULL;
	n_routes = 0;
	for (uint32_t i = 0; i < spec->n_virtual_hosts && !b->builder.failed; i++) {
		add_host(b, &spec->virtual_hosts[i], i, n_routes);
		n_routes += spec->virtual_hosts[i].n_routes;
	}
	text_table_build(&b->head->paths, &b->builder, b->exact, b->n_exact);
	free(b->paths);
	free(b->prefixes);
	free(b->exact);
}

struct route_table *route_table_build(
	const struct route_configuration_spec *spec, const struct route_table_slots *slots)
{
	struct route_table head = {
		.domains = {.exact = {.part = PART_DOMAINS, .text_part = PART_TEXTS},
			.radix = {PART_NODES, PART_TEXTS}},
		.paths = {.part = PART_PATHS, .text_part = PART_TEXTS},
		.radix = {PART_NODES, PART_TEXTS},
		.ignore_port_in_host = spec->ignore_port_in_host,
	};
	struct build b = {.head = &head, .slots = slots};

	add_hosts(&b, spec);
	add_domains(&b, spec);
	note_domains(&b);
	head.n_routes = n_added(&b, PART_ROUTES, sizeof(struct route));
	return block_finish(&b.builder, &head, sizeof(head));
}

uint32_t route_table_host_slot(const struct route_table *table, uint32_t host_idx)
{
	return ((const struct host *)block_part(&table->block, PART_HOSTS))[host_idx].slot;
}

uint32_t route_table_route_slot(const struct route_table *table, uint32_t route_idx)
{
	return ((const struct route *)block_part(&table->block, PART_ROUTES))[route_idx].slot;
}

// A request while it is matched.
struct request {
	const struct block *block;
	const uint8_t *raw;
	const struct http1_head *head;
};

static bool headers_match(const struct request *rq, const struct route *route)
{
	const struct header_match *headers = block_part(rq->block, PART_HEADERS);
	const uint8_t *texts = block_part(rq->block, PART_TEXTS);

	for (uint32_t i = 0; i < route->n_headers; i++)
		if (!header_match_test(&headers[route->first_header + i], texts, rq->raw, rq->head))
			return false;
	return true;
}

// The first route of a chain that comes before best and whose headers match, or best. is_part: the chain's path is
// all of the request's, or '/' follows it there.
static uint32_t walk_chain(const struct request *rq, uint32_t first, bool is_part, uint32_t best)
{
	const struct route *routes = block_part(rq->block, PART_ROUTES);

	for (uint32_t i = first; i < best; i = routes[i].next)
		if ((is_part || !routes[i].separated) && headers_match(rq, &routes[i]))
			return i;
	return best;
}

static uint32_t find_route(const struct route_table *table, const struct request *rq,
	const struct host *host, uint32_t host_idx)
{
	const uint8_t *path = rq->raw + rq->head->path.off;
	uint32_t path_len = rq->head->path_len, best = NO_ROUTE;
	struct radix_walk walk = {.node = host->prefixes};

	if (path_len == 0) {
		path = (const uint8_t *)"/";
		path_len = 1;
	}
	if (host->exact_lens >> path_len % 64 & 1) {
		uint32_t first =
			text_table_find(&table->paths, rq->block, host_idx, path, path_len);

		best = walk_chain(rq, first, true, best);
	}
	for (;;) {
		uint32_t first = radix_next(rq->block, &table->radix, &walk, path, path_len);

		if (first == RADIX_NONE)
			return best;
		best = walk_chain(rq, first, walk.pos == path_len || path[walk.pos] == '/', best);
	}
}

// How long the host is without its port, if it has one.
static uint32_t len_without_port(const uint8_t *host, uint32_t len)
{
	uint32_t at = len;

	while (at > 0 && host[at - 1] >= '0' && host[at - 1] <= '9')
		at--;
	return at > 0 && host[at - 1] == ':' ? at - 1 : len;
}

static uint32_t find_host(const struct route_table *table, const struct request *rq)
{
	const uint8_t *host = rq->raw + rq->head->authority.off;
	uint32_t len = rq->head->authority.len;

	if (table->ignore_port_in_host)
		len = len_without_port(host, len);
	return domain_table_find(&table->domains, rq->block, host, len);
}

static void take_route(const struct request *rq, const struct route *route, uint32_t random,
	struct route_verdict *v)
{
	const struct cluster_choice *choices = block_part(rq->block, PART_CHOICES);
	const char *texts = block_part(rq->block, PART_TEXTS);

	v->action = (enum route_action)route->action;
	v->route = route->slot;
	v->timeout_ms = route->timeout_ms;
	v->idle_timeout_ms = route->idle_timeout_ms;
	if (v->action == ROUTE_ACTION_CLUSTER) {
		v->cluster =
			cluster_choose(&choices[route->first_choice], route->n_choices, random);
		v->cluster_not_found_status = (uint16_t)route->status;
		if (route->host_rewrite_off != NO_TEXT)
			v->host_rewrite = texts + route->host_rewrite_off;
	} else {
		v->direct = (struct route_reply){.status = (uint16_t)route->status,
			.body_len = route->body_len,
			.body = texts + route->body_off};
	}
}

void route_table_match(const struct route_table *table, const uint8_t *raw,
	const struct http1_head *head, uint32_t random, struct route_verdict *verdict)
{
	const struct request rq = {.block = &table->block, .raw = raw, .head = head};
	const struct host *hosts = block_part(rq.block, PART_HOSTS);
	const struct route *routes = block_part(rq.block, PART_ROUTES);
	uint32_t host_idx = find_host(table, &rq), route_idx;

	*verdict = (struct route_verdict){.action = ROUTE_ACTION_NONE,
		.virtual_host = ROUTE_NO_SLOT,
		.route = ROUTE_NO_SLOT,
		.place = ROUTE_NO_SLOT};
	if (host_idx == DOMAIN_NONE)
		return;
	verdict->virtual_host = hosts[host_idx].slot;
	// CONNECT has no path: no route that asks for one is its.
	if (head->method == HTTP1_CONNECT)
		return;
	route_idx = find_route(table, &rq, &hosts[host_idx], host_idx);
	if (route_idx == NO_ROUTE)
		return;
	verdict->place = route_idx;
	take_route(&rq, &routes[route_idx], random, verdict);
}

static void fetch_keys(const struct route_table *table, const struct host *host)
{
	const struct text_entry *entries = block_part(&table->block, PART_DOMAINS);

	__builtin_prefetch(&entries[host->domain]);
	__builtin_prefetch(&entries[host->domain].value);
	radix_fetch_root(&table->block, &table->radix, host->prefixes);
}

static void fetch_texts(const struct route_table *table, const struct host *host)
{
	const struct text_entry *entries = block_part(&table->block, PART_DOMAINS);
	const uint8_t *texts = block_part(&table->block, PART_TEXTS);

	if (entries[host->domain].value != TEXT_TABLE_NONE)
		__builtin_prefetch(texts + entries[host->domain].text_off);
	radix_fetch_text(&table->block, &table->radix, host->prefixes);
}

void route_table_fetch(const struct route_table *table, uint32_t place, enum route_fetch step)
{
	const struct route *route = block_part(&table->block, PART_ROUTES);
	const struct host *hosts = block_part(&table->block, PART_HOSTS);
	const struct cluster_choice *choices = block_part(&table->block, PART_CHOICES);

	if (place >= table->n_routes)
		return;
	route += place;
	switch (step) {
	case ROUTE_FETCH_ROUTE:
		__builtin_prefetch(route);
		__builtin_prefetch(&route->host_rewrite_off);
		break;
	case ROUTE_FETCH_HOST:
		__builtin_prefetch(&hosts[route->host]);
		__builtin_prefetch(&choices[route->first_choice]);
		break;
	case ROUTE_FETCH_KEYS:
		fetch_keys(table, &hosts[route->host]);
		break;
	case ROUTE_FETCH_TEXTS:
		fetch_texts(table, &hosts[route->host]);
		break;
	}
}
