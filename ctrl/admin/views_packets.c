// SPDX-License-Identifier: Apache-2.0

// POST /trace and POST /capture: reads what is asked for; the sessions do it.

#include "ctrl/admin/capture_session.h"
#include "ctrl/admin/reply.h"
#include "ctrl/admin/trace_session.h"
#include "ctrl/admin/views_priv.h"
#include "ctrl/ctrl.h"

#include <event2/http.h>

#include <string.h>

enum {
	DEFAULT_TRACE_TIMEOUT_S = 5,
	DEFAULT_CAPTURE_S = 10,
	MAX_CAPTURE_S = 3600,
	MAX_CAPTURE_PORT = 63, // worker.capture_ports has a bit for each
};

void views_trace_post(struct reply *reply)
{
	uint32_t n_packets = 1;
	uint32_t timeout_s = DEFAULT_TRACE_TIMEOUT_S;

	if (reply_read_number(reply, "n", 1, TRACE_SESSION_MAX_PACKETS, &n_packets) &&
		reply_read_number(reply, "timeout", 1, TRACE_SESSION_MAX_TIMEOUT_S, &timeout_s))
		trace_session_start(reply, n_packets, timeout_s);
}

static uint64_t port_bit(const struct ctrl *ctrl, const char *name, size_t name_len)
{
	for (uint32_t i = 0; i < ctrl->n_ports; i++) {
		const struct port_runtime *port = &ctrl->ports[i];

		if (strlen(port->name) == name_len && memcmp(port->name, name, name_len) == 0 &&
			port->dpdk_port <= MAX_CAPTURE_PORT)
			return UINT64_C(1) << port->dpdk_port;
	}
	return 0;
}

// "a,b" as bits; NULL: all. False after answering.
static bool read_ports(struct reply *reply, const char *names, uint64_t *ports)
{
	*ports = names == NULL ? UINT64_MAX : 0;
	while (names != NULL) {
		size_t len = strcspn(names, ",");
		uint64_t bit = port_bit(reply->ctrl, names, len);

		if (bit == 0) {
			reply_error(reply, HTTP_NOTFOUND, "ports: there is no port \"%.*s\"",
				(int)(len < 64 ? len : 64), names);
			return false;
		}
		*ports |= bit;
		names = names[len] == ',' ? names + len + 1 : NULL;
	}
	return true;
}

void views_capture_post(struct reply *reply)
{
	struct capture_request request = {
		.file = reply_param(reply, "file"),
		.n_seconds = DEFAULT_CAPTURE_S,
	};

	if (request.file == NULL || request.file[0] != '/') {
		reply_error(reply, HTTP_BADREQUEST, "file must be an absolute path");
		return;
	}
	if (reply_read_number(reply, "packets", 1, UINT32_MAX, &request.n_packets) &&
		reply_read_number(reply, "seconds", 1, MAX_CAPTURE_S, &request.n_seconds) &&
		read_ports(reply, reply_param(reply, "ports"), &request.ports))
		capture_session_start(reply, &request);
}
