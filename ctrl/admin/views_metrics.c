// SPDX-License-Identifier: Apache-2.0

// /metrics, for Prometheus: a few milliseconds at a time, no faster than the client reads. Each sample stands for
// itself, so another snapshot may go live meanwhile. A page without its last line, "# EOF", was cut short.

#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>

#include <stdlib.h>
#include <time.h>

#include "ctrl/admin/metrics.h"
#include "ctrl/admin/reply.h"
#include "ctrl/admin/views_priv.h"
#include "ctrl/ctrl.h"

enum {
	SLICE_NS = 2000000,
	MAX_UNSENT_BYTES = 1 << 20,
	WAIT_US = 10000, // for a client that does not read
};

static const struct metrics_families *const parts[] = {&metrics_node, &metrics_xds};

enum {
	N_PARTS = sizeof(parts) / sizeof(parts[0]),
};

struct page {
	struct reply *reply;
	struct event *event;
	struct evbuffer *chunk;
	unsigned int part;
	uint32_t family;
	uint32_t item;
	bool has_head; // the family's
};

static void destroy(void *arg)
{
	struct page *page = arg;

	if (page->event != NULL)
		event_free(page->event);
	if (page->chunk != NULL)
		evbuffer_free(page->chunk);
	free(page);
}

static void write_escaped(struct evbuffer *out, const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == '\n')
			evbuffer_add(out, "\\n", 2);
		else if (*text == '"' || *text == '\\')
			evbuffer_add_printf(out, "\\%c", *text);
		else
			evbuffer_add(out, text, 1);
	}
}

void metrics_write(struct evbuffer *out, const struct metrics_family *family, const char *label,
	const char *value, uint64_t count)
{
	evbuffer_add_printf(out, "pergola_%s", family->name);
	if (value != NULL) {
		evbuffer_add_printf(out, "{%s=\"", label);
		write_escaped(out, value);
		evbuffer_add(out, "\"}", 2);
	}
	evbuffer_add_printf(out, " %ju\n", (uintmax_t)count);
}

// Writes one item, or goes on to the next family.
static void step(struct page *page)
{
	const struct metrics_families *part = parts[page->part];
	const struct metrics_family *family = &part->families[page->family];

	if (!page->has_head) {
		evbuffer_add_printf(page->chunk, "# HELP pergola_%s %s\n# TYPE pergola_%s %s\n",
			family->name, family->help, family->name, family->type);
		page->has_head = true;
	}
	if (family->write_fn(page->chunk, family, page->reply->ctrl, page->item++))
		return;
	page->item = 0;
	page->has_head = false;
	if (++page->family < part->n)
		return;
	page->family = 0;
	page->part++;
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static void wake(evutil_socket_t fd, short what, void *arg)
{
	struct page *page = arg;
	uint64_t end_ns = now_ns() + SLICE_NS;
	struct timeval delay = {0};

	(void)fd;
	(void)what;
	if (reply_n_unsent(page->reply) >= MAX_UNSENT_BYTES)
		delay.tv_usec = WAIT_US;
	else
		while (page->part < N_PARTS && now_ns() < end_ns)
			step(page);
	if (page->part == N_PARTS)
		evbuffer_add_printf(page->chunk, "# EOF\n");
	reply_chunk(page->reply, page->chunk);
	if (page->part < N_PARTS && !reply_is_abandoned(page->reply)) {
		event_add(page->event, &delay);
		return;
	}
	reply_end(page->reply);
	destroy(page);
}

void views_metrics_get(struct reply *reply)
{
	struct page *page = calloc(1, sizeof(*page));

	if (page != NULL) {
		page->reply = reply;
		page->event = evtimer_new(reply->ctrl->base, wake, page);
		page->chunk = evbuffer_new();
	}
	if (page == NULL || page->event == NULL || page->chunk == NULL) {
		if (page != NULL)
			destroy(page);
		reply_error(reply, HTTP_INTERNAL, "out of memory");
		return;
	}
	reply_begin_text(reply);
	reply_defer(reply, destroy, page);
	wake(-1, 0, page);
}
