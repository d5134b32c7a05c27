// SPDX-License-Identifier: Apache-2.0

#include "tests/sim/sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *sim_alloc(size_t size)
{
	void *memory = calloc(1, size ? size : 1);

	if (!memory)
		abort();
	return memory;
}

void *sim_realloc(void *old, size_t size)
{
	void *memory = realloc(old, size ? size : 1);

	if (!memory)
		abort();
	return memory;
}

// SplitMix64.
uint64_t sim_random(struct sim *sim)
{
	uint64_t z = sim->random += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

uint32_t sim_below(struct sim *sim, uint32_t bound)
{
	return bound ? (uint32_t)((sim_random(sim) >> 32) * bound >> 32) : 0;
}

uint32_t sim_between(struct sim *sim, uint32_t low, uint32_t high)
{
	return high > low ? low + sim_below(sim, high - low + 1) : low;
}

bool sim_chance(struct sim *sim, uint32_t permille)
{
	return permille && sim_below(sim, 1000) < permille;
}

static bool is_earlier(const struct sim_event *a, const struct sim_event *b)
{
	return a->at_us != b->at_us ? a->at_us < b->at_us : a->order < b->order;
}

static void swap(struct sim_event *a, struct sim_event *b)
{
	struct sim_event kept = *a;

	*a = *b;
	*b = kept;
}

void sim_at(struct sim *sim, uint64_t at_us, void (*run)(void *arg), void *arg)
{
	uint32_t i = sim->n_events++;

	if (sim->n_events > sim->max_events) {
		sim->max_events = sim->max_events * 2 + 64;
		sim->events = sim_realloc(sim->events, sim->max_events * sizeof(*sim->events));
	}
	sim->events[i] = (struct sim_event){
		.at_us = at_us > sim->now_us ? at_us : sim->now_us,
		.order = sim->n_events_made++,
		.run = run,
		.arg = arg,
	};
	for (; i > 0 && is_earlier(&sim->events[i], &sim->events[(i - 1) / 2]); i = (i - 1) / 2)
		swap(&sim->events[i], &sim->events[(i - 1) / 2]);
}

static struct sim_event take_earliest(struct sim *sim)
{
	struct sim_event earliest = sim->events[0];
	uint32_t i = 0, child;

	sim->events[0] = sim->events[--sim->n_events];
	while ((child = 2 * i + 1) < sim->n_events) {
		if (child + 1 < sim->n_events &&
			is_earlier(&sim->events[child + 1], &sim->events[child]))
			child++;
		if (!is_earlier(&sim->events[child], &sim->events[i]))
			break;
		swap(&sim->events[child], &sim->events[i]);
		i = child;
	}
	return earliest;
}

bool sim_step(struct sim *sim)
{
	struct sim_event event;

	if (sim->failed || !sim->n_events)
		return false;
	event = take_earliest(sim);
	sim->now_us = event.at_us;
	sim->n_steps++;
	event.run(event.arg);
	return !sim->failed;
}

void sim_fail(struct sim *sim, const char *format, ...)
{
	va_list args;
	int len;

	if (sim->failed)
		return;
	sim->failed = true;
	len = snprintf(sim->failure, sizeof(sim->failure), "%.6f s: ", (double)sim->now_us / 1e6);
	va_start(args, format);
	vsnprintf(sim->failure + len, sizeof(sim->failure) - (size_t)len, format, args);
	va_end(args);
	sim_say(sim, "FAILED %s", sim->failure);
}

void sim_say(struct sim *sim, const char *format, ...)
{
	va_list args;

	if (!sim->trace)
		return;
	printf("%11.6f  ", (double)sim->now_us / 1e6);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
}
