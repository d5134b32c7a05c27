// SPDX-License-Identifier: Apache-2.0
#include "app/ctl_table.h"

#include <stdbool.h>
#include <string.h>

enum {
	COLUMN_GAP = 2,
};

static void append_array(const json_t *array, char *text)
{
	char item[CTL_TABLE_CELL_BYTES];
	size_t n = 0;
	size_t i;
	json_t *value;

	json_array_foreach(array, i, value)
	{
		ctl_table_format(value, item);
		n += (size_t)snprintf(
			text + n, CTL_TABLE_CELL_BYTES - n, "%s%s", i == 0 ? "" : ",", item);
		if (n >= CTL_TABLE_CELL_BYTES)
			return;
	}
	if (n == 0)
		strcpy(text, "-");
}

void ctl_table_format(const json_t *value, char text[CTL_TABLE_CELL_BYTES])
{
	if (json_is_string(value))
		snprintf(text, CTL_TABLE_CELL_BYTES, "%s", json_string_value(value));
	else if (json_is_integer(value))
		snprintf(text, CTL_TABLE_CELL_BYTES, "%lld", json_integer_value(value));
	else if (json_is_real(value))
		snprintf(text, CTL_TABLE_CELL_BYTES, "%.1f", json_real_value(value));
	else if (json_is_boolean(value))
		strcpy(text, json_is_true(value) ? "yes" : "no");
	else if (json_is_array(value))
		append_array(value, text);
	else
		strcpy(text, "-");
}

static void format_cell(const json_t *row, const char *key, char text[CTL_TABLE_CELL_BYTES])
{
	const char *dot = strchr(key, '.');
	char member[64];

	while (dot != NULL) {
		snprintf(member, sizeof(member), "%.*s", (int)(dot - key), key);
		row = json_object_get(row, member);
		key = dot + 1;
		dot = strchr(key, '.');
	}
	ctl_table_format(json_object_get(row, key), text);
}

static void print_cell(
	FILE *out, const char *text, size_t width, enum ctl_align align, bool is_last)
{
	if (align == CTL_RIGHT)
		fprintf(out, "%*s%s", (int)width, text, is_last ? "\n" : "  ");
	else if (is_last)
		fprintf(out, "%s\n", text);
	else
		fprintf(out, "%-*s", (int)(width + COLUMN_GAP), text);
}

static void measure(const json_t *rows, const struct ctl_column *columns, size_t n_columns,
	size_t widths[CTL_TABLE_MAX_COLUMNS])
{
	char text[CTL_TABLE_CELL_BYTES];
	size_t i;
	json_t *row;

	for (size_t c = 0; c < n_columns; c++)
		widths[c] = strlen(columns[c].title);
	json_array_foreach(rows, i, row)
	{
		for (size_t c = 0; c < n_columns; c++) {
			size_t len;

			format_cell(row, columns[c].key, text);
			len = strlen(text);
			if (len > widths[c])
				widths[c] = len;
		}
	}
}

void ctl_table_print(
	FILE *out, const json_t *rows, const struct ctl_column *columns, size_t n_columns)
{
	size_t widths[CTL_TABLE_MAX_COLUMNS];
	char text[CTL_TABLE_CELL_BYTES];
	size_t i;
	json_t *row;

	measure(rows, columns, n_columns, widths);
	for (size_t c = 0; c < n_columns; c++)
		print_cell(out, columns[c].title, widths[c], columns[c].align, c + 1 == n_columns);
	json_array_foreach(rows, i, row)
	{
		for (size_t c = 0; c < n_columns; c++) {
			format_cell(row, columns[c].key, text);
			print_cell(out, text, widths[c], columns[c].align, c + 1 == n_columns);
		}
	}
}
