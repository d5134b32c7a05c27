// SPDX-License-Identifier: Apache-2.0

// Incremental: what goes over the stream, request for request, and what the store holds then.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/xds_session_rig.h"

static void load_all(struct rig *rig)
{
	rig_up(rig);
	rig_answer(rig, XDS_CLUSTER, "", "A", "a>ea^a1 b>eb^b1");
	rig_answer(rig, XDS_ENDPOINTS, "", "B", "ea^1 eb^1");
	rig_answer(rig, XDS_LISTENER, "", "C", "l>r^1");
	rig_answer(rig, XDS_ROUTES, "", "D", "r^1");
	rig_expect(rig, "cluster +[] -[] have[] n= node");
	rig_expect(rig, "listener +[] -[] have[] n= node");
	rig_expect(rig, "cluster +[] -[] have[] n=A");
	rig_expect(rig, "endpoints +[ea eb] -[] have[] n= node");
	rig_expect(rig, "endpoints +[] -[] have[] n=B");
	rig_expect(rig, "listener +[] -[] have[] n=C");
	rig_expect(rig, "route configuration +[r] -[] have[] n= node");
	rig_expect(rig, "route configuration +[] -[] have[] n=D");
	rig_expect_silence(rig);
	rig->changes[0] = '\0';
}

static void xds_delta_names_asked_once_together(void **state)
{
	load_all(*state);
}

static void xds_delta_one_change_touches_one(void **state)
{
	struct rig *rig = *state;

	load_all(rig);
	rig_answer(rig, XDS_ENDPOINTS, "", "E", "ea:new^2");
	rig_expect(rig, "endpoints +[] -[] have[] n=E");
	rig_expect_changes(rig, "endpoints ea");
	assert_string_equal(rig_held(rig, XDS_ENDPOINTS, "ea"), "new");
}

static void xds_delta_wants_change_by_difference(void **state)
{
	struct rig *rig = *state;

	load_all(rig);
	rig_answer(rig, XDS_CLUSTER, "", "E", "a>ex^2 c>ec^1 d>ed^1 -b");
	rig_expect(rig, "cluster +[] -[] have[] n=E");
	rig_expect(rig, "endpoints +[ex ec ed] -[ea eb] have[] n=");
	rig_expect_silence(rig);
	assert_null(rig_entry(rig, XDS_CLUSTER, "b"));
	assert_null(rig_entry(rig, XDS_ENDPOINTS, "ea"));
	// Given up and wanted again before anything was said: nothing is.
	rig_answer(rig, XDS_CLUSTER, "", "F", "d>ex^2");
	rig_answer(rig, XDS_CLUSTER, "", "G", "d>ed^3");
	rig_expect(rig, "cluster +[] -[] have[] n=F");
	rig_expect(rig, "endpoints +[] -[ed] have[] n=");
	rig_expect(rig, "cluster +[] -[] have[] n=G");
	rig_expect(rig, "endpoints +[ed] -[] have[] n=");
	rig_expect_silence(rig);
}

static void xds_delta_refused_version_is_not_recorded(void **state)
{
	struct rig *rig = *state;

	load_all(rig);
	rig_answer(rig, XDS_CLUSTER, "", "E", "a>ea!no^a2 b>eb:new^b2 c!no^c1");
	rig_expect(rig, "cluster +[] -[] have[] n=E NACK 3: cluster a: no; cluster c: no");
	rig_expect_silence(rig);
	assert_string_equal(rig_held(rig, XDS_CLUSTER, "a"), "");
	assert_string_equal(rig_held(rig, XDS_CLUSTER, "b"), "new");
	rig_down(rig);
	rig_up(rig);
	rig_expect(rig, "cluster +[] -[] have[a=a1 b=b2] n= node");
	rig_expect(rig, "endpoints +[ea eb] -[] have[ea=1 eb=1] n= node");
	rig_expect(rig, "listener +[] -[] have[l=1] n= node");
	rig_expect(rig, "route configuration +[r] -[] have[r=1] n= node");
	rig_expect_silence(rig);
}

static void xds_delta_refused_again_answers_slowly(void **state)
{
	struct rig *rig = *state;

	load_all(rig);
	rig_answer(rig, XDS_CLUSTER, "", "E", "a>ea!no^a2");
	rig_answer(rig, XDS_CLUSTER, "", "F", "a>ea!no^a2");
	rig_expect(rig, "cluster +[] -[] have[] n=E NACK 3: cluster a: no");
	rig_wait(rig, 999);
	rig_expect_silence(rig);
	rig_wait(rig, 1);
	rig_expect(rig, "cluster +[] -[] have[] n=F NACK 3: cluster a: no");
	// Another version of it is news.
	rig_answer(rig, XDS_CLUSTER, "", "G", "a>ea!no^a3");
	rig_expect(rig, "cluster +[] -[] have[] n=G NACK 3: cluster a: no");
}

static void xds_delta_removed_cluster_goes(void **state)
{
	struct rig *rig = *state;

	load_all(rig);
	rig_answer(rig, XDS_CLUSTER, "", "E", "-a -unknown");
	rig_expect(rig, "cluster +[] -[] have[] n=E");
	rig_expect(rig, "endpoints +[] -[ea] have[] n=");
	rig_expect_changes(rig, "cluster a, endpoints ea");
	assert_null(rig_entry(rig, XDS_CLUSTER, "a"));
	rig_answer(rig, XDS_LISTENER, "", "F", "-l");
	rig_expect(rig, "listener +[] -[] have[] n=F");
	rig_expect(rig, "route configuration +[] -[r] have[] n=");
	assert_int_equal(store_count(rig->store, XDS_ROUTES), 0);
}

// A server may take endpoints back before the cluster: requests under way are not to meet a cluster without any.
static void xds_delta_removed_endpoints_stay_while_referred_to(void **state)
{
	struct rig *rig = *state;

	load_all(rig);
	rig_answer(rig, XDS_ENDPOINTS, "", "E", "-ea");
	rig_expect(rig, "endpoints +[] -[] have[] n=E");
	assert_non_null(rig_held(rig, XDS_ENDPOINTS, "ea"));
	assert_true(rig_entry(rig, XDS_ENDPOINTS, "ea")->removed);
	rig_expect_changes(rig, "");
	rig_down(rig);
	rig_up(rig);
	rig_expect(rig, "cluster +[] -[] have[a=a1 b=b1] n= node");
	rig_expect(rig, "endpoints +[ea eb] -[] have[eb=1] n= node");
}

static void xds_delta_removed_before_held_does_not_exist(void **state)
{
	struct rig *rig = *state;

	load_all(rig);
	rig_answer(rig, XDS_CLUSTER, "", "E", "c>ec^1");
	rig_expect_changes(rig, "cluster c");
	assert_false(rig_entry(rig, XDS_ENDPOINTS, "ec")->settled);
	rig_answer(rig, XDS_ENDPOINTS, "", "F", "-ec");
	rig_expect_changes(rig, "endpoints ec");
	assert_true(rig_entry(rig, XDS_ENDPOINTS, "ec")->settled);
	assert_int_equal(rig_entry(rig, XDS_ENDPOINTS, "ec")->state, XDS_ABSENT);
	rig_answer(rig, XDS_ENDPOINTS, "", "G", "ec^1");
	assert_int_equal(rig_entry(rig, XDS_ENDPOINTS, "ec")->state, XDS_HELD);
}

static void xds_delta_absence_says_nothing(void **state)
{
	struct rig *rig = *state;

	load_all(rig);
	rig_answer(rig, XDS_CLUSTER, "", "E", "");
	rig_expect(rig, "cluster +[] -[] have[] n=E");
	assert_non_null(rig_held(rig, XDS_CLUSTER, "a"));
	assert_non_null(rig_held(rig, XDS_CLUSTER, "b"));
}

static void xds_delta_duplicate_refuses_all(void **state)
{
	struct rig *rig = *state;

	load_all(rig);
	rig_answer(rig, XDS_CLUSTER, "", "E", "b>eb:new^2 a>ea:new^2 -a");
	rig_expect(rig, "cluster +[] -[] have[] n=E NACK 3: cluster \"a\" is there twice");
	assert_string_equal(rig_held(rig, XDS_CLUSTER, "a"), "");
	assert_string_equal(rig_held(rig, XDS_CLUSTER, "b"), "");
}

static void xds_delta_heartbeat_of_held_version_renews(void **state)
{
	struct rig *rig = *state;

	rig_up(rig);
	rig_answer(rig, XDS_CLUSTER, "", "A", "a^1~5000");
	rig_wait(rig, 4000);
	rig_answer(rig, XDS_CLUSTER, "", "B", "a^1~5000=");
	rig_wait(rig, 4000);
	assert_non_null(rig_held(rig, XDS_CLUSTER, "a"));
	rig_answer(rig, XDS_CLUSTER, "", "C", "a^1=");
	rig_wait(rig, 100000);
	assert_non_null(rig_held(rig, XDS_CLUSTER, "a"));
	rig->n_sent = 0;
	rig_answer(rig, XDS_CLUSTER, "", "D", "a^2~5000=");
	rig_expect(rig,
		"cluster +[] -[] have[] n=D NACK 3: cluster \"a\": without a body it stands "
		"for version \"2\", which is not held");
}

static void xds_delta_expired_resource_goes(void **state)
{
	struct rig *rig = *state;

	load_all(rig);
	rig_answer(rig, XDS_ENDPOINTS, "", "E", "ea:new^2~3000 eb:new^2~4000");
	rig_expect(rig, "endpoints +[] -[] have[] n=E");
	rig_answer(rig, XDS_ENDPOINTS, "", "F", "eb:new^2");
	rig_expect(rig, "endpoints +[] -[] have[] n=F");
	rig->changes[0] = '\0';
	rig_wait(rig, 10000);
	rig_expect_changes(rig, "endpoints ea");
	assert_int_equal(rig_entry(rig, XDS_ENDPOINTS, "ea")->state, XDS_ABSENT);
	assert_non_null(rig_held(rig, XDS_ENDPOINTS, "eb"));
	rig_expect_silence(rig);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, rig_setup_delta, rig_teardown)
	const struct CMUnitTest tests[] = {
		CASE(xds_delta_names_asked_once_together),
		CASE(xds_delta_one_change_touches_one),
		CASE(xds_delta_wants_change_by_difference),
		CASE(xds_delta_refused_version_is_not_recorded),
		CASE(xds_delta_refused_again_answers_slowly),
		CASE(xds_delta_removed_cluster_goes),
		CASE(xds_delta_removed_endpoints_stay_while_referred_to),
		CASE(xds_delta_removed_before_held_does_not_exist),
		CASE(xds_delta_absence_says_nothing),
		CASE(xds_delta_duplicate_refuses_all),
		CASE(xds_delta_heartbeat_of_held_version_renews),
		CASE(xds_delta_expired_resource_goes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
