// SPDX-License-Identifier: Apache-2.0
#pragma once

// The control side of tracing (pipeline/trace.h is the workers'): asks for the next packets, collects
// what the nodes leave in the workers' rings, and answers with each packet's way. One at a time.

#include <stdint.h>

struct reply;

enum {
	TRACE_SESSION_MAX_PACKETS = 256,
	TRACE_SESSION_MAX_TIMEOUT_S = 60,
};

// Answers with up to n_packets when their ways have ended, or with what there is after timeout_s.
void trace_session_start(struct reply *reply, uint32_t n_packets, uint32_t timeout_s);
