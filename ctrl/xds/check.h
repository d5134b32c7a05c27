// SPDX-License-Identifier: Apache-2.0
#pragma once

// Whether a resource would go live by itself on top of the file, in the compile's own words.

#include "ctrl/xds/resource.h"
#include "pipeline/compile/compile_check.h"

// 0, or -EINVAL or -ENOMEM with the refusal. Takes microseconds. Secrets are fine.
int check_resource(
	struct compile_check *check, const struct xds_resource *resource, struct refusal *refusal);
