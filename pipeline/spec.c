// SPDX-License-Identifier: Apache-2.0
#include "pipeline/spec.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "pipeline/arena.h"

enum {
	DEFAULT_MTU = 1500,
	DEFAULT_DESCRIPTORS = 1024,
};

static size_t format_origin(char *text, size_t text_len, const struct spec_origin *origin)
{
	int n;

	text[0] = '\0';
	if (origin == NULL || origin->source == NULL)
		return 0;
	if (origin->line == 0)
		n = snprintf(text, text_len, "%s: ", origin->source);
	else
		n = snprintf(text, text_len, "%s:%u: ", origin->source, origin->line);
	return n < 0 ? 0 : (size_t)n;
}

int refusal_set(struct refusal *refusal, const struct spec_origin *origin, const char *fmt, ...)
{
	// A source name may be long, but it must not push out the reason.
	size_t n = format_origin(refusal->text, sizeof(refusal->text) / 2, origin);
	va_list args;

	refusal->origin = origin;
	if (n >= sizeof(refusal->text) / 2)
		n = sizeof(refusal->text) / 2 - 1;
	va_start(args, fmt);
	vsnprintf(refusal->text + n, sizeof(refusal->text) - n, fmt, args);
	va_end(args);
	return -EINVAL;
}

uint16_t port_spec_mtu(const struct port_spec *port)
{
	return port->mtu == 0 ? DEFAULT_MTU : port->mtu;
}

uint16_t port_spec_descriptors(uint16_t n_wanted)
{
	return n_wanted == 0 ? DEFAULT_DESCRIPTORS : n_wanted;
}

struct spec_layer *spec_layer_acquire(struct spec_layer *layer)
{
	atomic_fetch_add(&layer->n_refs, 1);
	return layer;
}

void spec_layer_release(struct spec_layer *layer)
{
	if (layer != NULL && atomic_fetch_sub(&layer->n_refs, 1) == 1)
		layer->free_fn(layer);
}

struct node_spec *node_spec_acquire(struct node_spec *spec)
{
	atomic_fetch_add(&spec->n_refs, 1);
	return spec;
}

void node_spec_release(struct node_spec *spec)
{
	struct node_spec *base;
	struct spec_layer *layer;

	if (spec == NULL || atomic_fetch_sub(&spec->n_refs, 1) > 1)
		return;
	base = spec->base;
	layer = spec->layer;
	arena_destroy(spec->arena);
	spec_layer_release(layer);
	node_spec_release(base);
}

// One array behind the other.
static const void *join(struct arena *arena, const void *a, uint32_t n_a, const void *b,
	uint32_t n_b, size_t item_bytes, bool *failed)
{
	uint8_t *items = arena_alloc(arena, ((size_t)n_a + n_b + 1) * item_bytes);

	if (items == NULL) {
		*failed = true;
		return NULL;
	}
	if (n_a > 0)
		memcpy(items, a, n_a * item_bytes);
	if (n_b > 0)
		memcpy(items + n_a * item_bytes, b, n_b * item_bytes);
	return items;
}

#define JOIN(member, n)                                                                            \
	(spec->member = join(spec->arena, base->member, base->n, layer->member, layer->n,          \
		 sizeof(*spec->member), &failed),                                                  \
		spec->n = base->n + layer->n)

static bool put_on(struct node_spec *spec, struct node_spec *base, struct spec_layer *layer)
{
	bool failed = false;

	if (layer->l7.n_service_networks > 0)
		JOIN(l7.service_networks, l7.n_service_networks);
	JOIN(l7.listeners, l7.n_listeners);
	JOIN(l7.route_configurations, l7.n_route_configurations);
	JOIN(l7.clusters, l7.n_clusters);
	if (layer->n_policies > 0)
		JOIN(policies, n_policies);
	return !failed;
}

struct node_spec *node_spec_with_layer(struct node_spec *base, struct spec_layer *layer)
{
	struct arena *arena;
	struct node_spec *spec;

	if (layer == NULL)
		return node_spec_acquire(base);
	arena = arena_create();
	spec = arena == NULL ? NULL : arena_alloc(arena, sizeof(*spec));
	if (spec == NULL) {
		arena_destroy(arena);
		return NULL;
	}
	memcpy(spec, base, sizeof(*spec));
	spec->n_refs = 1;
	spec->arena = arena;
	spec->base = node_spec_acquire(base);
	spec->layer = spec_layer_acquire(layer);
	if (put_on(spec, base, layer))
		return spec;
	node_spec_release(spec);
	return NULL;
}
