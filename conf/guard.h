// SPDX-License-Identifier: Apache-2.0
#pragma once

// Keeps from libconfig 1.5 what it would answer with worse than a refusal. It ends the process when
// an included file is a directory (its scanner's fatal error), takes 4294968796 for 1500, since
// integers beyond 32 bits lose their upper half unless an L follows, drops "\x00" from strings, so
// that a secret would be shorter than written, and leaks a string that does not end.

#include <stddef.h>

#include "pipeline/spec.h"

// Reads a regular file as a whole. Returns 0 and a text that the caller frees, with a NUL behind
// its text_len bytes; or -errno: -EISDIR, -EFBIG, -ENOENT, ...
int guard_read_file(const char *path, char **text, size_t *text_len);

// Returns 0 when libconfig may see the text and all that it includes, or -EINVAL with the reason.
// include_dir is where included files lie, relative to it; NULL: there must be none.
int guard_check(const char *text, size_t text_len, const char *source, const char *include_dir,
	struct refusal *refusal);
