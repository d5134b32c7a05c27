// SPDX-License-Identifier: Apache-2.0

// A request head is complete: where it goes, and what it looks like when it gets there. Whatever becomes of
// it, a copy stays until the final response has begun, for another try.

#include "l7/splice/splice_priv.h"

enum {
	EDIT_ROOM = 512, // what edits usually add
};

static const char WEBSOCKET[] = "websocket";

// Only WebSockets are let through: whatever else a connection could become (h2c) would carry requests that
// nobody routes.
static bool offers_websocket(const struct http1_head *head, const uint8_t *raw)
{
	for (uint16_t i = 0; head->upgrade && i < head->n_fields; i++) {
		const struct http1_text *value = &head->fields[i].value;

		if (head->kinds[i] != HTTP1_FIELD_UPGRADE)
			continue;
		if (value->len != sizeof(WEBSOCKET) - 1 ||
			strncasecmp((const char *)raw + value->off, WEBSOCKET, value->len) != 0)
			return false;
	}
	return head->upgrade;
}

static void note_head(struct splice *sp, struct flow *f, const uint8_t *raw)
{
	const struct http1_head *head = &sp->head;

	f->flags &= (uint16_t) ~(FLOW_OLD | FLOW_WEBSOCKET | FLOW_EDIT_RESPONSE | FLOW_SPOKEN |
				 FLOW_ANSWERED | FLOW_BODY_PASSED | FLOW_NO_POOL);
	if (!head->keep_alive)
		f->flags |= FLOW_CLOSE | FLOW_CLIENT_CLOSES | FLOW_TOLD |
			    FLOW_NO_POOL; // the endpoint hears it, too
	if (head->minor == 0)
		f->flags |= FLOW_OLD;
	if (offers_websocket(head, raw))
		f->flags |= FLOW_WEBSOCKET;
	f->method = (uint8_t)head->method;
	f->head_us = (uint32_t)sp->now_us;
	f->n_requests++;
	timeout_clear(f);
	follow_body(&f->up, head->body, head->content_length);
}

static void note_decision(struct splice *sp, struct flow *f, const struct splice_decision *d)
{
	f->cluster = d->cluster;
	f->route = d->route;
	f->virtual_host = d->virtual_host;
	if (d->idle_timeout_ms != 0)
		f->idle_ms = d->idle_timeout_ms;
	if (d->edit_response)
		f->flags |= FLOW_EDIT_RESPONSE;
	splice_tell(sp, f, SPLICE_REQUEST, 0);
}

// Whether the head must be written anew.
static bool needs_edit(const struct http1_head *head, const struct splice_decision *d)
{
	return d->edit_request || head->absolute_form || head->start != 0;
}

// Puts the head as it is to be sent into a new buffer. 0: none is free, or it has become too long.
static uint32_t write_head(struct splice *sp, const uint8_t *raw, const struct splice_decision *d)
{
	static const struct http1_edits NOTHING;
	const struct http1_edits *edits = d->edit_request ? &d->request_edits : &NOTHING;
	uint32_t rooms[] = {sp->head.len + EDIT_ROOM, SPLICE_MAX_HEAD};

	for (uint32_t i = 0; i < 2; i++) {
		uint32_t buf = buffer_take(sp, rooms[i]);
		int n;

		if (buf == 0)
			return 0;
		n = http1_edit_request(
			raw, &sp->head, edits, buffer_at(sp, buf)->data, buffer_room(sp, buf));
		if (n > 0) {
			buffer_at(sp, buf)->len = (uint32_t)n;
			return buf;
		}
		buffer_give(sp, &buf);
	}
	return 0;
}

// The half's buffer holds the head from here on.
static bool keep_head(struct splice *sp, struct flow *f, const uint8_t *raw, bool in_segment,
	const struct splice_decision *d)
{
	if (needs_edit(&sp->head, d)) {
		uint32_t edited = write_head(sp, raw, d);

		buffer_give(sp, &f->up.buf);
		f->up.buf = edited;
	} else if (in_segment) {
		buffer_append(sp, &f->up.buf, raw, sp->head.len);
	}
	return f->up.buf != 0;
}

static void note_for_retry(
	struct splice *sp, struct flow *f, const struct splice_decision *d, bool as_sent)
{
	struct buffer *b = buffer_at(sp, f->up.buf);

	b->src_end = f->client.rcv_nxt;
	b->body = (uint8_t)sp->head.body;
	b->content_length = sp->head.content_length;
	b->n_tried = 0;
	b->connect_ms = d->connect_timeout_ms;
	b->route_ms = d->route_timeout_ms;
	b->as_sent = as_sent;
}

void request_head(struct splice *sp, struct flow *f, const uint8_t *raw, bool in_segment)
{
	struct splice_decision d = {
		.cluster = SPLICE_NONE, .route = SPLICE_NONE, .virtual_host = SPLICE_NONE};
	bool in_place;

	note_head(sp, f, raw);
	if (!normal_head(sp, f, &raw, &in_segment))
		return;
	sp->io->route(sp->ctx, flow_idx(sp, f), raw, &sp->head, &d);
	note_decision(sp, f, &d);
	if (sp->head.method == HTTP1_CONNECT) {
		f->flags |= FLOW_CLOSE;
		reply_send(sp, f, 405, NULL, 0, SPLICE_WHY_REFUSED_UPGRADE);
		return;
	}
	if (d.action == SPLICE_REPLY) {
		reply_send(sp, f, d.status, d.body, d.body_len, SPLICE_WHY_DIRECT);
		return;
	}
	in_place = in_segment && !needs_edit(&sp->head, &d);
	if (!keep_head(sp, f, raw, in_segment, &d)) {
		reply_send(sp, f, 503, NULL, 0, SPLICE_WHY_NO_MEMORY);
		return;
	}
	note_for_retry(sp, f, &d, in_place);
	bind_request(sp, f, in_place);
}

void request_malformed(struct splice *sp, struct flow *f, enum http1_reason reason)
{
	splice_tell(sp, f, SPLICE_MALFORMED, reason);
	f->flags |= FLOW_CLOSE;
	f->method = HTTP1_OTHER;
	f->head_us = (uint32_t)sp->now_us;
	reply_send(sp, f, http1_reason_status(reason), NULL, 0, SPLICE_WHY_MALFORMED);
}
