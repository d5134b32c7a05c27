// SPDX-License-Identifier: Apache-2.0

// HTTP/1.0 on purpose: the server then sends no chunks and closes at the end.

#include "app/ctl_http.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

enum {
	FIRST_ROOM = 16384,
};

struct buffer {
	char *bytes;
	size_t len;
	size_t room;
};

static int open_connection(const char *path, unsigned int timeout_s)
{
	const struct timeval timeout = {.tv_sec = timeout_s};
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd, ret;

	if (strlen(path) >= sizeof(addr.sun_path))
		return -ENAMETOOLONG;
	strcpy(addr.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (const struct sockaddr *)&addr, sizeof(addr)) != 0 ||
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) != 0) {
		ret = -errno;
		close(fd);
		return ret;
	}
	return fd;
}

static int send_request(int fd, const char *method, const char *target)
{
	char request[8192];
	int len = snprintf(request, sizeof(request),
		"%s %s HTTP/1.0\r\nHost: pergola\r\nContent-Length: 0\r\n\r\n", method, target);

	if (len < 0 || (size_t)len >= sizeof(request))
		return -E2BIG;
	for (int done = 0; done < len;) {
		ssize_t n = send(fd, request + done, (size_t)(len - done), MSG_NOSIGNAL);

		if (n < 0 && errno != EINTR)
			return -errno;
		done += n < 0 ? 0 : (int)n;
	}
	return 0;
}

static int grow(struct buffer *buffer)
{
	size_t room = buffer->room == 0 ? FIRST_ROOM : 2 * buffer->room;
	char *bytes = realloc(buffer->bytes, room);

	if (bytes == NULL)
		return -ENOMEM;
	buffer->bytes = bytes;
	buffer->room = room;
	return 0;
}

// Reads to the end; leaves room for a NUL.
static int read_all(int fd, struct buffer *buffer)
{
	for (;;) {
		ssize_t n;

		if (buffer->room - buffer->len < 2 && grow(buffer) != 0)
			return -ENOMEM;
		n = recv(fd, buffer->bytes + buffer->len, buffer->room - buffer->len - 1, 0);
		if (n == 0)
			return 0;
		if (n < 0 && errno == EAGAIN)
			return -ETIMEDOUT;
		if (n < 0 && errno != EINTR)
			return -errno;
		buffer->len += n < 0 ? 0 : (size_t)n;
	}
}

// Takes the bytes over.
static int parse(struct buffer *buffer, struct ctl_response *response)
{
	char *body;

	if (buffer->bytes == NULL)
		return -EBADMSG;
	buffer->bytes[buffer->len] = '\0';
	body = strstr(buffer->bytes, "\r\n\r\n");
	if (body == NULL || sscanf(buffer->bytes, "HTTP/1.%*d %d", &response->status) != 1)
		return -EBADMSG;
	body += 4;
	response->body_len = buffer->len - (size_t)(body - buffer->bytes);
	response->body = buffer->bytes;
	memmove(response->body, body, response->body_len + 1);
	return 0;
}

int ctl_http_request(const char *socket_path, const char *method, const char *target,
	unsigned int timeout_s, struct ctl_response *response)
{
	struct buffer buffer = {0};
	int fd = open_connection(socket_path, timeout_s);
	int ret;

	if (fd < 0)
		return fd;
	ret = send_request(fd, method, target);
	if (ret == 0)
		ret = read_all(fd, &buffer);
	if (ret == 0)
		ret = parse(&buffer, response);
	if (ret != 0)
		free(buffer.bytes);
	close(fd);
	return ret;
}

void ctl_http_free(struct ctl_response *response)
{
	free(response->body);
	response->body = NULL;
}

int ctl_http_encode(char *text, size_t text_bytes, const char *value)
{
	size_t n = strlen(text);

	for (; *value != '\0'; value++) {
		unsigned char c = (unsigned char)*value;

		if (n + 4 > text_bytes)
			return -E2BIG;
		if (isalnum(c) || strchr("-._~/:,", c) != NULL)
			text[n++] = (char)c;
		else
			n += (size_t)snprintf(text + n, text_bytes - n, "%%%02X", c);
	}
	text[n] = '\0';
	return 0;
}
