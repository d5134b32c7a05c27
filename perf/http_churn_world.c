// SPDX-License-Identifier: Apache-2.0

#include "perf/http_churn_priv.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pipeline/arena.h"
#include "pipeline/spec.h"

enum {
	ALL_ENDPOINTS = (1 << HTTP_LOAD_ENDPOINTS) - 1,
	ALL_CLUSTERS = (1 << CHURN_CLUSTERS) - 1,
	MAX_WEIGHT = 9,
	N_SIDE_ROUTES = 2, // of a virtual host, which nobody asks for
};

static const struct spec_origin origin = {.source = "churn"};
static const char cluster_letters[CHURN_CLUSTERS + 1] = "ab";

static uint32_t below(struct churn_world *world, uint32_t n)
{
	world->random ^= world->random << 13;
	world->random ^= world->random >> 7;
	world->random ^= world->random << 17;
	return (uint32_t)(world->random >> 32) % n;
}

static uint8_t some_of(struct churn_world *world, uint8_t all)
{
	return (uint8_t)(1 + below(world, all));
}

// ---- parts

static void *make(struct part *part, size_t n_bytes)
{
	void *bytes = arena_alloc(part->arena, n_bytes);

	if (bytes == NULL)
		abort();
	return bytes;
}

__attribute__((format(printf, 2, 3))) static const char *name(
	struct part *part, const char *fmt, ...)
{
	char *text = make(part, 64);
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, 64, fmt, args);
	va_end(args);
	return text;
}

static struct part *begin_part(void)
{
	struct part *part = part_create(0);

	if (part == NULL)
		abort();
	part->arena = arena_create();
	if (part->arena == NULL)
		abort();
	return part;
}

// NULL: nothing from now on.
static void put(struct churn_world *world, enum layers_shelf shelf, struct layers_place *place,
	struct part *part)
{
	struct part *before = place->part;

	if (!layers_put(world->layers, shelf, place, part))
		abort();
	layers_retire(world->layers, before);
}

// ---- clusters

static const char *cluster_name(struct part *part, uint32_t service, uint32_t which)
{
	return name(part, "s%05u%c", service, cluster_letters[which]);
}

static struct l7_address address_of(uint32_t addr)
{
	return (struct l7_address){4, {(uint8_t)(addr >> 24), (uint8_t)(addr >> 16),
					      (uint8_t)(addr >> 8), (uint8_t)addr}};
}

// The healthy ones; of the others some are there and ill.
static const struct locality_spec *make_locality(
	struct churn_world *world, struct part *part, uint32_t service, uint8_t healthy)
{
	struct locality_spec *locality = make(part, sizeof(*locality));
	struct endpoint_spec *endpoints = make(part, HTTP_LOAD_ENDPOINTS * sizeof(*endpoints));
	uint32_t first = HTTP_LOAD_SERVER_NET + service * HTTP_LOAD_ENDPOINTS, n = 0;

	for (uint32_t i = 0; i < HTTP_LOAD_ENDPOINTS; i++)
		if ((healthy >> i & 1) || below(world, 2) == 0)
			endpoints[n++] = (struct endpoint_spec){.origin = &origin,
				.address = address_of(first + i),
				.port = HTTP_LOAD_PORT,
				.health = healthy >> i & 1 ? ENDPOINT_HEALTHY : ENDPOINT_UNHEALTHY,
				.weight = 1 + below(world, MAX_WEIGHT),
				.vrf = "blue"};
	*locality = (struct locality_spec){.origin = &origin,
		.region = "",
		.zone = "",
		.sub_zone = "",
		.n_endpoints = n,
		.endpoints = endpoints};
	return locality;
}

// Without panic: what is ill gets nothing.
static void put_cluster(
	struct churn_world *world, uint32_t service, uint32_t which, uint8_t healthy)
{
	struct part *part = begin_part();
	struct cluster_spec *spec = make(part, sizeof(*spec));

	*spec = (struct cluster_spec){.origin = &origin,
		.name = cluster_name(part, service, which),
		.connect_timeout_ms = L7_DEFAULT_CONNECT_TIMEOUT_MS,
		.pool_timeout_ms = L7_DEFAULT_POOL_TIMEOUT_MS,
		.overprovisioning_percent = L7_DEFAULT_OVERPROVISIONING_PERCENT,
		.n_localities = 1,
		.localities = make_locality(world, part, service, healthy)};
	part->spec = spec;
	put(world, LAYERS_CLUSTERS, &world->clusters[service * CHURN_CLUSTERS + which], part);
}

// ---- routes

static const struct weighted_cluster_spec *make_shares(
	struct churn_world *world, struct part *part, uint32_t service, uint8_t routed)
{
	struct weighted_cluster_spec *shares = make(part, CHURN_CLUSTERS * sizeof(*shares));

	for (uint32_t i = 0; i < CHURN_CLUSTERS; i++)
		shares[i] = (struct weighted_cluster_spec){&origin, cluster_name(part, service, i),
			routed >> i & 1 ? 1 + below(world, MAX_WEIGHT) : 0};
	return shares;
}

static struct l7_route_spec make_route(
	struct churn_world *world, struct part *part, uint32_t service, uint8_t routed)
{
	return (struct l7_route_spec){.origin = &origin,
		.path_type = PATH_PREFIX,
		.path = "/r/",
		.action = ROUTE_ACTION_CLUSTER,
		.n_clusters = CHURN_CLUSTERS,
		.clusters = make_shares(world, part, service, routed),
		.cluster_not_found_status = 503, // layers may name what is not there
		.idle_timeout_ms = L7_TIMEOUT_OF_LISTENER};
}

// Behind routes that nobody asks for, of which there are more or fewer.
static struct virtual_host_spec make_host(
	struct churn_world *world, struct part *part, uint32_t service, uint8_t routed)
{
	struct l7_route_spec *routes = make(part, (N_SIDE_ROUTES + 1) * sizeof(*routes));
	const char **domains = make(part, sizeof(*domains));
	uint32_t n = below(world, N_SIDE_ROUTES + 1);

	for (uint32_t i = 0; i < n; i++) {
		routes[i] = make_route(world, part, service, ALL_CLUSTERS);
		routes[i].path = name(part, "/side/%u", below(world, 1000));
	}
	routes[n] = make_route(world, part, service, routed);
	domains[0] = name(part, "s%05u.lattice.local", service);
	return (struct virtual_host_spec){.origin = &origin,
		.name = name(part, "s%05u", service),
		.n_domains = 1,
		.domains = domains,
		.n_routes = n + 1,
		.routes = routes};
}

// The route configuration of services first to first + n - 1.
static void put_routes(struct churn_world *world, uint32_t place, uint32_t first, uint32_t n)
{
	struct part *part = begin_part();
	struct route_configuration_spec *spec = make(part, sizeof(*spec));
	struct virtual_host_spec *hosts = make(part, n * sizeof(*hosts));

	for (uint32_t i = 0; i < n; i++)
		hosts[i] = make_host(world, part, first + i, world->services[first + i].routed);
	*spec = (struct route_configuration_spec){.origin = &origin,
		.name = name(part, "routes%u", place),
		.n_virtual_hosts = n,
		.virtual_hosts = hosts};
	part->spec = spec;
	put(world, LAYERS_ROUTES, &world->routes[place], part);
}

static void put_main_routes(struct churn_world *world)
{
	put_routes(world, CHURN_LISTENER, 0, world->n_services);
}

// ---- listeners

static void put_listener(struct churn_world *world, uint32_t place)
{
	struct part *part = begin_part();
	struct listener_spec *spec = make(part, sizeof(*spec));
	struct l7_address *addresses = make(part, sizeof(*addresses));

	addresses[0] = address_of(HTTP_LOAD_VIP + place);
	*spec = (struct listener_spec){.origin = &origin,
		.name = name(part, "listener%u", place),
		.service_network = "net",
		.n_addresses = 1,
		.addresses = addresses,
		.port = HTTP_LOAD_PORT,
		.route_configuration = name(part, "routes%u", place),
		.window_scale = L7_DEFAULT_WINDOW_SCALE,
		.request_line_bytes = L7_DEFAULT_REQUEST_LINE_BYTES,
		.request_headers_bytes = L7_DEFAULT_REQUEST_HEADERS_BYTES,
		.request_headers_timeout_ms =
			L7_DEFAULT_REQUEST_HEADERS_TIMEOUT_MS + below(world, 9),
		.drain_timeout_ms = L7_DEFAULT_DRAIN_TIMEOUT_MS};
	part->spec = spec;
	put(world, LAYERS_LISTENERS, &world->listeners[place], part);
}

// ---- the world

static void change_cluster(struct churn_world *world, uint32_t service, uint32_t which)
{
	uint8_t healthy = some_of(world, ALL_ENDPOINTS);

	world->services[service].healthy[which] = healthy;
	put_cluster(world, service, which, healthy);
}

static void add_extra(struct churn_world *world, uint32_t i)
{
	uint32_t service = world->n_services + i;

	for (uint32_t which = 0; which < CHURN_CLUSTERS; which++)
		change_cluster(world, service, which);
	put_routes(world, 1 + i, service, 1);
	put_listener(world, 1 + i);
}

static void remove_extra(struct churn_world *world, uint32_t i)
{
	uint32_t service = world->n_services + i;

	put(world, LAYERS_LISTENERS, &world->listeners[1 + i], NULL);
	put(world, LAYERS_ROUTES, &world->routes[1 + i], NULL);
	for (uint32_t which = 0; which < CHURN_CLUSTERS; which++)
		put(world, LAYERS_CLUSTERS, &world->clusters[service * CHURN_CLUSTERS + which],
			NULL);
}

void churn_world_change(struct churn_world *world)
{
	uint32_t dice = below(world, 10), service = below(world, world->n_services);
	uint32_t extra = below(world, CHURN_EXTRAS);

	if (dice < 6) {
		change_cluster(world, service, below(world, CHURN_CLUSTERS));
	} else if (dice < 8) {
		world->services[service].routed = some_of(world, ALL_CLUSTERS);
		put_main_routes(world);
	} else if (dice < 9) {
		put_listener(world, CHURN_LISTENER);
	} else if (world->listeners[1 + extra].part == NULL) {
		add_extra(world, extra);
	} else {
		remove_extra(world, extra);
	}
}

uint8_t churn_world_allowed(const struct churn_world *world, uint32_t service)
{
	const struct churn_service *s = &world->services[service];
	uint8_t allowed = 0;

	for (uint32_t i = 0; i < CHURN_CLUSTERS; i++)
		allowed |= s->routed >> i & 1 ? s->healthy[i] : 0;
	return allowed;
}

int churn_world_create(struct churn_world *world, uint32_t n_services)
{
	uint32_t n = n_services + CHURN_EXTRAS;

	*world = (struct churn_world){.n_services = n_services, .random = 88172645463325252};
	world->layers = layers_create();
	world->services = calloc(n, sizeof(*world->services));
	world->clusters = calloc((size_t)n * CHURN_CLUSTERS, sizeof(*world->clusters));
	if (world->layers == NULL || world->services == NULL || world->clusters == NULL) {
		churn_world_destroy(world);
		return -ENOMEM;
	}
	for (uint32_t s = 0; s < n; s++)
		world->services[s].routed = ALL_CLUSTERS;
	for (uint32_t s = 0; s < n_services; s++)
		for (uint32_t which = 0; which < CHURN_CLUSTERS; which++)
			change_cluster(world, s, which);
	put_main_routes(world);
	put_listener(world, CHURN_LISTENER);
	return 0;
}

void churn_world_destroy(struct churn_world *world)
{
	for (uint32_t i = 0; i < 1 + CHURN_EXTRAS; i++) {
		part_destroy(world->listeners[i].part);
		part_destroy(world->routes[i].part);
	}
	for (uint32_t i = 0;
		world->clusters != NULL && i < (world->n_services + CHURN_EXTRAS) * CHURN_CLUSTERS;
		i++)
		part_destroy(world->clusters[i].part);
	layers_destroy(world->layers);
	free(world->services);
	free(world->clusters);
}
