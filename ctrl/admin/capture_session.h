// SPDX-License-Identifier: Apache-2.0
#pragma once

// The control side of packet capture (pipeline/capture.h is the workers'): writes the frames that
// workers copy into a pcapng file. Ring and buffers are made for the first capture and kept. One at a time.

#include <stdint.h>

struct reply;

struct capture_request {
	const char *file;   // absolute; must not exist
	uint64_t ports;	    // bit per DPDK port
	uint32_t n_packets; // 0: no limit
	uint32_t n_seconds;
};

// Answers when so many packets are written, the time is over or the client has left.
void capture_session_start(struct reply *reply, const struct capture_request *request);
