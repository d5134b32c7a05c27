// SPDX-License-Identifier: Apache-2.0

// Route configurations: what they must be, and their tables.

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "l7/http1_target.h"
#include "pipeline/compile/compile_l7_priv.h"

// A header's name is a token (RFC 9110 §5.6.2), or one of the request line's parts.
static bool is_header_name(const char *name)
{
	size_t len = strlen(name);

	if (name[0] == ':')
		return strcasecmp(name, ":method") == 0 || strcasecmp(name, ":path") == 0 ||
		       strcasecmp(name, ":authority") == 0;
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)name[i]) && strchr("!#$%&'*+-.^_`|~", name[i]) == NULL)
			return false;
	return len > 0 && len <= L7_MAX_NAME_LEN;
}

static int check_header(struct compile *c, const struct header_match_spec *spec)
{
	struct refusal *refusal = c->refusal;

	if (!is_header_name(spec->name))
		return refusal_set(refusal, spec->origin,
			"name: \"%.64s\" is no header's name; a token, or :method, :authority or "
			":path",
			spec->name);
	if (spec->value != NULL && strlen(spec->value) > L7_MAX_HEADER_VALUE_LEN)
		return refusal_set(refusal, spec->origin,
			"headers: a value of %zu characters; at most %d", strlen(spec->value),
			L7_MAX_HEADER_VALUE_LEN);
	return 0;
}

static int check_path(struct compile *c, const struct l7_route_spec *spec)
{
	static const char *const keys[] = {[PATH_PREFIX] = "prefix",
		[PATH_EXACT] = "path",
		[PATH_SEPARATED_PREFIX] = "path_separated_prefix"};
	const char *key = keys[spec->path_type];
	struct refusal *refusal = c->refusal;

	if (strlen(spec->path) > L7_MAX_PATH_LEN)
		return refusal_set(refusal, spec->origin, "%s: %zu characters; at most %d", key,
			strlen(spec->path), L7_MAX_PATH_LEN);
	if (strpbrk(spec->path, "?#") != NULL)
		return refusal_set(refusal, spec->origin,
			"%s: \"%.64s\" matches nothing: paths are compared without their query",
			key, spec->path);
	if (spec->path_type == PATH_SEPARATED_PREFIX && spec->path[0] != '\0' &&
		spec->path[strlen(spec->path) - 1] == '/')
		return refusal_set(refusal, spec->origin,
			"%s: \"%.64s\" ends with '/', which is what must follow it", key,
			spec->path);
	if (spec->path[0] == '/' || (spec->path_type == PATH_PREFIX && spec->path[0] == '\0') ||
		strcmp(spec->path, "*") == 0)
		return 0;
	return refusal_set(
		refusal, spec->origin, "%s: \"%.64s\" does not begin with '/'", key, spec->path);
}

static int check_direct(struct compile *c, const struct l7_route_spec *spec)
{
	size_t body_len = spec->body == NULL ? 0 : strlen(spec->body);
	struct refusal *refusal = c->refusal;

	if (spec->status < 200 || spec->status > 599)
		return refusal_set(refusal, spec->origin,
			"direct_response.status: %u is out of range; 200 to 599", spec->status);
	if (body_len > L7_MAX_BODY_LEN)
		return refusal_set(refusal, spec->origin,
			"direct_response.body: %zu characters; at most %d", body_len,
			L7_MAX_BODY_LEN);
	// RFC 9110 §15.3.5 and §15.4.5.
	if (body_len > 0 && (spec->status == 204 || spec->status == 304))
		return refusal_set(
			refusal, spec->origin, "direct_response.body: a %u has none", spec->status);
	return 0;
}

// What endpoints are told must be what the node itself takes for a host.
static int check_host_rewrite(struct compile *c, const struct l7_route_spec *spec)
{
	const size_t len = spec->host_rewrite == NULL ? 0 : strlen(spec->host_rewrite);

	if (spec->host_rewrite == NULL)
		return 0;
	if (len > L7_MAX_DOMAIN_LEN)
		return refusal_set(c->refusal, spec->origin,
			"host_rewrite: %zu characters; at most %d", len, L7_MAX_DOMAIN_LEN);
	if (http1_target_is_authority(
		    (const uint8_t *)spec->host_rewrite, (struct http1_text){.len = (uint32_t)len}))
		return 0;
	return refusal_set(c->refusal, spec->origin,
		"host_rewrite: \"%s\" is no host; a name or address, and perhaps a port",
		spec->host_rewrite);
}

static int check_route(struct compile *c, const struct l7_route_spec *spec)
{
	int ret = check_path(c, spec);

	for (uint32_t i = 0; i < spec->n_headers && ret == 0; i++)
		ret = check_header(c, &spec->headers[i]);
	if (ret != 0)
		return ret;
	if (spec->action == ROUTE_ACTION_DIRECT)
		return check_direct(c, spec);
	ret = check_host_rewrite(c, spec);
	if (ret != 0)
		return ret;
	return l7_check_weights(c, spec->origin, spec->clusters, spec->n_clusters);
}

static int check_domain(struct compile *c, const struct virtual_host_spec *host, const char *domain)
{
	size_t len = strlen(domain);
	const char *wildcard = strchr(domain, '*');

	if (len == 0 || len > L7_MAX_DOMAIN_LEN)
		return refusal_set(c->refusal, host->origin,
			"domains: a domain has 1 to %d characters, not %zu", L7_MAX_DOMAIN_LEN,
			len);
	if (wildcard == NULL)
		return 0;
	if (strchr(wildcard + 1, '*') == NULL &&
		(wildcard == domain || wildcard == domain + len - 1))
		return 0;
	return refusal_set(c->refusal, host->origin,
		"domains: \"%s\" is no domain; one '*' may stand at its beginning or end", domain);
}

static int check_host(struct compile *c, const struct virtual_host_spec *host)
{
	int ret = 0;

	if (host->n_domains == 0)
		return refusal_set(c->refusal, host->origin,
			"domains: virtual host \"%s\" has none", host->name);
	for (uint32_t i = 0; i < host->n_domains && ret == 0; i++)
		ret = check_domain(c, host, host->domains[i]);
	for (uint32_t i = 0; i < host->n_routes && ret == 0; i++)
		ret = check_route(c, &host->routes[i]);
	return ret;
}

// A domain in lower case, and whose it is.
struct owned_domain {
	char text[L7_MAX_DOMAIN_LEN + 1];
	const struct spec_origin *origin;
};

static int compare_domains(const void *a, const void *b)
{
	const struct owned_domain *x = a, *y = b;
	int order = strcmp(x->text, y->text);

	return order != 0 ? order : (x->origin > y->origin) - (x->origin < y->origin);
}

static int refuse_twice(struct compile *c, struct owned_domain *domains, uint32_t n)
{
	if (n > 0)
		qsort(domains, n, sizeof(*domains), compare_domains);
	for (uint32_t i = 1; i < n; i++)
		if (strcmp(domains[i].text, domains[i - 1].text) == 0)
			return refusal_set(c->refusal, domains[i].origin,
				"domains: \"%s\" is given twice in one route configuration",
				domains[i].text);
	return 0;
}

static int check_domains(struct compile *c, const struct route_configuration_spec *spec)
{
	struct owned_domain *domains;
	uint32_t n = 0;
	int ret;

	for (uint32_t i = 0; i < spec->n_virtual_hosts; i++)
		n += spec->virtual_hosts[i].n_domains;
	domains = calloc(n + 1, sizeof(*domains));
	if (domains == NULL)
		return compile_no_memory(c);
	n = 0;
	for (uint32_t i = 0; i < spec->n_virtual_hosts; i++) {
		const struct virtual_host_spec *host = &spec->virtual_hosts[i];

		for (uint32_t k = 0; k < host->n_domains; k++, n++) {
			domains[n].origin = host->origin;
			for (size_t at = 0; host->domains[k][at] != '\0'; at++)
				domains[n].text[at] =
					(char)tolower((unsigned char)host->domains[k][at]);
		}
	}
	ret = refuse_twice(c, domains, n);
	free(domains);
	return ret;
}

int l7_check_routes(struct compile *c, const struct route_configuration_spec *spec)
{
	int ret = 0;

	for (uint32_t i = 0; i < spec->n_virtual_hosts && ret == 0; i++)
		ret = check_host(c, &spec->virtual_hosts[i]);
	return ret != 0 ? ret : check_domains(c, spec);
}

// ---- slots

// Slots of one configuration on its way.
struct slots {
	struct compile_l7 *l;
	uint32_t *hosts;
	uint32_t *routes; // counted through all virtual hosts
};

static const char *route_name(const struct l7_route_spec *spec, uint32_t idx, char number[16])
{
	snprintf(number, 16, "#%u", idx);
	return spec->name != NULL ? spec->name : number;
}

// A name that this compile has seen already is there twice.
static int take_once(struct compile_l7 *l, struct slot_map *map, const char *kind, uint32_t max,
	const struct spec_origin *origin, uint32_t parent, const char *name, uint32_t *slot)
{
	int ret = l7_take_name(l, map, kind, max, origin, parent, name, slot);

	if (ret != 0)
		return ret;
	if (map->notes[*slot].stamp == l->m->stamp)
		return refusal_set(
			l->c->refusal, origin, "%s: the name \"%s\" is given twice", kind, name);
	map->notes[*slot].stamp = l->m->stamp;
	return 0;
}

static int take_route(struct compile_l7 *l, const struct l7_route_spec *spec, uint32_t idx,
	uint32_t host_slot, uint32_t *slot)
{
	enum l7_missing missing =
		spec->cluster_not_found_status == 0 ? L7_MUST_EXIST : L7_MAY_BE_MISSING;
	uint32_t n_clusters = spec->action == ROUTE_ACTION_CLUSTER ? spec->n_clusters : 0;
	char number[16];
	uint32_t cluster;
	int ret = take_once(l, &l->m->routes, "routes", L7_MAX_ROUTE_SLOTS, spec->origin, host_slot,
		route_name(spec, idx, number), slot);

	for (uint32_t i = 0; i < n_clusters && ret == 0; i++)
		ret = l7_take_choice(l, &spec->clusters[i], missing, &cluster);
	return ret;
}

static int take_slots(
	struct slots *slots, const struct route_configuration_spec *spec, uint32_t table_slot)
{
	struct compile_l7 *l = slots->l;
	uint32_t n_routes = 0;
	int ret = 0;

	for (uint32_t i = 0; i < spec->n_virtual_hosts && ret == 0; i++) {
		const struct virtual_host_spec *host = &spec->virtual_hosts[i];

		ret = take_once(l, &l->m->hosts, "virtual_hosts", L7_MAX_VIRTUAL_HOST_SLOTS,
			host->origin, table_slot, host->name, &slots->hosts[i]);
		for (uint32_t k = 0; k < host->n_routes && ret == 0; k++)
			ret = take_route(l, &host->routes[k], k, slots->hosts[i],
				&slots->routes[n_routes++]);
	}
	return ret;
}

// ---- tables

static uint32_t cluster_slot(const void *context, const char *name)
{
	const struct slots *slots = context;

	return l7_find_name(&slots->l->m->clusters, 0, name);
}

static int build_table(struct slots *slots, const struct l7_change *change)
{
	const struct route_table_slots table_slots = {.cluster_slot = cluster_slot,
		.context = slots,
		.virtual_hosts = slots->hosts,
		.routes = slots->routes};
	struct compile_l7 *l = slots->l;
	int ret = take_slots(slots, change->spec, change->slot);
	struct route_table *table;

	if (ret != 0)
		return ret;
	table = route_table_build(change->spec, &table_slots);
	if (table == NULL)
		return compile_no_memory(l->c);
	l7_set_block(l, &l->route_tables, change->slot, &table->block);
	return 0;
}

static int compile_table(struct compile_l7 *l, const struct l7_change *change)
{
	const struct route_configuration_spec *spec = change->spec;
	struct slots slots = {.l = l};
	uint32_t n_routes = 0;
	int ret = l7_check_routes(l->c, spec);

	if (ret != 0)
		return ret;
	for (uint32_t i = 0; i < spec->n_virtual_hosts; i++)
		n_routes += spec->virtual_hosts[i].n_routes;
	slots.hosts = calloc(spec->n_virtual_hosts + 1, sizeof(*slots.hosts));
	slots.routes = calloc(n_routes + 1, sizeof(*slots.routes));
	ret = slots.hosts == NULL || slots.routes == NULL ? compile_no_memory(l->c)
							  : build_table(&slots, change);
	free(slots.hosts);
	free(slots.routes);
	return ret;
}

int compile_l7_routes(struct compile_l7 *l)
{
	int ret = 0;

	for (uint32_t i = 0; i < l->changed_tables.added.n && ret == 0; i++)
		ret = compile_table(l, &l->changed_tables.added.items[i]);
	return ret;
}

// ---- what went

static void leave_host(struct compile_l7 *l, const struct virtual_host_spec *spec, uint32_t table)
{
	struct slot_map *hosts = &l->m->hosts, *routes = &l->m->routes;
	uint32_t host = l7_find_name(hosts, table, spec->name);
	char number[16];

	for (uint32_t i = 0; i < spec->n_routes; i++) {
		const struct l7_route_spec *route = &spec->routes[i];
		uint32_t slot = l7_find_name(routes, host, route_name(route, i, number));

		if (route->action == ROUTE_ACTION_CLUSTER)
			l7_leave_choices(l, route->clusters, route->n_clusters);
		if (routes->notes[slot].stamp != l->m->stamp)
			slot_map_drop(routes, slot);
	}
	if (hosts->notes[host].stamp != l->m->stamp)
		slot_map_drop(hosts, host);
}

void l7_leave_routes(
	struct compile_l7 *l, const struct route_configuration_spec *spec, uint32_t table)
{
	for (uint32_t i = 0; i < spec->n_virtual_hosts; i++)
		leave_host(l, &spec->virtual_hosts[i], table);
}
