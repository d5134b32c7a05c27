// SPDX-License-Identifier: Apache-2.0
#include "conf/conf.h"

#include <errno.h>
#include <libconfig.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf_priv.h"
#include "conf/guard.h"
#include "conf/text.h"
#include "pipeline/arena.h"

static struct node_spec *create_spec(const char *source)
{
	struct arena *arena = arena_create();
	struct node_spec *spec;

	if (arena == NULL)
		return NULL;
	spec = arena_alloc(arena, sizeof(*spec));
	if (spec == NULL)
		goto fail;
	spec->n_refs = 1;
	spec->arena = arena;
	spec->source = arena_strdup(arena, source);
	if (spec->source == NULL)
		goto fail;
	return spec;
fail:
	arena_destroy(arena);
	return NULL;
}

static int refuse_syntax(const config_t *config, const char *source, const char *include_dir,
	struct refusal *refusal)
{
	const char *file = config_error_file(config);
	struct spec_origin origin = {source, (uint32_t)config_error_line(config)};
	char path[PATH_MAX];

	if (file != NULL && text_join_path(include_dir, file, path, sizeof(path)))
		origin.source = path;
	return refusal_set(refusal, &origin, "%s", config_error_text(config));
}

static int fill_spec(
	const char *text, const char *include_dir, struct node_spec *spec, struct refusal *refusal)
{
	struct reader reader = {.arena = spec->arena,
		.refusal = refusal,
		.source = spec->source,
		.include_dir = include_dir};
	config_t config;
	int rc;

	config_init(&config);
	if (include_dir != NULL)
		config_set_include_dir(&config, include_dir);
	if (config_read_string(&config, text) == CONFIG_TRUE)
		rc = conf_node_read(&reader, config_root_setting(&config), spec);
	else
		rc = refuse_syntax(&config, spec->source, include_dir, refusal);
	config_destroy(&config);
	return rc;
}

// text ends in a NUL behind its text_len bytes.
static int load(const char *text, size_t text_len, const char *source, const char *include_dir,
	struct node_spec **spec, struct refusal *refusal)
{
	struct node_spec *filled;
	int rc;

	rc = guard_check(text, text_len, source, include_dir, refusal);
	if (rc < 0)
		return rc;
	filled = create_spec(source);
	if (filled == NULL)
		return -ENOMEM;
	rc = fill_spec(text, include_dir, filled, refusal);
	if (rc < 0) {
		node_spec_release(filled);
		return rc;
	}
	*spec = filled;
	return 0;
}

int conf_load_file(const char *path, struct node_spec **spec, struct refusal *refusal)
{
	struct spec_origin origin = {.source = path};
	char *path_copy;
	size_t text_len;
	char *text;
	int rc;

	rc = guard_read_file(path, &text, &text_len);
	if (rc < 0) {
		refusal_set(refusal, &origin, "cannot be read: %s", strerror(-rc));
		return rc;
	}
	path_copy = strdup(path);
	rc = path_copy == NULL ? -ENOMEM
			       : load(text, text_len, path, dirname(path_copy), spec, refusal);
	free(path_copy);
	free(text);
	return rc;
}

int conf_load_text(const char *text, size_t text_len, const char *source, struct node_spec **spec,
	struct refusal *refusal)
{
	char *copy = malloc(text_len + 1);
	int rc;

	if (copy == NULL)
		return -ENOMEM;
	memcpy(copy, text, text_len);
	copy[text_len] = '\0';
	rc = load(copy, text_len, source, NULL, spec, refusal);
	free(copy);
	return rc;
}
