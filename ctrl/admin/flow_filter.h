// SPDX-License-Identifier: Apache-2.0
#pragma once

// Which flows are wanted: those that fit everything that is given.

#include <stdbool.h>
#include <stdint.h>

#include "pipeline/flow_report.h"

struct ctrl;
struct reply;

// What is not given is NULL, or has family 0, or is port 0. Texts are the reply's.
struct flow_filter {
	uint8_t client[16];
	uint8_t client_family;
	uint8_t client_bits; // of the address that count
	uint16_t client_port;
	uint8_t endpoint[16];
	uint8_t endpoint_family;
	uint16_t endpoint_port;
	const char *vrf; // the client's
	const char *listener;
	const char *virtual_host; // its name, or with its route configuration and a slash before
	const char *cluster;
	const char *phase;
};

// Reads it from the query. False after answering.
bool flow_filter_read(struct flow_filter *filter, struct reply *reply);

bool flow_filter_test(
	const struct flow_filter *filter, const struct ctrl *ctrl, const struct flow_row *row);
