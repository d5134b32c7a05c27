// SPDX-License-Identifier: Apache-2.0
#pragma once

// Specs of services as JSON, whole, as the config dump shows them: what was wanted, whoever wanted it. NULL: out of
// memory.

#include <jansson.h>

#include "l7/spec.h"

json_t *spec_view_listener(const struct listener_spec *spec);
// One virtual host of a route configuration, or of a listener's own.
json_t *spec_view_host(
	const struct route_configuration_spec *routes, const struct virtual_host_spec *spec);
json_t *spec_view_cluster(const struct cluster_spec *spec);
