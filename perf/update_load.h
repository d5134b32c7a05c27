// SPDX-License-Identifier: Apache-2.0
#pragma once

// What continuous updates cost a worker: rounds of http_bench's keepalive with changes of the services one after
// the other, and without, in turn. The worker is on the first core, what updates it on the second.

#include <stdbool.h>

#include <jansson.h>

// Prints a table and adds a row. Starts EAL: in a process of its own.
void update_load_run(json_t *rows, bool huge_pages);
