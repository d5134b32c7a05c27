// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/admin_l7_rig.h"

const char rig_config[] =
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
	"\"b\";\n"
	"      host_rewrite = \"inner\"; headers = ( { name = \"a\"; suffix = \"b\"; ignore_case = "
	"true; },\n"
	"        { name = \"c\"; contains = \"d\"; treat_missing_header_as_empty = true; },\n"
	"        { name = \"n\"; range = { start = -1; end = 9; }; invert = true; } ); } ); } ); } "
	");\n"
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

void rig_run_worker(struct fixture *f)
{
	flow_report_step(&f->l7);
}

int rig_set_up(void **state)
{
	const struct splice_config splice_config = {.n_flows = RIG_N_FLOWS,
		.n_legs = RIG_N_LEGS,
		.n_endpoints = 16,
		.n_half_open = RIG_N_HALF_OPEN,
		.n_small_buffers = 16,
		.n_large_buffers = 16,
		.n_held = 16,
		.max_idle_legs = 4,
		.io = &io};
	const uint64_t key[2] = {1, 2};
	struct fixture *f;

	if (set_up_config(state, rig_config, 0) != 0)
		return -1;
	f = *state;
	f->l7.n_flows = RIG_N_FLOWS;
	f->l7.n_legs = RIG_N_LEGS;
	f->l7.splice = splice_create(&splice_config);
	f->l7.table = flow_table_create(RIG_N_FLOWS + RIG_N_LEGS, key);
	f->l7.flows = calloc(RIG_N_FLOWS, sizeof(*f->l7.flows));
	f->l7.report = calloc(1, sizeof(*f->l7.report));
	f->turn_fn = rig_run_worker;
	return 0;
}

int rig_tear_down(void **state)
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

uint32_t rig_open_flow(struct fixture *f, uint16_t host, uint32_t virtual_host, uint32_t cluster,
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

struct l7_counters *rig_counters(struct fixture *f, enum l7_kind kind, uint32_t slot)
{
	return l7_stats_of(f->l7.stats, kind, slot);
}

uint64_t *rig_latency_at(
	struct fixture *f, enum l7_kind kind, uint32_t slot, enum l7_latency latency, uint64_t us)
{
	return l7_stats_latency_of(f->l7.stats, kind, slot, latency, histogram_bucket(us));
}

void rig_measure(
	struct fixture *f, enum l7_kind kind, uint32_t slot, enum l7_latency latency, uint64_t us)
{
	(*rig_latency_at(f, kind, slot, latency, us))++;
}
