// SPDX-License-Identifier: Apache-2.0

// Default routers from router advertisements (RFC 4861 §6.3). The list is small; what changes in it
// is published from the tick, so that a burst of advertisements costs one compile.

#include "ctrl/neigh/neigh_priv.h"

#include <arpa/inet.h>
#include <string.h>

#include "ctrl/log.h"
#include "ctrl/publish.h"

static void log_router(
	const struct neigh *neigh, const char *event, uint16_t iface, const struct ip6_addr *addr)
{
	const struct neigh_link *link = neigh_link_get(neigh, iface);
	char text[INET6_ADDRSTRLEN];

	inet_ntop(AF_INET6, addr, text, sizeof(text));
	log_info("neigh: %s iface=%s router=%s", event, link == NULL ? "-" : link->name, text);
}

static struct neigh_router *find(struct neigh *neigh, uint16_t iface, const struct ip6_addr *addr)
{
	for (uint32_t i = 0; i < neigh->n_routers; i++)
		if (neigh->routers[i].iface == iface &&
			ip6_addr_equal(&neigh->routers[i].addr, addr))
			return &neigh->routers[i];
	return NULL;
}

// The last one takes its place.
static void forget(struct neigh *neigh, struct neigh_router *router, const char *why)
{
	log_router(neigh, why, router->iface, &router->addr);
	*router = neigh->routers[--neigh->n_routers];
	neigh->routers_changed = true;
}

static void add(struct neigh *neigh, uint16_t iface, const struct neigh_nd *advert)
{
	if (neigh->n_routers == NEIGH_MAX_ROUTERS) {
		log_router(neigh, "router refused, too many", iface, &advert->src);
		return;
	}
	neigh->routers[neigh->n_routers++] = (struct neigh_router){.iface = iface,
		.addr = advert->src,
		.expires_ms = neigh->now_ms + advert->router_lifetime_s * UINT64_C(1000)};
	neigh->routers_changed = true;
	log_router(neigh, "router learned", iface, &advert->src);
}

void neigh_router_advertised(struct neigh *neigh, uint16_t iface, const struct neigh_nd *advert)
{
	struct neigh_router *router = find(neigh, iface, &advert->src);

	if (advert->router_lifetime_s == 0) {
		if (router != NULL)
			forget(neigh, router, "router resigned");
		return;
	}
	neigh->links[iface].n_solicits_left = 0;
	if (router == NULL)
		add(neigh, iface, advert);
	else
		router->expires_ms = neigh->now_ms + advert->router_lifetime_s * UINT64_C(1000);
}

void neigh_router_resigned(struct neigh *neigh, uint16_t iface, const struct ip6_addr *addr)
{
	struct neigh_router *router = find(neigh, iface, addr);

	if (router != NULL)
		forget(neigh, router, "router is none any more");
}

void neigh_router_links_changed(struct neigh *neigh)
{
	for (uint32_t i = neigh->n_routers; i-- > 0;) {
		const struct neigh_link *link = neigh_link_get(neigh, neigh->routers[i].iface);

		if (link == NULL || !link->spec->accept_ra || link->created_epoch == neigh->epoch)
			forget(neigh, &neigh->routers[i], "router forgotten with its interface");
	}
}

static void solicit(struct neigh *neigh, struct neigh_link *link)
{
	struct neigh_nd nd = {.type = NEIGH_ND_ROUTER_SOLICIT,
		.src = link->iface.link_local,
		.dst = ip6_addr_from(0xff02ull << 48, 2),
		.has_mac = true};

	memcpy(nd.mac, link->iface.mac, sizeof(nd.mac));
	neigh_send_nd(neigh, link, nd.mac, &nd);
	link->n_solicits_left--;
	link->solicit_ms = neigh->now_ms + NEIGH_ROUTER_SOLICIT_MS;
}

static void publish(struct neigh *neigh)
{
	struct learned_router routers[NEIGH_MAX_ROUTERS] = {0};

	for (uint32_t i = 0; i < neigh->n_routers; i++) {
		const struct neigh_router *router = &neigh->routers[i];

		memcpy(routers[i].iface, neigh->links[router->iface].name,
			sizeof(routers[i].iface));
		routers[i].addr = router->addr;
	}
	neigh->routers_changed = false;
	publish_set_routers(neigh->ctrl->publish, routers, neigh->n_routers);
}

void neigh_router_tick(struct neigh *neigh)
{
	for (uint32_t i = 0; i < neigh->n_links; i++) {
		struct neigh_link *link = &neigh->links[i];

		if (link->n_solicits_left > 0 && link->solicit_ms <= neigh->now_ms)
			solicit(neigh, link);
	}
	for (uint32_t i = neigh->n_routers; i-- > 0;)
		if (neigh->routers[i].expires_ms <= neigh->now_ms)
			forget(neigh, &neigh->routers[i], "router expired");
	if (neigh->routers_changed)
		publish(neigh);
}
