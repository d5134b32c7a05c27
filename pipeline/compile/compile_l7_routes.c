// SPDX-License-Identifier: Apache-2.0

// Route configurations: what they must be, and their tables.

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

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

static int check_header(struct compile_l7 *l, const struct header_match_spec *spec)
{
	struct refusal *refusal = l->c->refusal;

	if (!is_header_name(spec->name))
		return refusal_set(refusal, spec->origin,
			"name: \"%.64s\" is no header's name; a token, or :method, :authority or "
			":path",
			spec->name);
	if (spec->type != HEADER_PRESENT && strlen(spec->value) > L7_MAX_HEADER_VALUE_LEN)
		return refusal_set(refusal, spec->origin,
			"headers: a value of %zu characters; at most %d", strlen(spec->value),
			L7_MAX_HEADER_VALUE_LEN);
	return 0;
}

static int check_path(struct compile_l7 *l, const struct l7_route_spec *spec)
{
	const char *key = spec->path_type == PATH_EXACT ? "path" : "prefix";
	struct refusal *refusal = l->c->refusal;

	if (strlen(spec->path) > L7_MAX_PATH_LEN)
		return refusal_set(refusal, spec->origin, "%s: %zu characters; at most %d", key,
			strlen(spec->path), L7_MAX_PATH_LEN);
	if (strpbrk(spec->path, "?#") != NULL)
		return refusal_set(refusal, spec->origin,
			"%s: \"%.64s\" matches nothing: paths are compared without their query",
			key, spec->path);
	if (spec->path[0] == '/' || (spec->path_type == PATH_PREFIX && spec->path[0] == '\0') ||
		strcmp(spec->path, "*") == 0)
		return 0;
	return refusal_set(
		refusal, spec->origin, "%s: \"%.64s\" does not begin with '/'", key, spec->path);
}

static int check_direct(struct compile_l7 *l, const struct l7_route_spec *spec)
{
	size_t body_len = spec->body == NULL ? 0 : strlen(spec->body);
	struct refusal *refusal = l->c->refusal;

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

static int check_route(struct compile_l7 *l, const struct l7_route_spec *spec)
{
	int ret = check_path(l, spec);

	for (uint32_t i = 0; i < spec->n_headers && ret == 0; i++)
		ret = check_header(l, &spec->headers[i]);
	if (ret != 0)
		return ret;
	if (spec->action == ROUTE_ACTION_DIRECT)
		return check_direct(l, spec);
	return l7_check_choices(l, spec->origin, spec->clusters, spec->n_clusters);
}

static int check_domain(
	struct compile_l7 *l, const struct virtual_host_spec *host, const char *domain)
{
	size_t len = strlen(domain);
	const char *wildcard = strchr(domain, '*');

	if (len == 0 || len > L7_MAX_DOMAIN_LEN)
		return refusal_set(l->c->refusal, host->origin,
			"domains: a domain has 1 to %d characters, not %zu", L7_MAX_DOMAIN_LEN,
			len);
	if (wildcard == NULL)
		return 0;
	if (strchr(wildcard + 1, '*') == NULL &&
		(wildcard == domain || wildcard == domain + len - 1))
		return 0;
	return refusal_set(l->c->refusal, host->origin,
		"domains: \"%s\" is no domain; one '*' may stand at its beginning or end", domain);
}

static int check_host(struct compile_l7 *l, const struct virtual_host_spec *host)
{
	int ret = 0;

	if (host->n_domains == 0)
		return refusal_set(l->c->refusal, host->origin,
			"domains: virtual host \"%s\" has none", host->name);
	for (uint32_t i = 0; i < host->n_domains && ret == 0; i++)
		ret = check_domain(l, host, host->domains[i]);
	for (uint32_t i = 0; i < host->n_routes && ret == 0; i++)
		ret = check_route(l, &host->routes[i]);
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

static int refuse_twice(struct compile_l7 *l, struct owned_domain *domains, uint32_t n)
{
	if (n > 0)
		qsort(domains, n, sizeof(*domains), compare_domains);
	for (uint32_t i = 1; i < n; i++)
		if (strcmp(domains[i].text, domains[i - 1].text) == 0)
			return refusal_set(l->c->refusal, domains[i].origin,
				"domains: \"%s\" is given twice in one route configuration",
				domains[i].text);
	return 0;
}

static int check_domains(struct compile_l7 *l, const struct route_configuration_spec *spec)
{
	struct owned_domain *domains;
	uint32_t n = 0;
	int ret;

	for (uint32_t i = 0; i < spec->n_virtual_hosts; i++)
		n += spec->virtual_hosts[i].n_domains;
	domains = calloc(n + 1, sizeof(*domains));
	if (domains == NULL)
		return compile_no_memory(l->c);
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
	ret = refuse_twice(l, domains, n);
	free(domains);
	return ret;
}

static int check_configuration(struct compile_l7 *l, const struct route_configuration_spec *spec)
{
	int ret = 0;

	for (uint32_t i = 0; i < spec->n_virtual_hosts && ret == 0; i++)
		ret = check_host(l, &spec->virtual_hosts[i]);
	return ret != 0 ? ret : check_domains(l, spec);
}

static uint32_t cluster_slot(const void *context, const char *name)
{
	const struct compile_l7 *l = context;

	return l->clusters.slots[name_index_find(l->cluster_index, name)];
}

static int build_table(struct compile_l7 *l, const struct route_configuration_spec *spec,
	uint32_t slot, uint32_t first_host, uint32_t first_route)
{
	const struct route_table_slots slots = {.cluster_slot = cluster_slot,
		.context = l,
		.virtual_hosts = &l->hosts.slots[first_host],
		.routes = &l->routes.slots[first_route]};
	struct route_table *live =
		slot < l->live->n_route_tables ? l->live->route_tables[slot] : NULL;
	struct route_table *table = route_table_build(spec, &slots);

	if (table == NULL)
		return compile_no_memory(l->c);
	l->t->route_tables[slot] =
		l7_share_block(l, &table->block, live == NULL ? NULL : &live->block);
	return 0;
}

int compile_l7_routes(struct compile_l7 *l)
{
	uint32_t n_hosts = 0, n_routes = 0;
	int ret = 0;

	l->t->route_tables = calloc(l->t->n_route_tables + 1, sizeof(struct route_table *));
	if (l->t->route_tables == NULL)
		return compile_no_memory(l->c);
	for (uint32_t i = 0; i < l->n_configurations && ret == 0; i++) {
		const struct route_configuration_spec *spec = l->configurations[i];

		ret = check_configuration(l, spec);
		if (ret == 0)
			ret = build_table(l, spec, l->tables.slots[i], n_hosts, n_routes);
		n_hosts += spec->n_virtual_hosts;
		for (uint32_t k = 0; k < spec->n_virtual_hosts; k++)
			n_routes += spec->virtual_hosts[k].n_routes;
	}
	return ret;
}
