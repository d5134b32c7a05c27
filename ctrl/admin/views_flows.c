// SPDX-License-Identifier: Apache-2.0

// GET /flows: reads what is asked for; the session does it.

#include "ctrl/admin/flow_filter.h"
#include "ctrl/admin/flow_session.h"
#include "ctrl/admin/reply.h"
#include "ctrl/admin/views_priv.h"

enum {
	DEFAULT_FLOWS = 100,
};

void views_flows_get(struct reply *reply)
{
	struct flow_filter filter;
	uint32_t limit = DEFAULT_FLOWS;

	if (reply_read_number(reply, "limit", 1, FLOW_SESSION_MAX_FLOWS, &limit) &&
		flow_filter_read(&filter, reply))
		flow_session_start(reply, &filter, limit);
}
