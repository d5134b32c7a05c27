// SPDX-License-Identifier: Apache-2.0
#pragma once

// Tables for people: rows are JSON objects, a column names the member that it shows.

#include <stdio.h>

#include <jansson.h>

enum ctl_align {
	CTL_LEFT,
	CTL_RIGHT, // numbers
};

struct ctl_column {
	const char *title;
	const char *key; // "stats.rx_packets": a member of a member
	enum ctl_align align;
};

enum {
	CTL_TABLE_MAX_COLUMNS = 24,
	CTL_TABLE_CELL_BYTES = 1024, // longer values are cut
};

// Prints titles and rows in aligned columns; the last one is not padded. An empty array: titles only.
void ctl_table_print(
	FILE *out, const json_t *rows, const struct ctl_column *columns, size_t n_columns);

// The same for an array of columns, which must not be too many.
#define CTL_TABLE_PRINT(out, rows, columns)                                                        \
	do {                                                                                       \
		_Static_assert(sizeof(columns) / sizeof((columns)[0]) <= CTL_TABLE_MAX_COLUMNS,    \
			"more columns than widths");                                               \
		ctl_table_print(out, rows, columns, sizeof(columns) / sizeof((columns)[0]));       \
	} while (0)

// A value as a cell shows it: "-" for null and absent, "yes" and "no", arrays with commas.
void ctl_table_format(const json_t *value, char text[CTL_TABLE_CELL_BYTES]);
