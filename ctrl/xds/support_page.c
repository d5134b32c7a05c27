// SPDX-License-Identifier: Apache-2.0

// The table as docs/xds-support.md.

#include <stdio.h>
#include <stdlib.h>

#include "ctrl/xds/support.h"

static const char head[] = "# What of xDS the node supports\n"
			   "\n"
			   "Written by `pergola --xds-support` from the table that resources are "
			   "checked against (`ctrl/xds/support_*.c`).\n"
			   "\n"
			   "Each field is one of three things. *honoured*: it does what it says; a "
			   "value that is not supported is refused.\n"
			   "*counted*: it does nothing here and would not change where a request "
			   "goes; `pergolactl config-dump` lists it.\n"
			   "*refused*: it would; a resource that has it is answered with a NACK "
			   "that names the field. Fields that are not\n"
			   "listed are skipped.\n";

// In the order in which a reader meets them.
static const struct support_message *const tops[] = {
	&support_listener,
	&support_http_manager,
	&support_router,
	&support_tcp_proxy,
	&support_routes,
	&support_filter_config,
	&support_cluster,
	&support_http_options,
	&support_round_robin,
	&support_least_request,
	&support_random,
	&support_wrr_locality,
	&support_assignment,
	&support_secret,
};

enum {
	MAX_MESSAGES = 128,
};

// Messages that are on the page, each once.
struct listed {
	const struct support_message *messages[MAX_MESSAGES];
	size_t n;
};

static const char *name_how(enum support_how how)
{
	static const char *const names[] = {[SUPPORT_HONOURED] = "honoured",
		[SUPPORT_COUNTED] = "counted",
		[SUPPORT_REFUSED] = "refused"};

	return names[how];
}

static void print_message(FILE *page, const struct support_message *message)
{
	fprintf(page, "\n## %s\n\n| # | field | | note |\n|---|---|---|---|\n", message->name);
	for (uint32_t i = 0; i < message->n_fields; i++) {
		const struct support_field *field = &message->fields[i];

		fprintf(page, "| %u | %s | %s |%s%s |\n", field->number, field->name,
			name_how(field->how), field->note == NULL ? "" : " ",
			field->note == NULL ? "" : field->note);
	}
}

static void list_message(struct listed *listed, const struct support_message *message)
{
	for (size_t i = 0; i < listed->n; i++)
		if (listed->messages[i] == message)
			return;
	if (listed->n == MAX_MESSAGES || message->n_fields == 0)
		return;
	listed->messages[listed->n++] = message;
	for (uint32_t i = 0; i < message->n_fields; i++)
		if (message->fields[i].message != NULL)
			list_message(listed, message->fields[i].message);
}

char *support_page(void)
{
	struct listed listed = {0};
	char *text = NULL;
	size_t n_bytes;
	FILE *page = open_memstream(&text, &n_bytes);

	if (page == NULL)
		return NULL;
	for (size_t i = 0; i < sizeof(tops) / sizeof(tops[0]); i++)
		list_message(&listed, tops[i]);
	fputs(head, page);
	for (size_t i = 0; i < listed.n; i++)
		print_message(page, listed.messages[i]);
	if (fclose(page) != 0) {
		free(text);
		return NULL;
	}
	return text;
}
