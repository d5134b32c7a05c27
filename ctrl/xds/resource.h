// SPDX-License-Identifier: Apache-2.0
#pragma once

// A resource of an xDS server, decoded: a spec and the names that it refers to. Frozen once it is made; the
// control core's loop counts its references, but a compile in flight may drop the last one, so the count is atomic.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pipeline/spec.h"

enum xds_type {
	XDS_LISTENER,  // LDS, envoy.config.listener.v3.Listener
	XDS_ROUTES,    // RDS, envoy.config.route.v3.RouteConfiguration
	XDS_CLUSTER,   // CDS, envoy.config.cluster.v3.Cluster
	XDS_ENDPOINTS, // EDS, envoy.config.endpoint.v3.ClusterLoadAssignment
	XDS_SECRET,    // SDS, envoy.extensions.transport_sockets.tls.v3.Secret
	XDS_N_TYPES,
	XDS_NO_TYPE = XDS_N_TYPES,
};

// Where a cluster's endpoints come from.
enum xds_discovery {
	XDS_STATIC, // in the cluster itself
	XDS_EDS,
	XDS_STRICT_DNS,	 // every address of every name
	XDS_LOGICAL_DNS, // one address of one name
};

// Which of a name's addresses are taken; numbered as in the protocol.
enum xds_dns_family {
	XDS_DNS_AUTO, // IPv6, or IPv4 if there is none
	XDS_DNS_V4_ONLY,
	XDS_DNS_V6_ONLY,
	XDS_DNS_V4_PREFERRED, // IPv4, or IPv6 if there is none
	XDS_DNS_ALL,
};

// A name to resolve and what its endpoints have in common with the one that stands for them in the assignment.
struct xds_dns_name {
	const char *name;
	uint32_t locality; // index in the assignment
	uint32_t endpoint; // index in the locality: its address is not given
};

// The localities of a cluster and what they say of choosing among them.
struct xds_assignment {
	uint32_t n_localities;
	const struct locality_spec *localities;
	uint32_t overprovisioning_percent; // 140 unless given
	uint32_t n_policies; // SRv6 policies made of endpoints' own segments, by rising name
	const struct srv6_policy_spec
		*policies; // named after their segments: the same name is the same policy
};

struct xds_cluster {
	struct cluster_spec spec; // without localities
	enum xds_discovery discovery;
	const char *eds_name;	   // XDS_EDS
	uint32_t fetch_timeout_ms; // XDS_EDS: until it goes live without endpoints; 0: never
	struct xds_assignment
		assignment; // all others; of XDS_EDS only its policies, for the defaults below
	uint32_t n_dns_names;
	const struct xds_dns_name *dns_names;
	uint32_t dns_refresh_ms;
	bool respect_dns_ttl;
	enum xds_dns_family dns_family;
	const char *policy; // XDS_EDS: of endpoints that name none; NULL: none
	const char *vrf;
};

struct xds_listener {
	struct listener_spec
		spec; // routes of its own, or the name of a route configuration, or clusters
	uint32_t fetch_timeout_ms; // until it answers 404 without its route configuration; 0: never
	const struct service_network_spec
		*network; // of VRFs that it lists itself; NULL: one of the file's
};

struct xds_secret; // ctrl/xds/tls.h

// A field that was given and does nothing here: what would not change where a request goes.
struct xds_ignored {
	const char *path; // without indexes: "virtual_hosts.routes.metadata"
	uint32_t n_times;
};

struct xds_resource {
	_Atomic uint32_t n_refs;
	enum xds_type type;
	struct arena *arena; // owns everything below, and the resource itself
	const char *name;
	union {
		const struct xds_listener *listener;
		const struct route_configuration_spec *routes;
		const struct xds_cluster *cluster;
		const struct xds_assignment *endpoints;
		const struct xds_secret *secret;
	};
	uint32_t n_ignored;
	const struct xds_ignored *ignored;
};

// "listener", "route configuration" and so on: how refusals call it.
const char *xds_type_word(enum xds_type type);
// "type.googleapis.com/envoy...", and back by what follows the last '/'. XDS_NO_TYPE: another.
const char *xds_type_url(enum xds_type type);
enum xds_type xds_type_of(const char *url);

struct xds_resource *xds_resource_acquire(struct xds_resource *resource);
// NULL is fine. From any thread.
void xds_resource_release(struct xds_resource *resource);
