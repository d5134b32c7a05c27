// SPDX-License-Identifier: Apache-2.0
#pragma once

// Why packets are dropped, in a sentence per drop node, with what to look at.

#include <stddef.h>

// The part of a drop node's name after this is the reason.
#define DROP_HELP_PREFIX "drop_"

// The sentence for a reason, or NULL. tests/unit/drop_help_test.c sees that every drop node has one.
const char *drop_help_find(const char *reason);

// All reasons, for that test: NULL past the end.
const char *drop_help_reason(size_t idx);
