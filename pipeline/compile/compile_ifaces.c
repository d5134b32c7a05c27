// SPDX-License-Identifier: Apache-2.0

// Interfaces, VRFs, their slots, and the routes that follow from interface addresses.

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pipeline/compile/compile_priv.h"
#include "pipeline/compile/slots.h"
#include "pipeline/packet.h"
#include "pipeline/worker.h"

enum {
	MTU_MIN = 68,	    // RFC 791
	MTU_MIN_IP6 = 1280, // RFC 8200 §5
};

// Keys for slots_carry() out of names.
static struct slot_name *name_keys(uint32_t n,
	const char *(*name_of)(const struct node_spec *, uint32_t), const struct node_spec *spec)
{
	struct slot_name *keys = calloc(n + 1, sizeof(*keys));

	for (uint32_t i = 0; keys != NULL && i < n; i++)
		snprintf(keys[i].text, sizeof(keys[i].text), "%s", name_of(spec, i));
	return keys;
}

static const char *iface_name(const struct node_spec *spec, uint32_t i)
{
	return spec->ifaces[i].name;
}

static const char *vrf_name(const struct node_spec *spec, uint32_t i)
{
	return spec->vrfs[i].name;
}

static const char *policy_name(const struct node_spec *spec, uint32_t i)
{
	return spec->policies[i].name;
}

// Gives n names their slots and returns the names by slot.
static int carry_names(uint32_t n, const char *(*name_of)(const struct node_spec *, uint32_t),
	const struct node_spec *spec, const struct slot_name *old, uint32_t n_old,
	struct slot_name **by_slot, uint32_t *slots, uint32_t *n_slots)
{
	struct slot_name *keys = name_keys(n, name_of, spec);

	if (keys == NULL)
		return -ENOMEM;
	*n_slots = slots_carry(old, n_old, keys, n, sizeof(*keys), slots);
	*by_slot = calloc(*n_slots + 1, sizeof(**by_slot));
	if (*by_slot == NULL || (*n_slots == 0 && n > 0)) {
		free(keys);
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < n; i++)
		(*by_slot)[slots[i]] = keys[i];
	free(keys);
	return 0;
}

static int assign_slots(struct compile *c)
{
	const struct node_spec *spec = c->spec;
	const struct snapshot *live = c->input->live;
	int ret = carry_names(spec->n_ifaces, iface_name, spec, live ? live->iface_names : NULL,
		live ? live->n_ifaces : 0, &c->s->iface_names, c->names.iface_slots,
		&c->s->n_ifaces);

	if (ret == 0)
		ret = carry_names(spec->n_vrfs, vrf_name, spec, live ? live->vrf_names : NULL,
			live ? live->n_vrfs : 0, &c->s->vrf_names, c->names.vrf_slots,
			&c->s->n_vrfs);
	if (ret == 0)
		ret = carry_names(spec->n_policies, policy_name, spec,
			live ? live->policy_names : NULL, live ? live->n_policies : 0,
			&c->s->policy_names, c->names.policy_slots, &c->s->n_policies);
	if (ret != 0)
		return compile_no_memory(c);
	if (c->s->n_vrfs > SPEC_MAX_VRFS || c->s->n_ifaces > SPEC_MAX_IFACES)
		return refusal_set(c->refusal, NULL,
			"more than %d VRFs or %d interfaces, those just removed included",
			SPEC_MAX_VRFS, SPEC_MAX_IFACES);
	if (c->s->n_policies > WORKER_MAX_POLICY_SLOTS)
		return refusal_set(c->refusal, NULL,
			"srv6.policies: more than %d policies, those just removed included",
			WORKER_MAX_POLICY_SLOTS);
	return 0;
}

// RFC 4291 appendix A: the modified EUI-64 of the MAC under fe80::/64.
static struct ip6_addr link_local(const uint8_t *mac)
{
	struct ip6_addr addr = {{0xfe, 0x80}};
	const uint8_t eui[8] = {mac[0] ^ 2, mac[1], mac[2], 0xff, 0xfe, mac[3], mac[4], mac[5]};

	memcpy(addr.b + 8, eui, sizeof(eui));
	return addr;
}

static struct ip6_addr masked(const struct ip6_addr *addr, uint8_t len)
{
	struct ip6_addr out = *addr;

	for (uint32_t bit = len; bit < 128; bit++)
		out.b[bit / 8] &= (uint8_t) ~(0x80 >> bit % 8);
	return out;
}

// RFC 1812 §5.3.5: what goes to all hosts of a link is dropped, and neither looked for nor answered. /31
// has no such addresses (RFC 3021).
static int add_broadcasts(struct compile *c, const struct address_spec *address, uint32_t slot)
{
	const struct ip6_addr *own = &address->addr.addr;
	struct ip6_addr net = masked(own, address->len), all = net;
	char text[COMPILE_TEXT_LEN];
	int ret;

	if (address->addr.family != 4 || address->len > 30)
		return 0;
	for (uint32_t bit = address->len; bit < 32; bit++)
		all.b[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
	if (ip6_addr_equal(own, &net) || ip6_addr_equal(own, &all))
		return refusal_set(c->refusal, &address->origin,
			"addresses: %s is no host's: it means all of its link",
			compile_prefix_text(4, own, address->len, text));
	ret = compile_add_route(c, c->s->ifaces[slot].vrf, 4, &net, 32,
		dest_make(DEST_BLACKHOLE, 0), RANK_CONNECTED, &address->origin);
	return ret != 0 ? ret
			: compile_add_route(c, c->s->ifaces[slot].vrf, 4, &all, 32,
				  dest_make(DEST_BLACKHOLE, 0), RANK_CONNECTED, &address->origin);
}

// The address itself, and its link.
static int add_address(struct compile *c, const struct address_spec *address, uint32_t slot)
{
	struct iface *iface = &c->s->ifaces[slot];
	uint8_t family = address->addr.family;
	uint8_t host_len = family == 4 ? 32 : 128;
	struct ip6_addr net = masked(&address->addr.addr, address->len);
	// The link-local address is the MAC's.
	int ret = compile_check_global(c, &address->origin, "addresses", &address->addr);

	if (ret == 0)
		ret = compile_add_route(c, iface->vrf, family, &address->addr.addr, host_len,
			dest_make(DEST_LOCAL, slot), RANK_LOCAL, &address->origin);
	if (ret == 0)
		ret = add_broadcasts(c, address, slot);
	if (family == 4 && !iface->has_ip4) {
		iface->has_ip4 = true;
		iface->ip4_source = address->addr.addr;
	} else if (family == 6 && !iface->has_ip6) {
		iface->has_ip6 = true;
		iface->ip6_source = address->addr.addr;
	}
	if (ret != 0 || address->len == host_len)
		return ret;
	return compile_add_route(c, iface->vrf, family, &net, address->len,
		dest_make(DEST_CONNECTED, slot), RANK_CONNECTED, &address->origin);
}

static int find_port(struct compile *c, const struct iface_spec *spec, uint32_t *port_idx)
{
	for (uint32_t i = 0; i < c->spec->n_ports; i++)
		if (strcmp(c->spec->ports[i].name, spec->port) == 0) {
			*port_idx = i;
			return 0;
		}
	return refusal_set(c->refusal, &spec->origin, "there is no port \"%s\"", spec->port);
}

static int set_mtu(
	struct compile *c, const struct iface_spec *spec, struct iface *iface, uint16_t port_mtu)
{
	iface->mtu = spec->mtu == 0 ? port_mtu : spec->mtu;
	if (iface->mtu > port_mtu)
		return refusal_set(c->refusal, &spec->origin,
			"%s.mtu: %u is more than the %u of its port", spec->name, iface->mtu,
			port_mtu);
	if (iface->mtu < MTU_MIN)
		return refusal_set(c->refusal, &spec->origin, "%s.mtu: %u is less than %d",
			spec->name, iface->mtu, MTU_MIN);
	for (uint32_t i = 0; i < spec->n_addresses; i++)
		if (spec->addresses[i].addr.family == 6 && iface->mtu < MTU_MIN_IP6)
			return refusal_set(c->refusal, &spec->origin,
				"%s.mtu: %u is less than the %d that IPv6 needs", spec->name,
				iface->mtu, MTU_MIN_IP6);
	return 0;
}

// Which frames of the port belong to the interface.
static int map_frames(
	struct compile *c, const struct iface_spec *spec, const struct iface *iface, uint32_t slot)
{
	struct snapshot *s = c->s;
	uint16_t *vlans;

	if (iface->dpdk_port >= SNAPSHOT_MAX_DPDK_PORTS)
		return refusal_set(c->refusal, &spec->origin, "%s: more than %d ports", spec->name,
			SNAPSHOT_MAX_DPDK_PORTS);
	if (iface->vlan == 0) {
		s->port_iface[iface->dpdk_port] = (uint16_t)slot;
		return 0;
	}
	vlans = s->port_vlans[iface->dpdk_port];
	if (vlans == NULL) {
		vlans = malloc(SNAPSHOT_N_VLANS * sizeof(*vlans));
		if (vlans == NULL)
			return compile_no_memory(c);
		memset(vlans, 0xff, SNAPSHOT_N_VLANS * sizeof(*vlans));
		s->port_vlans[iface->dpdk_port] = vlans;
	}
	if (vlans[iface->vlan] != SNAPSHOT_NO_IFACE)
		return refusal_set(c->refusal, &spec->origin, "%s: VLAN %u is given twice",
			spec->name, iface->vlan);
	vlans[iface->vlan] = (uint16_t)slot;
	return 0;
}

static int set_l2_policy(struct compile *c, const struct iface_spec *spec, struct iface *iface)
{
	const struct srv6_policy_spec *policy;
	uint32_t policy_idx;
	int ret;

	iface->l2_policy = SNAPSHOT_NO_POLICY;
	if (spec->l2_policy == NULL)
		return 0;
	ret = compile_find_policy(c, &spec->origin, "l2_policy", spec->l2_policy, &policy_idx);
	if (ret != 0)
		return ret;
	policy = &c->spec->policies[policy_idx];
	if (policy->headend != SRV6_H_ENCAPS_L2 && policy->headend != SRV6_H_ENCAPS_L2_RED)
		return refusal_set(c->refusal, &spec->origin,
			"%s.l2_policy: \"%s\" is an %s policy; H.Encaps.L2 or H.Encaps.L2.Red is "
			"needed",
			spec->name, policy->name, srv6_headend_name(policy->headend));
	iface->l2_policy = c->names.policy_slots[policy_idx];
	return 0;
}

static int add_iface(struct compile *c, const struct iface_spec *spec, uint32_t slot)
{
	// Without devices (--check) numbers and MACs are made up.
	struct compile_port port = {.mac = {2}};
	struct iface *iface = &c->s->ifaces[slot];
	uint32_t port_idx = 0, vrf_slot = 0;
	int ret = find_port(c, spec, &port_idx);

	if (ret == 0)
		ret = compile_find_vrf(c, &spec->origin, "vrf", spec->vrf, &vrf_slot);
	if (ret != 0)
		return ret;
	port.dpdk_port = (uint16_t)port_idx;
	port.mtu = port_spec_mtu(&c->spec->ports[port_idx]);
	if (c->input->ports != NULL)
		port = c->input->ports[port_idx];
	iface->vrf = (uint16_t)vrf_slot;
	iface->dpdk_port = port.dpdk_port;
	iface->vlan = spec->vlan;
	iface->packet_flags =
		(spec->sr_trusted ? PACKET_SR_TRUSTED : 0) | (spec->dispatch ? PACKET_DISPATCH : 0);
	memcpy(iface->mac, port.mac, sizeof(iface->mac));
	iface->link_local = link_local(port.mac);
	ret = set_mtu(c, spec, iface, port.mtu);
	if (ret == 0)
		ret = map_frames(c, spec, iface, slot);
	if (ret == 0)
		ret = set_l2_policy(c, spec, iface);
	for (uint32_t i = 0; i < spec->n_addresses && ret == 0; i++)
		ret = add_address(c, &spec->addresses[i], slot);
	return ret;
}

// A VRF that keeps its slot has had it since then.
static void set_since(struct compile *c)
{
	const struct snapshot *live = c->input->live;

	for (uint32_t slot = 0; slot < c->s->n_vrfs; slot++) {
		bool kept = live != NULL && slot < live->n_vrfs &&
			    strcmp(c->s->vrf_names[slot].text, live->vrf_names[slot].text) == 0;

		c->s->vrfs[slot].since = kept ? live->vrfs[slot].since : c->s->generation;
	}
}

static int set_icmp_sources(struct compile *c)
{
	for (uint32_t i = 0; i < c->spec->n_vrfs; i++) {
		const struct vrf_spec *spec = &c->spec->vrfs[i];
		struct vrf *vrf = &c->s->vrfs[c->names.vrf_slots[i]];
		int ret = 0;

		if (spec->icmp_source4.family != 0)
			ret = compile_check_global(
				c, &spec->origin, "icmp_source4", &spec->icmp_source4);
		if (ret == 0 && spec->icmp_source6.family != 0)
			ret = compile_check_global(
				c, &spec->origin, "icmp_source6", &spec->icmp_source6);
		if (ret != 0)
			return ret;
		vrf->has_icmp4 = spec->icmp_source4.family == 4;
		vrf->icmp4_source = spec->icmp_source4.addr;
		vrf->has_icmp6 = spec->icmp_source6.family == 6;
		vrf->icmp6_source = spec->icmp_source6.addr;
	}
	return 0;
}

// fe80::/10 in every VRF: ip6_local tells whose it is by the interface.
static int add_link_scope(struct compile *c)
{
	const struct ip6_addr prefix = {{0xfe, 0x80}};
	int ret = 0;

	for (uint32_t i = 0; i < c->spec->n_vrfs && ret == 0; i++)
		ret = compile_add_route(c, c->names.vrf_slots[i], 6, &prefix, 10,
			dest_make(DEST_LOCAL, 0), RANK_LOCAL, &c->spec->vrfs[i].origin);
	return ret;
}

int compile_ifaces(struct compile *c)
{
	int ret = assign_slots(c);

	if (ret != 0)
		return ret;
	c->s->ifaces = calloc(c->s->n_ifaces + 1, sizeof(*c->s->ifaces));
	c->s->vrf_table = vrf_table_create(c->s->n_vrfs);
	c->routes4 = calloc(c->s->n_vrfs, sizeof(*c->routes4));
	c->routes6 = calloc(c->s->n_vrfs, sizeof(*c->routes6));
	c->links4 = calloc(c->s->n_vrfs, sizeof(*c->links4));
	c->links6 = calloc(c->s->n_vrfs, sizeof(*c->links6));
	if (c->s->ifaces == NULL || c->s->vrf_table == NULL || c->routes4 == NULL ||
		c->routes6 == NULL || c->links4 == NULL || c->links6 == NULL)
		return compile_no_memory(c);
	c->s->vrfs = c->s->vrf_table->vrfs;
	for (uint32_t slot = 0; slot < c->s->n_ifaces; slot++)
		c->s->ifaces[slot] =
			(struct iface){.dpdk_port = UINT16_MAX, .l2_policy = SNAPSHOT_NO_POLICY};
	set_since(c);
	ret = set_icmp_sources(c);
	if (ret == 0)
		ret = add_link_scope(c);
	for (uint32_t i = 0; i < c->spec->n_ifaces && ret == 0; i++)
		ret = add_iface(c, &c->spec->ifaces[i], c->names.iface_slots[i]);
	return ret;
}
