// SPDX-License-Identifier: Apache-2.0
#include "pipeline/spec.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "pipeline/arena.h"

enum {
	DEFAULT_MTU = 1500,
	DEFAULT_DESCRIPTORS = 1024,
};

static size_t format_origin(char *text, size_t text_len, const struct spec_origin *origin)
{
	int n;

	text[0] = '\0';
	if (origin == NULL || origin->source == NULL)
		return 0;
	if (origin->line == 0)
		n = snprintf(text, text_len, "%s: ", origin->source);
	else
		n = snprintf(text, text_len, "%s:%u: ", origin->source, origin->line);
	return n < 0 ? 0 : (size_t)n;
}

int refusal_set(struct refusal *refusal, const struct spec_origin *origin, const char *fmt, ...)
{
	// A source name may be long, but it must not push out the reason.
	size_t n = format_origin(refusal->text, sizeof(refusal->text) / 2, origin);
	va_list args;

	if (n >= sizeof(refusal->text) / 2)
		n = sizeof(refusal->text) / 2 - 1;
	va_start(args, fmt);
	vsnprintf(refusal->text + n, sizeof(refusal->text) - n, fmt, args);
	va_end(args);
	return -EINVAL;
}

uint16_t port_spec_mtu(const struct port_spec *port)
{
	return port->mtu == 0 ? DEFAULT_MTU : port->mtu;
}

uint16_t port_spec_descriptors(uint16_t n_wanted)
{
	return n_wanted == 0 ? DEFAULT_DESCRIPTORS : n_wanted;
}

void node_spec_destroy(struct node_spec *spec)
{
	if (spec != NULL)
		arena_destroy(spec->arena);
}
