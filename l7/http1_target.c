// SPDX-License-Identifier: Apache-2.0

#include "l7/http1_target.h"

#include <arpa/inet.h>
#include <string.h>

#include "l7/http1_scan.h"

// unreserved and sub-delims of RFC 3986 §2.
static const struct http1_scan_class REG_NAME = {
	.lo = {0x2a, 0x3f, 0x3e, 0x3e, 0x3f, 0x3e, 0x3f, 0x3f, 0x3f, 0x3f, 0x3d, 0x17, 0x15, 0x17,
		0x35, 0x1c},
	.hi = {[2] = 0x01, [3] = 0x02, [4] = 0x04, [5] = 0x08, [6] = 0x10, [7] = 0x20},
};

static bool is_hex(uint8_t c)
{
	return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

// Where a registered name (or IPv4 address) that begins at off ends.
static uint32_t skip_reg_name(const uint8_t *raw, uint32_t off, uint32_t end)
{
	for (;;) {
		off = http1_scan_span(&REG_NAME, raw, off, end);
		if (end - off < 3 || raw[off] != '%' || !is_hex(raw[off + 1]) ||
			!is_hex(raw[off + 2]))
			return off;
		off += 3;
	}
}

// Likewise for an IPv6 address in brackets; off itself when it is none.
static uint32_t skip_ip6_literal(const uint8_t *raw, uint32_t off, uint32_t end)
{
	const uint8_t *close = memchr(raw + off, ']', end - off);
	char text[INET6_ADDRSTRLEN];
	struct in6_addr addr;
	size_t len;

	if (close == NULL)
		return off;
	len = (size_t)(close - (raw + off)) - 1;
	if (len >= sizeof(text))
		return off;
	memcpy(text, raw + off + 1, len);
	text[len] = 0;
	return inet_pton(AF_INET6, text, &addr) == 1 ? off + (uint32_t)len + 2 : off;
}

static bool is_port(const uint8_t *raw, uint32_t off, uint32_t end)
{
	uint32_t port = 0;

	if (off == end)
		return false;
	for (; off < end && port <= UINT16_MAX; off++) {
		if (raw[off] < '0' || raw[off] > '9')
			return false;
		port = port * 10 + raw[off] - '0';
	}
	return port <= UINT16_MAX;
}

// Where the host at off ends; off itself when it is malformed.
static uint32_t skip_host(const uint8_t *raw, uint32_t off, uint32_t end)
{
	return off < end && raw[off] == '[' ? skip_ip6_literal(raw, off, end)
					    : skip_reg_name(raw, off, end);
}

bool http1_target_is_authority(const uint8_t *raw, struct http1_text text)
{
	const uint32_t end = text.off + text.len;
	const uint32_t host_end = skip_host(raw, text.off, end);

	if (host_end == text.off)
		return false;
	return host_end == end || (raw[host_end] == ':' && is_port(raw, host_end + 1, end));
}

static void set_path(const uint8_t *raw, struct http1_head *head, uint32_t off, uint32_t end)
{
	const uint8_t *query = memchr(raw + off, '?', end - off);

	head->path = (struct http1_text){.off = off, .len = end - off};
	head->path_len = query == NULL ? end - off : (uint32_t)(query - (raw + off));
}

static enum http1_reason parse_connect(const uint8_t *raw, struct http1_head *head)
{
	const uint32_t off = head->target.off, end = off + head->target.len;

	if (!http1_target_is_authority(raw, head->target) || skip_host(raw, off, end) == end)
		return HTTP1_BAD_TARGET;
	head->authority = head->target;
	return HTTP1_OK;
}

static bool has_prefix(const uint8_t *raw, struct http1_text text, const char *lower)
{
	const size_t len = strlen(lower);

	return text.len >= len && strncasecmp((const char *)raw + text.off, lower, len) == 0;
}

static enum http1_reason parse_absolute(const uint8_t *raw, struct http1_head *head)
{
	uint32_t off = head->target.off, end = off + head->target.len, stop;

	if (has_prefix(raw, head->target, "http://"))
		off += sizeof("http://") - 1;
	else if (has_prefix(raw, head->target, "https://"))
		off += sizeof("https://") - 1;
	else
		return HTTP1_BAD_TARGET;
	for (stop = off; stop < end && raw[stop] != '/' && raw[stop] != '?';)
		stop++;
	head->authority = (struct http1_text){.off = off, .len = stop - off};
	if (!http1_target_is_authority(raw, head->authority))
		return HTTP1_BAD_HOST;
	head->absolute_form = true;
	set_path(raw, head, stop, end);
	return HTTP1_OK;
}

enum http1_reason http1_target_parse(const uint8_t *raw, struct http1_head *head)
{
	const uint32_t off = head->target.off, end = off + head->target.len;

	if (head->method == HTTP1_CONNECT)
		return parse_connect(raw, head);
	if (raw[off] != '/' && !(raw[off] == '*' && head->target.len == 1))
		return parse_absolute(raw, head);
	if (raw[off] == '*' && head->method != HTTP1_OPTIONS)
		return HTTP1_BAD_TARGET;
	set_path(raw, head, off, end);
	return HTTP1_OK;
}
