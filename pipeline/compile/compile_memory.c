// SPDX-License-Identifier: Apache-2.0

#include "pipeline/compile/compile_memory.h"

#include <stdlib.h>
#include <string.h>

struct compile_memory *compile_memory_create(void)
{
	struct compile_memory *m = calloc(1, sizeof(*m));

	if (m == NULL)
		return NULL;
	m->listeners.kind = m->tables.kind = m->hosts.kind = &l7_name_kind;
	m->routes.kind = m->clusters.kind = &l7_name_kind;
	m->vips.kind = &l7_vip_kind;
	m->endpoints.kind = &l7_endpoint_kind;
	return m;
}

void compile_memory_destroy(struct compile_memory *m)
{
	if (m == NULL)
		return;
	node_spec_release(m->spec);
	compile_names_destroy(&m->names);
	slot_map_clear(&m->listeners);
	slot_map_clear(&m->tables);
	slot_map_clear(&m->hosts);
	slot_map_clear(&m->routes);
	slot_map_clear(&m->clusters);
	slot_map_clear(&m->vips);
	slot_map_clear(&m->endpoints);
	free(m->draining.slots);
	free(m->moved.slots);
	free(m->vip_vrfs.slots);
	free(m->changed_vrfs.slots);
	free(m->mtus);
	free(m->routers);
	free(m);
}

static bool same_routers(const struct compile_memory *m, const struct compile_input *input)
{
	return m->n_routers == input->n_routers &&
	       (m->n_routers == 0 ||
		       memcmp(m->routers, input->routers, m->n_routers * sizeof(*m->routers)) == 0);
}

// What a layer adds that services refer to by name.
static bool same_names(const struct node_spec *a, const struct node_spec *b)
{
	static const struct spec_layer none;
	const struct spec_layer *x = a->layer == NULL ? &none : a->layer;
	const struct spec_layer *y = b->layer == NULL ? &none : b->layer;

	return x->n_policies == y->n_policies &&
	       (x->n_policies == 0 || x->policies == y->policies) &&
	       x->l7.n_service_networks == y->l7.n_service_networks &&
	       (x->l7.n_service_networks == 0 || x->l7.service_networks == y->l7.service_networks);
}

// Untrue until the compile has succeeded.
void compile_memory_open(struct compile *c)
{
	struct compile_memory *m = c->memory;

	c->is_follow_up = m->of != NULL && m->of == c->input->live &&
			  node_spec_base(m->spec) == node_spec_base(c->spec);
	c->shares_net =
		c->is_follow_up && same_names(m->spec, c->spec) && same_routers(m, c->input);
	m->of = NULL;
}

int compile_memory_keep(struct compile *c)
{
	const struct compile_input *input = c->input;
	size_t n_bytes = input->n_routers * sizeof(*input->routers);
	struct compile_memory *m = c->memory;

	if (!c->shares_net && n_bytes > 0) {
		struct learned_router *routers = realloc(m->routers, n_bytes);

		if (routers == NULL)
			return compile_no_memory(c);
		memcpy(routers, input->routers, n_bytes);
		m->routers = routers;
	}
	m->n_routers = input->n_routers;
	if (!c->shares_net) {
		compile_names_destroy(&m->names);
		m->names = c->names;
	}
	if (input->memory == NULL)
		return 0;
	node_spec_acquire(input->spec);
	node_spec_release(m->spec);
	m->spec = input->spec;
	m->of = c->s;
	return 0;
}
