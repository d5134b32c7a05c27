// SPDX-License-Identifier: Apache-2.0

#include "l7/http1_normal.h"

#include <errno.h>
#include <string.h>

#include "l7/http1_path.h"

enum {
	ESCAPED_SLASH_RULES = HTTP1_RULE_REJECT_ESCAPED_SLASHES |
			      HTTP1_RULE_REDIRECT_ESCAPED_SLASHES | HTTP1_RULE_UNESCAPE_SLASHES,
	PATH_RULES = HTTP1_RULE_NORMALIZE_PATH | HTTP1_RULE_MERGE_SLASHES | ESCAPED_SLASH_RULES,
	UNDERSCORE_RULES = HTTP1_RULE_REJECT_UNDERSCORES | HTTP1_RULE_DROP_UNDERSCORES,
};

// "*" is none.
static bool has_path(const uint8_t *raw, const struct http1_head *head)
{
	return head->path_len > 0 && raw[head->path.off] == '/';
}

static bool has_underscore(const uint8_t *raw, const struct http1_field *field)
{
	return memchr(raw + field->name.off, '_', field->name.len) != NULL;
}

bool http1_is_normal(const uint8_t *raw, const struct http1_head *head, uint8_t rules)
{
	if ((rules & PATH_RULES) && has_path(raw, head) &&
		http1_path_may_change(raw + head->path.off, head->path_len))
		return false;
	if (rules & UNDERSCORE_RULES)
		for (uint32_t i = 0; i < head->n_fields; i++)
			if (has_underscore(raw, &head->fields[i]))
				return false;
	return true;
}

static uint8_t path_rules(uint8_t rules)
{
	return (uint8_t)((rules & HTTP1_RULE_NORMALIZE_PATH ? HTTP1_PATH_NORMALIZE : 0) |
			 (rules & HTTP1_RULE_MERGE_SLASHES ? HTTP1_PATH_MERGE_SLASHES : 0) |
			 (rules & ESCAPED_SLASH_RULES ? HTTP1_PATH_UNESCAPE_SLASHES : 0));
}

static int refuse(struct http1_normal *normal, enum http1_reason reason)
{
	normal->reason = reason;
	return -EBADMSG;
}

// Writes the path and its query.
static int write_path(const uint8_t *raw, const struct http1_head *head, uint8_t rules,
	uint8_t *out, struct http1_normal *normal)
{
	const uint32_t query_len = head->path.len - head->path_len;
	bool unescaped = false;
	int n = (int)head->path_len;

	if (has_path(raw, head))
		n = http1_path_normalize(
			raw + head->path.off, head->path_len, path_rules(rules), out, &unescaped);
	else
		memcpy(out, raw + head->path.off, head->path_len);
	if (n < 0)
		return refuse(normal, HTTP1_BAD_PATH);
	if (unescaped && (rules & HTTP1_RULE_REJECT_ESCAPED_SLASHES))
		return refuse(normal, HTTP1_ESCAPED_SLASH);
	normal->redirect = unescaped && (rules & HTTP1_RULE_REDIRECT_ESCAPED_SLASHES);
	memcpy(out + n, raw + head->path.off + head->path_len, query_len);
	return n + (int)query_len;
}

// Writes what is behind the path, without fields that are to be dropped.
static int write_rest(const uint8_t *raw, const struct http1_head *head, uint8_t rules,
	uint8_t *out, struct http1_normal *normal)
{
	uint32_t from = head->path.off + head->path.len, n = 0;

	for (uint32_t i = 0; (rules & UNDERSCORE_RULES) && i < head->n_fields; i++) {
		const struct http1_field *field = &head->fields[i];

		if (!has_underscore(raw, field))
			continue;
		if (rules & HTTP1_RULE_REJECT_UNDERSCORES)
			return refuse(normal, HTTP1_UNDERSCORE);
		memcpy(out + n, raw + from, field->name.off - from);
		n += field->name.off - from;
		from = i + 1u < head->n_fields ? field[1].name.off : head->len - 2;
	}
	memcpy(out + n, raw + from, head->len - from);
	return (int)(n + head->len - from);
}

uint32_t http1_normal_room(const struct http1_head *head)
{
	return head->len + (HTTP1_PATH_GROWTH - 1) * head->path_len;
}

int http1_normal_write(const uint8_t *raw, const struct http1_head *head, uint8_t rules,
	uint8_t *out, struct http1_normal *normal)
{
	// CONNECT's path is empty and nowhere: behind its target.
	const uint32_t path_off =
		head->path.len > 0 ? head->path.off : head->target.off + head->target.len;
	struct http1_head at = *head;
	uint32_t len = path_off - head->start;
	int n;

	*normal = (struct http1_normal){.reason = HTTP1_OK};
	at.path.off = path_off;
	memcpy(out, raw + head->start, len);
	n = write_path(raw, &at, rules, out + len, normal);
	if (n < 0)
		return n;
	normal->location = (struct http1_text){.off = len, .len = (uint32_t)n};
	len += (uint32_t)n;
	n = write_rest(raw, &at, rules, out + len, normal);
	return n < 0 ? n : (int)len + n;
}
