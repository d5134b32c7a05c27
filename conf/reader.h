// SPDX-License-Identifier: Apache-2.0
#pragma once

// Reads libconfig settings into specs by tables. A group of the file is described once: its keys,
// each with the function that reads it and the field it lands in, and the rules on which keys go
// together. Everything that is refused is refused here or through reader_refuse(), with file, line
// and key.
//
// Functions that return int return 0, -EINVAL with the reader's refusal set, or -ENOMEM.

#include <libconfig.h>
#include <search.h>
#include <stddef.h>
#include <stdint.h>

#include "pipeline/spec.h"

struct reader {
	struct arena *arena; // of the spec that is being filled
	struct refusal *refusal;
	const char *source;	   // of what no included file holds; in the arena
	const char *include_dir;   // of included files; NULL: there are none
	const char *included;	   // libconfig's name of the last included file seen, and
	const char *included_copy; // ours
};

struct reader_key;

// Reads one setting into object, the struct that the group's keys describe.
typedef int reader_key_fn(struct reader *reader, const config_setting_t *setting,
	const struct reader_key *key, void *object);

struct reader_key {
	const char *name;
	reader_key_fn *read;
	size_t offset; // of the field in object; READER_FIELD() writes offset and size
	size_t size;
	long long min; // range of a number
	long long max; // or the longest text; or the wanted family of an address, 0: either
	const char *(*choice)(int i); // value_choice: the i-th word, NULL past the end
};

// For the read member of a key that is known but not supported yet: refuses it by name.
reader_key_fn reader_not_yet;

#define READER_FIELD(type, member)                                                                 \
	.offset = offsetof(type, member), .size = sizeof(((type *)0)->member)

// Of the keys in `of`, at least min and at most max may be given when all keys in `when` are. Keys
// are bits by their place in the group's table; a boolean counts as given when it is true.
struct reader_rule {
	uint32_t when;
	uint32_t of;
	unsigned int min;
	unsigned int max;
};

enum {
	READER_MAX_KEYS = 32, // of one group
};

struct reader_group {
	const struct reader_key *keys;
	size_t n_keys; // at most READER_MAX_KEYS
	const struct reader_rule *rules;
	size_t n_rules;
};

#define READER_GROUP(keys, rules)                                                                  \
	{                                                                                          \
		keys, sizeof(keys) / sizeof((keys)[0]), rules, sizeof(rules) / sizeof((rules)[0])  \
	}

// The same without rules.
#define READER_KEYS(keys)                                                                          \
	{                                                                                          \
		keys, sizeof(keys) / sizeof((keys)[0]), NULL, 0                                    \
	}

// Refuses the setting: "file:line: path.of[0].key: reason". Always returns -EINVAL.
int reader_refuse(struct reader *reader, const config_setting_t *setting, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

// The same for what is wrong with "key", a key of the group; at the group's line when it is not
// given.
int reader_refuse_key(struct reader *reader, const config_setting_t *group, const char *key,
	const char *fmt, ...) __attribute__((format(printf, 4, 5)));

// Refuses a setting of another type than "a string in quotes", "an integer" and the like.
int reader_refuse_type(struct reader *reader, const config_setting_t *setting, const char *wanted);

// Where the setting was written; the name of the file is copied to the arena.
int reader_origin(
	struct reader *reader, const config_setting_t *setting, struct spec_origin *origin);

// Reads a group into object: no unknown keys, every key in its form, the rules kept. given tells
// the keys that were there.
int reader_read_group(struct reader *reader, const config_setting_t *setting,
	const struct reader_group *group, void *object, uint32_t *given);

typedef int reader_item_fn(
	struct reader *reader, const config_setting_t *setting, void *item, void *context);

// Reads a list or an array of at most max_items into an array of items in the arena, which start
// zeroed.
int reader_read_items(struct reader *reader, const config_setting_t *setting, size_t max_items,
	size_t item_bytes, reader_item_fn *read_item, void *context, void **items,
	uint32_t *n_items);

// Remembers items, which begin with a struct spec_origin, in *seen and refuses the second of two
// that compare equal: `"what" is given twice, first at file:line`. Free *seen with reader_forget().
int reader_check_unique(struct reader *reader, const config_setting_t *setting, void **seen,
	const void *item, comparison_fn_t compare, const char *what);
void reader_forget(void **seen);
