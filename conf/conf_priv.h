// SPDX-License-Identifier: Apache-2.0
#pragma once

// The parts of a configuration file, each read into the node_spec by a file of its own.

#include "conf/reader.h"

enum {
	CONF_MAX_ITEMS = 1 << 24, // SIDs, routes of a VRF and the like
};

reader_key_fn conf_ports_read;	   // "ports": ports and their interfaces
reader_key_fn conf_neighbors_read; // "neighbors"
reader_key_fn conf_vrfs_read;	   // "vrfs": VRFs and their routes
reader_key_fn conf_srv6_read;	   // "srv6": source, locators, and the following three
reader_key_fn conf_sids_read;	   // "srv6.sids"
reader_key_fn conf_policies_read;  // "srv6.policies"
reader_key_fn conf_hmac_keys_read; // "srv6.hmac_keys"

reader_key_fn conf_service_networks_read;     // "service_networks"
reader_key_fn conf_listeners_read;	      // "listeners"
reader_key_fn conf_route_configurations_read; // "route_configurations"
reader_key_fn conf_clusters_read;	      // "clusters": clusters and their endpoints

reader_key_fn conf_xds_read;	  // "xds"
reader_key_fn conf_xds_read_node; // "xds.node", into a struct xds_spec

// What the readers of services share (conf_l7.c). An item's origin, kept in the arena; the second form refuses a
// name that an earlier item in seen has.
int conf_l7_origin(
	struct reader *reader, const config_setting_t *setting, const struct spec_origin **origin);
int conf_l7_named(struct reader *reader, const config_setting_t *setting, void **seen,
	const char *name, const struct spec_origin **origin);
// Pointers to n items that stand one after the other. NULL: no memory.
void *conf_l7_pointers(struct reader *reader, const void *items, uint32_t n, size_t item_bytes);

// Where requests go, of a route or a TCP listener.
struct conf_choices {
	const struct weighted_cluster_spec *choices;
	uint32_t n_choices;
};

// key->offset: of a struct conf_choices.
reader_key_fn conf_choices_read_cluster;  // "cluster": a name
reader_key_fn conf_choices_read_weighted; // "weighted_clusters"

// The endpoints of a cluster. A locality without an origin is the cluster itself.
struct conf_locality {
	struct locality_spec spec;
	struct endpoint_spec *endpoints;
};

struct conf_localities {
	uint32_t n_localities;
	struct conf_locality *localities;
};

// key->offset: of a struct conf_localities.
reader_key_fn conf_localities_read;	// "localities"
reader_key_fn conf_localities_read_one; // "endpoints": all are in one, of priority 0

// "virtual_hosts" of the struct route_configuration_spec at key->offset.
reader_key_fn conf_virtual_hosts_read;

// Makes the VRF "default" the first one, whether the file has it or not.
int conf_vrfs_place_default(struct reader *reader, struct node_spec *spec);

// The whole file. Fills in what is not zero by default.
int conf_node_read(struct reader *reader, const config_setting_t *root, struct node_spec *spec);
