// SPDX-License-Identifier: Apache-2.0

// The thread of publish_job.h. It lives as long as the control core: starting one for each job would cost more than
// a small change takes to compile.

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "ctrl/publish_job.h"

STAILQ_HEAD(job_queue, publish_job);

struct publish_thread {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t posted;
	struct job_queue to_do;
	struct job_queue done;
	bool stopping;
	int done_fd;
};

static struct publish_job *take_head(struct job_queue *queue)
{
	struct publish_job *job = STAILQ_FIRST(queue);

	if (job != NULL)
		STAILQ_REMOVE_HEAD(queue, next);
	return job;
}

// Waits for a job. NULL: there will be none.
static struct publish_job *next_job(struct publish_thread *thread)
{
	struct publish_job *job;

	pthread_mutex_lock(&thread->lock);
	while (STAILQ_EMPTY(&thread->to_do) && !thread->stopping)
		pthread_cond_wait(&thread->posted, &thread->lock);
	job = take_head(&thread->to_do);
	pthread_mutex_unlock(&thread->lock);
	return job;
}

static void tell_done(struct publish_thread *thread, struct publish_job *job)
{
	ssize_t n;

	pthread_mutex_lock(&thread->lock);
	STAILQ_INSERT_TAIL(&thread->done, job, next);
	pthread_mutex_unlock(&thread->lock);
	do
		n = write(thread->done_fd, "", 1);
	while (n < 0 && errno == EINTR);
}

static void *run(void *arg)
{
	struct publish_thread *thread = arg;

	for (;;) {
		struct publish_job *job = next_job(thread);

		if (job == NULL)
			return NULL;
		publish_job_run(job);
		tell_done(thread, job);
	}
}

struct publish_thread *publish_thread_create(int done_fd)
{
	struct publish_thread *thread = calloc(1, sizeof(*thread));
	int ret;

	if (thread == NULL)
		return NULL;
	thread->done_fd = done_fd;
	STAILQ_INIT(&thread->to_do);
	STAILQ_INIT(&thread->done);
	pthread_mutex_init(&thread->lock, NULL);
	pthread_cond_init(&thread->posted, NULL);
	ret = pthread_create(&thread->thread, NULL, run, thread);
	if (ret == 0)
		return thread;
	pthread_cond_destroy(&thread->posted);
	pthread_mutex_destroy(&thread->lock);
	free(thread);
	errno = ret;
	return NULL;
}

void publish_thread_destroy(struct publish_thread *thread)
{
	if (thread == NULL)
		return;
	pthread_mutex_lock(&thread->lock);
	thread->stopping = true;
	pthread_cond_signal(&thread->posted);
	pthread_mutex_unlock(&thread->lock);
	pthread_join(thread->thread, NULL);
	for (struct publish_job *job = take_head(&thread->done); job != NULL;
		job = take_head(&thread->done))
		publish_job_destroy(job);
	pthread_cond_destroy(&thread->posted);
	pthread_mutex_destroy(&thread->lock);
	free(thread);
}

void publish_thread_post(struct publish_thread *thread, struct publish_job *job)
{
	pthread_mutex_lock(&thread->lock);
	STAILQ_INSERT_TAIL(&thread->to_do, job, next);
	pthread_cond_signal(&thread->posted);
	pthread_mutex_unlock(&thread->lock);
}

struct publish_job *publish_thread_take(struct publish_thread *thread)
{
	struct publish_job *job;

	pthread_mutex_lock(&thread->lock);
	job = take_head(&thread->done);
	pthread_mutex_unlock(&thread->lock);
	return job;
}
