// SPDX-License-Identifier: Apache-2.0

#include "l7/http1_edit.h"

#include <errno.h>
#include <string.h>

#include "l7/http1_fields.h"

struct writer {
	uint8_t *out;
	uint32_t room;
	uint32_t len;
	bool full;
};

static void put(struct writer *w, const void *bytes, uint32_t len)
{
	if (len > w->room - w->len) {
		w->full = true;
		return;
	}
	memcpy(w->out + w->len, bytes, len);
	w->len += len;
}

static void put_string(struct writer *w, const char *string)
{
	put(w, string, (uint32_t)strlen(string));
}

static void put_field(struct writer *w, const char *name, const char *value)
{
	put_string(w, name);
	put_string(w, ": ");
	put_string(w, value);
	put_string(w, "\r\n");
}

static bool has(const struct http1_head *head, enum http1_field_kind kind)
{
	return memchr(head->kinds, kind, head->n_fields) != NULL;
}

// RFC 9110 §7.6.1: what the other options name is still for one hop only.
static void put_connection_close(
	struct writer *w, const uint8_t *raw, const struct http1_head *head)
{
	struct http1_text list, option;

	put_string(w, "connection: close");
	for (uint32_t i = 0; i < head->n_fields; i++) {
		if (head->kinds[i] != HTTP1_FIELD_CONNECTION)
			continue;
		list = head->fields[i].value;
		while (http1_fields_next_element(raw, &list, &option)) {
			if (http1_fields_is_word(raw, option, "close") ||
				http1_fields_is_word(raw, option, "keep-alive") ||
				http1_fields_is_word(raw, option, "upgrade"))
				continue;
			put_string(w, ", ");
			put(w, raw + option.off, option.len);
		}
	}
	put_string(w, "\r\n");
}

// The last field of x-forwarded-for is as good as all of them in one list; n_fields if there is none.
static uint32_t find_forwarded_for(const struct http1_head *head)
{
	uint32_t i = head->n_fields;

	while (i > 0 && head->kinds[i - 1] != HTTP1_FIELD_FORWARDED_FOR)
		i--;
	return i > 0 ? i - 1 : head->n_fields;
}

static bool target_names_host(const struct http1_head *head)
{
	return head->absolute_form || head->method == HTTP1_CONNECT;
}

// The start line up to its path, host in place of the target's authority. Returns where the rest begins.
static uint32_t put_authority(
	struct writer *w, const uint8_t *raw, const struct http1_head *head, const char *host)
{
	put(w, raw + head->start, head->authority.off - head->start);
	put_string(w, host);
	return head->authority.off + head->authority.len;
}

// What of the head begins at from, without the fields whose kinds are in dropped; forwarded_for, if not NULL, is
// appended to the value of field forwarded_for_idx. Not the empty line.
static void put_kept(struct writer *w, const uint8_t *raw, const struct http1_head *head,
	uint32_t from, uint32_t dropped, const char *forwarded_for, uint32_t forwarded_for_idx)
{
	const uint32_t end = head->len - 2;

	for (uint32_t i = 0; i < head->n_fields; i++) {
		const struct http1_field *field = &head->fields[i];
		const uint32_t value_end = field->value.off + field->value.len;

		if (dropped & 1u << head->kinds[i]) {
			put(w, raw + from, field->name.off - from);
			from = i + 1u < head->n_fields ? field[1].name.off : end;
		} else if (i == forwarded_for_idx && forwarded_for != NULL) {
			put(w, raw + from, value_end - from);
			put_string(w, field->value.len > 0 ? ", " : "");
			put_string(w, forwarded_for);
			from = value_end;
		}
	}
	put(w, raw + from, end - from);
}

static int finish(struct writer *w, const uint8_t *raw, const struct http1_head *head,
	const struct http1_edits *edits)
{
	if (edits->close)
		put_connection_close(w, raw, head);
	put_string(w, "\r\n");
	return w->full ? -E2BIG : (int)w->len;
}

static uint32_t dropped_by_close(const struct http1_edits *edits)
{
	return edits->close ? 1u << HTTP1_FIELD_CONNECTION | 1u << HTTP1_FIELD_UPGRADE : 0;
}

static bool replaces_host(const struct http1_head *head, const struct http1_edits *edits)
{
	return edits->host != NULL || target_names_host(head);
}

static uint32_t dropped_of_request(const struct http1_head *head, const struct http1_edits *edits)
{
	uint32_t dropped = dropped_by_close(edits);

	if (replaces_host(head, edits))
		dropped |= 1u << HTTP1_FIELD_HOST;
	if (edits->forwarded_proto != NULL)
		dropped |= 1u << HTTP1_FIELD_FORWARDED_PROTO;
	if (edits->forwarded_port != NULL)
		dropped |= 1u << HTTP1_FIELD_FORWARDED_PORT;
	return dropped;
}

static void put_host(
	struct writer *w, const uint8_t *raw, const struct http1_head *head, const char *host)
{
	put_string(w, "host: ");
	if (host != NULL)
		put_string(w, host);
	else
		put(w, raw + head->authority.off, head->authority.len);
	put_string(w, "\r\n");
}

int http1_edit_request(const uint8_t *raw, const struct http1_head *head,
	const struct http1_edits *edits, uint8_t *out, uint32_t out_len)
{
	const uint32_t forwarded_for_idx = find_forwarded_for(head);
	struct writer w = {.out = out, .room = out_len};
	uint32_t from = head->start;

	if (edits->host != NULL && target_names_host(head))
		from = put_authority(&w, raw, head, edits->host);
	put_kept(&w, raw, head, from, dropped_of_request(head, edits), edits->forwarded_for,
		forwarded_for_idx);
	if (replaces_host(head, edits))
		put_host(&w, raw, head, edits->host);
	if (edits->forwarded_for != NULL && forwarded_for_idx == head->n_fields)
		put_field(&w, "x-forwarded-for", edits->forwarded_for);
	if (edits->forwarded_proto != NULL)
		put_field(&w, "x-forwarded-proto", edits->forwarded_proto);
	if (edits->forwarded_port != NULL)
		put_field(&w, "x-forwarded-port", edits->forwarded_port);
	if (edits->request_id != NULL && !has(head, HTTP1_FIELD_REQUEST_ID))
		put_field(&w, "x-request-id", edits->request_id);
	return finish(&w, raw, head, edits);
}

int http1_edit_response(const uint8_t *raw, const struct http1_head *head,
	const struct http1_edits *edits, uint8_t *out, uint32_t out_len)
{
	struct writer w = {.out = out, .room = out_len};
	uint32_t dropped = dropped_by_close(edits);

	if (edits->request_id != NULL)
		dropped |= 1u << HTTP1_FIELD_REQUEST_ID;
	put_kept(&w, raw, head, head->start, dropped, NULL, head->n_fields);
	if (edits->request_id != NULL)
		put_field(&w, "x-request-id", edits->request_id);
	return finish(&w, raw, head, edits);
}
