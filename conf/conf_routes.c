// SPDX-License-Identifier: Apache-2.0

// Route configurations, virtual hosts, routes.

#include <errno.h>
#include <string.h>

#include "conf/conf_priv.h"
#include "conf/value.h"
#include "pipeline/arena.h"

enum {
	MAX_TIMEOUT_MS = INT32_MAX,
	MAX_HEADERS = 64, // of one route
	MAX_DOMAINS = 65536,
};

// A header match as the file has it.
struct header_entry {
	struct header_match_spec match;
	const char *exact;
	const char *prefix;
	const char *suffix;
	const char *contains;
	bool present;
};

enum {
	HEADER_KEY_NAME,
	HEADER_KEY_EXACT,
	HEADER_KEY_PREFIX,
	HEADER_KEY_SUFFIX,
	HEADER_KEY_CONTAINS,
	HEADER_KEY_RANGE,
	HEADER_KEY_PRESENT,
	HEADER_KEY_INVERT,
	HEADER_KEY_IGNORE_CASE,
	HEADER_KEY_MISSING_AS_EMPTY,
	HEADER_KEY_SAFE_REGEX,
	N_HEADER_KEYS,

	HEADER_FORMS = 1 << HEADER_KEY_EXACT | 1 << HEADER_KEY_PREFIX | 1 << HEADER_KEY_SUFFIX |
		       1 << HEADER_KEY_CONTAINS | 1 << HEADER_KEY_RANGE | 1 << HEADER_KEY_PRESENT,
};

#define HEADER_FIELD(member) READER_FIELD(struct header_entry, member)

static int read_bound(struct reader *reader, const config_setting_t *setting,
	const struct reader_key *key, void *object)
{
	int64_t *bound = (int64_t *)((uint8_t *)object + key->offset);
	long long value = 0;
	int rc = value_integer(reader, setting, INT64_MIN, INT64_MAX, &value);

	*bound = value;
	return rc;
}

enum {
	RANGE_START,
	RANGE_END,
	N_RANGE_KEYS,
};

static const struct reader_key range_keys[N_RANGE_KEYS] = {
	[RANGE_START] = {"start", read_bound, READER_FIELD(struct header_match_spec, range_start)},
	[RANGE_END] = {"end", read_bound, READER_FIELD(struct header_match_spec, range_end)},
};

static const struct reader_rule range_rules[] = {
	{.of = 1 << RANGE_START, .min = 1, .max = 1},
	{.of = 1 << RANGE_END, .min = 1, .max = 1},
};

static const struct reader_group range_group = READER_GROUP(range_keys, range_rules);

static int read_range(struct reader *reader, const config_setting_t *setting,
	const struct reader_key *key, void *object)
{
	struct header_match_spec *match = &((struct header_entry *)object)->match;
	uint32_t given;

	(void)key;
	match->type = HEADER_RANGE;
	return reader_read_group(reader, setting, &range_group, match, &given);
}

static const struct reader_key header_keys[N_HEADER_KEYS] = {
	[HEADER_KEY_NAME] = {"name", value_string, HEADER_FIELD(match.name), 0, L7_MAX_NAME_LEN},
	[HEADER_KEY_EXACT] = {"exact", value_string, HEADER_FIELD(exact), 0,
		L7_MAX_HEADER_VALUE_LEN},
	[HEADER_KEY_PREFIX] = {"prefix", value_string, HEADER_FIELD(prefix), 0,
		L7_MAX_HEADER_VALUE_LEN},
	[HEADER_KEY_SUFFIX] = {"suffix", value_string, HEADER_FIELD(suffix), 0,
		L7_MAX_HEADER_VALUE_LEN},
	[HEADER_KEY_CONTAINS] = {"contains", value_string, HEADER_FIELD(contains), 0,
		L7_MAX_HEADER_VALUE_LEN},
	[HEADER_KEY_RANGE] = {.name = "range", .read = read_range},
	[HEADER_KEY_PRESENT] = {"present", value_bool, HEADER_FIELD(present)},
	[HEADER_KEY_INVERT] = {"invert", value_bool, HEADER_FIELD(match.invert)},
	[HEADER_KEY_IGNORE_CASE] = {"ignore_case", value_bool, HEADER_FIELD(match.ignore_case)},
	[HEADER_KEY_MISSING_AS_EMPTY] = {"treat_missing_header_as_empty", value_bool,
		HEADER_FIELD(match.missing_as_empty)},
	[HEADER_KEY_SAFE_REGEX] = {.name = "safe_regex", .read = reader_not_yet},
};

static const struct reader_rule header_rules[] = {
	{.of = 1 << HEADER_KEY_NAME, .min = 1, .max = 1},
	{.of = HEADER_FORMS, .min = 1, .max = 1},
	{.when = 1 << HEADER_KEY_PRESENT,
		.of = 1 << HEADER_KEY_IGNORE_CASE | 1 << HEADER_KEY_MISSING_AS_EMPTY},
	{.when = 1 << HEADER_KEY_RANGE, .of = 1 << HEADER_KEY_IGNORE_CASE},
};

static const struct reader_group header_group = READER_GROUP(header_keys, header_rules);

static void take_text(
	struct header_match_spec *match, enum header_match_type type, const char *text)
{
	if (text == NULL)
		return;
	match->type = type;
	match->value = text;
}

static int read_header(
	struct reader *reader, const config_setting_t *setting, void *item, void *context)
{
	struct header_entry entry = {.match = {.type = HEADER_PRESENT}};
	struct header_match_spec *match = item;
	uint32_t given;
	int rc = reader_read_group(reader, setting, &header_group, &entry, &given);

	(void)context;
	if (rc < 0)
		return rc;
	*match = entry.match;
	take_text(match, HEADER_EXACT, entry.exact);
	take_text(match, HEADER_PREFIX, entry.prefix);
	take_text(match, HEADER_SUFFIX, entry.suffix);
	take_text(match, HEADER_CONTAINS, entry.contains);
	return conf_l7_origin(reader, setting, &match->origin);
}

// A route as the file has it.
struct route_entry {
	struct l7_route_spec route;
	struct conf_choices choices;
	const char *path;
	const char *prefix;
	const char *separated;
	const char *method;
};

static int read_headers(struct reader *reader, const config_setting_t *setting,
	const struct reader_key *key, void *object)
{
	struct l7_route_spec *route = &((struct route_entry *)object)->route;
	void *headers = NULL;
	int rc = reader_read_items(reader, setting, MAX_HEADERS, sizeof(*route->headers),
		read_header, NULL, &headers, &route->n_headers);

	(void)key;
	route->headers = headers;
	return rc;
}

enum {
	DIRECT_STATUS,
	DIRECT_BODY,
	N_DIRECT_KEYS,
};

static const struct reader_key direct_keys[N_DIRECT_KEYS] = {
	[DIRECT_STATUS] = {"status", value_number, READER_FIELD(struct l7_route_spec, status), 200,
		599},
	[DIRECT_BODY] = {"body", value_string, READER_FIELD(struct l7_route_spec, body), 0,
		L7_MAX_BODY_LEN},
};

static const struct reader_rule direct_rules[] = {
	{.of = 1 << DIRECT_STATUS, .min = 1, .max = 1},
};

static const struct reader_group direct_group = READER_GROUP(direct_keys, direct_rules);

static int read_direct(struct reader *reader, const config_setting_t *setting,
	const struct reader_key *key, void *object)
{
	struct l7_route_spec *route = &((struct route_entry *)object)->route;
	uint32_t given;

	(void)key;
	route->action = ROUTE_ACTION_DIRECT;
	return reader_read_group(reader, setting, &direct_group, route, &given);
}

enum {
	ROUTE_NAME,
	ROUTE_PATH,
	ROUTE_PREFIX,
	ROUTE_PATH_SEPARATED,
	ROUTE_METHOD,
	ROUTE_HEADERS,
	ROUTE_CLUSTER,
	ROUTE_WEIGHTED,
	ROUTE_DIRECT,
	ROUTE_TIMEOUT,
	ROUTE_IDLE_TIMEOUT,
	ROUTE_HOST_REWRITE,
	ROUTE_SAFE_REGEX,
	ROUTE_CASE_SENSITIVE,
	ROUTE_QUERY,
	ROUTE_REDIRECT,
	ROUTE_PREFIX_REWRITE,
	ROUTE_REGEX_REWRITE,
	ROUTE_CLUSTER_HEADER,
	ROUTE_HASH_POLICY,
	ROUTE_RETRY_POLICY,
	N_ROUTE_KEYS,

	ROUTE_PATHS = 1 << ROUTE_PATH | 1 << ROUTE_PREFIX | 1 << ROUTE_PATH_SEPARATED,
	ROUTE_ACTIONS = 1 << ROUTE_CLUSTER | 1 << ROUTE_WEIGHTED | 1 << ROUTE_DIRECT,
	ROUTE_FORWARDED = 1 << ROUTE_TIMEOUT | 1 << ROUTE_IDLE_TIMEOUT | 1 << ROUTE_HOST_REWRITE,
};

#define ROUTE_FIELD(member) READER_FIELD(struct route_entry, member)

static const struct reader_key route_keys[N_ROUTE_KEYS] = {
	[ROUTE_NAME] = {"name", value_name, ROUTE_FIELD(route.name)},
	[ROUTE_PATH] = {"path", value_string, ROUTE_FIELD(path), 0, L7_MAX_PATH_LEN},
	[ROUTE_PREFIX] = {"prefix", value_string, ROUTE_FIELD(prefix), 0, L7_MAX_PATH_LEN},
	[ROUTE_PATH_SEPARATED] = {"path_separated_prefix", value_string, ROUTE_FIELD(separated), 0,
		L7_MAX_PATH_LEN},
	[ROUTE_METHOD] = {"method", value_string, ROUTE_FIELD(method), 0, L7_MAX_NAME_LEN},
	[ROUTE_HEADERS] = {.name = "headers", .read = read_headers},
	[ROUTE_CLUSTER] = {"cluster", conf_choices_read_cluster, ROUTE_FIELD(choices)},
	[ROUTE_WEIGHTED] = {"weighted_clusters", conf_choices_read_weighted, ROUTE_FIELD(choices)},
	[ROUTE_DIRECT] = {.name = "direct_response", .read = read_direct},
	[ROUTE_TIMEOUT] = {"timeout_ms", value_number, ROUTE_FIELD(route.timeout_ms), 0,
		MAX_TIMEOUT_MS},
	[ROUTE_IDLE_TIMEOUT] = {"idle_timeout_ms", value_number, ROUTE_FIELD(route.idle_timeout_ms),
		0, MAX_TIMEOUT_MS},
	[ROUTE_HOST_REWRITE] = {"host_rewrite", value_string, ROUTE_FIELD(route.host_rewrite), 0,
		L7_MAX_DOMAIN_LEN},
	[ROUTE_SAFE_REGEX] = {.name = "safe_regex", .read = reader_not_yet},
	[ROUTE_CASE_SENSITIVE] = {.name = "case_sensitive", .read = reader_not_yet},
	[ROUTE_QUERY] = {.name = "query_parameters", .read = reader_not_yet},
	[ROUTE_REDIRECT] = {.name = "redirect", .read = reader_not_yet},
	[ROUTE_PREFIX_REWRITE] = {.name = "prefix_rewrite", .read = reader_not_yet},
	[ROUTE_REGEX_REWRITE] = {.name = "regex_rewrite", .read = reader_not_yet},
	[ROUTE_CLUSTER_HEADER] = {.name = "cluster_header", .read = reader_not_yet},
	[ROUTE_HASH_POLICY] = {.name = "hash_policy", .read = reader_not_yet},
	[ROUTE_RETRY_POLICY] = {.name = "retry_policy", .read = reader_not_yet},
};

static const struct reader_rule route_rules[] = {
	{.of = ROUTE_PATHS, .min = 1, .max = 1},
	{.of = ROUTE_ACTIONS, .min = 1, .max = 1},
	{.when = 1 << ROUTE_DIRECT, .of = ROUTE_FORWARDED},
};

static const struct reader_group route_group = READER_GROUP(route_keys, route_rules);

// A method is a header match like others, and comes first.
static int add_method(struct reader *reader, struct l7_route_spec *route, const char *method)
{
	struct header_match_spec *headers =
		arena_alloc(reader->arena, (route->n_headers + 1) * sizeof(*headers));

	if (headers == NULL)
		return -ENOMEM;
	headers[0] = (struct header_match_spec){
		.origin = route->origin, .name = ":method", .type = HEADER_EXACT, .value = method};
	for (uint32_t i = 0; i < route->n_headers; i++)
		headers[i + 1] = route->headers[i];
	route->headers = headers;
	route->n_headers++;
	return 0;
}

static void take_path(const struct route_entry *entry, struct l7_route_spec *route)
{
	if (entry->path != NULL) {
		route->path_type = PATH_EXACT;
		route->path = entry->path;
	} else if (entry->separated != NULL) {
		route->path_type = PATH_SEPARATED_PREFIX;
		route->path = entry->separated;
	} else {
		route->path_type = PATH_PREFIX;
		route->path = entry->prefix;
	}
}

static int read_route(
	struct reader *reader, const config_setting_t *setting, void *item, void *seen)
{
	struct route_entry entry = {.route = {.action = ROUTE_ACTION_CLUSTER,
					    .timeout_ms = L7_DEFAULT_ROUTE_TIMEOUT_MS,
					    .idle_timeout_ms = L7_TIMEOUT_OF_LISTENER}};
	struct l7_route_spec *route = item;
	uint32_t given;
	int rc = reader_read_group(reader, setting, &route_group, &entry, &given);

	if (rc < 0)
		return rc;
	*route = entry.route;
	route->clusters = entry.choices.choices;
	route->n_clusters = entry.choices.n_choices;
	take_path(&entry, route);
	rc = route->name == NULL
		     ? conf_l7_origin(reader, setting, &route->origin)
		     : conf_l7_named(reader, setting, seen, route->name, &route->origin);
	return rc < 0 || entry.method == NULL ? rc : add_method(reader, route, entry.method);
}

static int read_domain(
	struct reader *reader, const config_setting_t *setting, void *item, void *context)
{
	static const struct reader_key domain_key = {
		.read = value_string, .size = sizeof(char *), .max = L7_MAX_DOMAIN_LEN};

	(void)context;
	return value_string(reader, setting, &domain_key, item);
}

static int read_domains(struct reader *reader, const config_setting_t *setting,
	const struct reader_key *key, void *object)
{
	struct virtual_host_spec *host = object;
	void *domains = NULL;
	int rc = reader_read_items(reader, setting, MAX_DOMAINS, sizeof(*host->domains),
		read_domain, NULL, &domains, &host->n_domains);

	(void)key;
	host->domains = domains;
	return rc;
}

static int read_routes(struct reader *reader, const config_setting_t *setting,
	const struct reader_key *key, void *object)
{
	struct virtual_host_spec *host = object;
	void *routes = NULL;
	void *seen = NULL;
	int rc = reader_read_items(reader, setting, CONF_MAX_ITEMS, sizeof(*host->routes),
		read_route, &seen, &routes, &host->n_routes);

	(void)key;
	reader_forget(&seen);
	host->routes = routes;
	return rc;
}

enum {
	HOST_NAME,
	HOST_DOMAINS,
	HOST_ROUTES,
	HOST_REQUIRE_TLS,
	N_HOST_KEYS,
};

static const struct reader_key host_keys[N_HOST_KEYS] = {
	[HOST_NAME] = {"name", value_name, READER_FIELD(struct virtual_host_spec, name)},
	[HOST_DOMAINS] = {.name = "domains", .read = read_domains},
	[HOST_ROUTES] = {.name = "routes", .read = read_routes},
	[HOST_REQUIRE_TLS] = {.name = "require_tls", .read = reader_not_yet},
};

static const struct reader_rule host_rules[] = {
	{.of = 1 << HOST_NAME, .min = 1, .max = 1},
	{.of = 1 << HOST_DOMAINS, .min = 1, .max = 1},
};

static const struct reader_group host_group = READER_GROUP(host_keys, host_rules);

static int read_host(struct reader *reader, const config_setting_t *setting, void *item, void *seen)
{
	struct virtual_host_spec *host = item;
	uint32_t given;
	int rc = reader_read_group(reader, setting, &host_group, host, &given);

	return rc < 0 ? rc : conf_l7_named(reader, setting, seen, host->name, &host->origin);
}

int conf_virtual_hosts_read(struct reader *reader, const config_setting_t *setting,
	const struct reader_key *key, void *object)
{
	struct route_configuration_spec *spec =
		(struct route_configuration_spec *)((uint8_t *)object + key->offset);
	void *hosts = NULL;
	void *seen = NULL;
	int rc = reader_read_items(reader, setting, CONF_MAX_ITEMS, sizeof(*spec->virtual_hosts),
		read_host, &seen, &hosts, &spec->n_virtual_hosts);

	reader_forget(&seen);
	spec->virtual_hosts = hosts;
	return rc;
}

enum {
	CONFIGURATION_NAME,
	CONFIGURATION_IGNORE_PORT,
	CONFIGURATION_HOSTS,
	N_CONFIGURATION_KEYS,
};

#define CONFIGURATION_FIELD(member) READER_FIELD(struct route_configuration_spec, member)

static const struct reader_key configuration_keys[N_CONFIGURATION_KEYS] = {
	[CONFIGURATION_NAME] = {"name", value_name, CONFIGURATION_FIELD(name)},
	[CONFIGURATION_IGNORE_PORT] = {"ignore_port_in_host", value_bool,
		CONFIGURATION_FIELD(ignore_port_in_host)},
	[CONFIGURATION_HOSTS] = {.name = "virtual_hosts", .read = conf_virtual_hosts_read},
};

static const struct reader_rule configuration_rules[] = {
	{.of = 1 << CONFIGURATION_NAME, .min = 1, .max = 1},
};

static const struct reader_group configuration_group =
	READER_GROUP(configuration_keys, configuration_rules);

static int read_configuration(
	struct reader *reader, const config_setting_t *setting, void *item, void *seen)
{
	struct route_configuration_spec *spec = item;
	uint32_t given;
	int rc = reader_read_group(reader, setting, &configuration_group, spec, &given);

	return rc < 0 ? rc : conf_l7_named(reader, setting, seen, spec->name, &spec->origin);
}

int conf_route_configurations_read(struct reader *reader, const config_setting_t *setting,
	const struct reader_key *key, void *object)
{
	struct l7_spec *spec = &((struct node_spec *)object)->l7;
	void *configurations = NULL;
	void *seen = NULL;
	int rc = reader_read_items(reader, setting, CONF_MAX_ITEMS,
		sizeof(**spec->route_configurations), read_configuration, &seen, &configurations,
		&spec->n_route_configurations);

	(void)key;
	reader_forget(&seen);
	if (rc < 0)
		return rc;
	spec->route_configurations = conf_l7_pointers(reader, configurations,
		spec->n_route_configurations, sizeof(**spec->route_configurations));
	return spec->route_configurations == NULL ? -ENOMEM : 0;
}
