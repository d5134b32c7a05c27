// SPDX-License-Identifier: Apache-2.0
#pragma once

// Long answers: lists of rows, written a few milliseconds at a time, so that the loop goes on in
// between, and no faster than the client reads. All rows are of one generation: when another snapshot
// goes live meanwhile, the answer ends with an "error" member beside the lists, and the client asks again.

#include <jansson.h>

struct reply;

enum stream_step {
	STREAM_ROW,	// *row is a new reference, or NULL: out of memory
	STREAM_NOTHING, // no row yet; to be called again
	STREAM_END,
	STREAM_CHANGED, // what it walks through is not as it was: as with another generation
};

struct stream_list {
	const char *key;
	enum stream_step (*next_fn)(void *cursor, json_t **row);
};

// Answers {"generation": n, key: [rows], ...}. cursor is freed with free(); NULL: out of memory.
void stream_send(
	struct reply *reply, const struct stream_list *lists, unsigned int n_lists, void *cursor);
