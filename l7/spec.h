// SPDX-License-Identifier: Apache-2.0
#pragma once

// What is wanted of HTTP routing, in xDS's terms: service networks, listeners, route configurations,
// clusters and their endpoints as plain structs. A configuration file or an xDS server fills them;
// pipeline/compile/compile_l7.c validates them and has the tables built. Strings, arrays and origins belong
// to the arena of the node_spec that they hang from. A time-out of 0 means that there is none.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "l7/http1_rule.h"

struct spec_origin; // where a spec was written, for refusals; l7 never looks inside

enum {
	L7_MAX_NAME_LEN = 127, // of everything below that has a name
	L7_MAX_DOMAIN_LEN = 255,
	L7_MAX_PATH_LEN = 4095,		// of a path or prefix to match
	L7_MAX_HEADER_VALUE_LEN = 1023, // likewise
	L7_MAX_BODY_LEN = 4096,		// of a direct response, as in Envoy
	L7_MAX_ENDPOINTS = 4096,	// of one cluster
	L7_MAX_LOCALITIES = 1024,	// likewise
	L7_MAX_PRIORITY = 128,		// as in Envoy
	L7_MAX_WINDOW_SCALE = 14,	// RFC 7323 §2.3
	L7_MIN_HEAD_LIMIT = 1024,	// of the two that follow
	L7_MAX_REQUEST_LINE_BYTES = 16384,
	L7_MAX_REQUEST_HEADERS_BYTES = 40960, // with the line and what the node adds at most 60 KiB
};

// What a source of specs starts from: Envoy's values where it has one that is not "for ever".
enum {
	L7_DEFAULT_REQUEST_LINE_BYTES = 8192,
	L7_DEFAULT_REQUEST_HEADERS_BYTES = 16384,
	L7_DEFAULT_REQUEST_HEADERS_TIMEOUT_MS = 10000,
	L7_DEFAULT_IDLE_TIMEOUT_MS = 60000,
	L7_DEFAULT_TCP_IDLE_TIMEOUT_MS = 3600000,
	L7_DEFAULT_STREAM_IDLE_TIMEOUT_MS = 300000,
	L7_DEFAULT_DRAIN_TIMEOUT_MS = 600000,
	L7_DEFAULT_WINDOW_SCALE = 7,
	L7_DEFAULT_ROUTE_TIMEOUT_MS = 15000,
	L7_DEFAULT_CONNECT_TIMEOUT_MS = 5000,
	L7_DEFAULT_POOL_TIMEOUT_MS = 60000,
	L7_DEFAULT_OVERPROVISIONING_PERCENT = 140,
	L7_DEFAULT_PANIC_PERCENT = 50,
	L7_DEFAULT_CHOICE_COUNT = 2,
};

// An address of either family; IPv4 stands in the first four bytes.
struct l7_address {
	uint8_t family; // 4 or 6; 0: not given
	uint8_t b[16];
};

enum header_match_type {
	HEADER_PRESENT,
	HEADER_EXACT,
	HEADER_PREFIX,
	HEADER_SUFFIX,
	HEADER_CONTAINS,
	HEADER_RANGE, // the value is an integer from range_start to below range_end
};

// Names are compared without case. ":method", ":authority" (also called "host") and ":path", with its
// query, are names like others.
struct header_match_spec {
	const struct spec_origin *origin;
	const char *name;
	enum header_match_type type;
	const char *value; // NULL for HEADER_PRESENT and HEADER_RANGE
	int64_t range_start;
	int64_t range_end;
	bool invert;
	bool ignore_case;      // of values, in ASCII
	bool missing_as_empty; // a header that is not there is one without a value
};

enum path_match_type {
	PATH_PREFIX,
	PATH_EXACT,
	PATH_SEPARATED_PREFIX, // the path, or what goes on with '/' after it
};

struct weighted_cluster_spec {
	const struct spec_origin *origin;
	const char *cluster; // name
	uint32_t weight;     // 0: gets nothing
};

enum route_action {
	ROUTE_ACTION_NONE, // nothing matched: 404
	ROUTE_ACTION_CLUSTER,
	ROUTE_ACTION_DIRECT,
};

enum {
	L7_TIMEOUT_OF_LISTENER = UINT32_MAX, // of a route that says nothing itself
};

struct l7_route_spec {
	const struct spec_origin *origin;
	const char *name; // unique in its virtual host; NULL: called by its number, "#0" and so on
	enum path_match_type path_type;
	const char *path;   // compared with the path without query
	uint32_t n_headers; // all must match
	const struct header_match_spec *headers;
	enum route_action action; // CLUSTER or DIRECT
	uint32_t n_clusters;	  // CLUSTER: one, or shares by weight
	const struct weighted_cluster_spec *clusters;
	// CLUSTER: 0: each cluster must be there; else the status that answers where one is not: 503, 404 or 500
	uint16_t cluster_not_found_status;
	const char
		*host_rewrite; // CLUSTER: the host that endpoints are told; NULL: the request's own
	uint16_t status;       // DIRECT: 200..599
	const char *body;      // DIRECT: NULL: none
	uint32_t timeout_ms;   // from the end of the request to the end of the response
	uint32_t
		idle_timeout_ms; // no byte either way; L7_TIMEOUT_OF_LISTENER: its stream_idle_timeout_ms
};

// Domains: "name", "*suffix", "prefix*" or "*". Case does not count. The port is part of the host.
struct virtual_host_spec {
	const struct spec_origin *origin;
	const char *name; // unique in its route configuration
	uint32_t n_domains;
	const char *const *domains;
	uint32_t n_routes; // the first that matches wins
	const struct l7_route_spec *routes;
};

struct route_configuration_spec {
	const struct spec_origin *origin;
	const char *name;
	bool ignore_port_in_host; // "host:port" is matched as "host"
	uint32_t n_virtual_hosts;
	const struct virtual_host_spec *virtual_hosts;
};

// A named set of services, and the VRFs that reach them.
struct service_network_spec {
	const struct spec_origin *origin;
	const char *name;
	uint32_t n_vrfs;
	const char *const *vrfs; // names
};

enum listener_protocol {
	LISTENER_HTTP,
	LISTENER_TCP,
};

// Bits of listener_spec.headers: what the node adds to heads on their way.
enum listener_header {
	LISTENER_X_FORWARDED_FOR = 1 << 0,
	LISTENER_X_FORWARDED_PROTO = 1 << 1,
	LISTENER_X_FORWARDED_PORT = 1 << 2,
	LISTENER_X_REQUEST_ID = 1 << 3,
	LISTENER_RESPONSE_REQUEST_ID = 1 << 4, // x-request-id on the response, too
};

struct listener_spec {
	const struct spec_origin *origin;
	const char *name;
	const char *service_network;
	uint32_t n_addresses; // virtual ones
	const struct l7_address *addresses;
	uint16_t port;
	enum listener_protocol protocol;
	const char *route_configuration;	       // HTTP: by name; NULL: routes
	const struct route_configuration_spec *routes; // HTTP: its own, named as the listener
	uint32_t n_clusters;			       // TCP: one, or shares by weight
	const struct weighted_cluster_spec *clusters;
	bool clusters_may_be_missing; // TCP: connections that fall to one are reset
	uint8_t headers;	      // HTTP: enum listener_header bits
	uint8_t rules;		      // HTTP: enum http1_rule bits
	uint8_t window_scale;	      // that the node offers clients
	uint32_t request_line_bytes;  // limits of a head
	uint32_t request_headers_bytes;
	uint32_t
		request_headers_timeout_ms; // from a head's first byte, or the handshake, to its last
	uint32_t idle_timeout_ms;	 // HTTP: of a connection between requests; TCP: at any time
	uint32_t stream_idle_timeout_ms; // HTTP: of a request without a byte either way
	uint32_t drain_timeout_ms;	 // how long flows to removed endpoints may go on
};

enum endpoint_health {
	ENDPOINT_HEALTHY,
	ENDPOINT_DEGRADED,  // chosen when healthy ones are not enough
	ENDPOINT_UNHEALTHY, // chosen in panic only
};

struct endpoint_spec {
	const struct spec_origin *origin;
	struct l7_address address;
	uint16_t port;
	enum endpoint_health health;
	uint32_t weight;    // 1 or more
	const char *policy; // SRv6 policy that leads there; NULL: the VRF's routes do
	const char *vrf;    // whose address it is; NULL: the VRF that the client is in
};

// Endpoints at one place.
struct locality_spec {
	const struct spec_origin *origin;
	const char *region; // "": not given; likewise the next two
	const char *zone;
	const char *sub_zone;
	uint32_t priority; // 0 comes first
	uint32_t weight;   // 0: not given
	uint32_t n_endpoints;
	const struct endpoint_spec
		*endpoints; // each with the cluster's policy and VRF where it had none
};

// How one of the endpoints that may be chosen is chosen.
enum cluster_policy {
	CLUSTER_ROUND_ROBIN,   // by turns, as often as weights say
	CLUSTER_LEAST_REQUEST, // who has few requests under way
	CLUSTER_RANDOM,	       // weights of endpoints do not count
};

struct cluster_spec {
	const struct spec_origin *origin;
	const char *name;
	uint32_t connect_timeout_ms;
	uint32_t pool_timeout_ms; // how long an idle leg is kept
	enum cluster_policy policy;
	uint32_t
		choice_count; // LEAST_REQUEST, equal weights: the best of so many drawn ones; 2 or more
	// LEAST_REQUEST, other weights: a weight counts as weight / (requests under way + 1)^bias; 0 or more
	double active_request_bias;
	bool locality_weighted; // localities share their priority by weight; those without one get nothing
	uint32_t overprovisioning_percent; // what is available counts for so much, at most for all
	uint32_t
		panic_percent; // with less available, a priority takes all of its endpoints; 0: 503
	uint32_t n_localities;
	const struct locality_spec
		*localities; // priorities from 0 without a gap; each locality once in each
};

// Pointers, so that what did not change is told by its address: compile shares the tables of a spec that the live
// snapshot was made from.
struct l7_spec {
	uint32_t n_service_networks;
	const struct service_network_spec *service_networks;
	uint32_t n_listeners;
	const struct listener_spec *const *listeners;
	uint32_t n_route_configurations;
	const struct route_configuration_spec *const *route_configurations;
	uint32_t n_clusters;
	const struct cluster_spec *const *clusters;
};
