// SPDX-License-Identifier: Apache-2.0

// A response head is complete. Everything before it is acknowledged by the client.

#include "l7/splice/splice_priv.h"

enum {
	SWITCHING_PROTOCOLS = 101,
	FIRST_FINAL_STATUS = 200,
	EDIT_ROOM = 512,
};

// What the half's buffer holds is sent to the client from there.
static void own_head(struct splice *sp, struct flow *f)
{
	f->down.base = sp->legs[f->leg].server.rcv_nxt;
	own_begin(sp, f, SPLICE_CLIENT);
}

static void begin_tunnel(struct splice *sp, struct flow *f)
{
	f->flags |= FLOW_ANSWERED | FLOW_NO_POOL | FLOW_CLOSE;
	f->down.follow = FOLLOW_OPAQUE;
	f->up.follow = FOLLOW_OPAQUE;
	if (!f->up.owning)
		buffer_give(sp, &f->up.buf);
	f->flags &= (uint16_t)~FLOW_DRAINING;
	timeout_clear(f); // a tunnel lasts as long as it is used
	splice_tell(sp, f, SPLICE_RESPONSE, SWITCHING_PROTOCOLS);
}

static void note_final(struct splice *sp, struct flow *f)
{
	const struct http1_head *head = &sp->head;

	f->flags |= FLOW_ANSWERED;
	if (!f->up.owning)
		buffer_give(sp, &f->up.buf);
	if (!head->keep_alive || head->body == HTTP1_BODY_UNTIL_CLOSE || f->up.follow != FOLLOW_END)
		f->flags |= FLOW_CLOSE | FLOW_NO_POOL;
	if (!head->keep_alive || head->body == HTTP1_BODY_UNTIL_CLOSE)
		f->flags |= FLOW_TOLD;
	splice_tell(sp, f, SPLICE_RESPONSE, head->status);
	follow_body(&f->down, head->body, head->content_length);
}

// Writes the head anew into the half's buffer. False: it could not be; the head goes as it is.
static bool edit_head(struct splice *sp, struct flow *f, const uint8_t *raw)
{
	// The client learns from this head that the connection ends, unless it or the endpoint said so.
	bool say_close =
		(f->flags & FLOW_CLOSE) && !(f->flags & FLOW_CLIENT_CLOSES) && sp->head.keep_alive;
	struct http1_edits edits = {0};
	uint32_t buf;
	int n;

	if (!(f->flags & FLOW_EDIT_RESPONSE) && !say_close)
		return false;
	if (f->flags & FLOW_EDIT_RESPONSE)
		sp->io->edit_response(sp->ctx, flow_idx(sp, f), &edits);
	edits.close = edits.close || say_close;
	buf = buffer_take(sp, sp->head.len + EDIT_ROOM);
	if (buf == 0)
		return false;
	n = http1_edit_response(
		raw, &sp->head, &edits, buffer_at(sp, buf)->data, buffer_room(sp, buf));
	if (n < 0) {
		buffer_give(sp, &buf);
		return false;
	}
	if (edits.close)
		f->flags |= FLOW_TOLD;
	buffer_at(sp, buf)->len = (uint32_t)n;
	buffer_give(sp, &f->down.buf);
	f->down.buf = buf;
	return true;
}

// 1xx heads are not edited. False: the endpoint switches protocols although nobody asked it to.
static bool pass_interim(struct splice *sp, struct flow *f, bool in_segment)
{
	if (sp->head.status == SWITCHING_PROTOCOLS) {
		if (!(f->flags & FLOW_WEBSOCKET) || f->up.follow != FOLLOW_END)
			return false;
		begin_tunnel(sp, f);
	}
	if (!in_segment)
		own_head(sp, f);
	return true;
}

void response_head(struct splice *sp, struct flow *f, const uint8_t *raw, bool in_segment)
{
	if (sp->head.status < FIRST_FINAL_STATUS) {
		if (!pass_interim(sp, f, in_segment))
			bind_failed(sp, f, SPLICE_WHY_BAD_RESPONSE, false);
		return;
	}
	note_final(sp, f);
	if (edit_head(sp, f, raw) || !in_segment)
		own_head(sp, f);
	if (f->down.follow == FOLLOW_END)
		response_ended(sp, f);
}

void response_ended(struct splice *sp, struct flow *f)
{
	splice_tell(sp, f, SPLICE_RESPONSE_DONE, (uint32_t)sp->now_us - f->head_us);
	timeout_clear(f);
	f->flags &= (uint16_t)~FLOW_DRAINING;
	if (f->up.follow != FOLLOW_END)
		f->flags |= FLOW_CLOSE | FLOW_NO_POOL;
}
