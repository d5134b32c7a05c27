// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <string.h>

#include "conf/conf_priv.h"
#include "conf/value.h"
#include "pipeline/arena.h"

enum {
	MAX_PATH_WEIGHT = 255,
};

enum {
	PATH_VIA,
	PATH_PORT,
	PATH_POLICY,
	PATH_WEIGHT,
	N_PATH_KEYS,
};

static const struct reader_key path_keys[N_PATH_KEYS] = {
	[PATH_VIA] = {"via", value_ip, READER_FIELD(struct route_path_spec, via)},
	[PATH_PORT] = {"port", value_iface, READER_FIELD(struct route_path_spec, iface)},
	[PATH_POLICY] = {"policy", value_name, READER_FIELD(struct route_path_spec, policy)},
	[PATH_WEIGHT] = {"weight", value_number, READER_FIELD(struct route_path_spec, weight), 1,
		MAX_PATH_WEIGHT},
};

static const struct reader_rule path_rules[] = {
	{.of = 1 << PATH_VIA | 1 << PATH_PORT | 1 << PATH_POLICY, .min = 1, .max = READER_MAX_KEYS},
	{.when = 1 << PATH_POLICY, .of = 1 << PATH_VIA | 1 << PATH_PORT},
};

static const struct reader_group path_group = READER_GROUP(path_keys, path_rules);

static int check_gateway(
	struct reader *reader, const config_setting_t *setting, const struct route_path_spec *path)
{
	if (path->via.family == 6 && path->iface == NULL && ip6_addr_is_link_local(&path->via.addr))
		return reader_refuse_key(
			reader, setting, "via", "a link-local address needs \"port\" beside it");
	return 0;
}

static int read_path(
	struct reader *reader, const config_setting_t *setting, void *item, void *context)
{
	struct route_path_spec *path = item;
	uint32_t given;
	int rc;

	(void)context;
	path->weight = 1;
	rc = reader_origin(reader, setting, &path->origin);
	if (rc < 0)
		return rc;
	rc = reader_read_group(reader, setting, &path_group, path, &given);
	if (rc < 0)
		return rc;
	return check_gateway(reader, setting, path);
}

// A route as the file has it: what to do with its packets stands beside the prefix.
struct route_entry {
	struct route_spec route;
	struct route_path_spec path; // of a route with one path
	bool blackhole;
	bool unreachable;
};

static int read_prefix(struct reader *reader, const config_setting_t *setting,
	const struct reader_key *key, void *object)
{
	struct route_entry *entry = object;

	(void)key;
	return value_masked_prefix(reader, setting, &entry->route.prefix);
}

static int read_paths(struct reader *reader, const config_setting_t *setting,
	const struct reader_key *key, void *object)
{
	struct route_entry *entry = object;
	void *paths = NULL;
	int rc;

	(void)key;
	rc = reader_read_items(reader, setting, SPEC_MAX_PATHS, sizeof(entry->path), read_path,
		NULL, &paths, &entry->route.n_paths);
	if (rc == 0 && entry->route.n_paths == 0)
		return reader_refuse(reader, setting, "a route needs at least one path");
	entry->route.paths = paths;
	return rc;
}

enum {
	ROUTE_KEY_PREFIX,
	ROUTE_KEY_VIA,
	ROUTE_KEY_PORT,
	ROUTE_KEY_POLICY,
	ROUTE_KEY_PATHS,
	ROUTE_KEY_BLACKHOLE,
	ROUTE_KEY_UNREACHABLE,
	N_ROUTE_KEYS,

	// Each says by itself what becomes of a packet; a port may help a gateway.
	ROUTE_ACTIONS = 1 << ROUTE_KEY_VIA | 1 << ROUTE_KEY_POLICY | 1 << ROUTE_KEY_PATHS |
			1 << ROUTE_KEY_BLACKHOLE | 1 << ROUTE_KEY_UNREACHABLE,
};

#define ROUTE_FIELD(member) READER_FIELD(struct route_entry, member)

static const struct reader_key route_keys[N_ROUTE_KEYS] = {
	[ROUTE_KEY_PREFIX] = {.name = "prefix", .read = read_prefix},
	[ROUTE_KEY_VIA] = {"via", value_ip, ROUTE_FIELD(path.via)},
	[ROUTE_KEY_PORT] = {"port", value_iface, ROUTE_FIELD(path.iface)},
	[ROUTE_KEY_POLICY] = {"policy", value_name, ROUTE_FIELD(route.policy)},
	[ROUTE_KEY_PATHS] = {.name = "paths", .read = read_paths},
	[ROUTE_KEY_BLACKHOLE] = {"blackhole", value_bool, ROUTE_FIELD(blackhole)},
	[ROUTE_KEY_UNREACHABLE] = {"unreachable", value_bool, ROUTE_FIELD(unreachable)},
};

static const struct reader_rule route_rules[] = {
	{.of = 1 << ROUTE_KEY_PREFIX, .min = 1, .max = 1},
	{.of = ROUTE_ACTIONS | 1 << ROUTE_KEY_PORT, .min = 1, .max = READER_MAX_KEYS},
	{.of = ROUTE_ACTIONS, .max = 1},
	{.when = 1 << ROUTE_KEY_PORT, .of = ROUTE_ACTIONS & ~(1 << ROUTE_KEY_VIA)},
};

static const struct reader_group route_group = READER_GROUP(route_keys, route_rules);

static int add_path(
	struct reader *reader, const config_setting_t *setting, struct route_entry *entry)
{
	struct route_path_spec *path = arena_alloc(reader->arena, sizeof(*path));

	if (path == NULL)
		return -ENOMEM;
	*path = entry->path;
	path->origin = entry->route.origin;
	path->weight = 1;
	entry->route.paths = path;
	entry->route.n_paths = 1;
	return check_gateway(reader, setting, path);
}

static int settle_route(
	struct reader *reader, const config_setting_t *setting, struct route_entry *entry)
{
	if (entry->blackhole)
		entry->route.type = ROUTE_BLACKHOLE;
	else if (entry->unreachable)
		entry->route.type = ROUTE_UNREACHABLE;
	else if (entry->route.policy != NULL)
		entry->route.type = ROUTE_POLICY;
	else if (entry->route.paths == NULL)
		return add_path(reader, setting, entry);
	return 0;
}

static int compare_routes(const void *a, const void *b)
{
	const struct route_spec *x = a, *y = b;

	return memcmp(&x->prefix, &y->prefix, sizeof(x->prefix));
}

static int read_route(
	struct reader *reader, const config_setting_t *setting, void *item, void *seen)
{
	struct route_entry entry = {.route.type = ROUTE_VIA};
	struct route_spec *route = item;
	const config_setting_t *prefix;
	uint32_t given;
	int rc;

	rc = reader_origin(reader, setting, &entry.route.origin);
	if (rc < 0)
		return rc;
	rc = reader_read_group(reader, setting, &route_group, &entry, &given);
	if (rc == 0)
		rc = settle_route(reader, setting, &entry);
	if (rc < 0)
		return rc;
	*route = entry.route;
	prefix = config_setting_get_member(setting, "prefix");
	return reader_check_unique(
		reader, prefix, seen, route, compare_routes, config_setting_get_string(prefix));
}

static int read_routes(struct reader *reader, const config_setting_t *setting,
	const struct reader_key *key, void *object)
{
	struct vrf_spec *vrf = object;
	void *routes = NULL;
	void *seen = NULL;
	int rc;

	(void)key;
	rc = reader_read_items(reader, setting, CONF_MAX_ITEMS, sizeof(*vrf->routes), read_route,
		&seen, &routes, &vrf->n_routes);
	reader_forget(&seen);
	vrf->routes = routes;
	return rc;
}

// An address, or all of a prefix.
static int read_source(
	struct reader *reader, const config_setting_t *setting, void *item, void *context)
{
	struct source_spec *source = item;
	const char *text = value_text(reader, setting);
	struct ip_addr addr;
	int rc;

	(void)context;
	if (text == NULL)
		return -EINVAL;
	rc = reader_origin(reader, setting, &source->origin);
	if (rc < 0)
		return rc;
	if (strchr(text, '/') != NULL)
		return value_masked_prefix(reader, setting, &source->prefix);
	rc = value_ip_text(reader, setting, 0, &addr);
	if (rc == 0)
		source->prefix = (struct ip_prefix){.family = addr.family,
			.len = addr.family == 4 ? 32 : 128,
			.addr = addr.addr};
	return rc;
}

static int read_sources(struct reader *reader, const config_setting_t *setting,
	const struct reader_key *key, void *object)
{
	struct vrf_spec *vrf = object;
	void *sources = NULL;
	int rc;

	(void)key;
	rc = reader_read_items(reader, setting, SPEC_MAX_SOURCES, sizeof(*vrf->sources),
		read_source, NULL, &sources, &vrf->n_sources);
	vrf->sources = sources;
	return rc;
}

enum {
	VRF_NAME,
	VRF_ICMP_SOURCE4,
	VRF_ICMP_SOURCE6,
	VRF_SOURCES,
	VRF_ROUTES,
	N_VRF_KEYS,
};

static const struct reader_key vrf_keys[N_VRF_KEYS] = {
	[VRF_NAME] = {"name", value_name, READER_FIELD(struct vrf_spec, name)},
	[VRF_ICMP_SOURCE4] = {"icmp_source4", value_ip, READER_FIELD(struct vrf_spec, icmp_source4),
		0, 4},
	[VRF_ICMP_SOURCE6] = {"icmp_source6", value_ip, READER_FIELD(struct vrf_spec, icmp_source6),
		0, 6},
	[VRF_SOURCES] = {.name = "sources", .read = read_sources},
	[VRF_ROUTES] = {.name = "routes", .read = read_routes},
};

static const struct reader_rule vrf_rules[] = {
	{.of = 1 << VRF_NAME, .min = 1, .max = 1},
};

static const struct reader_group vrf_group = READER_GROUP(vrf_keys, vrf_rules);

static int compare_vrfs(const void *a, const void *b)
{
	const struct vrf_spec *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static int read_vrf(struct reader *reader, const config_setting_t *setting, void *item, void *seen)
{
	struct vrf_spec *vrf = item;
	uint32_t given;
	int rc;

	rc = reader_origin(reader, setting, &vrf->origin);
	if (rc < 0)
		return rc;
	rc = reader_read_group(reader, setting, &vrf_group, vrf, &given);
	if (rc < 0)
		return rc;
	return reader_check_unique(reader, config_setting_get_member(setting, "name"), seen, vrf,
		compare_vrfs, vrf->name);
}

int conf_vrfs_read(struct reader *reader, const config_setting_t *setting,
	const struct reader_key *key, void *object)
{
	struct node_spec *spec = object;
	void *vrfs = NULL;
	void *seen = NULL;
	int rc;

	(void)key;
	rc = reader_read_items(reader, setting, SPEC_MAX_VRFS, sizeof(*spec->vrfs), read_vrf, &seen,
		&vrfs, &spec->n_vrfs);
	reader_forget(&seen);
	spec->vrfs = vrfs;
	return rc;
}

int conf_vrfs_place_default(struct reader *reader, struct node_spec *spec)
{
	struct vrf_spec *vrfs = arena_alloc(reader->arena, (spec->n_vrfs + 1) * sizeof(*vrfs));
	uint32_t n = 1;

	if (vrfs == NULL)
		return -ENOMEM;
	vrfs[0] = (struct vrf_spec){.origin.source = reader->source, .name = "default"};
	for (uint32_t i = 0; i < spec->n_vrfs; i++) {
		if (strcmp(spec->vrfs[i].name, "default") == 0)
			vrfs[0] = spec->vrfs[i];
		else
			vrfs[n++] = spec->vrfs[i];
	}
	spec->vrfs = vrfs;
	spec->n_vrfs = n;
	if (n > SPEC_MAX_VRFS)
		return refusal_set(reader->refusal, &vrfs[0].origin,
			"vrfs: %u VRFs with \"default\"; at most %d", n, SPEC_MAX_VRFS);
	return 0;
}
