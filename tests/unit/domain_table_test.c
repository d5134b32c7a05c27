// SPDX-License-Identifier: Apache-2.0

// Which domain a host belongs to: known answers, and a naive search over random domains.

#include "l7/domain_table.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum {
	PART_ENTRIES,
	PART_NODES,
	PART_TEXTS,
	MAX_DOMAINS = 64,
	N_ROUNDS = 3000,
};

// A table by itself.
struct table {
	struct block block;
	struct domain_table domains;
};

static struct table *build(const char *const *domains, uint32_t n)
{
	struct table head = {.domains = {.exact = {.part = PART_ENTRIES, .text_part = PART_TEXTS},
				     .radix = {PART_NODES, PART_TEXTS}}};
	struct block_builder builder = {0};
	struct domain_key keys[MAX_DOMAINS] = {{0}};
	struct table *table;

	for (uint32_t i = 0; i < n; i++)
		keys[i] = (struct domain_key){domains[i], i};
	domain_table_build(&head.domains, &builder, keys, n);
	table = block_finish(&builder, &head, sizeof(head));
	assert_non_null(table);
	return table;
}

// Asks with the host at the end of an allocation, so that a sanitizer sees a read past it.
static uint32_t find(const struct table *table, const char *host)
{
	size_t len = strlen(host);
	uint8_t *copy = malloc(len + (len == 0));
	uint32_t value;

	for (size_t i = 0; i < len; i++)
		copy[i] = (uint8_t)host[i];
	value = domain_table_find(&table->domains, &table->block, copy, (uint32_t)len);
	free(copy);
	return value;
}

static void domain_table_known_hosts_find_their_domain(void **state)
{
	static const char *const domains[] = {"a.example", "*.example", "*.b.example", "a.*",
		"a.example.*", "*", "A.Example:8080", "[2001:db8::1]:80", "x"};
	static const struct {
		const char *host;
		uint32_t domain;
	} cases[] = {
		{"a.example", 0},
		{"A.EXAMPLE", 0},
		{"b.example", 1},
		{"c.b.example", 2},
		{".example", 5}, // the wildcard stands for at least one character
		{".b.example", 1},
		{"a.b", 3},
		{"a.", 5},
		{"a.example.", 3},
		{"a.example.b", 4},
		{"a.example.B", 4},
		{"a.b.example", 2}, // a suffix goes before a prefix
		{"a.example:8080", 6},
		{"a.example:80", 3}, // the port is part of the host
		{"[2001:db8::1]:80", 7},
		{"[2001:DB8::1]", 5},
		{"x", 8},
		{"y", 5},
		{"", 5},
	};
	struct table *table = build(domains, sizeof(domains) / sizeof(domains[0]));

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (find(table, cases[i].host) != cases[i].domain)
			fail_msg("\"%s\" belongs to \"%s\"", cases[i].host,
				domains[cases[i].domain]);
	block_release(&table->block);
}

static void domain_table_without_any_refuses_what_no_domain_has(void **state)
{
	static const char *const domains[] = {"a.example", "*.org", "b.*"};
	struct table *table = build(domains, 3);

	(void)state;
	assert_int_equal(find(table, "c.example"), DOMAIN_NONE);
	assert_int_equal(find(table, ""), DOMAIN_NONE);
	assert_int_equal(find(table, ".org"), DOMAIN_NONE);
	assert_int_equal(find(table, "b."), DOMAIN_NONE);
	assert_int_equal(find(table, "b.c"), 2);
	block_release(&table->block);
	table = build(NULL, 0);
	assert_int_equal(find(table, "a"), DOMAIN_NONE);
	block_release(&table->block);
}

// A host may be longer than any domain.
static void domain_table_long_host_is_known_by_its_ends(void **state)
{
	static char exact[256], suffix[257], prefix[257], host[2001];
	const char *domains[3] = {exact, suffix, prefix};
	struct table *table;

	(void)state;
	memset(exact, 'e', 255);
	memset(suffix, 's', 255);
	suffix[0] = '*';
	memset(prefix, 'p', 254);
	prefix[254] = '*';
	table = build(domains, 3);
	assert_int_equal(find(table, exact), 0);
	memset(host, 'e', 256);
	assert_int_equal(find(table, host), DOMAIN_NONE);
	memset(host, 's', 254);
	host[254] = '\0';
	assert_int_equal(find(table, host), DOMAIN_NONE);
	memset(host, 'P', 1000);
	host[1000] = '\0';
	assert_int_equal(find(table, host), 2);
	memset(host + 1000, 'S', 1000);
	assert_int_equal(find(table, host), 1);
	block_release(&table->block);
}

static bool ends_with(const char *text, const char *end)
{
	size_t len = strlen(text), end_len = strlen(end);

	return len > end_len && strcmp(text + len - end_len, end) == 0;
}

// The rules, one domain after the other.
static uint32_t naive_find(const char *const *domains, uint32_t n, const char *mixed_case)
{
	size_t best_len = 0;
	uint32_t suffix = DOMAIN_NONE, prefix = DOMAIN_NONE, any = DOMAIN_NONE;
	char host[64];

	for (size_t i = 0; i <= strlen(mixed_case); i++)
		host[i] = (char)tolower(mixed_case[i]);
	for (uint32_t i = 0; i < n; i++) {
		const char *domain = domains[i];
		size_t len = strlen(domain);

		if (strcmp(domain, host) == 0)
			return i;
		if (strcmp(domain, "*") == 0)
			any = i;
		else if (domain[0] == '*' && ends_with(host, domain + 1) && len > best_len) {
			suffix = i;
			best_len = len;
		}
	}
	best_len = 0;
	for (uint32_t i = 0; i < n; i++) {
		size_t len = strlen(domains[i]);

		if (domains[i][0] != '*' && domains[i][len - 1] == '*' &&
			strncmp(host, domains[i], len - 1) == 0 && strlen(host) > len - 1 &&
			len > best_len) {
			prefix = i;
			best_len = len;
		}
	}
	return suffix != DOMAIN_NONE ? suffix : prefix != DOMAIN_NONE ? prefix : any;
}

static void random_text(char *text, const char *letters, uint32_t max_len)
{
	uint32_t len = (uint32_t)rand() % (max_len + 1);

	for (uint32_t i = 0; i < len; i++)
		text[i] = letters[(size_t)rand() % strlen(letters)];
	text[len] = '\0';
}

static void random_domain(char *text)
{
	char letters[8];

	random_text(letters, "ab.", 5);
	switch (rand() % 4) {
	case 0:
		sprintf(text, "*%s", letters);
		break;
	case 1:
		sprintf(text, "%s*", letters);
		break;
	default:
		sprintf(text, "%s%c", letters, "ab."[rand() % 3]);
	}
}

static void domain_table_random_domains_agree_with_naive_search(void **state)
{
	static char texts[MAX_DOMAINS][16];
	const char *domains[MAX_DOMAINS];

	(void)state;
	srand(7);
	for (int round = 0; round < N_ROUNDS; round++) {
		uint32_t n = 0, n_wanted = (uint32_t)rand() % MAX_DOMAINS;
		struct table *table;
		char host[16];

		while (n < n_wanted) {
			bool twice = false;

			random_domain(texts[n]);
			for (uint32_t i = 0; i < n; i++)
				twice |= strcmp(texts[i], texts[n]) == 0;
			domains[n] = texts[n];
			n_wanted -= twice;
			n += !twice;
		}
		table = build(domains, n);
		for (int i = 0; i < 50; i++) {
			random_text(host, "abAB.", 7);
			assert_int_equal(find(table, host), naive_find(domains, n, host));
		}
		block_release(&table->block);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(domain_table_known_hosts_find_their_domain),
		cmocka_unit_test(domain_table_without_any_refuses_what_no_domain_has),
		cmocka_unit_test(domain_table_long_host_is_known_by_its_ends),
		cmocka_unit_test(domain_table_random_domains_agree_with_naive_search),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
