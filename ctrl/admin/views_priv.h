// SPDX-License-Identifier: Apache-2.0
#pragma once

// One handler per resource of the admin server: each answers its reply, now or later. The table of paths
// is in ctrl/admin/admin.c.

struct reply;

void views_status_get(struct reply *reply);
void views_ports_get(struct reply *reply);
void views_neighbors_get(struct reply *reply);
void views_routes_get(struct reply *reply);
void views_services_get(struct reply *reply);
void views_clusters_get(struct reply *reply);
void views_flows_get(struct reply *reply);
void views_sids_get(struct reply *reply);
void views_policies_get(struct reply *reply);
void views_drops_get(struct reply *reply);
void views_nodes_get(struct reply *reply);
void views_xds_get(struct reply *reply);
void views_config_dump_get(struct reply *reply);
void views_metrics_get(struct reply *reply);
void views_reload_post(struct reply *reply);
void views_trace_post(struct reply *reply);
void views_capture_post(struct reply *reply);

// One address and why it goes where it goes; vrf and address have been read from the reply.
struct ip_addr;
void views_route_why_get(struct reply *reply, unsigned int vrf, const struct ip_addr *addr);
