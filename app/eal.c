// SPDX-License-Identifier: Apache-2.0

#include "app/eal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_log.h>
#include <rte_pci.h>

#include "ctrl/log.h"

enum {
	MAX_ARGS = 256,
	TEXT_LEN = 4096,
	// Without huge pages EAL reserves its memory at once: enough for the default number of buffers.
	NO_HUGE_MEMORY_MB = 512,
};

struct args {
	int n;
	char *argv[MAX_ARGS];
};

static int add_arg(struct args *args, const char *text)
{
	if (args->n == MAX_ARGS - 1)
		return -E2BIG;
	args->argv[args->n] = strdup(text);
	return args->argv[args->n++] == NULL ? -ENOMEM : 0;
}

uint16_t eal_n_workers(const struct node_spec *spec)
{
	return spec->workers.n_workers == 0 ? 1 : spec->workers.n_workers;
}

// "0@0,1@0,2@1": threads on cores; several may share one on a small machine.
static void lcore_map(const struct node_spec *spec, char *out, size_t out_len)
{
	long n_cpus = sysconf(_SC_NPROCESSORS_ONLN);
	const char *main_core = spec->eal.main_core;
	size_t n;

	if (main_core == NULL || main_core[0] == '\0')
		n = (size_t)snprintf(out, out_len, "0@(0-%ld)", n_cpus - 1);
	else
		n = (size_t)snprintf(out, out_len, "0@(%s)", main_core);
	for (uint16_t i = 0; i < eal_n_workers(spec) && n < out_len; i++) {
		uint16_t core =
			i < spec->workers.n_cores ? spec->workers.cores[i] : (uint16_t)(i % n_cpus);

		n += (size_t)snprintf(out + n, out_len - n, ",%u@%u", i + 1u, core);
	}
}

static int add_memory(const struct node_spec *spec, struct args *args)
{
	char text[32];
	uint32_t memory_mb = spec->eal.memory_mb;
	int ret = 0;

	// No files are left behind and several nodes run beside each other; --in-memory would say so too, but
	// DPDK 22.11 does not take it together with --no-huge.
	ret = add_arg(args, spec->eal.huge_pages ? "--in-memory" : "--no-shconf");
	if (ret == 0 && !spec->eal.huge_pages) {
		ret = add_arg(args, "--no-huge");
		if (memory_mb == 0)
			memory_mb = NO_HUGE_MEMORY_MB;
	}
	if (memory_mb == 0 || ret != 0)
		return ret;
	snprintf(text, sizeof(text), "%u", memory_mb);
	ret = add_arg(args, "-m");
	return ret == 0 ? add_arg(args, text) : ret;
}

// Only the PCI devices that ports name are touched: the others may be the machine's own.
static int add_devices(const struct node_spec *spec, struct args *args)
{
	bool any = false;
	int ret = 0;

	for (uint32_t i = 0; i < spec->n_ports && ret == 0; i++) {
		char name[PCI_PRI_STR_SIZE + 1];
		struct rte_pci_addr addr;

		snprintf(name, sizeof(name), "%s", spec->ports[i].device);
		name[strcspn(name, ",")] = '\0';
		if (rte_pci_addr_parse(name, &addr) != 0)
			continue;
		ret = add_arg(args, "-a");
		if (ret == 0)
			ret = add_arg(args, spec->ports[i].device);
		any = true;
	}
	return ret == 0 && !any ? add_arg(args, "--no-pci") : ret;
}

// EAL takes each of these once, and workers count on the numbers that lcore_map() gives.
static bool is_about_cores(const char *arg)
{
	static const char *const words[] = {"--lcores", "--main-lcore"};

	for (size_t i = 0; i < RTE_DIM(words); i++) {
		size_t len = strlen(words[i]);

		if (strncmp(arg, words[i], len) == 0 && (arg[len] == '\0' || arg[len] == '='))
			return true;
	}
	return strncmp(arg, "-l", 2) == 0 || strncmp(arg, "-c", 2) == 0;
}

static int check_arg(const struct node_spec *spec, const char *arg, struct refusal *refusal)
{
	if (!is_about_cores(arg))
		return 0;
	return refusal_set(refusal, &spec->eal.origin,
		"eal.args: \"%s\": cores are given by workers.cores and eal.main_core", arg);
}

static int check_args(
	const struct node_spec *spec, const struct options *options, struct refusal *refusal)
{
	int ret = 0;

	for (uint32_t i = 0; i < spec->eal.n_args && ret == 0; i++)
		ret = check_arg(spec, spec->eal.args[i], refusal);
	for (int i = 0; i < options->n_eal_args && ret == 0; i++)
		ret = check_arg(spec, options->eal_args[i], refusal);
	return ret;
}

static int build_args(
	const struct node_spec *spec, const struct options *options, struct args *args)
{
	char lcores[TEXT_LEN];
	int ret;

	lcore_map(spec, lcores, sizeof(lcores));
	ret = add_arg(args, "pergola");
	if (ret == 0)
		ret = add_arg(args, "--no-telemetry");
	if (ret == 0)
		ret = add_arg(args, "--lcores");
	if (ret == 0)
		ret = add_arg(args, lcores);
	if (ret == 0)
		ret = add_memory(spec, args);
	if (ret == 0)
		ret = add_devices(spec, args);
	for (uint32_t i = 0; i < spec->eal.n_args && ret == 0; i++)
		ret = add_arg(args, spec->eal.args[i]);
	for (int i = 0; i < options->n_eal_args && ret == 0; i++)
		ret = add_arg(args, options->eal_args[i]);
	return ret;
}

static const char *init_hint(const struct node_spec *spec, int error)
{
	if (error == EACCES || error == EPERM)
		return "run as root, or give the process access to huge pages and the devices";
	if (spec->eal.huge_pages)
		return "are huge pages reserved (sysctl vm.nr_hugepages=512)? eal.huge_pages = "
		       "false "
		       "does without them, slower";
	return "see DPDK's own lines before this one";
}

int eal_start(const struct node_spec *spec, const struct options *options, struct refusal *refusal)
{
	struct args args = {0};
	// rte_eal_init() reorders argv and may keep pointers into it.
	char *argv[MAX_ARGS];
	int ret = check_args(spec, options, refusal);

	if (ret != 0)
		return ret;
	ret = build_args(spec, options, &args);
	if (ret == 0) {
		memcpy(argv, args.argv, sizeof(argv));
		rte_log_set_global_level(RTE_LOG_WARNING);
		if (rte_eal_init(args.n, argv) < 0)
			ret = rte_errno > 0 ? -rte_errno : -EINVAL;
		if (ret != 0)
			refusal_set(refusal, &spec->eal.origin, "eal: DPDK does not start: %s; %s",
				rte_strerror(-ret), init_hint(spec, -ret));
	} else {
		refusal_set(refusal, &spec->eal.origin, "eal.args: more than %d, or no memory",
			MAX_ARGS);
	}
	if (ret == 0 && !spec->eal.huge_pages)
		log_warning(
			"eal: running without huge pages: slower, and not with physical devices");
	for (int i = 0; i < args.n; i++)
		free(args.argv[i]);
	return ret;
}
