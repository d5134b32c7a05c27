// SPDX-License-Identifier: Apache-2.0

// How a call begins, what its messages are, how it ends.

#include "tests/unit/grpc_peer.h"

static void grpc_settings_come_call_opens(void **state)
{
	struct peer *peer = peer_create(&peer_target);

	(void)state;
	peer_turn(peer);
	assert_int_equal(peer->n_opened, 0);
	peer_frame(peer, NGHTTP2_SETTINGS, 0, 0, NULL, 0);
	peer_flush(peer);
	assert_int_equal(peer->n_opened, 1);
	assert_int_equal(peer->n_closed, 0);
	peer_destroy(peer);
}

static bool field_is(const nghttp2_nv *field, const char *name, const char *value)
{
	return field->namelen == strlen(name) && memcmp(field->name, name, field->namelen) == 0 &&
	       field->valuelen == strlen(value) &&
	       memcmp(field->value, value, field->valuelen) == 0;
}

static void grpc_request_goes_out_as_grpc_wants_it(void **state)
{
	static const char *const wanted[][2] = {{":method", "POST"}, {":scheme", "http"},
		{":path", "/test.Service/Stream"}, {":authority", "xds.example:18000"},
		{"te", "trailers"}, {"content-type", "application/grpc"}};
	const uint32_t n_wanted = sizeof(wanted) / sizeof(wanted[0]);
	struct peer *peer = peer_create_called(&peer_target);
	nghttp2_hd_inflater *inflater;
	struct peer_frame frame = {0};
	uint32_t n_found = 0;
	int flags = 0;

	(void)state;
	assert_true(peer_take_type(peer, NGHTTP2_HEADERS, &frame));
	assert_int_equal(frame.stream, PEER_STREAM);
	assert_int_equal(frame.flags & NGHTTP2_FLAG_END_STREAM, 0);
	assert_int_equal(nghttp2_hd_inflate_new(&inflater), 0);
	while (!(flags & NGHTTP2_HD_INFLATE_FINAL)) {
		nghttp2_nv field;
		const ssize_t n = nghttp2_hd_inflate_hd2(
			inflater, &field, &flags, frame.payload, frame.len, 1);

		assert_true(n >= 0);
		frame.payload += n;
		frame.len -= (uint32_t)n;
		for (uint32_t i = 0; (flags & NGHTTP2_HD_INFLATE_EMIT) && i < n_wanted; i++)
			n_found += field_is(&field, wanted[i][0], wanted[i][1]);
	}
	assert_int_equal(n_found, n_wanted);
	nghttp2_hd_inflate_end_headers(inflater);
	nghttp2_hd_inflate_del(inflater);
	peer_destroy(peer);
}

static void grpc_message_is_sent_with_its_prefix(void **state)
{
	struct peer *peer = peer_create_called(&peer_target);
	struct peer_frame frame;

	(void)state;
	assert_int_equal(grpc_send(peer->grpc, (const uint8_t *)"abc", 3), 0);
	assert_true(peer_take_type(peer, NGHTTP2_DATA, &frame));
	assert_int_equal(frame.len, 8);
	assert_memory_equal(frame.payload, "\0\0\0\0\3abc", 8);
	assert_int_equal(grpc_counts(peer->grpc)->tx_messages, 1);
	assert_int_equal(grpc_counts(peer->grpc)->tx_bytes, 3);
	peer_destroy(peer);
}

// Three messages, the second empty, over four DATA frames that end anywhere, one of them padded.
static void write_messages(struct peer *peer)
{
	uint8_t bytes[64], padded[16] = {3};
	size_t n = peer_put_message(bytes, 0, 'a', 11);

	n = peer_put_message(bytes, n, 0, 0);
	n = peer_put_message(bytes, n, 'A', 13);
	peer_respond(peer);
	peer_data(peer, 0, bytes, 3);
	peer_data(peer, 0, bytes + 3, 15);
	memcpy(padded + 1, bytes + 18, 2);
	peer_data(peer, NGHTTP2_FLAG_PADDED, padded, 1 + 2 + 3);
	peer_data(peer, 0, bytes + 20, n - 20);
	PEER_HEADERS(peer, NGHTTP2_FLAG_END_STREAM, "grpc-status", "14", "grpc-message",
		"going%20away%21%0a%zz%4");
}

static void expect_messages(struct peer *peer)
{
	uint8_t all[24];

	assert_int_equal(peer->n_messages, 3);
	assert_int_equal(peer->lens[0], 11);
	assert_int_equal(peer->lens[1], 0);
	assert_int_equal(peer->lens[2], 13);
	assert_int_equal(evbuffer_remove(peer->messages, all, sizeof(all)), sizeof(all));
	assert_memory_equal(all, "abcdefghijkABCDEFGHIJKLM", sizeof(all));
	peer_expect_status(peer, GRPC_UNAVAILABLE, "going away!?%zz%4");
}

static void grpc_messages_split_anywhere_come_whole(void **state)
{
	size_t len = 1;

	(void)state;
	for (size_t split = 0; split <= len; split++) {
		struct peer *peer = peer_create_called(&peer_target);

		write_messages(peer);
		len = evbuffer_get_length(peer->script);
		peer_flush_n(peer, split);
		peer_flush(peer);
		expect_messages(peer);
		peer_destroy(peer);
	}
}

static void grpc_messages_byte_by_byte_come_whole(void **state)
{
	struct peer *peer = peer_create_called(&peer_target);

	(void)state;
	write_messages(peer);
	while (evbuffer_get_length(peer->script) > 0)
		peer_flush_n(peer, 1);
	expect_messages(peer);
	peer_destroy(peer);
}

static void grpc_many_messages_in_one_frame_come_in_order(void **state)
{
	struct peer *peer = peer_create_called(&peer_target);
	static uint8_t bytes[16000];
	size_t n = 0;

	(void)state;
	for (uint32_t i = 0; i < 2000; i++)
		n = peer_put_message(bytes, n, (uint8_t)i, i % 4);
	peer_respond(peer);
	peer_data(peer, 0, bytes, n);
	peer_flush(peer);
	peer_wait(peer, &peer->n_messages, 2000);
	assert_int_equal(evbuffer_get_length(peer->messages), 500 * (1 + 2 + 3));
	assert_int_equal(grpc_counts(peer->grpc)->rx_messages, 2000);
	peer_destroy(peer);
}

static void grpc_connection_cut_anywhere_ends_unavailable(void **state)
{
	size_t len = 2;

	(void)state;
	for (size_t cut = 0; cut + 1 < len; cut++) {
		struct peer *peer = peer_create_called(&peer_target);

		write_messages(peer);
		len = evbuffer_get_length(peer->script);
		peer_flush_n(peer, cut);
		shutdown(peer->fd, SHUT_WR);
		peer_turn(peer);
		peer_expect_status(peer, GRPC_UNAVAILABLE, "the server closed the connection");
		assert_int_equal(grpc_send(peer->grpc, (const uint8_t *)"", 0), -ENOTCONN);
		peer_destroy(peer);
	}
}

static void grpc_destroyed_in_any_event_is_silent(void **state)
{
	(void)state;
	for (uint32_t at = 1; at <= 5; at++) {
		struct peer *peer = peer_create(&peer_target);

		peer->destroy_at = at;
		peer_frame(peer, NGHTTP2_SETTINGS, 0, 0, NULL, 0);
		peer_flush(peer);
		write_messages(peer);
		peer_flush(peer);
		assert_null(peer->grpc);
		assert_int_equal(peer->n_events, at);
		peer_destroy(peer);
	}
}

// One response each, and how the call ends by it.
static void end_with(struct peer *peer, enum grpc_code code, const char *text)
{
	peer_flush(peer);
	peer_expect_status(peer, code, text);
	peer_destroy(peer);
}

static void grpc_response_without_body_has_the_status(void **state)
{
	struct peer *peer = peer_create_called(&peer_target);

	(void)state;
	PEER_HEADERS(peer, NGHTTP2_FLAG_END_STREAM, ":status", "200", "content-type",
		"application/grpc+proto", "grpc-status", "12", "grpc-message", "no such method");
	end_with(peer, GRPC_UNIMPLEMENTED, "no such method");
}

static void grpc_status_that_is_no_number_is_unknown(void **state)
{
	static const char *const values[] = {"", "x", "1x", "99", "100", "-1"};

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		struct peer *peer = peer_create_called(&peer_target);

		PEER_HEADERS(peer, NGHTTP2_FLAG_END_STREAM, ":status", "200", "content-type",
			"application/grpc", "grpc-status", values[i]);
		end_with(peer, GRPC_UNKNOWN, "the server ended the stream");
	}
}

static void grpc_http_status_instead_of_grpc_is_told(void **state)
{
	static const struct {
		const char *status;
		enum grpc_code code;
	} cases[] = {{"400", GRPC_INTERNAL}, {"401", GRPC_UNAUTHENTICATED},
		{"403", GRPC_PERMISSION_DENIED}, {"404", GRPC_UNIMPLEMENTED},
		{"429", GRPC_UNAVAILABLE}, {"503", GRPC_UNAVAILABLE}, {"302", GRPC_UNKNOWN}};
	char text[64];

	(void)state;
	for (size_t i = 0; i < 2 * sizeof(cases) / sizeof(cases[0]); i++) {
		struct peer *peer = peer_create_called(&peer_target);

		snprintf(text, sizeof(text), "HTTP status %s instead of gRPC", cases[i / 2].status);
		// With a page for humans, and without.
		PEER_HEADERS(peer, i % 2 == 0 ? 0 : NGHTTP2_FLAG_END_STREAM, ":status",
			cases[i / 2].status, "content-type", "text/html");
		end_with(peer, cases[i / 2].code, text);
	}
}

static void grpc_other_content_type_is_refused(void **state)
{
	struct peer *peer = peer_create_called(&peer_target);

	(void)state;
	PEER_HEADERS(peer, 0, ":status", "200", "content-type", "text/html");
	end_with(peer, GRPC_UNKNOWN, "a response that is not gRPC by its content-type");
}

static void grpc_informational_response_is_skipped(void **state)
{
	struct peer *peer = peer_create_called(&peer_target);

	(void)state;
	PEER_HEADERS(peer, 0, ":status", "103", "link", "</x>");
	PEER_HEADERS(peer, 0, ":status", "200", "content-type", "application/grpc");
	PEER_HEADERS(peer, NGHTTP2_FLAG_END_STREAM, "grpc-status", "0");
	end_with(peer, GRPC_OK, "the server ended the stream");
}

static void grpc_stream_without_status_is_unknown(void **state)
{
	struct peer *peer = peer_create_called(&peer_target);

	(void)state;
	peer_respond(peer);
	peer_data(peer, NGHTTP2_FLAG_END_STREAM, NULL, 0);
	end_with(peer, GRPC_UNKNOWN, "the stream ended without grpc-status");
	peer = peer_create_called(&peer_target);
	peer_respond(peer);
	PEER_HEADERS(peer, NGHTTP2_FLAG_END_STREAM, "x-other", "1");
	end_with(peer, GRPC_UNKNOWN, "the stream ended without grpc-status");
}

static void grpc_stream_ends_inside_a_message_is_told(void **state)
{
	struct peer *peer = peer_create_called(&peer_target);

	(void)state;
	peer_respond(peer);
	peer_data(peer, 0, "\0\0\0\0\4abc", 8);
	PEER_HEADERS(peer, NGHTTP2_FLAG_END_STREAM, "grpc-status", "0");
	end_with(peer, GRPC_INTERNAL, "the stream ended inside a message");
}

static void grpc_compressed_message_is_refused(void **state)
{
	struct peer *peer = peer_create_called(&peer_target);

	(void)state;
	peer_respond(peer);
	peer_data(peer, 0, "\1\0\0\0\3abc", 8);
	end_with(peer, GRPC_INTERNAL, "a compressed message (flag 1): not asked for");
}

static void grpc_message_over_the_limit_is_refused(void **state)
{
	struct grpc_target target = peer_target;
	struct peer *peer;

	(void)state;
	target.max_message_bytes = 100;
	peer = peer_create_called(&target);
	peer_respond(peer);
	peer_message_frame(peer, 0, 100);
	peer_data(peer, 0, "\0\0\0\0\145", 5);
	peer_flush(peer);
	assert_int_equal(peer->n_messages, 1);
	assert_int_equal(grpc_counts(peer->grpc)->too_big, 1);
	end_with(peer, GRPC_RESOURCE_EXHAUSTED, "a message of 101 bytes; the limit is 100");
}

static void grpc_reset_tells_its_code(void **state)
{
	static const struct {
		uint32_t error;
		enum grpc_code code;
		const char *text;
	} cases[] = {{NGHTTP2_NO_ERROR, GRPC_INTERNAL, "the server reset the stream: NO_ERROR"},
		{NGHTTP2_REFUSED_STREAM, GRPC_UNAVAILABLE,
			"the server reset the stream: REFUSED_STREAM"},
		{NGHTTP2_CANCEL, GRPC_CANCELLED, "the server reset the stream: CANCEL"},
		{NGHTTP2_ENHANCE_YOUR_CALM, GRPC_RESOURCE_EXHAUSTED,
			"the server reset the stream: ENHANCE_YOUR_CALM"}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct peer *peer = peer_create_called(&peer_target);
		uint8_t payload[4];

		put32(payload, cases[i].error);
		peer_respond(peer);
		peer_frame(peer, NGHTTP2_RST_STREAM, 0, PEER_STREAM, payload, sizeof(payload));
		end_with(peer, cases[i].code, cases[i].text);
	}
}

static void grpc_paused_call_tells_its_end_when_resumed(void **state)
{
	struct peer *peer = peer_create_called(&peer_target);

	(void)state;
	peer->pause_after = 1;
	write_messages(peer);
	peer_flush(peer);
	shutdown(peer->fd, SHUT_WR);
	peer_turn(peer);
	assert_int_equal(peer->n_messages, 1);
	assert_int_equal(peer->n_closed, 0);
	grpc_resume(peer->grpc);
	peer_turn(peer);
	expect_messages(peer);
	peer_destroy(peer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(grpc_settings_come_call_opens),
		cmocka_unit_test(grpc_request_goes_out_as_grpc_wants_it),
		cmocka_unit_test(grpc_message_is_sent_with_its_prefix),
		cmocka_unit_test(grpc_messages_split_anywhere_come_whole),
		cmocka_unit_test(grpc_messages_byte_by_byte_come_whole),
		cmocka_unit_test(grpc_many_messages_in_one_frame_come_in_order),
		cmocka_unit_test(grpc_connection_cut_anywhere_ends_unavailable),
		cmocka_unit_test(grpc_destroyed_in_any_event_is_silent),
		cmocka_unit_test(grpc_response_without_body_has_the_status),
		cmocka_unit_test(grpc_status_that_is_no_number_is_unknown),
		cmocka_unit_test(grpc_http_status_instead_of_grpc_is_told),
		cmocka_unit_test(grpc_other_content_type_is_refused),
		cmocka_unit_test(grpc_informational_response_is_skipped),
		cmocka_unit_test(grpc_stream_without_status_is_unknown),
		cmocka_unit_test(grpc_stream_ends_inside_a_message_is_told),
		cmocka_unit_test(grpc_compressed_message_is_refused),
		cmocka_unit_test(grpc_message_over_the_limit_is_refused),
		cmocka_unit_test(grpc_reset_tells_its_code),
		cmocka_unit_test(grpc_paused_call_tells_its_end_when_resumed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
