// SPDX-License-Identifier: Apache-2.0
#include "ctrl/xds/grpc_inbox.h"

#include <event2/buffer.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static uint64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

int grpc_inbox_init(struct grpc_inbox *inbox, uint32_t max_message_bytes)
{
	*inbox = (struct grpc_inbox){.max_message_bytes = max_message_bytes};
	inbox->raw = evbuffer_new();
	return inbox->raw == NULL ? -ENOMEM : 0;
}

void grpc_inbox_fini(struct grpc_inbox *inbox)
{
	grpc_inbox_drop(inbox);
	if (inbox->raw != NULL)
		evbuffer_free(inbox->raw);
}

int grpc_inbox_add(struct grpc_inbox *inbox, const uint8_t *bytes, size_t n_bytes)
{
	inbox->added_us = now_us();
	if (evbuffer_get_length(inbox->raw) == 0)
		inbox->filled_us = inbox->added_us;
	return evbuffer_add(inbox->raw, bytes, n_bytes) == 0 ? 0 : -ENOMEM;
}

static uint32_t take(struct grpc_inbox *inbox, uint8_t *to, uint32_t n_wanted, size_t *n_taken)
{
	const int n = evbuffer_remove(inbox->raw, to, n_wanted);

	if (n <= 0)
		return 0;
	*n_taken += (size_t)n;
	return (uint32_t)n;
}

static int begin_message(struct grpc_inbox *inbox)
{
	const uint8_t *p = inbox->prefix;

	inbox->message_len =
		(uint32_t)p[1] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 8 | p[4];
	if (p[0] != 0)
		return -EBADMSG;
	if (inbox->message_len > inbox->max_message_bytes)
		return -E2BIG;
	// Pages that a server announces and never fills are never touched.
	inbox->message = malloc(inbox->message_len > 0 ? inbox->message_len : 1);
	inbox->message_have = 0;
	return inbox->message == NULL ? -ENOMEM : 0;
}

int grpc_inbox_next(struct grpc_inbox *inbox, size_t *n_taken)
{
	*n_taken = 0;
	if (inbox->message == NULL) {
		inbox->prefix_len += take(inbox, inbox->prefix + inbox->prefix_len,
			GRPC_PREFIX_LEN - inbox->prefix_len, n_taken);
		if (inbox->prefix_len < GRPC_PREFIX_LEN)
			return 0;

		const int rc = begin_message(inbox);

		if (rc != 0)
			return rc;
	}
	inbox->message_have += take(inbox, inbox->message + inbox->message_have,
		inbox->message_len - inbox->message_have, n_taken);
	inbox->message_us =
		evbuffer_get_length(inbox->raw) == 0 ? inbox->added_us : inbox->filled_us;
	return inbox->message_have == inbox->message_len;
}

void grpc_inbox_drop(struct grpc_inbox *inbox)
{
	free(inbox->message);
	inbox->message = NULL;
	inbox->prefix_len = 0;
}

bool grpc_inbox_is_empty(const struct grpc_inbox *inbox)
{
	return inbox->prefix_len == 0 && evbuffer_get_length(inbox->raw) == 0;
}
