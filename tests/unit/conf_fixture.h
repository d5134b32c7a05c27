// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the tests of the configuration file share: texts that are read, and texts that are refused, word for word.

#include "conf/conf.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static inline struct node_spec *load(const char *text)
{
	struct refusal refusal = {0};
	struct node_spec *spec = NULL;

	if (conf_load_text(text, strlen(text), "f", &spec, &refusal) < 0)
		fail_msg("%s", refusal.text);
	return spec;
}

// Tests run in the root of the source tree.
static const char reference[] = "conf/pergola.cfg";

static inline struct node_spec *load_reference(void)
{
	struct refusal refusal = {0};
	struct node_spec *spec = NULL;

	if (conf_load_file(reference, &spec, &refusal) < 0)
		fail_msg("%s", refusal.text);
	return spec;
}

// What stands at the place under test, and the refusal behind its path.
struct refused {
	const char *text;
	const char *refusal;
};

#define N(table) (sizeof(table) / sizeof((table)[0]))

static inline void check_refusal(const char *text, const char *expected)
{
	struct refusal refusal = {0};
	struct node_spec *spec = NULL;
	int rc = conf_load_text(text, strlen(text), "f", &spec, &refusal);

	assert_string_equal(refusal.text, expected);
	assert_int_equal(rc, -EINVAL);
	assert_null(spec);
}

// Each text stands between before and after; its refusal begins with place.
static inline void check_refusals(const struct refused *cases, size_t n_cases, const char *before,
	const char *after, const char *place)
{
	char text[2048];
	char expected[sizeof(struct refusal)];

	for (size_t i = 0; i < n_cases; i++) {
		snprintf(text, sizeof(text), "%s%s%s", before, cases[i].text, after);
		snprintf(expected, sizeof(expected), "%s%s", place, cases[i].refusal);
		check_refusal(text, expected);
	}
}
