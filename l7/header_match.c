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

enum header_match_option {
	OPTION_IGNORE_CASE = 1 << 0,
	OPTION_MISSING_AS_EMPTY = 1 << 1,
};

// How far the pieces of a value, as they come, agree with the wanted one.
struct value_match {
	const struct header_match *match;
	const uint8_t *wanted; // in lower case, if that is to be ignored
	uint32_t pos;
	bool differs;
	bool is_found; // HEADER_CONTAINS
	bool is_fed;   // HEADER_RANGE
	int64_t number;
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

// For each beginning of a text the longest end of it that is a beginning, too, shorter than itself: what still agrees
// when the next byte does not (Knuth, Morris, Pratt).
static void add_borders(
	struct block_builder *builder, uint32_t text_part, const uint8_t *text, uint32_t len)
{
	uint16_t borders[L7_MAX_HEADER_VALUE_LEN];

	for (uint32_t i = 0, border = 0; i < len; i++) {
		while (i > 0 && border > 0 && text[i] != text[border])
			border = borders[border - 1];
		border += i > 0 && text[i] == text[border];
		borders[i] = (uint16_t)border;
	}
	block_add(builder, text_part, borders, len * sizeof(borders[0]));
}

static void add_value(struct block_builder *builder, uint32_t text_part,
	const struct header_match_spec *spec, struct header_match *match)
{
	uint8_t text[L7_MAX_HEADER_VALUE_LEN];

	match->value_len = (uint32_t)strlen(spec->value);
	for (uint32_t i = 0; i < match->value_len; i++)
		text[i] = spec->ignore_case ? lower((uint8_t)spec->value[i])
					    : (uint8_t)spec->value[i];
	match->value_off = block_add(builder, text_part, text, match->value_len);
	if (spec->type == HEADER_SUFFIX || spec->type == HEADER_CONTAINS)
		add_borders(builder, text_part, text, match->value_len);
}

void header_match_add(struct block_builder *builder, uint32_t part, uint32_t text_part,
	const struct header_match_spec *spec)
{
	const int64_t ends[] = {spec->range_start, spec->range_end};
	char name[L7_MAX_NAME_LEN + 1];
	uint32_t name_len = (uint32_t)strlen(spec->name);
	struct header_match match = {.name_len = name_len,
		.type = (uint8_t)spec->type,
		.invert = spec->invert,
		.options = (uint8_t)((spec->ignore_case ? OPTION_IGNORE_CASE : 0) |
				     (spec->missing_as_empty ? OPTION_MISSING_AS_EMPTY : 0))};

	for (uint32_t i = 0; i <= name_len; i++)
		name[i] = (char)lower((uint8_t)spec->name[i]);
	match.subject = (uint8_t)subject_of(name);
	match.name_off = block_add(builder, text_part, name, name_len);
	if (spec->type == HEADER_RANGE)
		match.value_off = block_add(builder, text_part, ends, sizeof(ends));
	else if (spec->type != HEADER_PRESENT)
		add_value(builder, text_part, spec, &match);
	block_add(builder, part, &match, sizeof(match));
}

static uint8_t fold(const struct value_match *m, uint8_t c)
{
	return m->match->options & OPTION_IGNORE_CASE ? lower(c) : c;
}

static void compare(struct value_match *m, const uint8_t *piece, uint32_t len)
{
	const uint8_t *wanted = m->wanted + m->pos;
	uint32_t left = m->match->value_len - m->pos;

	if (len > left) {
		m->differs |= m->match->type == HEADER_EXACT;
		len = left;
	}
	m->pos += len;
	if (!(m->match->options & OPTION_IGNORE_CASE)) {
		m->differs |= memcmp(wanted, piece, len) != 0;
		return;
	}
	for (uint32_t i = 0; i < len; i++)
		m->differs |= lower(piece[i]) != wanted[i];
}

static uint32_t border_of(const struct value_match *m, uint32_t len)
{
	uint16_t border;

	memcpy(&border, m->wanted + m->match->value_len + (len - 1) * sizeof(border),
		sizeof(border));
	return border;
}

// pos: so much of the wanted value is at the end of what came.
static void search(struct value_match *m, const uint8_t *piece, uint32_t len)
{
	const uint32_t wanted_len = m->match->value_len;

	for (uint32_t i = 0; i < len && wanted_len > 0; i++) {
		const uint8_t c = fold(m, piece[i]);

		while (m->pos > 0 && (m->pos == wanted_len || m->wanted[m->pos] != c))
			m->pos = border_of(m, m->pos);
		m->pos += m->wanted[m->pos] == c;
		m->is_found |= m->pos == wanted_len;
	}
}

// A value of several pieces has a ',' or '/' between them, and is no number.
static void read_number(struct value_match *m, const uint8_t *piece, uint32_t len)
{
	const bool is_negative = len > 0 && piece[0] == '-';
	uint32_t i = is_negative || (len > 0 && piece[0] == '+');

	m->differs |= i == len;
	m->is_fed = true;
	for (; i < len && !m->differs; i++) {
		const uint8_t digit = (uint8_t)(piece[i] - '0');

		m->differs = digit > 9 || __builtin_mul_overflow(m->number, 10, &m->number) ||
			     (is_negative ? __builtin_sub_overflow(m->number, digit, &m->number)
					  : __builtin_add_overflow(m->number, digit, &m->number));
	}
}

static void feed(struct value_match *m, const uint8_t *piece, uint32_t len)
{
	switch ((enum header_match_type)m->match->type) {
	case HEADER_PRESENT:
		break;
	case HEADER_EXACT:
	case HEADER_PREFIX:
		compare(m, piece, len);
		break;
	case HEADER_SUFFIX:
	case HEADER_CONTAINS:
		search(m, piece, len);
		break;
	case HEADER_RANGE:
		read_number(m, piece, len);
		break;
	}
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

static bool agrees(const struct value_match *m)
{
	const uint32_t wanted_len = m->match->value_len;
	int64_t ends[2];

	switch ((enum header_match_type)m->match->type) {
	case HEADER_PRESENT:
		break;
	case HEADER_EXACT:
	case HEADER_PREFIX:
		return !m->differs && m->pos == wanted_len;
	case HEADER_SUFFIX:
		return m->pos == wanted_len;
	case HEADER_CONTAINS:
		return m->is_found || wanted_len == 0;
	case HEADER_RANGE:
		memcpy(ends, m->wanted, sizeof(ends));
		return m->is_fed && !m->differs && m->number >= ends[0] && m->number < ends[1];
	}
	return true;
}

bool header_match_test(const struct header_match *match, const uint8_t *texts, const uint8_t *raw,
	const struct http1_head *head)
{
	struct value_match m = {.match = match, .wanted = texts + match->value_off};
	bool found = feed_subject(match, texts, raw, head, &m) ||
		     (match->options & OPTION_MISSING_AS_EMPTY);
	bool invert = match->invert != 0;

	if (match->type == HEADER_PRESENT)
		return found != invert;
	return found && agrees(&m) != invert;
}
