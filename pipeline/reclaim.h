// SPDX-License-Identifier: Apache-2.0
#pragma once

// Deferred freeing over rte_rcu_qsbr: what workers may still read is freed once each of them has been
// quiescent. Nothing here blocks; the control core polls from a timer.

#include <stdbool.h>
#include <stddef.h>

struct rte_rcu_qsbr;
struct reclaim;

typedef void (*reclaim_free_fn)(void *object);

// qsbr may be NULL (no workers yet, unit tests, --check): then objects are freed at once. NULL with
// errno ENOMEM.
struct reclaim *reclaim_create(struct rte_rcu_qsbr *qsbr);
// Frees everything that still waits: only when no worker runs any more.
void reclaim_destroy(struct reclaim *reclaim);

// Frees object with free_fn after a grace period that begins now. Thread-safe on the control side.
// Without memory to remember it, waits for the grace period here: at most one burst of each worker.
void reclaim_later(struct reclaim *reclaim, void *object, reclaim_free_fn free_fn);

// Frees what is due. Returns how many objects still wait.
size_t reclaim_poll(struct reclaim *reclaim);
