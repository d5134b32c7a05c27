// SPDX-License-Identifier: Apache-2.0

// Lines wait in a ring under a mutex that is held for a copy, never for a write: a journal that does not
// read costs lines, not the control core's time.

#include "ctrl/log.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
	MAX_TEXT_LEN = 1023, // longer lines are cut
	QUEUE_LINES = 512,
};

struct line {
	struct timespec when;
	enum log_level level;
	char text[MAX_TEXT_LEN + 1];
};

struct queue {
	pthread_mutex_t lock;
	pthread_cond_t wakeup;
	pthread_t thread;
	bool running;
	bool stopping;
	uint32_t head; // count lines, wrap around
	uint32_t tail;
	uint64_t n_dropped; // since the last line that was queued
	struct line lines[QUEUE_LINES];
};

static struct queue queue = {
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.wakeup = PTHREAD_COND_INITIALIZER,
};
static _Atomic int max_level = LOG_LEVEL_INFO;

static const char *const level_names[] = {
	[LOG_LEVEL_ERROR] = "error",
	[LOG_LEVEL_WARNING] = "warning",
	[LOG_LEVEL_NOTICE] = "notice",
	[LOG_LEVEL_INFO] = "info",
	[LOG_LEVEL_DEBUG] = "debug",
};

static void write_all(const char *bytes, size_t n_bytes)
{
	while (n_bytes > 0) {
		ssize_t n = write(STDERR_FILENO, bytes, n_bytes);

		if (n < 0 && errno == EAGAIN)
			poll(&(struct pollfd){.fd = STDERR_FILENO, .events = POLLOUT}, 1, -1);
		else if (n < 0 && errno != EINTR)
			return;
		if (n > 0) {
			bytes += n;
			n_bytes -= (size_t)n;
		}
	}
}

static void write_line(const struct line *line)
{
	char out[MAX_TEXT_LEN + 64];
	struct tm tm;
	int n;

	if (!isatty(STDERR_FILENO)) {
		n = snprintf(out, sizeof(out), "<%d>%s\n", line->level, line->text);
	} else {
		localtime_r(&line->when.tv_sec, &tm);
		n = snprintf(out, sizeof(out), "%02d:%02d:%02d.%03ld %-7s %s\n", tm.tm_hour,
			tm.tm_min, tm.tm_sec, line->when.tv_nsec / 1000000,
			level_names[line->level], line->text);
	}
	write_all(out, (size_t)n);
}

// One event is one line: what came from a packet or a file must not begin another.
static void fill_line(struct line *line, enum log_level level, const char *fmt, va_list args)
{
	clock_gettime(CLOCK_REALTIME, &line->when);
	line->level = level;
	vsnprintf(line->text, sizeof(line->text), fmt, args);
	for (char *c = line->text; *c != '\0'; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?';
}

static void write_dropped(uint64_t n_dropped)
{
	struct line line = {.level = LOG_LEVEL_WARNING};

	clock_gettime(CLOCK_REALTIME, &line.when);
	snprintf(line.text, sizeof(line.text), "log: lines dropped n=%ju", (uintmax_t)n_dropped);
	write_line(&line);
}

static void *run(void *arg)
{
	struct line line;
	uint64_t n_dropped;

	(void)arg;
	pthread_mutex_lock(&queue.lock);
	while (!queue.stopping || queue.head != queue.tail) {
		if (queue.head == queue.tail) {
			pthread_cond_wait(&queue.wakeup, &queue.lock);
			continue;
		}
		line = queue.lines[queue.tail++ % QUEUE_LINES];
		// Dropped lines came after all that were in the queue.
		n_dropped = queue.head == queue.tail ? queue.n_dropped : 0;
		queue.n_dropped -= n_dropped;
		pthread_mutex_unlock(&queue.lock);
		write_line(&line);
		if (n_dropped > 0)
			write_dropped(n_dropped);
		pthread_mutex_lock(&queue.lock);
	}
	pthread_mutex_unlock(&queue.lock);
	return NULL;
}

int log_start(void)
{
	int ret;

	pthread_mutex_lock(&queue.lock);
	queue.stopping = false;
	ret = queue.running ? EALREADY : pthread_create(&queue.thread, NULL, run, NULL);
	if (ret == 0)
		queue.running = true;
	pthread_mutex_unlock(&queue.lock);
	return -ret;
}

void log_stop(void)
{
	pthread_mutex_lock(&queue.lock);
	if (!queue.running) {
		pthread_mutex_unlock(&queue.lock);
		return;
	}
	queue.stopping = true;
	pthread_cond_signal(&queue.wakeup);
	pthread_mutex_unlock(&queue.lock);
	pthread_join(queue.thread, NULL);
	pthread_mutex_lock(&queue.lock);
	queue.running = false;
	pthread_mutex_unlock(&queue.lock);
}

void log_set_level(enum log_level level)
{
	atomic_store_explicit(&max_level, (int)level, memory_order_relaxed);
}

int log_level_from_name(const char *text)
{
	for (int level = LOG_LEVEL_ERROR; level <= LOG_LEVEL_DEBUG; level++)
		if (strcmp(level_names[level], text) == 0)
			return level;
	return -1;
}

void log_set_level_name(const char *text)
{
	int level = text == NULL ? -1 : log_level_from_name(text);

	log_set_level(level < 0 ? LOG_LEVEL_INFO : (enum log_level)level);
}

// False when there is no thread that would write it.
static bool enqueue(const struct line *line)
{
	bool running;

	pthread_mutex_lock(&queue.lock);
	running = queue.running && !queue.stopping;
	if (running && queue.head - queue.tail < QUEUE_LINES)
		queue.lines[queue.head++ % QUEUE_LINES] = *line;
	else if (running)
		queue.n_dropped++;
	pthread_cond_signal(&queue.wakeup);
	pthread_mutex_unlock(&queue.lock);
	return running;
}

void log_write(enum log_level level, const char *fmt, ...)
{
	struct line line;
	va_list args;

	if ((int)level > atomic_load_explicit(&max_level, memory_order_relaxed))
		return;
	va_start(args, fmt);
	fill_line(&line, level, fmt, args);
	va_end(args);
	if (!enqueue(&line))
		write_line(&line);
}
