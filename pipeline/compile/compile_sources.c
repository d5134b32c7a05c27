// SPDX-License-Identifier: Apache-2.0

// Source pools: the addresses that the node speaks to endpoints from, per VRF and family. Each address
// belongs to one worker, source.turn modulo their number, so that what endpoints send back finds its worker
// from the address alone. An address that stays keeps its turn; new ones take the turns that are free.

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "pipeline/compile/compile_priv.h"
#include "pipeline/compile/slots.h"

// The addresses of all pools, one after the other, as they stand in the specs.
struct wanted_sources {
	uint32_t n;
	struct source_key *keys;
	const struct spec_origin **origins;
	uint32_t *slots;
};

static uint8_t host_len(uint8_t family)
{
	return family == 4 ? 32 : 128;
}

static uint64_t count(const struct ip_prefix *prefix)
{
	uint32_t bits = host_len(prefix->family) - prefix->len;

	return bits > 32 ? 1ull << 32 : 1ull << bits;
}

static int count_all(struct compile *c, uint32_t *n)
{
	uint64_t sum = 0;

	for (uint32_t v = 0; v < c->spec->n_vrfs; v++)
		for (uint32_t i = 0; i < c->spec->vrfs[v].n_sources; i++) {
			const struct source_spec *spec = &c->spec->vrfs[v].sources[i];

			sum += count(&spec->prefix);
			if (sum > SPEC_MAX_SOURCES)
				return refusal_set(c->refusal, &spec->origin,
					"sources: more than %d addresses in all; longer prefixes "
					"have less",
					SPEC_MAX_SOURCES);
		}
	*n = (uint32_t)sum;
	return 0;
}

// The i-th address of a prefix.
static struct ip6_addr nth(const struct ip_prefix *prefix, uint32_t i)
{
	struct ip6_addr addr = prefix->addr;
	uint32_t last = host_len(prefix->family) / 8u - 1;

	addr.b[last] |= (uint8_t)i;
	addr.b[last - 1] |= (uint8_t)(i >> 8);
	return addr;
}

static int add_sources(struct compile *c, struct wanted_sources *wanted,
	const struct source_spec *spec, uint32_t vrf_slot)
{
	int ret = 0;

	for (uint32_t i = 0; i < count(&spec->prefix) && ret == 0; i++) {
		struct ip_addr addr = {
			.family = spec->prefix.family, .addr = nth(&spec->prefix, i)};
		struct source_key *key = &wanted->keys[wanted->n];

		ret = compile_check_global(c, &spec->origin, "sources", &addr);
		key->addr = addr.addr;
		key->vrf = (uint16_t)vrf_slot;
		key->family = addr.family;
		wanted->origins[wanted->n++] = &spec->origin;
	}
	return ret;
}

static int compare_keys(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct source_key));
}

// An address that two pools or two prefixes name.
static int check_twice(struct compile *c, const struct wanted_sources *wanted)
{
	struct source_key *sorted = calloc(wanted->n + 1, sizeof(*sorted));
	char text[COMPILE_TEXT_LEN];
	uint32_t twice = 0;

	if (sorted == NULL)
		return compile_no_memory(c);
	memcpy(sorted, wanted->keys, wanted->n * sizeof(*sorted));
	qsort(sorted, wanted->n, sizeof(*sorted), compare_keys);
	for (uint32_t i = 1; i < wanted->n && twice == 0; i++)
		twice = compare_keys(&sorted[i - 1], &sorted[i]) == 0 ? i : 0;
	for (uint32_t i = wanted->n; twice != 0 && i-- > 0;)
		if (compare_keys(&sorted[twice], &wanted->keys[i]) == 0) {
			refusal_set(c->refusal, wanted->origins[i], "sources: %s is given twice",
				compile_addr_text(sorted[twice].family, &sorted[twice].addr, text));
			break;
		}
	free(sorted);
	return twice == 0 ? 0 : -EINVAL;
}

static int collect(struct compile *c, struct wanted_sources *wanted)
{
	uint32_t n = 0;
	int ret = count_all(c, &n);

	if (ret != 0)
		return ret;
	wanted->keys = calloc(n + 1, sizeof(*wanted->keys));
	wanted->origins = calloc(n + 1, sizeof(*wanted->origins));
	wanted->slots = calloc(n + 1, sizeof(*wanted->slots));
	if (wanted->keys == NULL || wanted->origins == NULL || wanted->slots == NULL)
		return compile_no_memory(c);
	for (uint32_t v = 0; v < c->spec->n_vrfs && ret == 0; v++)
		for (uint32_t i = 0; i < c->spec->vrfs[v].n_sources && ret == 0; i++)
			ret = add_sources(
				c, wanted, &c->spec->vrfs[v].sources[i], c->names.vrf_slots[v]);
	return ret == 0 ? check_twice(c, wanted) : ret;
}

static int place(struct compile *c, const struct wanted_sources *wanted)
{
	const struct snapshot *live = c->input->live;
	struct snapshot *s = c->s;
	uint32_t n_live = live == NULL ? 0 : live->n_sources;

	s->n_sources = slots_carry(live == NULL ? NULL : live->source_keys, n_live, wanted->keys,
		wanted->n, sizeof(*wanted->keys), wanted->slots);
	s->sources = calloc(s->n_sources + 1, sizeof(*s->sources));
	s->source_keys = calloc(s->n_sources + 1, sizeof(*s->source_keys));
	s->source_order = calloc(wanted->n + 1, sizeof(*s->source_order));
	if (s->sources == NULL || s->source_keys == NULL || s->source_order == NULL ||
		(wanted->n > 0 && s->n_sources == 0))
		return compile_no_memory(c);
	if (s->n_sources > SPEC_MAX_SOURCES)
		return refusal_set(c->refusal, wanted->origins[wanted->n - 1],
			"sources: more than %d addresses, those just removed included",
			SPEC_MAX_SOURCES);
	for (uint32_t i = 0; i < wanted->n; i++) {
		uint32_t slot = wanted->slots[i];
		bool kept = slot < n_live &&
			    compare_keys(&live->source_keys[slot], &wanted->keys[i]) == 0;

		s->source_keys[slot] = wanted->keys[i];
		s->sources[slot] = (struct source){
			.addr = wanted->keys[i].addr,
			.family = wanted->keys[i].family,
			.vrf = wanted->keys[i].vrf,
			.turn = kept ? live->sources[slot].turn : SOURCE_NO_TURN,
			.since = kept ? live->sources[slot].since : s->generation,
		};
	}
	return 0;
}

static bool has_turn(const struct snapshot *s, const struct source_range *range, uint32_t turn)
{
	for (uint32_t i = 0; i < range->n; i++)
		if (s->sources[s->source_order[range->first + i]].turn == turn)
			return true;
	return false;
}

static void fill_turns(struct snapshot *s, const struct source_range *range)
{
	uint32_t turn = 0;

	for (uint32_t i = 0; i < range->n; i++) {
		struct source *source = &s->sources[s->source_order[range->first + i]];

		if (source->turn != SOURCE_NO_TURN)
			continue;
		while (has_turn(s, range, turn))
			turn++;
		source->turn = turn;
	}
}

static bool has_all_workers(
	const struct snapshot *s, const struct source_range *range, uint32_t n_workers)
{
	uint64_t seen = 0;

	for (uint32_t i = 0; i < range->n; i++)
		seen |= 1ull << s->sources[s->source_order[range->first + i]].turn % n_workers;
	return seen == UINT64_MAX >> (64 - n_workers);
}

// Every worker needs an address. When those that stayed leave one without, all turns are given anew: what
// runs on addresses that change hands ends.
static int assign_turns(struct compile *c, const struct vrf_spec *vrf,
	const struct source_range *range, uint8_t family)
{
	uint32_t n_workers = RTE_MAX(c->spec->workers.n_workers, 1);

	if (range->n == 0)
		return 0;
	if (range->n < n_workers)
		return refusal_set(c->refusal, &vrf->sources[0].origin,
			"sources: %u IPv%u addresses of VRF \"%s\" for %u workers; give each one",
			range->n, family, vrf->name, n_workers);
	fill_turns(c->s, range);
	if (has_all_workers(c->s, range, n_workers))
		return 0;
	for (uint32_t i = 0; i < range->n; i++)
		c->s->sources[c->s->source_order[range->first + i]].turn = i;
	return 0;
}

// Which of the wanted sources are a VRF's of one family.
static struct source_range list_range(struct compile *c, const struct wanted_sources *wanted,
	uint32_t vrf_slot, uint8_t family, uint32_t first)
{
	struct source_range range = {.first = first};

	for (uint32_t i = 0; i < wanted->n; i++)
		if (wanted->keys[i].vrf == vrf_slot && wanted->keys[i].family == family)
			c->s->source_order[first + range.n++] = wanted->slots[i];
	return range;
}

static int share(struct compile *c, const struct wanted_sources *wanted)
{
	uint32_t n = 0;
	int ret = 0;

	for (uint32_t v = 0; v < c->spec->n_vrfs && ret == 0; v++) {
		struct vrf *vrf = &c->s->vrfs[c->names.vrf_slots[v]];

		if (c->spec->vrfs[v].n_sources == 0)
			continue;
		vrf->sources4 = list_range(c, wanted, c->names.vrf_slots[v], 4, n);
		n += vrf->sources4.n;
		vrf->sources6 = list_range(c, wanted, c->names.vrf_slots[v], 6, n);
		n += vrf->sources6.n;
		ret = assign_turns(c, &c->spec->vrfs[v], &vrf->sources4, 4);
		if (ret == 0)
			ret = assign_turns(c, &c->spec->vrfs[v], &vrf->sources6, 6);
	}
	return ret;
}

int compile_sources(struct compile *c)
{
	struct wanted_sources wanted = {0};
	int ret = collect(c, &wanted);

	if (ret == 0)
		ret = place(c, &wanted);
	if (ret == 0)
		ret = share(c, &wanted);
	for (uint32_t i = 0; i < wanted.n && ret == 0; i++)
		ret = compile_add_route(c, wanted.keys[i].vrf, wanted.keys[i].family,
			&wanted.keys[i].addr, host_len(wanted.keys[i].family),
			dest_make(DEST_L7_SOURCE, wanted.slots[i]), RANK_SOURCE, wanted.origins[i]);
	free(wanted.keys);
	free(wanted.origins);
	free(wanted.slots);
	return ret;
}
