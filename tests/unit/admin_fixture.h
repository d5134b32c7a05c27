// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the tests of the admin server share: compiled tables, a worker that does not run, and requests over the
// socket. Client and server take turns in one thread.

#include "ctrl/admin/admin.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include <event2/event.h>
#include <jansson.h>

#include "conf/conf.h"
#include "ctrl/ctrl.h"
#include "ctrl/log.h"
#include "ctrl/publish.h"
#include "pipeline/l7_worker.h"
#include "pipeline/reclaim.h"

enum {
	N_COUNTERS = 100000,
	OUTPUT_BYTES = 32 << 20,
};

static const char fixture_config[] =
	"ports = ( { name = \"core0\"; device = \"net_null0\"; sr_trusted = true;\n"
	"  addresses = [ \"2001:db8:0:1::1/64\", \"10.0.0.1/24\" ]; } );\n"
	"vrfs = ( { name = \"default\"; routes = (\n"
	"  { prefix = \"::/0\"; via = \"2001:db8:0:1::fe\"; },\n"
	"  { prefix = \"2001:db8:a::/48\"; paths = ( { via = \"2001:db8:0:1::2\"; weight = 3; },\n"
	"      { via = \"2001:db8:0:1::3\"; weight = 1; } ); } ); },\n"
	"  { name = \"red\"; routes = ( { prefix = \"10.9.0.0/16\"; policy = \"p\"; } ); } );\n"
	"srv6 = { source = \"2001:db8:0:1::1\"; policies = ( { name = \"p\"; headend = "
	"\"H.Encaps.Red\";\n"
	"  segments = [ \"2001:db8:a::1\", \"2001:db8:a::2\", \"2001:db8:a::3\" ]; } );\n";

struct fixture {
	struct ctrl ctrl;
	struct worker worker;
	struct l7_worker l7;
	struct worker *workers[1];
	struct port_runtime port;
	void (*turn_fn)(struct fixture *f); // what the worker does while the loop turns
	char dir[64];
	char config_path[128];
	char socket_path[128];
	char *output;
	int status;
	unsigned int n_turns; // of the loop, in the last request
};

static inline void write_config(struct fixture *f, const char *text, unsigned int n_sids)
{
	FILE *file = fopen(f->config_path, "w");

	assert_non_null(file);
	fprintf(file,
		"%s  sids = ( { sid = \"2001:db8:f::1\"; behavior = \"End\"; flavors = [ \"PSP\" "
		"]; }",
		text);
	for (unsigned int i = 0; i < n_sids; i++)
		fprintf(file,
			",\n { sid = \"2001:db8:f:1::%x:%x\"; behavior = \"End.DT46\"; vrf = "
			"\"red\"; }",
			i >> 16, i & 0xffff);
	fprintf(file, " );\n};\n");
	fclose(file);
}

static inline int start(struct fixture *f)
{
	struct refusal refusal = {0};

	if (conf_load_file(f->config_path, &f->ctrl.spec, &refusal) == 0)
		f->ctrl.publish = publish_create(&f->ctrl, &refusal);
	if (f->ctrl.publish != NULL)
		f->ctrl.admin = admin_create(&f->ctrl, f->socket_path, &refusal);
	if (f->ctrl.admin == NULL)
		print_error("%s\n", refusal.text);
	return f->ctrl.admin == NULL ? -1 : 0;
}

static inline int set_up_config(void **state, const char *config, unsigned int n_sids)
{
	struct fixture *f = calloc(1, sizeof(*f));

	*state = f;
	log_set_level(LOG_LEVEL_ERROR);
	strcpy(f->dir, "/tmp/admin_test.XXXXXX");
	if (mkdtemp(f->dir) == NULL)
		return -1;
	snprintf(f->config_path, sizeof(f->config_path), "%s/node.cfg", f->dir);
	snprintf(f->socket_path, sizeof(f->socket_path), "%s/run/control.sock", f->dir);
	f->output = malloc(OUTPUT_BYTES);
	f->worker.sid_counters = calloc(N_COUNTERS, sizeof(struct counter));
	f->worker.policy_counters = calloc(N_COUNTERS, sizeof(struct counter));
	f->l7.stats = l7_stats_create();
	f->worker.l7 = &f->l7;
	f->workers[0] = &f->worker;
	strcpy(f->port.name, "core0");
	f->port.mtu = 1500;
	f->ctrl.workers = f->workers;
	f->ctrl.n_workers = 1;
	f->ctrl.ports = &f->port;
	f->ctrl.n_ports = 1;
	f->ctrl.config_path = f->config_path;
	f->ctrl.base = event_base_new();
	f->ctrl.reclaim = reclaim_create(NULL);
	f->ctrl.adj_table = adj_table_create(f->ctrl.reclaim);
	write_config(f, config, n_sids);
	return start(f);
}

static inline int tear_down(void **state)
{
	struct fixture *f = *state;

	admin_destroy(f->ctrl.admin);
	publish_destroy(f->ctrl.publish);
	reclaim_destroy(f->ctrl.reclaim);
	adj_table_destroy(f->ctrl.adj_table);
	node_spec_release(f->ctrl.spec);
	event_base_free(f->ctrl.base);
	unlink(f->config_path);
	strrchr(f->socket_path, '/')[0] = '\0';
	rmdir(f->socket_path);
	rmdir(f->dir);
	free(f->worker.sid_counters);
	free(f->worker.policy_counters);
	l7_stats_destroy(f->l7.stats);
	free(f->output);
	free(f);
	return 0;
}

static inline int connect_to(const struct fixture *f)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

	strcpy(addr.sun_path, f->socket_path);
	assert_int_equal(connect(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	return fd;
}

static inline int send_request(const struct fixture *f, const char *request)
{
	char text[1024];
	int fd = connect_to(f);
	int len = snprintf(text, sizeof(text), "%s HTTP/1.0\r\nHost: x\r\n\r\n", request);

	assert_int_equal(write(fd, text, (size_t)len), len);
	return fd;
}

static inline void turn(struct fixture *f)
{
	event_base_loop(f->ctrl.base, EVLOOP_NONBLOCK);
	if (f->turn_fn != NULL)
		f->turn_fn(f);
	usleep(100);
	f->n_turns++;
}

// The whole answer as JSON.
static inline json_t *read_answer(struct fixture *f, int fd)
{
	size_t len = 0;
	const char *body;
	json_t *answer;
	ssize_t n;

	f->n_turns = 0;
	while ((n = read(fd, f->output + len, OUTPUT_BYTES - 1 - len)) != 0) {
		if (n > 0)
			len += (size_t)n;
		else
			assert_int_equal(errno, EAGAIN);
		turn(f);
		assert_true(f->n_turns < 100000);
	}
	close(fd);
	f->output[len] = '\0';
	assert_int_equal(sscanf(f->output, "HTTP/1.%*d %d", &f->status), 1);
	body = strstr(f->output, "\r\n\r\n");
	assert_non_null(body);
	answer = json_loads(body, 0, NULL);
	assert_non_null(answer);
	return answer;
}

static inline json_t *ask(struct fixture *f, const char *request)
{
	return read_answer(f, send_request(f, request));
}

static inline const char *text_at(const json_t *rows, size_t i, const char *key)
{
	const char *text = json_string_value(json_object_get(json_array_get(rows, i), key));

	return text == NULL ? "" : text;
}

static inline const json_t *rows_of(const json_t *answer, const char *list)
{
	const json_t *rows = json_object_get(answer, list);

	assert_true(json_is_array(rows));
	return rows;
}

// By a dotted path.
static inline json_int_t number_at(const json_t *rows, size_t i, const char *path)
{
	const json_t *value = json_array_get(rows, i);
	char copy[64];

	snprintf(copy, sizeof(copy), "%s", path);
	for (char *key = strtok(copy, "."); key != NULL; key = strtok(NULL, "."))
		value = json_object_get(value, key);
	assert_true(json_is_integer(value));
	return json_integer_value(value);
}

static inline void expect_list(const json_t *rows, size_t i, const char *key, const char *words)
{
	const json_t *list = json_object_get(json_array_get(rows, i), key);
	char text[256] = "";
	size_t k;
	json_t *item;

	json_array_foreach(list, k, item)
	{
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s",
			k == 0 ? "" : " ", json_string_value(item));
	}
	assert_string_equal(text, words);
}
