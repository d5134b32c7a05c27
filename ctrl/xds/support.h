// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the node does with each field of each message that a server may send: the table that resources are checked
// against before they are decoded, and that docs/xds-support.md is printed from. A decoder reads fields that are
// honoured here and no others, so a capability that is added is a changed line in the table and its decoding.
// Fields that are not in the table are unknown: skipped.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum support_how {
	SUPPORT_HONOURED,
	SUPPORT_COUNTED, // does nothing here, and would not change where a request goes
	SUPPORT_REFUSED, // would
};

struct support_message;

struct support_field {
	uint32_t number;
	const char *name; // ends with "[]" when it is repeated
	enum support_how how;
	const struct support_message
		*message; // whose fields are looked at, too; NULL: of text or numbers
	const char *note; // for the page; NULL: none
};

struct support_message {
	const char *name; // as published
	uint32_t n_fields;
	const struct support_field *fields; // by rising number
};

// Messages that stand in an Any, or are a resource.
extern const struct support_message support_listener;
extern const struct support_message support_http_manager;
extern const struct support_message support_router;
extern const struct support_message support_tcp_proxy;
extern const struct support_message support_routes;
extern const struct support_message support_filter_config;
extern const struct support_message support_cluster;
extern const struct support_message support_http_options;
extern const struct support_message support_round_robin;
extern const struct support_message support_least_request;
extern const struct support_message support_random;
extern const struct support_message support_wrr_locality;
extern const struct support_message support_assignment;
extern const struct support_message support_secret;
// Parts of several.
extern const struct support_message support_address;
extern const struct support_message support_additional_address;
extern const struct support_message support_any;
extern const struct support_message support_config_source;
extern const struct support_message support_data_source;
extern const struct support_message support_metadata;
extern const struct support_message support_protocol_options;
extern const struct support_message support_socket;
extern const struct support_message support_typed_entry;
// Bytes that nobody looks into here.
extern const struct support_message support_opaque;

enum {
	SUPPORT_MAX_FIELDS = 1 << 20, // of one resource, with all that it holds
	SUPPORT_PATH_BYTES = 256,
};

// Where a walk found something.
struct support_at;

// The path of it in its message, "routes[2].match.grpc"; the first function leaves the indexes out.
void support_at_field(const struct support_at *at, char path[SUPPORT_PATH_BYTES]);
void support_at_item(const struct support_at *at, char path[SUPPORT_PATH_BYTES]);

struct support_walk {
	// Told of every field that is set and counted or refused. What it returns ends the walk unless 0.
	int (*found)(struct support_walk *walk, const struct support_field *field,
		const struct support_at *at);
	// Told of a text that is not UTF-8, or has a NUL in it. Likewise.
	int (*garbled)(struct support_walk *walk, const struct support_at *at);
	uint32_t n_fields; // so far, over all messages of a resource
};

// Looks through a message as it came. Returns 0, what found() or garbled() returned, -EBADMSG (no message) or -E2BIG
// (more than SUPPORT_MAX_FIELDS).
int support_walk(struct support_walk *walk, const struct support_message *message,
	const uint8_t *bytes, size_t n_bytes);

// The text in a field at the top of a message, as far as that is sound; not empty of NULs or the like. False: none.
bool support_find_text(const uint8_t *bytes, size_t n_bytes, uint32_t number, const uint8_t **text,
	size_t *text_len);

// The table as a page of Markdown. NULL with errno ENOMEM; the caller frees it.
char *support_page(void);
