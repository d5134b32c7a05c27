// SPDX-License-Identifier: Apache-2.0

#include "l7/http1_reason.h"

#include <assert.h>

const char *http1_reason_name(enum http1_reason reason)
{
#define NAME(reason, name, status) [reason] = name,
	static const char *const names[] = {HTTP1_REASONS(NAME)};

	assert(reason < HTTP1_N_REASONS);
	return names[reason];
}

uint16_t http1_reason_status(enum http1_reason reason)
{
#define STATUS(reason, name, status) [reason] = status,
	static const uint16_t statuses[] = {HTTP1_REASONS(STATUS)};

	assert(reason < HTTP1_N_REASONS);
	return statuses[reason];
}
