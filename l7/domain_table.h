// SPDX-License-Identifier: Apache-2.0
#pragma once

// Which virtual host a request's host belongs to, as a part of a route table: the one with exactly this
// domain, else with the longest "*suffix", else with the longest "prefix*", else with "*". The wildcard
// stands for at least one character. Domains and hosts are compared in lower case.

#include <stdint.h>

#include "l7/radix.h"
#include "l7/text_table.h"

enum {
	DOMAIN_NONE = UINT32_MAX,
};

struct domain_table {
	struct text_table exact;
	struct radix_parts radix;
	uint32_t n_exact;
	uint32_t suffixes; // a radix tree of reversed texts; RADIX_NONE: there are none
	uint32_t prefixes;
	uint32_t any; // "*"; DOMAIN_NONE: nobody's
};

struct domain_key {
	const char *domain; // as configured
	uint32_t value;
};

// Writes n domains into parts of a block. No two may be the same in lower case.
void domain_table_build(struct domain_table *table, struct block_builder *builder,
	const struct domain_key *keys, uint32_t n_keys);

// The value of the domain that host belongs to, or DOMAIN_NONE. An empty host is only "*"'s.
uint32_t domain_table_find(const struct domain_table *table, const struct block *block,
	const uint8_t *host, uint32_t host_len);
