// SPDX-License-Identifier: Apache-2.0
#pragma once

// Follows a chunked body (RFC 9112 §7.1) and its trailers through a connection, to know where it ends.
// Resumable at any byte. Sizes are at most INT64_MAX in at most 16 digits, nothing but a semicolon parts
// them from extensions, which are printable ASCII, lines end in CRLF, trailers are field lines as strict
// as a head's.

#include <stdint.h>

#include "l7/http1_reason.h"

enum {
	HTTP1_CHUNK_MAX_LINE = 256,	 // bytes of a chunk-size line with its extensions
	HTTP1_CHUNK_MAX_TRAILERS = 8192, // bytes of a trailer section
};

enum http1_chunk_part {
	HTTP1_CHUNK_DATA,
	HTTP1_CHUNK_FRAMING, // size lines, the CRLF behind data, trailers
	HTTP1_CHUNK_END,
};

// All zero at a body's start.
struct http1_chunk {
	uint64_t left;	    // of the size read so far, or of the chunk's data
	uint32_t n_section; // bytes of this size line or of the trailers
	uint8_t state;
	uint8_t n_digits;
	uint8_t n_letters; // of this trailer's name, digits included
	uint8_t suspects;  // forbidden names that this trailer's may still become, as bits
};

_Static_assert(sizeof(struct http1_chunk) <= 24, "kept per flow");

// Consumes the longest run of one part and says in *part what it is. Returns the bytes consumed, 0 only
// for len 0 or HTTP1_CHUNK_END: the body ended right before data[0]. Or -EBADMSG, -E2BIG with *reason.
int http1_chunk_feed(struct http1_chunk *chunk, const uint8_t *data, uint32_t len,
	enum http1_chunk_part *part, enum http1_reason *reason);

// Bytes of data that follow now, before the next framing. Feeding no more than these does not read them:
// data may be anything then.
uint64_t http1_chunk_room(const struct http1_chunk *chunk);
