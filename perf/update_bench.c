// SPDX-License-Identifier: Apache-2.0

// How long it takes from the last byte of a discovery response to the snapshot that follows from it being live, and
// what it costs: the control core's own session, decoder, assembly, compiler and publisher, without sockets.
// full: all services from nothing; endpoint: one endpoint of one service changes; repeat: all clusters come again as
// they are; load: what such changes, one after the other, cost a worker (perf/update_load.h).

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>
#include <event2/thread.h>
#include <jansson.h>

#include "conf/conf.h"
#include "ctrl/ctrl.h"
#include "ctrl/log.h"
#include "ctrl/publish.h"
#include "ctrl/xds/assembly.h"
#include "ctrl/xds/check.h"
#include "ctrl/xds/decode.h"
#include "ctrl/xds/session.h"
#include "ctrl/xds/store.h"
#include "perf/update_load.h"
#include "perf/update_messages.h"

enum {
	N_ENDPOINT_CHANGES = 400,
};

static const char config[] =
	"ports = ( { name = \"p0\"; device = \"net_null0\"; addresses = [ \"192.0.2.1/24\" ];\n"
	"  vlans = ( { id = 7; vrf = \"red\"; addresses = [ \"10.0.0.1/8\" ]; } ); } );\n"
	"vrfs = ( { name = \"red\"; sources = [ \"10.255.0.0/28\" ]; } );\n"
	"service_networks = ( { name = \"mesh\"; vrfs = [ \"red\" ]; } );\n";

struct bench {
	struct ctrl ctrl;
	struct port_runtime port;
	struct compile_check *check;
	struct xds_spec spec;
	struct store *store;
	struct session *session;
	struct assembly *assembly;
	uint64_t n_live;
	struct update_message message;
	json_t *rows;
};

static void die(const char *what, const char *why)
{
	fprintf(stderr, "update_bench: %s: %s\n", what, why);
	exit(EXIT_FAILURE);
}

static double now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

static double cpu_ms(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e3 +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e3;
}

static double rss_mib(void)
{
	FILE *file = fopen("/proc/self/statm", "r");
	unsigned long all = 0, resident = 0;

	if (file == NULL || fscanf(file, "%lu %lu", &all, &resident) != 2)
		die("/proc/self/statm", "cannot be read");
	fclose(file);
	return (double)resident * (double)sysconf(_SC_PAGESIZE) / (1 << 20);
}

// ---- what the session and the assembly ask of the world

static void drop_request(void *ctx, const uint8_t *bytes, size_t n_bytes)
{
	(void)ctx;
	(void)bytes;
	(void)n_bytes;
}

static void on_reset(void *ctx, const char *why)
{
	(void)ctx;
	die("stream", why);
}

static int take_up(void *ctx, enum xds_type type, const uint8_t *bytes, size_t n_bytes,
	struct xds_resource **resource, struct refusal *refusal)
{
	struct bench *b = ctx;
	int ret = xds_decode(type, bytes, n_bytes, &b->spec, resource, refusal);

	if (ret == 0)
		ret = check_resource(b->check, *resource, refusal);
	if (ret != 0)
		die("refused", refusal->text);
	return ret;
}

static void on_changed(void *ctx)
{
	assembly_changed(((struct bench *)ctx)->assembly, 0);
}

static bool is_due(void *ctx)
{
	(void)ctx;
	return false;
}

static void set_layer(void *ctx, struct spec_layer *layer, publish_done_fn done_fn, void *arg)
{
	publish_set_layer(((struct bench *)ctx)->ctrl.publish, layer, done_fn, arg);
}

static void on_live(void *ctx, uint64_t push_us)
{
	(void)push_us;
	((struct bench *)ctx)->n_live++;
}

static void on_refused(void *ctx, enum xds_type type, const char *name, const char *why)
{
	(void)ctx;
	(void)type;
	(void)name;
	die("left out", why);
}

static const struct session_ops session_ops = {.send_fn = drop_request,
	.reset_fn = on_reset,
	.accept_fn = take_up, // nothing is refused, so nothing else is asked
	.changed_fn = on_changed,
	.is_due_fn = is_due};
static const struct assembly_ops assembly_ops = {set_layer, on_live, on_refused};

// ---- one node

static struct bench *start(json_t *rows)
{
	struct bench *b = calloc(1, sizeof(*b));
	struct refusal refusal = {0};

	b->rows = rows;
	b->port.mtu = 1500;
	b->ctrl.ports = &b->port;
	b->ctrl.n_ports = 1;
	b->ctrl.base = event_base_new();
	b->ctrl.reclaim = reclaim_create(NULL);
	b->ctrl.adj_table = adj_table_create(b->ctrl.reclaim);
	if (conf_load_text(config, strlen(config), "bench.cfg", &b->ctrl.spec, &refusal) == 0)
		b->ctrl.publish = publish_create(&b->ctrl, &refusal);
	if (b->ctrl.publish == NULL)
		die("configuration", refusal.text);
	b->check = compile_check_create(b->ctrl.spec, &refusal);
	b->spec = (struct xds_spec){.node_id = "bench",
		.node_cluster = "",
		.region = "",
		.zone = "",
		.sub_zone = "",
		.metadata.kind = XDS_VALUE_GROUP,
		.service_network = "mesh",
		.max_resources = 1 << 20};
	b->store = store_create();
	b->session = session_create(&b->spec, b->store, &session_ops, b);
	b->assembly = assembly_create(b->ctrl.base, b->store, NULL, &b->spec, &assembly_ops, b);
	if (b->check == NULL || b->session == NULL || b->assembly == NULL)
		die("start", "out of memory");
	session_up(b->session, 1000);
	return b;
}

static void stop(struct bench *b)
{
	publish_destroy(b->ctrl.publish);
	assembly_destroy(b->assembly);
	session_destroy(b->session);
	store_destroy(b->store);
	compile_check_destroy(b->check);
	node_spec_release(b->ctrl.spec);
	reclaim_destroy(b->ctrl.reclaim);
	adj_table_destroy(b->ctrl.adj_table);
	event_base_free(b->ctrl.base);
	update_message_free(&b->message);
	free(b);
}

static void receive(struct bench *b)
{
	session_message(b->session, b->message.bytes, b->message.n_bytes, 1000);
	while (session_work(b->session, 1000))
		;
}

// What is ready; the last layer has gone live when nothing is.
static void settle(struct bench *b, uint64_t n_live)
{
	while (b->n_live < n_live)
		event_base_loop(b->ctrl.base, EVLOOP_ONCE);
}

static bool is_complete(const struct bench *b, uint32_t n_services, enum update_shape shape)
{
	const struct l7_spec *l7 = &b->ctrl.spec->l7;
	uint32_t n = shape == UPDATE_ALL_IN_ONE ? 1 : n_services;

	return l7->n_clusters == n_services && l7->n_listeners == n &&
	       ctrl_snapshot(&b->ctrl)->l7->n_endpoints == n_services * UPDATE_ENDPOINTS;
}

// ---- scenarios

static const char *shape_name(enum update_shape shape)
{
	return shape == UPDATE_ALL_IN_ONE ? "one" : "each";
}

static void tell(struct bench *b, const char *scenario, enum update_shape shape,
	uint32_t n_services, double live_ms, double used_ms, double mib)
{
	printf("%-10s %-6s %8u %10.3f %10.3f %10.1f\n", scenario, shape_name(shape), n_services,
		live_ms, used_ms, mib);
	fflush(stdout);
	json_array_append_new(
		b->rows, json_pack("{s:s, s:s, s:i, s:f, s:f, s:f}", "scenario", scenario, "routes",
				 shape_name(shape), "services", (int)n_services, "live_ms", live_ms,
				 "cpu_ms", used_ms, "rss_mib", mib));
}

static void run_full(
	struct bench *b, enum update_shape shape, uint32_t n_services, double before_mib)
{
	static const enum xds_type order[] = {XDS_CLUSTER, XDS_ENDPOINTS, XDS_LISTENER, XDS_ROUTES};
	struct update_message messages[4] = {0};
	double start_ms, used_ms;

	for (int i = 0; i < 4; i++)
		update_message_full(&messages[i], order[i], shape, n_services);
	used_ms = cpu_ms();
	start_ms = now_ms();
	for (int i = 0; i < 4; i++) {
		b->message = messages[i];
		receive(b);
	}
	while (!is_complete(b, n_services, shape))
		settle(b, b->n_live + 1);
	start_ms = now_ms() - start_ms;
	used_ms = cpu_ms() - used_ms;
	for (int i = 0; i < 4; i++)
		update_message_free(&messages[i]);
	b->message = (struct update_message){0};
	tell(b, "full", shape, n_services, start_ms, used_ms, rss_mib() - before_mib);
}

static int compare_times(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void run_endpoint(
	struct bench *b, enum update_shape shape, uint32_t n_services, double before_mib)
{
	double times[N_ENDPOINT_CHANGES], used_ms = cpu_ms();

	for (uint32_t i = 0; i < N_ENDPOINT_CHANGES; i++) {
		uint64_t n_live = b->n_live;

		update_message_endpoint(&b->message, i * 7919 % n_services, 1 + i % 199);
		times[i] = now_ms();
		receive(b);
		settle(b, n_live + 1);
		times[i] = now_ms() - times[i];
	}
	used_ms = (cpu_ms() - used_ms) / N_ENDPOINT_CHANGES;
	qsort(times, N_ENDPOINT_CHANGES, sizeof(times[0]), compare_times);
	tell(b, "endpoint", shape, n_services, times[N_ENDPOINT_CHANGES / 2], used_ms,
		rss_mib() - before_mib);
	printf("%28s 90 of 100 below %.3f ms, the slowest %.3f\n", "",
		times[N_ENDPOINT_CHANGES * 9 / 10], times[N_ENDPOINT_CHANGES - 1]);
}

static void run_repeat(
	struct bench *b, enum update_shape shape, uint32_t n_services, double before_mib)
{
	double start_ms, used_ms;

	update_message_full(&b->message, XDS_CLUSTER, shape, n_services);
	used_ms = cpu_ms();
	start_ms = now_ms();
	receive(b);
	event_base_loop(b->ctrl.base, EVLOOP_NONBLOCK);
	start_ms = now_ms() - start_ms;
	tell(b, "repeat", shape, n_services, start_ms, cpu_ms() - used_ms, rss_mib() - before_mib);
}

static void run(json_t *rows, enum update_shape shape, uint32_t n_services)
{
	double before_mib = rss_mib();
	struct bench *b = start(rows);

	run_full(b, shape, n_services, before_mib);
	run_endpoint(b, shape, n_services, before_mib);
	run_repeat(b, shape, n_services, before_mib);
	stop(b);
}

// What one process runs; no services: the load.
static void run_one(json_t *rows, enum update_shape shape, uint32_t n_services, bool huge_pages)
{
	if (n_services == 0)
		update_load_run(rows, huge_pages);
	else
		run(rows, shape, n_services);
}

// Each in a process of its own, so that memory is its own, too.
static void run_apart(json_t *rows, enum update_shape shape, uint32_t n_services, bool huge_pages)
{
	char text[65536];
	ssize_t n;
	int fds[2];
	json_t *told;

	if (pipe(fds) != 0)
		die("pipe", "failed");
	fflush(stdout);
	if (fork() == 0) {
		json_t *own = json_array();
		char *dumped;

		run_one(own, shape, n_services, huge_pages);
		dumped = json_dumps(own, 0);
		if (write(fds[1], dumped, strlen(dumped)) < 0)
			die("pipe", "failed");
		fflush(stdout);
		_exit(EXIT_SUCCESS);
	}
	close(fds[1]);
	n = read(fds[0], text, sizeof(text) - 1);
	close(fds[0]);
	text[n < 0 ? 0 : n] = '\0';
	told = json_loads(text, 0, NULL);
	if (told == NULL)
		die("run", "ended early");
	json_array_extend(rows, told);
	json_decref(told);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {{"json", required_argument, NULL, 'j'},
		{"services", required_argument, NULL, 's'}, {"load", no_argument, NULL, 'l'},
		{"huge", no_argument, NULL, 'H'}, {0}};
	static const uint32_t all[] = {1, 100, 1000, 5000};
	const char *path = NULL;
	bool only_load = false, huge_pages = false;
	uint32_t only = 0;
	json_t *rows = json_array();
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'j')
			path = optarg;
		else if (option == 's')
			only = (uint32_t)strtoul(optarg, NULL, 10);
		else if (option == 'l')
			only_load = true;
		else if (option == 'H')
			huge_pages = true;
		else
			return EXIT_FAILURE;
	}
	log_set_level(LOG_LEVEL_ERROR);
	evthread_use_pthreads();
	printf("%-10s %-6s %8s %10s %10s %10s\n", "scenario", "routes", "services", "live_ms",
		"cpu_ms", "rss_mib");
	for (int shape = UPDATE_EACH_ITS_OWN; shape <= UPDATE_ALL_IN_ONE; shape++)
		for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
			if (!only_load && (only == 0 || only == all[i]))
				run_apart(rows, (enum update_shape)shape, all[i], huge_pages);
	if (only_load || only == 0)
		run_apart(rows, UPDATE_ALL_IN_ONE, 0, huge_pages);
	if (path != NULL && json_dump_file(rows, path, JSON_INDENT(1)) != 0)
		die(path, "cannot be written");
	json_decref(rows);
	return EXIT_SUCCESS;
}
