// SPDX-License-Identifier: Apache-2.0
#include "conf/text.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
	MAX_COMPARED_LEN = 31, // no key is longer
};

int text_read_ip6(const char *text, struct ip6_addr *addr)
{
	struct ip6_addr read;

	if (inet_pton(AF_INET6, text, read.b) != 1)
		return -EINVAL;
	*addr = read;
	return 0;
}

int text_read_ip(const char *text, struct ip_addr *addr)
{
	struct ip_addr read = {.family = 4};

	if (inet_pton(AF_INET, text, read.addr.b) != 1) {
		read.family = 6;
		if (text_read_ip6(text, &read.addr) < 0)
			return -EINVAL;
	}
	*addr = read;
	return 0;
}

// Decimal without sign, blanks or leading zeros; -EINVAL otherwise.
static int read_prefix_len(const char *text, unsigned int max)
{
	unsigned int len = 0;
	size_t n = strspn(text, "0123456789");

	if (n == 0 || n > 3 || text[n] != '\0' || (n > 1 && text[0] == '0'))
		return -EINVAL;
	for (size_t i = 0; i < n; i++)
		len = len * 10 + (unsigned int)(text[i] - '0');
	return len > max ? -EINVAL : (int)len;
}

int text_read_prefix(const char *text, struct ip_prefix *prefix)
{
	const char *slash = strchr(text, '/');
	char host[INET6_ADDRSTRLEN];
	struct ip_addr addr;
	size_t host_len;
	int len;

	if (slash == NULL)
		return -EINVAL;
	host_len = (size_t)(slash - text);
	if (host_len >= sizeof(host))
		return -EINVAL;
	memcpy(host, text, host_len);
	host[host_len] = '\0';
	if (text_read_ip(host, &addr) < 0)
		return -EINVAL;
	len = read_prefix_len(slash + 1, addr.family == 4 ? 32 : 128);
	if (len < 0)
		return len;
	*prefix = (struct ip_prefix){.family = addr.family, .len = (uint8_t)len, .addr = addr.addr};
	return 0;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static int read_octet(const char *text, uint8_t *octet)
{
	int high = hex_digit(text[0]);
	int low = high < 0 ? -1 : hex_digit(text[1]);

	if (low < 0)
		return -EINVAL;
	*octet = (uint8_t)(high << 4 | low);
	return 0;
}

int text_read_mac(const char *text, uint8_t mac[6])
{
	uint8_t read[6];

	if (strlen(text) != 17)
		return -EINVAL;
	for (size_t i = 0; i < sizeof(read); i++) {
		if (read_octet(text + 3 * i, &read[i]) < 0 || (i < 5 && text[3 * i + 2] != ':'))
			return -EINVAL;
	}
	memcpy(mac, read, sizeof(read));
	return 0;
}

int text_read_hex(const char *text, uint8_t *bytes, size_t max_bytes)
{
	size_t n_digits = strspn(text, "0123456789abcdefABCDEF");

	if (text[n_digits] != '\0' || n_digits % 2 != 0)
		return -EINVAL;
	if (n_digits / 2 > max_bytes)
		return -E2BIG;
	for (size_t i = 0; i < n_digits / 2; i++)
		read_octet(text + 2 * i, &bytes[i]);
	return (int)(n_digits / 2);
}

bool text_mask_prefix(struct ip_prefix *prefix)
{
	bool changed = false;

	for (unsigned int i = 0; i < IP6_ADDR_LEN; i++) {
		unsigned int n_kept = prefix->len > 8 * i ? prefix->len - 8 * i : 0;
		uint8_t mask = n_kept >= 8 ? 0xff : (uint8_t)(0xff00 >> n_kept);

		changed |= (prefix->addr.b[i] & ~mask) != 0;
		prefix->addr.b[i] &= mask;
	}
	return changed;
}

void text_format_prefix(const struct ip_prefix *prefix, char text[TEXT_PREFIX_BYTES])
{
	char host[INET6_ADDRSTRLEN];

	inet_ntop(prefix->family == 4 ? AF_INET : AF_INET6, prefix->addr.b, host, sizeof(host));
	snprintf(text, TEXT_PREFIX_BYTES, "%s/%u", host, prefix->len);
}

bool text_is_name(const char *text, size_t max_len)
{
	size_t len =
		strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.");

	return len > 0 && len <= max_len && text[len] == '\0';
}

void text_quote(const char *value, char quoted[TEXT_QUOTED_BYTES])
{
	static const char cut[] = "...\"";
	size_t max_len = TEXT_QUOTED_BYTES - 1 - sizeof(cut);
	size_t n = 0;

	quoted[n++] = '"';
	for (; *value != '\0' && n <= max_len; value++)
		quoted[n++] = isprint((unsigned char)*value) ? *value : '?';
	strcpy(quoted + n, *value == '\0' ? "\"" : cut);
}

void text_append(char *text, size_t text_bytes, const char *fmt, ...)
{
	size_t n = strlen(text);
	va_list args;

	va_start(args, fmt);
	vsnprintf(text + n, text_bytes - n, fmt, args);
	va_end(args);
}

bool text_join_path(const char *dir, const char *name, char *path, size_t path_bytes)
{
	int n;

	if (strcmp(dir, ".") == 0)
		n = snprintf(path, path_bytes, "%s", name);
	else
		n = snprintf(path, path_bytes, "%s/%s", dir, name);
	return n >= 0 && (size_t)n < path_bytes;
}

// Levenshtein's distance, one row at a time.
static size_t distance(const char *a, const char *b, size_t b_len)
{
	size_t row[MAX_COMPARED_LEN + 1];

	for (size_t j = 0; j <= b_len; j++)
		row[j] = j;
	for (size_t i = 0; a[i] != '\0'; i++) {
		size_t diagonal = row[0];

		row[0] = i + 1;
		for (size_t j = 0; j < b_len; j++) {
			size_t best = diagonal + (a[i] != b[j]);

			diagonal = row[j + 1];
			if (best > row[j] + 1)
				best = row[j] + 1;
			if (best > row[j + 1] + 1)
				best = row[j + 1] + 1;
			row[j + 1] = best;
		}
	}
	return row[b_len];
}

const char *text_nearest(const char *text, const char *const *names, size_t n_names)
{
	size_t text_len = strlen(text);
	// Every third letter may be wrong: "vlan" finds "vlans", "foo" does not find "id".
	size_t best = text_len / 3 + 1;
	const char *nearest = NULL;

	if (text_len > MAX_COMPARED_LEN)
		return NULL;
	for (size_t i = 0; i < n_names; i++) {
		size_t d = distance(names[i], text, text_len);

		if (d < best || (d == best && nearest == NULL)) {
			best = d;
			nearest = names[i];
		}
	}
	// A distance as long as the word itself only says that both are short.
	return best < text_len ? nearest : NULL;
}
