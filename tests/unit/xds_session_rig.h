// SPDX-License-Identifier: Apache-2.0
#pragma once

// A session with a hand-moved clock and a stream of paper: tests say what the server sends, in a line, and read what
// the node sends, as a line.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ctrl/xds/session.h"
#include "ctrl/xds/store.h"

enum {
	RIG_MAX_SENT = 64,
	RIG_LINE_BYTES = 2048,
	RIG_MAX_MESSAGE = 65536,
};

struct rig {
	struct xds_spec spec;
	struct store *store;
	struct session *session;
	uint64_t now_ms;
	char sent[RIG_MAX_SENT][RIG_LINE_BYTES]; // lines that were not expected yet
	uint32_t n_sent;
	char reset[128];      // "": the stream goes on
	char lost_secret[32]; // "": none
	uint32_t n_decoded;
	uint32_t n_changed;
	uint32_t slice; // resources until the session returns to the loop; 0: never
	uint32_t n_until_due;
	char changes[RIG_LINE_BYTES]; // "cluster a, endpoints e1": what the store had to tell
};

// A time before any other in the tests.
#define RIG_START_MS 1000

struct rig *rig_create(enum xds_protocol protocol);
void rig_destroy(struct rig *rig);

// For cmocka: a rig as the state of a test.
int rig_setup_sotw(void **state);
int rig_setup_delta(void **state);
int rig_teardown(void **state);

void rig_up(struct rig *rig);
void rig_down(struct rig *rig);

// A response. resources are words: a name, followed by any of
//   >NAME what it refers to (refused ones: >A,B)    @MS its time-out, 15000 unless given    !WHY the node refuses it    :TEXT contents
//   ~MS its time to live       =  no body, a heartbeat                ^VERSION its own
// -NAME is one that was removed, ?NAME one that the server cannot give.
size_t rig_pack(struct rig *rig, enum xds_type type, const char *version, const char *nonce,
	const char *resources, uint8_t *bytes);
void rig_answer(struct rig *rig, enum xds_type type, const char *version, const char *nonce,
	const char *resources);
void rig_receive(struct rig *rig, const uint8_t *bytes, size_t n_bytes);

// Lets time pass, in steps of the session's deadlines.
void rig_wait(struct rig *rig, uint64_t ms);

// The next request must be this one: "cluster v=1 n=A [a b] NACK 3: why", "node" at its end when it has one; of the
// incremental protocol: "cluster +[a b] -[c] have[a=1] n=A".
void rig_expect(struct rig *rig, const char *line);
void rig_expect_silence(struct rig *rig);
// What changed in the store since it was asked last, in order.
void rig_expect_changes(struct rig *rig, const char *changes);

const struct xds_entry *rig_entry(struct rig *rig, enum xds_type type, const char *name);
// Contents of the held resource; NULL: none is held.
const char *rig_held(struct rig *rig, enum xds_type type, const char *name);
