// SPDX-License-Identifier: Apache-2.0
#pragma once

// What /metrics says, in Prometheus's text format: families of samples, each written by the file that knows what it
// counts, and put together in pieces by views_metrics.c.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "l7/tables.h"

struct ctrl;
struct evbuffer;

struct metrics_family {
	const char *name; // behind "pergola_"
	const char *type; // counter, gauge or histogram
	const char *help;
	// Writes what item has of the family, which may be nothing. False: there is no such item, nor any behind it.
	bool (*write_fn)(struct evbuffer *out, const struct metrics_family *family,
		const struct ctrl *ctrl, uint32_t item);
	size_t offset;	   // of the counter, for families that share a function
	enum l7_kind kind; // likewise
};

struct metrics_families {
	const struct metrics_family *families;
	uint32_t n;
};

// metrics_node.c: ports, drops, listeners, clusters. metrics_xds.c: the stream to the xDS server.
extern const struct metrics_families metrics_node;
extern const struct metrics_families metrics_xds;

// One sample; value is escaped here. NULL: without a label.
void metrics_write(struct evbuffer *out, const struct metrics_family *family, const char *label,
	const char *value, uint64_t count);
