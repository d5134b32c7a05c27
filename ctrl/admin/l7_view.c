// SPDX-License-Identifier: Apache-2.0
#include "ctrl/admin/l7_view.h"

#include "ctrl/ctrl.h"
#include "pipeline/l7_worker.h"

#include <arpa/inet.h>
#include <string.h>

void l7_view_sum(const struct ctrl *ctrl, enum l7_kind kind, uint32_t slot, struct l7_counters *sum)
{
	*sum = (struct l7_counters){0};
	for (uint16_t i = 0; i < ctrl->n_workers; i++)
		l7_stats_add(sum, l7_stats_of(ctrl->workers[i]->l7->stats, kind, slot));
}

static void set_count(json_t *row, const char *key, uint64_t n)
{
	json_object_set_new(row, key, json_integer((json_int_t)n));
}

static void add_statuses(json_t *row, const struct l7_counters *sum)
{
	json_t *statuses = json_object();

	for (int i = 0; i < L7_N_STATUS_CLASSES; i++) {
		const char key[] = {(char)('1' + i), 'x', 'x', '\0'};

		set_count(statuses, key, sum->n_statuses[i]);
	}
	json_object_set_new(row, "status", statuses);
}

static void add_reasons(json_t *row, const char *key, const char *key_by_reason,
	const uint64_t counts[SPLICE_N_WHYS])
{
	json_t *reasons = json_object();
	uint64_t total = 0;

	for (int why = 0; why < SPLICE_N_WHYS; why++) {
		total += counts[why];
		if (counts[why] > 0)
			set_count(reasons, splice_why_name((enum splice_why)why), counts[why]);
	}
	set_count(row, key, total);
	if (total > 0)
		json_object_set(row, key_by_reason, reasons);
	json_decref(reasons);
}

void l7_view_add_counters(json_t *row, const struct ctrl *ctrl, enum l7_kind kind, uint32_t slot)
{
	struct l7_counters sum;

	l7_view_sum(ctrl, kind, slot, &sum);
	set_count(row, "requests", sum.n_requests);
	add_statuses(row, &sum);
	set_count(row, "active", sum.n_active);
	set_count(row, "bytes_up", sum.n_bytes_up);
	set_count(row, "bytes_down", sum.n_bytes_down);
	set_count(row, "retries", sum.n_retries);
	set_count(row, "rebinds", sum.n_rebinds);
	set_count(row, "connect_failures", sum.n_connect_failures);
	add_reasons(row, "own_replies", "own_replies_by_reason", sum.n_own_replies);
	add_reasons(row, "resets", "resets_by_reason", sum.n_resets);
}

static json_t *quantiles(const struct histogram *histogram)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:I}", "count",
		(json_int_t)histogram_total(histogram), "p50",
		(json_int_t)histogram_quantile(histogram, 500000), "p90",
		(json_int_t)histogram_quantile(histogram, 900000), "p99",
		(json_int_t)histogram_quantile(histogram, 990000), "max",
		(json_int_t)histogram_quantile(histogram, 1000000));
}

// Histograms of a slot that had no requests are not looked at: they have no memory yet.
static json_t *view_latency(
	const struct ctrl *ctrl, enum l7_kind kind, uint32_t slot, enum l7_latency latency)
{
	struct histogram sum = {0};

	for (uint16_t i = 0; i < ctrl->n_workers; i++) {
		struct l7_stats *stats = ctrl->workers[i]->l7->stats;

		if (l7_stats_of(stats, kind, slot)->n_requests > 0)
			l7_stats_add_latency(&sum, stats, kind, slot, latency);
	}
	return quantiles(&sum);
}

void l7_view_add_latency(json_t *row, const struct ctrl *ctrl, enum l7_kind kind, uint32_t slot)
{
	json_object_set_new(row, "first_byte_us", view_latency(ctrl, kind, slot, L7_FIRST_BYTE));
	json_object_set_new(row, "response_us", view_latency(ctrl, kind, slot, L7_RESPONSE));
}

json_t *l7_view_address(uint8_t family, const uint8_t bytes[16], uint16_t port)
{
	char text[INET6_ADDRSTRLEN];

	inet_ntop(family == 4 ? AF_INET : AF_INET6, bytes, text, sizeof(text));
	return json_sprintf(family == 4 ? "%s:%u" : "[%s]:%u", text, port);
}

const char *l7_view_name(const struct paged *names, uint32_t slot)
{
	return slot < names->n ? l7_tables_name(names, slot)->text : "";
}

json_t *l7_view_string(const char *text)
{
	return text[0] == '\0' ? json_null() : json_string(text);
}

json_t *l7_view_host_name(const struct ctrl *ctrl, uint32_t slot)
{
	const struct l7_tables *t = ctrl_snapshot(ctrl)->l7;
	const char *name = l7_view_name(t->virtual_host_names, slot);

	if (name[0] == '\0')
		return json_null();
	return json_sprintf("%s/%s",
		l7_view_name(
			t->route_table_names, l7_tables_name(t->virtual_host_names, slot)->parent),
		name);
}

uint32_t l7_view_find_slot(
	const struct paged *names, uint32_t parent, const char *text, uint32_t *hint)
{
	for (uint32_t i = 0; i < names->n; i++) {
		uint32_t slot = *hint < names->n ? *hint : 0;
		const struct l7_name *name = l7_tables_name(names, slot);

		*hint = slot + 1;
		if (name->parent == parent && strcmp(name->text, text) == 0)
			return slot;
	}
	return L7_NO_SLOT;
}
