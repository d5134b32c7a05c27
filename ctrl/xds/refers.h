// SPDX-License-Identifier: Apache-2.0
#pragma once

// The names that a resource refers to, read from its bytes alone: of a resource that was refused they are asked for
// all the same, since servers leave a request without an answer that does not name everything they have.

#include <stddef.h>
#include <stdint.h>

#include "ctrl/xds/resource.h"

enum {
	REFERS_MAX = 1024, // names that are told of one resource
};

// name is text of 1 to STORE_MAX_NAME_LEN bytes, without a NUL at its end; the same name may come more than once.
typedef void (*refers_fn)(void *arg, enum xds_type type, const char *name, size_t len);

// As far as the bytes can be read.
void refers_find(
	enum xds_type type, const uint8_t *bytes, size_t n_bytes, refers_fn found_fn, void *arg);
