// SPDX-License-Identifier: Apache-2.0

#include "ctrl/xds/endpoint_map.h"

#include <string.h>

const struct xds_endpoint_address_spec *endpoint_map_find(
	const struct xds_spec *spec, const struct l7_address *address, uint16_t port)
{
	for (uint32_t i = 0; i < spec->n_endpoint_addresses; i++) {
		const struct xds_endpoint_address_spec *map = &spec->endpoint_addresses[i];

		if (memcmp(&map->from, address, sizeof(map->from)) == 0 &&
			(map->from_port == 0 || map->from_port == port))
			return map;
	}
	return NULL;
}
