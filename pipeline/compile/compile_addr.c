// SPDX-License-Identifier: Apache-2.0

// What an address in a specification may be.

#include "pipeline/compile/compile_priv.h"
#include "pipeline/ip4.h"
#include "pipeline/ip6.h"

static bool is_unicast(const struct ip_addr *addr)
{
	if (addr->family == 4)
		return ip4_first_byte[addr->addr.b[0]] == 0;
	return !ip6_addr_is_unspecified(&addr->addr) && !ip6_is_loopback(&addr->addr) &&
	       !ip6_addr_is_multicast(&addr->addr);
}

int compile_check_unicast(struct compile *c, const struct spec_origin *origin, const char *key,
	const struct ip_addr *addr)
{
	char text[COMPILE_TEXT_LEN];

	if (is_unicast(addr))
		return 0;
	return refusal_set(c->refusal, origin, "%s: %s is no unicast address", key,
		compile_addr_text(addr->family, &addr->addr, text));
}

int compile_check_global(struct compile *c, const struct spec_origin *origin, const char *key,
	const struct ip_addr *addr)
{
	char text[COMPILE_TEXT_LEN];
	int ret = compile_check_unicast(c, origin, key, addr);

	if (ret != 0 || addr->family == 4 || !ip6_addr_is_link_local(&addr->addr))
		return ret;
	return refusal_set(c->refusal, origin,
		"%s: %s means nothing beyond its link; a global or unique local address is needed",
		key, compile_addr_text(6, &addr->addr, text));
}
