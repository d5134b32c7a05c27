// SPDX-License-Identifier: Apache-2.0

// State-of-the-world: what goes over the stream, request for request, and what the store holds then.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/xds_session_rig.h"

// Two clusters with their endpoints, a listener with its routes, all accepted.
static void load_all(struct rig *rig)
{
	rig_up(rig);
	rig_answer(rig, XDS_CLUSTER, "1", "A", "a>ea b>eb");
	rig_answer(rig, XDS_ENDPOINTS, "1", "B", "ea eb");
	rig_answer(rig, XDS_LISTENER, "1", "C", "l>r");
	rig_answer(rig, XDS_ROUTES, "1", "D", "r");
	rig_expect(rig, "cluster v= n= [] node");
	rig_expect(rig, "listener v= n= [] node");
	rig_expect(rig, "cluster v=1 n=A []");
	rig_expect(rig, "endpoints v= n= [ea eb] node");
	rig_expect(rig, "endpoints v=1 n=B [ea eb]");
	rig_expect(rig, "listener v=1 n=C []");
	rig_expect(rig, "route configuration v= n= [r] node");
	rig_expect(rig, "route configuration v=1 n=D [r]");
	rig_expect_silence(rig);
	rig_expect_changes(rig, "cluster a, cluster b, endpoints ea, endpoints eb, listener l, "
				"route configuration r");
}

static void xds_sotw_start_asks_in_order(void **state)
{
	struct rig *rig = *state;

	rig_up(rig);
	rig_expect(rig, "cluster v= n= [] node");
	rig_expect(rig, "listener v= n= [] node");
	rig_expect_silence(rig);
}

static void xds_sotw_names_asked_once_together(void **state)
{
	load_all(*state);
}

static void xds_sotw_refused_one_keeps_its_last(void **state)
{
	struct rig *rig = *state;

	load_all(rig);
	rig_answer(rig, XDS_CLUSTER, "2", "E", "a>ea:new b>eb!no:new c:new");
	rig_expect(rig, "cluster v=1 n=E [] NACK 3: cluster b: no");
	rig_expect_silence(rig);
	assert_string_equal(rig_held(rig, XDS_CLUSTER, "a"), "new");
	assert_string_equal(rig_held(rig, XDS_CLUSTER, "b"), "");
	assert_string_equal(rig_held(rig, XDS_CLUSTER, "c"), "new");
	assert_string_equal(rig_entry(rig, XDS_CLUSTER, "b")->refused, "cluster b: no");
	assert_string_equal(rig_entry(rig, XDS_CLUSTER, "b")->version->text, "1");
	assert_non_null(rig_held(rig, XDS_ENDPOINTS, "eb"));
	rig_answer(rig, XDS_CLUSTER, "3", "F", "a>ea:new b>eb:new c:new");
	rig_expect(rig, "cluster v=3 n=F []");
	assert_null(rig_entry(rig, XDS_CLUSTER, "b")->refused);
	assert_string_equal(rig_held(rig, XDS_CLUSTER, "b"), "new");
}

// Servers leave requests without an answer that do not name all they have.
static void xds_sotw_refused_one_keeps_its_names(void **state)
{
	struct rig *rig = *state;

	load_all(rig);
	rig_answer(rig, XDS_CLUSTER, "2", "E", "a>ea b>new!no c>ec,ed!no");
	rig_expect(rig, "cluster v=1 n=E [] NACK 3: cluster b: no; cluster c: no");
	rig_expect(rig, "endpoints v=1 n=B [ea eb new ec ed]");
	rig_answer(rig, XDS_ENDPOINTS, "2", "F", "ea eb new ec ed");
	rig_expect(rig, "endpoints v=2 n=F [ea eb new ec ed]");
	// Another refusal: what both name is neither given up nor asked for again.
	rig_answer(rig, XDS_CLUSTER, "3", "G", "a>ea b>eb:b c>ec!bad");
	rig_expect(rig, "cluster v=1 n=G [] NACK 3: cluster c: bad");
	rig_expect(rig, "endpoints v=2 n=F [ea eb ec]");
	assert_non_null(rig_held(rig, XDS_ENDPOINTS, "ec"));
	assert_null(rig_entry(rig, XDS_ENDPOINTS, "new"));
	rig_answer(rig, XDS_CLUSTER, "4", "H", "a>ea b>eb:b c:ok");
	rig_expect(rig, "cluster v=4 n=H []");
	rig_expect(rig, "endpoints v=2 n=F [ea eb]");
	rig_expect_silence(rig);
}

static void xds_sotw_refused_one_that_goes_frees_its_names(void **state)
{
	struct rig *rig = *state;

	load_all(rig);
	rig_answer(rig, XDS_LISTENER, "2", "E", "l>r m>s,t!no");
	rig_expect(rig, "listener v=1 n=E [] NACK 3: listener m: no");
	rig_expect(rig, "route configuration v=1 n=D [r s t]");
	rig_answer(rig, XDS_LISTENER, "3", "F", "l>r");
	rig_expect(rig, "listener v=3 n=F []");
	rig_expect(rig, "route configuration v=1 n=D [r]");
	rig_expect_silence(rig);
	assert_null(rig_entry(rig, XDS_LISTENER, "m"));
	assert_null(rig_entry(rig, XDS_ROUTES, "s"));
}

// A version that is held came back: its names are those of the accepted one alone.
static void xds_sotw_taken_back_refusal_frees_its_names(void **state)
{
	struct rig *rig = *state;

	load_all(rig);
	rig_answer(rig, XDS_CLUSTER, "2", "E", "a>x!no b>eb");
	rig_expect(rig, "cluster v=1 n=E [] NACK 3: cluster a: no");
	rig_expect(rig, "endpoints v=1 n=B [ea eb x]");
	rig_answer(rig, XDS_CLUSTER, "3", "F", "a>ea b>eb");
	rig_expect(rig, "cluster v=3 n=F []");
	rig_expect(rig, "endpoints v=1 n=B [ea eb]");
	rig_expect_silence(rig);
}

static void xds_sotw_refused_names_have_a_limit(void **state)
{
	struct rig *rig = *state;

	load_all(rig);
	rig->spec.max_resources = 8;
	rig_answer(rig, XDS_CLUSTER, "2", "E", "a>eb,x,y!no b>eb");
	rig_expect(rig, "cluster v=1 n=E [] NACK 3: cluster a: no");
	rig_expect(rig, "endpoints v=1 n=B [ea eb x y]");
	rig_answer(rig, XDS_CLUSTER, "3", "F", "a>eb,x,z,y!no b>eb");
	rig_expect(rig, "cluster v=1 n=F [] NACK 3: cluster a: no");
	rig_expect_silence(rig);
	assert_int_equal(store_count(rig->store, XDS_ENDPOINTS), 4);
}

static void xds_sotw_refused_again_answers_slowly(void **state)
{
	static const uint64_t delays_ms[] = {1000, 2000, 4000, 8000, 16000, 30000, 30000};
	struct rig *rig = *state;

	load_all(rig);
	rig_answer(rig, XDS_ROUTES, "2", "n", "r!no");
	rig_expect(rig, "route configuration v=1 n=n [r] NACK 3: route configuration r: no");
	for (size_t i = 0; i < sizeof(delays_ms) / sizeof(delays_ms[0]); i++) {
		rig_answer(rig, XDS_ROUTES, "2", "n", "r!no");
		rig_wait(rig, delays_ms[i] - 1);
		rig_expect_silence(rig);
		rig_wait(rig, 1);
		rig_expect(
			rig, "route configuration v=1 n=n [r] NACK 3: route configuration r: no");
	}
	rig_answer(rig, XDS_ROUTES, "3", "o", "r!no");
	rig_expect(rig, "route configuration v=1 n=o [r] NACK 3: route configuration r: no");
	rig_answer(rig, XDS_ROUTES, "4", "p", "r:new");
	rig_expect(rig, "route configuration v=4 n=p [r]");
	rig_answer(rig, XDS_ROUTES, "3", "q", "r!no");
	rig_expect(rig, "route configuration v=4 n=q [r] NACK 3: route configuration r: no");
	rig_expect_silence(rig);
}

// Other types are not held up by it, and its own subscriptions carry the refusal along.
static void xds_sotw_waiting_refusal_goes_with_next_request(void **state)
{
	struct rig *rig = *state;

	load_all(rig);
	rig_answer(rig, XDS_ENDPOINTS, "2", "E", "ea!no");
	rig_expect(rig, "endpoints v=1 n=E [ea eb] NACK 3: endpoints ea: no");
	rig_answer(rig, XDS_ENDPOINTS, "2", "F", "ea!no");
	rig_expect_silence(rig);
	rig_answer(rig, XDS_CLUSTER, "2", "G", "a>ea b>eb c>ec");
	rig_expect(rig, "cluster v=2 n=G []");
	rig_expect(rig, "endpoints v=1 n=F [ea eb ec] NACK 3: endpoints ea: no");
	rig_wait(rig, 60000);
	rig_expect_silence(rig);
}

static void xds_sotw_waiting_refusal_goes_before_next_answer(void **state)
{
	struct rig *rig = *state;

	load_all(rig);
	rig_answer(rig, XDS_ROUTES, "2", "E", "r!no");
	rig_answer(rig, XDS_ROUTES, "2", "F", "r!no");
	rig_answer(rig, XDS_ROUTES, "3", "G", "r:new");
	rig_expect(rig, "route configuration v=1 n=E [r] NACK 3: route configuration r: no");
	rig_expect(rig, "route configuration v=1 n=F [r] NACK 3: route configuration r: no");
	rig_expect(rig, "route configuration v=3 n=G [r]");
	rig_expect_silence(rig);
}

static void xds_sotw_duplicate_refuses_all(void **state)
{
	struct rig *rig = *state;

	load_all(rig);
	rig_answer(rig, XDS_CLUSTER, "2", "E", "a>ea:new d d:new");
	rig_expect(rig, "cluster v=1 n=E [] NACK 3: cluster \"d\" is there twice");
	assert_string_equal(rig_held(rig, XDS_CLUSTER, "a"), "");
	assert_non_null(rig_held(rig, XDS_CLUSTER, "b"));
	assert_null(rig_entry(rig, XDS_CLUSTER, "d"));
}

static void xds_sotw_other_type_refuses_all(void **state)
{
	static uint8_t bytes[RIG_MAX_MESSAGE];
	struct rig *rig = *state;
	size_t n_bytes = rig_pack(rig, XDS_CLUSTER, "2", "E", "a:new b", bytes);

	load_all(rig);
	// The second resource's last letter.
	for (size_t i = 0, n_seen = 0; i + 7 < n_bytes; i++)
		if (memcmp(bytes + i, "Cluster", 7) == 0 && ++n_seen == 2)
			bytes[i + 6] = 's';
	rig_receive(rig, bytes, n_bytes);
	rig_expect(rig, "cluster v=1 n=E [] NACK 3: resources[1] is a "
			"\"type.googleapis.com/envoy.config.cluster.v3.Clustes\" in a response of "
			"\"type.googleapis.com/envoy.config.cluster.v3.Cluster\"");
	assert_string_equal(rig_held(rig, XDS_CLUSTER, "a"), "");
}

static void xds_sotw_type_never_asked_is_dropped(void **state)
{
	struct rig *rig = *state;
	struct session_status status;

	rig_up(rig);
	rig_expect(rig, "cluster v= n= [] node");
	rig_expect(rig, "listener v= n= [] node");
	rig_answer(rig, XDS_SECRET, "1", "A", "s");
	rig_answer(rig, XDS_ROUTES, "1", "A", "r");
	rig_expect_silence(rig);
	session_status(rig->session, &status);
	assert_int_equal(status.n_unasked, 2);
	assert_string_equal(rig->reset, "");
}

static void xds_sotw_absent_listener_and_cluster_go(void **state)
{
	struct rig *rig = *state;

	load_all(rig);
	rig_answer(rig, XDS_CLUSTER, "2", "E", "b>eb");
	rig_expect(rig, "cluster v=2 n=E []");
	rig_expect(rig, "endpoints v=1 n=B [eb]");
	assert_null(rig_entry(rig, XDS_CLUSTER, "a"));
	assert_null(rig_entry(rig, XDS_ENDPOINTS, "ea"));
	rig_expect_changes(rig, "cluster a, endpoints ea");
	rig_answer(rig, XDS_LISTENER, "2", "F", "");
	rig_expect(rig, "listener v=2 n=F []");
	rig_expect(rig, "route configuration v=1 n=D []");
	rig_expect_changes(rig, "listener l, route configuration r");
	assert_int_equal(store_count(rig->store, XDS_LISTENER), 0);
	assert_int_equal(store_count(rig->store, XDS_ROUTES), 0);
	rig_expect_silence(rig);
}

static void xds_sotw_absent_endpoints_and_routes_stay(void **state)
{
	struct rig *rig = *state;

	load_all(rig);
	rig_answer(rig, XDS_ENDPOINTS, "2", "E", "eb:new");
	rig_answer(rig, XDS_ENDPOINTS, "3", "F", "");
	rig_answer(rig, XDS_ROUTES, "2", "G", "");
	rig_expect(rig, "endpoints v=2 n=E [ea eb]");
	rig_expect(rig, "endpoints v=3 n=F [ea eb]");
	rig_expect(rig, "route configuration v=2 n=G [r]");
	assert_string_equal(rig_held(rig, XDS_ENDPOINTS, "ea"), "");
	assert_string_equal(rig_held(rig, XDS_ENDPOINTS, "eb"), "new");
	assert_non_null(rig_held(rig, XDS_ROUTES, "r"));
	rig_expect_changes(rig, "endpoints eb");
}

static void xds_sotw_unwanted_names_are_ignored(void **state)
{
	struct rig *rig = *state;

	load_all(rig);
	rig_answer(rig, XDS_ENDPOINTS, "2", "E", "ex!no ea eb");
	rig_expect(rig, "endpoints v=2 n=E [ea eb]");
	assert_null(rig_entry(rig, XDS_ENDPOINTS, "ex"));
	rig_expect_changes(rig, "");
}

static void xds_sotw_nameless_resource_removes_nothing(void **state)
{
	struct rig *rig = *state;

	load_all(rig);
	rig_answer(rig, XDS_CLUSTER, "2", "E", "a>ea:new >x");
	rig_expect(rig, "cluster v=1 n=E [] NACK 3: resources[1]: its name is empty, longer than "
			"1023 bytes, or no printable UTF-8");
	assert_string_equal(rig_held(rig, XDS_CLUSTER, "a"), "new");
	assert_non_null(rig_held(rig, XDS_CLUSTER, "b"));
}

static void xds_sotw_new_stream_asks_all_again(void **state)
{
	struct rig *rig = *state;

	load_all(rig);
	rig_answer(rig, XDS_CLUSTER, "2", "E", "a>ea!no b>eb");
	rig_expect(rig, "cluster v=1 n=E [] NACK 3: cluster a: no");
	rig_down(rig);
	rig_up(rig);
	rig_expect(rig, "cluster v=1 n= [] node");
	rig_expect(rig, "endpoints v=1 n= [ea eb] node");
	rig_expect(rig, "listener v=1 n= [] node");
	rig_expect(rig, "route configuration v=1 n= [r] node");
	rig_expect_silence(rig);
	assert_non_null(rig_held(rig, XDS_CLUSTER, "a"));
	// The new stream's first refusal is told at once.
	rig_answer(rig, XDS_CLUSTER, "2", "F", "a>ea!no b>eb");
	rig_expect(rig, "cluster v=1 n=F [] NACK 3: cluster a: no");
}

static void xds_sotw_unchanged_bytes_are_not_decoded(void **state)
{
	struct rig *rig = *state;
	struct session_type_status status;

	load_all(rig);
	rig->n_decoded = 0;
	rig->changes[0] = '\0';
	rig_answer(rig, XDS_CLUSTER, "2", "E", "b>eb a>ea");
	rig_answer(rig, XDS_ENDPOINTS, "2", "F", "eb ea:new");
	rig_expect(rig, "cluster v=2 n=E []");
	rig_expect(rig, "endpoints v=2 n=F [ea eb]");
	assert_int_equal(rig->n_decoded, 1);
	rig_expect_changes(rig, "endpoints ea");
	assert_string_equal(rig_entry(rig, XDS_CLUSTER, "a")->version->text, "2");
	session_type_status(rig->session, XDS_ENDPOINTS, &status);
	assert_int_equal(status.n_resources, 4);
	assert_int_equal(status.n_decoded, 3);
}

// A listener that now refers to other routes: one request says both.
static void xds_sotw_changed_reference_is_one_request(void **state)
{
	struct rig *rig = *state;

	load_all(rig);
	rig_answer(rig, XDS_LISTENER, "2", "E", "l>s");
	rig_expect(rig, "listener v=2 n=E []");
	rig_expect(rig, "route configuration v=1 n=D [s]");
	rig_expect_silence(rig);
	assert_null(rig_entry(rig, XDS_ROUTES, "r"));
	assert_false(rig_entry(rig, XDS_ROUTES, "s")->settled);
}

static void xds_sotw_wrapped_and_bare_mix(void **state)
{
	struct rig *rig = *state;

	rig_up(rig);
	rig_answer(rig, XDS_CLUSTER, "1", "A", "a^w1 b");
	rig_expect(rig, "cluster v= n= [] node");
	rig_expect(rig, "listener v= n= [] node");
	rig_expect(rig, "cluster v=1 n=A []");
	assert_string_equal(rig_entry(rig, XDS_CLUSTER, "a")->version->text, "w1");
	assert_string_equal(rig_entry(rig, XDS_CLUSTER, "b")->version->text, "1");
}

static void xds_sotw_heartbeats_alone_remove_nothing(void **state)
{
	struct rig *rig = *state;

	rig_up(rig);
	rig_answer(rig, XDS_CLUSTER, "1", "A", "a~5000 b");
	rig_wait(rig, 4000);
	rig_answer(rig, XDS_CLUSTER, "1", "B", "a~5000=");
	rig_wait(rig, 4000);
	assert_non_null(rig_held(rig, XDS_CLUSTER, "a"));
	assert_non_null(rig_held(rig, XDS_CLUSTER, "b"));
	rig_wait(rig, 1100);
	assert_null(rig_entry(rig, XDS_CLUSTER, "a"));
	assert_non_null(rig_held(rig, XDS_CLUSTER, "b"));
}

// What the server has and cannot give is not what it leaves out.
static void xds_sotw_resource_error_keeps_what_is_held(void **state)
{
	struct rig *rig = *state;

	load_all(rig);
	rig_answer(rig, XDS_CLUSTER, "2", "E", "b>eb ?a");
	rig_expect(rig, "cluster v=2 n=E []");
	assert_non_null(rig_held(rig, XDS_CLUSTER, "a"));
	assert_string_equal(
		rig_entry(rig, XDS_CLUSTER, "a")->refused, "the server cannot give it: broken");
	rig_answer(rig, XDS_CLUSTER, "3", "F", "a>ea b>eb c>ec");
	rig_answer(rig, XDS_ENDPOINTS, "2", "G", "?ec");
	assert_true(rig_entry(rig, XDS_ENDPOINTS, "ec")->settled);
	assert_int_equal(rig_entry(rig, XDS_ENDPOINTS, "ec")->state, XDS_ABSENT);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, rig_setup_sotw, rig_teardown)
	const struct CMUnitTest tests[] = {
		CASE(xds_sotw_start_asks_in_order),
		CASE(xds_sotw_names_asked_once_together),
		CASE(xds_sotw_refused_one_keeps_its_last),
		CASE(xds_sotw_refused_one_keeps_its_names),
		CASE(xds_sotw_refused_one_that_goes_frees_its_names),
		CASE(xds_sotw_taken_back_refusal_frees_its_names),
		CASE(xds_sotw_refused_names_have_a_limit),
		CASE(xds_sotw_refused_again_answers_slowly),
		CASE(xds_sotw_waiting_refusal_goes_with_next_request),
		CASE(xds_sotw_waiting_refusal_goes_before_next_answer),
		CASE(xds_sotw_duplicate_refuses_all),
		CASE(xds_sotw_other_type_refuses_all),
		CASE(xds_sotw_type_never_asked_is_dropped),
		CASE(xds_sotw_absent_listener_and_cluster_go),
		CASE(xds_sotw_absent_endpoints_and_routes_stay),
		CASE(xds_sotw_unwanted_names_are_ignored),
		CASE(xds_sotw_nameless_resource_removes_nothing),
		CASE(xds_sotw_new_stream_asks_all_again),
		CASE(xds_sotw_unchanged_bytes_are_not_decoded),
		CASE(xds_sotw_changed_reference_is_one_request),
		CASE(xds_sotw_wrapped_and_bare_mix),
		CASE(xds_sotw_heartbeats_alone_remove_nothing),
		CASE(xds_sotw_resource_error_keeps_what_is_held),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
