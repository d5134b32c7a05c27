// SPDX-License-Identifier: Apache-2.0

// The admin server over its socket, with compiled tables and workers that do not run.

#include "tests/unit/admin_fixture.h"

enum {
	MANY_SIDS = 30000,
};

static int set_up(void **state)
{
	return set_up_config(state, fixture_config, 0);
}

static int set_up_many(void **state)
{
	return set_up_config(state, fixture_config, MANY_SIDS);
}

static void admin_routes_of_one_vrf_are_listed_in_order(void **state)
{
	json_t *answer = ask(*state, "GET /routes?vrf=default");
	json_t *rows = json_object_get(answer, "routes");

	assert_string_equal(text_at(rows, 0, "prefix"), "10.0.0.0/24");
	assert_string_equal(text_at(rows, 0, "to"), "connected, port core0");
	assert_string_equal(text_at(rows, 1, "prefix"), "10.0.0.0/32");
	assert_string_equal(text_at(rows, 2, "prefix"), "10.0.0.1/32");
	assert_string_equal(text_at(rows, 3, "prefix"), "10.0.0.255/32");
	assert_string_equal(text_at(rows, 3, "to"), "blackhole");
	assert_string_equal(text_at(rows, 4, "prefix"), "::/0");
	assert_string_equal(
		text_at(rows, 4, "to"), "via 2001:db8:0:1::fe port core0 (not resolved)");
	json_decref(answer);
}

static void admin_route_of_a_group_tells_members_and_losers(void **state)
{
	json_t *answer = ask(*state, "GET /routes?vrf=default&address=2001:db8:a::77");
	json_t *members = json_object_get(answer, "members");
	json_t *losers = json_object_get(answer, "lost_to_it");

	assert_string_equal(
		json_string_value(json_object_get(answer, "prefix")), "2001:db8:a::/48");
	assert_int_equal(json_array_size(members), 2);
	assert_true(
		json_real_value(json_object_get(json_array_get(members, 0), "share_percent")) > 70);
	assert_int_equal(json_array_size(losers), 1);
	assert_string_equal(text_at(losers, 0, "prefix"), "::/0");
	json_decref(answer);
}

static void admin_route_to_a_policy_tells_segments_in_travel_order(void **state)
{
	json_t *answer = ask(*state, "GET /routes?vrf=red&address=10.9.1.1");
	json_t *list = json_array_get(json_object_get(answer, "lists"), 0);
	json_t *segments = json_object_get(list, "segments");

	assert_string_equal(json_string_value(json_object_get(answer, "to")), "policy p");
	assert_int_equal(json_array_size(segments), 3);
	assert_string_equal(json_string_value(json_array_get(segments, 0)), "2001:db8:a::1");
	assert_string_equal(json_string_value(json_array_get(segments, 1)), "2001:db8:a::2");
	assert_string_equal(json_string_value(json_array_get(segments, 2)), "2001:db8:a::3");
	json_decref(answer);
}

static void admin_route_that_does_not_exist_is_told(void **state)
{
	json_t *answer = ask(*state, "GET /routes?vrf=red&address=192.0.2.1");

	assert_string_equal(json_string_value(json_object_get(answer, "kind")), "no_route");
	assert_true(json_is_null(json_object_get(answer, "prefix")));
	json_decref(answer);
}

static bool leaf_covers(const struct lpm_leaf *leaf, uint64_t hi, uint64_t lo)
{
	for (unsigned int bit = 0; bit < leaf->hi_len; bit++)
		if ((leaf->hi ^ hi) >> (63 - bit) & 1)
			return false;
	for (unsigned int bit = 0; bit < leaf->lo_len; bit++)
		if ((leaf->lo ^ lo) >> (63 - bit) & 1)
			return false;
	return true;
}

static uint32_t longest_cover(const struct lpm *lpm, uint64_t hi, uint64_t lo)
{
	uint32_t best = 0;

	for (uint32_t i = 1; i < lpm->n_leaves; i++)
		if (leaf_covers(&lpm->leaves[i], hi, lo) &&
			(best == 0 || lpm->leaves[i].hi_len + lpm->leaves[i].lo_len >=
					      lpm->leaves[best].hi_len + lpm->leaves[best].lo_len))
			best = i;
	return best;
}

// The search over sorted leaves and their covers, against trying each leaf.
static void admin_route_search_finds_the_longest_prefix(void **state)
{
	struct fixture *f = *state;
	struct snapshot *s = (struct snapshot *)(uintptr_t)ctrl_snapshot(&f->ctrl);
	struct lpm *saved = s->vrfs[1].ip6;
	struct lpm_route routes[64] = {0};
	size_t n = 0;

	srandom(7);
	for (unsigned int i = 0; i < 64; i++) {
		unsigned int len = 1 + (unsigned int)random() % 10;
		uint64_t hi = (uint64_t)(random() & 0x3ff) << 54 & UINT64_MAX << (64 - len);
		size_t j = 0;

		while (j < n && (routes[j].hi != hi || routes[j].len != len))
			j++;
		if (j == n)
			routes[n++] = (struct lpm_route){.hi = hi,
				.len = (uint8_t)len,
				.dest = dest_make(DEST_BLACKHOLE, 0)};
	}
	lpm_sort(routes, n);
	s->vrfs[1].ip6 = lpm_build(routes, n);
	assert_non_null(s->vrfs[1].ip6);
	for (unsigned int i = 0; i < 1024; i++) {
		uint64_t hi = (uint64_t)i << 54;
		uint32_t leaf = longest_cover(s->vrfs[1].ip6, hi, 0);
		char request[128];
		const char *prefix, *len;
		json_t *answer;

		snprintf(request, sizeof(request), "GET /routes?vrf=red&address=%x::", i << 6);
		answer = ask(f, request);
		prefix = json_string_value(json_object_get(answer, "prefix"));
		assert_int_equal(leaf == 0, prefix == NULL);
		len = prefix == NULL ? NULL : strchr(prefix, '/');
		if (leaf != 0)
			assert_int_equal(atoi(len + 1), s->vrfs[1].ip6->leaves[leaf].hi_len);
		json_decref(answer);
	}
	lpm_destroy(s->vrfs[1].ip6);
	s->vrfs[1].ip6 = saved;
}

static void admin_counters_are_shown(void **state)
{
	struct fixture *f = *state;
	json_t *answer, *row;

	f->worker.sid_counters[0] = (struct counter){.n_packets = 5, .n_bytes = 700};
	f->worker.policy_counters[0] = (struct counter){.n_packets = 6, .n_bytes = 800};
	answer = ask(f, "GET /sids");
	row = json_array_get(json_object_get(answer, "sids"), 0);
	assert_string_equal(json_string_value(json_object_get(row, "prefix")), "2001:db8:f::1/128");
	assert_int_equal(json_integer_value(json_object_get(row, "packets")), 5);
	assert_int_equal(json_integer_value(json_object_get(row, "bytes")), 700);
	json_decref(answer);
	answer = ask(f, "GET /policies");
	row = json_array_get(json_object_get(answer, "policies"), 0);
	assert_string_equal(json_string_value(json_object_get(row, "headend")), "H.Encaps.Red");
	assert_int_equal(json_integer_value(json_object_get(row, "packets")), 6);
	json_decref(answer);
}

static void admin_wrong_requests_are_refused_with_the_reason(void **state)
{
	static const struct {
		const char *request;
		int status;
		const char *reason;
	} cases[] = {
		{"GET /nope", 404, "there is: GET /status"},
		{"GET /", 404, "there is no /"},
		{"POST /routes", 405, "wants GET"},
		{"GET /reload", 405, "wants POST"},
		{"PATCH /sids", 405, "wants GET"},
		{"GET /routes?vrf=nope", 404, "no VRF \"nope\""},
		{"GET /routes?vrf=", 404, "no VRF"},
		{"GET /routes?address=hello", 400, "\"hello\" is no address"},
		{"GET /routes?color=red", 400, "no parameter \"color\""},
		{"GET /routes?vr=red", 400, "no parameter \"vr\""},
		{"GET /nodes?worker=1", 400, "worker must be a number from 0 to 0"},
		{"POST /trace?n=0", 400, "n must be a number from 1"},
		{"POST /trace?n=1x", 400, "n must be a number"},
		{"POST /trace?n=99999999999999999999", 400, "n must be a number"},
		{"POST /capture", 400, "absolute path"},
		{"POST /capture?file=x.pcapng", 400, "absolute path"},
		{"POST /capture?file=/x&ports=core0,eth9", 404, "no port \"eth9\""},
		{"POST /capture?file=/x&seconds=0", 400, "seconds must be"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fixture *f = *state;
		json_t *answer = ask(f, cases[i].request);
		const char *error = json_string_value(json_object_get(answer, "error"));

		assert_int_equal(f->status, cases[i].status);
		assert_non_null(error);
		if (strstr(error, cases[i].reason) == NULL)
			fail_msg("%s: %s", cases[i].request, error);
		json_decref(answer);
	}
}

static void admin_reload_answers_when_it_is_live(void **state)
{
	struct fixture *f = *state;
	json_t *answer;

	write_config(f, fixture_config, 3);
	answer = ask(f, "POST /reload");
	assert_int_equal(f->status, 200);
	assert_int_equal(json_integer_value(json_object_get(answer, "generation")), 2);
	json_decref(answer);
	answer = ask(f, "GET /sids");
	assert_int_equal(json_array_size(json_object_get(answer, "sids")), 4);
	json_decref(answer);
}

static uint8_t reload_endpoint(struct fixture *f, const char *text)
{
	const struct snapshot *s;

	write_config(f, text, 0);
	json_decref(ask(f, "POST /reload"));
	assert_int_equal(f->status, 200);
	s = ctrl_snapshot(&f->ctrl);
	return s->l7->n_endpoints == 0 ? ENDPOINT_FREE : l7_tables_endpoint(s->l7, 0)->state;
}

// What workers count of legs decides how long a removed endpoint drains.
static void admin_reload_keeps_an_endpoint_with_flows(void **state)
{
	struct fixture *f = *state;
	char text[sizeof(fixture_config) + 128];

	snprintf(text, sizeof(text),
		"clusters = ( { name = \"c\"; endpoints = ( { address = \"10.1.0.1\"; port = 80; } "
		"); } );\n%s",
		fixture_config);
	assert_int_equal(reload_endpoint(f, text), ENDPOINT_LIVE);
	l7_stats_of(f->l7.stats, L7_ENDPOINT, 0)->n_active = 1;
	for (int i = 0; i < 3; i++)
		assert_int_equal(reload_endpoint(f, fixture_config), ENDPOINT_DRAINING);
	l7_stats_of(f->l7.stats, L7_ENDPOINT, 0)->n_active = 0;
	assert_int_equal(reload_endpoint(f, fixture_config), ENDPOINT_FREE);
}

static void admin_refused_reload_is_422_with_the_reason(void **state)
{
	struct fixture *f = *state;
	json_t *answer;

	write_config(f, "vrfs = ( { name = 7; } ); srv6 = {", 0);
	log_set_level(LOG_LEVEL_ERROR - 1);
	answer = ask(f, "POST /reload");
	assert_int_equal(f->status, 422);
	assert_non_null(
		strstr(json_string_value(json_object_get(answer, "error")), "node.cfg:1: "));
	json_decref(answer);
	assert_int_equal(ctrl_snapshot(&f->ctrl)->generation, 1);
}

static void admin_long_answer_leaves_the_loop_time(void **state)
{
	struct fixture *f = *state;
	json_t *answer = ask(f, "GET /sids");
	json_t *rows = json_object_get(answer, "sids");

	assert_int_equal(json_array_size(rows), MANY_SIDS + 1);
	assert_null(json_object_get(answer, "error"));
	for (size_t i = 2; i < json_array_size(rows); i++)
		assert_string_equal(text_at(rows, i, "to"), "vrf red");
	// At two milliseconds a turn.
	assert_true(f->n_turns > 5);
	json_decref(answer);
}

static void admin_long_answer_across_a_reload_ends_with_an_error(void **state)
{
	struct fixture *f = *state;
	int fd = send_request(f, "GET /sids");
	json_t *answer;

	// Nobody reads: the server stops at what it keeps for one client.
	for (int i = 0; i < 2000; i++)
		turn(f);
	json_decref(ask(f, "POST /reload"));
	assert_int_equal(ctrl_snapshot(&f->ctrl)->generation, 2);
	answer = read_answer(f, fd);
	assert_non_null(json_object_get(answer, "error"));
	assert_true(json_array_size(json_object_get(answer, "sids")) > 1000);
	assert_true(json_array_size(json_object_get(answer, "sids")) < MANY_SIDS);
	json_decref(answer);
}

static void admin_client_that_leaves_does_no_harm(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 20; i++) {
		int fd = send_request(f, i % 2 == 0 ? "GET /sids" : "POST /reload");

		for (int j = 0; j < i; j++)
			turn(f);
		close(fd);
	}
	for (int i = 0; i < 200; i++)
		turn(f);
	json_decref(ask(f, "GET /policies"));
	assert_int_equal(f->status, 200);
}

static void admin_destroyed_in_an_answer_frees_it(void **state)
{
	struct fixture *f = *state;
	int fd = send_request(f, "GET /sids");
	int left_fd = send_request(f, "GET /sids");

	for (int i = 0; i < 10; i++)
		turn(f);
	close(left_fd);
	admin_destroy(f->ctrl.admin);
	f->ctrl.admin = NULL;
	for (int i = 0; i < 10; i++)
		turn(f);
	close(fd);
}

static void admin_socket_is_private_and_replaces_only_a_stale_one(void **state)
{
	struct fixture *f = *state;
	struct refusal refusal = {0};
	struct stat st;
	FILE *file;

	assert_int_equal(stat(f->socket_path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0660);
	assert_null(admin_create(&f->ctrl, f->socket_path, &refusal));
	assert_non_null(strstr(refusal.text, "another pergola"));
	admin_destroy(f->ctrl.admin);
	assert_int_equal(stat(f->socket_path, &st), -1);
	file = fopen(f->socket_path, "w");
	assert_non_null(file);
	fclose(file);
	f->ctrl.admin = admin_create(&f->ctrl, f->socket_path, &refusal);
	assert_null(f->ctrl.admin);
	assert_int_equal(stat(f->socket_path, &st), 0);
	unlink(f->socket_path);
}

static void admin_socket_that_nobody_serves_is_replaced(void **state)
{
	struct fixture *f = *state;
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	struct refusal refusal = {0};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	admin_destroy(f->ctrl.admin);
	strcpy(addr.sun_path, f->socket_path);
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	close(fd);
	f->ctrl.admin = admin_create(&f->ctrl, f->socket_path, &refusal);
	assert_non_null(f->ctrl.admin);
	json_decref(ask(f, "GET /sids"));
	assert_int_equal(f->status, 200);
}

#define ADMIN_TEST(name, set_up_fn) cmocka_unit_test_setup_teardown(name, set_up_fn, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ADMIN_TEST(admin_routes_of_one_vrf_are_listed_in_order, set_up),
		ADMIN_TEST(admin_route_of_a_group_tells_members_and_losers, set_up),
		ADMIN_TEST(admin_route_to_a_policy_tells_segments_in_travel_order, set_up),
		ADMIN_TEST(admin_route_that_does_not_exist_is_told, set_up),
		ADMIN_TEST(admin_route_search_finds_the_longest_prefix, set_up),
		ADMIN_TEST(admin_counters_are_shown, set_up),
		ADMIN_TEST(admin_wrong_requests_are_refused_with_the_reason, set_up),
		ADMIN_TEST(admin_reload_answers_when_it_is_live, set_up),
		ADMIN_TEST(admin_reload_keeps_an_endpoint_with_flows, set_up),
		ADMIN_TEST(admin_refused_reload_is_422_with_the_reason, set_up),
		ADMIN_TEST(admin_long_answer_leaves_the_loop_time, set_up_many),
		ADMIN_TEST(admin_long_answer_across_a_reload_ends_with_an_error, set_up_many),
		ADMIN_TEST(admin_client_that_leaves_does_no_harm, set_up_many),
		ADMIN_TEST(admin_destroyed_in_an_answer_frees_it, set_up_many),
		ADMIN_TEST(admin_socket_is_private_and_replaces_only_a_stale_one, set_up),
		ADMIN_TEST(admin_socket_that_nobody_serves_is_replaced, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
