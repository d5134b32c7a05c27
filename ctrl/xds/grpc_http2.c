// SPDX-License-Identifier: Apache-2.0
#include "ctrl/xds/grpc_priv.h"

#include <event2/buffer.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
	WINDOW_BYTES = 1 << 20, // that may come while the session does not keep up
	MAX_UNSENT_ACKS = 64,	// to a server that floods us with what wants them
};

static int submit_call(struct grpc *grpc);

static bool name_is(const uint8_t *name, size_t len, const char *wanted)
{
	return len == strlen(wanted) && memcmp(name, wanted, len) == 0;
}

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *ctx)
{
	struct grpc *grpc = ctx;

	(void)session;
	if (frame->hd.stream_id == grpc->stream_id)
		grpc->head = (struct grpc_head){.is_grpc = false};
	return 0;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
	size_t name_len, const uint8_t *value, size_t len, uint8_t flags, void *ctx)
{
	static const char media_type[] = "application/grpc";
	struct grpc *grpc = ctx;
	struct grpc_head *head = &grpc->head;

	(void)session;
	(void)flags;
	if (frame->hd.stream_id != grpc->stream_id)
		return 0;
	if (name_is(name, name_len, ":status")) {
		head->http_status = atoi((const char *)value);
	} else if (name_is(name, name_len, "content-type")) {
		head->is_grpc =
			len >= sizeof(media_type) - 1 &&
			strncasecmp((const char *)value, media_type, sizeof(media_type) - 1) == 0;
	} else if (name_is(name, name_len, "grpc-status")) {
		head->has_code = true;
		head->code = grpc_status_parse(value, len);
	} else if (name_is(name, name_len, "grpc-message")) {
		grpc_status_decode(head->message, sizeof(head->message), value, len);
	}
	return 0;
}

// The last header block tells how the call went, or HTTP does.
static void end_call(struct grpc *grpc)
{
	const struct grpc_head *head = &grpc->head;

	if (head->has_code)
		grpc_fail(grpc, head->code, "%s",
			head->message[0] != '\0' ? head->message : "the server ended the stream");
	else if (head->http_status != 0 && head->http_status != 200)
		grpc_fail(grpc, grpc_status_from_http(head->http_status),
			"HTTP status %d instead of gRPC", head->http_status);
	else
		grpc_fail(grpc, GRPC_UNKNOWN, "the stream ended without grpc-status");
}

// What is not gRPC has a body that is of no use: a page for humans.
static void check_response(struct grpc *grpc)
{
	const struct grpc_head *head = &grpc->head;

	if (head->http_status != 0 && head->http_status != 200)
		end_call(grpc);
	else if (head->http_status == 200 && !head->is_grpc)
		grpc_fail(grpc, GRPC_UNKNOWN, "a response that is not gRPC by its content-type");
}

static void on_headers(struct grpc *grpc, const nghttp2_frame *frame)
{
	if (grpc->head.http_status >= 100 && grpc->head.http_status < 200)
		return;
	if (frame->hd.flags & NGHTTP2_FLAG_END_STREAM)
		end_call(grpc);
	else
		check_response(grpc);
}

static void on_goaway(struct grpc *grpc, const nghttp2_goaway *goaway)
{
	static const char calm[] = "too_many_pings"; // gRPC's word (grpc/proposal A8)
	char text[64];

	grpc_status_decode(text, sizeof(text), goaway->opaque_data, goaway->opaque_data_len);
	snprintf(grpc->goaway, sizeof(grpc->goaway), " after GOAWAY %s%s%s",
		nghttp2_http2_strerror(goaway->error_code), text[0] != '\0' ? ": " : "", text);
	if (goaway->error_code == NGHTTP2_ENHANCE_YOUR_CALM && strcmp(text, calm) == 0)
		grpc->status.too_many_pings = true;
}

static int on_frame_recv(nghttp2_session *session, const nghttp2_frame *frame, void *ctx)
{
	struct grpc *grpc = ctx;
	const bool ours = frame->hd.stream_id == grpc->stream_id;

	(void)session;
	if (frame->hd.type == NGHTTP2_SETTINGS && grpc->stream_id == 0)
		return submit_call(grpc);
	if (frame->hd.type == NGHTTP2_GOAWAY)
		on_goaway(grpc, &frame->goaway);
	else if (frame->hd.type == NGHTTP2_HEADERS && ours)
		on_headers(grpc, frame);
	else if (frame->hd.type == NGHTTP2_DATA && ours &&
		 (frame->hd.flags & NGHTTP2_FLAG_END_STREAM))
		grpc_fail(grpc, GRPC_UNKNOWN, "the stream ended without grpc-status");
	return 0;
}

static int on_data_chunk(nghttp2_session *session, uint8_t flags, int32_t stream_id,
	const uint8_t *bytes, size_t n_bytes, void *ctx)
{
	struct grpc *grpc = ctx;

	(void)session;
	(void)flags;
	(void)stream_id;
	if (!grpc->has_ended && grpc_inbox_add(&grpc->inbox, bytes, n_bytes) != 0)
		return NGHTTP2_ERR_CALLBACK_FAILURE;
	return 0;
}

static int on_stream_close(
	nghttp2_session *session, int32_t stream_id, uint32_t error_code, void *ctx)
{
	struct grpc *grpc = ctx;

	(void)session;
	if (stream_id != grpc->stream_id)
		return 0;
	if (grpc->protocol_error[0] != '\0')
		grpc_fail(
			grpc, GRPC_INTERNAL, "the server breaks HTTP/2: %s", grpc->protocol_error);
	grpc_fail(grpc, grpc_status_from_reset(error_code), "the server reset the stream: %s%s",
		nghttp2_http2_strerror(error_code), grpc->goaway);
	return 0;
}

static int on_frame_send(nghttp2_session *session, const nghttp2_frame *frame, void *ctx)
{
	struct grpc *grpc = ctx;

	(void)session;
	if (frame->hd.type == NGHTTP2_HEADERS)
		grpc->is_open = true;
	return 0;
}

static int on_frame_not_send(
	nghttp2_session *session, const nghttp2_frame *frame, int error, void *ctx)
{
	struct grpc *grpc = ctx;

	(void)session;
	if (frame->hd.type == NGHTTP2_HEADERS && grpc->protocol_error[0] == '\0')
		grpc_fail(grpc, GRPC_UNAVAILABLE, "the request could not be sent%s: %s",
			grpc->goaway, nghttp2_strerror(error));
	return 0;
}

static int on_error(nghttp2_session *session, int error, const char *text, size_t len, void *ctx)
{
	struct grpc *grpc = ctx;

	(void)session;
	(void)error;
	grpc_status_decode(
		grpc->protocol_error, sizeof(grpc->protocol_error), (const uint8_t *)text, len);
	return 0;
}

static int on_invalid_frame(
	nghttp2_session *session, const nghttp2_frame *frame, int error, void *ctx)
{
	const char *text = nghttp2_strerror(error);

	(void)frame;
	return on_error(session, error, text, strlen(text), ctx);
}

static ssize_t read_outbox(nghttp2_session *session, int32_t stream_id, uint8_t *to, size_t room,
	uint32_t *flags, nghttp2_data_source *source, void *ctx)
{
	struct grpc *grpc = ctx;
	const int n = evbuffer_remove(grpc->outbox, to, room);

	(void)session;
	(void)stream_id;
	(void)flags;
	(void)source;
	grpc->outbox_waits = n <= 0;
	return n > 0 ? n : NGHTTP2_ERR_DEFERRED;
}

static nghttp2_nv field(const char *name, const char *value)
{
	return (nghttp2_nv){.name = (uint8_t *)(uintptr_t)name,
		.value = (uint8_t *)(uintptr_t)value,
		.namelen = strlen(name),
		.valuelen = strlen(value)};
}

static int submit_call(struct grpc *grpc)
{
	const nghttp2_nv fields[] = {
		field(":method", "POST"),
		field(":scheme", grpc->target.scheme),
		field(":path", grpc->target.path),
		field(":authority", grpc->target.authority),
		field("te", "trailers"),
		field("content-type", "application/grpc"),
		field("user-agent", "pergola/" PERGOLA_VERSION),
	};
	const nghttp2_data_provider body = {.read_callback = read_outbox};

	grpc->stream_id = nghttp2_submit_request(
		grpc->session, NULL, fields, sizeof(fields) / sizeof(fields[0]), &body, NULL);
	return grpc->stream_id < 0 ? NGHTTP2_ERR_CALLBACK_FAILURE : 0;
}

static void set_callbacks(nghttp2_session_callbacks *callbacks)
{
	nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
	nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
	nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame_recv);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data_chunk);
	nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
	nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, on_frame_send);
	nghttp2_session_callbacks_set_on_frame_not_send_callback(callbacks, on_frame_not_send);
	nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(callbacks, on_invalid_frame);
	nghttp2_session_callbacks_set_error_callback2(callbacks, on_error);
}

static int open_session(struct grpc *grpc)
{
	nghttp2_session_callbacks *callbacks = NULL;
	nghttp2_option *option = NULL;
	int ret = -ENOMEM;

	if (nghttp2_session_callbacks_new(&callbacks) != 0)
		return -ENOMEM;
	if (nghttp2_option_new(&option) == 0) {
		set_callbacks(callbacks);
		// The window follows what the session has taken, not what has come.
		nghttp2_option_set_no_auto_window_update(option, 1);
		nghttp2_option_set_max_outbound_ack(option, MAX_UNSENT_ACKS);
		if (nghttp2_session_client_new2(&grpc->session, callbacks, grpc, option) == 0)
			ret = 0;
		nghttp2_option_del(option);
	}
	nghttp2_session_callbacks_del(callbacks);
	return ret;
}

int grpc_http2_start(struct grpc *grpc)
{
	const nghttp2_settings_entry settings[] = {
		{NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
		{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, WINDOW_BYTES},
	};

	if (open_session(grpc) != 0 ||
		nghttp2_submit_settings(grpc->session, NGHTTP2_FLAG_NONE, settings,
			sizeof(settings) / sizeof(settings[0])) != 0 ||
		nghttp2_session_set_local_window_size(
			grpc->session, NGHTTP2_FLAG_NONE, 0, WINDOW_BYTES) != 0)
		return -ENOMEM;
	return 0;
}
