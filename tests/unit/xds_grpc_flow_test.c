// SPDX-License-Identifier: Apache-2.0

// Limits of both sides: windows, settings, queues, pings; and servers that do not keep to the rules.

#include "tests/unit/grpc_peer.h"

enum {
	WINDOW_BYTES = 1 << 20, // of the client
};

static uint32_t get32(const uint8_t *from)
{
	return (uint32_t)from[0] << 24 | (uint32_t)from[1] << 16 | (uint32_t)from[2] << 8 | from[3];
}

// What the client's window of a stream has grown by since the last call.
static uint32_t take_window(struct peer *peer, uint32_t stream)
{
	struct peer_frame frame;
	uint32_t sum = 0;

	while (peer_take_type(peer, NGHTTP2_WINDOW_UPDATE, &frame))
		if (frame.stream == stream)
			sum += get32(frame.payload) & 0x7fffffff;
	return sum;
}

// One message of len bytes, in frames of 16000.
static void write_big(struct peer *peer, uint32_t len)
{
	static uint8_t bytes[WINDOW_BYTES + 64];
	const size_t n = peer_put_message(bytes, 0, 0, len);

	for (size_t off = 0; off < n; off += 16000)
		peer_data(peer, 0, bytes + off, n - off < 16000 ? n - off : 16000);
}

static void grpc_paused_window_stays_shut(void **state)
{
	struct peer *peer = peer_create_called(&peer_target);

	(void)state;
	peer_respond(peer);
	peer_flush(peer);
	take_window(peer, PEER_STREAM);
	grpc_pause(peer->grpc);
	write_big(peer, WINDOW_BYTES - 5);
	peer_flush(peer);
	assert_int_equal(peer->n_messages, 0);
	assert_int_equal(take_window(peer, PEER_STREAM), 0);
	grpc_resume(peer->grpc);
	assert_int_equal(take_window(peer, PEER_STREAM), WINDOW_BYTES);
	assert_int_equal(peer->n_messages, 1);
	assert_int_equal(peer->lens[0], WINDOW_BYTES - 5);
	peer_destroy(peer);
}

static void grpc_message_over_the_window_comes_through(void **state)
{
	struct peer *peer = peer_create_called(&peer_target);
	static uint8_t bytes[3 * WINDOW_BYTES];
	const size_t n = peer_put_message(bytes, 0, 7, sizeof(bytes) - 5);
	size_t window = WINDOW_BYTES;

	(void)state;
	peer_respond(peer);
	peer_flush(peer);
	for (size_t off = 0; off < n;) {
		const size_t rest = n - off < 16000 ? n - off : 16000;

		assert_true(window >= rest);
		peer_data(peer, 0, bytes + off, rest);
		peer_flush(peer);
		off += rest;
		window += take_window(peer, PEER_STREAM) - rest;
	}
	assert_int_equal(peer->n_messages, 1);
	assert_int_equal(evbuffer_get_length(peer->messages), n - 5);
	assert_memory_equal(evbuffer_pullup(peer->messages, -1), bytes + 5, n - 5);
	peer_destroy(peer);
}

static void grpc_server_overruns_the_window_is_refused(void **state)
{
	struct peer *peer = peer_create_called(&peer_target);

	(void)state;
	peer_respond(peer);
	peer_flush(peer);
	grpc_pause(peer->grpc);
	write_big(peer, WINDOW_BYTES - 5);
	peer_data(peer, 0, "abc", 3);
	peer_flush(peer);
	grpc_resume(peer->grpc);
	peer_turn(peer);
	assert_int_equal(peer->n_closed, 1);
	assert_int_equal(peer->status.code, GRPC_INTERNAL);
	assert_non_null(strstr(peer->status.text, "the server breaks HTTP/2: "));
	peer_destroy(peer);
}

static void grpc_stream_limit_of_zero_call_waits(void **state)
{
	struct peer *peer = peer_create(&peer_target);

	(void)state;
	peer_setting(peer, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 0);
	peer_flush(peer);
	assert_int_equal(peer->n_opened, 0);
	assert_int_equal(peer->n_closed, 0);
	peer_setting(peer, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 1);
	peer_flush(peer);
	assert_int_equal(peer->n_opened, 1);
	peer_destroy(peer);
}

static void grpc_servers_window_is_kept(void **state)
{
	struct peer *peer = peer_create(&peer_target);
	struct peer_frame frame;
	uint8_t payload[4];

	(void)state;
	peer_setting(peer, NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 4);
	peer_flush(peer);
	assert_int_equal(grpc_send(peer->grpc, (const uint8_t *)"abcdef", 6), 0);
	assert_true(peer_take_type(peer, NGHTTP2_DATA, &frame));
	assert_int_equal(frame.len, 4);
	assert_memory_equal(frame.payload, "\0\0\0\0", 4);
	assert_false(peer_take_type(peer, NGHTTP2_DATA, &frame));
	put32(payload, 100);
	peer_frame(peer, NGHTTP2_WINDOW_UPDATE, 0, PEER_STREAM, payload, sizeof(payload));
	peer_flush(peer);
	assert_true(peer_take_type(peer, NGHTTP2_DATA, &frame));
	assert_int_equal(frame.len, 7);
	assert_memory_equal(frame.payload, "\6abcdef", 7);
	peer_destroy(peer);
}

static void grpc_server_that_does_not_read_is_given_up(void **state)
{
	static const uint8_t bytes[100000];
	struct peer *peer = peer_create(&peer_target);
	int rc = 0;

	(void)state;
	peer_setting(peer, NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 0);
	peer_flush(peer);
	for (uint32_t i = 0; i < 41 && rc == 0; i++)
		rc = grpc_send(peer->grpc, bytes, sizeof(bytes));
	assert_int_equal(rc, 0);
	assert_int_equal(grpc_send(peer->grpc, bytes, sizeof(bytes)), -ENOBUFS);
	assert_int_equal(peer->n_closed, 0);
	peer_turn(peer);
	peer_expect_status(
		peer, GRPC_RESOURCE_EXHAUSTED, "the server does not read what it is sent");
	peer_destroy(peer);
}

static void write_goaway(struct peer *peer, uint32_t last, uint32_t error, const char *text)
{
	const size_t len = strlen(text);
	uint8_t payload[64];

	put32(payload, last);
	put32(payload + 4, error);
	assert_true(8 + len <= sizeof(payload));
	for (size_t i = 0; i < len; i++)
		payload[8 + i] = (uint8_t)text[i];
	peer_frame(peer, NGHTTP2_GOAWAY, 0, 0, payload, 8 + len);
}

static void grpc_goaway_lets_the_stream_finish(void **state)
{
	struct peer *peer = peer_create_called(&peer_target);

	(void)state;
	peer_respond(peer);
	write_goaway(peer, PEER_STREAM, NGHTTP2_NO_ERROR, "max_age");
	peer_message_frame(peer, 0, 10);
	peer_flush(peer);
	assert_int_equal(peer->n_messages, 1);
	assert_int_equal(peer->n_closed, 0);
	assert_int_equal(grpc_send(peer->grpc, (const uint8_t *)"a", 1), 0);
	shutdown(peer->fd, SHUT_WR);
	peer_turn(peer);
	peer_expect_status(peer, GRPC_UNAVAILABLE,
		"the server closed the connection after GOAWAY NO_ERROR: max_age");
	assert_false(peer->status.too_many_pings);
	peer_destroy(peer);
}

static void grpc_goaway_before_the_stream_ends_it(void **state)
{
	struct peer *peer = peer_create_called(&peer_target);

	(void)state;
	write_goaway(peer, 0, NGHTTP2_ENHANCE_YOUR_CALM, "too_many_pings");
	peer_flush(peer);
	peer_expect_status(peer, GRPC_UNAVAILABLE,
		"the server reset the stream: REFUSED_STREAM after GOAWAY ENHANCE_YOUR_CALM: "
		"too_many_pings");
	assert_true(peer->status.too_many_pings);
	peer_destroy(peer);
}

static void grpc_ping_is_answered_while_paused(void **state)
{
	struct peer *peer = peer_create_called(&peer_target);
	struct peer_frame frame;

	(void)state;
	grpc_pause(peer->grpc);
	peer_frame(peer, NGHTTP2_PING, 0, 0, "12345678", 8);
	peer_flush(peer);
	assert_true(peer_take_type(peer, NGHTTP2_PING, &frame));
	assert_int_equal(frame.flags, NGHTTP2_FLAG_ACK);
	assert_memory_equal(frame.payload, "12345678", 8);
	peer_destroy(peer);
}

static struct peer *peer_create_lively(uint32_t timeout_ms)
{
	struct grpc_target target = peer_target;

	target.keepalive_ms = 5;
	target.keepalive_timeout_ms = timeout_ms;
	return peer_create_called(&target);
}

static void grpc_silent_server_is_pinged_and_given_up(void **state)
{
	struct peer *peer = peer_create_lively(5);
	struct peer_frame frame;

	(void)state;
	peer_wait(peer, &peer->n_closed, 1);
	peer_expect_status(peer, GRPC_UNAVAILABLE, "no sign of life in 5 ms after a ping");
	assert_true(peer_take_type(peer, NGHTTP2_PING, &frame));
	assert_int_equal(grpc_counts(peer->grpc)->pings, 1);
	peer_destroy(peer);
}

static void grpc_answered_pings_keep_the_call(void **state)
{
	struct peer *peer = peer_create_lively(60000);
	struct peer_frame frame;

	(void)state;
	for (uint32_t i = 0; i < 3; i++) {
		const time_t until = time(NULL) + PEER_WAIT_S;

		while (!peer_take_type(peer, NGHTTP2_PING, &frame)) {
			event_base_loop(peer->base, EVLOOP_ONCE);
			assert_true(time(NULL) < until);
		}
		peer_frame(peer, NGHTTP2_PING, NGHTTP2_FLAG_ACK, 0, frame.payload, frame.len);
		peer_flush(peer);
	}
	assert_true(grpc_counts(peer->grpc)->pings >= 3);
	assert_int_equal(peer->n_closed, 0);
	peer_destroy(peer);
}

// The client's answers find no room, and may not pile up.
static void grpc_flood_of_pings_is_refused(void **state)
{
	struct peer *peer = peer_create_called(&peer_target);
	const time_t until = time(NULL) + PEER_WAIT_S;

	(void)state;
	while (peer->n_closed == 0) {
		for (uint32_t i = 0; i < 1000; i++)
			peer_frame(peer, NGHTTP2_PING, 0, 0, "12345678", 8);
		peer_flush(peer);
		assert_true(time(NULL) < until);
	}
	assert_int_equal(peer->status.code, GRPC_INTERNAL);
	assert_non_null(strstr(peer->status.text, "the server breaks HTTP/2: "));
	peer_destroy(peer);
}

static void grpc_flood_of_continuations_is_refused(void **state)
{
	struct peer *peer = peer_create_called(&peer_target);
	static const uint8_t block[4096]; // of no meaning: an error by itself only at its end
	const time_t until = time(NULL) + PEER_WAIT_S;

	(void)state;
	peer_frame(peer, NGHTTP2_HEADERS, 0, PEER_STREAM, NULL, 0);
	while (peer->n_closed == 0) {
		peer_frame(peer, NGHTTP2_CONTINUATION, 0, PEER_STREAM, block, 0);
		peer_flush(peer);
		assert_true(time(NULL) < until);
	}
	assert_non_null(strstr(peer->status.text, "the server breaks HTTP/2: "));
	peer_destroy(peer);
}

static void grpc_http1_answer_is_told(void **state)
{
	static const char text[] = "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n";
	struct peer *peer = peer_create(&peer_target);

	(void)state;
	evbuffer_add(peer->script, text, sizeof(text) - 1);
	peer_flush(peer);
	assert_int_equal(peer->n_closed, 1);
	assert_int_equal(peer->n_opened, 0);
	assert_non_null(strstr(peer->status.text, "peer does not support HTTP/2"));
	peer_destroy(peer);
}

static void grpc_push_is_refused(void **state)
{
	struct peer *peer = peer_create_called(&peer_target);

	(void)state;
	peer_respond(peer);
	peer_frame(
		peer, NGHTTP2_PUSH_PROMISE, NGHTTP2_FLAG_END_HEADERS, PEER_STREAM, "\0\0\0\2", 4);
	peer_flush(peer);
	assert_int_equal(peer->n_closed, 1);
	assert_non_null(strstr(peer->status.text, "the server breaks HTTP/2: "));
	peer_destroy(peer);
}

static void grpc_garbage_ends_the_call_or_waits(void **state)
{
	(void)state;
	srand(1);
	for (uint32_t i = 0; i < 300; i++) {
		struct peer *peer =
			i % 2 ? peer_create_called(&peer_target) : peer_create(&peer_target);
		uint8_t bytes[300];

		for (size_t j = 0; j < sizeof(bytes); j++)
			bytes[j] = (uint8_t)(rand() >> 8);
		evbuffer_add(peer->script, bytes, sizeof(bytes));
		peer_flush(peer);
		shutdown(peer->fd, SHUT_WR);
		peer_turn(peer);
		assert_int_equal(peer->n_closed, 1);
		assert_int_equal(peer->n_messages, 0);
		peer_destroy(peer);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(grpc_paused_window_stays_shut),
		cmocka_unit_test(grpc_message_over_the_window_comes_through),
		cmocka_unit_test(grpc_server_overruns_the_window_is_refused),
		cmocka_unit_test(grpc_stream_limit_of_zero_call_waits),
		cmocka_unit_test(grpc_servers_window_is_kept),
		cmocka_unit_test(grpc_server_that_does_not_read_is_given_up),
		cmocka_unit_test(grpc_goaway_lets_the_stream_finish),
		cmocka_unit_test(grpc_goaway_before_the_stream_ends_it),
		cmocka_unit_test(grpc_ping_is_answered_while_paused),
		cmocka_unit_test(grpc_silent_server_is_pinged_and_given_up),
		cmocka_unit_test(grpc_answered_pings_keep_the_call),
		cmocka_unit_test(grpc_flood_of_pings_is_refused),
		cmocka_unit_test(grpc_flood_of_continuations_is_refused),
		cmocka_unit_test(grpc_http1_answer_is_told),
		cmocka_unit_test(grpc_push_is_refused),
		cmocka_unit_test(grpc_garbage_ends_the_call_or_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
