// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the steps of a compile share. The net comes first: interfaces and VRFs (compile_ifaces.c), SIDs and policies
// without their first hops, sources (compile_sources.c). Then services (compile_l7.c), then routes and FIBs
// (compile_routes.c), the policies' first hops (compile_srv6.c) and the search for policies that reach
// themselves (compile_circles.c). A net that did not change is the live one's.

#include "pipeline/compile/compile.h"

struct compile_memory;
struct name_index;

// A route on its way into a FIB.
struct wanted_route {
	struct lpm_route route;
	uint8_t rank; // enum route_rank: of two routes to one prefix the lower stays, if both may be
	const struct spec_origin *origin;
};

enum route_rank {
	RANK_SID,
	RANK_LOCAL,
	RANK_VIRTUAL,
	RANK_SOURCE,
	RANK_STATIC,
	RANK_LOCATOR,
	RANK_CONNECTED,
	RANK_LEARNED,
};

struct route_list {
	struct wanted_route *routes;
	size_t n_routes;
	size_t n_room;
};

// Names of the file's specs: to spec index, and from that to slot.
struct compile_names {
	uint32_t *iface_slots;
	uint32_t *vrf_slots;
	uint32_t *policy_slots;
	uint32_t *sid_slots;
	struct name_index *iface_index;
	struct name_index *vrf_index;
	struct name_index *policy_index;
	struct name_index *network_index;
	struct name_index *cluster_index; // clusters of the file's own layer
};

struct compile {
	const struct compile_input *input;
	const struct node_spec *spec;
	struct refusal *refusal;
	struct snapshot *s;
	struct compile_memory *memory; // never NULL
	bool is_follow_up;	       // what memory has is true of the live snapshot and its spec
	bool shares_net; // interfaces to sources are the live ones; names are the memory's

	uint32_t n_groups_room;
	uint32_t n_adj_room;
	uint8_t *adj_seen; // bit per slot

	struct compile_names names;

	// By VRF slot.
	struct route_list *routes4;
	struct route_list *routes6;
	struct lpm **
		links4; // what follows from interfaces' addresses alone: whose link a gateway is on
	struct lpm **links6;
};

enum {
	COMPILE_NO_NAME = UINT32_MAX,
};

// Names of one kind to spec indexes.
struct name_index *name_index_create(uint32_t n_names);
void name_index_destroy(struct name_index *index);
void name_index_add(struct name_index *index, const char *name, uint32_t spec_idx);
// Sorts; after that lookups are allowed. Returns a name that occurs twice, or NULL.
const char *name_index_finish(struct name_index *index);
uint32_t name_index_find(const struct name_index *index, const char *name);

int compile_no_memory(struct compile *c);
// Instead of the live net, one of this snapshot's own. Services that were compiled already stay.
int compile_unshare_net(struct compile *c);

// Steps; each returns 0 or -errno with the refusal set.
int compile_ifaces(struct compile *c);
int compile_sids(struct compile *c);
int compile_policies(struct compile *c);
// What a policy must be by itself.
int compile_check_policy(struct compile *c, const struct srv6_policy_spec *spec);
// Names that the file's "xds" gives to services that are still to come.
int compile_xds(struct compile *c);
int compile_l7(struct compile *c);
int compile_virtual(struct compile *c);
int compile_sources(struct compile *c);
int compile_routes(struct compile *c);
int compile_first_hops(struct compile *c);
int compile_circles(struct compile *c);
int compile_l7_mtu(struct compile *c);

// Indexes of names; slots are zero. Returns 0, or -EINVAL or -ENOMEM with the refusal set.
int compile_names_create(
	struct compile_names *names, const struct node_spec *spec, struct refusal *refusal);
void compile_names_destroy(struct compile_names *names);

// The slot of a named interface or VRF; refuses unknown names, key says where it stands.
int compile_find_iface(struct compile *c, const struct spec_origin *origin, const char *key,
	const char *name, uint32_t *slot);
int compile_find_vrf(struct compile *c, const struct spec_origin *origin, const char *key,
	const char *name, uint32_t *slot);
int compile_find_policy(struct compile *c, const struct spec_origin *origin, const char *key,
	const char *name, uint32_t *spec_idx);

// compile_addr.c. Refuse what is not the address of one node: unspecified, loopback and group addresses; the
// second one link-local addresses, too.
int compile_check_unicast(struct compile *c, const struct spec_origin *origin, const char *key,
	const struct ip_addr *addr);
int compile_check_global(struct compile *c, const struct spec_origin *origin, const char *key,
	const struct ip_addr *addr);

// Refuses an interface that has no IP because its frames go into an l2_policy.
int compile_check_routed(struct compile *c, const struct spec_origin *origin, uint32_t slot);

// The adjacency slot of a gateway; iface may be NULL: the connected route of the VRF decides.
int compile_gateway(struct compile *c, const struct spec_origin *origin, const char *key,
	uint32_t vrf_slot, const char *iface, const struct ip_addr *addr, uint32_t *adj_slot,
	uint32_t *iface_slot);

// The adjacency slot of a neighbour on a link.
int compile_neighbor(struct compile *c, const struct spec_origin *origin, const char *key,
	uint32_t iface_slot, const struct ip_addr *addr, uint32_t *adj_slot);

int compile_add_route(struct compile *c, uint32_t vrf_slot, uint8_t family,
	const struct ip6_addr *addr, uint8_t len, uint32_t dest, enum route_rank rank,
	const struct spec_origin *origin);

// Of two specs that contradict each other the one to be refused: what a layer brought (it has no line), since the
// file stands by itself; else the later one.
static inline const struct spec_origin *compile_blame(
	const struct spec_origin *earlier, const struct spec_origin *later)
{
	return later->line != 0 && earlier->line == 0 ? earlier : later;
}

// An address or prefix as text, for refusals; out has at least COMPILE_TEXT_LEN bytes.
enum {
	COMPILE_TEXT_LEN = 64,
};
const char *compile_addr_text(uint8_t family, const struct ip6_addr *addr, char *out);
const char *compile_prefix_text(
	uint8_t family, const struct ip6_addr *addr, uint8_t len, char *out);
