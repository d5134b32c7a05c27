// SPDX-License-Identifier: Apache-2.0
#pragma once

// Discovery responses as a control plane sends them, for update_bench: services of one cluster of 10 endpoints and
// one virtual host of 4 routes each; either each with a listener and a route configuration of its own, or all in one.

#include <stddef.h>
#include <stdint.h>

#include "ctrl/xds/resource.h"

enum {
	UPDATE_ENDPOINTS = 10,
	UPDATE_ROUTES = 4,
};

enum update_shape {
	UPDATE_EACH_ITS_OWN, // listener and route configuration
	UPDATE_ALL_IN_ONE,
};

struct update_message {
	uint8_t *bytes;
	size_t n_bytes;
	size_t n_room;
};

// All resources of a type.
void update_message_full(struct update_message *message, enum xds_type type,
	enum update_shape shape, uint32_t n_services);
// The endpoints of one service, the last of them another one each turn.
void update_message_endpoint(struct update_message *message, uint32_t service, uint32_t turn);
void update_message_free(struct update_message *message);
