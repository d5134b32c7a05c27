// SPDX-License-Identifier: Apache-2.0
#pragma once

// Structured log lines on standard error: "<6>reload: live generation=7 routes=12". The <n> prefix is
// sd-daemon's level for journald, left out when standard error is a terminal, which gets time and level
// in words instead. Writing happens on a thread of its own; a full queue drops lines and says how many. Any
// control-side thread may log; workers never do.

enum log_level { // syslog's numbers
	LOG_LEVEL_ERROR = 3,
	LOG_LEVEL_WARNING = 4,
	LOG_LEVEL_NOTICE = 5,
	LOG_LEVEL_INFO = 6,
	LOG_LEVEL_DEBUG = 7,
};

// Starts the thread. Before it and after log_stop() lines are written directly. 0 or -errno.
int log_start(void);
void log_stop(void);

void log_set_level(enum log_level level);
// As a configuration has it; NULL: LOG_LEVEL_INFO, like before the first call.
void log_set_level_name(const char *text);
// -1 when text names no level.
int log_level_from_name(const char *text);

// fmt is an event ("reload: refused"), followed by key=value pairs.
void log_write(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...) log_write(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_write(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_notice(...) log_write(LOG_LEVEL_NOTICE, __VA_ARGS__)
#define log_info(...) log_write(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_write(LOG_LEVEL_DEBUG, __VA_ARGS__)
