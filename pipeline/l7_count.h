// SPDX-License-Identifier: Apache-2.0
#pragma once

// Counts what the splice tells, by listener, virtual host, route, cluster and endpoint of the flow's request.

#include "pipeline/l7_worker.h"

// splice_io.event; ctx is the worker.
void l7_count_event(void *ctx, uint32_t flow, enum splice_event event, uint64_t value);

// The flow's request is not active any more. Before its slots change; does nothing when there is none.
void l7_count_end(struct l7_worker *l7, struct l7_flow *f);

// The flow's next events are counted for the listener alone.
void l7_count_nowhere(struct l7_flow *f);
