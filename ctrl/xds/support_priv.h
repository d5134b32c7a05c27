// SPDX-License-Identifier: Apache-2.0
#pragma once

// How the table is written: one line for each field.

#include "ctrl/xds/support.h"

// note: what is particular about it, for the page; NULL: nothing.
#define HONOURED(number, name, note)                                                               \
	{                                                                                          \
		number, name, SUPPORT_HONOURED, NULL, note                                         \
	}
#define INTO(number, name, message, note)                                                          \
	{                                                                                          \
		number, name, SUPPORT_HONOURED, &(message), note                                   \
	}
#define COUNTED(number, name, note)                                                                \
	{                                                                                          \
		number, name, SUPPORT_COUNTED, NULL, note                                          \
	}
#define REFUSED(number, name, note)                                                                \
	{                                                                                          \
		number, name, SUPPORT_REFUSED, NULL, note                                          \
	}

#define MESSAGE(name, fields)                                                                      \
	{                                                                                          \
		name, sizeof(fields) / sizeof((fields)[0]), fields                                 \
	}
