// SPDX-License-Identifier: Apache-2.0

// Look-ups and watches against a name server in the same loop.

#include "ctrl/xds/dns.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include <event2/dns.h>
#include <event2/dns_struct.h>
#include <event2/event.h>
#include <event2/util.h>

enum {
	WAIT_S = 20,
	MAX_A = 4,
};

struct fixture {
	struct event_base *base;
	struct evdns_server_port *port;
	struct dns *dns;
	char dir[32];
	char resolv_conf[64];
	char hosts[64];
	// What the name server says.
	uint32_t n_a;
	uint32_t a[MAX_A]; // last byte of 192.0.2.x
	bool has_aaaa;
	int error;
	int ttl_s;
	uint32_t n_questions;
	// What came of it.
	uint32_t n_answers;
	char answer[256];
	uint32_t ttl_ms;
	struct dns_watch *watch;
	bool stops; // the watch, from its own answer
};

#define WAIT_FOR(f, condition)                                                                     \
	do {                                                                                       \
		const time_t until = time(NULL) + WAIT_S;                                          \
		while (!(condition) && time(NULL) < until) {                                       \
			const struct timeval tick = {.tv_usec = 10000};                            \
			event_base_loopexit((f)->base, &tick);                                     \
			event_base_loop((f)->base, EVLOOP_ONCE);                                   \
		}                                                                                  \
		assert_true(condition);                                                            \
	} while (0)

static void serve_question(
	struct fixture *f, struct evdns_server_request *request, const char *name, int type)
{
	uint8_t a[MAX_A][4];
	const uint8_t aaaa[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 1};

	for (uint32_t i = 0; i < f->n_a; i++)
		memcpy(a[i], (uint8_t[]){192, 0, 2, (uint8_t)f->a[i]}, 4);
	f->n_questions++;
	if (type == EVDNS_TYPE_A && f->n_a > 0)
		evdns_server_request_add_a_reply(request, name, (int)f->n_a, a, f->ttl_s);
	if (type == EVDNS_TYPE_AAAA && f->has_aaaa)
		evdns_server_request_add_aaaa_reply(request, name, 1, aaaa, f->ttl_s + 7);
}

static void serve(struct evdns_server_request *request, void *ctx)
{
	struct fixture *f = ctx;

	for (int i = 0; i < request->nquestions; i++)
		serve_question(
			f, request, request->questions[i]->name, request->questions[i]->type);
	evdns_server_request_respond(request, f->error);
}

static void write_file(const char *path, const char *text)
{
	char next[80];
	FILE *file;

	snprintf(next, sizeof(next), "%s.new", path);
	file = fopen(next, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	assert_int_equal(rename(next, path), 0);
}

static struct fixture *create(void)
{
	struct sockaddr_in addr = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct fixture *f = calloc(1, sizeof(*f));
	const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	socklen_t len = sizeof(addr);
	char text[64];

	assert_non_null(f);
	strcpy(f->dir, "/tmp/xds-dns-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->resolv_conf, sizeof(f->resolv_conf), "%s/resolv.conf", f->dir);
	snprintf(f->hosts, sizeof(f->hosts), "%s/hosts", f->dir);
	f->base = event_base_new();
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	getsockname(fd, (struct sockaddr *)&addr, &len);
	f->port = evdns_add_server_port_with_base(f->base, fd, 0, serve, f);
	snprintf(text, sizeof(text), "nameserver 127.0.0.1:%u\n", ntohs(addr.sin_port));
	write_file(f->resolv_conf, text);
	write_file(f->hosts,
		"# names\n192.0.2.200 static.test other.test\n2001:db8::200 Static.test\n");
	f->dns = dns_create(f->base, f->resolv_conf, f->hosts);
	assert_non_null(f->dns);
	f->ttl_s = 60;
	return f;
}

static void destroy(struct fixture *f)
{
	dns_watch_stop(f->watch);
	for (int i = 0; i < 8; i++)
		event_base_loop(f->base, EVLOOP_NONBLOCK);
	dns_destroy(f->dns);
	evdns_close_server_port(f->port);
	event_base_free(f->base);
	unlink(f->resolv_conf);
	unlink(f->hosts);
	assert_int_equal(rmdir(f->dir), 0);
	free(f);
}

static void on_answer(void *ctx, const struct dns_answer *answer)
{
	struct fixture *f = ctx;
	char text[INET6_ADDRSTRLEN];
	size_t n = 0;

	f->n_answers++;
	f->ttl_ms = answer->ttl_ms;
	snprintf(f->answer, sizeof(f->answer), "%s", answer->why != NULL ? answer->why : "");
	for (uint32_t i = 0; i < answer->n_addresses; i++) {
		const struct l7_address *address = &answer->addresses[i];

		inet_ntop(
			address->family == 4 ? AF_INET : AF_INET6, address->b, text, sizeof(text));
		n += (size_t)snprintf(
			f->answer + n, sizeof(f->answer) - n, "%s%s", n > 0 ? " " : "", text);
	}
	if (f->stops) {
		dns_watch_stop(f->watch);
		f->watch = NULL;
	}
}

static void expect(struct fixture *f, const char *name, uint8_t family, const char *answer)
{
	const uint32_t n = f->n_answers;

	assert_non_null(dns_lookup_start(f->dns, name, family, on_answer, f));
	assert_int_equal(f->n_answers, n);
	WAIT_FOR(f, f->n_answers == n + 1);
	assert_string_equal(f->answer, answer);
}

static void dns_addresses_are_their_own_answer(void **state)
{
	struct fixture *f = create();

	(void)state;
	expect(f, "192.0.2.7", 0, "192.0.2.7");
	expect(f, "2001:db8::7", 6, "2001:db8::7");
	assert_int_equal(f->n_questions, 0);
	destroy(f);
}

static void dns_hosts_are_read_before_servers_are_asked(void **state)
{
	struct fixture *f = create();

	(void)state;
	expect(f, "static.test", 0, "192.0.2.200 2001:db8::200");
	expect(f, "STATIC.test", 4, "192.0.2.200");
	expect(f, "other.test", 0, "192.0.2.200");
	write_file(f->hosts, "192.0.2.201 static.test # moved\n");
	expect(f, "static.test", 0, "192.0.2.201");
	assert_int_equal(f->n_questions, 0);
	destroy(f);
}

static void dns_server_is_asked_answers_are_sorted(void **state)
{
	struct fixture *f = create();

	(void)state;
	f->n_a = 3;
	memcpy(f->a, (uint32_t[]){9, 3, 9}, sizeof(uint32_t[3]));
	f->has_aaaa = true;
	expect(f, "name.test", 0, "192.0.2.3 192.0.2.9 2001:db8::1");
	assert_int_equal(f->ttl_ms, 60000);
	assert_int_equal(f->n_questions, 2);
	expect(f, "name.test", 4, "192.0.2.3 192.0.2.9");
	expect(f, "name.test", 6, "2001:db8::1");
	assert_int_equal(f->ttl_ms, 67000);
	assert_int_equal(f->n_questions, 4);
	destroy(f);
}

static void dns_name_that_is_not_there_is_told(void **state)
{
	struct fixture *f = create();

	(void)state;
	f->error = 3;
	expect(f, "nobody.test", 0, "name does not exist");
	f->error = 0;
	expect(f, "nothing.test", 0, "no records in the reply");
	destroy(f);
}

static void dns_cancelled_lookup_is_silent(void **state)
{
	struct fixture *f = create();

	(void)state;
	f->n_a = 1;
	dns_lookup_cancel(dns_lookup_start(f->dns, "name.test", 0, on_answer, f));
	dns_lookup_cancel(dns_lookup_start(f->dns, "static.test", 0, on_answer, f));
	expect(f, "name.test", 4, "192.0.2.0");
	assert_int_equal(f->n_answers, 1);
	// One that is still under way when all ends.
	assert_non_null(dns_lookup_start(f->dns, "name.test", 0, on_answer, f));
	destroy(f);
}

static void dns_watch_tells_news_only(void **state)
{
	const struct dns_watch_spec spec = {.name = "name.test", .family = 4, .refresh_ms = 5};
	struct fixture *f = create();

	(void)state;
	f->n_a = 1;
	f->a[0] = 1;
	f->watch = dns_watch_start(f->dns, &spec, on_answer, f);
	WAIT_FOR(f, f->n_questions > 3);
	assert_int_equal(f->n_answers, 1);
	assert_string_equal(f->answer, "192.0.2.1");
	f->a[0] = 2;
	WAIT_FOR(f, f->n_answers == 2);
	assert_string_equal(f->answer, "192.0.2.2");
	// A server in trouble does not take addresses away.
	f->error = 2;
	f->n_questions = 0;
	WAIT_FOR(f, f->n_questions > 3);
	assert_int_equal(f->n_answers, 2);
	f->error = 0;
	f->a[0] = 3;
	WAIT_FOR(f, f->n_answers == 3);
	destroy(f);
}

static void dns_watch_tells_that_there_is_nothing_at_first(void **state)
{
	const struct dns_watch_spec spec = {.name = "name.test", .family = 4, .refresh_ms = 5};
	struct fixture *f = create();

	(void)state;
	f->error = 3;
	f->watch = dns_watch_start(f->dns, &spec, on_answer, f);
	WAIT_FOR(f, f->n_answers == 1);
	assert_string_equal(f->answer, "name does not exist");
	f->error = 0;
	f->n_a = 1;
	WAIT_FOR(f, f->n_answers == 2);
	assert_string_equal(f->answer, "192.0.2.0");
	destroy(f);
}

static void dns_watch_by_ttl_asks_when_it_has_run_out(void **state)
{
	const struct dns_watch_spec spec = {
		.name = "name.test", .family = 4, .refresh_ms = 3600000, .use_ttl = true};
	struct fixture *f = create();

	(void)state;
	f->n_a = 1;
	f->ttl_s = 1;
	f->watch = dns_watch_start(f->dns, &spec, on_answer, f);
	WAIT_FOR(f, f->n_questions == 2);
	destroy(f);
}

static void dns_watch_stopped_in_its_answer_is_gone(void **state)
{
	const struct dns_watch_spec spec = {.name = "static.test"};
	struct fixture *f = create();

	(void)state;
	f->stops = true;
	f->watch = dns_watch_start(f->dns, &spec, on_answer, f);
	WAIT_FOR(f, f->n_answers == 1);
	assert_null(f->watch);
	destroy(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dns_addresses_are_their_own_answer),
		cmocka_unit_test(dns_hosts_are_read_before_servers_are_asked),
		cmocka_unit_test(dns_server_is_asked_answers_are_sorted),
		cmocka_unit_test(dns_name_that_is_not_there_is_told),
		cmocka_unit_test(dns_cancelled_lookup_is_silent),
		cmocka_unit_test(dns_watch_tells_news_only),
		cmocka_unit_test(dns_watch_tells_that_there_is_nothing_at_first),
		cmocka_unit_test(dns_watch_by_ttl_asks_when_it_has_run_out),
		cmocka_unit_test(dns_watch_stopped_in_its_answer_is_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
