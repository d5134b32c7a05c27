// SPDX-License-Identifier: Apache-2.0
#pragma once

// The bytes of a stream on their way to becoming messages: a flag, a length, then the message, over as many DATA
// frames as the server likes. What nobody wants yet stays as it came; what belongs to the message that is
// being put together is copied once, into memory of its announced length.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct evbuffer;

enum {
	GRPC_PREFIX_LEN = 5,
};

struct grpc_inbox {
	struct evbuffer *raw;
	uint64_t filled_us; // when the first byte of raw came
	uint64_t added_us;  // when the last one did
	uint32_t max_message_bytes;
	uint8_t prefix[GRPC_PREFIX_LEN];
	uint32_t prefix_len; // of it, so far
	uint32_t message_len;
	uint32_t message_have;
	uint8_t *message;
	uint64_t message_us; // when its last byte came; with more behind it, at the earliest
};

// 0 or -ENOMEM.
int grpc_inbox_init(struct grpc_inbox *inbox, uint32_t max_message_bytes);
void grpc_inbox_fini(struct grpc_inbox *inbox);

// 0 or -ENOMEM.
int grpc_inbox_add(struct grpc_inbox *inbox, const uint8_t *bytes, size_t n_bytes);

// Takes raw bytes until there is a message: 1, and it is inbox->message, message_len bytes, until
// grpc_inbox_drop(). 0: more is needed. -EBADMSG: compressed. -E2BIG: message_len is over the limit. -ENOMEM. n_taken:
// raw bytes that are gone, also on failure.
int grpc_inbox_next(struct grpc_inbox *inbox, size_t *n_taken);
void grpc_inbox_drop(struct grpc_inbox *inbox);

// Between two messages, with nothing raw left.
bool grpc_inbox_is_empty(const struct grpc_inbox *inbox);
