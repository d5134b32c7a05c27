// SPDX-License-Identifier: Apache-2.0

// The node's own replies: owned bytes like an edited head.

#include "l7/splice/splice_priv.h"

enum {
	REPLY_HEAD_ROOM = 512,
};

static const char *const WHY_NAMES[] = {
#define X(symbol, name) name,
	SPLICE_WHYS(X)
#undef X
};

const char *splice_why_name(enum splice_why why)
{
	return why < SPLICE_N_WHYS ? WHY_NAMES[why] : "unknown";
}

// What is left of the request is read on and thrown away, so that the client gets to reading the reply.
static void stop_request(struct splice *sp, struct flow *f)
{
	if (f->up.follow != FOLLOW_END) {
		f->up.follow = FOLLOW_DISCARD;
		f->flags |= FLOW_CLOSE;
	}
	if (f->flags & FLOW_OLD)
		f->flags |= FLOW_CLOSE;
	if (f->flags & FLOW_CLOSE)
		f->flags |= FLOW_TOLD;
	f->up.base = f->client.rcv_nxt;
	f->up.owning = false;
	f->up.collecting = false;
	buffer_give(sp, &f->up.buf);
	buffer_give(sp, &f->up.kept);
}

static void send_reply(
	struct splice *sp, struct flow *f, struct http1_reply *reply, enum splice_why why)
{
	int n = -ENOBUFS;

	stop_request(sp, f);
	reply->method = f->method;
	reply->date = sp->io->date(sp->ctx);
	reply->connection = f->flags & FLOW_CLOSE ? HTTP1_REPLY_CLOSE : HTTP1_REPLY_KEEP;
	splice_tell(sp, f, SPLICE_OWN_REPLY, why);
	splice_tell(sp, f, SPLICE_RESPONSE, reply->status);
	buffer_give(sp, &f->down.buf);
	f->down.buf = buffer_take(sp, REPLY_HEAD_ROOM + reply->location_len + reply->body_len);
	if (f->down.buf != 0)
		n = http1_reply_write(
			reply, buffer_at(sp, f->down.buf)->data, buffer_room(sp, f->down.buf));
	if (n < 0) {
		flow_reset(sp, f, SPLICE_WHY_NO_MEMORY);
		return;
	}
	buffer_at(sp, f->down.buf)->len = (uint32_t)n;
	f->phase = PHASE_REPLY;
	f->active_ms = sp->now_ms;
	f->down.follow = FOLLOW_END;
	timeout_clear(f);
	own_begin(sp, f, SPLICE_CLIENT);
}

void reply_send(struct splice *sp, struct flow *f, uint16_t status, const char *body,
	uint32_t body_len, enum splice_why why)
{
	struct http1_reply reply = {.status = status, .body_len = body_len, .body = body};

	send_reply(sp, f, &reply, why);
}

void reply_redirect(struct splice *sp, struct flow *f, const uint8_t *location, uint32_t len)
{
	struct http1_reply reply = {.status = 307, .location = location, .location_len = len};

	send_reply(sp, f, &reply, SPLICE_WHY_PATH_REDIRECT);
}
