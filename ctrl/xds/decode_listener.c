// SPDX-License-Identifier: Apache-2.0

// Listeners: one filter chain with one filter, an HTTP connection manager or a TCP proxy.

#include <errno.h>
#include <string.h>

#include "ctrl/xds/decode_priv.h"
#include "pipeline/arena.h"
#include "pipeline/spec.h"

#define NETWORK_FILTERS "envoy.extensions.filters.network."

// The addresses that stand for one: itself, or those that the file maps it to.
static int place_address(struct decode *d, const struct decode_at *at,
	const struct l7_address *address, uint16_t port, struct listener_spec *spec)
{
	const struct l7_address *to = address;
	struct l7_address *all;
	uint32_t n_to = 1;

	for (uint32_t i = 0; i < d->spec->n_addresses; i++) {
		const struct xds_address_spec *map = &d->spec->addresses[i];

		if (memcmp(&map->from, address, sizeof(*address)) != 0 ||
			(map->from_port != 0 && map->from_port != port))
			continue;
		to = map->to;
		n_to = map->n_to;
		port = map->to_port != 0 ? map->to_port : port;
		break;
	}
	if (spec->n_addresses > 0 && spec->port != port)
		return decode_refuse(d, at, "port %u; all addresses of a listener have one, %u",
			port, spec->port);
	spec->port = port;
	all = decode_alloc(d, spec->n_addresses + n_to, sizeof(*all));
	if (all == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < spec->n_addresses; i++)
		all[i] = spec->addresses[i];
	for (uint32_t i = 0; i < n_to; i++)
		all[spec->n_addresses++] = to[i];
	spec->addresses = all;
	return 0;
}

static int add_address(struct decode *d, const struct decode_at *at, const Xds__Address *message,
	struct listener_spec *spec)
{
	struct l7_address address;
	uint16_t port;
	int rc = decode_address(d, at, message, &address, &port, NULL);

	return rc < 0 ? rc : place_address(d, at, &address, port, spec);
}

static int read_addresses(
	struct decode *d, const Xds__Listener *message, struct listener_spec *spec)
{
	int rc = add_address(d, DECODE_IN(NULL, "address"), message->address, spec);

	for (uint32_t i = 0; i < message->n_additional_addresses && rc == 0; i++)
		rc = add_address(d,
			DECODE_IN(DECODE_ITEM(NULL, "additional_addresses", i), "address"),
			message->additional_addresses[i]->address, spec);
	return rc;
}

// Flags of the socket that an ordinary listener has in one way only.
static int check_flags(struct decode *d, const Xds__Listener *message)
{
	if (decode_is_true(message->use_original_dst))
		return decode_refuse(
			d, DECODE_IN(NULL, "use_original_dst"), "is not supported yet");
	if (decode_is_true(message->transparent))
		return decode_refuse(d, DECODE_IN(NULL, "transparent"), "is not supported yet");
	if (message->bind_to_port != NULL && !message->bind_to_port->value)
		return decode_refuse(d, DECODE_IN(NULL, "bind_to_port"), "is not supported yet");
	return 0;
}

static int check_listener_filters(struct decode *d, const Xds__Listener *message)
{
	static const char inspector[] =
		"envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector";
	char quoted[DECODE_TEXT_BYTES];

	int rc = 0;

	for (uint32_t i = 0; i < message->n_listener_filters && rc == 0; i++) {
		const struct decode_at *at = DECODE_ITEM(NULL, "listener_filters", i);
		const char *type = decode_type(message->listener_filters[i]->typed_config);

		if (strcmp(type, inspector) != 0)
			return decode_refuse(d, DECODE_IN(at, "typed_config"),
				"%s is not supported yet; TlsInspector is",
				decode_quote(type, quoted));
		rc = decode_count(d, at);
	}
	return rc;
}

static int check_chain_match(struct decode *d, const struct decode_at *at,
	const Xds__FilterChainMatch *match, uint16_t port)
{
	char quoted[DECODE_TEXT_BYTES];

	if (match == NULL)
		return 0;
	if (match->transport_protocol[0] != '\0' &&
		strcmp(match->transport_protocol, "raw_buffer") != 0)
		return decode_refuse(d, DECODE_IN(at, "transport_protocol"),
			"%s is not supported yet; \"raw_buffer\" is",
			decode_quote(match->transport_protocol, quoted));
	if (match->destination_port != NULL && match->destination_port->value != port)
		return decode_refuse(d, DECODE_IN(at, "destination_port"),
			"%u is not the listener's; %u is", match->destination_port->value, port);
	return 0;
}

static int read_tcp_clusters(struct decode *d, const struct decode_at *at,
	const Xds__TcpWeightedCluster *weighted, struct listener_spec *spec)
{
	struct weighted_cluster_spec *clusters =
		decode_alloc(d, (uint32_t)weighted->n_clusters, sizeof(*clusters));
	int rc = clusters == NULL ? -ENOMEM : 0;

	for (uint32_t i = 0; i < weighted->n_clusters && rc == 0; i++) {
		const struct decode_at *in =
			DECODE_ITEM(DECODE_IN(at, "weighted_clusters"), "clusters", i);

		clusters[i].weight = weighted->clusters[i]->weight;
		clusters[i].origin = decode_origin(d, in);
		rc = decode_name(d, DECODE_IN(in, "name"), weighted->clusters[i]->name,
			&clusters[i].cluster);
		if (rc == 0 && clusters[i].weight == 0)
			return decode_refuse(
				d, DECODE_IN(in, "weight"), "0 is out of range; 1 or more");
		if (clusters[i].origin == NULL)
			return -ENOMEM;
	}
	spec->n_clusters = (uint32_t)weighted->n_clusters;
	spec->clusters = clusters;
	return rc;
}

static int read_tcp_cluster(
	struct decode *d, const struct decode_at *at, const char *name, struct listener_spec *spec)
{
	struct weighted_cluster_spec *cluster = decode_alloc(d, 1, sizeof(*cluster));

	if (cluster == NULL)
		return -ENOMEM;
	cluster->weight = 1;
	cluster->origin = decode_origin(d, at);
	spec->n_clusters = 1;
	spec->clusters = cluster;
	return cluster->origin == NULL
		       ? -ENOMEM
		       : decode_name(d, DECODE_IN(at, "cluster"), name, &cluster->cluster);
}

static int read_tcp(struct decode *d, const struct decode_at *at, const Xds__Any *any,
	struct listener_spec *spec)
{
	const Xds__TcpProxy *proxy;
	const void *message;
	int rc = decode_any(d, at, &support_tcp_proxy, &xds__tcp_proxy__descriptor, any, &message);

	if (rc < 0)
		return rc;
	proxy = message;
	spec->protocol = LISTENER_TCP;
	spec->clusters_may_be_missing = true;
	spec->request_line_bytes = L7_DEFAULT_REQUEST_LINE_BYTES;
	spec->request_headers_bytes = L7_DEFAULT_REQUEST_HEADERS_BYTES;
	rc = decode_duration(d, DECODE_IN(at, "idle_timeout"), proxy->idle_timeout,
		L7_DEFAULT_TCP_IDLE_TIMEOUT_MS, &spec->idle_timeout_ms);
	if (rc < 0)
		return rc;
	if (proxy->cluster_specifier_case == XDS__TCP_PROXY__CLUSTER_SPECIFIER_CLUSTER)
		return read_tcp_cluster(d, at, proxy->cluster, spec);
	if (proxy->cluster_specifier_case == XDS__TCP_PROXY__CLUSTER_SPECIFIER_WEIGHTED_CLUSTERS)
		return read_tcp_clusters(d, at, proxy->weighted_clusters, spec);
	return decode_refuse(d, at, "one of \"cluster\", \"weighted_clusters\" is missing");
}

static int read_filter(struct decode *d, const struct decode_at *at, const Xds__Filter *filter,
	struct xds_listener *listener)
{
	const struct decode_at *in = DECODE_IN(at, "typed_config");
	const Xds__Any *any = filter->config_type_case == XDS__FILTER__CONFIG_TYPE_TYPED_CONFIG
				      ? filter->typed_config
				      : NULL;
	const char *type = decode_type(any);
	char quoted[DECODE_TEXT_BYTES];

	if (strcmp(type, NETWORK_FILTERS "http_connection_manager.v3.HttpConnectionManager") == 0)
		return decode_http_manager(d, in, any, listener);
	if (strcmp(type, NETWORK_FILTERS "tcp_proxy.v3.TcpProxy") == 0)
		return read_tcp(d, in, any, &listener->spec);
	return decode_refuse(d, in,
		"%s is not supported yet; HttpConnectionManager and TcpProxy are",
		decode_quote(type, quoted));
}

static int read_chain(struct decode *d, const struct decode_at *at, const Xds__FilterChain *chain,
	struct xds_listener *listener)
{
	int rc = check_chain_match(d, DECODE_IN(at, "filter_chain_match"),
		chain->filter_chain_match, listener->spec.port);

	if (rc == 0)
		rc = decode_socket(d, DECODE_IN(at, "transport_socket"), chain->transport_socket);
	if (rc < 0)
		return rc;
	if (chain->n_filters == 0)
		return decode_refuse(d, DECODE_IN(at, "filters"), "is missing");
	rc = read_filter(d, DECODE_ITEM(at, "filters", 0), chain->filters[0], listener);
	if (rc < 0 || chain->n_filters == 1)
		return rc;
	return decode_refuse(
		d, DECODE_ITEM(at, "filters", 1), "the filter before it is the last of its chain");
}

static int read_chains(
	struct decode *d, const Xds__Listener *message, struct xds_listener *listener)
{
	const size_t n = message->n_filter_chains + (message->default_filter_chain != NULL);

	if (n == 0)
		return decode_refuse(
			d, NULL, "one of \"filter_chains\", \"default_filter_chain\" is missing");
	if (n > 1)
		return decode_refuse(d, DECODE_IN(NULL, "filter_chains"),
			"%zu with the default one; more than one is not supported yet", n);
	if (message->default_filter_chain != NULL)
		return read_chain(d, DECODE_IN(NULL, "default_filter_chain"),
			message->default_filter_chain, listener);
	return read_chain(
		d, DECODE_ITEM(NULL, "filter_chains", 0), message->filter_chains[0], listener);
}

int decode_listener(struct decode *d, const Xds__Listener *message)
{
	struct xds_listener *listener = decode_alloc(d, 1, sizeof(*listener));
	struct listener_spec *spec;
	int rc;

	if (listener == NULL)
		return -ENOMEM;
	d->resource->listener = listener;
	spec = &listener->spec;
	spec->origin = decode_origin(d, NULL);
	spec->window_scale = L7_DEFAULT_WINDOW_SCALE;
	spec->drain_timeout_ms = L7_DEFAULT_DRAIN_TIMEOUT_MS;
	if (spec->origin == NULL)
		return -ENOMEM;
	rc = decode_name(d, DECODE_IN(NULL, "name"), message->name, &spec->name);
	if (rc == 0)
		rc = check_flags(d, message);
	if (rc == 0)
		rc = read_addresses(d, message, spec);
	if (rc == 0)
		rc = decode_network(d, NULL, message->metadata, listener);
	if (rc == 0)
		rc = check_listener_filters(d, message);
	return rc < 0 ? rc : read_chains(d, message, listener);
}
