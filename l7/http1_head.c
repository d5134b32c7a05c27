// SPDX-License-Identifier: Apache-2.0

// One pass from the first byte to the last. Control characters are found for 32 bytes at once and give
// the ends of lines; the lines are then independent of each other, which keeps the core busy. Within a
// line bytes are judged in their order, and a line that is not complete is judged as far as it goes: so
// the verdict on a head does not depend on how it was cut, and a malformed one is refused early.
//
// A head that comes in many pieces must not be parsed from its start for each of them. is_still_open()
// looks at what earlier pieces left open, the last line, as if no field came before it; only when that
// ends the head or is malformed is everything parsed from the start.

#include "l7/http1_head.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "l7/http1_fields.h"
#include "l7/http1_scan.h"
#include "l7/http1_target.h"

enum {
	VERSION_LEN = sizeof("HTTP/1.1") - 1,
	STATUS_LEN = 3,
};

struct parser {
	const uint8_t *data;
	uint32_t len;
	uint32_t limit_end; // where this section has to have ended
	uint32_t end;	    // of what may be looked at: the lesser of the two
	enum http1_reason limit_reason;
	uint32_t pos;	   // start of the current line
	uint32_t line_end; // its CR, any other control character, or end
	uint32_t controls; // not yet asked for, of the block
	uint32_t block;
	uint32_t next_block;
	enum http1_reason reason;
	struct http1_head *head;
	struct http1_fields fields;
};

static void begin(
	struct parser *p, const uint8_t *data, uint32_t len, uint32_t pos, struct http1_head *head)
{
	memset(p, 0, sizeof(*p));
	p->data = data;
	p->len = len;
	p->pos = pos;
	p->next_block = pos;
	p->head = head;
	memset(head, 0, offsetof(struct http1_head, kinds));
}

// From off on, at most n_bytes belong to the section.
static void begin_section(
	struct parser *p, uint32_t off, uint32_t n_bytes, enum http1_reason limit_reason)
{
	p->limit_end = n_bytes < UINT32_MAX - off ? off + n_bytes : UINT32_MAX;
	p->end = p->len < p->limit_end ? p->len : p->limit_end;
	p->limit_reason = limit_reason;
}

static int refuse(struct parser *p, enum http1_reason reason)
{
	p->reason = reason;
	return -EBADMSG;
}

static int accept_unless(struct parser *p, enum http1_reason reason)
{
	return reason == HTTP1_OK ? 0 : refuse(p, reason);
}

static int refuse_size(struct parser *p, enum http1_reason reason)
{
	p->reason = reason;
	return -E2BIG;
}

static int run_out(struct parser *p)
{
	return p->len < p->limit_end ? -EAGAIN : refuse_size(p, p->limit_reason);
}

static uint32_t next_control(struct parser *p)
{
	uint32_t off;

	while (p->controls == 0) {
		if (p->next_block >= p->len)
			return p->len;
		p->block = p->next_block;
		p->next_block += HTTP1_SCAN_BLOCK;
		p->controls = http1_scan_controls(p->data, p->block, p->len);
	}
	off = p->block + (uint32_t)__builtin_ctz(p->controls);
	p->controls &= p->controls - 1;
	return off;
}

static void find_line_end(struct parser *p)
{
	const uint32_t off = next_control(p);

	p->line_end = off < p->end ? off : p->end;
}

// Why the line does not end in CRLF; reason, if another control character ends it.
static int refuse_line_end(struct parser *p, enum http1_reason reason)
{
	if (p->line_end >= p->end)
		return run_out(p);
	if (p->data[p->line_end] == '\n')
		return refuse(p, HTTP1_BARE_LF);
	if (p->data[p->line_end] != '\r')
		return refuse(p, reason);
	return p->line_end + 1 >= p->end ? run_out(p) : refuse(p, HTTP1_BARE_CR);
}

// Goes on to the next line.
static int end_line(struct parser *p, enum http1_reason reason)
{
	const uint8_t *crlf = p->data + p->line_end;

	if (p->end - p->line_end < 2 || crlf[0] != '\r' || crlf[1] != '\n')
		return refuse_line_end(p, reason);
	next_control(p);
	p->pos = p->line_end + 2;
	return 0;
}

// The line's content ended where it had to go on.
static int refuse_short_line(
	struct parser *p, enum http1_reason control_reason, enum http1_reason reason)
{
	const int rc = end_line(p, control_reason);

	return rc < 0 ? rc : refuse(p, reason);
}

static uint32_t span(const struct parser *p, const struct http1_scan_class *class, uint32_t off)
{
	return http1_scan_span(class, p->data, off, p->end);
}

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

// RFC 9112 §2.2: one empty line before a request is ignored.
static int skip_empty_line(struct parser *p)
{
	if (p->len == 0)
		return -EAGAIN;
	if (p->data[0] == '\n')
		return refuse(p, HTTP1_BARE_LF);
	if (p->data[0] != '\r')
		return 0;
	if (p->len == 1)
		return -EAGAIN;
	if (p->data[1] != '\n')
		return refuse(p, HTTP1_BARE_CR);
	p->head->start = p->pos = p->next_block = 2;
	return 0;
}

static int refuse_version(struct parser *p, uint32_t off)
{
	static const char name[] = "HTTP/";
	const uint8_t *version = p->data + off;
	const uint32_t len = p->line_end - off, name_len = sizeof(name) - 1;

	if (memcmp(version, name, len < name_len ? len : name_len) != 0)
		return refuse(p, HTTP1_BAD_VERSION);
	if (len > name_len && version[name_len] != '1')
		return refuse(
			p, is_digit(version[name_len]) ? HTTP1_OTHER_VERSION : HTTP1_BAD_VERSION);
	if (len >= VERSION_LEN || (len > name_len + 1 && version[name_len + 1] != '.'))
		return refuse(p, HTTP1_BAD_VERSION);
	return refuse_short_line(p, HTTP1_BAD_VERSION, HTTP1_BAD_VERSION);
}

static int parse_version(struct parser *p, uint32_t off)
{
	const uint8_t *version = p->data + off;

	if (p->line_end - off < VERSION_LEN || memcmp(version, "HTTP/1.", VERSION_LEN - 1) != 0 ||
		(version[VERSION_LEN - 1] | 1) != '1')
		return refuse_version(p, off);
	p->head->minor = version[VERSION_LEN - 1] - '0';
	return 0;
}

static enum http1_method find_method(const uint8_t *text, uint32_t len)
{
	static const char names[][8] = {[HTTP1_GET] = "GET",
		[HTTP1_HEAD] = "HEAD",
		[HTTP1_POST] = "POST",
		[HTTP1_PUT] = "PUT",
		[HTTP1_DELETE] = "DELETE",
		[HTTP1_CONNECT] = "CONNECT",
		[HTTP1_OPTIONS] = "OPTIONS",
		[HTTP1_TRACE] = "TRACE",
		[HTTP1_PATCH] = "PATCH"};
	char name[sizeof(names[0])] = "";

	if (len >= sizeof(name))
		return HTTP1_OTHER;
	memcpy(name, text, len);
	for (unsigned int i = HTTP1_GET; i <= HTTP1_PATCH; i++)
		if (memcmp(name, names[i], sizeof(name)) == 0)
			return i;
	return HTTP1_OTHER;
}

static int parse_request_line(struct parser *p)
{
	struct http1_head *head = p->head;
	const uint32_t method_end = span(p, &HTTP1_SCAN_TOKEN, p->pos);
	uint32_t target_end;
	int rc;

	if (method_end == p->line_end)
		return refuse_short_line(p, HTTP1_BAD_METHOD, HTTP1_BAD_METHOD);
	if (method_end == p->pos || p->data[method_end] != ' ')
		return refuse(p, HTTP1_BAD_METHOD);
	target_end = span(p, &HTTP1_SCAN_TARGET, method_end + 1);
	if (target_end == p->line_end)
		return refuse_short_line(p, HTTP1_BAD_TARGET, HTTP1_BAD_VERSION);
	if (target_end == method_end + 1 || p->data[target_end] != ' ')
		return refuse(p, HTTP1_BAD_TARGET);
	rc = parse_version(p, target_end + 1);
	if (rc < 0)
		return rc;
	if (p->line_end != target_end + 1 + VERSION_LEN)
		return refuse(p, HTTP1_BAD_VERSION);
	head->method_text = (struct http1_text){.off = p->pos, .len = method_end - p->pos};
	head->method = find_method(p->data + p->pos, method_end - p->pos);
	head->target =
		(struct http1_text){.off = method_end + 1, .len = target_end - method_end - 1};
	rc = end_line(p, HTTP1_BAD_VERSION);
	if (rc < 0)
		return rc;
	return accept_unless(p, http1_target_parse(p->data, head));
}

// RFC 9112 §4. Statuses above 599 are nobody's (RFC 9110 §15).
static int parse_status_line(struct parser *p)
{
	const uint32_t off = p->pos + VERSION_LEN + 1, end = off + STATUS_LEN;
	uint16_t status = 0;
	int rc = parse_version(p, p->pos);

	if (rc < 0)
		return rc;
	if (p->line_end < off)
		return refuse_short_line(p, HTTP1_BAD_VERSION, HTTP1_BAD_STATUS);
	if (p->data[off - 1] != ' ')
		return refuse(p, HTTP1_BAD_VERSION);
	for (uint32_t i = off; i < end && i < p->line_end; i++) {
		if (!is_digit(p->data[i]))
			return refuse(p, HTTP1_BAD_STATUS);
		status = status * 10 + p->data[i] - '0';
	}
	if (p->line_end < end)
		return refuse_short_line(p, HTTP1_BAD_STATUS, HTTP1_BAD_STATUS);
	if (status < 100 || status > 599 || (p->line_end > end && p->data[end] != ' '))
		return refuse(p, HTTP1_BAD_STATUS);
	p->head->status = status;
	return end_line(p, HTTP1_BAD_STATUS);
}

static int refuse_name(struct parser *p, uint32_t off)
{
	if (p->data[off] != ' ' && p->data[off] != '\t')
		return refuse(p, HTTP1_BAD_FIELD_NAME);
	return refuse(p, off == p->pos ? HTTP1_OBS_FOLD : HTTP1_SPACE_BEFORE_COLON);
}

static struct http1_text trim(const uint8_t *data, uint32_t off, uint32_t end)
{
	while (off < end && (data[off] == ' ' || data[off] == '\t'))
		off++;
	while (end > off && (data[end - 1] == ' ' || data[end - 1] == '\t'))
		end--;
	return (struct http1_text){.off = off, .len = end - off};
}

static int add_field(struct parser *p, struct http1_text name, struct http1_text value)
{
	struct http1_head *head = p->head;
	const enum http1_field_kind kind = http1_fields_kind(p->data + name.off, name.len);

	if (head->n_fields == HTTP1_MAX_FIELDS)
		return refuse_size(p, HTTP1_TOO_MANY_FIELDS);
	head->kinds[head->n_fields] = (uint8_t)kind;
	head->fields[head->n_fields++] = (struct http1_field){.name = name, .value = value};
	if (kind == HTTP1_FIELD_OTHER)
		return 0;
	return accept_unless(p, http1_fields_note(&p->fields, p->data, kind, value, head));
}

static int parse_field(struct parser *p)
{
	const uint32_t off = p->pos;
	const uint32_t name_end = span(p, &HTTP1_SCAN_TOKEN, off);
	int rc;

	if (name_end == p->line_end)
		return refuse_short_line(p, HTTP1_BAD_FIELD_NAME, HTTP1_BAD_FIELD_NAME);
	if (name_end == off || p->data[name_end] != ':')
		return refuse_name(p, name_end);
	rc = end_line(p, HTTP1_BAD_FIELD_VALUE);
	if (rc < 0)
		return rc;
	return add_field(p, (struct http1_text){.off = off, .len = name_end - off},
		trim(p->data, name_end + 1, p->line_end));
}

static int parse_fields(struct parser *p)
{
	int rc;

	do {
		find_line_end(p);
		if (p->line_end == p->pos) {
			rc = end_line(p, HTTP1_BAD_FIELD_NAME);
			p->head->len = p->pos;
			return rc;
		}
		rc = parse_field(p);
	} while (rc == 0);
	return rc;
}

// All but the last line was found to be in order, all but the last seen bytes of that one, too.
static bool is_still_open(const uint8_t *data, uint32_t len, uint32_t seen,
	const struct http1_limits *limits, struct http1_head *head)
{
	const uint32_t start = seen > 0 && data[0] == '\r' ? 2 : 0;
	const uint8_t *first, *last;
	struct parser p;

	if (seen <= start)
		return false;
	first = memchr(data + start, '\n', seen - start);
	if (first == NULL)
		return false;
	last = memrchr(first, '\n', (size_t)(data + seen - first));
	begin(&p, data, len, (uint32_t)(last + 1 - data), head);
	head->minor = 1;
	begin_section(
		&p, (uint32_t)(first + 1 - data), limits->fields_bytes, HTTP1_FIELDS_TOO_LARGE);
	return parse_fields(&p) == -EAGAIN;
}

static int parse(struct parser *p, const struct http1_limits *limits,
	int (*parse_start_line)(struct parser *p))
{
	int rc;

	begin_section(p, p->pos, limits->request_line_bytes, HTTP1_LINE_TOO_LONG);
	find_line_end(p);
	rc = parse_start_line(p);
	if (rc < 0)
		return rc;
	begin_section(p, p->pos, limits->fields_bytes, HTTP1_FIELDS_TOO_LARGE);
	return parse_fields(p);
}

int http1_request_parse(const uint8_t *data, uint32_t len, uint32_t seen,
	const struct http1_limits *limits, struct http1_head *head, enum http1_reason *reason)
{
	struct parser p;
	int rc;

	if (seen > 0 && is_still_open(data, len, seen, limits, head))
		return -EAGAIN;
	begin(&p, data, len, 0, head);
	rc = skip_empty_line(&p);
	if (rc == 0)
		rc = parse(&p, limits, parse_request_line);
	if (rc == 0)
		rc = accept_unless(&p, http1_fields_finish_request(&p.fields, head));
	*reason = p.reason;
	return rc < 0 ? rc : (int)head->len;
}

int http1_response_parse(const uint8_t *data, uint32_t len, uint32_t seen,
	enum http1_method request_method, const struct http1_limits *limits,
	struct http1_head *head, enum http1_reason *reason)
{
	struct parser p;
	int rc;

	if (seen > 0 && is_still_open(data, len, seen, limits, head))
		return -EAGAIN;
	begin(&p, data, len, 0, head);
	p.fields.is_response = true;
	rc = parse(&p, limits, parse_status_line);
	if (rc == 0)
		rc = accept_unless(
			&p, http1_fields_finish_response(&p.fields, request_method, head));
	*reason = p.reason;
	return rc < 0 ? rc : (int)head->len;
}
