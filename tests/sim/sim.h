// SPDX-License-Identifier: Apache-2.0
#pragma once

// A small world that runs in virtual time: hosts with a TCP of their own, HTTP programs on them, a
// network that loses, doubles and reorders, and between client and server hosts a splice. Everything that
// happens follows from a scenario and a seed, so a failure can be played again, with a trace.

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sim_host;
struct sim_node;
struct sim_request;
struct sim_scenario;

// What has to happen at a time. Events of the same time run in the order they were asked for.
struct sim_event {
	uint64_t at_us;
	uint64_t order;
	void (*run)(void *arg);
	void *arg;
};

enum {
	SIM_MAX_CLIENTS = 64,
	SIM_MAX_SETS = 4,
	SIM_MAX_ENDPOINTS = 16,
	SIM_FAILURE_LEN = 512,
};

struct sim {
	uint64_t now_us;
	uint64_t random;
	uint64_t n_events_made;
	struct sim_event *events; // a heap
	uint32_t n_events;
	uint32_t max_events;
	uint64_t n_steps;
	uint64_t n_segments;

	const struct sim_scenario *scenario;
	struct sim_host *clients[SIM_MAX_CLIENTS];
	struct sim_host *servers[SIM_MAX_ENDPOINTS];
	uint32_t n_servers;
	struct sim_node *node; // NULL: clients talk to servers without anything between
	struct sim_request **requests;
	uint32_t n_requests;
	uint32_t max_requests;
	uint64_t slowest_us;	  // answer
	uint32_t n_open_requests; // asked for and neither answered nor given up

	bool trace;
	bool hostile; // somebody forges segments: what hosts refuse is no fault of the splice
	bool failed;
	char failure[SIM_FAILURE_LEN];
};

// Pseudo-random numbers: the world's only source of chance.
uint64_t sim_random(struct sim *sim);
uint32_t sim_below(struct sim *sim, uint32_t bound);		    // 0 to bound - 1; 0 for 0
uint32_t sim_between(struct sim *sim, uint32_t low, uint32_t high); // both included
bool sim_chance(struct sim *sim, uint32_t permille);

void sim_at(struct sim *sim, uint64_t at_us, void (*run)(void *arg), void *arg);
// Runs the next event. False: there is none, or the world has failed.
bool sim_step(struct sim *sim);

// Keeps the first failure and stops the world.
void sim_fail(struct sim *sim, const char *format, ...) __attribute__((format(printf, 2, 3)));
// Says something in the trace, if there is one.
void sim_say(struct sim *sim, const char *format, ...) __attribute__((format(printf, 2, 3)));

// malloc and friends that abort: a test without memory proves nothing.
void *sim_alloc(size_t size); // zeroed
void *sim_realloc(void *old, size_t size);
