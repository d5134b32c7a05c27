// SPDX-License-Identifier: Apache-2.0

// Priorities and localities: known shares, and a naive model of Envoy's rules over random clusters.

#include "l7/balance.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum {
	MAX_LOCALITIES = 8,
	MAX_ENDPOINTS = 8, // of a locality
	SLOTS = 10 * MAX_LOCALITIES,
	N_PICKS = 50000,
};

// Endpoint k of locality i has slot 10 * i + k.
struct world {
	struct cluster_spec spec;
	struct locality_spec localities[MAX_LOCALITIES];
	struct endpoint_spec endpoints[MAX_LOCALITIES][MAX_ENDPOINTS];
};

// health: a letter for each endpoint: h, d or u.
static void add_locality(
	struct world *w, uint32_t priority, uint32_t weight, const char *health, uint32_t n)
{
	uint32_t idx = w->spec.n_localities++;

	w->localities[idx] = (struct locality_spec){.region = "r",
		.zone = "",
		.sub_zone = "",
		.priority = priority,
		.weight = weight,
		.n_endpoints = n,
		.endpoints = w->endpoints[idx]};
	for (uint32_t k = 0; k < n; k++)
		w->endpoints[idx][k] = (struct endpoint_spec){.weight = 1,
			.health = health[k] == 'h'   ? ENDPOINT_HEALTHY
				  : health[k] == 'd' ? ENDPOINT_DEGRADED
						     : ENDPOINT_UNHEALTHY};
}

static void begin(struct world *w)
{
	memset(w, 0, sizeof(*w));
	w->spec.overprovisioning_percent = 140;
	w->spec.panic_percent = 50;
	w->spec.localities = w->localities;
}

static struct cluster *build(const struct world *w)
{
	uint32_t slots[MAX_LOCALITIES * MAX_ENDPOINTS], n = 0;
	struct cluster *cluster;

	for (uint32_t i = 0; i < w->spec.n_localities; i++)
		for (uint32_t k = 0; k < w->localities[i].n_endpoints; k++)
			slots[n++] = 10 * i + k;
	cluster = cluster_build(&w->spec, slots);
	assert_non_null(cluster);
	return cluster;
}

// Shares by slot, of n picks from a state on.
static void measure(const struct world *w, uint32_t start, uint32_t n, double *shares)
{
	struct cluster *cluster = build(w);
	struct balance_state state = {.turn = start};

	memset(shares, 0, SLOTS * sizeof(*shares));
	for (uint32_t i = 0; i < n; i++) {
		uint32_t slot = balance_pick(cluster, &state, NULL, 0);

		if (slot != BALANCE_NONE)
			shares[slot] += 1.0 / n;
	}
	block_release(&cluster->block);
}

static void expect_near(double a, double b, double tolerance)
{
	assert_true(a - b <= tolerance && b - a <= tolerance);
}

static double of_locality(const double *shares, uint32_t idx)
{
	double sum = 0;

	for (uint32_t k = 0; k < 10; k++)
		sum += shares[10 * idx + k];
	return sum;
}

// ---- known shares

// The table of Envoy's documentation (load_balancing/locality_weight), in eighths.
static void balance_locality_weight_falls_with_availability(void **state)
{
	static const struct {
		const char *health;
		double share;
	} cases[] = {
		{"hhhhhhhh", 1.0 / 3},
		{"hhhhhhuu", 1.0 / 3}, // 75 percent count for all
		{"hhhhuuuu", 0.7 / (0.7 + 2)},
		{"hhuuuuuu", 0.35 / (0.35 + 2)},
		{"uuuuuuuu", 0},
	};
	double shares[SLOTS];
	struct world w;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		begin(&w);
		w.spec.locality_weighted = true;
		w.spec.panic_percent = 0;
		add_locality(&w, 0, 1, cases[i].health, 8);
		add_locality(&w, 0, 2, "hhhhhhhh", 8);
		measure(&w, 0, N_PICKS, shares);
		expect_near(of_locality(shares, 0), cases[i].share, 1e-3);
		expect_near(of_locality(shares, 1), 1 - cases[i].share, 1e-3);
	}
}

static void balance_locality_without_weight_gets_nothing(void **state)
{
	double shares[SLOTS];
	struct world w;

	(void)state;
	begin(&w);
	w.spec.locality_weighted = true;
	add_locality(&w, 0, 0, "hh", 2);
	add_locality(&w, 0, 3, "h", 1);
	add_locality(&w, 0, 1, "h", 1);
	measure(&w, 0, 4000, shares);
	expect_near(of_locality(shares, 0), 0, 0);
	expect_near(of_locality(shares, 1), 0.75, 1e-9);
	// Unless none has one, or weights are not wanted.
	w.localities[1].weight = w.localities[2].weight = 0;
	measure(&w, 0, 4000, shares);
	expect_near(of_locality(shares, 0), 0.5, 1e-9);
	w.localities[1].weight = 3;
	w.spec.locality_weighted = false;
	measure(&w, 0, 4000, shares);
	expect_near(of_locality(shares, 0), 0.5, 1e-9);
}

// Turns are spread: no run of one priority is longer than its share needs.
static void balance_priorities_take_turns(void **state)
{
	struct balance_state turn = {0};
	struct cluster *cluster;
	uint32_t picks[20];
	struct world w;

	(void)state;
	begin(&w);
	add_locality(&w, 0, 0, "hu", 2); // 70 percent
	add_locality(&w, 1, 0, "hhh", 3);
	cluster = build(&w);
	for (uint32_t i = 0; i < 20; i++)
		picks[i] = balance_pick(cluster, &turn, NULL, 0);
	for (uint32_t i = 0; i + 4 <= 20; i++)
		assert_false(picks[i] == 0 && picks[i + 1] == 0 && picks[i + 2] == 0 &&
			     picks[i + 3] == 0);
	// Among the second's endpoints each in its turn, from one period to the next.
	for (uint32_t i = 0, n = 0; i < 20; i++)
		if (picks[i] != 0)
			assert_int_equal(picks[i], 10 + n++ % 3);
	block_release(&cluster->block);
}

static void balance_tried_go_to_the_same_place_first(void **state)
{
	struct balance_state turn = {0};
	struct cluster *cluster;
	struct world w;
	uint32_t n_first = 0;

	(void)state;
	begin(&w);
	add_locality(&w, 0, 0, "hhuu", 4); // 70 percent
	add_locality(&w, 1, 0, "h", 1);
	cluster = build(&w);
	for (uint32_t i = 0; i < 100; i++)
		n_first += balance_pick(cluster, &turn, (const uint32_t[]){0}, 1) == 1;
	assert_int_equal(n_first, 70);
	for (uint32_t i = 0; i < 100; i++)
		assert_int_equal(balance_pick(cluster, &turn, (const uint32_t[]){0, 1}, 2), 10);
	for (uint32_t i = 0; i < 100; i++)
		assert_in_range(balance_pick(cluster, &turn, (const uint32_t[]){0, 10}, 2), 1, 1);
	assert_int_not_equal(
		balance_pick(cluster, &turn, (const uint32_t[]){0, 1, 10}, 3), BALANCE_NONE);
	block_release(&cluster->block);
}

static void balance_nobody_available_is_none(void **state)
{
	struct balance_state turn = {0};
	struct cluster *cluster;
	struct world w;

	(void)state;
	begin(&w);
	w.spec.panic_percent = 0;
	add_locality(&w, 0, 0, "uu", 2);
	cluster = build(&w);
	assert_int_equal(balance_pick(cluster, &turn, NULL, 0), BALANCE_NONE);
	block_release(&cluster->block);
}

static void balance_one_place_in_play_is_one_ring(void **state)
{
	struct cluster *cluster;
	struct world w;

	(void)state;
	begin(&w);
	w.spec.locality_weighted = true;
	add_locality(&w, 0, 1, "hhu", 3);
	add_locality(&w, 0, 1, "u", 1);
	add_locality(&w, 0, 0, "h", 1);
	add_locality(&w, 1, 1, "h", 1);
	w.spec.overprovisioning_percent = 200; // 3 of 5 healthy: enough
	cluster = build(&w);
	assert_int_equal(cluster->n_rings, 1);
	assert_int_equal(cluster->n_turns, 2);
	block_release(&cluster->block);
}

static void balance_localities_can_be_told(void **state)
{
	struct cluster_locality locality;
	struct cluster *cluster;
	struct world w;

	(void)state;
	begin(&w);
	add_locality(&w, 0, 1, "h", 1);
	add_locality(&w, 1, 7, "h", 1);
	w.localities[1].zone = "z";
	cluster = build(&w);
	locality = cluster_locality(cluster, 1);
	assert_string_equal(locality.region, "r");
	assert_string_equal(locality.zone, "z");
	assert_string_equal(locality.sub_zone, "");
	assert_int_equal(locality.priority, 1);
	assert_int_equal(locality.weight, 7);
	block_release(&cluster->block);
}

// ---- the naive model

static bool has(const struct endpoint_spec *endpoint, const char *healths)
{
	return strchr(healths, "hdu"[endpoint->health]) != NULL;
}

static uint32_t count(const struct world *w, uint32_t priority, const char *healths)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < w->spec.n_localities; i++)
		for (uint32_t k = 0; k < w->localities[i].n_endpoints; k++)
			n += w->localities[i].priority == priority &&
			     has(&w->endpoints[i][k], healths);
	return n;
}

// What part of its endpoints' weights counts.
static double locality_part(
	const struct world *w, const struct locality_spec *locality, const char *healths)
{
	double n = 0, sum = 0, part;

	for (uint32_t k = 0; k < locality->n_endpoints; k++)
		if (has(&locality->endpoints[k], healths)) {
			n++;
			sum += locality->endpoints[k].weight;
		}
	part = n / locality->n_endpoints * w->spec.overprovisioning_percent / 100;
	return n == 0 ? 0 : (part < 1 ? part : 1) * locality->weight / sum;
}

// Spreads a share over the endpoints of a priority that have one of the healths: by locality, and without it if
// that leaves nobody.
static void spread(const struct world *w, uint32_t priority, const char *healths, bool by_locality,
	double share, double *shares)
{
	double sum = 0, weights[SLOTS] = {0};

	for (uint32_t i = 0; i < w->spec.n_localities; i++) {
		const struct locality_spec *locality = &w->localities[i];
		double part = by_locality ? locality_part(w, locality, healths) : 1;

		for (uint32_t k = 0; k < locality->n_endpoints; k++)
			if (locality->priority == priority &&
				has(&locality->endpoints[k], healths)) {
				weights[10 * i + k] = part * locality->endpoints[k].weight;
				sum += weights[10 * i + k];
			}
	}
	if (sum == 0 && by_locality)
		spread(w, priority, healths, false, share, shares);
	for (int i = 0; sum > 0 && i < SLOTS; i++)
		shares[i] += share * weights[i] / sum;
}

// By health, 0 or 1 for degraded, and priority.
struct hundred {
	uint32_t room[2][MAX_LOCALITIES];
	uint32_t given[2][MAX_LOCALITIES];
	uint32_t total;
	bool panic[MAX_LOCALITIES];
	uint32_t n_panic;
};

static void find_room_and_panic(const struct world *w, uint32_t n_priorities, struct hundred *h)
{
	for (uint32_t p = 0; p < n_priorities; p++)
		for (int d = 0; d < 2 && count(w, p, "hdu") > 0; d++) {
			h->room[d][p] = count(w, p, d == 0 ? "h" : "d") *
					w->spec.overprovisioning_percent / count(w, p, "hdu");
			h->room[d][p] = h->room[d][p] < 100 ? h->room[d][p] : 100;
			h->total += h->room[d][p];
		}
	for (uint32_t p = 0; p < n_priorities && h->total < 100; p++) {
		double n = count(w, p, "hdu");

		h->panic[p] = (n == 0 ? 0 : 100 * count(w, p, "hd") / n) < w->spec.panic_percent;
		h->n_panic += h->panic[p];
	}
}

// One percent after the other to the first who has room; room is scaled when there is less than 100 in all.
static void give_by_room(uint32_t n_priorities, struct hundred *h)
{
	uint32_t n_given = 0;

	for (uint32_t i = 0; i < 2 * n_priorities; i++) {
		uint32_t room = h->room[i / n_priorities][i % n_priorities];

		room = h->total < 100 ? room * 100 / h->total : room;
		for (; n_given < 100 && room > 0; room--, n_given++)
			h->given[i / n_priorities][i % n_priorities]++;
	}
	for (uint32_t i = 0; i < 2 * n_priorities && n_given < 100; i++)
		if (h->room[i / n_priorities][i % n_priorities] > 0) {
			h->given[i / n_priorities][i % n_priorities] += 100 - n_given;
			n_given = 100;
		}
}

static void give_by_size(const struct world *w, uint32_t n_priorities, struct hundred *h)
{
	uint32_t n_all = 0, n_given = 0, first = 0;

	for (uint32_t p = 0; p < n_priorities; p++)
		n_all += count(w, p, "hdu");
	for (uint32_t p = 0; p < n_priorities && n_all > 0; p++)
		n_given += h->given[0][p] = 100 * count(w, p, "hdu") / n_all;
	while (n_all > 0 && count(w, first, "hdu") == 0)
		first++;
	h->given[0][first] += 100 - n_given;
}

static void model(const struct world *w, uint32_t n_priorities, double *shares)
{
	struct hundred h = {0};

	memset(shares, 0, SLOTS * sizeof(*shares));
	find_room_and_panic(w, n_priorities, &h);
	if (h.n_panic == n_priorities)
		give_by_size(w, n_priorities, &h);
	else if (h.total > 0)
		give_by_room(n_priorities, &h);
	for (int d = 0; d < 2; d++)
		for (uint32_t p = 0; p < n_priorities; p++)
			spread(w, p,
				h.panic[p] ? "hdu"
				: d == 0   ? "h"
					   : "d",
				w->spec.locality_weighted && !h.panic[p], h.given[d][p] / 100.0,
				shares);
}

static uint32_t below(uint32_t n)
{
	return (uint32_t)rand() % n;
}

static uint32_t random_world(struct world *w)
{
	uint32_t n = 1 + below(MAX_LOCALITIES), n_priorities = 1 + below(n < 3 ? n : 3);
	uint32_t bad = below(4);

	begin(w);
	w->spec.locality_weighted = below(2);
	w->spec.panic_percent = below(3) * 30;
	w->spec.overprovisioning_percent = below(4) == 0 ? 100 + below(100) : 140;
	for (uint32_t i = 0; i < n; i++) {
		char health[MAX_ENDPOINTS];

		for (uint32_t k = 0; k < MAX_ENDPOINTS; k++)
			health[k] = below(4) >= bad ? 'h' : below(2) ? 'd' : 'u';
		add_locality(w, i < n_priorities ? i : below(n_priorities),
			below(4) == 0 ? 0 : 1 + below(5), health, below(MAX_ENDPOINTS + 1));
		for (uint32_t k = 0; k < MAX_ENDPOINTS; k++)
			w->endpoints[i][k].weight = 1 + below(4);
	}
	return n_priorities;
}

static void balance_random_clusters_share_as_the_model(void **state)
{
	uint32_t n_deep = 0;

	(void)state;
	srand(4);
	for (int round = 0; round < 400; round++) {
		double wanted[SLOTS], got[SLOTS];
		struct world w;
		struct cluster *cluster;
		uint32_t n_priorities = random_world(&w);

		model(&w, n_priorities, wanted);
		measure(&w, below(1000), N_PICKS, got);
		for (int i = 0; i < SLOTS; i++)
			expect_near(got[i], wanted[i], 5e-4);
		cluster = build(&w);
		n_deep += cluster->n_rings > 4;
		block_release(&cluster->block);
	}
	assert_true(n_deep > 30); // so that rings in rings were among them
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(balance_locality_weight_falls_with_availability),
		cmocka_unit_test(balance_locality_without_weight_gets_nothing),
		cmocka_unit_test(balance_priorities_take_turns),
		cmocka_unit_test(balance_tried_go_to_the_same_place_first),
		cmocka_unit_test(balance_nobody_available_is_none),
		cmocka_unit_test(balance_one_place_in_play_is_one_ring),
		cmocka_unit_test(balance_localities_can_be_told),
		cmocka_unit_test(balance_random_clusters_share_as_the_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
