// SPDX-License-Identifier: Apache-2.0
#pragma once

// Which host of which VRF an endpoint's address stands for: the file's "endpoint_addresses".

#include <stdint.h>

#include "pipeline/spec.h"

// The first entry that fits an endpoint at this address and port; NULL: none.
const struct xds_endpoint_address_spec *endpoint_map_find(
	const struct xds_spec *spec, const struct l7_address *address, uint16_t port);
