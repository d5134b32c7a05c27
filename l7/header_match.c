// SPDX-License-Identifier: Apache-2.0

#include "l7/header_match.h"

#include <string.h>

#include "l7/http1_head.h"

enum subject {
	SUBJECT_FIELD,
	SUBJECT_METHOD,
	SUBJECT_AUTHORITY,
	SUBJECT_PATH,
};

// How far the pieces of a value, as they come, agree with the wanted one.
struct value_match {
	const uint8_t *wanted;
	uint32_t wanted_len;
	uint32_t pos;
	bool is_prefix; // what follows the wanted value does not matter
	bool differs;
};

static uint8_t lower(uint8_t c)
{
	return (uint8_t)(c + ((uint8_t)(c - 'A') < 26 ? 'a' - 'A' : 0));
}

// Envoy has the Host field under the name ":authority", and finds it under both.
static enum subject subject_of(const char *name)
{
	if (strcmp(name, ":method") == 0)
		return SUBJECT_METHOD;
	if (strcmp(name, ":path") == 0)
		return SUBJECT_PATH;
	if (strcmp(name, ":authority") == 0 || strcmp(name, "host") == 0)
		return SUBJECT_AUTHORITY;
	return SUBJECT_FIELD;
}

void header_match_add(struct block_builder *builder, uint32_t part, uint32_t text_part,
	const struct header_match_spec *spec)
{
	char name[L7_MAX_NAME_LEN + 1];
	uint32_t name_len = (uint32_t)strlen(spec->name);
	struct header_match match = {
		.name_len = name_len, .type = (uint8_t)spec->type, .invert = spec->invert};

	for (uint32_t i = 0; i <= name_len; i++)
		name[i] = (char)lower((uint8_t)spec->name[i]);
	match.subject = (uint8_t)subject_of(name);
	match.name_off = block_add(builder, text_part, name, name_len);
	if (spec->type != HEADER_PRESENT) {
		match.value_len = (uint32_t)strlen(spec->value);
		match.value_off = block_add(builder, text_part, spec->value, match.value_len);
	}
	block_add(builder, part, &match, sizeof(match));
}

static void feed(struct value_match *m, const uint8_t *piece, uint32_t len)
{
	uint32_t left = m->wanted_len - m->pos;

	if (len > left) {
		m->differs |= !m->is_prefix;
		len = left;
	}
	m->differs |= memcmp(m->wanted + m->pos, piece, len) != 0;
	m->pos += len;
}

static bool is_named(const struct header_match *match, const uint8_t *wanted, const uint8_t *name,
	uint32_t name_len)
{
	if (name_len != match->name_len)
		return false;
	for (uint32_t i = 0; i < name_len; i++)
		if (lower(name[i]) != wanted[i])
			return false;
	return true;
}

static bool feed_fields(const struct header_match *match, const uint8_t *wanted, const uint8_t *raw,
	const struct http1_head *head, struct value_match *m)
{
	bool found = false;

	for (uint32_t i = 0; i < head->n_fields; i++) {
		const struct http1_field *field = &head->fields[i];

		if (!is_named(match, wanted, raw + field->name.off, field->name.len))
			continue;
		if (found)
			feed(m, (const uint8_t *)",", 1);
		feed(m, raw + field->value.off, field->value.len);
		found = true;
	}
	return found;
}

// Returns whether there is such a header at all.
static bool feed_subject(const struct header_match *match, const uint8_t *texts, const uint8_t *raw,
	const struct http1_head *head, struct value_match *m)
{
	switch ((enum subject)match->subject) {
	case SUBJECT_METHOD:
		feed(m, raw + head->method_text.off, head->method_text.len);
		return true;
	case SUBJECT_AUTHORITY:
		feed(m, raw + head->authority.off, head->authority.len);
		return head->authority.len > 0;
	case SUBJECT_PATH:
		// An absolute-form target without a path asks for "/", whatever query follows.
		if (head->path_len == 0)
			feed(m, (const uint8_t *)"/", 1);
		feed(m, raw + head->path.off, head->path.len);
		return true;
	case SUBJECT_FIELD:
		break;
	}
	return feed_fields(match, texts + match->name_off, raw, head, m);
}

bool header_match_test(const struct header_match *match, const uint8_t *texts, const uint8_t *raw,
	const struct http1_head *head)
{
	struct value_match m = {
		.wanted = texts + match->value_off,
		.wanted_len = match->value_len,
		.is_prefix = match->type != HEADER_EXACT,
	};
	bool found = feed_subject(match, texts, raw, head, &m);
	bool invert = match->invert != 0;

	if (match->type == HEADER_PRESENT)
		return found != invert;
	return found && (!m.differs && m.pos == m.wanted_len) != invert;
}
