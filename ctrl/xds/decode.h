// SPDX-License-Identifier: Apache-2.0
#pragma once

// From a resource's bytes to specs. Refuses what the node does not honour and what would change where a request
// goes, by resource, field path and reason; counts the rest (ctrl/xds/support.h is the table of both).

#include "ctrl/xds/resource.h"

struct xds_spec;

// type is what the resource's Any named; spec: the file's part, for listeners' networks and addresses, of which copies
// are kept (a reload that changes them has listeners decoded again). Returns 0 and a resource with one reference, or
// -EINVAL with the refusal, or -ENOMEM. Any thread; takes microseconds. A refusal is printable ASCII but for what
// texts of the server it quotes from later checks of the specs: those are UTF-8 and may have line breaks, until they
// are cleaned (wire_clean()).
int xds_decode(enum xds_type type, const uint8_t *bytes, size_t n_bytes,
	const struct xds_spec *spec, struct xds_resource **resource, struct refusal *refusal);
