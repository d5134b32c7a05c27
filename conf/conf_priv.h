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

// Makes the VRF "default" the first one, whether the file has it or not.
int conf_vrfs_place_default(struct reader *reader, struct node_spec *spec);

// The whole file. Fills in what is not zero by default.
int conf_node_read(struct reader *reader, const config_setting_t *root, struct node_spec *spec);
