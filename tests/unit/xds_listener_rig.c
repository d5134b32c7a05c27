// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/xds_listener_rig.h"

static void init_chain(struct listener_parts *p)
{
	p->address.address = *fixture_address_init(&p->address, "10.9.0.9", 80);
	for (size_t i = 0; i < 2; i++) {
		p->filters[i] = (Xds__Filter)XDS__FILTER__INIT;
		p->filters[i].config_type_case = XDS__FILTER__CONFIG_TYPE_TYPED_CONFIG;
		p->filters[i].typed_config = &p->any;
		p->filter_pointers[i] = &p->filters[i];
		p->chains[i] = &p->chain;
	}
	p->chain = (Xds__FilterChain)XDS__FILTER_CHAIN__INIT;
	p->chain.n_filters = 1;
	p->chain.filters = p->filter_pointers;
	p->message = (Xds__Listener)XDS__LISTENER__INIT;
	p->message.name = (char *)"web";
	p->message.address = &p->address.address;
	p->message.n_filter_chains = 1;
	p->message.filter_chains = p->chains;
}

void rig_listener_init(struct listener_parts *p)
{
	init_chain(p);
	p->empty = (Xds__Empty)XDS__EMPTY__INIT;
	p->source = (Xds__ConfigSource)XDS__CONFIG_SOURCE__INIT;
	p->source.source_case = XDS__CONFIG_SOURCE__SOURCE_ADS;
	p->source.ads = &p->empty;
	p->rds = (Xds__Rds)XDS__RDS__INIT;
	p->rds.config_source = &p->source;
	p->rds.route_config_name = (char *)"main";
	for (size_t i = 0; i < 2; i++) {
		p->http_filters[i] = (Xds__HttpFilter)XDS__HTTP_FILTER__INIT;
		p->http_filters[i].name = (char *)"envoy.filters.http.router";
		p->http_pointers[i] = &p->http_filters[i];
	}
	p->manager = (Xds__HttpConnectionManager)XDS__HTTP_CONNECTION_MANAGER__INIT;
	p->manager.route_specifier_case = XDS__HTTP_CONNECTION_MANAGER__ROUTE_SPECIFIER_RDS;
	p->manager.rds = &p->rds;
	p->manager.n_http_filters = 1;
	p->manager.http_filters = p->http_pointers;
	p->tcp = (Xds__TcpProxy)XDS__TCP_PROXY__INIT;
	p->tcp.cluster_specifier_case = XDS__TCP_PROXY__CLUSTER_SPECIFIER_CLUSTER;
	p->tcp.cluster = (char *)"db";
}

struct xds_resource *rig_accept_http(struct listener_parts *p)
{
	p->any = fixture_any(HTTP_TYPE, &p->manager);
	return fixture_accept(XDS_LISTENER, &p->message);
}

void rig_refuse_http(struct listener_parts *p, const char *text)
{
	p->any = fixture_any(HTTP_TYPE, &p->manager);
	fixture_refuse(XDS_LISTENER, &p->message, text);
}
