// SPDX-License-Identifier: Apache-2.0
#pragma once

// From the store's resources to a layer: a cluster goes live with its endpoints, a listener with its routes, and until
// then the versions before serve on. What changes costs what changes. Works in slices on the control core's loop.

#include <stdint.h>

#include "ctrl/publish.h"
#include "ctrl/xds/resource.h"

struct assembly;
struct dns;
struct event_base;
struct store;
struct xds_spec;

struct assembly_ops {
	// publish_set_layer(), or the like.
	void (*set_layer_fn)(
		void *ctx, struct spec_layer *layer, publish_done_fn done_fn, void *arg);
	// A layer went live, push_us after what brought the first change in it.
	void (*live_fn)(void *ctx, uint64_t push_us);
	// A resource contradicts another one, or the file: the version before serves on, if there is one.
	void (*refused_fn)(void *ctx, enum xds_type type, const char *name, const char *why);
};

struct assembly_status {
	uint32_t n_waiting; // clusters and listeners that wait for what they refer to
	uint32_t n_refused; // whose last version a layer could not have
	uint64_t n_layers;  // that went live
};

// store, dns (NULL: names are not looked up) and spec outlive it. NULL: out of memory.
struct assembly *assembly_create(struct event_base *base, struct store *store, struct dns *dns,
	const struct xds_spec *spec, const struct assembly_ops *ops, void *ctx);
// After the last done_fn. NULL is fine.
void assembly_destroy(struct assembly *assembly);

// The store has changed, by what came at since_us, in microseconds of CLOCK_MONOTONIC; 0: now.
void assembly_changed(struct assembly *assembly, uint64_t since_us);

void assembly_status(const struct assembly *assembly, struct assembly_status *status);
