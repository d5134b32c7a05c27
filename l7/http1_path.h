// SPDX-License-Identifier: Apache-2.0
#pragma once

// The path of a request target in its normal form, so that routes and endpoints read the same in it (RFC 3986 §6.2.2).
// What is done beyond that RFC is what Envoy's settings of the same names do: '\' counts as '/', adjacent slashes can
// be merged, escaped ones unescaped. What is normal stays as it is when it is made so again.

#include <stdbool.h>
#include <stdint.h>

// Bits.
enum http1_path_rule {
	// No dot segments; what needs no escape has none (§6.2.2.2), what needs one has it; '\' becomes '/'. Other escapes
	// stay as written.
	HTTP1_PATH_NORMALIZE = 1 << 0,
	HTTP1_PATH_MERGE_SLASHES = 1 << 1,
	HTTP1_PATH_UNESCAPE_SLASHES = 1 << 2, // %2F and %5C, before the others
};

enum {
	HTTP1_PATH_GROWTH = 3, // a byte becomes %XX
};

// Whether any rule could change a path. It is quick, and sometimes says true for nothing.
bool http1_path_may_change(const uint8_t *path, uint32_t len);

// Writes a path that begins with '/', without its query, to out, which has room for len * HTTP1_PATH_GROWTH bytes.
// Returns its new length, at least 1, or -EBADMSG: NORMALIZE, and there is a %00. *unescaped: whether an escaped slash
// was.
int http1_path_normalize(
	const uint8_t *path, uint32_t len, uint8_t rules, uint8_t *out, bool *unescaped);
