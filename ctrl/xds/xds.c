// SPDX-License-Identifier: Apache-2.0

// A message pauses the link until it is worked through, in slices between which the loop goes on: a server that sends
// faster than the node takes up finds its window shut.

#include "ctrl/xds/xds.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ctrl/ctrl.h"
#include "ctrl/log.h"
#include "ctrl/xds/check.h"
#include "ctrl/xds/decode.h"
#include "ctrl/xds/dns.h"
#include "ctrl/xds/tls.h"

enum {
	SLICE_US = 2000,
	MAX_TIMER_MS = 60000,
};

struct xds {
	struct ctrl *ctrl;
	struct node_spec *started; // holds spec
	const struct xds_spec *spec;
	struct dns *dns;
	struct store *store;
	struct session *session;
	struct link *link;
	struct assembly *assembly;
	struct event *work_event;
	struct event *timer;
	struct compile_check *check; // on top of checked
	struct node_spec *checked;
	uint64_t slice_us;   // when the slice began
	uint64_t message_us; // when the message that is worked on had come; 0: none is
	struct xds_latency latency;
};

static uint64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

uint64_t xds_now_ms(void)
{
	return now_us() / 1000;
}

static void arm_timer(struct xds *xds)
{
	uint64_t deadline_ms = session_deadline_ms(xds->session);
	uint64_t ms = xds_now_ms();
	struct timeval wait = {0};

	ms = deadline_ms <= ms ? 0 : deadline_ms - ms;
	if (ms > MAX_TIMER_MS)
		ms = MAX_TIMER_MS;
	wait.tv_sec = (time_t)(ms / 1000);
	wait.tv_usec = (suseconds_t)(ms % 1000 * 1000);
	if (event_add(xds->timer, &wait) != 0)
		log_error("xds: no memory for a timer");
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct xds *xds = arg;

	(void)fd;
	(void)what;
	session_tick(xds->session, xds_now_ms());
	arm_timer(xds);
}

static void work(struct xds *xds)
{
	static const struct timeval at_once = {0};

	xds->slice_us = now_us();
	if (session_work(xds->session, xds_now_ms())) {
		event_add(xds->work_event, &at_once);
		return;
	}
	xds->message_us = 0;
	link_resume(xds->link);
	arm_timer(xds);
}

static void on_work(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	work(arg);
}

static void on_up(void *ctx, const char *server)
{
	struct xds *xds = ctx;

	(void)server;
	session_up(xds->session, xds_now_ms());
	arm_timer(xds);
}

static void on_message(void *ctx, const uint8_t *bytes, size_t n_bytes)
{
	struct xds *xds = ctx;

	link_pause(xds->link);
	xds->message_us = link_message_us(xds->link);
	session_message(xds->session, bytes, n_bytes, xds_now_ms());
	work(xds);
}

static void on_down(void *ctx, const char *why)
{
	struct xds *xds = ctx;

	log_warning("xds: stream is down; what was accepted last serves on: %s", why);
	event_del(xds->work_event);
	session_down(xds->session, xds_now_ms());
	xds->message_us = 0;
	arm_timer(xds);
}

static void on_send(void *ctx, const uint8_t *bytes, size_t n_bytes)
{
	struct xds *xds = ctx;

	if (link_send(xds->link, bytes, n_bytes) == -ENOMEM)
		link_reset(xds->link, "out of memory for a request");
}

static void on_reset(void *ctx, const char *why)
{
	struct xds *xds = ctx;

	link_reset(xds->link, why);
}

// What the file has may have changed since the last check.
static int renew_check(struct xds *xds, struct refusal *refusal)
{
	struct node_spec *spec = xds->ctrl->spec;
	struct node_spec *base = spec->base == NULL ? spec : spec->base;

	if (xds->check != NULL && xds->checked == base)
		return 0;
	compile_check_destroy(xds->check);
	node_spec_release(xds->checked);
	xds->checked = node_spec_acquire(base);
	xds->check = compile_check_create(base, refusal);
	return xds->check == NULL ? -ENOMEM : 0;
}

// A secret is taken up at once: the link tells whether it can be used.
static int check(struct xds *xds, const struct xds_resource *resource, struct refusal *refusal)
{
	char why[TLS_WHY_LEN] = "";

	if (resource->type != XDS_SECRET)
		return check_resource(xds->check, resource, refusal);
	if (link_set_secret(xds->link, resource->name, resource->secret, why) == 0)
		return 0;
	return refusal_set(refusal, NULL, "secret %s: %s", resource->name, why);
}

static int on_accept(void *ctx, enum xds_type type, const uint8_t *bytes, size_t n_bytes,
	struct xds_resource **resource, struct refusal *refusal)
{
	struct xds *xds = ctx;
	int ret = renew_check(xds, refusal);

	if (ret == 0)
		ret = xds_decode(type, bytes, n_bytes, xds->spec, resource, refusal);
	if (ret != 0)
		return ret;
	ret = check(xds, *resource, refusal);
	if (ret != 0) {
		xds_resource_release(*resource);
		*resource = NULL;
	}
	return ret;
}

static void on_refer(void *ctx, enum xds_type type, const uint8_t *bytes, size_t n_bytes,
	refers_fn found_fn, void *arg)
{
	(void)ctx;
	refers_find(type, bytes, n_bytes, found_fn, arg);
}

static void on_lost_secret(void *ctx, const char *name)
{
	struct xds *xds = ctx;
	char why[TLS_WHY_LEN];

	// Nothing that could be refused takes its place.
	link_set_secret(xds->link, name, NULL, why);
	log_notice("xds: secret is gone, its file counts again: name=\"%s\"", name);
}

static void on_changed(void *ctx)
{
	struct xds *xds = ctx;

	assembly_changed(xds->assembly, xds->message_us);
}

static bool on_due(void *ctx)
{
	struct xds *xds = ctx;

	return now_us() - xds->slice_us >= SLICE_US;
}

static void on_set_layer(void *ctx, struct spec_layer *layer, publish_done_fn done_fn, void *arg)
{
	struct xds *xds = ctx;

	publish_set_layer(xds->ctrl->publish, layer, done_fn, arg);
}

static void on_live(void *ctx, uint64_t us)
{
	struct xds *xds = ctx;
	unsigned int i = 0;

	while (i + 1 < XDS_N_LATENCIES && us >= (uint64_t)XDS_LATENCY_UNIT_US << i)
		i++;
	xds->latency.counts[i]++;
	xds->latency.n++;
	xds->latency.sum_us += us;
	xds->latency.last_us = us;
	if (us > xds->latency.max_us)
		xds->latency.max_us = us;
}

static void on_refused(void *ctx, enum xds_type type, const char *name, const char *why)
{
	struct xds *xds = ctx;
	struct xds_entry *entry = store_lookup(xds->store, type, name, strlen(name));

	if (entry != NULL &&
		store_refuse(xds->store, entry, why, entry->version, xds_now_ms()) != 0)
		log_error("xds: out of memory for what was refused of \"%s\"", name);
}

static const struct link_events link_events = {on_up, on_message, on_down};

static const struct session_ops session_ops = {.send_fn = on_send,
	.reset_fn = on_reset,
	.accept_fn = on_accept,
	.refer_fn = on_refer,
	.lost_secret_fn = on_lost_secret,
	.changed_fn = on_changed,
	.is_due_fn = on_due};

static const struct assembly_ops assembly_ops = {on_set_layer, on_live, on_refused};

static int want_secrets(struct xds *xds)
{
	const char *const names[] = {
		xds->spec->transport.sds_certificate, xds->spec->transport.sds_ca};
	int ret = 0;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && ret == 0; i++)
		if (names[i] != NULL)
			ret = session_want_secret(xds->session, names[i], xds_now_ms());
	return ret;
}

// The link comes last: all else is there when it comes up.
static int start(struct xds *xds)
{
	struct event_base *base = xds->ctrl->base;

	xds->work_event = evtimer_new(base, on_work, xds);
	xds->timer = evtimer_new(base, on_timer, xds);
	xds->store = store_create();
	if (xds->work_event == NULL || xds->timer == NULL || xds->store == NULL)
		return -ENOMEM;
	xds->dns = dns_create(base, DNS_RESOLV_CONF, DNS_HOSTS);
	xds->session = session_create(xds->spec, xds->store, &session_ops, xds);
	if (xds->dns == NULL || xds->session == NULL || want_secrets(xds) != 0)
		return -ENOMEM;
	xds->assembly = assembly_create(base, xds->store, xds->dns, xds->spec, &assembly_ops, xds);
	if (xds->assembly == NULL)
		return -ENOMEM;
	xds->link = link_create(
		base, xds->dns, &xds->spec->transport, session_path(xds->spec), &link_events, xds);
	return xds->link == NULL ? -errno : 0;
}

struct xds *xds_create(struct ctrl *ctrl, struct refusal *refusal)
{
	struct xds *xds = calloc(1, sizeof(*xds));
	int ret;

	if (xds == NULL) {
		refusal_set(refusal, NULL, "out of memory for xds");
		return NULL;
	}
	xds->ctrl = ctrl;
	xds->started = node_spec_acquire(ctrl->spec);
	xds->spec = xds->started->xds;
	ret = start(xds);
	if (ret == 0)
		return xds;
	refusal_set(refusal, &xds->spec->origin, "xds: cannot start: %s", strerror(-ret));
	xds_destroy(xds);
	return NULL;
}

void xds_destroy(struct xds *xds)
{
	if (xds == NULL)
		return;
	link_destroy(xds->link);
	session_destroy(xds->session);
	assembly_destroy(xds->assembly);
	store_destroy(xds->store);
	dns_destroy(xds->dns);
	if (xds->work_event != NULL)
		event_free(xds->work_event);
	if (xds->timer != NULL)
		event_free(xds->timer);
	compile_check_destroy(xds->check);
	node_spec_release(xds->checked);
	node_spec_release(xds->started);
	free(xds);
}

const struct xds_spec *xds_spec(const struct xds *xds)
{
	return xds->spec;
}

const struct store *xds_store(const struct xds *xds)
{
	return xds->store;
}

const struct session *xds_session(const struct xds *xds)
{
	return xds->session;
}

const struct link *xds_link(const struct xds *xds)
{
	return xds->link;
}

const struct assembly *xds_assembly(const struct xds *xds)
{
	return xds->assembly;
}

const struct xds_latency *xds_latency(const struct xds *xds)
{
	return &xds->latency;
}
