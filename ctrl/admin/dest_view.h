// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the compiled tables say, for people and programs: a dest, an address, a prefix as JSON and words.

#include <stdint.h>

#include <jansson.h>

#include "pipeline/spec.h"

struct ctrl;
struct counter;
struct lpm_leaf;
struct policy;
struct sid;

// Adds "kind", "to" (one line of words) and, where the kind has them, "via", "port", "resolved",
// "behavior", "vrf", "policy", "n_paths", "listeners".
void dest_view_add(json_t *row, const struct ctrl *ctrl, uint32_t dest);

// Adds "to", and "vrf", "port", "via", "resolved" and "policy" as the SID's behavior has them.
void dest_view_add_sid(json_t *row, const struct ctrl *ctrl, const struct sid *sid);

json_t *dest_view_ip(const struct ip_addr *addr);
json_t *dest_view_prefix(uint8_t family, const struct ip6_addr *addr, uint8_t len);
json_t *dest_view_leaf(uint8_t family, const struct lpm_leaf *leaf);
json_t *dest_view_mac(const uint8_t mac[6]);

// {"headend", "lists": [{"weight", "segments", what dest_view_add() adds for the first segment}]}
void dest_view_add_policy(json_t *row, const struct ctrl *ctrl, const struct policy *policy);

// Names, "?" where there is none.
const char *dest_view_iface_name(const struct ctrl *ctrl, uint32_t slot);
const char *dest_view_vrf_name(const struct ctrl *ctrl, uint32_t slot);
const char *dest_view_policy_name(const struct ctrl *ctrl, const struct policy *policy);
