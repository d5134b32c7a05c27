// SPDX-License-Identifier: Apache-2.0
#pragma once

// The four forms of a request target (RFC 9112 §3.2) and the syntax of an authority.

#include <stdbool.h>
#include <stdint.h>

#include "l7/http1_head.h"

// Takes apart head->target, whose bytes are in HTTP1_SCAN_TARGET, by its form, which must be one that
// head->method may have.
enum http1_reason http1_target_parse(const uint8_t *raw, struct http1_head *head);

// Host and perhaps a port (RFC 3986 §3.2.2), the host not empty, no user information.
bool http1_target_is_authority(const uint8_t *raw, struct http1_text text);
