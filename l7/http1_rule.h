// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a listener makes of request heads before it routes them (l7/http1_normal.h).

// Bits, named as Envoy names its settings.
enum http1_rule {
	HTTP1_RULE_NORMALIZE_PATH = 1 << 0, // l7/http1_path.h
	HTTP1_RULE_MERGE_SLASHES = 1 << 1,
	// An escaped slash or backslash in the path: one of these, or it stays.
	HTTP1_RULE_REJECT_ESCAPED_SLASHES = 1 << 2,
	HTTP1_RULE_REDIRECT_ESCAPED_SLASHES = 1 << 3, // to the path without escapes
	HTTP1_RULE_UNESCAPE_SLASHES = 1 << 4,
	// A field with '_' in its name, which some endpoints take for '-': one of these, or it stays.
	HTTP1_RULE_REJECT_UNDERSCORES = 1 << 5,
	HTTP1_RULE_DROP_UNDERSCORES = 1 << 6,
};
