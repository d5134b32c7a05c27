// SPDX-License-Identifier: Apache-2.0
#pragma once

// Clusters for the tests of their decoder, in the parts that tests change.

#include "tests/unit/xds_fixture.h"

// An EDS cluster as the simplest servers send it.
struct cluster_parts {
	Xds__Cluster message;
	Xds__EdsClusterConfig eds;
	Xds__ConfigSource source;
	Xds__Empty empty;
};

void rig_cluster_init(struct cluster_parts *p);
