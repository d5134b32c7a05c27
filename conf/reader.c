// SPDX-License-Identifier: Apache-2.0
#include "conf/reader.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/text.h"
#include "pipeline/arena.h"

enum {
	MAX_DEPTH = 16, // of known keys; deeper settings are never reached
	PATH_BYTES = 160,
	REASON_BYTES = 384,
	KEYS_BYTES = 320,
};

// "srv6.sids[3].behavior"; empty for the file itself.
static void format_path(const config_setting_t *setting, char path[PATH_BYTES])
{
	const config_setting_t *chain[MAX_DEPTH];
	size_t n = 0;

	for (; !config_setting_is_root(setting) && n < MAX_DEPTH;
		setting = config_setting_parent(setting))
		chain[n++] = setting;
	path[0] = '\0';
	while (n-- > 0) {
		const char *name = config_setting_name(chain[n]);

		if (name == NULL)
			text_append(path, PATH_BYTES, "[%d]", config_setting_index(chain[n]));
		else
			text_append(path, PATH_BYTES, "%s%.40s", path[0] == '\0' ? "" : ".", name);
	}
}

// libconfig keeps one copy of each file's name, so that the pointer identifies the file.
static int intern_included(struct reader *reader, const char *file)
{
	char path[PATH_MAX];

	if (file == reader->included)
		return 0;
	if (text_join_path(reader->include_dir, file, path, sizeof(path)))
		reader->included_copy = arena_strdup(reader->arena, path);
	else
		reader->included_copy = arena_strdup(reader->arena, file);
	if (reader->included_copy == NULL)
		return -ENOMEM;
	reader->included = file;
	return 0;
}

int reader_origin(
	struct reader *reader, const config_setting_t *setting, struct spec_origin *origin)
{
	const char *file = config_setting_source_file(setting);
	int rc = 0;

	origin->source = reader->source;
	origin->line = config_setting_source_line(setting);
	if (file != NULL) {
		rc = intern_included(reader, file);
		origin->source = rc < 0 ? file : reader->included_copy;
	}
	return rc;
}

static int refuse(struct reader *reader, const config_setting_t *at, const char *path,
	const char *fmt, va_list args)
{
	char reason[REASON_BYTES];
	struct spec_origin origin;

	reader_origin(reader, at, &origin);
	vsnprintf(reason, sizeof(reason), fmt, args);
	return refusal_set(
		reader->refusal, &origin, "%s%s%s", path, path[0] == '\0' ? "" : ": ", reason);
}

int reader_refuse(struct reader *reader, const config_setting_t *setting, const char *fmt, ...)
{
	char path[PATH_BYTES];
	va_list args;
	int rc;

	format_path(setting, path);
	va_start(args, fmt);
	rc = refuse(reader, setting, path, fmt, args);
	va_end(args);
	return rc;
}

int reader_refuse_key(
	struct reader *reader, const config_setting_t *group, const char *key, const char *fmt, ...)
{
	const config_setting_t *member = config_setting_get_member(group, key);
	char path[PATH_BYTES];
	va_list args;
	int rc;

	format_path(group, path);
	text_append(path, sizeof(path), "%s%s", path[0] == '\0' ? "" : ".", key);
	va_start(args, fmt);
	rc = refuse(reader, member == NULL ? group : member, path, fmt, args);
	va_end(args);
	return rc;
}

int reader_refuse_type(struct reader *reader, const config_setting_t *setting, const char *wanted)
{
	static const char *const names[] = {
		[CONFIG_TYPE_NONE] = "nothing",
		[CONFIG_TYPE_GROUP] = "a group",
		[CONFIG_TYPE_INT] = "an integer",
		[CONFIG_TYPE_INT64] = "an integer",
		[CONFIG_TYPE_FLOAT] = "a fraction",
		[CONFIG_TYPE_STRING] = "a string",
		[CONFIG_TYPE_BOOL] = "a boolean",
		[CONFIG_TYPE_ARRAY] = "an array",
		[CONFIG_TYPE_LIST] = "a list",
	};

	return reader_refuse(
		reader, setting, "must be %s, not %s", wanted, names[config_setting_type(setting)]);
}

static int refuse_unknown_key(
	struct reader *reader, const config_setting_t *setting, const struct reader_group *group)
{
	const char *names[READER_MAX_KEYS];
	char all[KEYS_BYTES] = "";
	const char *nearest;

	for (size_t i = 0; i < group->n_keys; i++) {
		names[i] = group->keys[i].name;
		if (group->keys[i].read != reader_not_yet)
			text_append(all, sizeof(all), "%s%s", i == 0 ? "" : ", ", names[i]);
	}
	nearest = text_nearest(config_setting_name(setting), names, group->n_keys);
	if (nearest != NULL)
		return reader_refuse(reader, setting, "unknown key; did you mean \"%s\"?", nearest);
	return reader_refuse(reader, setting, "unknown key; one of %s", all);
}

int reader_not_yet(struct reader *reader, const config_setting_t *setting,
	const struct reader_key *key, void *object)
{
	(void)object;
	return reader_refuse(reader, setting, "\"%s\" is not supported yet", key->name);
}

// The lowest key in *keys, which it leaves.
static const char *take_key(const struct reader_group *group, uint32_t *keys)
{
	const char *name = group->keys[__builtin_ctz(*keys)].name;

	*keys &= *keys - 1;
	return name;
}

static int refuse_too_many(struct reader *reader, const config_setting_t *setting,
	const struct reader_group *group, const struct reader_rule *rule, uint32_t given)
{
	uint32_t clashing = given & rule->of;
	uint32_t when = rule->when;
	const char *first = take_key(group, rule->max == 0 ? &when : &clashing);
	const char *second = take_key(group, &clashing);

	return reader_refuse(reader, setting,
		"\"%s\" and \"%s\" exclude each other; keep one of them", first, second);
}

static int refuse_too_few(struct reader *reader, const config_setting_t *setting,
	const struct reader_group *group, const struct reader_rule *rule)
{
	uint32_t of = rule->of;
	char names[KEYS_BYTES] = "";

	text_append(names, sizeof(names), "\"%s\"", take_key(group, &of));
	if (of == 0)
		return reader_refuse(reader, setting, "%s is missing", names);
	while (of != 0)
		text_append(names, sizeof(names), ", \"%s\"", take_key(group, &of));
	return reader_refuse(reader, setting, "one of %s is missing", names);
}

static int check_rules(struct reader *reader, const config_setting_t *setting,
	const struct reader_group *group, uint32_t given)
{
	for (size_t i = 0; i < group->n_rules; i++) {
		const struct reader_rule *rule = &group->rules[i];
		unsigned int n = (unsigned int)__builtin_popcount(given & rule->of);

		if ((given & rule->when) != rule->when)
			continue;
		if (n > rule->max)
			return refuse_too_many(reader, setting, group, rule, given);
		if (n < rule->min)
			return refuse_too_few(reader, setting, group, rule);
	}
	return 0;
}

static bool is_false(const config_setting_t *setting)
{
	return config_setting_type(setting) == CONFIG_TYPE_BOOL &&
	       !config_setting_get_bool(setting);
}

static int read_member(struct reader *reader, const config_setting_t *member,
	const struct reader_group *group, void *object, uint32_t *given)
{
	const char *name = config_setting_name(member);

	for (size_t i = 0; i < group->n_keys; i++) {
		if (strcmp(group->keys[i].name, name) != 0)
			continue;
		if (!is_false(member))
			*given |= UINT32_C(1) << i;
		return group->keys[i].read(reader, member, &group->keys[i], object);
	}
	return refuse_unknown_key(reader, member, group);
}

int reader_read_group(struct reader *reader, const config_setting_t *setting,
	const struct reader_group *group, void *object, uint32_t *given)
{
	int n, rc;

	*given = 0;
	if (!config_setting_is_group(setting))
		return reader_refuse_type(reader, setting, "a group { ... }");
	n = config_setting_length(setting);
	for (int i = 0; i < n; i++) {
		rc = read_member(reader, config_setting_get_elem(setting, (unsigned int)i), group,
			object, given);
		if (rc < 0)
			return rc;
	}
	return check_rules(reader, setting, group, *given);
}

int reader_read_items(struct reader *reader, const config_setting_t *setting, size_t max_items,
	size_t item_bytes, reader_item_fn *read_item, void *context, void **items,
	uint32_t *n_items)
{
	uint8_t *array;
	uint32_t n;
	int rc;

	if (!config_setting_is_list(setting) && !config_setting_is_array(setting))
		return reader_refuse_type(reader, setting, "a list ( ... )");
	n = (uint32_t)config_setting_length(setting);
	if (n > max_items)
		return reader_refuse(reader, setting, "%u entries; at most %zu", n, max_items);
	if (n == 0)
		return 0;
	array = arena_alloc(reader->arena, n * item_bytes);
	if (array == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < n; i++) {
		rc = read_item(reader, config_setting_get_elem(setting, i), array + i * item_bytes,
			context);
		if (rc < 0)
			return rc;
	}
	*items = array;
	*n_items = n;
	return 0;
}

int reader_check_unique(struct reader *reader, const config_setting_t *setting, void **seen,
	const void *item, comparison_fn_t compare, const char *what)
{
	const struct spec_origin *first;
	const void *const *node = tsearch(item, seen, compare);

	if (node == NULL)
		return -ENOMEM;
	if (*node == item)
		return 0;
	first = *node;
	return reader_refuse(reader, setting, "\"%s\" is given twice, first at %s:%u; keep one",
		what, first->source, first->line);
}

static void keep(void *item)
{
	(void)item;
}

void reader_forget(void **seen)
{
	tdestroy(*seen, keep);
	*seen = NULL;
}
