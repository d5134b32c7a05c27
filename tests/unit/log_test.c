// SPDX-License-Identifier: Apache-2.0
#include "ctrl/log.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum {
	OUTPUT_BYTES = 4 << 20,
};

// Standard error as the log sees it, and what was written there.
struct capture {
	int saved_fd;
	int read_fd;
	char *output;
	size_t len;
};

static int set_up(void **state)
{
	struct capture *capture = calloc(1, sizeof(*capture));
	int fds[2];

	if (capture == NULL || pipe(fds) != 0)
		return -1;
	capture->output = malloc(OUTPUT_BYTES);
	capture->saved_fd = dup(STDERR_FILENO);
	capture->read_fd = fds[0];
	dup2(fds[1], STDERR_FILENO);
	close(fds[1]);
	log_set_level(LOG_LEVEL_INFO);
	*state = capture;
	return capture->output == NULL ? -1 : 0;
}

static int tear_down(void **state)
{
	struct capture *capture = *state;

	dup2(capture->saved_fd, STDERR_FILENO);
	close(capture->saved_fd);
	close(capture->read_fd);
	free(capture->output);
	free(capture);
	return 0;
}

// What has been written since the last call.
static const char *take(struct capture *capture)
{
	ssize_t n;

	capture->len = 0;
	fcntl(capture->read_fd, F_SETFL, O_NONBLOCK);
	while ((n = read(capture->read_fd, capture->output + capture->len,
			OUTPUT_BYTES - 1 - capture->len)) > 0)
		capture->len += (size_t)n;
	capture->output[capture->len] = '\0';
	return capture->output;
}

static void log_before_start_is_written_at_once(void **state)
{
	log_info("start: hello n=%d", 7);
	assert_string_equal(take(*state), "<6>start: hello n=7\n");
}

static void log_stop_writes_what_is_queued_in_order(void **state)
{
	const char *output;
	unsigned int expected = 0;

	assert_int_equal(log_start(), 0);
	for (unsigned int i = 0; i < 300; i++)
		log_error("event n=%u", i);
	log_stop();
	output = take(*state);
	for (; expected < 300; expected++) {
		char line[32];

		snprintf(line, sizeof(line), "<3>event n=%u\n", expected);
		assert_int_equal(strncmp(output, line, strlen(line)), 0);
		output += strlen(line);
	}
	assert_string_equal(output, "");
}

static void log_below_level_is_silent(void **state)
{
	log_debug("hidden");
	log_set_level(LOG_LEVEL_WARNING);
	log_notice("hidden");
	log_warning("shown");
	log_set_level(LOG_LEVEL_DEBUG);
	log_debug("shown, too");
	assert_string_equal(take(*state), "<4>shown\n<7>shown, too\n");
}

static void log_control_characters_stay_in_one_line(void **state)
{
	log_info("refused: %s", "a\n<3>forged\t\x1b[2Jb\x7f");
	assert_string_equal(take(*state), "<6>refused: a?<3>forged??[2Jb?\n");
}

static void log_long_line_is_cut(void **state)
{
	char text[3000];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	log_info("%s", text);
	assert_int_equal(strlen(take(*state)), 3 + 1023 + 1);
}

// A reader that does not read must not hold up who logs.
static void log_full_queue_drops_and_tells(void **state)
{
	struct capture *capture = *state;
	unsigned int n_lines = 0, n_dropped = 0;
	const char *told;
	pid_t reader;
	int fds[2];
	char bytes[4096];
	ssize_t n;

	fcntl(capture->read_fd, F_SETPIPE_SZ, 4096);
	assert_int_equal(log_start(), 0);
	for (unsigned int i = 0; i < 5000; i++)
		log_info("event n=%u, and some more so that the pipe is full early", i);
	assert_int_equal(pipe(fds), 0);
	reader = fork();
	if (reader == 0) {
		// Ends when nobody can write any more.
		close(fds[0]);
		dup2(capture->saved_fd, STDERR_FILENO);
		fcntl(capture->read_fd, F_SETFL, 0);
		while ((n = read(capture->read_fd, bytes, sizeof(bytes))) > 0)
			if (write(fds[1], bytes, (size_t)n) != n)
				break;
		_exit(0);
	}
	close(fds[1]);
	// The lines fit this pipe, so that stopping does not wait for us.
	fcntl(fds[0], F_SETPIPE_SZ, 1 << 20);
	log_stop();
	dup2(capture->saved_fd, STDERR_FILENO);
	while ((n = read(fds[0], capture->output + capture->len, OUTPUT_BYTES - 1 - capture->len)) >
		0)
		capture->len += (size_t)n;
	close(fds[0]);
	capture->output[capture->len] = '\0';
	for (const char *c = capture->output; (c = strstr(c, "event n=")) != NULL; c++)
		n_lines++;
	told = strstr(capture->output, "<4>log: lines dropped n=");
	assert_non_null(told);
	assert_int_equal(sscanf(told, "<4>log: lines dropped n=%u", &n_dropped), 1);
	assert_int_equal(n_lines + n_dropped, 5000);
	assert_true(n_lines >= 500);
}

static void log_terminal_gets_time_and_words(void **state)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY);
	unsigned int h, m, s, ms;
	char line[256];
	ssize_t n;
	int slave;

	(void)state;
	assert_true(master >= 0);
	assert_int_equal(grantpt(master) | unlockpt(master), 0);
	slave = open(ptsname(master), O_RDWR | O_NOCTTY);
	assert_true(slave >= 0);
	dup2(slave, STDERR_FILENO);
	log_warning("link: down port=core0");
	n = read(master, line, sizeof(line) - 1);
	assert_true(n > 0);
	line[n] = '\0';
	assert_int_equal(sscanf(line, "%2u:%2u:%2u.%3u", &h, &m, &s, &ms), 4);
	assert_string_equal(line + 12, " warning link: down port=core0\r\n");
	close(slave);
	close(master);
}

static void log_level_names_are_read(void **state)
{
	(void)state;
	assert_int_equal(log_level_from_name("error"), LOG_LEVEL_ERROR);
	assert_int_equal(log_level_from_name("debug"), LOG_LEVEL_DEBUG);
	assert_int_equal(log_level_from_name("verbose"), -1);
	assert_int_equal(log_level_from_name(""), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			log_before_start_is_written_at_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			log_stop_writes_what_is_queued_in_order, set_up, tear_down),
		cmocka_unit_test_setup_teardown(log_below_level_is_silent, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			log_control_characters_stay_in_one_line, set_up, tear_down),
		cmocka_unit_test_setup_teardown(log_long_line_is_cut, set_up, tear_down),
		cmocka_unit_test_setup_teardown(log_full_queue_drops_and_tells, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			log_terminal_gets_time_and_words, set_up, tear_down),
		cmocka_unit_test(log_level_names_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
