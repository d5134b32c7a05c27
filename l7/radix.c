// SPDX-License-Identifier: Apache-2.0

// Built breadth first: a node is a run of the sorted keys that agree up to some byte. Its own bytes are what
// its first and last key have in common from there on; the key that ends with them gives its value; the rest
// of the run falls into one child for each next byte.

#include "l7/radix.h"

#include <stdlib.h>
#include <string.h>

struct radix_node {
	uint32_t text_off;
	uint32_t text_len;
	uint32_t labels_off; // the children's first bytes
	uint32_t n_children;
	uint32_t first_child;
	uint32_t value;
};

// The keys of a node that waits to be built.
struct run {
	uint32_t first;
	uint32_t end;
	uint32_t depth; // bytes that its parents have compared
};

struct build {
	struct block_builder *builder;
	const struct radix_parts *parts;
	const struct radix_key *keys;
	struct run *runs; // by node of this tree
	uint32_t n_runs;
	uint32_t base; // node number of runs[0]
};

int radix_compare(const uint8_t *a, uint32_t a_len, const uint8_t *b, uint32_t b_len)
{
	uint32_t len = a_len < b_len ? a_len : b_len;
	int order = len == 0 ? 0 : memcmp(a, b, len);

	if (order != 0)
		return order;
	return a_len < b_len ? -1 : a_len > b_len;
}

static uint32_t common_len(const struct radix_key *a, const struct radix_key *b)
{
	uint32_t len = 0;

	while (len < a->text_len && len < b->text_len && a->text[len] == b->text[len])
		len++;
	return len;
}

// Queues one child for each next byte of the run's keys, and writes down these bytes.
static void split_run(struct build *b, struct radix_node *node, const struct run *run,
	uint32_t first, uint32_t depth)
{
	node->first_child = b->base + b->n_runs;
	for (uint32_t i = first; i < run->end; i++) {
		const uint8_t *label = &b->keys[i].text[depth];
		uint32_t off;

		if (i > first && *label == b->keys[i - 1].text[depth]) {
			b->runs[b->n_runs - 1].end++;
			continue;
		}
		off = block_add(b->builder, b->parts->texts, label, 1);
		if (node->n_children++ == 0)
			node->labels_off = off;
		b->runs[b->n_runs++] = (struct run){.first = i, .end = i + 1, .depth = depth};
	}
}

static void build_node(struct build *b, const struct run *run)
{
	const struct radix_key *first = &b->keys[run->first];
	uint32_t depth = common_len(first, &b->keys[run->end - 1]);
	struct radix_node node = {.text_len = depth - run->depth, .value = RADIX_NONE};
	bool ends = first->text_len == depth;

	node.text_off =
		block_add(b->builder, b->parts->texts, first->text + run->depth, node.text_len);
	if (ends)
		node.value = first->value;
	split_run(b, &node, run, run->first + (ends ? 1 : 0), depth);
	block_add(b->builder, b->parts->nodes, &node, sizeof(node));
}

uint32_t radix_build(struct block_builder *builder, const struct radix_parts *parts,
	const struct radix_key *keys, uint32_t n_keys)
{
	struct build b = {.builder = builder, .parts = parts, .keys = keys};

	if (n_keys == 0)
		return RADIX_NONE;
	b.base = (uint32_t)(builder->parts[parts->nodes].n_bytes / sizeof(struct radix_node));
	// A node has a key of its own or at least two children.
	b.runs = malloc(2 * (size_t)n_keys * sizeof(*b.runs));
	if (b.runs == NULL) {
		builder->failed = true;
		return RADIX_NONE;
	}
	b.runs[b.n_runs++] = (struct run){.end = n_keys};
	for (uint32_t i = 0; i < b.n_runs; i++)
		build_node(&b, &(struct run){b.runs[i].first, b.runs[i].end, b.runs[i].depth});
	free(b.runs);
	return b.base;
}

void radix_fetch_root(const struct block *block, const struct radix_parts *parts, uint32_t root)
{
	const struct radix_node *nodes = block_part(block, parts->nodes);

	if (root != RADIX_NONE)
		__builtin_prefetch(&nodes[root]);
}

void radix_fetch_text(const struct block *block, const struct radix_parts *parts, uint32_t root)
{
	const struct radix_node *nodes = block_part(block, parts->nodes);
	const uint8_t *texts = block_part(block, parts->texts);

	if (root != RADIX_NONE)
		__builtin_prefetch(texts + nodes[root].text_off);
}

// The child that the byte leads to, or RADIX_NONE.
static uint32_t find_child(const struct radix_node *node, const uint8_t *texts, uint8_t byte)
{
	const uint8_t *labels = texts + node->labels_off;

	for (uint32_t i = 0; i < node->n_children; i++)
		if (labels[i] == byte)
			return node->first_child + i;
	return RADIX_NONE;
}

uint32_t radix_next(const struct block *block, const struct radix_parts *parts,
	struct radix_walk *walk, const uint8_t *text, uint32_t text_len)
{
	const struct radix_node *nodes = block_part(block, parts->nodes);
	const uint8_t *texts = block_part(block, parts->texts);

	while (walk->node != RADIX_NONE) {
		const struct radix_node *node = &nodes[walk->node];

		if (text_len - walk->pos < node->text_len ||
			memcmp(texts + node->text_off, text + walk->pos, node->text_len) != 0) {
			walk->node = RADIX_NONE;
			break;
		}
		walk->pos += node->text_len;
		walk->node = walk->pos == text_len ? RADIX_NONE
						   : find_child(node, texts, text[walk->pos]);
		if (node->value != RADIX_NONE)
			return node->value;
	}
	return RADIX_NONE;
}
