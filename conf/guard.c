// SPDX-License-Identifier: Apache-2.0
#include "conf/guard.h"

#include "conf/text.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	MAX_FILE_BYTES = 256 << 20, // libconfig's scanner counts in int
	MAX_INCLUDE_DEPTH = 10,	    // libconfig's
	MAX_SHOWN_DIGITS = 40,
};

// Walks a text by libconfig's lexical rules. The text ends in a NUL and has no other.
struct guard {
	const char *at;
	uint32_t line;
	const char *source;
	const char *include_dir;
	unsigned int depth; // of included files
	struct refusal *refusal;
};

static int read_all(int fd, char *text, size_t text_len)
{
	size_t n = 0;

	while (n < text_len) {
		ssize_t got = read(fd, text + n, text_len - n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got < 0 ? -errno : -EIO; // it became shorter meanwhile
		n += (size_t)got;
	}
	return 0;
}

static int open_regular(const char *path, size_t *n_bytes)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	int rc = 0;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0)
		rc = -errno;
	else if (S_ISDIR(st.st_mode))
		rc = -EISDIR;
	else if (!S_ISREG(st.st_mode))
		rc = -EINVAL;
	else if (st.st_size > MAX_FILE_BYTES)
		rc = -EFBIG;
	if (rc < 0) {
		close(fd);
		return rc;
	}
	*n_bytes = (size_t)st.st_size;
	return fd;
}

int guard_read_file(const char *path, char **text, size_t *text_len)
{
	int fd = open_regular(path, text_len);
	int rc;

	if (fd < 0)
		return fd;
	*text = malloc(*text_len + 1);
	rc = *text == NULL ? -ENOMEM : read_all(fd, *text, *text_len);
	close(fd);
	if (rc < 0) {
		free(*text);
		return rc;
	}
	(*text)[*text_len] = '\0';
	return 0;
}

static int check_text(struct guard *guard, const char *text, size_t text_len);

static int refuse(const struct guard *guard, const char *reason)
{
	struct spec_origin origin = {guard->source, guard->line};

	return refusal_set(guard->refusal, &origin, "%s", reason);
}

static int refuse_include(const struct guard *guard, const char *path, const char *reason)
{
	struct spec_origin origin = {guard->source, guard->line};

	return refusal_set(guard->refusal, &origin, "@include \"%s\": %s", path, reason);
}

// The path between the quotes that guard->at has just passed.
static int take_include_path(struct guard *guard, char *path, size_t path_bytes)
{
	size_t n = 0;

	while (*guard->at != '"') {
		if (guard->at[0] == '\\' && (guard->at[1] == '\\' || guard->at[1] == '"'))
			guard->at++;
		if (*guard->at == '\0' || *guard->at == '\n' || n == path_bytes - 1)
			return refuse(guard, "@include wants a path in quotes");
		path[n++] = *guard->at++;
	}
	guard->at++;
	path[n] = '\0';
	return 0;
}

static int check_file(const struct guard *guard, const char *path)
{
	char full_path[PATH_MAX];
	struct guard included = *guard;
	size_t text_len;
	char *text;
	int rc;

	if (path[0] == '/')
		return refuse_include(guard, path,
			"write the path relative to the directory of the configuration file");
	if (guard->depth == MAX_INCLUDE_DEPTH)
		return refuse_include(guard, path, "more than 10 files deep");
	if (!text_join_path(guard->include_dir, path, full_path, sizeof(full_path)))
		return refuse_include(guard, path, strerror(ENAMETOOLONG));
	rc = guard_read_file(full_path, &text, &text_len);
	if (rc < 0)
		return refuse_include(guard, path, strerror(-rc));
	included.source = full_path;
	included.depth++;
	rc = check_text(&included, text, text_len);
	free(text);
	return rc;
}

static int check_include(struct guard *guard)
{
	char path[PATH_MAX];
	int rc;

	if (strncmp(guard->at, "@include", strlen("@include")) != 0)
		return refuse(guard, "syntax error; '@' stands only before include");
	if (guard->include_dir == NULL)
		return refuse(guard, "@include is only for files");
	guard->at += strlen("@include");
	guard->at += strspn(guard->at, " \t");
	if (*guard->at++ != '"')
		return refuse(guard, "@include wants a path in quotes");
	rc = take_include_path(guard, path, sizeof(path));
	return rc < 0 ? rc : check_file(guard, path);
}

static int check_string(struct guard *guard)
{
	const uint32_t first_line = guard->line;

	for (guard->at++; *guard->at != '"'; guard->at++) {
		if (*guard->at == '\0') {
			guard->line = first_line;
			return refuse(guard, "this string has no closing quote");
		}
		if (*guard->at == '\n')
			guard->line++;
		if (guard->at[0] != '\\')
			continue;
		if ((guard->at[1] == 'x' || guard->at[1] == 'X') && guard->at[2] == '0' &&
			guard->at[3] == '0')
			return refuse(guard,
				"a string cannot hold \"\\x00\"; a secret with such bytes goes "
				"into \"secret_hex\"");
		if (guard->at[1] == '\\' || guard->at[1] == '"')
			guard->at++;
	}
	guard->at++;
	return 0;
}

static int check_integer(struct guard *guard)
{
	const char *start = guard->at;
	bool is_hex = start[0] == '0' && (start[1] == 'x' || start[1] == 'X');
	int n_shown;
	unsigned long long value;
	char *end;

	// libconfig reads decimals by base 10, whatever zeros lead.
	errno = 0;
	value = strtoull(start, &end, is_hex ? 16 : 10);
	guard->at = end;
	n_shown = end - start > MAX_SHOWN_DIGITS ? MAX_SHOWN_DIGITS : (int)(end - start);
	if (errno == ERANGE || value > LLONG_MAX) {
		struct spec_origin origin = {guard->source, guard->line};

		return refusal_set(
			guard->refusal, &origin, "%.*s is more than 64 bits hold", n_shown, start);
	}
	if (value > INT_MAX && *end != 'L') {
		struct spec_origin origin = {guard->source, guard->line};

		return refusal_set(guard->refusal, &origin,
			"%.*s is more than 32 bits hold; with an L behind it is a large integer: "
			"%.*sL",
			n_shown, start, n_shown, start);
	}
	return 0;
}

static void skip_comment(struct guard *guard)
{
	const char *end = strstr(guard->at + 2, "*/");

	for (; *guard->at != '\0' && guard->at != end; guard->at++)
		guard->line += *guard->at == '\n';
	if (end != NULL)
		guard->at += 2;
}

static void skip_name(struct guard *guard)
{
	while (isalnum((unsigned char)*guard->at) || strchr("-_*", *guard->at) != NULL) {
		if (*guard->at == '\0')
			return;
		guard->at++;
	}
}

static int check_token(struct guard *guard)
{
	const char *at = guard->at;

	if (*at == '"')
		return check_string(guard);
	if (*at == '@')
		return check_include(guard);
	if (isdigit((unsigned char)*at))
		return check_integer(guard);
	if (*at == '#' || (at[0] == '/' && at[1] == '/'))
		guard->at += strcspn(at, "\n");
	else if (at[0] == '/' && at[1] == '*')
		skip_comment(guard);
	else if (isalpha((unsigned char)*at) || *at == '*')
		skip_name(guard);
	else {
		guard->line += *at == '\n';
		guard->at++;
	}
	return 0;
}

static int check_text(struct guard *guard, const char *text, size_t text_len)
{
	int rc = 0;

	guard->line = 1;
	if (strlen(text) != text_len) {
		guard->line = 0;
		return refuse(guard, "is not a text: it holds a NUL byte");
	}
	guard->at = text;
	while (rc == 0 && *guard->at != '\0')
		rc = check_token(guard);
	return rc;
}

int guard_check(const char *text, size_t text_len, const char *source, const char *include_dir,
	struct refusal *refusal)
{
	struct guard guard = {.source = source, .include_dir = include_dir, .refusal = refusal};

	return check_text(&guard, text, text_len);
}
