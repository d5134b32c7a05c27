// SPDX-License-Identifier: Apache-2.0
#pragma once

// One HTTP request over a UNIX socket, answered and closed: what pergolactl needs of a client.

#include <stddef.h>

struct ctl_response {
	int status;
	char *body; // with a NUL behind it
	size_t body_len;
};

// Sends method and target, reads the whole answer. Returns 0, or -errno: -ETIMEDOUT after timeout_s without a
// byte, -EBADMSG when it is no HTTP.
int ctl_http_request(const char *socket_path, const char *method, const char *target,
	unsigned int timeout_s, struct ctl_response *response);
void ctl_http_free(struct ctl_response *response);

// Appends value to text, percent-encoded (RFC 3986 §2.1). 0 or -E2BIG.
int ctl_http_encode(char *text, size_t text_bytes, const char *value);
