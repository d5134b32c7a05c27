// SPDX-License-Identifier: Apache-2.0

// Clusters: where their endpoints come from. How one of them is chosen is decode_balance.c's.

#include <errno.h>
#include <string.h>

#include "ctrl/xds/decode_priv.h"
#include "pipeline/spec.h"

enum {
	DEFAULT_DNS_REFRESH_MS = 5000,
	NO_TIMEOUT_MS = INT32_MAX, // as good as none where there must be one
};

static int read_eds(
	struct decode *d, const Xds__EdsClusterConfig *message, struct xds_cluster *cluster)
{
	const struct decode_at *at = DECODE_IN(NULL, "eds_cluster_config");
	int rc;

	cluster->discovery = XDS_EDS;
	if (message == NULL)
		return decode_refuse(d, at, "is missing");
	rc = decode_source(
		d, DECODE_IN(at, "eds_config"), message->eds_config, &cluster->fetch_timeout_ms);
	if (rc < 0)
		return rc;
	if (message->service_name[0] != '\0')
		return decode_text(d, message->service_name, &cluster->eds_name);
	cluster->eds_name = cluster->spec.name;
	return 0;
}

static int read_dns(struct decode *d, const Xds__Cluster *message, struct xds_cluster *cluster)
{
	const int family = (int)message->dns_lookup_family;
	int rc = decode_duration(d, DECODE_IN(NULL, "dns_refresh_rate"), message->dns_refresh_rate,
		DEFAULT_DNS_REFRESH_MS, &cluster->dns_refresh_ms);

	if (rc < 0)
		return rc;
	if (cluster->dns_refresh_ms == 0)
		return decode_refuse(
			d, DECODE_IN(NULL, "dns_refresh_rate"), "0 is out of range; 1 ms or more");
	if (family < XDS_DNS_AUTO || family > XDS_DNS_ALL)
		return decode_refuse(
			d, DECODE_IN(NULL, "dns_lookup_family"), "%d is not known", family);
	cluster->dns_family = (enum xds_dns_family)family;
	cluster->respect_dns_ttl = message->respect_dns_ttl;
	return 0;
}

// One name stands for the whole cluster, at one place.
static int check_logical(struct decode *d, const struct xds_cluster *cluster)
{
	const struct xds_assignment *assignment = &cluster->assignment;

	if (cluster->discovery != XDS_LOGICAL_DNS ||
		(assignment->n_localities == 1 && assignment->localities[0].n_endpoints == 1))
		return 0;
	return decode_refuse(d, DECODE_IN(DECODE_IN(NULL, "load_assignment"), "endpoints"),
		"a LOGICAL_DNS cluster has one locality with one endpoint");
}

static int read_own_endpoints(
	struct decode *d, const Xds__Cluster *message, struct xds_cluster *cluster)
{
	const struct decode_at *at = DECODE_IN(NULL, "load_assignment");
	const struct decode_way way = {cluster->policy, cluster->vrf};
	struct decode_names names = {0};
	int rc;

	if (message->load_assignment == NULL)
		return decode_refuse(d, at, "is missing");
	rc = decode_assignment(d, at, message->load_assignment, &way,
		cluster->discovery == XDS_STATIC ? NULL : &names, &cluster->assignment);
	cluster->n_dns_names = names.n;
	cluster->dns_names = names.names;
	return rc < 0 ? rc : check_logical(d, cluster);
}

static int read_discovery(
	struct decode *d, const Xds__Cluster *message, struct xds_cluster *cluster)
{
	const int type =
		message->cluster_discovery_type_case == XDS__CLUSTER__CLUSTER_DISCOVERY_TYPE_TYPE
			? (int)message->type
			: XDS__CLUSTER__DISCOVERY__STATIC;
	int rc;

	switch (type) {
	case XDS__CLUSTER__DISCOVERY__EDS:
		rc = read_eds(d, message->eds_cluster_config, cluster);
		return rc < 0 ? rc : decode_policies(d, &cluster->assignment);
	case XDS__CLUSTER__DISCOVERY__STATIC:
		cluster->discovery = XDS_STATIC;
		return read_own_endpoints(d, message, cluster);
	case XDS__CLUSTER__DISCOVERY__STRICT_DNS:
	case XDS__CLUSTER__DISCOVERY__LOGICAL_DNS:
		cluster->discovery = type == XDS__CLUSTER__DISCOVERY__STRICT_DNS ? XDS_STRICT_DNS
										 : XDS_LOGICAL_DNS;
		rc = read_dns(d, message, cluster);
		return rc < 0 ? rc : read_own_endpoints(d, message, cluster);
	default:
		return decode_refuse(d, DECODE_IN(NULL, "type"),
			"%d is not supported yet; STATIC, STRICT_DNS, LOGICAL_DNS and EDS are",
			type);
	}
}

static int read_idle_timeout(struct decode *d, const struct decode_at *at,
	const Xds__HttpProtocolOptions *options, struct cluster_spec *spec)
{
	int rc = decode_duration(d, DECODE_IN(at, "idle_timeout"),
		options == NULL ? NULL : options->idle_timeout, spec->pool_timeout_ms,
		&spec->pool_timeout_ms);

	if (rc == 0 && spec->pool_timeout_ms == 0)
		spec->pool_timeout_ms = NO_TIMEOUT_MS;
	return rc;
}

static int read_http_options(struct decode *d, const struct decode_at *at, const Xds__Any *any,
	struct cluster_spec *spec)
{
	const Xds__UpstreamHttpOptions *options;
	const void *message;
	int rc = decode_any(d, at, &support_http_options, &xds__upstream_http_options__descriptor,
		any, &message);

	if (rc < 0)
		return rc;
	options = message;
	return read_idle_timeout(d, DECODE_IN(at, "common_http_protocol_options"),
		options->common_http_protocol_options, spec);
}

static int read_protocols(struct decode *d, const Xds__Cluster *message, struct cluster_spec *spec)
{
	static const char http[] = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";
	int rc = read_idle_timeout(d, DECODE_IN(NULL, "common_http_protocol_options"),
		message->common_http_protocol_options, spec);

	for (uint32_t i = 0; i < message->n_typed_extension_protocol_options && rc == 0; i++) {
		const struct decode_at *at =
			DECODE_ITEM(NULL, "typed_extension_protocol_options", i);
		const Xds__Any *any = message->typed_extension_protocol_options[i]->value;

		if (strcmp(decode_type(any), http) == 0)
			rc = read_http_options(d, DECODE_IN(at, "value"), any, spec);
		else
			rc = decode_count(d, at);
	}
	return rc;
}

static int read_connection(struct decode *d, const Xds__Cluster *message, struct cluster_spec *spec)
{
	int rc = decode_duration(d, DECODE_IN(NULL, "connect_timeout"), message->connect_timeout,
		L7_DEFAULT_CONNECT_TIMEOUT_MS, &spec->connect_timeout_ms);

	if (rc < 0)
		return rc;
	if (spec->connect_timeout_ms == 0)
		return decode_refuse(
			d, DECODE_IN(NULL, "connect_timeout"), "0 is out of range; 1 ms or more");
	rc = decode_socket(d, DECODE_IN(NULL, "transport_socket"), message->transport_socket);
	return rc < 0 ? rc : read_protocols(d, message, spec);
}

// Defaults for endpoints; those in the cluster itself have them already.
static int read_way(struct decode *d, const Xds__Cluster *message, struct xds_cluster *cluster)
{
	struct decode_way way = {0};
	int rc = decode_way(d, NULL, message->metadata, &way);

	cluster->policy = way.policy;
	cluster->vrf = way.vrf;
	return rc;
}

int decode_cluster(struct decode *d, const Xds__Cluster *message)
{
	struct xds_cluster *cluster = decode_alloc(d, 1, sizeof(*cluster));
	struct cluster_spec *spec;
	int rc;

	if (cluster == NULL)
		return -ENOMEM;
	d->resource->cluster = cluster;
	spec = &cluster->spec;
	spec->origin = decode_origin(d, NULL);
	spec->pool_timeout_ms = L7_DEFAULT_POOL_TIMEOUT_MS;
	cluster->assignment.overprovisioning_percent = L7_DEFAULT_OVERPROVISIONING_PERCENT;
	if (spec->origin == NULL)
		return -ENOMEM;
	rc = decode_name(d, DECODE_IN(NULL, "name"), message->name, &spec->name);
	if (rc == 0)
		rc = read_connection(d, message, spec);
	if (rc == 0)
		rc = decode_balancing(d, message, spec);
	if (rc == 0)
		rc = read_way(d, message, cluster);
	if (rc == 0)
		rc = read_discovery(d, message, cluster);
	spec->overprovisioning_percent = cluster->assignment.overprovisioning_percent;
	return rc;
}
