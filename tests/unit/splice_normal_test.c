// SPDX-License-Identifier: Apache-2.0

// Request heads that a listener's rules change, on their way: what the endpoint gets, what is acknowledged, and that
// the connection goes on.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "l7/http1_normal.h"
#include "tests/unit/splice_rig.h"

static const char CROOKED[] = "GET /a/../x HTTP/1.1\r\nHost: x\r\n\r\n"; // GET, with /x another way
static const char ESCAPED[] = "GET /a%2fb HTTP/1.1\r\nHost: x\r\n\r\n";
static const char UNDERSCORE[] = "GET /x HTTP/1.1\r\na_b: c\r\nHost: x\r\n\r\n";
static const char ANSWER[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

enum {
	CROOKED_LEN = sizeof(CROOKED) - 1,
	ESCAPED_LEN = sizeof(ESCAPED) - 1,
	ANSWER_LEN = sizeof(ANSWER) - 1,
};

static struct rig *start(void **state, uint8_t rules)
{
	struct rig *rig = *state;

	rig->listener.rules = rules;
	rig_start(rig);
	return rig;
}

// The head went out as GET; answers it.
static void finish(struct rig *rig, uint32_t flow, uint32_t leg, uint32_t sent)
{
	assert_string_equal(rig_take_data(rig, SPLICE_SERVER)->data, GET);
	rig_server(rig, leg, &(struct rig_in){.ack = GET_LEN, .text = ANSWER});
	assert_string_equal(rig_take_data(rig, SPLICE_CLIENT)->data, ANSWER);
	rig_client(rig, flow, &(struct rig_in){.seq = sent, .ack = ANSWER_LEN});
	rig_forget(rig);
}

static void splice_normal_head_is_forwarded_instead(void **state)
{
	struct rig *rig = start(state, HTTP1_RULE_NORMALIZE_PATH);
	uint32_t flow = rig_open(rig), leg;

	rig_client(rig, flow, &(struct rig_in){.text = CROOKED});
	leg = rig_accept(rig);
	finish(rig, flow, leg, CROOKED_LEN);
	// On the pooled leg, too; it waits there for the rest of the client's numbers.
	rig_client(rig, flow,
		&(struct rig_in){.seq = CROOKED_LEN, .ack = ANSWER_LEN, .text = CROOKED});
	assert_string_equal(rig_take_data(rig, SPLICE_SERVER)->data, GET);
	assert_int_equal(rig->n_events[SPLICE_MALFORMED], 0);
}

static void splice_normal_head_in_pieces_is_forwarded_instead(void **state)
{
	struct rig *rig = start(state, HTTP1_RULE_NORMALIZE_PATH);
	uint32_t flow = rig_open(rig), leg;
	char piece[sizeof(CROOKED)];

	snprintf(piece, sizeof(piece), "%.7s", CROOKED);
	rig_client(rig, flow, &(struct rig_in){.text = piece});
	rig_forget(rig);
	rig_client(rig, flow, &(struct rig_in){.seq = 7, .text = CROOKED + 7});
	leg = rig_accept(rig);
	finish(rig, flow, leg, CROOKED_LEN);
}

static void splice_normal_head_lost_is_repeated(void **state)
{
	struct rig *rig = start(state, HTTP1_RULE_NORMALIZE_PATH);
	uint32_t flow = rig_open(rig), leg;

	rig_client(rig, flow, &(struct rig_in){.text = CROOKED});
	leg = rig_accept(rig);
	assert_string_equal(rig_take_data(rig, SPLICE_SERVER)->data, GET);
	rig_wait(rig, 2000);
	assert_string_equal(rig_take_data(rig, SPLICE_SERVER)->data, GET);
	rig_forget(rig);
	rig_server(rig, leg, &(struct rig_in){.ack = GET_LEN, .text = ANSWER});
	assert_string_equal(rig_take_data(rig, SPLICE_CLIENT)->data, ANSWER);
}

static void splice_normal_head_that_is_so_goes_in_place(void **state)
{
	struct rig *rig = start(state, 0xff & ~HTTP1_RULE_REJECT_ESCAPED_SLASHES);
	uint32_t flow = rig_open(rig), up = 0, down = 0;

	rig_exchange(rig, flow, &up, &down);
	rig_client(rig, flow, &(struct rig_in){.seq = up, .ack = down, .text = GET});
	assert_true(rig_take_data(rig, SPLICE_SERVER)->carried);
}

static void splice_normal_escaped_slash_is_redirected(void **state)
{
	struct rig *rig = start(state, HTTP1_RULE_REDIRECT_ESCAPED_SLASHES);
	uint32_t flow = rig_open(rig);
	const struct rig_sent *sent;

	rig_client(rig, flow, &(struct rig_in){.text = ESCAPED});
	sent = rig_take_data(rig, SPLICE_CLIENT);
	assert_string_equal(sent->data, "HTTP/1.1 307 Temporary Redirect\r\ncontent-length: 0\r\n"
					"location: /a/b\r\n\r\n");
	assert_int_equal(rig->why, SPLICE_WHY_PATH_REDIRECT);
	rig_client(rig, flow, &(struct rig_in){.seq = ESCAPED_LEN, .ack = sent->len, .text = GET});
	rig_accept(rig);
	assert_string_equal(rig_take_data(rig, SPLICE_SERVER)->data, GET);
}

static void expect_400_and_more(struct rig *rig, const char *head, enum http1_reason reason)
{
	uint32_t flow = rig_open(rig);
	const struct rig_sent *sent;

	rig_client(rig, flow, &(struct rig_in){.text = head});
	sent = rig_take_data(rig, SPLICE_CLIENT);
	assert_memory_equal(sent->data, "HTTP/1.1 400 ", 13);
	assert_null(strstr(sent->data, "connection: close"));
	assert_int_equal(http1_reason_status(reason), 400);
	assert_int_equal(rig->n_events[SPLICE_MALFORMED], 1);
	assert_int_equal(rig->n_events[SPLICE_REQUEST], 0);
	rig_client(rig, flow,
		&(struct rig_in){.seq = (uint32_t)strlen(head), .ack = sent->len, .text = GET});
	rig_accept(rig);
	assert_string_equal(rig_take_data(rig, SPLICE_SERVER)->data, GET);
}

static void splice_normal_escaped_slash_is_refused(void **state)
{
	struct rig *rig = start(state, HTTP1_RULE_REJECT_ESCAPED_SLASHES);

	expect_400_and_more(rig, ESCAPED, HTTP1_ESCAPED_SLASH);
}

static void splice_normal_underscore_is_refused(void **state)
{
	struct rig *rig = start(state, HTTP1_RULE_REJECT_UNDERSCORES);

	expect_400_and_more(rig, UNDERSCORE, HTTP1_UNDERSCORE);
}

static void splice_normal_underscore_is_dropped(void **state)
{
	struct rig *rig = start(state, HTTP1_RULE_DROP_UNDERSCORES);
	uint32_t flow = rig_open(rig);

	rig_client(rig, flow, &(struct rig_in){.text = UNDERSCORE});
	rig_accept(rig);
	assert_string_equal(rig_take_data(rig, SPLICE_SERVER)->data, GET);
}

static void splice_normal_body_follows_the_head(void **state)
{
	static const char HEAD[] = "POST /.//x HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbo";
	static const char WANTED[] = "POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\n";
	struct rig *rig = start(state, HTTP1_RULE_NORMALIZE_PATH | HTTP1_RULE_MERGE_SLASHES);
	uint32_t flow = rig_open(rig), leg;

	rig_client(rig, flow, &(struct rig_in){.text = HEAD});
	leg = rig_accept(rig);
	assert_string_equal(rig_take_data(rig, SPLICE_SERVER)->data, WANTED);
	assert_string_equal(rig_take_data(rig, SPLICE_SERVER)->data, "bo");
	rig_server(rig, leg, &(struct rig_in){.ack = sizeof(WANTED) - 1 + 2});
	rig_client(rig, flow, &(struct rig_in){.seq = sizeof(HEAD) - 1, .text = "dy"});
	assert_string_equal(rig_take_data(rig, SPLICE_SERVER)->data, "dy");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(splice_normal_head_is_forwarded_instead),
		CASE(splice_normal_head_in_pieces_is_forwarded_instead),
		CASE(splice_normal_head_lost_is_repeated),
		CASE(splice_normal_head_that_is_so_goes_in_place),
		CASE(splice_normal_escaped_slash_is_redirected),
		CASE(splice_normal_escaped_slash_is_refused),
		CASE(splice_normal_underscore_is_refused),
		CASE(splice_normal_underscore_is_dropped),
		CASE(splice_normal_body_follows_the_head),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
