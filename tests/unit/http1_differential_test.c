// SPDX-License-Identifier: Apache-2.0

// The node's codec against libhttp-parser, on random messages made of sound and unsound pieces. What the
// node accepts the other must accept and read alike: method, target, fields, framing, persistence, body.
// What only the other accepts must be refused for a reason at which it is known to be lenient.

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <http_parser.h>

#include <cmocka.h>

#include "l7/http1_chunk.h"
#include "tests/unit/http1_feed.h"

enum {
	N_MESSAGES = 50000, // of each kind
	MAX_MESSAGE = 2048,
	MAX_FIELDS = 5,
	MAX_CHUNKS = 4,
	BAD_ODDS = 12,	   // one piece in so many is unsound
	MUTATION_ODDS = 8, // one message in so many has a byte changed, added or taken out
};

struct leniency {
	enum http1_reason reason;
	const char *why; // libhttp-parser accepts it
};

static const struct leniency LENIENT[] = {
	{HTTP1_BARE_LF, "any line may end in LF"},
	{HTTP1_BARE_CR, "in front of a message"},
	{HTTP1_BAD_TARGET, "several spaces, fragments, any form with any method"},
	{HTTP1_BAD_VERSION, "any minor version"},
	{HTTP1_OTHER_VERSION, "any version"},
	{HTTP1_BAD_STATUS, "any number, any phrase"},
	{HTTP1_SPACE_BEFORE_COLON, "spaces"},
	{HTTP1_OBS_FOLD, "unfolded"},
	{HTTP1_BAD_FIELD_VALUE, "most values are passed over unread"},
	{HTTP1_LOOK_ALIKE, "no rule"},
	{HTTP1_NO_HOST, "no rule"},
	{HTTP1_REPEATED_HOST, "no rule"},
	{HTTP1_BAD_HOST, "no rule"},
	{HTTP1_BAD_CONNECTION, "no rule"},
	{HTTP1_CONNECTION_OPTION, "no rule"},
	{HTTP1_OLD_TRANSFER_ENCODING, "no rule"},
	{HTTP1_BAD_CONTENT_LENGTH, "above INT64_MAX"},
	{HTTP1_BAD_TRANSFER_ENCODING, "other codings, chunked last"},
	{HTTP1_BODY_FORBIDDEN, "ignored"},
};

struct message {
	char text[MAX_MESSAGE];
	uint32_t len;
};

// What libhttp-parser made of a message.
struct reading {
	http_parser parser;
	struct message target;
	struct message fields; // "\nname:value" each
	struct message body;
	bool head_complete;
	bool complete;
	size_t n_read;
};

static void add(struct message *message, const char *bytes, size_t len)
{
	assert_true(len < sizeof(message->text) - message->len);
	memcpy(message->text + message->len, bytes, len);
	message->len += (uint32_t)len;
	message->text[message->len] = 0;
}

static void add_one_of(struct message *message, const char *const *pieces, size_t n)
{
	const char *piece = pieces[(size_t)random() % n];

	add(message, piece, strlen(piece));
}

#define N_OF(array) (sizeof(array) / sizeof((array)[0]))

#define ADD_ONE_OF(message, good, bad)                                                             \
	(random() % BAD_ODDS != 0 ? add_one_of(message, good, N_OF(good))                          \
				  : add_one_of(message, bad, N_OF(bad)))

// Left out: commas and tabs, for which libhttp-parser misses options of Connection; letters and digits,
// since "transfer-encodings" is Transfer-Encoding to it.
static void mutate(struct message *message)
{
	static const char bytes[] = "\r\n :;@_-/?#%\"\x01\x7f\x80";
	const uint32_t at = (uint32_t)random() % message->len;
	const char byte = bytes[(size_t)random() % (sizeof(bytes) - 1)];

	if (random() % MUTATION_ODDS != 0)
		return;
	switch (random() % 3) {
	case 0:
		message->text[at] = byte;
		break;
	case 1:
		memmove(message->text + at + 1, message->text + at, message->len - at);
		message->text[at] = byte;
		message->len++;
		break;
	default:
		message->len--;
		memmove(message->text + at, message->text + at + 1, message->len - at);
	}
	message->text[message->len] = 0;
}

static void add_fields(struct message *message)
{
	static const char *const good[] = {"Content-Length: 5", "content-length:005 ",
		"Content-Length: 0", "Transfer-Encoding: chunked", "transfer-encoding:CHUNKED ",
		"Connection: close", "Connection: keep-alive, upgrade", "connection: Keep-Alive ,",
		"Connection:TE,Upgrade", "Upgrade: websocket", "Expect: 100-continue",
		"TE: trailers", "X-Forwarded-For: 192.0.2.1", "X-Empty:", "X-Blank: \t ",
		"X-Text: \xc3\xa9 a:b\t;c ", "!#$%&'*+-.^_`|~: 1", "Accept: text/html,*/*;q=0.8"};
	static const char *const bad[] = {"Host: u@a", "Host: h", "Host: a b", "Content-Length: +5",
		"Content-Length: 5, 5", "Content-Length: 18446744073709551621",
		"Content-Length: 9300000000000000000", "Content-Length:", "Content-Length: 5\t",
		"Transfer-Encoding: gzip, chunked", "Transfer-Encoding: chunked\t",
		"Transfer-Encoding: identity", "Transfer_Encoding: chunked",
		"Transfer-Encoding : chunked", "Connection: host", "Connection: a b", "X", ": 1",
		" folded", "\tfolded", "X\"Y: 1", "X: a\x01"};
	static const char *const good_end[] = {"\r\n"};
	static const char *const bad_end[] = {"\n", "\r", "\r\r\n"};
	const long n = random() % MAX_FIELDS;

	if (random() % BAD_ODDS != 0)
		add(message, "Host: h\r\n", 9);
	for (long i = 0; i < n; i++) {
		ADD_ONE_OF(message, good, bad);
		ADD_ONE_OF(message, good_end, bad_end);
	}
	add(message, "\r\n", 2);
	mutate(message);
}

static void make_request(struct message *message)
{
	static const char *const good[] = {"GET /", "\r\nGET /a?b=c", "HEAD /%20/", "POST /\"<>",
		"PUT /", "DELETE http://b:81/a?b", "PATCH https://b", "TRACE /", "OPTIONS *",
		"OPTIONS /", "CONNECT b.example:443", "CONNECT [::1]:443", "BREW /", "get /"};
	static const char *const bad[] = {"\rGET /", "\nGET /", "G@T /", " GET /", "GET  /",
		"GET\t/", "GET", "GET *", "GET http://u@b/", "GET ftp://b/", "GET b:443",
		"CONNECT b", "CONNECT /", "GET a", "GET /a#b", "GET /\xc3\xa9", "GET /\x01",
		"GET /\t"};
	static const char *const good_end[] = {" HTTP/1.1\r\n", " HTTP/1.1\r\n", " HTTP/1.0\r\n"};
	static const char *const bad_end[] = {"\r\n", " HTTP/1.1\n", " HTTP/1.1 \r\n",
		" HTTP/1.2\r\n", " HTTP/2.0\r\n", " http/1.1\r\n"};

	message->len = 0;
	ADD_ONE_OF(message, good, bad);
	ADD_ONE_OF(message, good_end, bad_end);
	add_fields(message);
}

static void make_response(struct message *message)
{
	static const char *const good[] = {"HTTP/1.1 200 OK\r\n", "HTTP/1.1 200\r\n",
		"HTTP/1.1 404 \r\n", "HTTP/1.1 304 Not Modified\r\n", "HTTP/1.1 204 No Content\r\n",
		"HTTP/1.1 100 Continue\r\n", "HTTP/1.1 101 Switching\r\n", "HTTP/1.0 200 OK\r\n"};
	static const char *const bad[] = {"HTTP/1.1 700 A\r\n", "HTTP/1.1 20\r\n",
		"HTTP/1.1  200 OK\r\n", "HTTP/2.0 200 OK\r\n", "HTTP/1.1 200 A\x01\r\n",
		"HTTP/1.1 200 OK\n", "HTTP/1.1 2000 OK\r\n", "ICY 200 OK\r\n"};

	message->len = 0;
	ADD_ONE_OF(message, good, bad);
	add_fields(message);
}

static void add_chunks(struct message *message)
{
	static const char *const good[] = {"5\r\nhello\r\n", "00a\r\n\r\n0\r\n\r\n789\r\n",
		"1;a=\"b\"\r\nx\r\n", "2; a ;b\r\nxy\r\n"};
	static const char *const bad[] = {"5\nhello\r\n", "5\r\nhello\n", "5\r\nhello!\r\n",
		"+1\r\nx\r\n", "0x1\r\nx\r\n", "1 \r\nx\r\n", "1;\x01\r\nx\r\n", "\r\n",
		"ffffffffffffffff1\r\n", "1;a\nx\r\n"};
	static const char *const good_end[] = {"0\r\n\r\n", "000;a\r\nA: b\r\nC:\r\n\r\n"};
	static const char *const bad_end[] = {"0\n\n", "0\r\nA : b\r\n\r\n", "0\r\nHost: a\r\n\r\n",
		"0\r\n a\r\n\r\n", "0\r\nA\r\n\r\n"};

	for (long i = random() % MAX_CHUNKS; i > 0; i--)
		ADD_ONE_OF(message, good, bad);
	ADD_ONE_OF(message, good_end, bad_end);
	mutate(message);
}

static int on_target(http_parser *parser, const char *at, size_t len)
{
	struct reading *reading = parser->data;

	add(&reading->target, at, len);
	return 0;
}

static int on_name(http_parser *parser, const char *at, size_t len)
{
	struct reading *reading = parser->data;

	add(&reading->fields, "\n", 1);
	add(&reading->fields, at, len);
	return 0;
}

static int on_value(http_parser *parser, const char *at, size_t len)
{
	struct reading *reading = parser->data;

	while (len > 0 && (at[len - 1] == ' ' || at[len - 1] == '\t'))
		len--;
	add(&reading->fields, ":", 1);
	add(&reading->fields, at, len);
	return 0;
}

static int on_head(http_parser *parser)
{
	struct reading *reading = parser->data;

	reading->head_complete = true;
	return 0;
}

static int on_body(http_parser *parser, const char *at, size_t len)
{
	struct reading *reading = parser->data;

	add(&reading->body, at, len);
	return 0;
}

static int on_end(http_parser *parser)
{
	struct reading *reading = parser->data;

	reading->complete = true;
	http_parser_pause(parser, 1);
	return 0;
}

static void read_other(enum http_parser_type type, const struct message *message, uint32_t len,
	struct reading *reading)
{
	static const http_parser_settings settings = {.on_url = on_target,
		.on_header_field = on_name,
		.on_header_value = on_value,
		.on_headers_complete = on_head,
		.on_body = on_body,
		.on_message_complete = on_end};

	memset(reading, 0, sizeof(*reading));
	http_parser_init(&reading->parser, type);
	reading->parser.data = reading;
	reading->n_read = http_parser_execute(&reading->parser, &settings, message->text, len);
}

static bool is_accepted(const struct reading *reading)
{
	const enum http_errno error = HTTP_PARSER_ERRNO(&reading->parser);

	return reading->head_complete && (error == HPE_OK || error == HPE_PAUSED);
}

static void read_ours(
	const struct message *message, bool is_response, struct http1_outcome *outcome)
{
	const struct http1_feed feed = {.text = message->text,
		.len = message->len,
		.limits = HTTP1_FEED_LIMITS,
		.is_response = is_response,
		.request_method = HTTP1_GET};

	http1_feed_once(&feed, (const uint8_t *)message->text, message->len, 0, outcome);
}

static void expect_same_fields(
	const struct message *message, const struct http1_head *head, const struct reading *other)
{
	struct message fields = {.len = 0};

	for (uint32_t i = 0; i < head->n_fields; i++) {
		const struct http1_field *field = &head->fields[i];

		add(&fields, "\n", 1);
		add(&fields, message->text + field->name.off, field->name.len);
		add(&fields, ":", 1);
		add(&fields, message->text + field->value.off, field->value.len);
	}
	assert_string_equal(fields.text, other->fields.text);
}

static void expect_same_framing(const struct http1_head *head, const http_parser *parser)
{
	const bool is_chunked = parser->flags & F_CHUNKED;
	const bool has_length = parser->content_length != UINT64_MAX;

	assert_int_equal(parser->http_major, 1);
	assert_int_equal(parser->http_minor, head->minor);
	if (head->status != 304) // its framing speaks of a body that is elsewhere
		assert_int_equal(is_chunked, head->body == HTTP1_BODY_CHUNKED);
	if (head->content_length > 0)
		assert_true(parser->content_length == head->content_length);
	if (head->body == HTTP1_BODY_UNTIL_CLOSE)
		assert_false(has_length);
	// In HTTP/1.0 it takes keep-alive over close; RFC 9112 §9.3 has it the other way round.
	if (head->minor > 0 || !(parser->flags & F_CONNECTION_CLOSE))
		assert_int_equal(http_should_keep_alive(parser) != 0, head->keep_alive);
}

static void expect_same_request(
	const struct message *message, const struct http1_head *head, const struct reading *other)
{
	const char *method = http_method_str(other->parser.method);

	assert_int_equal(strlen(method), head->method_text.len);
	assert_memory_equal(method, message->text + head->method_text.off, head->method_text.len);
	assert_int_equal(other->target.len, head->target.len);
	assert_memory_equal(other->target.text, message->text + head->target.off, head->target.len);
	// It misses options of Connection with a space behind them.
	if (head->minor > 0 && other->parser.upgrade)
		assert_true(head->upgrade || head->method == HTTP1_CONNECT);
	expect_same_fields(message, head, other);
	expect_same_framing(head, &other->parser);
}

static void expect_leniency(enum http1_reason reason, const struct message *message, bool *seen)
{
	for (size_t i = 0; i < N_OF(LENIENT); i++)
		if (LENIENT[i].reason == reason) {
			seen[reason] = true;
			return;
		}
	fail_msg("only libhttp-parser accepts (%s): %s", http1_reason_name(reason), message->text);
}

static bool seen_lenient[HTTP1_N_REASONS];

static void http1_differential_requests_are_read_alike(void **state)
{
	static struct reading other;
	struct http1_outcome ours;
	struct message message;
	uint32_t n_alike = 0;

	(void)state;
	for (int i = 0; i < N_MESSAGES; i++) {
		make_request(&message);
		read_ours(&message, false, &ours);
		read_other(HTTP_REQUEST, &message, ours.rc > 0 ? (uint32_t)ours.rc : message.len,
			&other);
		if (ours.rc > 0 && is_accepted(&other)) {
			expect_same_request(&message, &ours.head, &other);
			n_alike++;
		} else if (ours.rc > 0) {
			// It has a list of methods.
			assert_int_equal(ours.head.method, HTTP1_OTHER);
			assert_int_equal(HTTP_PARSER_ERRNO(&other.parser), HPE_INVALID_METHOD);
		} else if (ours.rc != -EAGAIN && is_accepted(&other)) {
			expect_leniency(ours.reason, &message, seen_lenient);
		}
	}
	assert_in_range(n_alike, N_MESSAGES / 5, N_MESSAGES);
}

static void http1_differential_responses_are_read_alike(void **state)
{
	static struct reading other;
	struct http1_outcome ours;
	struct message message;
	uint32_t n_alike = 0;

	(void)state;
	for (int i = 0; i < N_MESSAGES; i++) {
		make_response(&message);
		read_ours(&message, true, &ours);
		read_other(HTTP_RESPONSE, &message, ours.rc > 0 ? (uint32_t)ours.rc : message.len,
			&other);
		if (ours.rc > 0) {
			assert_true(is_accepted(&other));
			assert_int_equal(other.parser.status_code, ours.head.status);
			expect_same_fields(&message, &ours.head, &other);
			expect_same_framing(&ours.head, &other.parser);
			n_alike++;
		} else if (ours.rc != -EAGAIN && is_accepted(&other)) {
			expect_leniency(ours.reason, &message, seen_lenient);
		}
	}
	assert_in_range(n_alike, N_MESSAGES / 5, N_MESSAGES);
}

static void http1_differential_known_leniencies_are_all_seen(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_OF(LENIENT); i++)
		if (!seen_lenient[LENIENT[i].reason])
			fail_msg("never: %s (%s)", http1_reason_name(LENIENT[i].reason),
				LENIENT[i].why);
}

// The data of a chunked body. Returns where the body ends, or 0 when it does not.
static uint32_t read_chunks(const char *text, uint32_t len, struct message *data)
{
	struct http1_chunk chunk = {0};
	enum http1_chunk_part part = HTTP1_CHUNK_FRAMING;
	enum http1_reason reason;
	uint32_t off = 0;

	for (;;) {
		const int n = http1_chunk_feed(
			&chunk, (const uint8_t *)text + off, len - off, &part, &reason);

		if (n <= 0)
			return part == HTTP1_CHUNK_END ? off : 0;
		if (part == HTTP1_CHUNK_DATA)
			add(data, text + off, (size_t)n);
		off += (uint32_t)n;
	}
}

static void http1_differential_chunked_bodies_are_read_alike(void **state)
{
	static const char head[] = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
	const uint32_t head_len = sizeof(head) - 1;
	static struct reading other;
	uint32_t n_alike = 0;

	(void)state;
	for (int i = 0; i < N_MESSAGES; i++) {
		struct message body = {.len = 0}, message = {.len = 0}, data = {.len = 0};
		uint32_t end;

		add_chunks(&body);
		add(&message, head, head_len);
		add(&message, body.text, body.len);
		end = read_chunks(body.text, body.len, &data);
		if (end == 0)
			continue;
		read_other(HTTP_REQUEST, &message, message.len, &other);
		assert_true(other.complete);
		assert_int_equal(other.n_read, head_len + end);
		assert_string_equal(other.body.text, data.text);
		n_alike++;
	}
	assert_in_range(n_alike, N_MESSAGES / 5, N_MESSAGES);
}

static int seed(void **state)
{
	(void)state;
	srandom(1);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(http1_differential_requests_are_read_alike),
		cmocka_unit_test(http1_differential_responses_are_read_alike),
		cmocka_unit_test(http1_differential_known_leniencies_are_all_seen),
		cmocka_unit_test(http1_differential_chunked_bodies_are_read_alike),
	};

	return cmocka_run_group_tests(tests, seed, NULL);
}
