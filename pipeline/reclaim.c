// SPDX-License-Identifier: Apache-2.0

#include "pipeline/reclaim.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/queue.h>

#include <rte_rcu_qsbr.h>

struct waiting {
	STAILQ_ENTRY(waiting) next;
	void *object;
	reclaim_free_fn free_fn;
	uint64_t token;
};

struct reclaim {
	struct rte_rcu_qsbr *qsbr;
	pthread_mutex_t lock;
	STAILQ_HEAD(, waiting) queue; // tokens only grow: the head is due first
	size_t n_waiting;
};

struct reclaim *reclaim_create(struct rte_rcu_qsbr *qsbr)
{
	struct reclaim *reclaim = calloc(1, sizeof(*reclaim));

	if (reclaim == NULL)
		return NULL;
	reclaim->qsbr = qsbr;
	pthread_mutex_init(&reclaim->lock, NULL);
	STAILQ_INIT(&reclaim->queue);
	return reclaim;
}

// Takes the head if it is due, or whatever is there when all is due. The object is freed without the lock:
// freeing a snapshot gives up further objects.
static bool free_head(struct reclaim *reclaim, bool all_due)
{
	struct waiting *waiting;

	pthread_mutex_lock(&reclaim->lock);
	waiting = STAILQ_FIRST(&reclaim->queue);
	if (waiting != NULL && !all_due &&
		rte_rcu_qsbr_check(reclaim->qsbr, waiting->token, false) != 1)
		waiting = NULL;
	if (waiting != NULL) {
		STAILQ_REMOVE_HEAD(&reclaim->queue, next);
		reclaim->n_waiting--;
	}
	pthread_mutex_unlock(&reclaim->lock);
	if (waiting == NULL)
		return false;
	waiting->free_fn(waiting->object);
	free(waiting);
	return true;
}

void reclaim_destroy(struct reclaim *reclaim)
{
	if (reclaim == NULL)
		return;
	while (free_head(reclaim, true))
		;
	pthread_mutex_destroy(&reclaim->lock);
	free(reclaim);
}

void reclaim_later(struct reclaim *reclaim, void *object, reclaim_free_fn free_fn)
{
	struct waiting *waiting;

	if (object == NULL)
		return;
	if (reclaim->qsbr == NULL) {
		free_fn(object);
		return;
	}
	waiting = malloc(sizeof(*waiting));
	if (waiting == NULL) {
		rte_rcu_qsbr_synchronize(reclaim->qsbr, RTE_QSBR_THRID_INVALID);
		free_fn(object);
		return;
	}
	waiting->object = object;
	waiting->free_fn = free_fn;
	pthread_mutex_lock(&reclaim->lock);
	waiting->token = rte_rcu_qsbr_start(reclaim->qsbr);
	STAILQ_INSERT_TAIL(&reclaim->queue, waiting, next);
	reclaim->n_waiting++;
	pthread_mutex_unlock(&reclaim->lock);
}

size_t reclaim_poll(struct reclaim *reclaim)
{
	size_t n_waiting;

	while (free_head(reclaim, false))
		;
	pthread_mutex_lock(&reclaim->lock);
	n_waiting = reclaim->n_waiting;
	pthread_mutex_unlock(&reclaim->lock);
	return n_waiting;
}
