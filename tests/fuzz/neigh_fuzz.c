// SPDX-License-Identifier: Apache-2.0

// The ARP, neighbour and listener discovery decoders against arbitrary bytes: the first byte says which, the rest
// is the packet. What is read is written again and must read the same.

#include "ctrl/neigh/neigh_arp.h"
#include "ctrl/neigh/neigh_mld.h"
#include "ctrl/neigh/neigh_nd.h"

#include <errno.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
	if (!holds)
		abort();
}

static void try_arp(const uint8_t *bytes, uint32_t len)
{
	uint8_t written[NEIGH_ARP_LEN];
	struct neigh_arp arp;
	int ret = neigh_arp_parse(bytes, len, &arp);

	require(ret == -EBADMSG || (ret == NEIGH_ARP_LEN && len >= NEIGH_ARP_LEN));
	if (ret < 0)
		return;
	neigh_arp_write(&arp, written);
	require(memcmp(written, bytes, sizeof(written)) == 0);
}

static void try_nd(const uint8_t *bytes, uint32_t len)
{
	uint8_t written[NEIGH_ND_MAX_WRITTEN];
	struct neigh_nd nd, back;
	int ret = neigh_nd_parse(bytes, len, &nd);

	require(ret == -EBADMSG || (ret > 0 && (uint32_t)ret <= len));
	if (ret < 0 || nd.type == NEIGH_ND_ROUTER_ADVERT)
		return;
	len = neigh_nd_write(&nd, written);
	require(len <= sizeof(written));
	require(neigh_nd_parse(written, len, &back) == (int)len);
	require(back.type == nd.type && back.flags == nd.flags && back.has_mac == nd.has_mac);
	require(ip6_addr_equal(&back.src, &nd.src) && ip6_addr_equal(&back.dst, &nd.dst) &&
		ip6_addr_equal(&back.target, &nd.target));
	require(memcmp(back.mac, nd.mac, sizeof(nd.mac)) == 0);
}

static void try_mld(const uint8_t *bytes, uint32_t len)
{
	struct ip6_addr group;
	int ret = neigh_mld_parse_query(bytes, len, &group);

	require(ret == -EBADMSG || (ret > 0 && (uint32_t)ret <= len));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *bytes;
	uint32_t len;

	if (size == 0 || size > UINT16_MAX)
		return 0;
	len = (uint32_t)size - 1;
	// In memory of its own, so that a byte too many is seen.
	bytes = malloc(len);
	require(bytes != NULL || len == 0);
	if (len > 0)
		memcpy(bytes, data + 1, len);
	if (data[0] & 2)
		try_mld(bytes, len);
	else if (data[0] & 1)
		try_nd(bytes, len);
	else
		try_arp(bytes, len);
	free(bytes);
	return 0;
}
