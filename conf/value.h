// SPDX-License-Identifier: Apache-2.0
#pragma once

// Reads single values: the functions for the read member of struct reader_key, and what they are
// made of. Results as in conf/reader.h; strings are copied to the arena.

#include "conf/reader.h"

// The text of a string setting, or NULL with the refusal set.
const char *value_text(struct reader *reader, const config_setting_t *setting);
// A number in range; the caller's field may be of any size.
int value_integer(struct reader *reader, const config_setting_t *setting, long long min,
	long long max, long long *value);

// For the read member of a key. The field's type stands behind each.
reader_key_fn value_number;	// uintN_t
reader_key_fn value_bool;	// bool, uint8_t
reader_key_fn value_string;	// const char *
reader_key_fn value_name;	// const char *
reader_key_fn value_iface;	// const char *
reader_key_fn value_choice;	// an enum
reader_key_fn value_ip;		// struct ip_addr
reader_key_fn value_ip6;	// struct ip6_addr
reader_key_fn value_l7_address; // struct l7_address

// An IP address as an item of a list or a key of its own. family 0: either.
int value_ip_text(
	struct reader *reader, const config_setting_t *setting, int family, struct ip_addr *addr);
// The same as an item of a list: a struct l7_address; for reader_read_items().
int value_l7_address_item(
	struct reader *reader, const config_setting_t *setting, void *item, void *context);
// A prefix with nothing past its length.
int value_masked_prefix(
	struct reader *reader, const config_setting_t *setting, struct ip_prefix *prefix);
