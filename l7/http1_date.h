// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a Date field says: IMF-fixdate (RFC 9110 §5.6.7). Without libc's time zones, which have a lock.

#include <stdint.h>

enum {
	HTTP1_DATE_LEN = 29,
};

// Writes HTTP1_DATE_LEN characters and a zero. unix_s: seconds since 1970, before the year 10000.
void http1_date_write(uint64_t unix_s, char text[HTTP1_DATE_LEN + 1]);
