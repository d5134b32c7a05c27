// SPDX-License-Identifier: Apache-2.0
#pragma once

// A hosts file: names that need no name server. Read again when it has changed.

#include <stddef.h>
#include <time.h>

#include "l7/spec.h"

struct dns_host;

struct dns_hosts {
	const char *path;
	struct timespec mtime;
	struct dns_host *hosts;
	size_t n_hosts;
};

void dns_hosts_init(struct dns_hosts *hosts, const char *path);
void dns_hosts_fini(struct dns_hosts *hosts);

// At most max addresses of name in the family, 0: either. How many; a file that cannot be read has none.
size_t dns_hosts_find(struct dns_hosts *hosts, const char *name, uint8_t family,
	struct l7_address *addresses, size_t max);

// text as an address of the family, 0: either.
bool dns_hosts_parse(const char *text, uint8_t family, struct l7_address *address);
