// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/xds_cluster_rig.h"

void rig_cluster_init(struct cluster_parts *p)
{
	p->empty = (Xds__Empty)XDS__EMPTY__INIT;
	p->source = (Xds__ConfigSource)XDS__CONFIG_SOURCE__INIT;
	p->source.source_case = XDS__CONFIG_SOURCE__SOURCE_ADS;
	p->source.ads = &p->empty;
	p->eds = (Xds__EdsClusterConfig)XDS__EDS_CLUSTER_CONFIG__INIT;
	p->eds.eds_config = &p->source;
	p->message = (Xds__Cluster)XDS__CLUSTER__INIT;
	p->message.name = (char *)"payments";
	p->message.cluster_discovery_type_case = XDS__CLUSTER__CLUSTER_DISCOVERY_TYPE_TYPE;
	p->message.type = XDS__CLUSTER__DISCOVERY__EDS;
	p->message.eds_cluster_config = &p->eds;
}
