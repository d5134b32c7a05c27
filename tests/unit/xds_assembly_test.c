// SPDX-License-Identifier: Apache-2.0

// What becomes of resources: what waits for what, what serves meanwhile, and what a refused layer leaves.

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include <event2/event.h>

#include "ctrl/log.h"
#include "ctrl/xds/assembly.h"
#include "ctrl/xds/dns.h"
#include "ctrl/xds/store.h"
#include "pipeline/arena.h"

struct fixture {
	struct event_base *base;
	struct store *store;
	struct dns *dns;
	struct assembly *assembly;
	struct spec_layer *live;
	struct spec_layer *offered; // a layer in flight
	publish_done_fn done_fn;
	void *done_arg;
	char left_out[128];
	uint64_t since_us; // when what changes the store came; 0: now
	uint64_t push_us;  // of the last layer that went live
};

static void offer(void *ctx, struct spec_layer *layer, publish_done_fn done_fn, void *arg)
{
	struct fixture *f = ctx;

	assert_null(f->offered);
	f->offered = layer;
	f->done_fn = done_fn;
	f->done_arg = arg;
}

static void on_refused(void *ctx, enum xds_type type, const char *name, const char *why)
{
	struct fixture *f = ctx;

	snprintf(f->left_out, sizeof(f->left_out), "%s %s: %s", xds_type_word(type), name, why);
}

static void on_live(void *ctx, uint64_t push_us)
{
	((struct fixture *)ctx)->push_us = push_us;
}

static const struct assembly_ops ops = {
	.set_layer_fn = offer, .live_fn = on_live, .refused_fn = on_refused};

// The first for one port, with a way to the host, the second for any.
static const struct xds_endpoint_address_spec maps[] = {
	{.from = {4, {192, 0, 2, 80}},
		.from_port = 80,
		.to = {4, {10, 0, 0, 1}},
		.to_port = 8080,
		.vrf = "blue",
		.policy = "west"},
	{.from = {4, {192, 0, 2, 81}}, .to = {4, {10, 0, 0, 2}}, .vrf = "blue"},
};
static const struct xds_spec file = {.n_endpoint_addresses = 2, .endpoint_addresses = maps};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	log_set_level(LOG_LEVEL_ERROR);
	f->base = event_base_new();
	f->store = store_create();
	f->dns = dns_create(f->base, "/dev/null", "/dev/null");
	f->assembly = assembly_create(f->base, f->store, f->dns, &file, &ops, f);
	*state = f;
	return f->assembly == NULL;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	assembly_destroy(f->assembly);
	dns_destroy(f->dns);
	spec_layer_release(f->live);
	spec_layer_release(f->offered);
	store_destroy(f->store);
	event_base_free(f->base);
	free(f);
	return 0;
}

// ---- resources

static struct xds_resource *make_resource(enum xds_type type, const char *name)
{
	struct arena *arena = arena_create();
	struct xds_resource *r = arena_alloc(arena, sizeof(*r));

	r->n_refs = 1;
	r->type = type;
	r->arena = arena;
	r->name = arena_strdup(arena, name);
	return r;
}

static const struct spec_origin *origin_of(const struct xds_resource *r)
{
	struct spec_origin *origin = arena_alloc(r->arena, sizeof(*origin));
	char text[128];

	snprintf(text, sizeof(text), "%s %s", xds_type_word(r->type), r->name);
	origin->source = arena_strdup(r->arena, text);
	return origin;
}

static void accept_resource(struct fixture *f, struct xds_resource *r)
{
	struct xds_entry *entry = store_get(f->store, r->type, r->name, strlen(r->name));

	store_accept(f->store, entry, r, NULL, 1);
	assembly_changed(f->assembly, f->since_us);
}

static void put_cluster(struct fixture *f, const char *name, uint32_t timeout_ms)
{
	struct xds_resource *r = make_resource(XDS_CLUSTER, name);
	struct xds_cluster *cluster = arena_alloc(r->arena, sizeof(*cluster));

	cluster->spec.name = r->name;
	cluster->spec.origin = origin_of(r);
	cluster->spec.connect_timeout_ms = timeout_ms;
	cluster->discovery = XDS_EDS;
	cluster->eds_name = r->name;
	cluster->vrf = "blue";
	r->cluster = cluster;
	accept_resource(f, r);
}

static void put_endpoints(struct fixture *f, const char *name, uint16_t port)
{
	struct xds_resource *r = make_resource(XDS_ENDPOINTS, name);
	struct xds_assignment *assignment = arena_alloc(r->arena, sizeof(*assignment));
	struct locality_spec *locality = arena_alloc(r->arena, sizeof(*locality));
	struct endpoint_spec *endpoint = arena_alloc(r->arena, sizeof(*endpoint));

	*endpoint = (struct endpoint_spec){.origin = origin_of(r), .port = port, .weight = 1};
	*locality = (struct locality_spec){.n_endpoints = 1, .endpoints = endpoint};
	*assignment = (struct xds_assignment){.n_localities = 1, .localities = locality};
	r->endpoints = assignment;
	accept_resource(f, r);
}

// A cluster of names; an address is a name that needs no server.
static void put_names(struct fixture *f, const char *name, const struct endpoint_spec *endpoints,
	const struct xds_dns_name *names, uint32_t n)
{
	struct xds_resource *r = make_resource(XDS_CLUSTER, name);
	struct xds_cluster *cluster = arena_alloc(r->arena, sizeof(*cluster));
	struct locality_spec *locality = arena_alloc(r->arena, sizeof(*locality));

	*locality = (struct locality_spec){.n_endpoints = n, .endpoints = endpoints};
	cluster->spec.name = r->name;
	cluster->spec.origin = origin_of(r);
	cluster->discovery = XDS_STRICT_DNS;
	cluster->assignment = (struct xds_assignment){.n_localities = 1, .localities = locality};
	cluster->n_dns_names = n;
	cluster->dns_names = names;
	r->cluster = cluster;
	accept_resource(f, r);
}

static void put_listener(struct fixture *f, const char *name, const char *routes, uint16_t port)
{
	struct xds_resource *r = make_resource(XDS_LISTENER, name);
	struct xds_listener *listener = arena_alloc(r->arena, sizeof(*listener));

	listener->spec.name = r->name;
	listener->spec.origin = origin_of(r);
	listener->spec.route_configuration = arena_strdup(r->arena, routes);
	listener->spec.port = port;
	r->listener = listener;
	accept_resource(f, r);
}

static void put_routes(struct fixture *f, const char *name, uint32_t n_hosts)
{
	struct xds_resource *r = make_resource(XDS_ROUTES, name);
	struct route_configuration_spec *spec = arena_alloc(r->arena, sizeof(*spec));

	spec->name = r->name;
	spec->origin = origin_of(r);
	spec->n_virtual_hosts = n_hosts;
	r->routes = spec;
	accept_resource(f, r);
}

static void settle(struct fixture *f, enum xds_type type, const char *name)
{
	store_settle(f->store, store_get(f->store, type, name, strlen(name)));
	assembly_changed(f->assembly, f->since_us);
}

static void take_away(struct fixture *f, enum xds_type type, const char *name)
{
	store_remove(f->store, store_get(f->store, type, name, strlen(name)));
	assembly_changed(f->assembly, f->since_us);
}

// ---- layers

static void turn(struct fixture *f)
{
	event_base_loop(f->base, EVLOOP_NONBLOCK);
}

static void finish(struct fixture *f, const struct publish_result *result)
{
	struct spec_layer *layer = f->offered;

	assert_non_null(layer);
	f->offered = NULL;
	if (result->ret == 0) {
		spec_layer_release(f->live);
		f->live = layer;
	}
	f->done_fn(result, f->done_arg);
	if (result->ret != 0)
		spec_layer_release(layer);
	turn(f);
}

static void go_live(struct fixture *f)
{
	turn(f);
	finish(f, &(struct publish_result){.text = ""});
}

static const struct cluster_spec *cluster(const struct fixture *f, const char *name)
{
	for (uint32_t i = 0; f->live != NULL && i < f->live->l7.n_clusters; i++)
		if (strcmp(f->live->l7.clusters[i]->name, name) == 0)
			return f->live->l7.clusters[i];
	return NULL;
}

static uint16_t port_of(const struct cluster_spec *spec)
{
	return spec->n_localities == 0 ? 0 : spec->localities[0].endpoints[0].port;
}

// ---- cases

static void assembly_cluster_waits_for_its_endpoints(void **state)
{
	struct fixture *f = *state;
	struct assembly_status status;

	put_cluster(f, "a", 1);
	turn(f);
	assert_null(f->offered);
	assembly_status(f->assembly, &status);
	assert_int_equal(status.n_waiting, 1);
	put_endpoints(f, "a", 80);
	go_live(f);
	assert_int_equal(port_of(cluster(f, "a")), 80);
	// The cluster's default, for an endpoint that names none.
	assert_string_equal(cluster(f, "a")->localities[0].endpoints[0].vrf, "blue");
	assembly_status(f->assembly, &status);
	assert_int_equal(status.n_waiting, 0);
	assert_int_equal(status.n_layers, 1);
}

static uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

// What waited for others does not count from when it came itself.
static void assembly_push_counts_from_what_brought_the_change(void **state)
{
	const uint64_t hour_us = 3600000000, minute_us = 60000000;
	const uint64_t now_us = now();
	struct fixture *f = *state;

	f->since_us = now_us - hour_us;
	put_cluster(f, "a", 1);
	turn(f);
	f->since_us = now_us - minute_us;
	put_endpoints(f, "a", 80);
	go_live(f);
	assert_in_range(f->push_us, minute_us, hour_us - 1);
	// Of two in one layer the first counts.
	f->since_us = now_us - 2 * minute_us;
	put_cluster(f, "a", 2);
	f->since_us = now_us - minute_us;
	put_cluster(f, "a", 3);
	go_live(f);
	assert_in_range(f->push_us, 2 * minute_us, hour_us - 1);
}

static void assembly_cluster_without_endpoints_goes_live_empty_in_time(void **state)
{
	struct fixture *f = *state;

	put_cluster(f, "a", 1);
	turn(f);
	settle(f, XDS_ENDPOINTS, "a");
	go_live(f);
	assert_int_equal(cluster(f, "a")->n_localities, 0);
	put_endpoints(f, "a", 80);
	go_live(f);
	assert_int_equal(port_of(cluster(f, "a")), 80);
}

static void assembly_addresses_found_stand_for_the_files_hosts(void **state)
{
	static const struct endpoint_spec endpoints[] = {{.port = 80, .weight = 1},
		{.port = 81, .weight = 1, .vrf = "red"}, {.port = 80}, {.port = 81}};
	static const struct xds_dns_name names[] = {{"192.0.2.80", 0, 0}, {"192.0.2.81", 0, 1},
		{"192.0.2.82", 0, 2}, {"192.0.2.80", 0, 3}};
	struct fixture *f = *state;
	const struct endpoint_spec *found;

	put_names(f, "a", endpoints, names, 4);
	while (f->offered == NULL)
		event_base_loop(f->base, EVLOOP_ONCE);
	finish(f, &(struct publish_result){.text = ""});
	assert_int_equal(cluster(f, "a")->localities[0].n_endpoints, 4);
	found = cluster(f, "a")->localities[0].endpoints;
	assert_memory_equal(&found[0].address, &maps[0].to, sizeof(found[0].address));
	assert_int_equal(found[0].port, 8080);
	assert_string_equal(found[0].vrf, "blue");
	assert_string_equal(found[0].policy, "west");
	// What the endpoint says itself stays, and the port where the file names none.
	assert_memory_equal(&found[1].address, &maps[1].to, sizeof(found[1].address));
	assert_int_equal(found[1].port, 81);
	assert_string_equal(found[1].vrf, "red");
	assert_null(found[1].policy);
	// An address that the file does not name, and a port.
	assert_int_equal(found[2].address.b[3], 82);
	assert_null(found[2].vrf);
	assert_int_equal(found[3].address.b[3], 80);
	assert_int_equal(found[3].port, 81);
	assert_null(found[3].policy);
}

static void assembly_changes_are_one_layer_and_share_the_rest(void **state)
{
	struct fixture *f = *state;
	const struct cluster_spec *b;

	put_cluster(f, "a", 1);
	put_cluster(f, "b", 1);
	put_endpoints(f, "a", 80);
	put_endpoints(f, "b", 81);
	go_live(f);
	b = cluster(f, "b");
	put_endpoints(f, "a", 82);
	turn(f);
	// What comes while a layer is in flight waits for the next one.
	put_endpoints(f, "a", 83);
	turn(f);
	finish(f, &(struct publish_result){.text = ""});
	assert_int_equal(port_of(cluster(f, "a")), 82);
	go_live(f);
	assert_int_equal(port_of(cluster(f, "a")), 83);
	assert_ptr_equal(cluster(f, "b"), b);
	turn(f);
	assert_null(f->offered);
}

static void assembly_listener_waits_for_its_routes(void **state)
{
	struct fixture *f = *state;

	put_listener(f, "l", "r", 80);
	turn(f);
	assert_null(f->offered);
	put_routes(f, "r", 1);
	go_live(f);
	assert_int_equal(f->live->l7.n_listeners, 1);
	assert_int_equal(f->live->l7.n_route_configurations, 1);
	// Other routes, which are not there yet: the old ones serve, although the server may have given them up.
	put_listener(f, "l", "s", 81);
	take_away(f, XDS_ROUTES, "r");
	turn(f);
	assert_null(f->offered);
	put_routes(f, "s", 2);
	go_live(f);
	assert_int_equal(f->live->l7.listeners[0]->port, 81);
	// The listener's old version let go of its routes when the new one was live.
	go_live(f);
	assert_int_equal(f->live->l7.n_route_configurations, 1);
	assert_string_equal(f->live->l7.route_configurations[0]->name, "s");
}

static void assembly_listener_without_routes_answers_404_in_time(void **state)
{
	struct fixture *f = *state;

	put_listener(f, "l", "r", 80);
	turn(f);
	settle(f, XDS_ROUTES, "r");
	go_live(f);
	assert_int_equal(f->live->l7.n_listeners, 1);
	assert_string_equal(f->live->l7.route_configurations[0]->name, "r");
	assert_int_equal(f->live->l7.route_configurations[0]->n_virtual_hosts, 0);
	put_routes(f, "r", 3);
	go_live(f);
	assert_int_equal(f->live->l7.route_configurations[0]->n_virtual_hosts, 3);
}

static void assembly_removal_takes_away(void **state)
{
	struct fixture *f = *state;

	put_cluster(f, "a", 1);
	put_endpoints(f, "a", 80);
	go_live(f);
	take_away(f, XDS_CLUSTER, "a");
	go_live(f);
	assert_int_equal(f->live->l7.n_clusters, 0);
}

static void assembly_refused_resource_keeps_its_version(void **state)
{
	struct fixture *f = *state;
	struct publish_result refused = {.ret = -EINVAL, .text = "no room"};
	struct assembly_status status;

	put_cluster(f, "a", 1);
	put_cluster(f, "b", 1);
	put_endpoints(f, "a", 80);
	put_endpoints(f, "b", 80);
	go_live(f);
	put_cluster(f, "a", 2);
	put_cluster(f, "b", 2);
	turn(f);
	refused.origin = f->offered->l7.clusters[0]->origin;
	assert_string_equal(refused.origin->source, "cluster a");
	finish(f, &refused);
	assert_string_equal(f->left_out, "cluster a: no room");
	go_live(f);
	assert_int_equal(cluster(f, "a")->connect_timeout_ms, 1);
	assert_int_equal(cluster(f, "b")->connect_timeout_ms, 2);
	assembly_status(f->assembly, &status);
	assert_int_equal(status.n_refused, 1);
	// The next version is another matter.
	put_cluster(f, "a", 3);
	go_live(f);
	assert_int_equal(cluster(f, "a")->connect_timeout_ms, 3);
	assembly_status(f->assembly, &status);
	assert_int_equal(status.n_refused, 0);
}

static void put_in_a_callback(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	put_cluster(arg, "a", 1);
	put_endpoints(arg, "a", 1);
}

// Slices are of use when sockets and other timers have their turn between them.
static void assembly_work_waits_for_the_next_round(void **state)
{
	struct fixture *f = *state;
	struct event *event = event_new(f->base, -1, 0, put_in_a_callback, f);

	event_active(event, 0, 0);
	event_base_loop(f->base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
	assert_null(f->offered);
	go_live(f);
	assert_int_equal(port_of(cluster(f, "a")), 1);
	event_free(event);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(assembly_cluster_waits_for_its_endpoints),
		CASE(assembly_push_counts_from_what_brought_the_change),
		CASE(assembly_cluster_without_endpoints_goes_live_empty_in_time),
		CASE(assembly_addresses_found_stand_for_the_files_hosts),
		CASE(assembly_changes_are_one_layer_and_share_the_rest),
		CASE(assembly_listener_waits_for_its_routes),
		CASE(assembly_listener_without_routes_answers_404_in_time),
		CASE(assembly_removal_takes_away),
		CASE(assembly_refused_resource_keeps_its_version),
		CASE(assembly_work_waits_for_the_next_round),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
