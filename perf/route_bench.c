// SPDX-License-Identifier: Apache-2.0

// TSC clocks per request of route_table_match(), and what the table costs: bytes a service and build time. A
// service is a virtual host, a path or a prefix, as the kind says; requests are for uniformly random ones. What
// is shown is the least, over many short rounds, of the median of a round's bursts: shared machines slow down
// for seconds at a time.

#include "l7/route_table.h"

#include <rte_common.h>
#include <rte_cycles.h>

#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "l7/http1_head.h"

enum {
	BURST = 256,
	BURSTS_PER_ROUND = 64,
	N_ROUNDS = 100,
	MAX_SERVICES = 5000,
	TEXT_BYTES = 64,
	RAW_BYTES = 512,
};

enum kind {
	KIND_DOMAIN,	    // "service-17.shop.lattice.local", one route each
	KIND_SUFFIX,	    // "*.service-17.shop.lattice.local"
	KIND_DOMAIN_HEADER, // a domain, and its first route wants a header that is not there
	KIND_PATH,	    // one virtual host: "/service-17/orders"
	KIND_PREFIX,	    // one virtual host: "/service-17/"
	N_KINDS,
};

static const char *const kind_names[N_KINDS] = {
	[KIND_DOMAIN] = "exact domain",
	[KIND_SUFFIX] = "suffix domain",
	[KIND_DOMAIN_HEADER] = "domain, header",
	[KIND_PATH] = "exact path",
	[KIND_PREFIX] = "path prefix",
};

static const uint32_t SIZES[] = {1, 10, 100, 1000, MAX_SERVICES};

static const struct weighted_cluster_spec to_cluster[] = {{.cluster = "c", .weight = 1}};
static const struct header_match_spec wanted_header[] = {
	{.name = "x-canary", .type = HEADER_EXACT, .value = "always"}};
static const char *const any_domain[] = {"*"};

// The configuration under test.
struct bench {
	enum kind kind;
	uint32_t n_services;
	char texts[MAX_SERVICES][TEXT_BYTES];
	const char *domains[MAX_SERVICES];
	struct l7_route_spec routes[MAX_SERVICES];
	struct virtual_host_spec hosts[MAX_SERVICES];
	uint32_t slots[2 * MAX_SERVICES];
	struct route_table *table;
	double build_ms;
};

// A request: only host and path differ between services.
struct request {
	uint8_t raw[RAW_BYTES];
	struct http1_text authority;
	struct http1_text path;
};

static uint64_t mix(uint64_t x)
{
	x += 0x9e3779b97f4a7c15;
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
	x = (x ^ x >> 27) * 0x94d049bb133111eb;
	return x ^ x >> 31;
}

static uint32_t cluster_slot(const void *context, const char *name)
{
	(void)context;
	(void)name;
	return 0;
}

static bool is_by_domain(enum kind kind)
{
	return kind == KIND_DOMAIN || kind == KIND_SUFFIX || kind == KIND_DOMAIN_HEADER;
}

static void make_domain_service(struct bench *bench, uint32_t i)
{
	// The last two routes: what every virtual host ends with.
	static const struct l7_route_spec routes[] = {
		{.path_type = PATH_PREFIX,
			.path = "/",
			.n_headers = 1,
			.headers = wanted_header,
			.action = ROUTE_ACTION_CLUSTER,
			.n_clusters = 1,
			.clusters = to_cluster},
		{.path_type = PATH_PREFIX,
			.path = "/",
			.action = ROUTE_ACTION_CLUSTER,
			.n_clusters = 1,
			.clusters = to_cluster},
	};
	bool wants_header = bench->kind == KIND_DOMAIN_HEADER;

	snprintf(bench->texts[i], TEXT_BYTES, "%sservice-%u.shop.lattice.local",
		bench->kind == KIND_SUFFIX ? "*." : "", i);
	bench->domains[i] = bench->texts[i];
	bench->hosts[i] = (struct virtual_host_spec){.name = bench->texts[i],
		.n_domains = 1,
		.domains = &bench->domains[i],
		.n_routes = wants_header ? 2 : 1,
		.routes = wants_header ? routes : &routes[1]};
}

static void make_path_service(struct bench *bench, uint32_t i)
{
	snprintf(bench->texts[i], TEXT_BYTES, "/service-%u/%s", i,
		bench->kind == KIND_PATH ? "orders" : "");
	bench->routes[i] = (struct l7_route_spec){
		.path_type = bench->kind == KIND_PATH ? PATH_EXACT : PATH_PREFIX,
		.path = bench->texts[i],
		.action = ROUTE_ACTION_CLUSTER,
		.n_clusters = 1,
		.clusters = to_cluster};
}

static double now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static int build(struct bench *bench)
{
	const struct route_table_slots slots = {.cluster_slot = cluster_slot,
		.virtual_hosts = bench->slots,
		.routes = bench->slots};
	struct route_configuration_spec spec = {
		.n_virtual_hosts = bench->n_services, .virtual_hosts = bench->hosts};
	double start;

	for (uint32_t i = 0; i < bench->n_services; i++) {
		if (is_by_domain(bench->kind))
			make_domain_service(bench, i);
		else
			make_path_service(bench, i);
	}
	if (!is_by_domain(bench->kind)) {
		spec.n_virtual_hosts = 1;
		bench->hosts[0] = (struct virtual_host_spec){.name = "all",
			.n_domains = 1,
			.domains = any_domain,
			.n_routes = bench->n_services,
			.routes = bench->routes};
	}
	start = now_ms();
	bench->table = route_table_build(&spec, &slots);
	bench->build_ms = now_ms() - start;
	return bench->table == NULL ? -errno : 0;
}

// Fields that a browser or a proxy sends.
static void make_head(struct request *request, struct http1_head *head)
{
	static const char *const fields[][2] = {{"user-agent", "wrk/4.1.0"}, {"accept", "*/*"},
		{"accept-encoding", "gzip, deflate"}, {"cookie", "session=0123456789abcdef"},
		{"x-trace", "4bf92f3577b34da6a3ce929d0e0e4736"}};
	uint32_t off = RAW_BYTES / 2;

	head->method = HTTP1_GET;
	for (size_t i = 0; i < RTE_DIM(fields); i++) {
		struct http1_text *texts[] = {&head->fields[i].name, &head->fields[i].value};

		for (int k = 0; k < 2; k++) {
			texts[k]->off = off;
			texts[k]->len = (uint32_t)strlen(fields[i][k]);
			memcpy(request->raw + off, fields[i][k], texts[k]->len);
			off += texts[k]->len;
		}
	}
	head->n_fields = RTE_DIM(fields);
}

static void make_request(const struct bench *bench, struct request *request, uint32_t service)
{
	char *host = (char *)request->raw, *path = (char *)request->raw + RAW_BYTES / 4;

	if (is_by_domain(bench->kind)) {
		snprintf(host, RAW_BYTES / 4, "%sservice-%u.shop.lattice.local",
			bench->kind == KIND_SUFFIX ? "eu." : "", service);
		snprintf(path, RAW_BYTES / 4, "/orders");
	} else {
		snprintf(host, RAW_BYTES / 4, "shop.lattice.local");
		snprintf(path, RAW_BYTES / 4, "/service-%u/orders", service);
	}
	request->authority = (struct http1_text){0, (uint32_t)strlen(host)};
	request->path = (struct http1_text){RAW_BYTES / 4, (uint32_t)strlen(path)};
}

static uint64_t time_burst(const struct bench *bench, const struct request *requests,
	struct http1_head *head, uint32_t *n_missed)
{
	uint64_t start = rte_rdtsc_precise();

	for (unsigned int i = 0; i < BURST; i++) {
		struct route_verdict verdict;

		head->authority = requests[i].authority;
		head->path = requests[i].path;
		head->path_len = requests[i].path.len;
		route_table_match(bench->table, requests[i].raw, head, i, &verdict);
		*n_missed += verdict.action != ROUTE_ACTION_CLUSTER;
	}
	return rte_rdtsc_precise() - start;
}

static int compare_u64(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

// Clocks per request.
static double measure(const struct bench *bench)
{
	static struct request requests[BURST];
	static uint64_t clocks[BURSTS_PER_ROUND];
	static struct http1_head head;
	uint64_t seed = 1, best = UINT64_MAX;
	uint32_t n_missed = 0;

	for (unsigned int i = 0; i < BURST; i++)
		make_head(&requests[i], &head);
	for (unsigned int round = 0; round < N_ROUNDS; round++) {
		for (unsigned int i = 0; i < BURSTS_PER_ROUND; i++) {
			for (unsigned int k = 0; k < BURST; k++) {
				seed = mix(seed);
				make_request(
					bench, &requests[k], (uint32_t)(seed % bench->n_services));
			}
			clocks[i] = time_burst(bench, requests, &head, &n_missed);
		}
		qsort(clocks, BURSTS_PER_ROUND, sizeof(clocks[0]), compare_u64);
		best = RTE_MIN(best, clocks[BURSTS_PER_ROUND / 2]);
	}
	if (n_missed > 0)
		fprintf(stderr, "route_bench: %u requests found no route\n", n_missed);
	return (double)best / BURST;
}

static void pin_to_last_core(void)
{
	cpu_set_t cores, last;

	CPU_ZERO(&last);
	if (sched_getaffinity(0, sizeof(cores), &cores) < 0)
		return;
	for (size_t core = CPU_SETSIZE; core-- > 0;) {
		if (CPU_ISSET(core, &cores)) {
			CPU_SET(core, &last);
			break;
		}
	}
	sched_setaffinity(0, sizeof(last), &last);
}

int main(void)
{
	struct bench *bench = calloc(1, sizeof(*bench));

	if (bench == NULL)
		return 1;
	pin_to_last_core();
	printf("%-16s %9s %10s %9s %9s %9s\n", "services by", "services", "bytes each", "build ms",
		"clocks", "to one");
	for (int kind = 0; kind < N_KINDS; kind++) {
		double one = 0;

		for (size_t i = 0; i < RTE_DIM(SIZES); i++) {
			double clocks;
			int rc;

			bench->kind = (enum kind)kind;
			bench->n_services = SIZES[i];
			rc = build(bench);
			if (rc < 0) {
				fprintf(stderr, "route_bench: %s\n", strerror(-rc));
				return 1;
			}
			clocks = measure(bench);
			one = i == 0 ? clocks : one;
			printf("%-16s %9u %10.1f %9.3f %9.1f %9.2f\n", kind_names[kind], SIZES[i],
				bench->table->block.n_bytes / (double)SIZES[i], bench->build_ms,
				clocks, clocks / one);
			block_release(&bench->table->block);
		}
	}
	free(bench);
	return 0;
}
