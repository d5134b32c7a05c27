// SPDX-License-Identifier: Apache-2.0
#pragma once

// Reads a configuration file (libconfig's format; conf/pergola.cfg is the reference) into a node_spec.
// Checks form: keys, types, syntax of addresses, duplicates within the file. What the spec means as a
// whole is checked where it is compiled, pipeline/compile/compile.c.

#include "pipeline/spec.h"

// Returns 0 and a spec that the caller frees with node_spec_release(), or -EINVAL with the reason in
// refusal, -ENOENT and the like when the file cannot be read (refusal says so too), -ENOMEM.
int conf_load_file(const char *path, struct node_spec **spec, struct refusal *refusal);

// The same from memory; source names it in refusals. text need not end in a NUL.
int conf_load_text(const char *text, size_t text_len, const char *source, struct node_spec **spec,
	struct refusal *refusal);
