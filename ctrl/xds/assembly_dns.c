// SPDX-License-Identifier: Apache-2.0

// Clusters whose endpoints have names: each is looked up again and again, and stands for the addresses that were found
// last.

#include <stdlib.h>
#include <string.h>

#include "ctrl/log.h"
#include "ctrl/xds/assembly_priv.h"
#include "ctrl/xds/dns.h"
#include "ctrl/xds/endpoint_map.h"
#include "pipeline/arena.h"

struct watched_name {
	struct unit_dns *dns;
	struct dns_watch *watch;
	bool is_answered;
	uint32_t n_addresses;
	struct l7_address *addresses;
};

struct unit_dns {
	struct assembly *assembly;
	struct unit *unit;
	struct xds_resource *resource; // whose names these are; a reference
	uint32_t n_names;
	struct watched_name names[];
};

static void stop(struct unit_dns *dns)
{
	if (dns == NULL)
		return;
	for (uint32_t i = 0; i < dns->n_names; i++) {
		dns_watch_stop(dns->names[i].watch);
		free(dns->names[i].addresses);
	}
	xds_resource_release(dns->resource);
	free(dns);
}

static bool is_taken(enum xds_dns_family family, const struct dns_answer *answer,
	const struct l7_address *address)
{
	uint8_t preferred = family == XDS_DNS_AUTO ? 6 : 4;

	if (family != XDS_DNS_AUTO && family != XDS_DNS_V4_PREFERRED)
		return true;
	for (uint32_t i = 0; i < answer->n_addresses; i++)
		if (answer->addresses[i].family == preferred)
			return address->family == preferred;
	return true;
}

static void on_answer(void *ctx, const struct dns_answer *answer)
{
	struct watched_name *name = ctx;
	struct unit_dns *dns = name->dns;
	const struct xds_cluster *cluster = dns->resource->cluster;
	struct l7_address *addresses = calloc(answer->n_addresses + 1, sizeof(*addresses));

	if (addresses == NULL) {
		log_error("xds: out of memory for the addresses of \"%s\"", dns->unit->name);
		return;
	}
	free(name->addresses);
	name->addresses = addresses;
	name->n_addresses = 0;
	for (uint32_t i = 0; i < answer->n_addresses; i++)
		if (is_taken(cluster->dns_family, answer, &answer->addresses[i]))
			addresses[name->n_addresses++] = answer->addresses[i];
	if (cluster->discovery == XDS_LOGICAL_DNS && name->n_addresses > 1)
		name->n_addresses = 1;
	name->is_answered = true;
	if (answer->why != NULL)
		log_warning("xds: cluster \"%s\": %s: %s", dns->unit->name,
			cluster->dns_names[name - dns->names].name, answer->why);
	assembly_join(dns->assembly, dns->unit);
	assembly_wake(dns->assembly);
}

static uint8_t asked_family(enum xds_dns_family family)
{
	if (family == XDS_DNS_V4_ONLY)
		return 4;
	return family == XDS_DNS_V6_ONLY ? 6 : 0;
}

static bool watch(struct assembly *a, struct watched_name *name, const struct xds_cluster *cluster)
{
	const struct dns_watch_spec spec = {
		.name = cluster->dns_names[name - name->dns->names].name,
		.family = asked_family(cluster->dns_family),
		.refresh_ms = cluster->dns_refresh_ms,
		.use_ttl = cluster->respect_dns_ttl};

	name->watch = dns_watch_start(a->dns, &spec, on_answer, name);
	return name->watch != NULL;
}

static struct unit_dns *start(struct assembly *a, struct unit *unit)
{
	const struct xds_cluster *cluster = unit->resource->cluster;
	struct unit_dns *dns =
		calloc(1, sizeof(*dns) + cluster->n_dns_names * sizeof(dns->names[0]));
	bool fits = dns != NULL;

	if (fits) {
		dns->assembly = a;
		dns->unit = unit;
		dns->resource = xds_resource_acquire(unit->resource);
		dns->n_names = cluster->n_dns_names;
	}
	for (uint32_t i = 0; fits && i < dns->n_names; i++) {
		dns->names[i].dns = dns;
		fits = watch(a, &dns->names[i], cluster);
	}
	if (fits)
		return dns;
	log_error("xds: out of memory for the names of cluster \"%s\"", unit->name);
	stop(dns);
	return NULL;
}

void assembly_watch_names(struct assembly *a, struct unit *unit)
{
	struct unit_dns *before = unit->dns;

	unit->dns = NULL;
	if (a->dns != NULL && unit->type == XDS_CLUSTER && unit->resource != NULL &&
		unit->resource->cluster->n_dns_names > 0)
		unit->dns = start(a, unit);
	stop(before);
}

bool assembly_has_answers(const struct unit *unit)
{
	for (uint32_t i = 0; i < unit->dns->n_names; i++)
		if (!unit->dns->names[i].is_answered)
			return false;
	return true;
}

static const struct watched_name *name_of(
	const struct unit_dns *dns, uint32_t locality, uint32_t endpoint)
{
	const struct xds_dns_name *names = dns->resource->cluster->dns_names;

	for (uint32_t i = 0; i < dns->n_names; i++)
		if (names[i].locality == locality && names[i].endpoint == endpoint)
			return &dns->names[i];
	return NULL;
}

// An address that two names of a locality have is one endpoint.
static bool is_there(
	const struct endpoint_spec *endpoints, uint32_t n, const struct endpoint_spec *endpoint)
{
	for (uint32_t i = 0; i < n; i++)
		if (endpoints[i].port == endpoint->port &&
			memcmp(&endpoints[i].address, &endpoint->address,
				sizeof(endpoint->address)) == 0)
			return true;
	return false;
}

// An address found may stand for a host that the file names. The layer may outlive the file. False: out of memory.
static bool place_endpoint(
	const struct xds_spec *spec, struct arena *arena, struct endpoint_spec *endpoint)
{
	const struct xds_endpoint_address_spec *map =
		endpoint_map_find(spec, &endpoint->address, endpoint->port);
	bool fits = true;

	if (map == NULL)
		return true;
	endpoint->address = map->to;
	if (map->to_port != 0)
		endpoint->port = map->to_port;
	if (endpoint->policy == NULL && map->policy != NULL) {
		endpoint->policy = arena_strdup(arena, map->policy);
		fits = endpoint->policy != NULL;
	}
	if (endpoint->vrf == NULL && map->vrf != NULL) {
		endpoint->vrf = arena_strdup(arena, map->vrf);
		fits = fits && endpoint->vrf != NULL;
	}
	return fits;
}

// False: out of memory.
static bool add_addresses(struct locality_spec *locality, struct endpoint_spec *endpoints,
	struct arena *arena, const struct endpoint_spec *spec, const struct watched_name *name)
{
	for (uint32_t i = 0; i < name->n_addresses; i++) {
		struct endpoint_spec endpoint = *spec;

		endpoint.address = name->addresses[i];
		if (!place_endpoint(name->dns->assembly->spec, arena, &endpoint))
			return false;
		if (!is_there(endpoints, locality->n_endpoints, &endpoint))
			endpoints[locality->n_endpoints++] = endpoint;
	}
	return true;
}

static bool resolve_locality(const struct unit_dns *dns, struct arena *arena,
	const struct locality_spec *from, uint32_t idx, struct locality_spec *to)
{
	struct endpoint_spec *endpoints = arena_alloc(
		arena, (from->n_endpoints * DNS_MAX_ADDRESSES + 1) * sizeof(*endpoints));

	if (endpoints == NULL)
		return false;
	*to = *from;
	to->endpoints = endpoints;
	to->n_endpoints = 0;
	for (uint32_t i = 0; i < from->n_endpoints; i++) {
		const struct watched_name *name = name_of(dns, idx, i);

		if (name == NULL)
			endpoints[to->n_endpoints++] = from->endpoints[i];
		else if (!add_addresses(to, endpoints, arena, &from->endpoints[i], name))
			return false;
	}
	return true;
}

bool assembly_resolve(const struct unit *unit, struct part *part, struct cluster_spec *spec)
{
	struct locality_spec *localities;

	part->arena = arena_create();
	if (part->arena == NULL)
		return false;
	localities = arena_alloc(part->arena, (spec->n_localities + 1) * sizeof(*localities));
	for (uint32_t i = 0; localities != NULL && i < spec->n_localities; i++)
		if (!resolve_locality(
			    unit->dns, part->arena, &spec->localities[i], i, &localities[i]))
			return false;
	spec->localities = localities;
	return localities != NULL;
}
