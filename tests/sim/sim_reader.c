// SPDX-License-Identifier: Apache-2.0

#include <stdlib.h>
#include <string.h>

#include "tests/sim/sim_http.h"

enum {
	MAX_LINE = 128 * 1024,
};

static void end_message(struct sim_reader *reader)
{
	reader->state = SIM_READ_HEAD;
	reader->line.len = 0;
	reader->program->end(reader->ctx);
}

static void break_off(struct sim_reader *reader)
{
	reader->state = SIM_READ_BROKEN;
	reader->program->malformed(reader->ctx);
}

static void take_head(struct sim_reader *reader)
{
	uint32_t len = 0;
	struct sim_text head = reader->line;

	reader->line = (struct sim_text){0};
	switch (reader->program->head(reader->ctx, head.data, head.len, &len)) {
	case SIM_NO_BODY:
		end_message(reader);
		break;
	case SIM_LENGTH:
		reader->left = len;
		reader->state = SIM_READ_BODY;
		if (!len)
			end_message(reader);
		break;
	case SIM_CHUNKED:
		reader->state = SIM_READ_SIZE;
		break;
	case SIM_UNTIL_CLOSE:
	case SIM_TUNNEL:
		reader->state = SIM_READ_REST;
		break;
	case SIM_MALFORMED:
		break_off(reader);
		break;
	}
	free(head.data);
}

// Empty lines before a request line are no part of it (RFC 9112 §2.2).
static bool is_empty_line(const struct sim_text *line)
{
	return line->len == 2 && memcmp(line->data, "\r\n", 2) == 0;
}

static bool is_astray(const struct sim_reader *reader)
{
	const char *begins = reader->program->begins;
	const struct sim_text *line = &reader->line;

	return begins && line->len >= strlen(begins) &&
	       memcmp(line->data, begins, strlen(begins)) != 0;
}

static uint32_t read_head(struct sim_reader *reader, const uint8_t *data, uint32_t len)
{
	struct sim_text *line = &reader->line;
	uint32_t n = 0;

	while (n < len) {
		sim_text_add(line, data + n++, 1);
		if (is_empty_line(line)) {
			line->len = 0;
		} else if (line->len >= 4 &&
			   memcmp(line->data + line->len - 4, "\r\n\r\n", 4) == 0) {
			reader->head_end = reader->n_read + n;
			take_head(reader);
			return n;
		} else if (line->len > MAX_LINE || is_astray(reader)) {
			break_off(reader);
			return n;
		}
	}
	return n;
}

// True: the line is whole, without its CRLF and with a zero at its end.
static bool read_line(struct sim_reader *reader, const uint8_t *data, uint32_t len, uint32_t *n)
{
	struct sim_text *line = &reader->line;

	for (*n = 0; *n < len;) {
		sim_text_add(line, data + (*n)++, 1);
		if (line->len >= 2 && memcmp(line->data + line->len - 2, "\r\n", 2) == 0) {
			line->data[line->len - 2] = 0;
			return true;
		}
	}
	return false;
}

static void take_size(struct sim_reader *reader)
{
	char *end;

	reader->left = (uint32_t)strtoul((const char *)reader->line.data, &end, 16);
	reader->line.len = 0;
	if (end == (const char *)reader->line.data || (*end && *end != ';'))
		break_off(reader);
	else
		reader->state = reader->left ? SIM_READ_CHUNK : SIM_READ_TRAILER;
}

static uint32_t read_body(struct sim_reader *reader, const uint8_t *data, uint32_t len)
{
	uint32_t n = reader->state == SIM_READ_REST || len < reader->left ? len : reader->left;

	reader->program->wire(reader->ctx, n);
	reader->program->body(reader->ctx, data, n);
	if (reader->state == SIM_READ_REST)
		return n;
	reader->left -= n;
	if (!reader->left && reader->state == SIM_READ_CHUNK)
		reader->state = SIM_READ_CHUNK_END;
	else if (!reader->left)
		end_message(reader);
	return n;
}

static uint32_t read_framing(struct sim_reader *reader, const uint8_t *data, uint32_t len)
{
	uint32_t n;
	bool whole = read_line(reader, data, len, &n);

	reader->program->wire(reader->ctx, n);
	if (!whole)
		return n;
	if (reader->state == SIM_READ_SIZE) {
		take_size(reader);
	} else if (reader->state == SIM_READ_CHUNK_END) {
		reader->state = SIM_READ_SIZE;
		if (reader->line.len != 2)
			break_off(reader);
		reader->line.len = 0;
	} else if (reader->line.len == 2) {
		end_message(reader);
	} else {
		reader->line.len = 0;
	}
	return n;
}

void sim_reader_feed(struct sim_reader *reader, const uint8_t *data, uint32_t len)
{
	while (len && !reader->stopped && reader->state != SIM_READ_BROKEN) {
		uint32_t n;

		if (reader->state == SIM_READ_HEAD)
			n = read_head(reader, data, len);
		else if (reader->state == SIM_READ_BODY || reader->state == SIM_READ_CHUNK ||
			 reader->state == SIM_READ_REST)
			n = read_body(reader, data, len);
		else
			n = read_framing(reader, data, len);
		reader->n_read += n;
		data += n;
		len -= n;
	}
}
