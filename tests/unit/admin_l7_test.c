// SPDX-License-Identifier: Apache-2.0

// What the admin server says of services: rows and counters of listeners, routes, clusters; and flows, which a
// real splice has and a worker tells. The worker takes its turns with client and server.

#include "tests/unit/admin_fixture.h"

#include "ctrl/admin/l7_status.h"
#include "ctrl/admin/l7_view.h"
#include "tests/unit/eal.h"

enum {
	N_FLOWS = 4096,
	N_LEGS = 64,
	N_HALF_OPEN = 4096,
};

static const char config[] =
	"ports = ( { name = \"core0\"; device = \"net_null0\";\n"
	"  addresses = [ \"2001:db8:0:1::1/64\" ]; } );\n"
	"vrfs = ( { name = \"red\"; sources = [ \"10.9.0.0/28\", \"fd00:9::/124\" ]; },\n"
	"  { name = \"blue\"; sources = [ \"10.9.0.0/28\", \"fd00:9::/124\" ]; } );\n"
	"service_networks = ( { name = \"net\"; vrfs = [ \"red\", \"blue\" ]; } );\n"
	"listeners = (\n"
	"  { name = \"web\"; service_network = \"net\"; port = 80; route_configuration = "
	"\"shared\";\n"
	"    addresses = [ \"10.100.0.1\", \"fd00:100::1\" ]; },\n"
	"  { name = \"own\"; service_network = \"net\"; port = 8080; addresses = [ \"10.100.0.2\" "
	"];\n"
	"    virtual_hosts = ( { name = \"any\"; domains = [ \"*\" ]; routes = (\n"
	"      { prefix = \"/\"; direct_response = { status = 204; }; } ); } ); },\n"
	"  { name = \"tcp\"; service_network = \"net\"; port = 5432; addresses = [ \"10.100.0.2\" "
	"];\n"
	"    protocol = \"tcp\"; cluster = \"b\"; } );\n"
	"route_configurations = ( { name = \"shared\"; virtual_hosts = (\n"
	"  { name = \"cart\"; domains = [ \"cart.local\", \"*.cart.local\" ]; routes = (\n"
	"    { name = \"beta\"; path = \"/v2\"; headers = ( { name = \"x-team\"; exact = \"blue\"; "
	"},\n"
	"        { name = \"agent\"; prefix = \"curl/\"; invert = true; } );\n"
	"      weighted_clusters = ( { cluster = \"a\"; weight = 3; }, { cluster = \"b\"; weight = "
	"1; } ); },\n"
	"    { prefix = \"/\"; cluster = \"a\"; } ); },\n"
	"  { name = \"pay\"; domains = [ \"pay.local\" ]; routes = ( { prefix = \"/\"; cluster = "
	"\"b\"; } ); } ); } );\n"
	"clusters = ( { name = \"a\"; policy = \"p\"; vrf = \"blue\"; endpoints = (\n"
	"    { address = \"10.2.0.1\"; port = 8080; weight = 3; },\n"
	"    { address = \"fd00:2::1\"; port = 8081; } ); },\n"
	"  { name = \"b\"; localities = ( { priority = 0; }, { region = \"west\"; zone = \"w1\"; "
	"priority = "
	"1;\n"
	"    endpoints = ( { address = \"10.2.0.2\"; port = 80; health = \"DEGRADED\"; } ); } ); } "
	");\n"
	"srv6 = { source = \"2001:db8:0:1::1\"; policies = ( { name = \"p\";\n"
	"  segments = [ \"2001:db8:a::1\" ]; } );\n";

// ---- a splice without a world

static void send_nowhere(void *ctx, enum splice_side side, uint32_t idx, const struct tcp_out *out,
	const uint8_t *data, uint32_t len, struct tcp_segment *carrier)
{
	(void)ctx;
	(void)side;
	(void)idx;
	(void)out;
	(void)data;
	(void)len;
	assert_null(carrier);
}

static const struct splice_listener *ask_listener(void *ctx, uint32_t listener)
{
	static const struct splice_listener http = {.protocol = SPLICE_HTTP1,
		.limits = {8192, 16384},
		.head_timeout_ms = 10000,
		.idle_timeout_ms = 60000,
		.mss = 1400,
		.window_scale = 7};

	(void)ctx;
	(void)listener;
	return &http;
}

static void tell_event(void *ctx, uint32_t flow, enum splice_event event, uint64_t value)
{
	(void)ctx;
	(void)flow;
	(void)event;
	(void)value;
}

static const struct splice_io io = {
	.send = send_nowhere, .listener = ask_listener, .event = tell_event};

static void run_worker(struct fixture *f)
{
	flow_report_step(&f->l7);
}

static int set_up(void **state)
{
	const struct splice_config splice_config = {.n_flows = N_FLOWS,
		.n_legs = N_LEGS,
		.n_endpoints = 16,
		.n_half_open = N_HALF_OPEN,
		.n_small_buffers = 16,
		.n_large_buffers = 16,
		.n_held = 16,
		.max_idle_legs = 4,
		.io = &io};
	const uint64_t key[2] = {1, 2};
	struct fixture *f;

	if (set_up_config(state, config, 0) != 0)
		return -1;
	f = *state;
	f->l7.n_flows = N_FLOWS;
	f->l7.n_legs = N_LEGS;
	f->l7.splice = splice_create(&splice_config);
	f->l7.table = flow_table_create(N_FLOWS + N_LEGS, key);
	f->l7.flows = calloc(N_FLOWS, sizeof(*f->l7.flows));
	f->l7.report = calloc(1, sizeof(*f->l7.report));
	f->turn_fn = run_worker;
	return 0;
}

static int tear_down_l7(void **state)
{
	struct fixture *f = *state;
	struct l7_worker l7 = f->l7;
	int ret = tear_down(state);

	splice_destroy(l7.splice);
	flow_table_destroy(l7.table);
	free(l7.flows);
	free(l7.report);
	return ret;
}

// A handshake from 10.1.x.y, port 1000, to 10.100.0.1:80. As requests leave it, when cluster is not L7_NO_SLOT.
static uint32_t open_flow(struct fixture *f, uint16_t host, uint32_t virtual_host, uint32_t cluster,
	uint32_t endpoint)
{
	const struct tcp_segment syn = {.flags = TCP_SYN, .seq = 7, .mss = 1400};
	struct flow_tuple tuple = {.local = {10, 100, 0, 1},
		.remote = {10, 1, (uint8_t)(host >> 8), (uint8_t)host},
		.local_port_be = rte_cpu_to_be_16(80),
		.remote_port_be = rte_cpu_to_be_16(1000),
		.vrf = 1,
		.family = 4};
	struct tcp_out cookie;
	uint32_t flow = splice_syn(f->l7.splice, 0, host, &syn, &cookie);

	assert_int_not_equal(flow, SPLICE_NONE);
	assert_int_equal(flow_table_insert(f->l7.table, flow, &tuple, 1, L7_NO_SLOT), 0);
	f->l7.flows[flow] = (struct l7_flow){.listener = 0,
		.virtual_host = virtual_host,
		.route = virtual_host,
		.cluster = cluster,
		.endpoint = endpoint};
	f->l7.flows_end = RTE_MAX(f->l7.flows_end, flow + 1);
	splice_flow_begin(f->l7.splice, flow);
	return flow;
}

static struct l7_counters *counters(struct fixture *f, enum l7_kind kind, uint32_t slot)
{
	return l7_stats_of(f->l7.stats, kind, slot);
}

// ---- helpers

static const json_t *rows_of(const json_t *answer, const char *list)
{
	const json_t *rows = json_object_get(answer, list);

	assert_true(json_is_array(rows));
	return rows;
}

// By a dotted path.
static json_int_t number_at(const json_t *rows, size_t i, const char *path)
{
	const json_t *value = json_array_get(rows, i);
	char copy[64];

	snprintf(copy, sizeof(copy), "%s", path);
	for (char *key = strtok(copy, "."); key != NULL; key = strtok(NULL, "."))
		value = json_object_get(value, key);
	assert_true(json_is_integer(value));
	return json_integer_value(value);
}

static void expect_list(const json_t *rows, size_t i, const char *key, const char *words)
{
	const json_t *list = json_object_get(json_array_get(rows, i), key);
	char text[256] = "";
	size_t k;
	json_t *item;

	json_array_foreach(list, k, item)
	{
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s",
			k == 0 ? "" : " ", json_string_value(item));
	}
	assert_string_equal(text, words);
}

static void admin_names_are_found_with_their_parent(void **state)
{
	static const struct l7_name all[] = {{0, "a"}, {5, "a"}, {0, "b"}};
	struct paged_draft none, draft;
	struct paged *empty, *names;
	uint32_t hint = 0;

	(void)state;
	paged_start(&none, NULL, PAGED_BYTES, sizeof(all[0]));
	empty = paged_finish(&none);
	paged_start(&draft, NULL, PAGED_BYTES, sizeof(all[0]));
	for (uint32_t i = 0; i < 3; i++)
		paged_set(&draft, i, &all[i]);
	names = paged_finish(&draft);
	assert_int_equal(l7_view_find_slot(names, 5, "a", &hint), 1);
	assert_int_equal(l7_view_find_slot(names, 0, "b", &hint), 2);
	assert_int_equal(l7_view_find_slot(names, 0, "a", &hint), 0);
	assert_int_equal(l7_view_find_slot(names, 5, "b", &hint), L7_NO_SLOT);
	assert_int_equal(l7_view_find_slot(empty, 0, "a", &hint), L7_NO_SLOT);
	paged_release(names);
	paged_release(empty);
}

// ---- services

static void admin_services_are_told_as_the_file_has_them(void **state)
{
	json_t *answer = ask(*state, "GET /services");
	const json_t *rows = rows_of(answer, "services"), *hosts = rows_of(answer, "virtual_hosts");

	assert_int_equal(json_array_size(rows), 3);
	assert_string_equal(text_at(rows, 0, "listener"), "web");
	expect_list(rows, 0, "addresses", "10.100.0.1:80 [fd00:100::1]:80");
	expect_list(rows, 0, "vrfs", "red blue");
	assert_string_equal(text_at(rows, 0, "route_configuration"), "shared");
	assert_string_equal(text_at(rows, 1, "route_configuration"), "own");
	assert_string_equal(text_at(rows, 2, "protocol"), "tcp");
	assert_true(json_is_null(json_object_get(json_array_get(rows, 2), "route_configuration")));
	assert_int_equal(json_array_size(hosts), 3);
	assert_string_equal(text_at(hosts, 0, "virtual_host"), "shared/cart");
	expect_list(hosts, 0, "domains", "cart.local *.cart.local");
	assert_string_equal(text_at(hosts, 2, "virtual_host"), "own/any");
	json_decref(answer);
}

static uint64_t *latency_at(
	struct fixture *f, enum l7_kind kind, uint32_t slot, enum l7_latency latency, uint64_t us)
{
	return l7_stats_latency_of(f->l7.stats, kind, slot, latency, histogram_bucket(us));
}

static void measure(
	struct fixture *f, enum l7_kind kind, uint32_t slot, enum l7_latency latency, uint64_t us)
{
	(*latency_at(f, kind, slot, latency, us))++;
}

static void admin_services_count_requests_replies_and_latencies(void **state)
{
	struct fixture *f = *state;
	struct l7_counters *web = counters(f, L7_LISTENER, 0);
	const json_t *rows;
	json_t *answer;

	*web = (struct l7_counters){.n_requests = 100,
		.n_statuses = {1, 90, 2, 3, 4},
		.n_active = 5,
		.n_bytes_up = 1000,
		.n_bytes_down = 2000};
	web->n_own_replies[SPLICE_WHY_NO_ROUTE] = 3;
	web->n_own_replies[SPLICE_WHY_CONNECT] = 4;
	web->n_resets[SPLICE_WHY_DRAINED] = 1;
	for (uint64_t us = 1; us <= 100; us++)
		measure(f, L7_LISTENER, 0, L7_FIRST_BYTE, us <= 90 ? 10 : 30);
	measure(f, L7_LISTENER, 0, L7_RESPONSE, 1000000);
	f->l7.stats->n_malformed[1] = 6;
	f->l7.stats->n_cookies = 8;
	counters(f, L7_VIRTUAL_HOST, 1)->n_requests = 70;
	answer = ask(f, "GET /services");
	rows = rows_of(answer, "services");
	assert_int_equal(number_at(rows, 0, "requests"), 100);
	assert_int_equal(number_at(rows, 0, "status.1xx"), 1);
	assert_int_equal(number_at(rows, 0, "status.5xx"), 4);
	assert_int_equal(number_at(rows, 0, "active"), 5);
	assert_int_equal(number_at(rows, 0, "bytes_up"), 1000);
	assert_int_equal(number_at(rows, 0, "bytes_down"), 2000);
	assert_int_equal(number_at(rows, 0, "own_replies"), 7);
	assert_int_equal(number_at(rows, 0, "own_replies_by_reason.no_route"), 3);
	assert_int_equal(number_at(rows, 0, "own_replies_by_reason.connect_failed"), 4);
	assert_int_equal(number_at(rows, 0, "resets_by_reason.drained"), 1);
	assert_int_equal(number_at(rows, 0, "first_byte_us.count"), 100);
	assert_int_equal(number_at(rows, 0, "first_byte_us.p50"), 10);
	assert_int_equal(number_at(rows, 0, "first_byte_us.p90"), 10);
	assert_int_equal(number_at(rows, 0, "first_byte_us.p99"), 30);
	assert_int_equal(number_at(rows, 0, "first_byte_us.max"), 30);
	assert_true(number_at(rows, 0, "response_us.max") >= 1000000);
	assert_int_equal(number_at(rows, 1, "requests"), 0);
	assert_int_equal(number_at(rows, 1, "response_us.count"), 0);
	assert_int_equal(number_at(rows_of(answer, "virtual_hosts"), 1, "requests"), 70);
	assert_int_equal(json_array_size(rows_of(answer, "malformed")), 1);
	assert_int_equal(number_at(rows_of(answer, "malformed"), 0, "heads"), 6);
	assert_string_equal(text_at(rows_of(answer, "events"), 1, "event"), "syn_cookies");
	assert_int_equal(number_at(rows_of(answer, "events"), 1, "count"), 8);
	json_decref(answer);
}

static void admin_services_of_one_name(void **state)
{
	static const struct {
		const char *request;
		size_t n_services;
		size_t n_hosts;
	} cases[] = {
		{"GET /services?name=web", 1, 0},
		{"GET /services?name=own", 1, 1},
		{"GET /services?name=shared", 0, 2},
		{"GET /services?name=shared/pay", 0, 1},
		{"GET /services?name=cart", 0, 1},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		json_t *answer = ask(*state, cases[i].request);

		assert_int_equal(json_array_size(rows_of(answer, "services")), cases[i].n_services);
		assert_int_equal(
			json_array_size(rows_of(answer, "virtual_hosts")), cases[i].n_hosts);
		assert_int_equal(json_array_size(rows_of(answer, "events")), 0);
		json_decref(answer);
	}
}

// By a text of the same length.
static void replace(char *text, const char *old, const char *new)
{
	char *at = strstr(text, old);

	assert_non_null(at);
	for (size_t i = 0; new[i] != '\0'; i++)
		at[i] = new[i];
}

// Counters that another had before in a slot are gone, its histograms too.
static void admin_counters_of_a_new_listener_begin_at_zero(void **state)
{
	struct fixture *f = *state;
	char text[sizeof(config)];
	const json_t *rows;
	json_t *answer;

	counters(f, L7_LISTENER, 1)->n_requests = 9;
	counters(f, L7_LISTENER, 2)->n_requests = 8;
	measure(f, L7_LISTENER, 1, L7_RESPONSE, 5);
	strcpy(text, config);
	for (int i = 0; i < 2; i++) {
		// Another name, which takes a slot of its own; then it again, in the slot that was its.
		replace(text, i == 0 ? "\"own\"" : "\"new\"", i == 0 ? "\"new\"" : "\"own\"");
		write_config(f, text, 0);
		json_decref(ask(f, "POST /reload"));
		assert_int_equal(f->status, 200);
	}
	answer = ask(f, "GET /services");
	rows = rows_of(answer, "services");
	assert_string_equal(text_at(rows, 1, "listener"), "own");
	assert_int_equal(number_at(rows, 1, "requests"), 0);
	assert_int_equal(number_at(rows, 1, "response_us.count"), 0);
	assert_int_equal(number_at(rows, 2, "requests"), 8);
	assert_int_equal(*latency_at(f, L7_LISTENER, 1, L7_RESPONSE, 5), 0);
	json_decref(answer);
}

// ---- routes

static void admin_http_routes_tell_match_and_target(void **state)
{
	struct fixture *f = *state;
	const json_t *rows;
	json_t *answer;

	counters(f, L7_ROUTE, 1)->n_requests = 11;
	measure(f, L7_ROUTE, 1, L7_RESPONSE, 1000);
	answer = ask(f, "GET /routes?http=1");
	rows = rows_of(answer, "http_routes");
	assert_null(json_object_get(answer, "routes"));
	assert_int_equal(json_array_size(rows), 4);
	assert_string_equal(text_at(rows, 0, "route"), "shared/cart/beta");
	assert_string_equal(text_at(rows, 0, "match"), "/v2, x-team: blue, not agent: curl/*");
	assert_string_equal(text_at(rows, 0, "to"), "75 % a, 25 % b");
	assert_string_equal(text_at(rows, 1, "route"), "shared/cart/#1");
	assert_string_equal(text_at(rows, 1, "match"), "/*");
	assert_string_equal(text_at(rows, 1, "to"), "cluster a");
	assert_int_equal(number_at(rows, 1, "requests"), 11);
	assert_string_equal(text_at(rows, 2, "route"), "shared/pay/#0");
	assert_string_equal(text_at(rows, 3, "route"), "own/any/#0");
	assert_string_equal(text_at(rows, 3, "to"), "reply 204");
	for (size_t row = 0; row < 4; row++)
		assert_int_equal(number_at(rows, row, "response_us.count"),
			number_at(rows, row, "requests") == 11);
	for (size_t row = 0; row < 4; row++)
		if (number_at(rows, row, "requests") == 11)
			assert_in_range(number_at(rows, row, "response_us.p50"), 1000, 1125);
	json_decref(answer);
}

static void admin_route_to_a_virtual_address_names_listeners(void **state)
{
	json_t *answer = ask(*state, "GET /routes?vrf=red&address=10.100.0.1");

	assert_string_equal(json_string_value(json_object_get(answer, "kind")), "service");
	assert_string_equal(json_string_value(json_object_get(answer, "to")), "listener web");
	json_decref(answer);
	answer = ask(*state, "GET /routes?vrf=blue&address=10.100.0.2");
	assert_string_equal(json_string_value(json_object_get(answer, "to")), "2 listeners");
	assert_int_equal(json_array_size(rows_of(answer, "listeners")), 2);
	json_decref(answer);
}

static void admin_routes_are_of_ip_and_of_http(void **state)
{
	json_t *answer = ask(*state, "GET /routes");

	assert_true(json_array_size(rows_of(answer, "routes")) > 4);
	assert_int_equal(json_array_size(rows_of(answer, "http_routes")), 4);
	json_decref(answer);
	answer = ask(*state, "GET /routes?vrf=red");
	assert_null(json_object_get(answer, "http_routes"));
	json_decref(answer);
	answer = ask(*state, "GET /routes?listener=own");
	assert_int_equal(json_array_size(rows_of(answer, "http_routes")), 1);
	json_decref(answer);
}

// ---- clusters

static void admin_clusters_tell_their_endpoints(void **state)
{
	struct fixture *f = *state;
	const json_t *rows;
	json_t *answer;

	counters(f, L7_CLUSTER, 0)->n_requests = 20;
	*counters(f, L7_ENDPOINT, 1) = (struct l7_counters){
		.n_requests = 12, .n_active = 3, .n_connect_failures = 2, .n_retries = 1};
	measure(f, L7_ENDPOINT, 1, L7_FIRST_BYTE, 6);
	measure(f, L7_ENDPOINT, 1, L7_FIRST_BYTE, UINT64_MAX);
	answer = ask(f, "GET /clusters");
	assert_int_equal(json_array_size(rows_of(answer, "clusters")), 2);
	assert_int_equal(number_at(rows_of(answer, "clusters"), 0, "requests"), 20);
	assert_int_equal(number_at(rows_of(answer, "clusters"), 0, "live_endpoints"), 2);
	rows = rows_of(answer, "endpoints");
	assert_int_equal(json_array_size(rows), 3);
	assert_string_equal(text_at(rows, 0, "endpoint"), "10.2.0.1:8080");
	assert_string_equal(text_at(rows, 0, "vrf"), "blue");
	assert_string_equal(text_at(rows, 0, "policy"), "p");
	assert_string_equal(text_at(rows, 0, "state"), "live");
	assert_int_equal(number_at(rows, 0, "weight"), 3);
	assert_string_equal(text_at(rows, 0, "health"), "healthy");
	assert_int_equal(number_at(rows, 0, "priority"), 0);
	assert_true(json_is_null(json_object_get(json_array_get(rows, 0), "locality")));
	assert_string_equal(text_at(rows, 1, "endpoint"), "[fd00:2::1]:8081");
	assert_int_equal(number_at(rows, 1, "requests"), 12);
	assert_int_equal(number_at(rows, 1, "active"), 3);
	assert_int_equal(number_at(rows, 1, "idle_legs"), 0);
	assert_int_equal(number_at(rows, 1, "connect_failures"), 2);
	assert_int_equal(number_at(rows, 0, "first_byte_us.count"), 0);
	assert_int_equal(number_at(rows, 1, "first_byte_us.count"), 2);
	assert_int_equal(number_at(rows, 1, "first_byte_us.p50"), 7); // 4 to 7 are one bucket
	assert_int_equal(number_at(rows, 1, "first_byte_us.max"), UINT32_MAX);
	assert_int_equal(number_at(rows, 1, "response_us.count"), 0);
	assert_string_equal(text_at(rows, 2, "cluster"), "b");
	assert_string_equal(text_at(rows, 2, "vrf"), "client's");
	assert_string_equal(text_at(rows, 2, "health"), "degraded");
	assert_int_equal(number_at(rows, 2, "priority"), 1);
	assert_string_equal(text_at(rows, 2, "locality"), "west/w1/");
	assert_true(json_is_null(json_object_get(json_array_get(rows, 2), "policy")));
	json_decref(answer);
	answer = ask(f, "GET /clusters?name=b");
	assert_int_equal(json_array_size(rows_of(answer, "clusters")), 1);
	assert_int_equal(json_array_size(rows_of(answer, "endpoints")), 1);
	json_decref(answer);
}

static void admin_clusters_show_an_endpoint_that_drains(void **state)
{
	static const char endpoint[] = ",\n    { address = \"fd00:2::1\"; port = 8081; }";
	struct fixture *f = *state;
	char text[sizeof(config)];
	json_t *answer;
	char *at;

	strcpy(text, config);
	at = strstr(text, endpoint);
	assert_non_null(at);
	memmove(at, at + strlen(endpoint), strlen(at + strlen(endpoint)) + 1);
	write_config(f, text, 0);
	counters(f, L7_ENDPOINT, 1)->n_active = 1;
	json_decref(ask(f, "POST /reload"));
	answer = ask(f, "GET /clusters");
	assert_string_equal(text_at(rows_of(answer, "endpoints"), 1, "state"), "draining");
	assert_string_equal(text_at(rows_of(answer, "endpoints"), 1, "cluster"), "a");
	assert_true(json_is_null(
		json_object_get(json_array_get(rows_of(answer, "endpoints"), 1), "priority")));
	assert_int_equal(number_at(rows_of(answer, "clusters"), 0, "live_endpoints"), 1);
	json_decref(answer);
}

// ---- flows

static void admin_flow_is_told_with_both_ends(void **state)
{
	struct fixture *f = *state;
	const json_t *rows;
	json_t *answer;

	open_flow(f, 5, 0, 0, 1);
	open_flow(f, 6, L7_NO_SLOT, L7_NO_SLOT, L7_NO_SLOT);
	answer = ask(f, "GET /flows");
	rows = rows_of(answer, "flows");
	assert_int_equal(json_array_size(rows), 2);
	assert_string_equal(text_at(rows, 0, "client"), "10.1.0.5:1000");
	assert_string_equal(text_at(rows, 0, "address"), "10.100.0.1:80");
	assert_string_equal(text_at(rows, 0, "vrf"), "red");
	assert_string_equal(text_at(rows, 0, "listener"), "web");
	assert_string_equal(text_at(rows, 0, "virtual_host"), "shared/cart");
	assert_string_equal(text_at(rows, 0, "route"), "beta");
	assert_string_equal(text_at(rows, 0, "cluster"), "a");
	assert_string_equal(text_at(rows, 0, "endpoint"), "[fd00:2::1]:8081");
	assert_string_equal(text_at(rows, 0, "phase"), "handshake");
	assert_true(json_is_null(json_object_get(json_array_get(rows, 0), "source")));
	assert_true(json_is_null(json_object_get(json_array_get(rows, 1), "cluster")));
	assert_int_equal(json_integer_value(json_object_get(answer, "in_use")), 2);
	assert_true(json_is_false(json_object_get(answer, "cut")));
	assert_true(json_is_true(json_object_get(answer, "complete")));
	json_decref(answer);
}

static void admin_flows_are_filtered(void **state)
{
	static const struct {
		const char *query;
		size_t n;
	} cases[] = {
		{"client=10.1.0.5", 1},
		{"client=10.1.0.5:1000", 1},
		{"client=10.1.0.5:1001", 0},
		{"client=10.1.0.0/24", 4},
		{"client=10.1.0.4/31", 2},
		{"client=10.1.0.4/30", 4},
		{"client=10.1.0.0/16", 5},
		{"client=0.0.0.0/0", 5},
		{"client=fd00::1", 0},
		{"client=::/0", 0},
		{"vrf=red", 5},
		{"vrf=blue", 0},
		{"listener=web", 5},
		{"listener=own", 0},
		{"virtual_host=cart", 2},
		{"virtual_host=shared/cart", 2},
		{"virtual_host=pay", 1},
		{"virtual_host=shared/any", 0},
		{"cluster=a", 2},
		{"cluster=b", 1},
		{"endpoint=10.2.0.1", 1},
		{"endpoint=10.2.0.1:8080", 1},
		{"endpoint=10.2.0.1:8081", 0},
		{"endpoint=[fd00:2::1]:8081", 1},
		{"endpoint=fd00:2::1", 1},
		{"endpoint=[fd00:2::1]", 1},
		{"phase=handshake", 5},
		{"phase=bound", 0},
		{"cluster=a&endpoint=10.2.0.1", 1},
		{"cluster=b&endpoint=10.2.0.1", 0},
	};
	struct fixture *f = *state;

	open_flow(f, 4, 0, 0, 0);
	open_flow(f, 5, 0, 0, 1);
	open_flow(f, 6, 1, 1, 2);
	open_flow(f, 7, L7_NO_SLOT, L7_NO_SLOT, L7_NO_SLOT);
	open_flow(f, 0x107, L7_NO_SLOT, L7_NO_SLOT, L7_NO_SLOT);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char request[128];
		json_t *answer;

		snprintf(request, sizeof(request), "GET /flows?%s", cases[i].query);
		answer = ask(f, request);
		if (f->status != 200 ||
			json_array_size(json_object_get(answer, "flows")) != cases[i].n)
			fail_msg("%s: %s", request, strstr(f->output, "\r\n\r\n"));
		json_decref(answer);
	}
}

// More flows than the worker's ring holds; the limit cuts, the filter finds those at the end.
static void admin_flows_beyond_the_ring_are_found_and_cut_at_the_limit(void **state)
{
	struct fixture *f = *state;
	json_t *answer;

	for (uint16_t i = 0; i < N_FLOWS; i++)
		open_flow(f, i, L7_NO_SLOT, L7_NO_SLOT, L7_NO_SLOT);
	answer = ask(f, "GET /flows?limit=1000");
	assert_int_equal(json_array_size(rows_of(answer, "flows")), 1000);
	assert_true(json_is_true(json_object_get(answer, "cut")));
	assert_int_equal(json_integer_value(json_object_get(answer, "in_use")), N_FLOWS);
	json_decref(answer);
	// What is left of the one before, some of them, is not taken for this one's.
	answer = ask(f, "GET /flows?client=10.1.4.0/24&limit=1000");
	assert_int_equal(json_array_size(rows_of(answer, "flows")), 256);
	json_decref(answer);
	answer = ask(f, "GET /flows?client=10.1.15.240/28&limit=16");
	assert_int_equal(json_array_size(rows_of(answer, "flows")), 16);
	assert_true(json_is_false(json_object_get(answer, "cut")));
	json_decref(answer);
}

static void admin_flows_of_a_client_that_leaves_are_given_up(void **state)
{
	struct fixture *f = *state;
	json_t *answer;
	int fd, other_fd;

	open_flow(f, 1, 0, 0, 0);
	f->turn_fn = NULL;
	fd = send_request(f, "GET /flows");
	for (int i = 0; i < 100; i++)
		turn(f);
	other_fd = send_request(f, "GET /flows");
	json_decref(read_answer(f, other_fd));
	assert_int_equal(f->status, 409);
	close(fd);
	while (f->ctrl.flow_session != NULL)
		turn(f);
	assert_int_equal(f->l7.report->asked, 0);
	f->turn_fn = run_worker;
	answer = ask(f, "GET /flows");
	assert_int_equal(f->status, 200);
	assert_int_equal(json_array_size(rows_of(answer, "flows")), 1);
	json_decref(answer);
}

static void admin_server_that_ends_while_flows_are_listed_frees_them(void **state)
{
	struct fixture *f = *state;
	int fd;

	f->turn_fn = NULL;
	fd = send_request(f, "GET /flows");
	for (int i = 0; i < 100; i++)
		turn(f);
	assert_non_null(f->ctrl.flow_session);
	admin_destroy(f->ctrl.admin);
	f->ctrl.admin = NULL;
	assert_null(f->ctrl.flow_session);
	assert_int_equal(f->l7.report->asked, 0);
	close(fd);
}

static void admin_wrong_requests_about_services_are_refused(void **state)
{
	static const struct {
		const char *request;
		int status;
		const char *reason;
	} cases[] = {
		{"GET /services?name=nope", 404, "no listener and no virtual host \"nope\""},
		{"GET /services?name=", 404, "no listener"},
		{"GET /clusters?name=nope", 404, "no cluster \"nope\""},
		{"GET /clusters?name=", 404, "no cluster"},
		{"GET /routes?listener=nope", 404, "no listener \"nope\""},
		{"GET /routes?listener=tcp", 404, "it has no routes"},
		{"GET /routes?http=2", 400, "http must be a number from 0 to 1"},
		{"GET /routes?http=1&vrf=red", 400, "no VRF and no address"},
		{"GET /flows?limit=0", 400, "limit must be a number from 1 to 1000"},
		{"GET /flows?limit=1001", 400, "limit must be a number"},
		{"GET /flows?client=x", 400, "client: \"x\" is no address"},
		{"GET /flows?client=10.1.0.0/33", 400, "is no address"},
		{"GET /flows?client=10.1.0.1/", 400, "is no address"},
		{"GET /flows?client=10.1.0.1:0", 400, "is no address"},
		{"GET /flows?client=[fd00::1", 400, "is no address"},
		{"GET /flows?endpoint=10.2.0.1/8", 400, "endpoint: "},
		{"GET /flows?endpoint=10.2.0.1:99999", 400, "endpoint: "},
		{"GET /flows?vrf=nope", 404, "no VRF \"nope\""},
		{"GET /flows?listener=nope", 404, "no listener \"nope\""},
		{"GET /flows?virtual_host=shared/nope", 404, "no virtual host"},
		{"GET /flows?cluster=nope", 404, "no cluster \"nope\""},
		{"GET /flows?phase=free", 404, "no phase \"free\""},
		{"GET /flows?color=red", 400, "no parameter \"color\""},
		{"POST /flows", 405, "wants GET"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fixture *f = *state;
		json_t *answer = ask(f, cases[i].request);
		const char *error = json_string_value(json_object_get(answer, "error"));

		if (f->status != cases[i].status || error == NULL ||
			strstr(error, cases[i].reason) == NULL)
			fail_msg("%s: %d %s", cases[i].request, f->status,
				error == NULL ? "" : error);
		json_decref(answer);
	}
}

// ---- status

static void admin_status_warns_when_flows_are_nearly_used_up(void **state)
{
	struct fixture *f = *state;
	json_t *rows, *lines;

	for (uint16_t i = 0; i < N_FLOWS * 8 / 10; i++)
		open_flow(f, i, L7_NO_SLOT, L7_NO_SLOT, L7_NO_SLOT);
	rows = l7_status_rows(&f->ctrl);
	lines = l7_status_warnings(&f->ctrl);
	assert_int_equal(number_at(rows, 0, "flows.in_use"), N_FLOWS * 8 / 10);
	assert_int_equal(number_at(rows, 0, "flows.limit"), N_FLOWS);
	assert_int_equal(number_at(rows, 0, "half_open.in_use"), N_FLOWS * 8 / 10);
	assert_int_equal(number_at(rows, 0, "legs.limit"), N_LEGS);
	assert_int_equal(json_array_size(lines), 0);
	json_decref(lines);
	open_flow(f, N_FLOWS, L7_NO_SLOT, L7_NO_SLOT, L7_NO_SLOT);
	lines = l7_status_warnings(&f->ctrl);
	assert_int_equal(json_array_size(lines), 2);
	assert_string_equal(json_string_value(json_array_get(lines, 0)),
		"worker 0: 3277 of 4096 flows in use: new connections are refused at the limit; "
		"raise l7.flows");
	json_decref(lines);
	json_decref(rows);
}

#define L7_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down_l7)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(admin_names_are_found_with_their_parent),
		L7_TEST(admin_services_are_told_as_the_file_has_them),
		L7_TEST(admin_services_count_requests_replies_and_latencies),
		L7_TEST(admin_services_of_one_name),
		L7_TEST(admin_counters_of_a_new_listener_begin_at_zero),
		L7_TEST(admin_http_routes_tell_match_and_target),
		L7_TEST(admin_route_to_a_virtual_address_names_listeners),
		L7_TEST(admin_routes_are_of_ip_and_of_http),
		L7_TEST(admin_clusters_tell_their_endpoints),
		L7_TEST(admin_clusters_show_an_endpoint_that_drains),
		L7_TEST(admin_flow_is_told_with_both_ends),
		L7_TEST(admin_flows_are_filtered),
		L7_TEST(admin_flows_beyond_the_ring_are_found_and_cut_at_the_limit),
		L7_TEST(admin_flows_of_a_client_that_leaves_are_given_up),
		L7_TEST(admin_server_that_ends_while_flows_are_listed_frees_them),
		L7_TEST(admin_wrong_requests_about_services_are_refused),
		L7_TEST(admin_status_warns_when_flows_are_nearly_used_up),
	};

	return cmocka_run_group_tests(tests, eal_start, NULL);
}
