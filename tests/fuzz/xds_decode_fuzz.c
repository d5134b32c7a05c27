// SPDX-License-Identifier: Apache-2.0

// xds_decode() against arbitrary bytes. An input is one byte, the type, then a resource. Whatever a server sends ends
// with a resource that holds together, or with one line that names it.

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "ctrl/xds/decode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
	if (!holds)
		abort();
}

static void check_routes(const struct route_configuration_spec *routes)
{
	for (uint32_t i = 0; i < routes->n_virtual_hosts; i++) {
		const struct virtual_host_spec *host = &routes->virtual_hosts[i];

		require(host->origin != NULL && host->name[0] != '\0');
		for (uint32_t k = 0; k < host->n_domains; k++)
			require(host->domains[k] != NULL);
		for (uint32_t k = 0; k < host->n_routes; k++) {
			const struct l7_route_spec *route = &host->routes[k];

			require(route->origin != NULL && route->path != NULL);
			require(route->action != ROUTE_ACTION_NONE);
			for (uint32_t h = 0; h < route->n_headers; h++)
				require((route->headers[h].type == HEADER_PRESENT ||
						route->headers[h].type == HEADER_RANGE) ==
					(route->headers[h].value == NULL));
		}
	}
}

static void check_listener(const struct xds_listener *listener)
{
	const struct listener_spec *spec = &listener->spec;

	require(spec->n_addresses > 0 && spec->port > 0 && spec->service_network != NULL);
	if (spec->protocol == LISTENER_TCP)
		return;
	require((spec->routes == NULL) == (spec->route_configuration != NULL));
	if (spec->routes != NULL)
		check_routes(spec->routes);
}

static void check_assignment(const struct xds_assignment *assignment)
{
	for (uint32_t i = 0; i < assignment->n_localities; i++) {
		const struct locality_spec *locality = &assignment->localities[i];

		require(locality->region != NULL && locality->origin != NULL);
		for (uint32_t k = 0; k < locality->n_endpoints; k++)
			require(locality->endpoints[k].origin != NULL &&
				locality->endpoints[k].port > 0);
	}
	for (uint32_t i = 0; i < assignment->n_policies; i++)
		require(assignment->policies[i].lists[0].n_segments > 0);
}

static void check_resource(const struct xds_resource *resource)
{
	require(resource->name[0] != '\0');
	for (uint32_t i = 0; i < resource->n_ignored; i++)
		require(resource->ignored[i].n_times > 0);
	if (resource->type == XDS_LISTENER)
		check_listener(resource->listener);
	else if (resource->type == XDS_ROUTES)
		check_routes(resource->routes);
	else if (resource->type == XDS_ENDPOINTS)
		check_assignment(resource->endpoints);
	else if (resource->type == XDS_CLUSTER)
		check_assignment(&resource->cluster->assignment);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct xds_spec spec = {.service_network = "mesh"};
	struct xds_resource *resource = NULL;
	struct refusal refusal = {.text = ""};
	enum xds_type type;
	int rc;

	if (size == 0)
		return 0;
	type = data[0] % XDS_N_TYPES;
	rc = xds_decode(type, data + 1, size - 1, &spec, &resource, &refusal);
	require(rc == 0 || rc == -EINVAL);
	if (rc < 0) {
		require(strncmp(refusal.text, xds_type_word(type), strlen(xds_type_word(type))) ==
			0);
		return 0;
	}
	check_resource(resource);
	xds_resource_release(resource);
	return 0;
}
