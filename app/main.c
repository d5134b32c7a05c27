// SPDX-License-Identifier: Apache-2.0

// Start and stop order of the node: file, EAL, ports, workers' graphs, first snapshot, neighbours, admin,
// worker loops; and back.

#include <errno.h>
#include <event2/event.h>
#include <event2/thread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_cycles.h>
#include <rte_malloc.h>
#include <rte_rcu_qsbr.h>
#include <rte_version.h>

#include "app/eal.h"
#include "app/options.h"
#include "conf/conf.h"
#include "ctrl/admin/admin.h"
#include "ctrl/ctrl.h"
#include "ctrl/drain.h"
#include "ctrl/log.h"
#include "ctrl/neigh/neigh.h"
#include "ctrl/publish.h"
#include "ctrl/wall_clock.h"
#include "ctrl/watchdog.h"
#include "ctrl/xds/support.h"
#include "ctrl/xds/xds.h"
#include "pipeline/reclaim.h"

enum {
	PUNT_RING_SIZE = 4096,
	CAPTURE_RING_SIZE = 4096,
	RECLAIM_MS = 10, // how often deferred frees are looked at
	EXIT_REFUSED = 1,
	EXIT_USAGE = 2,
};

#define DEFAULT_CONTROL_SOCKET "/run/pergola/control.sock"

// Events of the loop that are main's own.
struct loop_events {
	struct drain *drain;
	struct event *sigterm;
	struct event *sigint;
	struct event *sighup;
	struct event *reclaim;
};

static int check_file(const char *path)
{
	struct refusal refusal = {0};
	struct node_spec *spec = NULL;
	struct snapshot *snapshot = NULL;
	struct compile_input input = {0};
	struct reclaim *reclaim = reclaim_create(NULL);
	int ret = reclaim == NULL ? -ENOMEM : conf_load_file(path, &spec, &refusal);

	if (ret == 0) {
		input.spec = spec;
		input.adj_table = adj_table_create(reclaim);
		ret = input.adj_table == NULL ? -ENOMEM
					      : compile_snapshot(&input, &snapshot, &refusal);
	}
	if (ret == 0)
		printf("%s: fine\n", path);
	else
		fprintf(stderr, "%s\n", refusal.text[0] != '\0' ? refusal.text : "out of memory");
	snapshot_destroy(snapshot);
	adj_table_destroy(input.adj_table);
	node_spec_release(spec);
	reclaim_destroy(reclaim);
	return ret == 0 ? EXIT_SUCCESS : EXIT_REFUSED;
}

static void on_stop(evutil_socket_t sig, short what, void *arg)
{
	(void)what;
	log_notice("stop: signal=%d", (int)sig);
	drain_begin(arg);
}

static void on_hangup(evutil_socket_t sig, short what, void *arg)
{
	struct ctrl *ctrl = arg;

	(void)sig;
	(void)what;
	log_info("reload: asked by SIGHUP");
	publish_reload(ctrl->publish, NULL, NULL);
}

static void on_reclaim(evutil_socket_t fd, short what, void *arg)
{
	struct ctrl *ctrl = arg;

	(void)fd;
	(void)what;
	reclaim_poll(ctrl->reclaim);
}

static int create_events(struct ctrl *ctrl, struct loop_events *events)
{
	const struct timeval period = {.tv_usec = RECLAIM_MS * 1000};

	events->drain = drain_create(ctrl);
	if (events->drain == NULL)
		return -ENOMEM;
	events->sigterm = evsignal_new(ctrl->base, SIGTERM, on_stop, events->drain);
	events->sigint = evsignal_new(ctrl->base, SIGINT, on_stop, events->drain);
	events->sighup = evsignal_new(ctrl->base, SIGHUP, on_hangup, ctrl);
	events->reclaim = event_new(ctrl->base, -1, EV_PERSIST, on_reclaim, ctrl);
	if (events->sigterm == NULL || events->sigint == NULL || events->sighup == NULL ||
		events->reclaim == NULL)
		return -ENOMEM;
	return event_add(events->sigterm, NULL) | event_add(events->sigint, NULL) |
	       event_add(events->sighup, NULL) | event_add(events->reclaim, &period);
}

static void free_events(struct loop_events *events)
{
	struct event *all[] = {events->sigterm, events->sigint, events->sighup, events->reclaim};

	for (size_t i = 0; i < RTE_DIM(all); i++)
		if (all[i] != NULL)
			event_free(all[i]);
	drain_destroy(events->drain);
}

static struct rte_rcu_qsbr *create_qsbr(uint16_t n_workers)
{
	struct rte_rcu_qsbr *qsbr =
		rte_zmalloc(NULL, rte_rcu_qsbr_get_memsize(n_workers), RTE_CACHE_LINE_SIZE);

	if (qsbr != NULL)
		rte_rcu_qsbr_init(qsbr, n_workers);
	return qsbr;
}

static int create_shared(struct ctrl *ctrl, struct refusal *refusal)
{
	ctrl->qsbr = create_qsbr(ctrl->n_workers);
	ctrl->reclaim = reclaim_create(ctrl->qsbr);
	ctrl->adj_table = adj_table_create(ctrl->reclaim);
	ctrl->punt_ring = rte_ring_create("punt", PUNT_RING_SIZE, SOCKET_ID_ANY, RING_F_SC_DEQ);
	ctrl->capture_ring =
		rte_ring_create("capture", CAPTURE_RING_SIZE, SOCKET_ID_ANY, RING_F_SC_DEQ);
	ctrl->ports = calloc(ctrl->spec->n_ports + 1, sizeof(*ctrl->ports));
	if (ctrl->qsbr != NULL && ctrl->reclaim != NULL && ctrl->adj_table != NULL &&
		ctrl->punt_ring != NULL && ctrl->capture_ring != NULL && ctrl->ports != NULL)
		return 0;
	return refusal_set(
		refusal, NULL, "out of memory for rings and tables; raise eal.memory_mb");
}

static int start_datapath(struct ctrl *ctrl, struct refusal *refusal)
{
	struct worker_config config = {
		.spec = &ctrl->spec->workers,
		.l7_memory = ctrl->spec->l7_memory,
		.adj_table = ctrl->adj_table,
		.qsbr = ctrl->qsbr,
		.published = &ctrl->published,
		.punt_ring = ctrl->punt_ring,
		.capture_ring = ctrl->capture_ring,
		.n_workers = ctrl->n_workers,
	};
	int ret = ports_open(ctrl->spec, ctrl->n_workers, ctrl->ports, &ctrl->pools, refusal);

	if (ret != 0)
		return ret;
	ctrl->n_ports = ctrl->spec->n_ports;
	config.ports = ctrl->ports;
	config.n_ports = ctrl->n_ports;
	config.mbufs = ctrl->pools.small;
	ctrl->workers = workers_create(&config, refusal);
	return ctrl->workers == NULL ? -errno : 0;
}

static int start_control(struct ctrl *ctrl, const char *socket_path, struct refusal *refusal)
{
	ctrl->publish = publish_create(ctrl, refusal);
	if (ctrl->publish == NULL)
		return -EINVAL;
	ctrl->neigh = neigh_create(ctrl);
	if (ctrl->neigh == NULL)
		return refusal_set(refusal, NULL, "out of memory for neighbours");
	neigh_snapshot_changed(ctrl->neigh);
	if (ctrl->spec->xds != NULL) {
		ctrl->xds = xds_create(ctrl, refusal);
		if (ctrl->xds == NULL)
			return -EINVAL;
	}
	ctrl->admin = admin_create(ctrl, socket_path, refusal);
	return ctrl->admin == NULL ? -EINVAL : 0;
}

static int start_workers(struct ctrl *ctrl, struct refusal *refusal)
{
	int ret;

	ctrl->watchdog = watchdog_create(ctrl);
	ctrl->wall_clock = wall_clock_create(ctrl);
	if (ctrl->watchdog == NULL || ctrl->wall_clock == NULL)
		return refusal_set(refusal, NULL, "out of memory for the watchdog and the clock");
	ret = workers_start(ctrl->workers, ctrl->n_workers);
	if (ret != 0)
		refusal_set(refusal, &ctrl->spec->workers.origin,
			"workers: DPDK has no thread for them: %s", strerror(-ret));
	return ret;
}

static void stop_all(struct ctrl *ctrl, bool workers_run)
{
	if (workers_run)
		workers_stop(ctrl->workers, ctrl->n_workers);
	admin_destroy(ctrl->admin);
	neigh_destroy(ctrl->neigh);
	publish_destroy(ctrl->publish);
	xds_destroy(ctrl->xds);
	if (ctrl->workers != NULL)
		workers_destroy(ctrl->workers, ctrl->n_workers);
	if (ctrl->n_ports > 0)
		ports_close(ctrl->ports, ctrl->n_ports, &ctrl->pools);
	reclaim_destroy(ctrl->reclaim);
	adj_table_destroy(ctrl->adj_table);
	rte_ring_free(ctrl->punt_ring);
	rte_ring_free(ctrl->capture_ring);
	rte_free(ctrl->qsbr);
	free(ctrl->ports);
}

static int serve(struct ctrl *ctrl, const char *socket_path, struct refusal *refusal)
{
	struct loop_events events = {0};
	bool workers_run = false;
	int ret = create_shared(ctrl, refusal);

	if (ret == 0)
		ret = start_datapath(ctrl, refusal);
	// From here on signals wait for the loop, so that a socket is not left behind.
	if (ret == 0 && create_events(ctrl, &events) != 0)
		ret = refusal_set(refusal, NULL, "out of memory for the event loop");
	if (ret == 0)
		ret = start_control(ctrl, socket_path, refusal);
	if (ret == 0)
		ret = start_workers(ctrl, refusal);
	if (ret == 0) {
		workers_run = true;
		log_notice("start: ready workers=%u ports=%u control_socket=%s", ctrl->n_workers,
			ctrl->n_ports, socket_path);
		event_base_dispatch(ctrl->base);
	}
	wall_clock_destroy(ctrl->wall_clock);
	watchdog_destroy(ctrl->watchdog);
	free_events(&events);
	stop_all(ctrl, workers_run);
	return ret;
}

static int run(const struct options *options)
{
	struct ctrl ctrl = {.config_path = options->config_path};
	struct refusal refusal = {0};
	const char *socket_path = options->control_socket;
	int ret;

	// Until there is something to reload, nor does it mean the end.
	signal(SIGHUP, SIG_IGN);
	ret = conf_load_file(options->config_path, &ctrl.spec, &refusal);
	if (ret == 0) {
		log_set_level_name(ctrl.spec->log_level);
		if (socket_path == NULL)
			socket_path = ctrl.spec->control_socket;
		if (socket_path == NULL)
			socket_path = DEFAULT_CONTROL_SOCKET;
		ctrl.n_workers = eal_n_workers(ctrl.spec);
		ret = eal_start(ctrl.spec, options, &refusal);
	}
	if (ret == 0) {
		ctrl.start_tsc = rte_get_tsc_cycles();
		evthread_use_pthreads();
		ctrl.base = event_base_new();
		ret = ctrl.base == NULL ? -ENOMEM : log_start();
	}
	if (ret == 0) {
		ret = serve(&ctrl, socket_path, &refusal);
		event_base_free(ctrl.base);
		// Without rte_eal_cleanup(): DPDK's interrupt thread runs to the end, and goes through a
		// handle that memif's server leaves in the memory that it would unmap.
	}
	if (ret != 0)
		log_error("start: %s", refusal.text[0] != '\0' ? refusal.text : "out of memory");
	log_stop();
	node_spec_release(ctrl.spec);
	return ret == 0 ? EXIT_SUCCESS : EXIT_REFUSED;
}

static int print_xds_support(void)
{
	char *page = support_page();

	if (page == NULL)
		return EXIT_REFUSED;
	fputs(page, stdout);
	free(page);
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	struct options options;

	if (options_parse(argc, argv, &options) != 0)
		return EXIT_USAGE;
	if (options.help) {
		options_print_help();
		return EXIT_SUCCESS;
	}
	if (options.version) {
		printf("pergola %s (%s)\n", PERGOLA_VERSION, rte_version());
		return EXIT_SUCCESS;
	}
	if (options.xds_support)
		return print_xds_support();
	return options.check ? check_file(options.config_path) : run(&options);
}
