// SPDX-License-Identifier: Apache-2.0

// The support table: its order, that the proto files name nothing that it does not know, the page made of it, and
// the walk over bytes.

#include "ctrl/xds/support.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <protobuf-c/protobuf-c.h>

#include "ctrl/xds/proto/cluster.pb-c.h"
#include "ctrl/xds/proto/endpoint.pb-c.h"
#include "ctrl/xds/proto/extensions.pb-c.h"
#include "ctrl/xds/proto/listener.pb-c.h"
#include "ctrl/xds/proto/route.pb-c.h"
#include "ctrl/xds/proto/secret.pb-c.h"

static const struct {
	const struct support_message *support;
	const ProtobufCMessageDescriptor *descriptor;
} tops[] = {
	{&support_listener, &xds__listener__descriptor},
	{&support_http_manager, &xds__http_connection_manager__descriptor},
	{&support_router, &xds__router__descriptor},
	{&support_tcp_proxy, &xds__tcp_proxy__descriptor},
	{&support_routes, &xds__route_configuration__descriptor},
	{&support_filter_config, &xds__filter_config__descriptor},
	{&support_cluster, &xds__cluster__descriptor},
	{&support_http_options, &xds__upstream_http_options__descriptor},
	{&support_round_robin, &xds__round_robin__descriptor},
	{&support_least_request, &xds__least_request__descriptor},
	{&support_random, &xds__random__descriptor},
	{&support_wrr_locality, &xds__wrr_locality__descriptor},
	{&support_assignment, &xds__cluster_load_assignment__descriptor},
	{&support_secret, &xds__secret__descriptor},
};

static const struct support_field *find(const struct support_message *message, uint32_t number)
{
	for (uint32_t i = 0; i < message->n_fields; i++)
		if (message->fields[i].number == number)
			return &message->fields[i];
	return NULL;
}

static void check_message(
	const struct support_message *message, const ProtobufCMessageDescriptor *descriptor)
{
	for (uint32_t i = 1; i < message->n_fields; i++)
		assert_true(message->fields[i - 1].number < message->fields[i].number);
	for (unsigned int i = 0; i < descriptor->n_fields; i++) {
		const ProtobufCFieldDescriptor *proto = &descriptor->fields[i];
		const struct support_field *field = find(message, proto->id);
		char name[64];

		if (field == NULL && message == &support_metadata)
			continue;
		if (field == NULL)
			fail_msg("%s.%s is not in the table", message->name, proto->name);
		snprintf(name, sizeof(name), "%s%s", proto->name,
			proto->label == PROTOBUF_C_LABEL_REPEATED ? "[]" : "");
		assert_string_equal(field->name, name);
		if (field->how != SUPPORT_HONOURED) {
			assert_null(field->message);
			continue;
		}
		// A message must say what is in it, or that nobody looks.
		assert_int_equal(
			field->message != NULL, proto->type == PROTOBUF_C_TYPE_MESSAGE ||
							proto->type == PROTOBUF_C_TYPE_BYTES);
		if (field->message != NULL && field->message != &support_opaque &&
			strncmp(field->message->name, "google.protobuf.", 16) != 0)
			check_message(field->message, proto->descriptor);
	}
}

static void xds_support_table_has_what_the_proto_files_have(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(tops) / sizeof(tops[0]); i++)
		check_message(tops[i].support, tops[i].descriptor);
}

static void xds_support_page_is_that_of_the_table(void **state)
{
	char *page = support_page(), *kept;
	FILE *file = fopen("docs/xds-support.md", "r");
	size_t len;

	(void)state;
	assert_non_null(page);
	assert_non_null(file);
	len = strlen(page);
	kept = calloc(1, len + 2);
	assert_non_null(kept);
	assert_int_equal(fread(kept, 1, len + 1, file), len);
	fclose(file);
	// Write it again with: pergola --xds-support > docs/xds-support.md
	assert_string_equal(kept, page);
	free(kept);
	free(page);
}

struct log {
	struct support_walk walk;
	char text[1024];
};

static int on_found(
	struct support_walk *walk, const struct support_field *field, const struct support_at *at)
{
	struct log *log = (struct log *)walk;
	char item[SUPPORT_PATH_BYTES], plain[SUPPORT_PATH_BYTES];

	support_at_item(at, item);
	support_at_field(at, plain);
	snprintf(log->text + strlen(log->text), sizeof(log->text) - strlen(log->text), "%s%s (%s);",
		field->how == SUPPORT_REFUSED ? "!" : "", item, plain);
	return 0;
}

static int on_garbled(struct support_walk *walk, const struct support_at *at)
{
	struct log *log = (struct log *)walk;
	char item[SUPPORT_PATH_BYTES];

	support_at_item(at, item);
	snprintf(
		log->text + strlen(log->text), sizeof(log->text) - strlen(log->text), "?%s;", item);
	return 0;
}

static int walk(struct log *log, const char *bytes, size_t n_bytes)
{
	*log = (struct log){.walk = {.found = on_found, .garbled = on_garbled}};
	return support_walk(&log->walk, &support_routes, (const uint8_t *)bytes, n_bytes);
}

// Bytes of a field of text or a message; the number is below 16.
#define LEN(number, len) (char)((number) << 3 | 2), (char)(len)

static void xds_support_walk_tells_where_fields_stand(void **state)
{
	// Two hosts; the second has a retry policy (16), a route with a redirect (3), and requires TLS (4).
	static const char bytes[] = {LEN(1, 1), 'm', LEN(2, 0), LEN(2, 9), (char)0x82, 1, 0,
		LEN(3, 2), LEN(3, 0), 4 << 3, 1, LEN(10, 0), 15 << 3, 0, (char)0x80, 0x7d, 5};
	struct log log;

	(void)state;
	assert_int_equal(walk(&log, bytes, sizeof(bytes)), 0);
	assert_string_equal(log.text,
		"virtual_hosts[1].retry_policy (virtual_hosts.retry_policy);"
		"!virtual_hosts[1].routes[0].redirect (virtual_hosts.routes.redirect);"
		"!virtual_hosts[1].require_tls (virtual_hosts.require_tls);"
		"most_specific_header_mutations_wins (most_specific_header_mutations_wins);");
	assert_int_equal(log.walk.n_fields, 10);
}

// Zero is what a field is that is not sent.
static void xds_support_walk_leaves_zeros_alone(void **state)
{
	static const char bytes[] = {10 << 3, 0, 15 << 3, 0};
	struct log log;

	(void)state;
	assert_int_equal(walk(&log, bytes, sizeof(bytes)), 0);
	assert_string_equal(log.text, "");
}

static void xds_support_walk_tells_text_from_garbage(void **state)
{
	static const struct {
		const char *text;
		bool is_text;
	} cases[] = {{"a", true}, {"\xc3\xa4", true}, {"\xe2\x82\xac", true},
		{"\xf0\x9f\x98\x80", true}, {"\xf4\x8f\xbf\xbf", true}, {"\xc3", false},
		{"\x80", false}, {"\xc0\x80", false}, {"\xc1\xbf", false}, {"\xe0\x80\x80", false},
		{"\xed\xa0\x80", false}, {"\xf0\x80\x80\x80", false}, {"\xf4\x90\x80\x80", false},
		{"\xf5\x80\x80\x80", false}, {"\xe2\x82g", false}, {"\xc3\xc3", false}};
	struct log log;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char bytes[16] = {LEN(1, strlen(cases[i].text))};

		strcpy(bytes + 2, cases[i].text);
		assert_int_equal(walk(&log, bytes, 2 + strlen(cases[i].text)), 0);
		assert_string_equal(log.text, cases[i].is_text ? "" : "?name;");
	}
	assert_int_equal(walk(&log, (const char[]){LEN(1, 1), 0}, 3), 0);
	assert_string_equal(log.text, "?name;");
}

static void xds_support_walk_refuses_what_is_cut_off(void **state)
{
	static const char bytes[] = {LEN(1, 1), 'm', LEN(2, 4), LEN(1, 2), 'a', 'b', 14 << 3, 1,
		(char)(5 << 3 | 1), 1, 2, 3, 4, 5, 6, 7, 8, (char)(5 << 3 | 5), 1, 2, 3, 4};
	static const size_t whole[] = {0, 3, 9, 11, 20, 25};
	struct log log;
	size_t next = 0;

	(void)state;
	for (size_t n = 0; n <= sizeof(bytes); n++) {
		bool is_whole = next < sizeof(whole) / sizeof(whole[0]) && whole[next] == n;

		assert_int_equal(walk(&log, bytes, n), is_whole ? 0 : -EBADMSG);
		next += is_whole;
	}
	assert_int_equal(next, sizeof(whole) / sizeof(whole[0]));
	// No field has number 0, no number more than ten bytes, and groups are not read.
	assert_int_equal(walk(&log, "\x02\0", 2), -EBADMSG);
	assert_int_equal(
		walk(&log, "\x70\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 12), -EBADMSG);
	assert_int_equal(walk(&log, "\x0b\x0c", 2), -EBADMSG);
}

static void xds_support_walk_has_an_end(void **state)
{
	const size_t n_bytes = 2 * (SUPPORT_MAX_FIELDS + 1);
	char *bytes = malloc(n_bytes);
	struct log log;

	(void)state;
	assert_non_null(bytes);
	for (size_t i = 0; i < n_bytes; i += 2)
		memcpy(bytes + i, (const char[]){LEN(2, 0)}, 2);
	assert_int_equal(walk(&log, bytes, n_bytes - 2), 0);
	assert_int_equal(walk(&log, bytes, n_bytes), -E2BIG);
	free(bytes);
}

static void xds_support_text_of_a_field_is_found(void **state)
{
	static const uint8_t bytes[] = {0x0a, 1, 'a', 0x12, 1, 'b', 0x0a, 2, 'c', 'd', 0xff};
	const uint8_t *text;
	size_t len;

	(void)state;
	assert_true(support_find_text(bytes, sizeof(bytes), 1, &text, &len));
	assert_int_equal(len, 2);
	assert_memory_equal(text, "cd", 2);
	assert_true(support_find_text(bytes, 6, 1, &text, &len));
	assert_int_equal(len, 1);
	assert_false(support_find_text(bytes, sizeof(bytes), 3, &text, &len));
	assert_false(support_find_text((const uint8_t *)"\x0a\x01\0", 3, 1, &text, &len));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(xds_support_table_has_what_the_proto_files_have),
		cmocka_unit_test(xds_support_page_is_that_of_the_table),
		cmocka_unit_test(xds_support_walk_tells_where_fields_stand),
		cmocka_unit_test(xds_support_walk_leaves_zeros_alone),
		cmocka_unit_test(xds_support_walk_tells_text_from_garbage),
		cmocka_unit_test(xds_support_walk_refuses_what_is_cut_off),
		cmocka_unit_test(xds_support_walk_has_an_end),
		cmocka_unit_test(xds_support_text_of_a_field_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
