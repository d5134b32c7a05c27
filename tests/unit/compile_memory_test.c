// SPDX-License-Identifier: Apache-2.0

// Compiling only what changed comes to the same as compiling everything: layers change at random, and each snapshot is
// compared, by names, with one made from nothing. What did not change is the same memory.

#include "tests/unit/compile_fixture.h"
#include "tests/unit/snapshot_text.h"

#include "pipeline/arena.h"
#include "pipeline/compile/compile_check.h"

enum {
	N_CLUSTERS = 12,
	N_TABLES = 6,
	N_LISTENERS = 8,
	N_ENDPOINTS = 6, // that a cluster may have
	N_STEPS = 1500,
};

static const char base_config[] =
	"ports = ( { name = \"p\"; device = \"d0\"; addresses = [ \"192.0.2.1/24\" ];\n"
	"  vlans = ( { id = 7; vrf = \"red\"; addresses = [ \"10.0.0.1/24\" ]; } ); } );\n"
	"vrfs = ( { name = \"red\"; sources = [ \"10.250.0.1\" ]; routes = ( { prefix = "
	"\"10.9.0.7/32\"; via = \"10.0.0.9\"; } "
	"); },"
	" { name = \"blue\"; sources = [ \"10.250.0.1\" ]; } );\n"
	"service_networks = ( { name = \"n\"; vrfs = [ \"red\", \"blue\" ]; },\n"
	"  { name = \"u\"; vrfs = [ \"default\" ]; } );\n"
	"clusters = ( { name = \"filed\"; endpoints = ( { address = \"10.5.0.1\"; port = 80; } ); "
	"} "
	");\n"
	"listeners = ( { name = \"file\"; service_network = \"n\"; addresses = [ \"10.8.0.1\" ]; "
	"port = "
	"80;\n"
	"  virtual_hosts = ( { name = \"h\"; domains = [ \"*\" ]; routes = ( { prefix = \"/\"; "
	"cluster = "
	"\"filed\"; } ); } ); } );\n";

static const struct spec_origin origin = {.source = "layer"};

// What may be in a layer. NULL: it is not there.
struct world {
	const struct cluster_spec *cluster_specs[N_CLUSTERS];
	const struct route_configuration_spec *table_specs[N_TABLES];
	const struct listener_spec *listener_specs[N_LISTENERS];
};

static uint64_t seed = 88172645463325252;

static uint32_t below(uint32_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 32) % n;
}

// Everything that tests make lives until they end: an address is never given out twice.
static struct arena *arena;

static void *make(size_t n_bytes)
{
	void *bytes = arena_alloc(arena, n_bytes);

	assert_non_null(bytes);
	return bytes;
}

static const char *name_of(const char *word, uint32_t i)
{
	char *name = make(16);

	snprintf(name, 16, "%s%u", word, i);
	return name;
}

static const struct cluster_spec *make_cluster(uint32_t idx)
{
	struct cluster_spec *spec = make(sizeof(*spec));
	struct locality_spec *locality = make(sizeof(*locality));
	struct endpoint_spec *endpoints = make(N_ENDPOINTS * sizeof(*endpoints));

	for (uint8_t i = 0; i < N_ENDPOINTS; i++)
		if (below(2) == 0)
			endpoints[locality->n_endpoints++] =
				(struct endpoint_spec){.origin = &origin,
					.address = {4, {10, 2, (uint8_t)idx, i}},
					.port = 80,
					.weight = 1 + below(3),
					.vrf = below(3) == 0 ? "blue" : NULL};
	*locality = (struct locality_spec){.origin = &origin,
		.region = "",
		.zone = "",
		.sub_zone = "",
		.n_endpoints = locality->n_endpoints,
		.endpoints = endpoints};
	*spec = (struct cluster_spec){.origin = &origin,
		.name = name_of("c", idx),
		.connect_timeout_ms = 1 + below(2),
		.pool_timeout_ms = 1,
		.overprovisioning_percent = 140,
		.panic_percent = 50,
		.n_localities = 1,
		.localities = locality};
	return spec;
}

static const struct weighted_cluster_spec *make_choice(void)
{
	struct weighted_cluster_spec *choice = make(sizeof(*choice));

	*choice = (struct weighted_cluster_spec){&origin, name_of("c", below(N_CLUSTERS)), 1};
	return choice;
}

static const struct route_configuration_spec *make_table(uint32_t idx)
{
	struct route_configuration_spec *spec = make(sizeof(*spec));
	struct virtual_host_spec *host = make(sizeof(*host));
	struct l7_route_spec *routes = make(3 * sizeof(*routes));
	static const char *const any[] = {"*"};
	uint32_t n = 1 + below(3);

	for (uint32_t i = 0; i < n; i++)
		routes[i] = (struct l7_route_spec){.origin = &origin,
			.name = below(2) == 0 ? NULL : name_of("n", i),
			.path = i == n - 1 ? "/" : name_of("/", i),
			.action = ROUTE_ACTION_CLUSTER,
			.n_clusters = 1,
			.clusters = make_choice(),
			.cluster_not_found_status = 503};
	*host = (struct virtual_host_spec){.origin = &origin,
		.name = name_of("h", below(2)),
		.n_domains = 1,
		.domains = any,
		.n_routes = n,
		.routes = routes};
	*spec = (struct route_configuration_spec){.origin = &origin,
		.name = name_of("r", idx),
		.n_virtual_hosts = 1,
		.virtual_hosts = host};
	return spec;
}

static const struct listener_spec *make_listener(uint32_t idx)
{
	struct listener_spec *spec = make(sizeof(*spec));
	struct l7_address *address = make(sizeof(*address));
	bool is_tcp = below(4) == 0, is_own = below(3) == 0;

	// .7 is a route's of the file, .0.1 its listener's: some are refused.
	*address = (struct l7_address){4, {10, 9, 0, (uint8_t)(below(3) == 0 ? 7 : 1 + below(4))}};
	*spec = (struct listener_spec){.origin = &origin,
		.name = name_of("l", idx),
		.service_network = below(4) == 0 ? "u" : "n",
		.n_addresses = 1,
		.addresses = address,
		.port = (uint16_t)(80 + below(6)),
		.protocol = is_tcp ? LISTENER_TCP : LISTENER_HTTP,
		.window_scale = 7,
		.request_line_bytes = 8192,
		.request_headers_bytes = 8192,
		.idle_timeout_ms = below(3)};
	if (is_tcp) {
		spec->n_clusters = 1;
		spec->clusters = make_choice();
		spec->clusters_may_be_missing = true;
	} else if (is_own) {
		spec->routes = make_table(idx);
	} else {
		spec->route_configuration = name_of("r", below(N_TABLES));
	}
	return spec;
}

static void change(struct world *w)
{
	uint32_t i;

	switch (below(8)) {
	case 0:
		i = below(N_CLUSTERS);
		w->cluster_specs[i] = NULL;
		break;
	case 1:
		i = below(N_TABLES);
		w->table_specs[i] = NULL;
		break;
	case 2:
		i = below(N_LISTENERS);
		w->listener_specs[i] = NULL;
		break;
	case 3:
		i = below(N_TABLES);
		w->table_specs[i] = make_table(i);
		break;
	case 4:
		i = below(N_LISTENERS);
		w->listener_specs[i] = make_listener(i);
		break;
	default:
		i = below(N_CLUSTERS);
		w->cluster_specs[i] = make_cluster(i);
	}
}

static void keep_layer(struct spec_layer *layer)
{
	(void)layer;
}

// What is there, from the k-th on: places in the arrays change.
static uint32_t list(const void *from, uint32_t n, uint32_t first, const void **to)
{
	const void *const *specs = from;
	uint32_t n_there = 0;

	for (uint32_t i = 0; i < n; i++)
		if (specs[(first + i) % n] != NULL)
			to[n_there++] = specs[(first + i) % n];
	return n_there;
}

static struct node_spec *put_on(struct node_spec *base, const struct world *w)
{
	struct spec_layer *layer = make(sizeof(*layer));
	const void **lists[3] = {make(N_CLUSTERS * sizeof(void *)), make(N_TABLES * sizeof(void *)),
		make(N_LISTENERS * sizeof(void *))};
	struct node_spec *spec;

	layer->n_refs = 1;
	layer->free_fn = keep_layer;
	layer->l7.n_clusters = list(w->cluster_specs, N_CLUSTERS, below(8) == 0 ? 3 : 0, lists[0]);
	layer->l7.n_route_configurations = list(w->table_specs, N_TABLES, 0, lists[1]);
	layer->l7.n_listeners = list(w->listener_specs, N_LISTENERS, 0, lists[2]);
	layer->l7.clusters = (const void *)lists[0];
	layer->l7.route_configurations = (const void *)lists[1];
	layer->l7.listeners = (const void *)lists[2];
	spec = node_spec_with_layer(base, layer);
	spec_layer_release(layer);
	assert_non_null(spec);
	return spec;
}

struct memory_fixture {
	struct fixture *f;
	struct compile_memory *memory;
	struct snapshot *live;
	struct world world;
};

static uint32_t random_flows(const void *context, uint32_t slot)
{
	(void)context;
	return slot % 5 == 0;
}

// Both ways; what comes of it must be the same. Returns whether it went live.
static bool step(struct memory_fixture *m, struct node_spec *base)
{
	static struct snapshot_text fast, slow;
	struct node_spec *spec = put_on(base, &m->world);
	struct compile_input input = {.spec = spec,
		.live = m->live,
		.adj_table = m->f->adj_table,
		.endpoint_flows = random_flows,
		.memory = m->memory};
	struct snapshot *next = NULL, *scratch = NULL;
	struct refusal refusal = {0};
	int ret = compile_snapshot(&input, &next, &refusal), scratch_ret;

	input.live = NULL;
	input.memory = NULL;
	scratch_ret = compile_snapshot(&input, &scratch, &m->f->refusal);
	if (ret != scratch_ret)
		fail_msg("%d, from nothing %d: %s%s", ret, scratch_ret, refusal.text,
			m->f->refusal.text);
	if (ret == 0) {
		snapshot_text_write(&fast, next, N_CLUSTERS, N_LISTENERS);
		snapshot_text_write(&slow, scratch, N_CLUSTERS, N_LISTENERS);
		assert_string_equal(fast.bytes, slow.bytes);
		snapshot_destroy(m->live);
		m->live = next;
	}
	snapshot_destroy(scratch);
	node_spec_release(spec);
	return ret == 0;
}

static void compile_memory_comes_to_the_same(void **state)
{
	struct memory_fixture m = {.f = *state, .memory = compile_memory_create()};
	uint32_t n_live = 0, n_refused = 0;

	load(m.f, base_config);
	for (uint32_t i = 0; i < N_STEPS; i++) {
		struct world before = m.world;

		for (uint32_t n = 1 + below(3); n > 0; n--)
			change(&m.world);
		if (i % 200 == 199)
			load(m.f, base_config); // a reload
		if (step(&m, m.f->spec)) {
			n_live++;
			continue;
		}
		n_refused++;
		m.world = before;
		assert_true(step(&m, m.f->spec) || i % 200 == 199);
	}
	print_message("%u went live, %u were refused\n", n_live, n_refused);
	assert_true(n_live > N_STEPS / 4 && n_refused > N_STEPS / 20);
	snapshot_destroy(m.live);
	compile_memory_destroy(m.memory);
}

static void compile_memory_shares_all_but_the_change(void **state)
{
	struct memory_fixture m = {.f = *state, .memory = compile_memory_create()};
	const struct l7_tables *before;
	const struct iface *ifaces;

	load(m.f, base_config);
	m.world.table_specs[0] = make_table(0);
	for (uint32_t i = 0; i < N_CLUSTERS; i++)
		m.world.cluster_specs[i] = make_cluster(i);
	assert_true(step(&m, m.f->spec));
	before = m.live->l7;
	ifaces = m.live->ifaces;
	((struct l7_tables *)(uintptr_t)before)->n_refs++;
	// The same once more: nothing is new.
	assert_true(step(&m, m.f->spec));
	assert_ptr_equal(m.live->l7, before);
	m.world.cluster_specs[3] = make_cluster(3);
	assert_true(step(&m, m.f->spec));
	assert_ptr_not_equal(m.live->l7, before);
	assert_ptr_equal(m.live->ifaces, ifaces);
	assert_ptr_equal(m.live->l7->cluster_names, before->cluster_names);
	assert_ptr_equal(m.live->l7->route_tables, before->route_tables);
	assert_ptr_equal(m.live->l7->bindings, before->bindings);
	assert_ptr_equal(l7_tables_cluster(m.live->l7, find_name(before->cluster_names, "c4")),
		l7_tables_cluster(before, find_name(before->cluster_names, "c4")));
	l7_tables_release((struct l7_tables *)(uintptr_t)before);
	snapshot_destroy(m.live);
	compile_memory_destroy(m.memory);
}

static void compile_name_of_file_and_layer_is_refused_with_both_places(void **state)
{
	struct fixture *f = *state;
	static struct cluster_spec cluster;
	static const struct cluster_spec *const clusters[] = {&cluster};
	static struct spec_layer layer = {
		.l7 = {.n_clusters = 1, .clusters = clusters}, .free_fn = keep_layer};
	struct compile_check *check;
	struct node_spec *base;

	load(f, base_config);
	base = f->spec;
	cluster = *make_cluster(0);
	cluster.name = "filed";
	layer.n_refs = 1;
	check = compile_check_create(base, &f->refusal);
	assert_int_equal(compile_check_cluster(check, &cluster, NULL, 0, &f->refusal), -EINVAL);
	assert_string_equal(f->refusal.text,
		"layer: clusters: the name \"filed\" is given twice, first at f:6; keep one");
	compile_check_destroy(check);
	f->spec = node_spec_with_layer(base, &layer);
	assert_int_equal(compile(f), -EINVAL);
	assert_string_equal(f->refusal.text,
		"layer: clusters: the name \"filed\" is given twice, first at f:6; keep one");
	assert_ptr_equal(f->refusal.origin, &origin);
	node_spec_release(base);
}

static int create_arena(void **state)
{
	(void)state;
	arena = arena_create();
	return arena == NULL;
}

static int destroy_arena(void **state)
{
	(void)state;
	arena_destroy(arena);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		COMPILE_TEST(compile_memory_comes_to_the_same),
		COMPILE_TEST(compile_memory_shares_all_but_the_change),
		COMPILE_TEST(compile_name_of_file_and_layer_is_refused_with_both_places),
	};

	return cmocka_run_group_tests(tests, create_arena, destroy_arena);
}
