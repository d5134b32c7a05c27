// SPDX-License-Identifier: Apache-2.0
#pragma once

// The small syntaxes of a configuration file: addresses, prefixes, MAC addresses, hexadecimal,
// names; and how a value is shown in a refusal. No state, no allocation.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pipeline/spec.h"

enum {
	TEXT_MAX_NAME_LEN = 63,
	TEXT_PREFIX_BYTES = 64, // an IPv6 prefix as text, with its NUL
	TEXT_QUOTED_BYTES = 84, // longer values are cut; "..." tells
};

// All return 0 or -EINVAL, and write only when they return 0.
int text_read_ip6(const char *text, struct ip6_addr *addr);
int text_read_ip(const char *text, struct ip_addr *addr);
// "address/len". Bits past len are kept: text_mask_prefix() tells whether there were any.
int text_read_prefix(const char *text, struct ip_prefix *prefix);
// Six octets in hexadecimal, separated by colons.
int text_read_mac(const char *text, uint8_t mac[6]);

// Pairs of hexadecimal digits. Returns the number of bytes, -EINVAL, or -E2BIG (more than
// max_bytes).
int text_read_hex(const char *text, uint8_t *bytes, size_t max_bytes);

// Clears the bits past the prefix's length. Returns false when there were none.
bool text_mask_prefix(struct ip_prefix *prefix);
void text_format_prefix(const struct ip_prefix *prefix, char text[TEXT_PREFIX_BYTES]);

// Letters, digits, '-', '_' and '.', 1 to max_len of them.
bool text_is_name(const char *text, size_t max_len);

// Writes the value in quotes, fit for one line of a log.
void text_quote(const char *value, char quoted[TEXT_QUOTED_BYTES]);

// Appends to the string in text, of text_bytes in all; what does not fit is cut.
void text_append(char *text, size_t text_bytes, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

// The path of a file in dir; a name in "." stays as it is. Returns false when it does not fit.
bool text_join_path(const char *dir, const char *name, char *path, size_t path_bytes);

// Of n names the one that text was most likely meant to be, or NULL when none is near.
const char *text_nearest(const char *text, const char *const *names, size_t n_names);
