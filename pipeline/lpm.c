// SPDX-License-Identifier: Apache-2.0

// The trie. Call a prefix that covers no other one a base prefix; there are m of them among n routes.
// Base prefixes are disjoint, so a trie over them alone has each as one leaf; the other prefixes are
// found from there by the chain of covers. A node stands for a run of the sorted routes. Its position
// is the first bit in which the base prefixes of the run differ (the bits before are skipped), its
// stride says how many bits from there on pick a slot. A slot that no base prefix reaches holds the
// longest prefix that covers all of it, a base prefix shorter than the bits that pick a slot holds
// several.
//
// Why climbing from the wrong leaf finds the right answer: let an address part from the leaf's bits
// at bit d. A prefix of at most d bits that covers the address covers the leaf, so it is in the chain.
// A longer one would have a base prefix below it which differs from the leaf at d, and which the walk
// could not tell from the leaf before d: then d would not have been skipped.
//
// Memory. A node with c children (counted once, however many slots they hold) has at most 4(c - 1)
// slots. The sum of c - 1 over the nodes of a tree with m leaves is m - 1, so there are less than 4m
// slots: 32 bytes a route, and 32 for its leaf. The root may have 64 more, so that most lookups in a
// small table take one step.
//
// A slot, from the low bit: 6 bits shift and 1 bit word (1: hi) say where the bits are that pick the
// child, 24 bits from bit 8 are the mask of those bits, the upper half is the place of the first
// child, in words from the table's own start. A leaf has an empty lower half: the same arithmetic that
// leads to a child leads to the leaf. A node's bits do not cross from hi to lo.

#include "pipeline/lpm.h"

#include <rte_branch_prediction.h>
#include <rte_common.h>

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>

enum {
	LPM_MAX_ROUTES = 1 << 26,
	LPM_MAX_STRIDE = 24,
	LPM_MAX_BULK = 256,
	ROOT_EXTRA_SLOTS = 64,
	SLOT_WORD_HI = 1 << 6,
	SLOT_MASK_SHIFT = 8,
	SLOT_PLACE_SHIFT = 32,
	LEAF_WORDS = sizeof(struct lpm_leaf) / sizeof(uint64_t),
	HEAD_WORDS = sizeof(struct lpm) / sizeof(uint64_t),
	NOT_BASE = 255, // in builder.fork
	HUGE_PAGE_BYTES = 2 << 20,
	CACHE_LINE_BYTES = 64,
};

static_assert(sizeof(struct lpm_leaf) == 32, "half a cache line");
static_assert(sizeof(struct lpm) == 32, "leaves do not straddle cache lines");

// The top n bits, n in 0..64. A table, as no shift by 64 exists and what avoids it costs more.
#define TOP_BITS(n) ~(UINT64_MAX >> (n))
#define TOP_BITS_4(n) TOP_BITS(n), TOP_BITS(n + 1), TOP_BITS(n + 2), TOP_BITS(n + 3)
#define TOP_BITS_16(n) TOP_BITS_4(n), TOP_BITS_4(n + 4), TOP_BITS_4(n + 8), TOP_BITS_4(n + 12)
static const uint64_t LEN_MASKS[65] = {
	TOP_BITS_16(0), TOP_BITS_16(16), TOP_BITS_16(32), TOP_BITS_16(48), UINT64_MAX};

struct builder {
	const struct lpm_route *routes; // routes[i] is leaf i + 1
	uint32_t n_routes;
	uint8_t *fork; // per route: first bit in which the next route differs; or NOT_BASE
	struct lpm *lpm;
};

// The routes [begin, end) below one slot, or all. The last of a run is a base prefix.
struct run {
	uint32_t begin;
	uint32_t end;
};

struct node {
	uint32_t first_base;
	unsigned int pos;
	unsigned int stride; // 0: a leaf
};

static inline bool covers4(const struct lpm_leaf *leaf, uint64_t hi)
{
	return ((leaf->hi ^ hi) & LEN_MASKS[leaf->hi_len]) == 0;
}

// One test for both halves: a branch on the length would be mispredicted where /64 and /128 mix.
static inline bool covers6(const struct lpm_leaf *leaf, uint64_t hi, uint64_t lo)
{
	uint64_t hi_diff = (leaf->hi ^ hi) & LEN_MASKS[leaf->hi_len];
	uint64_t lo_diff = (leaf->lo ^ lo) & LEN_MASKS[leaf->lo_len];

	return (hi_diff | lo_diff) == 0;
}

static inline uint64_t leaf_slot(uint32_t leaf)
{
	return (uint64_t)(HEAD_WORDS + leaf * LEAF_WORDS) << SLOT_PLACE_SHIFT;
}

static inline bool slot_is_node(uint64_t slot)
{
	return (uint32_t)slot != 0;
}

static inline uint64_t slot_bits(uint64_t slot, uint64_t hi, uint64_t lo)
{
	uint64_t word = slot & SLOT_WORD_HI ? hi : lo;

	return word >> (slot & 63) & (uint32_t)slot >> SLOT_MASK_SHIFT;
}

// From a node's slot to the slot of its child, from a leaf's slot to the leaf.
static inline const void *follow(const struct lpm *lpm, uint64_t slot, uint64_t hi, uint64_t lo)
{
	return (const uint64_t *)lpm + (slot >> SLOT_PLACE_SHIFT) + slot_bits(slot, hi, lo);
}

static int compare_routes(const void *a, const void *b)
{
	const struct lpm_route *x = a, *y = b;

	if (x->hi != y->hi)
		return x->hi < y->hi ? -1 : 1;
	if (x->lo != y->lo)
		return x->lo < y->lo ? -1 : 1;
	return (int)x->len - (int)y->len;
}

void lpm_sort(struct lpm_route *routes, size_t n_routes)
{
	if (n_routes > 1)
		qsort(routes, n_routes, sizeof(*routes), compare_routes);
}

static inline uint8_t hi_len(uint8_t len)
{
	return len < 64 ? len : 64;
}

static inline uint8_t lo_len(uint8_t len)
{
	return len < 64 ? 0 : len - 64;
}

static bool route_is_valid(const struct lpm_route *route)
{
	return route->len <= 128 && (route->hi & ~LEN_MASKS[hi_len(route->len)]) == 0 &&
	       (route->lo & ~LEN_MASKS[lo_len(route->len)]) == 0;
}

static int check_routes(const struct lpm_route *routes, size_t n_routes)
{
	if (n_routes > LPM_MAX_ROUTES)
		return E2BIG;
	for (size_t i = 0; i < n_routes; i++) {
		int order = i == 0 ? -1 : compare_routes(&routes[i - 1], &routes[i]);

		if (order > 0 || !route_is_valid(&routes[i]))
			return EINVAL;
		if (order == 0)
			return EEXIST;
	}
	return 0;
}

// leaves has room for one more than routes.
static void fill_leaves(struct lpm_leaf *leaves, const struct lpm_route *routes, uint32_t n_routes)
{
	leaves[0] = (struct lpm_leaf){.dest = LPM_NO_ROUTE};
	for (uint32_t i = 1; i <= n_routes; i++) {
		const struct lpm_route *route = &routes[i - 1];
		uint32_t cover = i - 1;

		while (!covers6(&leaves[cover], route->hi, route->lo))
			cover = leaves[cover].cover;
		leaves[i] = (struct lpm_leaf){
			.hi = route->hi,
			.lo = route->lo,
			.dest = route->dest,
			.cover = cover,
			.hi_len = hi_len(route->len),
			.lo_len = lo_len(route->len),
		};
	}
}

// The first bit in which the addresses differ; 128 when none does.
static unsigned int first_difference(const struct lpm_route *a, const struct lpm_route *b)
{
	if (a->hi != b->hi)
		return (unsigned int)__builtin_clzll(a->hi ^ b->hi);
	return a->lo != b->lo ? 64 + (unsigned int)__builtin_clzll(a->lo ^ b->lo) : 128;
}

static void fill_forks(uint8_t *fork, const struct lpm_route *routes, size_t n_routes)
{
	for (size_t i = 0; i + 1 < n_routes; i++) {
		unsigned int bit = first_difference(&routes[i], &routes[i + 1]);

		fork[i] = bit >= routes[i].len ? NOT_BASE : (uint8_t)bit;
	}
}

// The largest stride that is dense enough, and no larger than what tells all base prefixes apart.
static unsigned int choose_stride(const struct builder *b, struct run run, struct node node)
{
	bool is_root = run.end - run.begin == b->n_routes;
	uint32_t n_forks[LPM_MAX_STRIDE + 1] = {0}; // the last counts what lies further on
	unsigned int max = RTE_MIN(64 - node.pos % 64, (unsigned int)LPM_MAX_STRIDE), best = 1;
	uint32_t n_base = 1, n_children = 1;

	for (uint32_t i = node.first_base; i + 1 < run.end; i++) {
		if (b->fork[i] == NOT_BASE)
			continue;
		n_forks[RTE_MIN(b->fork[i] - node.pos, (unsigned int)LPM_MAX_STRIDE)]++;
		n_base++;
	}
	for (unsigned int stride = 1; stride <= max && n_children < n_base; stride++) {
		n_children += n_forks[stride - 1];
		if (1ull << stride <= 4ull * (n_children - 1) + (is_root ? ROOT_EXTRA_SLOTS : 0))
			best = stride;
	}
	return best;
}

static struct node make_node(const struct builder *b, struct run run)
{
	struct node node = {.first_base = run.begin};

	while (node.first_base + 1 < run.end && b->fork[node.first_base] == NOT_BASE)
		node.first_base++;
	if (node.first_base + 1 == run.end)
		return node;
	node.pos = first_difference(&b->routes[node.first_base], &b->routes[run.end - 1]);
	node.stride = choose_stride(b, run, node);
	return node;
}

// The routes at the head of rest that lie within one slot of a node whose slots end at n_bits.
static struct run child_run(const struct builder *b, struct run rest, unsigned int n_bits)
{
	struct run child = {rest.begin, rest.begin + 1};

	while (child.end < rest.end && b->fork[child.end - 1] >= n_bits)
		child.end++;
	return child;
}

static uint64_t count_slots(const struct builder *b, struct run run)
{
	struct node node = make_node(b, run);
	unsigned int n_bits = node.pos + node.stride;
	uint64_t n_slots = 1ull << node.stride;

	if (node.stride == 0)
		return 0;
	while (run.begin < run.end) {
		struct run child = {run.begin, run.begin + 1};

		if (b->routes[run.begin].len > n_bits) {
			child = child_run(b, run, n_bits);
			n_slots += count_slots(b, child);
		}
		run.begin = child.end;
	}
	return n_slots;
}

static uint64_t node_slot(struct node node, uint32_t place)
{
	unsigned int shift = 64 - node.pos % 64 - node.stride;
	uint64_t mask = (1u << node.stride) - 1;

	return (uint64_t)place << SLOT_PLACE_SHIFT | mask << SLOT_MASK_SHIFT |
	       (node.pos < 64 ? SLOT_WORD_HI : 0) | shift;
}

static void fill_slots(uint64_t *slots, uint32_t n_slots, uint64_t slot)
{
	for (uint32_t i = 0; i < n_slots; i++)
		slots[i] = slot;
}

// Takes the slots for a run from the block and returns the slot that leads there.
static uint64_t build_run(struct builder *b, struct run run)
{
	struct node node = make_node(b, run);
	unsigned int n_bits = node.pos + node.stride;
	uint32_t place = HEAD_WORDS + b->lpm->n_leaves * LEAF_WORDS + b->lpm->n_slots;
	uint32_t cover = b->lpm->leaves[run.begin + 1].cover;
	uint64_t *slots = (uint64_t *)b->lpm + place, *at;
	uint64_t slot;

	if (node.stride == 0)
		return leaf_slot(node.first_base + 1);
	slot = node_slot(node, place);
	b->lpm->n_slots += 1u << node.stride;
	while (b->routes[run.begin].len <= node.pos)
		cover = ++run.begin;
	fill_slots(slots, 1u << node.stride, leaf_slot(cover));
	while (run.begin < run.end) {
		const struct lpm_route *route = &b->routes[run.begin];
		struct run child = {run.begin, run.begin + 1};

		at = &slots[slot_bits(slot, route->hi, route->lo)];
		if (route->len > n_bits) {
			child = child_run(b, run, n_bits);
			*at = build_run(b, child);
		} else {
			// Shorter prefixes come first, longer ones overwrite what they filled.
			fill_slots(at, 1u << (n_bits - route->len), leaf_slot(run.begin + 1));
		}
		run.begin = child.end;
	}
	return slot;
}

static size_t block_bytes(size_t n_leaves, size_t n_slots)
{
	return sizeof(struct lpm) + n_leaves * sizeof(struct lpm_leaf) + n_slots * sizeof(uint64_t);
}

static struct lpm *alloc_block(size_t n_bytes)
{
	bool is_large = n_bytes > HUGE_PAGE_BYTES;
	void *block;

	if (posix_memalign(&block, is_large ? HUGE_PAGE_BYTES : CACHE_LINE_BYTES, n_bytes) != 0) {
		errno = ENOMEM;
		return NULL;
	}
	if (is_large)
		madvise(block, n_bytes, MADV_HUGEPAGE); // best effort: small pages are only slower
	return block;
}

struct lpm *lpm_build(const struct lpm_route *routes, size_t n_routes)
{
	struct builder b = {.routes = routes, .n_routes = (uint32_t)n_routes};
	struct run all = {0, (uint32_t)n_routes};
	uint64_t n_slots;
	int error = check_routes(routes, n_routes);

	if (error != 0) {
		errno = error;
		return NULL;
	}
	b.fork = malloc(n_routes + 1);
	if (b.fork == NULL)
		return NULL;
	fill_forks(b.fork, routes, n_routes);
	n_slots = n_routes == 0 ? 0 : count_slots(&b, all);
	assert(n_slots <= 4ull * n_routes + ROOT_EXTRA_SLOTS);
	b.lpm = alloc_block(block_bytes(n_routes + 1, n_slots));
	if (b.lpm != NULL) {
		*b.lpm = (struct lpm){.n_leaves = (uint32_t)n_routes + 1};
		fill_leaves(b.lpm->leaves, routes, (uint32_t)n_routes);
		b.lpm->root = n_routes == 0 ? leaf_slot(0) : build_run(&b, all);
		assert(b.lpm->n_slots == n_slots);
	}
	free(b.fork);
	return b.lpm;
}

void lpm_destroy(struct lpm *lpm)
{
	free(lpm);
}

size_t lpm_bytes(const struct lpm *lpm)
{
	return block_bytes(lpm->n_leaves, lpm->n_slots);
}

static __rte_noinline uint32_t climb(
	const struct lpm *lpm, const struct lpm_leaf *leaf, uint64_t hi, uint64_t lo)
{
	while (!covers6(leaf, hi, lo))
		leaf = &lpm->leaves[leaf->cover];
	return leaf->dest;
}

uint32_t lpm_lookup(const struct lpm *lpm, uint64_t hi, uint64_t lo)
{
	uint64_t slot = lpm->root;

	while (slot_is_node(slot))
		slot = *(const uint64_t *)follow(lpm, slot, hi, lo);
	return climb(lpm, follow(lpm, slot, hi, lo), hi, lo);
}

// Takes every address to its leaf, one level at a time: what a step reads, the step before has
// prefetched for the whole burst. The list of addresses still on their way is kept without branches
// on data, which would be mispredicted. at[i] becomes a leaf.
static __rte_always_inline void descend(const struct lpm *const *lpm, const uint64_t *hi,
	const uint64_t *lo, const void **at, unsigned int n)
{
	unsigned int n_pending = 0, n_next;
	uint8_t pending[LPM_MAX_BULK];

	for (unsigned int i = 0; i < n; i++) {
		uint64_t slot = lpm[i]->root;

		at[i] = follow(lpm[i], slot, hi[i], lo[i]);
		__builtin_prefetch(at[i]);
		pending[n_pending] = (uint8_t)i;
		n_pending += slot_is_node(slot);
	}
	for (; n_pending > 0; n_pending = n_next) {
		n_next = 0;
		for (unsigned int j = 0; j < n_pending; j++) {
			unsigned int i = pending[j];
			uint64_t slot = *(const uint64_t *)at[i];

			at[i] = follow(lpm[i], slot, hi[i], lo[i]);
			__builtin_prefetch(at[i]);
			pending[n_next] = (uint8_t)i;
			n_next += slot_is_node(slot);
		}
	}
}

void lpm6_lookup_bulk(const struct lpm *const *lpm, const uint64_t *hi, const uint64_t *lo,
	uint32_t *dest, unsigned int n)
{
	const void *at[LPM_MAX_BULK];

	descend(lpm, hi, lo, at, n);
	for (unsigned int i = 0; i < n; i++) {
		const struct lpm_leaf *leaf = at[i];

		dest[i] = likely(covers6(leaf, hi[i], lo[i])) ? leaf->dest
							      : climb(lpm[i], leaf, hi[i], lo[i]);
	}
}

void lpm4_lookup_bulk(
	const struct lpm *const *lpm, const uint64_t *hi, uint32_t *dest, unsigned int n)
{
	const void *at[LPM_MAX_BULK];

	descend(lpm, hi, hi, at, n); // no slot asks for bits of lo
	for (unsigned int i = 0; i < n; i++) {
		const struct lpm_leaf *leaf = at[i];

		dest[i] = likely(covers4(leaf, hi[i])) ? leaf->dest : climb(lpm[i], leaf, hi[i], 0);
	}
}
