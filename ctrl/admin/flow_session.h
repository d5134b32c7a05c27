// SPDX-License-Identifier: Apache-2.0
#pragma once

// The flows that a filter wants: each worker is asked for all of its flows, which it tells over some
// milliseconds; the control core takes those that fit, up to a limit. One such session at a time.

#include <stdint.h>

struct flow_filter;
struct reply;

enum {
	FLOW_SESSION_MAX_FLOWS = 1000, // of one answer
};

// Answers {"flows": [rows], "in_use": n, "cut": b, "complete": b}. cut: there may be more than limit.
// complete: false when a worker did not answer in time.
void flow_session_start(struct reply *reply, const struct flow_filter *filter, uint32_t limit);
