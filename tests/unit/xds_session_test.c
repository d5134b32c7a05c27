// SPDX-License-Identifier: Apache-2.0

// What both variants of the protocol have in common: waiting, slices, breaks at every step, and a server that
// sends nonsense.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ctrl/log.h"
#include "ctrl/xds/proto/discovery.pb-c.h"
#include "tests/unit/guard_page.h"
#include "tests/unit/xds_session_rig.h"

static void start(struct rig *rig)
{
	rig_up(rig);
	rig->n_sent = 0;
}

static void xds_session_unanswered_name_does_not_exist(void **state)
{
	struct rig *rig = *state;

	start(rig);
	rig_answer(rig, XDS_CLUSTER, "1", "A", "a>ea@60000");
	rig_wait(rig, 14999);
	assert_int_equal(rig_entry(rig, XDS_ENDPOINTS, "ea")->state, XDS_REQUESTED);
	rig_wait(rig, 1);
	assert_int_equal(rig_entry(rig, XDS_ENDPOINTS, "ea")->state, XDS_ABSENT);
	rig_answer(rig, XDS_ENDPOINTS, "1", "B", "ea");
	assert_int_equal(rig_entry(rig, XDS_ENDPOINTS, "ea")->state, XDS_HELD);
}

// The 15 s are those in which the server could have answered.
static void xds_session_unanswered_time_is_connected_time(void **state)
{
	struct rig *rig = *state;

	start(rig);
	rig_answer(rig, XDS_CLUSTER, "1", "A", "a>ea@0");
	rig_wait(rig, 10000);
	rig_down(rig);
	rig_wait(rig, 100000);
	assert_int_equal(rig_entry(rig, XDS_ENDPOINTS, "ea")->state, XDS_REQUESTED);
	rig_up(rig);
	rig_wait(rig, 14999);
	assert_int_equal(rig_entry(rig, XDS_ENDPOINTS, "ea")->state, XDS_REQUESTED);
	rig_wait(rig, 1);
	assert_int_equal(rig_entry(rig, XDS_ENDPOINTS, "ea")->state, XDS_ABSENT);
	// For ever is what initial_fetch_timeout 0 means.
	assert_false(rig_entry(rig, XDS_ENDPOINTS, "ea")->settled);
}

static void xds_session_fetch_timeout_settles(void **state)
{
	struct rig *rig = *state;

	start(rig);
	rig_answer(rig, XDS_CLUSTER, "1", "A", "a>ea@3000 b>ea@7000 c>ec@0");
	rig->changes[0] = '\0';
	rig_wait(rig, 2999);
	rig_expect_changes(rig, "");
	rig_wait(rig, 101);
	rig_expect_changes(rig, "endpoints ea");
	assert_true(rig_entry(rig, XDS_ENDPOINTS, "ea")->settled);
	rig_wait(rig, 1000000);
	rig_expect_changes(rig, "");
	assert_false(rig_entry(rig, XDS_ENDPOINTS, "ec")->settled);
}

static void xds_session_refusal_ends_the_wait(void **state)
{
	struct rig *rig = *state;

	start(rig);
	rig_answer(rig, XDS_CLUSTER, "1", "A", "a>ea");
	rig->changes[0] = '\0';
	rig_answer(rig, XDS_ENDPOINTS, "1", "B", "ea!no");
	rig_expect_changes(rig, "endpoints ea");
	assert_true(rig_entry(rig, XDS_ENDPOINTS, "ea")->settled);
	assert_null(rig_held(rig, XDS_ENDPOINTS, "ea"));
}

static void xds_session_shared_name_goes_with_its_last_parent(void **state)
{
	struct rig *rig = *state;

	start(rig);
	rig_answer(rig, XDS_CLUSTER, "1", "A", "a>e b>e");
	rig_answer(rig, XDS_ENDPOINTS, "1", "B", "e");
	rig_answer(rig, XDS_CLUSTER, "2", "C", "b>e");
	assert_non_null(rig_held(rig, XDS_ENDPOINTS, "e"));
	rig_answer(rig, XDS_CLUSTER, "3", "D", "b");
	assert_null(rig_entry(rig, XDS_ENDPOINTS, "e"));
}

static void xds_session_secret_is_wanted_for_ever(void **state)
{
	struct rig *rig = *state;

	assert_int_equal(session_want_secret(rig->session, "own", rig->now_ms), 0);
	rig_up(rig);
	rig_expect(rig, "cluster v= n= [] node");
	rig_expect(rig, "listener v= n= [] node");
	rig_expect(rig, "secret v= n= [own] node");
	rig_answer(rig, XDS_SECRET, "1", "A", "own");
	rig_expect(rig, "secret v=1 n=A [own]");
	assert_non_null(rig_held(rig, XDS_SECRET, "own"));
}

static void hold_secret(struct rig *rig, const char *secret)
{
	assert_int_equal(session_want_secret(rig->session, "own", rig->now_ms), 0);
	start(rig);
	rig_answer(rig, XDS_SECRET, "1", "A", secret);
	assert_non_null(rig_held(rig, XDS_SECRET, "own"));
	assert_string_equal(rig->lost_secret, "");
}

static void xds_session_expired_secret_is_taken_back(void **state)
{
	struct rig *rig = *state;

	hold_secret(rig, "own~5000");
	rig_wait(rig, 4900);
	assert_string_equal(rig->lost_secret, "");
	rig_wait(rig, 300);
	assert_string_equal(rig->lost_secret, "own");
	assert_null(rig_held(rig, XDS_SECRET, "own"));
	// It is still wanted, and can come again.
	rig_answer(rig, XDS_SECRET, "2", "B", "own");
	assert_non_null(rig_held(rig, XDS_SECRET, "own"));
}

static void xds_session_removed_secret_is_taken_back(void **state)
{
	struct rig *rig = *state;

	hold_secret(rig, "own");
	rig_answer(rig, XDS_SECRET, "2", "B", "-own");
	assert_string_equal(rig->lost_secret, "own");
	assert_null(rig_held(rig, XDS_SECRET, "own"));
	assert_int_equal(rig_entry(rig, XDS_SECRET, "own")->state, XDS_ABSENT);
}

static void xds_session_refusals_are_text(void **state)
{
	struct rig *rig = *state;
	const struct xds_entry *entry;

	start(rig);
	rig_expect_silence(rig);
	rig_answer(rig, XDS_CLUSTER, "1", "A",
		"a!line\n(3)forged\x7f\xc2\x85\xc3\xa9\xff\xe2\x82 b!c");
	rig_expect(rig,
		"cluster v= n=A [] NACK 3: cluster a: line?(3)forged???\xc3\xa9???; cluster b: c");
	entry = rig_entry(rig, XDS_CLUSTER, "a");
	assert_string_equal(entry->refused, "cluster a: line?(3)forged???\xc3\xa9???");
}

static void xds_session_too_many_resources_are_refused(void **state)
{
	struct rig *rig = *state;

	rig->spec.max_resources = 2;
	start(rig);
	rig_answer(rig, XDS_CLUSTER, "1", "A", "a b c d");
	rig_expect(rig, "cluster v= n=A [] NACK 3: cluster \"c\": no room; xds.max_resources is 2; "
			"cluster \"d\": no room; xds.max_resources is 2");
	assert_non_null(rig_held(rig, XDS_CLUSTER, "b"));
	assert_int_equal(store_count(rig->store, XDS_CLUSTER), 2);
}

static void xds_session_long_refusals_are_counted(void **state)
{
	static char resources[65536];
	struct rig *rig = *state;
	struct session_type_status status;
	size_t len = 0;

	start(rig);
	for (int i = 0; i < 300; i++)
		len += (size_t)snprintf(resources + len, sizeof(resources) - len,
			"%scluster-with-a-long-name-%d!because-of-this-and-that", i == 0 ? "" : " ",
			i);
	rig_answer(rig, XDS_CLUSTER, "1", "A", resources);
	session_type_status(rig->session, XDS_CLUSTER, &status);
	assert_int_equal(status.n_refused, 300);
	assert_true(strlen(status.nack) < 8192);
	assert_non_null(strstr(status.nack, "cluster cluster-with-a-long-name-0: because"));
	assert_non_null(strstr(status.nack, " more"));
}

// The state of a store in words.
static void describe(struct rig *rig, char *text, size_t size)
{
	size_t len = 0;

	text[0] = '\0';
	for (unsigned int type = 0; type < XDS_N_TYPES; type++)
		for (const struct xds_entry *entry = store_first(rig->store, type); entry != NULL;
			entry = store_next(entry))
			len += (size_t)snprintf(text + len, size - len, "%u %s %d %d %s %s %u\n",
				type, entry->name, entry->state, entry->settled,
				entry->version == NULL ? "-" : entry->version->text,
				entry->refused == NULL ? "-" : entry->refused, entry->n_parents);
}

static void play(struct rig *rig)
{
	start(rig);
	rig_answer(rig, XDS_CLUSTER, "1", "A", "a>ea b>eb c!no d");
	rig_answer(rig, XDS_ENDPOINTS, "1", "B", "ea eb!no");
	rig_answer(rig, XDS_CLUSTER, "2", "C", "b>ex e d f f2");
	rig_answer(rig, XDS_ENDPOINTS, "2", "D", "ex");
	rig_answer(rig, XDS_LISTENER, "1", "E", "l>r m>s");
	rig_answer(rig, XDS_ROUTES, "1", "F", "s r");
}

static void xds_session_slices_change_nothing(void **state)
{
	static struct rig whole_sent;
	char whole[4096];
	char sliced[4096];
	struct rig *rig = *state;

	play(rig);
	describe(rig, whole, sizeof(whole));
	memcpy(whole_sent.sent, rig->sent, sizeof(rig->sent));
	whole_sent.n_sent = rig->n_sent;
	for (uint32_t slice = 1; slice < 6; slice++) {
		struct rig *other = rig_create(XDS_SOTW);

		other->slice = slice;
		play(other);
		describe(other, sliced, sizeof(sliced));
		assert_string_equal(sliced, whole);
		assert_int_equal(other->n_sent, whole_sent.n_sent);
		for (uint32_t i = 0; i < other->n_sent; i++)
			assert_string_equal(other->sent[i], whole_sent.sent[i]);
		rig_destroy(other);
	}
}

// The stream ends after each number of slices; a new one brings everything to the same end.
static void break_and_repeat(enum xds_protocol protocol, uint32_t n_slices)
{
	static uint8_t bytes[RIG_MAX_MESSAGE];
	struct rig *rig = rig_create(protocol);
	size_t n_bytes = rig_pack(rig, XDS_CLUSTER, "2", "B", "a>ea:new^2 c>ec^1 d!no^1", bytes);

	start(rig);
	rig_answer(rig, XDS_CLUSTER, "1", "A", "a>ea^1 b>eb^1");
	rig->n_sent = 0;
	rig->slice = 1;
	rig->n_until_due = 1;
	session_message(rig->session, bytes, n_bytes, rig->now_ms);
	for (uint32_t i = 0; i < n_slices; i++)
		if (!session_work(rig->session, rig->now_ms))
			break;
	rig_down(rig);
	rig->n_sent = 0;
	rig->slice = 0;
	rig_up(rig);
	rig_receive(rig, bytes, n_bytes);
	assert_string_equal(rig_held(rig, XDS_CLUSTER, "a"), "new");
	assert_non_null(rig_held(rig, XDS_CLUSTER, "c"));
	assert_null(rig_held(rig, XDS_CLUSTER, "d"));
	assert_int_equal(rig_held(rig, XDS_CLUSTER, "b") != NULL, protocol == XDS_DELTA);
	assert_non_null(rig_entry(rig, XDS_ENDPOINTS, "ec"));
	rig_destroy(rig);
}

static void xds_session_break_in_every_slice_recovers(void **state)
{
	(void)state;
	for (uint32_t n_slices = 0; n_slices < 24; n_slices++) {
		break_and_repeat(XDS_SOTW, n_slices);
		break_and_repeat(XDS_DELTA, n_slices);
	}
}

static void xds_session_time_waits_for_a_response_under_way(void **state)
{
	static uint8_t bytes[RIG_MAX_MESSAGE];
	struct rig *rig = *state;
	size_t n_bytes = rig_pack(rig, XDS_CLUSTER, "2", "B", "a:new b:new", bytes);

	start(rig);
	rig_answer(rig, XDS_CLUSTER, "1", "A", "a~5000 b");
	rig->n_changed = 0;
	rig->slice = 1;
	rig->n_until_due = 1;
	session_message(rig->session, bytes, n_bytes, rig->now_ms);
	assert_true(session_work(rig->session, rig->now_ms));
	rig_wait(rig, 6000);
	assert_int_equal(rig->n_changed, 0);
	while (session_work(rig->session, rig->now_ms))
		;
	assert_int_equal(rig->n_changed, 1);
	assert_string_equal(rig_held(rig, XDS_CLUSTER, "a"), "new");
}

// Every prefix of a response, and every response with one wrong bit: the stream ends, or the response is answered,
// and the session goes on.
static void feed(const struct guard_page *page, enum xds_protocol protocol, const uint8_t *bytes,
	size_t n_bytes)
{
	struct rig *rig = rig_create(protocol);

	start(rig);
	rig_answer(rig, XDS_CLUSTER, "1", "A", "a>ea^1");
	rig->n_sent = 0;
	rig_receive(rig, guard_page_place(page, bytes, n_bytes), n_bytes);
	if (rig->reset[0] != '\0') {
		rig_down(rig);
		start(rig);
	}
	rig->n_sent = 0;
	rig_answer(rig, XDS_CLUSTER, "9", "Z", "z>ez^1");
	assert_true(rig->n_sent > 0);
	assert_non_null(rig_held(rig, XDS_CLUSTER, "z"));
	rig_destroy(rig);
}

static void spoil(enum xds_protocol protocol, const char *resources)
{
	static uint8_t bytes[RIG_MAX_MESSAGE];
	struct guard_page page = guard_page_map();
	struct rig *rig = rig_create(protocol);
	size_t n_bytes = rig_pack(rig, XDS_CLUSTER, "2", "B", resources, bytes);

	rig_destroy(rig);
	for (size_t len = 0; len < n_bytes; len++)
		feed(&page, protocol, bytes, len);
	for (size_t bit = 0; bit < n_bytes * 8; bit++) {
		bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		feed(&page, protocol, bytes, n_bytes);
		bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
}

static void xds_session_garbage_harms_nothing(void **state)
{
	(void)state;
	log_set_level(LOG_LEVEL_ERROR);
	spoil(XDS_SOTW, "a>ea:new~5000 b>eb ?c");
	spoil(XDS_DELTA, "a>ea:new~5000 b^2= -d ?c");
	log_set_level(LOG_LEVEL_INFO);
}

// Fields that mean nothing take time all the same.
static void xds_session_endless_fields_end_the_stream(void **state)
{
	static uint8_t bytes[3000];
	struct rig *rig = *state;

	start(rig);
	for (size_t i = 0; i < sizeof(bytes); i += 2) {
		bytes[i] = 15 << 3; // a number
		bytes[i + 1] = 1;
	}
	rig_receive(rig, bytes, sizeof(bytes));
	assert_string_equal(rig->reset, "a response with too many fields");
	rig_expect_silence(rig);
}

static void xds_session_nonsense_ends_the_stream(void **state)
{
	static const uint8_t group[] = {0x0b};
	static const uint8_t bad_nonce[] = {0x2a, 1, 0xff};
	struct rig *rig = *state;
	struct session_status status;

	start(rig);
	rig_receive(rig, group, sizeof(group));
	assert_string_equal(rig->reset, "a response that is not protobuf");
	rig->reset[0] = '\0';
	rig_receive(rig, bad_nonce, sizeof(bad_nonce));
	assert_string_equal(rig->reset, "a response whose version, nonce or type is no text");
	session_status(rig->session, &status);
	assert_int_equal(status.n_resets, 2);
	rig_expect_silence(rig);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, rig_setup_sotw, rig_teardown)
	const struct CMUnitTest tests[] = {
		CASE(xds_session_unanswered_name_does_not_exist),
		CASE(xds_session_unanswered_time_is_connected_time),
		CASE(xds_session_fetch_timeout_settles),
		CASE(xds_session_refusal_ends_the_wait),
		CASE(xds_session_shared_name_goes_with_its_last_parent),
		CASE(xds_session_secret_is_wanted_for_ever),
		CASE(xds_session_expired_secret_is_taken_back),
		cmocka_unit_test_setup_teardown(
			xds_session_removed_secret_is_taken_back, rig_setup_delta, rig_teardown),
		CASE(xds_session_refusals_are_text),
		CASE(xds_session_too_many_resources_are_refused),
		CASE(xds_session_long_refusals_are_counted),
		CASE(xds_session_slices_change_nothing),
		CASE(xds_session_break_in_every_slice_recovers),
		CASE(xds_session_time_waits_for_a_response_under_way),
		CASE(xds_session_garbage_harms_nothing),
		CASE(xds_session_endless_fields_end_the_stream),
		CASE(xds_session_nonsense_ends_the_stream),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
