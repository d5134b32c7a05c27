// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <string.h>

#include "conf/conf_priv.h"
#include "conf/text.h"
#include "conf/value.h"
#include "pipeline/arena.h"

enum {
	MAX_TIMEOUT_MS = INT32_MAX,
	MAX_ADDRESSES = 64, // of one listener
};

// A listener as the file has it. Keys that are not given stay at their defaults, which are not all zero.
struct listener_entry {
	struct listener_spec listener;
	struct route_configuration_spec routes;
	struct conf_choices choices;
	bool x_forwarded_for;
	bool x_forwarded_proto;
	bool x_forwarded_port;
	bool x_request_id;
	bool response_request_id;
	bool normalize_path;
	bool merge_slashes;
	int escaped_slashes; // places in the tables of rules below
	int underscores;
};

static int read_addresses(struct reader *reader, const config_setting_t *setting,
	const struct reader_key *key, void *object)
{
	struct listener_spec *listener = &((struct listener_entry *)object)->listener;
	void *addresses = NULL;
	int rc = reader_read_items(reader, setting, MAX_ADDRESSES, sizeof(*listener->addresses),
		value_l7_address_item, NULL, &addresses, &listener->n_addresses);

	(void)key;
	listener->addresses = addresses;
	return rc;
}

static int read_protocol(struct reader *reader, const config_setting_t *setting,
	const struct reader_key *key, void *object)
{
	struct listener_spec *listener = &((struct listener_entry *)object)->listener;
	const char *text = value_text(reader, setting);
	char quoted[TEXT_QUOTED_BYTES];

	(void)key;
	if (text == NULL)
		return -EINVAL;
	if (strcmp(text, "http") == 0 || strcmp(text, "tcp") == 0) {
		listener->protocol = text[0] == 'h' ? LISTENER_HTTP : LISTENER_TCP;
		return 0;
	}
	text_quote(text, quoted);
	if (strcmp(text, "tls") == 0 || strcmp(text, "http2") == 0)
		return reader_refuse(
			reader, setting, "%s is not supported yet; http and tcp are", quoted);
	return reader_refuse(
		reader, setting, "%s is not a known protocol; one of http, tcp", quoted);
}

struct named_rule {
	const char *name;
	uint8_t rule;
};

static const struct named_rule escaped_slashes_rules[] = {{"keep_unchanged", 0},
	{"reject_request", HTTP1_RULE_REJECT_ESCAPED_SLASHES},
	{"unescape_and_redirect", HTTP1_RULE_REDIRECT_ESCAPED_SLASHES},
	{"unescape_and_forward", HTTP1_RULE_UNESCAPE_SLASHES}, {NULL, 0}};
static const struct named_rule underscores_rules[] = {{"allow", 0},
	{"reject_request", HTTP1_RULE_REJECT_UNDERSCORES},
	{"drop_header", HTTP1_RULE_DROP_UNDERSCORES}, {NULL, 0}};

static const char *escaped_slashes_choice(int i)
{
	return escaped_slashes_rules[i].name;
}

static const char *underscores_choice(int i)
{
	return underscores_rules[i].name;
}

enum {
	LISTENER_NAME,
	LISTENER_NETWORK,
	LISTENER_ADDRESSES,
	LISTENER_PORT,
	LISTENER_PROTOCOL,
	LISTENER_CONFIGURATION,
	LISTENER_HOSTS,
	LISTENER_IGNORE_PORT,
	LISTENER_FOR,
	LISTENER_PROTO,
	LISTENER_PORT_HEADER,
	LISTENER_REQUEST_ID,
	LISTENER_ANSWER_ID,
	LISTENER_NORMALIZE_PATH,
	LISTENER_MERGE_SLASHES,
	LISTENER_ESCAPED_SLASHES,
	LISTENER_UNDERSCORES,
	LISTENER_LINE_BYTES,
	LISTENER_HEADERS_BYTES,
	LISTENER_HEADERS_TIMEOUT,
	LISTENER_STREAM_TIMEOUT,
	LISTENER_CLUSTER,
	LISTENER_WEIGHTED,
	LISTENER_IDLE_TIMEOUT,
	LISTENER_DRAIN_TIMEOUT,
	LISTENER_WINDOW_SCALE,
	LISTENER_SERVER_NAMES,
	LISTENER_TLS,
	N_LISTENER_KEYS,

	// What a listener that does not look into connections has no use for.
	HTTP_KEYS = (1 << LISTENER_CLUSTER) - (1 << LISTENER_CONFIGURATION),
	TCP_KEYS = 1 << LISTENER_CLUSTER | 1 << LISTENER_WEIGHTED,
};

#define LISTENER_FIELD(member) READER_FIELD(struct listener_entry, member)
#define LISTENER_TIMEOUT(member) LISTENER_FIELD(listener.member), 0, MAX_TIMEOUT_MS

static const struct reader_key listener_keys[N_LISTENER_KEYS] = {
	[LISTENER_NAME] = {"name", value_name, LISTENER_FIELD(listener.name)},
	[LISTENER_NETWORK] = {"service_network", value_name,
		LISTENER_FIELD(listener.service_network)},
	[LISTENER_ADDRESSES] = {.name = "addresses", .read = read_addresses},
	[LISTENER_PORT] = {"port", value_number, LISTENER_FIELD(listener.port), 1, UINT16_MAX},
	[LISTENER_PROTOCOL] = {.name = "protocol", .read = read_protocol},
	[LISTENER_CONFIGURATION] = {"route_configuration", value_name,
		LISTENER_FIELD(listener.route_configuration)},
	[LISTENER_HOSTS] = {"virtual_hosts", conf_virtual_hosts_read, LISTENER_FIELD(routes)},
	[LISTENER_IGNORE_PORT] = {"ignore_port_in_host", value_bool,
		LISTENER_FIELD(routes.ignore_port_in_host)},
	[LISTENER_FOR] = {"x_forwarded_for", value_bool, LISTENER_FIELD(x_forwarded_for)},
	[LISTENER_PROTO] = {"x_forwarded_proto", value_bool, LISTENER_FIELD(x_forwarded_proto)},
	[LISTENER_PORT_HEADER] = {"x_forwarded_port", value_bool, LISTENER_FIELD(x_forwarded_port)},
	[LISTENER_REQUEST_ID] = {"x_request_id", value_bool, LISTENER_FIELD(x_request_id)},
	[LISTENER_ANSWER_ID] = {"request_id_in_response", value_bool,
		LISTENER_FIELD(response_request_id)},
	[LISTENER_NORMALIZE_PATH] = {"normalize_path", value_bool, LISTENER_FIELD(normalize_path)},
	[LISTENER_MERGE_SLASHES] = {"merge_slashes", value_bool, LISTENER_FIELD(merge_slashes)},
	[LISTENER_ESCAPED_SLASHES] = {"path_with_escaped_slashes_action", value_choice,
		LISTENER_FIELD(escaped_slashes), .choice = escaped_slashes_choice},
	[LISTENER_UNDERSCORES] = {"headers_with_underscores_action", value_choice,
		LISTENER_FIELD(underscores), .choice = underscores_choice},
	[LISTENER_LINE_BYTES] = {"request_line_bytes", value_number,
		LISTENER_FIELD(listener.request_line_bytes), L7_MIN_HEAD_LIMIT,
		L7_MAX_REQUEST_LINE_BYTES},
	[LISTENER_HEADERS_BYTES] = {"request_headers_bytes", value_number,
		LISTENER_FIELD(listener.request_headers_bytes), L7_MIN_HEAD_LIMIT,
		L7_MAX_REQUEST_HEADERS_BYTES},
	[LISTENER_HEADERS_TIMEOUT] = {"request_headers_timeout_ms", value_number,
		LISTENER_TIMEOUT(request_headers_timeout_ms)},
	[LISTENER_STREAM_TIMEOUT] = {"stream_idle_timeout_ms", value_number,
		LISTENER_TIMEOUT(stream_idle_timeout_ms)},
	[LISTENER_CLUSTER] = {"cluster", conf_choices_read_cluster, LISTENER_FIELD(choices)},
	[LISTENER_WEIGHTED] = {"weighted_clusters", conf_choices_read_weighted,
		LISTENER_FIELD(choices)},
	[LISTENER_IDLE_TIMEOUT] = {"idle_timeout_ms", value_number,
		LISTENER_TIMEOUT(idle_timeout_ms)},
	[LISTENER_DRAIN_TIMEOUT] = {"drain_timeout_ms", value_number,
		LISTENER_TIMEOUT(drain_timeout_ms)},
	[LISTENER_WINDOW_SCALE] = {"window_scale", value_number,
		LISTENER_FIELD(listener.window_scale), 0, L7_MAX_WINDOW_SCALE},
	[LISTENER_SERVER_NAMES] = {.name = "server_names", .read = reader_not_yet},
	[LISTENER_TLS] = {.name = "tls", .read = reader_not_yet},
};

static const struct reader_rule listener_rules[] = {
	{.of = 1 << LISTENER_NAME, .min = 1, .max = 1},
	{.of = 1 << LISTENER_NETWORK, .min = 1, .max = 1},
	{.of = 1 << LISTENER_ADDRESSES, .min = 1, .max = 1},
	{.of = 1 << LISTENER_PORT, .min = 1, .max = 1},
	{.of = 1 << LISTENER_CONFIGURATION | 1 << LISTENER_HOSTS | TCP_KEYS, .min = 1, .max = 1},
	// A route configuration with a name says this itself.
	{.when = 1 << LISTENER_CONFIGURATION, .of = 1 << LISTENER_IGNORE_PORT},
};

static const struct reader_group listener_group = READER_GROUP(listener_keys, listener_rules);

// Which keys go with the protocol; the rules above let either have those of the other.
static int check_protocol(
	struct reader *reader, const config_setting_t *setting, const struct listener_entry *entry)
{
	bool is_tcp = entry->listener.protocol == LISTENER_TCP;

	for (int i = 0; i < N_LISTENER_KEYS; i++) {
		if (!((is_tcp ? HTTP_KEYS : TCP_KEYS) & 1 << i) ||
			config_setting_get_member(setting, listener_keys[i].name) == NULL)
			continue;
		return reader_refuse_key(reader, setting, listener_keys[i].name,
			"goes with protocol \"%s\" only", is_tcp ? "http" : "tcp");
	}
	return 0;
}

static uint8_t header_bits(const struct listener_entry *entry)
{
	return (uint8_t)((entry->x_forwarded_for ? LISTENER_X_FORWARDED_FOR : 0) |
			 (entry->x_forwarded_proto ? LISTENER_X_FORWARDED_PROTO : 0) |
			 (entry->x_forwarded_port ? LISTENER_X_FORWARDED_PORT : 0) |
			 (entry->x_request_id ? LISTENER_X_REQUEST_ID : 0) |
			 (entry->response_request_id ? LISTENER_RESPONSE_REQUEST_ID : 0));
}

static uint8_t rule_bits(const struct listener_entry *entry)
{
	return (uint8_t)((entry->normalize_path ? HTTP1_RULE_NORMALIZE_PATH : 0) |
			 (entry->merge_slashes ? HTTP1_RULE_MERGE_SLASHES : 0) |
			 escaped_slashes_rules[entry->escaped_slashes].rule |
			 underscores_rules[entry->underscores].rule);
}

static int keep_routes(struct reader *reader, struct listener_spec *listener,
	const struct route_configuration_spec *routes)
{
	struct route_configuration_spec *kept;

	if (listener->protocol == LISTENER_TCP || listener->route_configuration != NULL)
		return 0;
	kept = arena_alloc(reader->arena, sizeof(*kept));
	if (kept == NULL)
		return -ENOMEM;
	*kept = *routes;
	kept->name = listener->name;
	kept->origin = listener->origin;
	listener->routes = kept;
	return 0;
}

static int read_listener(
	struct reader *reader, const config_setting_t *setting, void *item, void *seen)
{
	struct listener_entry entry = {
		.listener = {.window_scale = L7_DEFAULT_WINDOW_SCALE,
			.request_line_bytes = L7_DEFAULT_REQUEST_LINE_BYTES,
			.request_headers_bytes = L7_DEFAULT_REQUEST_HEADERS_BYTES,
			.request_headers_timeout_ms = L7_DEFAULT_REQUEST_HEADERS_TIMEOUT_MS,
			.stream_idle_timeout_ms = L7_DEFAULT_STREAM_IDLE_TIMEOUT_MS,
			.drain_timeout_ms = L7_DEFAULT_DRAIN_TIMEOUT_MS},
		.x_forwarded_for = true,
		.x_forwarded_proto = true,
		.x_forwarded_port = true,
		.x_request_id = true};
	struct listener_spec *listener = item;
	uint32_t given;
	int rc = reader_read_group(reader, setting, &listener_group, &entry, &given);

	if (rc == 0)
		rc = check_protocol(reader, setting, &entry);
	if (rc < 0)
		return rc;
	*listener = entry.listener;
	listener->headers = header_bits(&entry);
	listener->rules = rule_bits(&entry);
	listener->clusters = entry.choices.choices;
	listener->n_clusters = entry.choices.n_choices;
	if ((given & 1 << LISTENER_IDLE_TIMEOUT) == 0)
		listener->idle_timeout_ms = listener->protocol == LISTENER_TCP
						    ? L7_DEFAULT_TCP_IDLE_TIMEOUT_MS
						    : L7_DEFAULT_IDLE_TIMEOUT_MS;
	rc = conf_l7_named(reader, setting, seen, listener->name, &listener->origin);
	return rc < 0 ? rc : keep_routes(reader, listener, &entry.routes);
}

int conf_listeners_read(struct reader *reader, const config_setting_t *setting,
	const struct reader_key *key, void *object)
{
	struct l7_spec *spec = &((struct node_spec *)object)->l7;
	void *listeners = NULL;
	void *seen = NULL;
	int rc = reader_read_items(reader, setting, CONF_MAX_ITEMS, sizeof(**spec->listeners),
		read_listener, &seen, &listeners, &spec->n_listeners);

	(void)key;
	reader_forget(&seen);
	if (rc < 0)
		return rc;
	spec->listeners =
		conf_l7_pointers(reader, listeners, spec->n_listeners, sizeof(**spec->listeners));
	return spec->listeners == NULL ? -ENOMEM : 0;
}
