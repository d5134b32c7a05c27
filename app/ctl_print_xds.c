// SPDX-License-Identifier: Apache-2.0
#include "app/ctl_print.h"
#include "app/ctl_table.h"

static void print_line(FILE *out, const json_t *answer, const char *title, const char *key)
{
	char text[CTL_TABLE_CELL_BYTES];

	ctl_table_format(json_object_get(answer, key), text);
	fprintf(out, "%-16s %s\n", title, text);
}

static void print_refusals(FILE *out, const json_t *types)
{
	size_t i;
	json_t *type;

	json_array_foreach(types, i, type)
	{
		const char *nack = json_string_value(json_object_get(type, "last_nack"));

		if (nack != NULL)
			fprintf(out, "\nlast NACK of %s: %s\n",
				json_string_value(json_object_get(type, "type")), nack);
	}
}

void ctl_print_xds(FILE *out, const json_t *answer)
{
	static const struct ctl_column columns[] = {
		{"TYPE", "type", CTL_LEFT},
		{"HELD", "held", CTL_RIGHT},
		{"WANTED", "wanted", CTL_RIGHT},
		{"REFUSED", "refused", CTL_RIGHT},
		{"ABSENT", "absent", CTL_RIGHT},
		{"RESPONSES", "responses", CTL_RIGHT},
		{"ACKS", "acks", CTL_RIGHT},
		{"NACKS", "nacks", CTL_RIGHT},
		{"ACK AGE S", "ack_age_s", CTL_RIGHT},
		{"NACK AGE S", "nack_age_s", CTL_RIGHT},
		{"NONCE", "nonce", CTL_LEFT},
		{"VERSION", "version", CTL_LEFT},
	};
	const json_t *types = json_object_get(answer, "types");

	if (!json_is_true(json_object_get(answer, "configured"))) {
		fprintf(out, "the configuration has no xds\n");
		return;
	}
	print_line(out, answer, "stream", "state");
	print_line(out, answer, "server", "server");
	print_line(out, answer, "control plane", "control_plane");
	print_line(out, answer, "protocol", "protocol");
	print_line(out, answer, "for seconds", "since_s");
	print_line(out, answer, "streams", "streams");
	print_line(out, answer, "last failure", "last_failure");
	print_line(out, answer, "went live", "layers");
	print_line(out, answer, "waiting", "waiting");
	print_line(out, answer, "push to live ms", "push_to_live_ms");
	print_line(out, answer, "  at most", "push_to_live_max_ms");
	print_line(out, answer, "  so often", "push_to_live_count");
	fputc('\n', out);
	CTL_TABLE_PRINT(out, types, columns);
	print_refusals(out, types);
}

void ctl_print_config_dump(FILE *out, const json_t *answer)
{
	json_dumpf(answer, out, JSON_INDENT(2));
	fputc('\n', out);
}
