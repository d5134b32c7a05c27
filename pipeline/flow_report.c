// SPDX-License-Identifier: Apache-2.0

// A walk takes its time, and flows come and go meanwhile: each row is right for the moment it was written. A
// request that nobody waits for any more ends when the next one is asked, or asked becomes 0; its rows are told
// from others by its number.

#include "pipeline/flow_report.h"

#include "pipeline/l7_worker.h"

static void fill_row(const struct l7_worker *l7, uint32_t flow, const struct splice_view *view,
	struct flow_row *row)
{
	const struct l7_flow *f = &l7->flows[flow];

	*row = (struct flow_row){
		.request = l7->report->request,
		.flow = flow,
		.client = l7->table->entries[flow].tuple,
		.phase = view->phase,
		.listener = view->listener,
		.virtual_host = f->virtual_host,
		.route = f->route,
		.cluster = f->cluster,
		.endpoint = f->endpoint,
		.idle_ms = view->idle_ms,
		.n_requests = view->n_requests,
	};
	if (view->leg != SPLICE_NONE)
		row->server = l7->table->entries[l7->n_flows + view->leg].tuple;
}

// True: all flows were told. False: the ring is full, or that was enough for now.
static bool tell_flows(struct l7_worker *l7)
{
	struct flow_report *report = l7->report;
	uint32_t head = atomic_load_explicit(&report->head, memory_order_relaxed);
	uint32_t tail = atomic_load_explicit(&report->tail, memory_order_acquire);
	struct splice_view view;

	for (uint32_t i = 0; i < FLOW_REPORT_STEP && report->next < l7->flows_end; i++) {
		if (head - tail == FLOW_REPORT_ROWS)
			break;
		if (splice_view(l7->splice, report->next, &view))
			fill_row(l7, report->next, &view, &report->rows[head++ % FLOW_REPORT_ROWS]);
		report->next++;
	}
	atomic_store_explicit(&report->head, head, memory_order_release);
	return report->next >= l7->flows_end;
}

void flow_report_step(struct l7_worker *l7)
{
	struct flow_report *report = l7->report;
	uint32_t asked = atomic_load_explicit(&report->asked, memory_order_relaxed);

	if (asked == 0 || asked == atomic_load_explicit(&report->answered, memory_order_relaxed))
		return;
	if (asked != report->request) {
		report->request = asked;
		report->next = 0;
	}
	if (tell_flows(l7))
		atomic_store_explicit(&report->answered, asked, memory_order_release);
}
