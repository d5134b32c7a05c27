// SPDX-License-Identifier: Apache-2.0

#include "l7/domain_table.h"

#include <stdlib.h>
#include <string.h>

#include "l7/spec.h"

enum {
	// Of a longer host, domains cannot tell more than this much of either end.
	MAX_SEEN = L7_MAX_DOMAIN_LEN + 1,
};

enum domain_kind {
	DOMAIN_EXACT,
	DOMAIN_SUFFIX,
	DOMAIN_PREFIX,
	DOMAIN_ANY,
};

static uint8_t lower(uint8_t c)
{
	return (uint8_t)(c + ((uint8_t)(c - 'A') < 26 ? 'a' - 'A' : 0));
}

static void copy_lower(uint8_t *to, const uint8_t *from, uint32_t len)
{
	for (uint32_t i = 0; i < len; i++)
		to[i] = lower(from[i]);
}

static void copy_lower_reversed(uint8_t *to, const uint8_t *from, uint32_t len)
{
	for (uint32_t i = 0; i < len; i++)
		to[i] = lower(from[len - 1 - i]);
}

static int compare_keys(const void *a, const void *b)
{
	const struct radix_key *x = a, *y = b;

	return radix_compare(x->text, x->text_len, y->text, y->text_len);
}

static enum domain_kind kind_of(const char *domain, size_t len)
{
	if (domain[0] == '*')
		return len == 1 ? DOMAIN_ANY : DOMAIN_SUFFIX;
	return len > 0 && domain[len - 1] == '*' ? DOMAIN_PREFIX : DOMAIN_EXACT;
}

// The domains of one kind in order, without their wildcard and as hosts are looked up: in lower case,
// suffixes from behind. Returns how many there are. text has room for all of them.
static uint32_t collect(const struct domain_key *keys, uint32_t n_keys, enum domain_kind kind,
	struct radix_key *out, uint8_t *text)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < n_keys; i++) {
		const uint8_t *domain = (const uint8_t *)keys[i].domain;
		uint32_t len = (uint32_t)strlen(keys[i].domain);

		if (kind_of(keys[i].domain, len) != kind)
			continue;
		if (kind == DOMAIN_SUFFIX)
			copy_lower_reversed(text, domain + 1, --len);
		else
			copy_lower(text, domain, kind == DOMAIN_EXACT ? len : --len);
		out[n++] =
			(struct radix_key){.text = text, .text_len = len, .value = keys[i].value};
		text += len;
	}
	if (n > 0)
		qsort(out, n, sizeof(*out), compare_keys);
	return n;
}

static void build_exact(struct domain_table *table, struct block_builder *builder,
	const struct radix_key *keys, uint32_t n_keys)
{
	struct text_key *texts = malloc((n_keys + 1) * sizeof(*texts));

	if (texts == NULL) {
		builder->failed = true;
		return;
	}
	for (uint32_t i = 0; i < n_keys; i++)
		texts[i] = (struct text_key){.text = (const char *)keys[i].text,
			.text_len = keys[i].text_len,
			.value = keys[i].value};
	table->n_exact = n_keys;
	text_table_build(&table->exact, builder, texts, n_keys);
	free(texts);
}

void domain_table_build(struct domain_table *table, struct block_builder *builder,
	const struct domain_key *keys, uint32_t n_keys)
{
	struct radix_key *sorted = malloc((n_keys + 1) * sizeof(*sorted));
	size_t text_bytes = 1;
	uint8_t *text;

	for (uint32_t i = 0; i < n_keys; i++)
		text_bytes += strlen(keys[i].domain);
	text = malloc(text_bytes);
	if (sorted == NULL || text == NULL) {
		builder->failed = true;
	} else {
		build_exact(
			table, builder, sorted, collect(keys, n_keys, DOMAIN_EXACT, sorted, text));
		table->suffixes = radix_build(builder, &table->radix, sorted,
			collect(keys, n_keys, DOMAIN_SUFFIX, sorted, text));
		table->prefixes = radix_build(builder, &table->radix, sorted,
			collect(keys, n_keys, DOMAIN_PREFIX, sorted, text));
	}
	table->any = DOMAIN_NONE;
	for (uint32_t i = 0; i < n_keys; i++)
		if (strcmp(keys[i].domain, "*") == 0)
			table->any = keys[i].value;
	free(sorted);
	free(text);
}

// The longest text of a tree that is shorter than what is looked up.
static uint32_t find_longest(const struct domain_table *table, const struct block *block,
	uint32_t root, const uint8_t *text, uint32_t len)
{
	struct radix_walk walk = {.node = root};
	uint32_t longest = DOMAIN_NONE;

	for (;;) {
		uint32_t value = radix_next(block, &table->radix, &walk, text, len);

		if (value == RADIX_NONE || walk.pos == len)
			return longest;
		longest = value;
	}
}

uint32_t domain_table_find(const struct domain_table *table, const struct block *block,
	const uint8_t *host, uint32_t host_len)
{
	uint32_t len = host_len < MAX_SEEN ? host_len : MAX_SEEN;
	uint8_t text[MAX_SEEN];
	uint32_t found = DOMAIN_NONE;

	if (table->n_exact > 0) {
		copy_lower(text, host, len);
		found = text_table_find(&table->exact, block, 0, text, len);
	}
	if (found == DOMAIN_NONE && table->suffixes != RADIX_NONE) {
		copy_lower_reversed(text, host + host_len - len, len);
		found = find_longest(table, block, table->suffixes, text, len);
	}
	if (found == DOMAIN_NONE && table->prefixes != RADIX_NONE) {
		copy_lower(text, host, len);
		found = find_longest(table, block, table->prefixes, text, len);
	}
	return found == DOMAIN_NONE ? table->any : found;
}
