// SPDX-License-Identifier: Apache-2.0

// Assignments: localities and their endpoints, on their own (EDS) or in a cluster. That priorities have no gap, a
// locality is given once and weights fit, the compile sees to.

#include <errno.h>

#include "ctrl/xds/decode_priv.h"
#include "ctrl/xds/endpoint_map.h"
#include "pipeline/arena.h"

enum {
	MAX_PRIORITY = 128,
};

static int read_health(struct decode *d, const struct decode_at *at, Xds__LbEndpoint__Health health,
	struct endpoint_spec *spec)
{
	switch (health) {
	case XDS__LB_ENDPOINT__HEALTH__UNKNOWN:
	case XDS__LB_ENDPOINT__HEALTH__HEALTHY:
		spec->health = ENDPOINT_HEALTHY;
		return 0;
	case XDS__LB_ENDPOINT__HEALTH__UNHEALTHY:
	case XDS__LB_ENDPOINT__HEALTH__DRAINING:
	case XDS__LB_ENDPOINT__HEALTH__TIMEOUT:
		spec->health = ENDPOINT_UNHEALTHY;
		return 0;
	case XDS__LB_ENDPOINT__HEALTH__DEGRADED:
		spec->health = ENDPOINT_DEGRADED;
		return 0;
	default:
		return decode_refuse(
			d, DECODE_IN(at, "health_status"), "%d is not known", (int)health);
	}
}

static int add_name(struct decode *d, struct decode_names *names, const char *name,
	uint32_t locality, uint32_t endpoint)
{
	if (names->n == names->n_room) {
		const uint32_t n_room = names->n_room == 0 ? 4 : 2 * names->n_room;
		struct xds_dns_name *more = decode_alloc(d, n_room, sizeof(*more));

		if (more == NULL)
			return -ENOMEM;
		for (uint32_t i = 0; i < names->n; i++)
			more[i] = names->names[i];
		names->names = more;
		names->n_room = n_room;
	}
	names->names[names->n++] = (struct xds_dns_name){name, locality, endpoint};
	return 0;
}

// Where an endpoint stands in its assignment.
struct place {
	uint32_t locality;
	uint32_t endpoint;
	const struct decode_way *way; // of the locality
};

// Addresses made for proxies stand for hosts that the file names. The file may go before the endpoint.
static int place_endpoint(struct decode *d, struct endpoint_spec *spec, struct decode_way *way)
{
	const struct xds_endpoint_address_spec *map =
		endpoint_map_find(d->spec, &spec->address, spec->port);
	int rc = 0;

	if (map == NULL)
		return 0;
	spec->address = map->to;
	if (map->to_port != 0)
		spec->port = map->to_port;
	if (way->policy == NULL && map->policy != NULL)
		rc = decode_text(d, map->policy, &way->policy);
	if (rc == 0 && way->vrf == NULL && map->vrf != NULL)
		rc = decode_text(d, map->vrf, &way->vrf);
	return rc;
}

static int read_endpoint(struct decode *d, const struct decode_at *at,
	const Xds__LbEndpoint *message, const struct place *place, struct decode_names *names,
	struct endpoint_spec *spec)
{
	struct decode_way way = *place->way;
	const char *name;
	int rc;

	if (message->host_identifier_case != XDS__LB_ENDPOINT__HOST_IDENTIFIER_ENDPOINT)
		return decode_refuse(d, DECODE_IN(at, "endpoint"), "is missing");
	spec->origin = decode_origin(d, at);
	if (spec->origin == NULL)
		return -ENOMEM;
	rc = decode_address(d, DECODE_IN(DECODE_IN(at, "endpoint"), "address"),
		message->endpoint->address, &spec->address, &spec->port,
		names == NULL ? NULL : &name);
	if (rc == 0 && names != NULL && name != NULL)
		rc = add_name(d, names, name, place->locality, place->endpoint);
	if (rc == 0)
		rc = read_health(d, at, message->health_status, spec);
	if (rc == 0)
		rc = decode_way(d, at, message->metadata, &way);
	if (rc == 0)
		rc = place_endpoint(d, spec, &way);
	spec->weight =
		message->load_balancing_weight == NULL ? 1 : message->load_balancing_weight->value;
	spec->policy = way.policy;
	spec->vrf = way.vrf;
	return rc;
}

// "" is the same text for all.
static int copy_place(struct decode *d, const char *text, const char **copy)
{
	*copy = "";
	return text[0] == '\0' ? 0 : decode_text(d, text, copy);
}

static int read_place(struct decode *d, const Xds__Locality *message, struct locality_spec *spec)
{
	static const Xds__Locality none = XDS__LOCALITY__INIT;
	const Xds__Locality *locality = message == NULL ? &none : message;
	int rc = copy_place(d, locality->region, &spec->region);

	if (rc == 0)
		rc = copy_place(d, locality->zone, &spec->zone);
	return rc < 0 ? rc : copy_place(d, locality->sub_zone, &spec->sub_zone);
}

static int read_endpoints(struct decode *d, const struct decode_at *at,
	const Xds__LocalityLbEndpoints *message, struct place *place, struct decode_names *names,
	struct locality_spec *spec)
{
	const uint32_t n = (uint32_t)message->n_lb_endpoints;
	struct endpoint_spec *endpoints = decode_alloc(d, n, sizeof(*endpoints));
	int rc = endpoints == NULL ? -ENOMEM : 0;

	for (uint32_t i = 0; i < n && rc == 0; i++) {
		place->endpoint = i;
		rc = read_endpoint(d, DECODE_ITEM(at, "lb_endpoints", i), message->lb_endpoints[i],
			place, names, &endpoints[i]);
	}
	spec->n_endpoints = n;
	spec->endpoints = endpoints;
	return rc;
}

static int read_locality(struct decode *d, const struct decode_at *at,
	const Xds__LocalityLbEndpoints *message, struct place *place, struct decode_names *names,
	struct locality_spec *spec)
{
	struct decode_way way = *place->way;
	struct place within = {.locality = place->locality, .way = &way};
	int rc = read_place(d, message->locality, spec);

	spec->origin = decode_origin(d, at);
	if (rc == 0 && spec->origin == NULL)
		return -ENOMEM;
	if (message->priority > MAX_PRIORITY)
		return decode_refuse(d, DECODE_IN(at, "priority"), "%u is out of range; 0 to %d",
			message->priority, MAX_PRIORITY);
	spec->priority = message->priority;
	spec->weight =
		message->load_balancing_weight == NULL ? 0 : message->load_balancing_weight->value;
	if (rc == 0)
		rc = decode_way(d, at, message->metadata, &way);
	return rc < 0 ? rc : read_endpoints(d, at, message, &within, names, spec);
}

static int read_overprovisioning(struct decode *d, const struct decode_at *at,
	const Xds__AssignmentPolicy *policy, uint32_t *percent)
{
	*percent = L7_DEFAULT_OVERPROVISIONING_PERCENT;
	if (policy == NULL || policy->overprovisioning_factor == NULL)
		return 0;
	*percent = policy->overprovisioning_factor->value;
	if (*percent > 0)
		return 0;
	return decode_refuse(d, DECODE_IN(DECODE_IN(at, "policy"), "overprovisioning_factor"),
		"0 is out of range; 1 or more");
}

int decode_assignment(struct decode *d, const struct decode_at *at,
	const Xds__ClusterLoadAssignment *message, const struct decode_way *way,
	struct decode_names *names, struct xds_assignment *assignment)
{
	const uint32_t n = (uint32_t)message->n_endpoints;
	struct locality_spec *localities = decode_alloc(d, n, sizeof(*localities));
	struct place place = {.way = way};
	int rc = localities == NULL ? -ENOMEM : 0;

	for (; place.locality < n && rc == 0; place.locality++)
		rc = read_locality(d, DECODE_ITEM(at, "endpoints", place.locality),
			message->endpoints[place.locality], &place, names,
			&localities[place.locality]);
	assignment->n_localities = n;
	assignment->localities = localities;
	if (rc == 0)
		rc = read_overprovisioning(
			d, at, message->policy, &assignment->overprovisioning_percent);
	return rc < 0 ? rc : decode_policies(d, assignment);
}

int decode_endpoints(struct decode *d, const Xds__ClusterLoadAssignment *message)
{
	static const struct decode_way none;
	struct xds_assignment *assignment = decode_alloc(d, 1, sizeof(*assignment));

	if (assignment == NULL)
		return -ENOMEM;
	d->resource->endpoints = assignment;
	return decode_assignment(d, NULL, message, &none, NULL, assignment);
}
