// SPDX-License-Identifier: Apache-2.0

#include "l7/http1_path.h"

#include <errno.h>
#include <string.h>

#include "l7/http1_scan.h"

enum {
	ESCAPE_LEN = sizeof("%2F") - 1,
};

// What stands in a path as it is: pchar of RFC 3986 §3.3 without escapes, '/', and brackets, which clients often leave.
static const struct http1_scan_class PLAIN = {
	.lo = {0x2e, 0x3f, 0x3e, 0x3e, 0x3f, 0x3e, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x1f, 0x15, 0x1f,
		0x35, 0x1d},
	.hi = {[2] = 0x01, [3] = 0x02, [4] = 0x04, [5] = 0x08, [6] = 0x10, [7] = 0x20},
};

bool http1_path_may_change(const uint8_t *path, uint32_t len)
{
	uint8_t found = 0;

	// Without branches, for the compiler to make vectors of it.
	for (uint32_t i = 1; i < len; i++)
		found |= (path[i - 1] == '/') & ((path[i] == '/') | (path[i] == '.'));
	return found != 0 || http1_scan_span(&PLAIN, path, 0, len) < len;
}

// -1: none.
static int hex_value(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// The byte that an escape at off stands for, or -1.
static int read_escape(const uint8_t *path, uint32_t off, uint32_t len)
{
	int high, low;

	if (len - off < ESCAPE_LEN || path[off] != '%')
		return -1;
	high = hex_value(path[off + 1]);
	low = hex_value(path[off + 2]);
	return high < 0 || low < 0 ? -1 : high << 4 | low;
}

// RFC 3986 §2.3.
static bool is_unreserved(int c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '.' || c == '_' || c == '~';
}

static bool is_plain(uint8_t c)
{
	return http1_scan_span_plain(&PLAIN, &c, 0, 1) == 1;
}

static uint32_t put_escaped(uint8_t *out, uint8_t byte)
{
	static const char digits[] = "0123456789ABCDEF";

	out[0] = '%';
	out[1] = (uint8_t)digits[byte >> 4];
	out[2] = (uint8_t)digits[byte & 15];
	return ESCAPE_LEN;
}

// Writes what is not part of an escape: a '%', too, lest it begin one afterwards, as in %2%65.
static uint32_t put_byte(uint8_t *out, uint8_t byte, uint8_t rules)
{
	if ((rules & HTTP1_PATH_NORMALIZE) && byte == '\\')
		byte = '/';
	if ((rules & HTTP1_PATH_NORMALIZE) && !is_plain(byte))
		return put_escaped(out, byte);
	*out = byte;
	return 1;
}

static bool is_unescaped(int byte, uint8_t rules)
{
	if ((rules & HTTP1_PATH_UNESCAPE_SLASHES) && (byte == '/' || byte == '\\'))
		return true;
	return (rules & HTTP1_PATH_NORMALIZE) && is_unreserved(byte);
}

static int settle_escapes(
	const uint8_t *path, uint32_t len, uint8_t rules, uint8_t *out, bool *unescaped)
{
	uint32_t n = 0;

	for (uint32_t off = 0; off < len;) {
		const int byte = read_escape(path, off, len);

		if (byte == 0 && (rules & HTTP1_PATH_NORMALIZE))
			return -EBADMSG;
		if (byte < 0) {
			n += put_byte(out + n, path[off++], rules);
			continue;
		}
		if (is_unescaped(byte, rules)) {
			*unescaped |= !is_unreserved(byte);
			n += put_byte(out + n, (uint8_t)byte, rules);
		} else {
			memcpy(out + n, path + off, ESCAPE_LEN);
			n += ESCAPE_LEN;
		}
		off += ESCAPE_LEN;
	}
	return (int)n;
}

// Where the segment whose '/' is at off ends.
static uint32_t find_end(const uint8_t *path, uint32_t off, uint32_t len)
{
	const uint8_t *slash = memchr(path + off + 1, '/', len - off - 1);

	return slash == NULL ? len : (uint32_t)(slash - path);
}

// How many dots a segment is: 1, 2, or 0 for any other.
static uint32_t count_dots(const uint8_t *segment, uint32_t len)
{
	return len >= 1 && len <= 2 && memcmp(segment, "..", len) == 0 ? len : 0;
}

// RFC 3986 §5.2.4, of a path that begins with '/'.
static uint32_t remove_dot_segments(uint8_t *path, uint32_t len)
{
	uint32_t n = 0, end;

	for (uint32_t off = 0; off < len; off = end) {
		uint32_t dots;

		end = find_end(path, off, len);
		dots = count_dots(path + off + 1, end - off - 1);
		if (dots == 2)
			while (n > 0 && path[--n] != '/')
				;
		if (dots == 0) {
			memmove(path + n, path + off, end - off);
			n += end - off;
		} else if (end == len) {
			path[n++] = '/';
		}
	}
	return n;
}

static uint32_t merge_slashes(uint8_t *path, uint32_t len)
{
	uint32_t n = 1;

	for (uint32_t off = 1; off < len; off++)
		if (path[off] != '/' || path[n - 1] != '/')
			path[n++] = path[off];
	return n;
}

int http1_path_normalize(
	const uint8_t *path, uint32_t len, uint8_t rules, uint8_t *out, bool *unescaped)
{
	int n;

	*unescaped = false;
	n = settle_escapes(path, len, rules, out, unescaped);
	if (n > 0 && (rules & HTTP1_PATH_NORMALIZE))
		n = (int)remove_dot_segments(out, (uint32_t)n);
	if (n > 0 && (rules & HTTP1_PATH_MERGE_SLASHES))
		n = (int)merge_slashes(out, (uint32_t)n);
	return n;
}
