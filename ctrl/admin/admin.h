// SPDX-License-Identifier: Apache-2.0
#pragma once

// The admin server: JSON over HTTP on a UNIX socket, for pergolactl and `curl --unix-socket`. One
// handler per resource; the views read the control core's state in its loop.

#include "pipeline/spec.h"

struct admin;
struct ctrl;

// Listens on path (its directory is made, a stale socket removed, mode 0660). NULL with the reason.
struct admin *admin_create(struct ctrl *ctrl, const char *path, struct refusal *refusal);
void admin_destroy(struct admin *admin);
