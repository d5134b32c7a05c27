// SPDX-License-Identifier: Apache-2.0
#pragma once

// What of a new configuration a running node cannot take up. Different ports cannot be compiled for
// the running devices: such a file is refused. What workers, EAL, the control socket and the xDS client were
// started with just stays as it was until the next start.

#include <stddef.h>

#include "pipeline/spec.h"

struct restart;

// Remembers what the node was started with (copied). NULL with errno ENOMEM.
struct restart *restart_create(const struct node_spec *started);
void restart_destroy(struct restart *restart);

// Ports: 0, or -EINVAL with the reason. Any thread.
int restart_check_ports(
	const struct node_spec *live, const struct node_spec *wanted, struct refusal *refusal);
// All else, in words: which groups of the file wait for a restart; "" when none does. Any thread.
void restart_note(const struct restart *restart, const struct node_spec *wanted, char *text,
	size_t text_size);
