// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <string.h>

#include "conf/conf_priv.h"
#include "conf/text.h"
#include "conf/value.h"
#include "pipeline/arena.h"

enum {
	MAX_SOCKET_PATH_LEN = 107, // sun_path of a UNIX socket
	MAX_MEMORY_MB = 1 << 20,
	MAX_EAL_ARGS = 64,
	MAX_EAL_ARG_LEN = 255,
	MAX_CORE = 1023,
	MAX_SLEEP_US = 1000000,
	MAX_MBUFS = 1 << 26,
	MAX_ICMP_ERRORS = 10000000,
	MAX_FLOWS = 2000000, // of a worker; as many legs: its table numbers twice as many
};

static int read_eal_arg(
	struct reader *reader, const config_setting_t *setting, void *item, void *context)
{
	static const struct reader_key arg_key = {
		.read = value_string, .size = sizeof(char *), .max = MAX_EAL_ARG_LEN};

	(void)context;
	return value_string(reader, setting, &arg_key, item);
}

static int read_eal_args(struct reader *reader, const config_setting_t *setting,
	const struct reader_key *key, void *object)
{
	struct eal_spec *eal = object;
	void *args = NULL;
	int rc;

	(void)key;
	rc = reader_read_items(reader, setting, MAX_EAL_ARGS, sizeof(*eal->args), read_eal_arg,
		NULL, &args, &eal->n_args);
	eal->args = args;
	return rc;
}

static int read_core_list(struct reader *reader, const config_setting_t *setting,
	const struct reader_key *key, void *object)
{
	const char *text = value_text(reader, setting);

	if (text == NULL)
		return -EINVAL;
	if (text[0] == '\0')
		return 0; // any core
	if (text[strspn(text, "0123456789,-")] != '\0')
		return reader_refuse(
			reader, setting, "is not a list of cores; write \"0\" or \"0,2-3\"");
	return value_string(reader, setting, key, object);
}

static const struct reader_key eal_keys[] = {
	{"main_core", read_core_list, READER_FIELD(struct eal_spec, main_core), 0, MAX_EAL_ARG_LEN},
	{"huge_pages", value_bool, READER_FIELD(struct eal_spec, huge_pages)},
	{"memory_mb", value_number, READER_FIELD(struct eal_spec, memory_mb), 0, MAX_MEMORY_MB},
	{.name = "args", .read = read_eal_args},
};

static const struct reader_group eal_group = READER_KEYS(eal_keys);

static int read_eal(struct reader *reader, const config_setting_t *setting,
	const struct reader_key *key, void *object)
{
	struct node_spec *spec = object;
	uint32_t given;
	int rc;

	(void)key;
	rc = reader_origin(reader, setting, &spec->eal.origin);
	return rc < 0 ? rc : reader_read_group(reader, setting, &eal_group, &spec->eal, &given);
}

static const char *idle_choice(int i)
{
	static const char *const names[] = {[IDLE_POLL] = "poll", [IDLE_BACKOFF] = "backoff"};

	return (size_t)i < sizeof(names) / sizeof(names[0]) ? names[i] : NULL;
}

static int read_core(
	struct reader *reader, const config_setting_t *setting, void *item, void *context)
{
	uint16_t *core = item;
	long long value;
	int rc;

	(void)context;
	rc = value_integer(reader, setting, 0, MAX_CORE, &value);
	if (rc == 0)
		*core = (uint16_t)value;
	return rc;
}

static int read_cores(struct reader *reader, const config_setting_t *setting,
	const struct reader_key *key, void *object)
{
	struct worker_spec *workers = object;
	void *cores = NULL;
	uint32_t n_cores = 0;
	int rc;

	(void)key;
	rc = reader_read_items(reader, setting, SPEC_MAX_WORKERS, sizeof(*workers->cores),
		read_core, NULL, &cores, &n_cores);
	workers->cores = cores;
	workers->n_cores = (uint16_t)n_cores;
	return rc;
}

static const struct reader_key worker_keys[] = {
	{"count", value_number, READER_FIELD(struct worker_spec, n_workers), 1, SPEC_MAX_WORKERS},
	{.name = "cores", .read = read_cores},
	{"idle", value_choice, READER_FIELD(struct worker_spec, idle), .choice = idle_choice},
	{"idle_sleep_us", value_number, READER_FIELD(struct worker_spec, idle_sleep_us), 1,
		MAX_SLEEP_US},
	{"mbufs", value_number, READER_FIELD(struct worker_spec, n_mbufs), 0, MAX_MBUFS},
};

static const struct reader_group worker_group = READER_KEYS(worker_keys);

static int read_workers(struct reader *reader, const config_setting_t *setting,
	const struct reader_key *key, void *object)
{
	struct worker_spec *workers = &((struct node_spec *)object)->workers;
	uint32_t given;
	int rc;

	(void)key;
	rc = reader_origin(reader, setting, &workers->origin);
	if (rc < 0)
		return rc;
	rc = reader_read_group(reader, setting, &worker_group, workers, &given);
	if (rc < 0)
		return rc;
	if (workers->n_workers == 0)
		workers->n_workers = workers->n_cores;
	if (workers->n_cores != 0 && workers->n_cores != workers->n_workers)
		return reader_refuse_key(reader, setting, "cores",
			"%u cores for %u workers; give one for each", workers->n_cores,
			workers->n_workers);
	return 0;
}

static const struct reader_key icmp_keys[] = {
	{"errors_per_s", value_number, READER_FIELD(struct node_spec, icmp_errors_per_s), 1,
		MAX_ICMP_ERRORS},
	{"burst", value_number, READER_FIELD(struct node_spec, icmp_errors_burst), 1,
		MAX_ICMP_ERRORS},
};

static const struct reader_group icmp_group = READER_KEYS(icmp_keys);

static int read_icmp(struct reader *reader, const config_setting_t *setting,
	const struct reader_key *key, void *object)
{
	uint32_t given;

	(void)key;
	return reader_read_group(reader, setting, &icmp_group, object, &given);
}

static const struct reader_key l7_keys[] = {
	{"flows", value_number, READER_FIELD(struct l7_memory_spec, n_flows), 1, MAX_FLOWS},
	{"legs", value_number, READER_FIELD(struct l7_memory_spec, n_legs), 1, MAX_FLOWS},
};

static const struct reader_group l7_group = READER_KEYS(l7_keys);

static int read_l7(struct reader *reader, const config_setting_t *setting,
	const struct reader_key *key, void *object)
{
	struct l7_memory_spec *memory = &((struct node_spec *)object)->l7_memory;
	uint32_t given;

	(void)key;
	return reader_read_group(reader, setting, &l7_group, memory, &given);
}

static const char *log_level_choice(int i)
{
	static const char *const names[] = {"error", "warning", "notice", "info", "debug"};

	return (size_t)i < sizeof(names) / sizeof(names[0]) ? names[i] : NULL;
}

static int read_log_level(struct reader *reader, const config_setting_t *setting,
	const struct reader_key *key, void *object)
{
	struct node_spec *spec = object;
	int i;
	int rc = value_choice(reader, setting, key, &i);

	if (rc == 0)
		spec->log_level = log_level_choice(i);
	return rc;
}

static const struct reader_key node_keys[] = {
	{"hostname", value_name, READER_FIELD(struct node_spec, hostname)},
	{"control_socket", value_string, READER_FIELD(struct node_spec, control_socket), 0,
		MAX_SOCKET_PATH_LEN},
	{"log_level", read_log_level, .choice = log_level_choice},
	{.name = "eal", .read = read_eal},
	{.name = "workers", .read = read_workers},
	{.name = "icmp", .read = read_icmp},
	{.name = "l7", .read = read_l7},
	{.name = "ports", .read = conf_ports_read},
	{.name = "neighbors", .read = conf_neighbors_read},
	{.name = "vrfs", .read = conf_vrfs_read},
	{.name = "srv6", .read = conf_srv6_read},
	{.name = "service_networks", .read = conf_service_networks_read},
	{.name = "listeners", .read = conf_listeners_read},
	{.name = "route_configurations", .read = conf_route_configurations_read},
	{.name = "clusters", .read = conf_clusters_read},
	{.name = "xds", .read = conf_xds_read},
};

static const struct reader_group node_group = READER_KEYS(node_keys);

int conf_node_read(struct reader *reader, const config_setting_t *root, struct node_spec *spec)
{
	uint32_t given;
	int rc;

	spec->eal.huge_pages = true;
	spec->eal.origin.source = reader->source;
	spec->workers.origin.source = reader->source;
	rc = reader_read_group(reader, root, &node_group, spec, &given);
	return rc < 0 ? rc : conf_vrfs_place_default(reader, spec);
}
