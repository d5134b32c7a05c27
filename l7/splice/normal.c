// SPDX-License-Identifier: Apache-2.0

// A request head that is not as its listener wants it is written anew, and read again as if it had come so.

#include "l7/http1_normal.h"
#include "l7/splice/splice_priv.h"

// The head kept those of its listener.
static const struct http1_limits NONE = {UINT32_MAX, UINT32_MAX};

// The message is framed soundly all the same: the connection goes on.
static void refuse(struct splice *sp, struct flow *f, enum http1_reason reason)
{
	splice_tell(sp, f, SPLICE_MALFORMED, reason);
	reply_send(sp, f, http1_reason_status(reason), NULL, 0, SPLICE_WHY_MALFORMED);
}

// Leaves the head in sp->head, and its bytes in b.
static int write_anew(
	struct splice *sp, const uint8_t *raw, struct buffer *b, struct http1_normal *normal)
{
	int n = http1_normal_write(raw, &sp->head, sp->rules, b->data, normal);

	if (n < 0)
		return n;
	b->len = (uint32_t)n;
	return http1_request_parse(b->data, b->len, 0, &NONE, &sp->head, &normal->reason);
}

bool normal_head(struct splice *sp, struct flow *f, const uint8_t **raw, bool *in_segment)
{
	struct http1_normal normal;
	uint32_t buf;

	if (sp->rules == 0 || http1_is_normal(*raw, &sp->head, sp->rules))
		return true;
	buf = buffer_take(sp, http1_normal_room(&sp->head));
	if (buf == 0) {
		reply_send(sp, f, 503, NULL, 0, SPLICE_WHY_NO_MEMORY);
		return false;
	}
	if (write_anew(sp, *raw, buffer_at(sp, buf), &normal) < 0) {
		refuse(sp, f, normal.reason);
	} else if (normal.redirect) {
		reply_redirect(
			sp, f, buffer_at(sp, buf)->data + normal.location.off, normal.location.len);
	} else {
		buffer_give(sp, &f->up.buf);
		f->up.buf = buf;
		*raw = buffer_at(sp, buf)->data;
		*in_segment = false;
		return true;
	}
	buffer_give(sp, &buf);
	return false;
}
