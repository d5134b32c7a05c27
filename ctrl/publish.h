// SPDX-License-Identifier: Apache-2.0
#pragma once

// Compile and swap: reads the configuration file and compiles it aside on a helper thread,
// publishes the new snapshot with one store, and destroys the old one after a grace period. What is compiled is the
// file with a layer on it; either changes without the other. What is refused changes nothing.

#include "pipeline/compile/compile.h"

struct ctrl;
struct publish;

// The outcome of a reload or of a layer; text is the refusal or, when it went live, what takes effect only at a
// restart ("" when nothing does); origin says what was refused (NULL: the whole), until the call returns. Called on
// the control core's loop.
struct publish_result {
	int ret;	     // 0 or -errno
	uint64_t generation; // of the live snapshot
	double load_ms;	     // reading and checking the file
	double compile_ms;
	const char *text;
	const struct spec_origin *origin;
};
typedef void (*publish_done_fn)(const struct publish_result *result, void *arg);

// Compiles the first snapshot here and now, and publishes it. ctrl->spec and ports are set. NULL when
// refused.
struct publish *publish_create(struct ctrl *ctrl, struct refusal *refusal);
// Waits for a compile in flight; the last snapshot goes with it. Workers must have stopped.
void publish_destroy(struct publish *publish);

// Reloads the file. done_fn (may be NULL) is called once. Reloads that come while one is in flight are
// served by one more, after it.
void publish_reload(struct publish *publish, publish_done_fn done_fn, void *arg);

// Compiles the file with another layer (its reference is taken over; NULL: none). The newest wins: for a layer that
// a later one overtook before its compile began, done_fn is called with -ECANCELED. A refused layer leaves
// the one before; so does a file that contradicts the layer. done_fn is called once.
void publish_set_layer(
	struct publish *publish, struct spec_layer *layer, publish_done_fn done_fn, void *arg);

// The outcome of the last reload; all zero and "" before any.
const struct publish_result *publish_last_result(const struct publish *publish);

// Takes up a change of learned default routers: recompiles the live spec with them (copied).
void publish_set_routers(
	struct publish *publish, const struct learned_router *routers, uint32_t n_routers);
