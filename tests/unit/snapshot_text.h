// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a snapshot says of services, as text and by names: two snapshots with one text do the same, whatever slots their
// things have.

#include "pipeline/snapshot.h"

enum {
	SNAPSHOT_TEXT_BYTES = 1 << 16,
};

struct snapshot_text {
	char bytes[SNAPSHOT_TEXT_BYTES];
	size_t n;
};

// Clusters are called "c0", "c1" and so on, listeners "l0", "l1"; virtual addresses are 10.9.0.x and 10.8.0.1.
void snapshot_text_write(struct snapshot_text *text, const struct snapshot *s, uint32_t n_clusters,
	uint32_t n_listeners);
