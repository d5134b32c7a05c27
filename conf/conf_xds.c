// SPDX-License-Identifier: Apache-2.0

// "xds": who is asked for services besides the file's, and as whom.

#include <errno.h>
#include <string.h>

#include <xxhash.h>

#include "conf/conf_priv.h"
#include "conf/text.h"
#include "conf/value.h"
#include "pipeline/arena.h"

enum {
	MAX_SERVERS = 16,
	MAX_ADDRESSES = 256, // mapped ones, and those that one is mapped to
	MAX_TEXT_LEN = 1023,
	MAX_PATH_LEN = 4095,
	MAX_TIMEOUT_MS = 3600000,
	MIN_MESSAGE_BYTES = 65536,
	MAX_MESSAGE_BYTES = 1 << 30,
	DEFAULT_MAX_RESOURCES = 200000,
	MAX_RESOURCES = 10000000,
};

enum {
	TLS_CA,
	TLS_CERTIFICATE,
	TLS_KEY,
	TLS_SERVER_NAME,
	TLS_SPIFFE_ID,
	N_TLS_KEYS,
};

static const struct reader_key tls_keys[N_TLS_KEYS] = {
	[TLS_CA] = {"ca", value_string, READER_FIELD(struct xds_server_spec, ca_file), 0,
		MAX_PATH_LEN},
	[TLS_CERTIFICATE] = {"certificate", value_string,
		READER_FIELD(struct xds_server_spec, cert_file), 0, MAX_PATH_LEN},
	[TLS_KEY] = {"key", value_string, READER_FIELD(struct xds_server_spec, key_file), 0,
		MAX_PATH_LEN},
	[TLS_SERVER_NAME] = {"server_name", value_string,
		READER_FIELD(struct xds_server_spec, server_name), 0, MAX_TEXT_LEN},
	[TLS_SPIFFE_ID] = {"spiffe_id", value_string,
		READER_FIELD(struct xds_server_spec, spiffe_id), 0, MAX_TEXT_LEN},
};

static const struct reader_rule tls_rules[] = {
	{.when = 1 << TLS_CERTIFICATE, .of = 1 << TLS_KEY, .min = 1, .max = 1},
	{.when = 1 << TLS_KEY, .of = 1 << TLS_CERTIFICATE, .min = 1, .max = 1},
};

static const struct reader_group tls_group = READER_GROUP(tls_keys, tls_rules);

static int read_tls(struct reader *reader, const config_setting_t *setting,
	const struct reader_key *key, void *object)
{
	struct xds_server_spec *server = object;
	uint32_t given;

	(void)key;
	server->tls = true;
	return reader_read_group(reader, setting, &tls_group, server, &given);
}

enum {
	SERVER_ADDRESS,
	SERVER_PORT,
	SERVER_TLS,
	N_SERVER_KEYS,
};

static const struct reader_key server_keys[N_SERVER_KEYS] = {
	[SERVER_ADDRESS] = {"address", value_string, READER_FIELD(struct xds_server_spec, host), 0,
		255},
	[SERVER_PORT] = {"port", value_number, READER_FIELD(struct xds_server_spec, port), 1,
		UINT16_MAX},
	[SERVER_TLS] = {.name = "tls", .read = read_tls},
};

static const struct reader_rule server_rules[] = {
	{.of = 1 << SERVER_ADDRESS, .min = 1, .max = 1},
	{.of = 1 << SERVER_PORT, .min = 1, .max = 1},
};

static const struct reader_group server_group = READER_GROUP(server_keys, server_rules);

static int read_server(
	struct reader *reader, const config_setting_t *setting, void *item, void *context)
{
	struct xds_server_spec *server = item;
	uint32_t given;
	int rc = reader_origin(reader, setting, &server->origin);

	(void)context;
	return rc < 0 ? rc : reader_read_group(reader, setting, &server_group, server, &given);
}

static int read_servers(struct reader *reader, const config_setting_t *setting,
	const struct reader_key *key, void *object)
{
	struct xds_transport_spec *transport = &((struct xds_spec *)object)->transport;
	void *servers = NULL;
	int rc = reader_read_items(reader, setting, MAX_SERVERS, sizeof(*transport->servers),
		read_server, NULL, &servers, &transport->n_servers);

	(void)key;
	transport->servers = servers;
	if (rc == 0 && transport->n_servers == 0)
		return reader_refuse(reader, setting, "at least one server is needed");
	return rc;
}

static int read_to(struct reader *reader, const config_setting_t *setting,
	const struct reader_key *key, void *object)
{
	struct xds_address_spec *address = object;
	void *items = NULL;
	int rc = reader_read_items(reader, setting, MAX_ADDRESSES, sizeof(*address->to),
		value_l7_address_item, NULL, &items, &address->n_to);

	(void)key;
	address->to = items;
	if (rc == 0 && address->n_to == 0)
		return reader_refuse(reader, setting, "at least one address is needed");
	return rc;
}

enum {
	ADDRESS_FROM,
	ADDRESS_FROM_PORT,
	ADDRESS_TO,
	ADDRESS_TO_PORT,
	N_ADDRESS_KEYS,
};

static const struct reader_key address_keys[N_ADDRESS_KEYS] = {
	[ADDRESS_FROM] = {"from", value_l7_address, READER_FIELD(struct xds_address_spec, from)},
	[ADDRESS_FROM_PORT] = {"from_port", value_number,
		READER_FIELD(struct xds_address_spec, from_port), 1, UINT16_MAX},
	[ADDRESS_TO] = {.name = "to", .read = read_to},
	[ADDRESS_TO_PORT] = {"to_port", value_number,
		READER_FIELD(struct xds_address_spec, to_port), 1, UINT16_MAX},
};

static const struct reader_rule address_rules[] = {
	{.of = 1 << ADDRESS_FROM, .min = 1, .max = 1},
	{.of = 1 << ADDRESS_TO, .min = 1, .max = 1},
};

static const struct reader_group address_group = READER_GROUP(address_keys, address_rules);

static int read_address(
	struct reader *reader, const config_setting_t *setting, void *item, void *context)
{
	struct xds_address_spec *address = item;
	uint32_t given;
	int rc = reader_origin(reader, setting, &address->origin);

	(void)context;
	return rc < 0 ? rc : reader_read_group(reader, setting, &address_group, address, &given);
}

static int read_addresses(struct reader *reader, const config_setting_t *setting,
	const struct reader_key *key, void *object)
{
	struct xds_spec *xds = object;
	void *items = NULL;
	int rc = reader_read_items(reader, setting, MAX_ADDRESSES, sizeof(*xds->addresses),
		read_address, NULL, &items, &xds->n_addresses);

	(void)key;
	xds->addresses = items;
	return rc;
}

#define MAP_FIELD(member) READER_FIELD(struct xds_endpoint_address_spec, member)

static const struct reader_key endpoint_address_keys[] = {
	[ADDRESS_FROM] = {"from", value_l7_address, MAP_FIELD(from)},
	[ADDRESS_FROM_PORT] = {"from_port", value_number, MAP_FIELD(from_port), 1, UINT16_MAX},
	[ADDRESS_TO] = {"to", value_l7_address, MAP_FIELD(to)},
	[ADDRESS_TO_PORT] = {"to_port", value_number, MAP_FIELD(to_port), 1, UINT16_MAX},
	{"vrf", value_name, MAP_FIELD(vrf)},
	{"policy", value_name, MAP_FIELD(policy)},
};

static const struct reader_group endpoint_address_group =
	READER_GROUP(endpoint_address_keys, address_rules);

static int read_endpoint_address(
	struct reader *reader, const config_setting_t *setting, void *item, void *context)
{
	struct xds_endpoint_address_spec *map = item;
	uint32_t given;
	int rc = reader_origin(reader, setting, &map->origin);

	(void)context;
	return rc < 0 ? rc
		      : reader_read_group(reader, setting, &endpoint_address_group, map, &given);
}

static int read_endpoint_addresses(struct reader *reader, const config_setting_t *setting,
	const struct reader_key *key, void *object)
{
	struct xds_spec *xds = object;
	void *items = NULL;
	int rc = reader_read_items(reader, setting, MAX_ADDRESSES, sizeof(*xds->endpoint_addresses),
		read_endpoint_address, NULL, &items, &xds->n_endpoint_addresses);

	(void)key;
	xds->endpoint_addresses = items;
	return rc;
}

static int read_network(struct reader *reader, const config_setting_t *setting,
	const struct reader_key *key, void *object)
{
	struct xds_spec *xds = object;
	int rc = reader_origin(reader, setting, &xds->service_network_origin);

	return rc < 0 ? rc : value_name(reader, setting, key, object);
}

static const char *protocol_choice(int i)
{
	static const char *const names[] = {[XDS_SOTW] = "sotw", [XDS_DELTA] = "delta"};

	return (size_t)i < sizeof(names) / sizeof(names[0]) ? names[i] : NULL;
}

#define XDS_TIMEOUT(name)                                                                          \
	{                                                                                          \
#name, value_number, READER_FIELD(struct xds_spec, transport.name), 1,             \
			MAX_TIMEOUT_MS                                                             \
	}

enum {
	XDS_SERVERS,
	XDS_NODE,
};

static const struct reader_key xds_keys[] = {
	[XDS_SERVERS] = {.name = "servers", .read = read_servers},
	[XDS_NODE] = {.name = "node", .read = conf_xds_read_node},
	{"protocol", value_choice, READER_FIELD(struct xds_spec, protocol),
		.choice = protocol_choice},
	{"service_network", read_network, READER_FIELD(struct xds_spec, service_network)},
	{.name = "addresses", .read = read_addresses},
	{.name = "endpoint_addresses", .read = read_endpoint_addresses},
	XDS_TIMEOUT(connect_timeout_ms),
	XDS_TIMEOUT(keepalive_ms),
	XDS_TIMEOUT(keepalive_timeout_ms),
	{"max_message_bytes", value_number,
		READER_FIELD(struct xds_spec, transport.max_message_bytes), MIN_MESSAGE_BYTES,
		MAX_MESSAGE_BYTES},
	{"max_resources", value_number, READER_FIELD(struct xds_spec, max_resources), 1,
		MAX_RESOURCES},
	{"certificate_secret", value_string,
		READER_FIELD(struct xds_spec, transport.sds_certificate), 0, MAX_TEXT_LEN},
	{"ca_secret", value_string, READER_FIELD(struct xds_spec, transport.sds_ca), 0,
		MAX_TEXT_LEN},
};

static const struct reader_rule xds_rules[] = {
	{.of = 1 << XDS_SERVERS, .min = 1, .max = 1},
	{.of = 1 << XDS_NODE, .min = 1, .max = 1},
};

static const struct reader_group xds_group = READER_GROUP(xds_keys, xds_rules);

static void hash_setting(XXH3_state_t *hash, const config_setting_t *setting)
{
	const char *name = config_setting_name(setting), *text = config_setting_get_string(setting);
	const long long number = config_setting_get_int64(setting);
	const double real = config_setting_get_float(setting);
	const int flag = config_setting_get_bool(setting), n = config_setting_length(setting);

	XXH3_64bits_update(hash, name == NULL ? "" : name, name == NULL ? 1 : strlen(name) + 1);
	XXH3_64bits_update(hash, text == NULL ? "" : text, text == NULL ? 1 : strlen(text) + 1);
	XXH3_64bits_update(hash, &number, sizeof(number));
	XXH3_64bits_update(hash, &real, sizeof(real));
	XXH3_64bits_update(hash, &flag, sizeof(flag));
	XXH3_64bits_update(hash, &n, sizeof(n));
	for (int i = 0; i < n; i++)
		hash_setting(hash, config_setting_get_elem(setting, (unsigned int)i));
}

static int fingerprint(const config_setting_t *setting, uint64_t *value)
{
	XXH3_state_t *hash = XXH3_createState();

	if (hash == NULL)
		return -ENOMEM;
	XXH3_64bits_reset(hash);
	hash_setting(hash, setting);
	*value = XXH3_64bits_digest(hash);
	XXH3_freeState(hash);
	return 0;
}

int conf_xds_read(struct reader *reader, const config_setting_t *setting,
	const struct reader_key *key, void *object)
{
	struct xds_spec *xds = arena_alloc(reader->arena, sizeof(*xds));
	uint32_t given;
	int rc;

	(void)key;
	if (xds == NULL)
		return -ENOMEM;
	xds->node_cluster = "";
	xds->region = "";
	xds->zone = "";
	xds->sub_zone = "";
	xds->metadata.kind = XDS_VALUE_GROUP;
	xds->max_resources = DEFAULT_MAX_RESOURCES;
	rc = reader_origin(reader, setting, &xds->origin);
	if (rc == 0)
		rc = reader_read_group(reader, setting, &xds_group, xds, &given);
	if (rc == 0)
		rc = fingerprint(setting, &xds->fingerprint);
	((struct node_spec *)object)->xds = xds;
	return rc;
}
