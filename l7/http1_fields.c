// SPDX-License-Identifier: Apache-2.0

#include "l7/http1_fields.h"

#include <string.h>

#include "l7/http1_scan.h"
#include "l7/http1_target.h"

// For texts without control characters: setting 0x20 maps nothing but capitals to letters, and nothing
// else to '-' or a digit.
static bool equals(const uint8_t *bytes, const char *lower, uint32_t len)
{
	const uint64_t case_bits = 0x2020202020202020;
	uint64_t word, want;

	if (len < sizeof(word)) {
		for (uint32_t i = 0; i < len; i++)
			if ((bytes[i] | 0x20) != lower[i])
				return false;
		return true;
	}
	for (uint32_t i = 0; i < len; i += sizeof(word)) {
		const uint32_t off = i + sizeof(word) <= len ? i : len - (uint32_t)sizeof(word);

		memcpy(&word, bytes + off, sizeof(word));
		memcpy(&want, lower + off, sizeof(want));
		if ((word | case_bits) != want)
			return false;
	}
	return true;
}

// By length, which all but one have for themselves.
static const struct {
	const char *name;
	enum http1_field_kind kind;
} KNOWN[] = {
	[2] = {"te", HTTP1_FIELD_TE},
	[4] = {"host", HTTP1_FIELD_HOST},
	[6] = {"expect", HTTP1_FIELD_EXPECT},
	[7] = {"upgrade", HTTP1_FIELD_UPGRADE},
	[10] = {"connection", HTTP1_FIELD_CONNECTION},
	[12] = {"x-request-id", HTTP1_FIELD_REQUEST_ID},
	[14] = {"content-length", HTTP1_FIELD_CONTENT_LENGTH},
	[15] = {"x-forwarded-for", HTTP1_FIELD_FORWARDED_FOR},
	[16] = {"x-forwarded-port", HTTP1_FIELD_FORWARDED_PORT},
	[17] = {"x-forwarded-proto", HTTP1_FIELD_FORWARDED_PROTO},
};

static enum http1_field_kind find_kind(const uint8_t *name, uint32_t len)
{
	static const char encoding[] = "transfer-encoding";

	if (len >= sizeof(KNOWN) / sizeof(KNOWN[0]) || KNOWN[len].name == NULL)
		return HTTP1_FIELD_OTHER;
	if (equals(name, KNOWN[len].name, len))
		return KNOWN[len].kind;
	return len == sizeof(encoding) - 1 && equals(name, encoding, len)
		       ? HTTP1_FIELD_TRANSFER_ENCODING
		       : HTTP1_FIELD_OTHER;
}

// The letters and digits of name are letters.
static bool reduces_to(const uint8_t *name, uint32_t len, const char *letters)
{
	for (uint32_t i = 0; i < len; i++) {
		const uint8_t c = name[i] | 0x20;

		if ((c < 'a' || c > 'z') && (c < '0' || c > '9'))
			continue;
		if (c != (uint8_t)*letters)
			return false;
		letters++;
	}
	return *letters == 0;
}

// CGI and its heirs, among others, take other characters for hyphens, or do without them.
enum http1_field_kind http1_fields_kind(const uint8_t *name, uint32_t len)
{
	const enum http1_field_kind kind = find_kind(name, len);

	if (kind != HTTP1_FIELD_OTHER || len < sizeof("contentlength") - 1)
		return kind;
	return reduces_to(name, len, "contentlength") || reduces_to(name, len, "transferencoding")
		       ? HTTP1_FIELD_LOOK_ALIKE
		       : HTTP1_FIELD_OTHER;
}

bool http1_fields_is_word(const uint8_t *raw, struct http1_text text, const char *lower)
{
	const uint32_t len = (uint32_t)strlen(lower);

	return text.len == len && equals(raw + text.off, lower, len);
}

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

bool http1_fields_next_element(
	const uint8_t *raw, struct http1_text *list, struct http1_text *element)
{
	uint32_t off = list->off, end = list->off + list->len, stop;

	while (off < end && (is_blank(raw[off]) || raw[off] == ','))
		off++;
	for (stop = off; stop < end && raw[stop] != ',';)
		stop++;
	*list = (struct http1_text){.off = stop, .len = end - stop};
	while (stop > off && is_blank(raw[stop - 1]))
		stop--;
	*element = (struct http1_text){.off = off, .len = stop - off};
	return stop > off;
}

// RFC 9110 §7.6.1: an option makes the next hop drop the field of that name. Those that only look like
// a single hop's would change the message on the way.
static bool is_end_to_end(enum http1_field_kind kind)
{
	return kind == HTTP1_FIELD_HOST || kind == HTTP1_FIELD_CONTENT_LENGTH ||
	       kind == HTTP1_FIELD_TRANSFER_ENCODING || kind == HTTP1_FIELD_FORWARDED_FOR ||
	       kind == HTTP1_FIELD_FORWARDED_PROTO || kind == HTTP1_FIELD_FORWARDED_PORT;
}

static enum http1_reason note_connection(
	struct http1_fields *fields, const uint8_t *raw, struct http1_text list)
{
	struct http1_text option;

	while (http1_fields_next_element(raw, &list, &option)) {
		const uint32_t end = option.off + option.len;

		if (http1_scan_span(&HTTP1_SCAN_TOKEN, raw, option.off, end) != end)
			return HTTP1_BAD_CONNECTION;
		if (is_end_to_end(http1_fields_kind(raw + option.off, option.len)))
			return HTTP1_CONNECTION_OPTION;
		fields->close |= http1_fields_is_word(raw, option, "close");
		fields->keep_alive |= http1_fields_is_word(raw, option, "keep-alive");
		fields->upgrade |= http1_fields_is_word(raw, option, "upgrade");
	}
	return HTTP1_OK;
}

// A tab around a framing value is what some receivers do not take for white space.
static bool has_tab_around(const uint8_t *raw, struct http1_text value)
{
	uint32_t off = value.off;

	while (is_blank(raw[off - 1]))
		if (raw[--off] == '\t')
			return true;
	for (off = value.off + value.len; is_blank(raw[off]); off++)
		if (raw[off] == '\t')
			return true;
	return false;
}

static enum http1_reason note_content_length(const struct http1_fields *fields, const uint8_t *raw,
	struct http1_text value, struct http1_head *head)
{
	uint64_t length = 0;

	if (fields->seen & 1u << HTTP1_FIELD_CONTENT_LENGTH)
		return HTTP1_REPEATED_CONTENT_LENGTH;
	if (fields->seen & 1u << HTTP1_FIELD_TRANSFER_ENCODING)
		return HTTP1_TWO_FRAMINGS;
	if (value.len == 0 || has_tab_around(raw, value))
		return HTTP1_BAD_CONTENT_LENGTH;
	for (uint32_t i = 0; i < value.len; i++) {
		const unsigned int digit = raw[value.off + i] - (unsigned int)'0';

		if (digit > 9 || length > ((uint64_t)INT64_MAX - digit) / 10)
			return HTTP1_BAD_CONTENT_LENGTH;
		length = length * 10 + digit;
	}
	head->content_length = length;
	return HTTP1_OK;
}

static enum http1_reason note_transfer_encoding(const struct http1_fields *fields,
	const uint8_t *raw, struct http1_text value, const struct http1_head *head)
{
	if (head->minor == 0)
		return HTTP1_OLD_TRANSFER_ENCODING;
	if (fields->seen & 1u << HTTP1_FIELD_CONTENT_LENGTH)
		return HTTP1_TWO_FRAMINGS;
	if (fields->seen & 1u << HTTP1_FIELD_TRANSFER_ENCODING ||
		!http1_fields_is_word(raw, value, "chunked") || has_tab_around(raw, value))
		return HTTP1_BAD_TRANSFER_ENCODING;
	return HTTP1_OK;
}

static enum http1_reason note_host(
	struct http1_fields *fields, const uint8_t *raw, struct http1_text value)
{
	if (fields->is_response)
		return HTTP1_OK;
	if (fields->seen & 1u << HTTP1_FIELD_HOST)
		return HTTP1_REPEATED_HOST;
	if (!http1_target_is_authority(raw, value))
		return HTTP1_BAD_HOST;
	fields->host = value;
	return HTTP1_OK;
}

static void note_te(const uint8_t *raw, struct http1_text list, struct http1_head *head)
{
	struct http1_text coding;

	while (http1_fields_next_element(raw, &list, &coding))
		head->te_trailers |= http1_fields_is_word(raw, coding, "trailers");
}

static enum http1_reason note(struct http1_fields *fields, const uint8_t *raw,
	enum http1_field_kind kind, struct http1_text value, struct http1_head *head)
{
	switch (kind) {
	case HTTP1_FIELD_HOST:
		return note_host(fields, raw, value);
	case HTTP1_FIELD_CONNECTION:
		return note_connection(fields, raw, value);
	case HTTP1_FIELD_CONTENT_LENGTH:
		return note_content_length(fields, raw, value, head);
	case HTTP1_FIELD_TRANSFER_ENCODING:
		return note_transfer_encoding(fields, raw, value, head);
	case HTTP1_FIELD_LOOK_ALIKE:
		return HTTP1_LOOK_ALIKE;
	case HTTP1_FIELD_TE:
		note_te(raw, value, head);
		return HTTP1_OK;
	case HTTP1_FIELD_EXPECT:
		fields->expect_continue |= http1_fields_is_word(raw, value, "100-continue");
		return HTTP1_OK;
	default:
		return HTTP1_OK;
	}
}

enum http1_reason http1_fields_note(struct http1_fields *fields, const uint8_t *raw,
	enum http1_field_kind kind, struct http1_text value, struct http1_head *head)
{
	const enum http1_reason reason = note(fields, raw, kind, value, head);

	fields->seen |= 1u << kind;
	return reason;
}

static bool has(const struct http1_fields *fields, enum http1_field_kind kind)
{
	return fields->seen & 1u << kind;
}

// HTTP/1.0 knows neither Upgrade (RFC 9110 §7.8) nor persistence that nobody asked for.
static void finish_common(const struct http1_fields *fields, struct http1_head *head)
{
	head->keep_alive = !fields->close && (head->minor > 0 || fields->keep_alive);
	head->upgrade = head->minor > 0 && fields->upgrade && has(fields, HTTP1_FIELD_UPGRADE);
	if (has(fields, HTTP1_FIELD_TRANSFER_ENCODING))
		head->body = HTTP1_BODY_CHUNKED;
	else if (head->content_length > 0)
		head->body = HTTP1_BODY_LENGTH;
	else
		head->body = HTTP1_BODY_NONE;
}

enum http1_reason http1_fields_finish_request(
	const struct http1_fields *fields, struct http1_head *head)
{
	if (head->minor > 0 && !has(fields, HTTP1_FIELD_HOST))
		return HTTP1_NO_HOST;
	finish_common(fields, head);
	if (head->method == HTTP1_CONNECT && head->body != HTTP1_BODY_NONE)
		return HTTP1_BODY_FORBIDDEN;
	// RFC 9110 §10.1.1: ignored in HTTP/1.0; without a body there is nothing to wait with.
	head->expect_continue =
		fields->expect_continue && head->minor > 0 && head->body != HTTP1_BODY_NONE;
	if (head->authority.len == 0)
		head->authority = fields->host;
	return HTTP1_OK;
}

enum http1_reason http1_fields_finish_response(const struct http1_fields *fields,
	enum http1_method request_method, struct http1_head *head)
{
	const bool has_length = has(fields, HTTP1_FIELD_CONTENT_LENGTH);

	finish_common(fields, head);
	if (head->status < 200 || head->status == 204)
		return head->body == HTTP1_BODY_NONE ? HTTP1_OK : HTTP1_BODY_FORBIDDEN;
	if (head->status == 304 || request_method == HTTP1_HEAD ||
		(request_method == HTTP1_CONNECT && head->status < 300)) {
		head->body = HTTP1_BODY_NONE;
	} else if (head->body == HTTP1_BODY_NONE && !has_length) {
		head->body = HTTP1_BODY_UNTIL_CLOSE;
		head->keep_alive = false;
	}
	return HTTP1_OK;
}
