// SPDX-License-Identifier: Apache-2.0
#pragma once

// Listeners for the tests of their decoder, in the parts that tests change.

#include "tests/unit/xds_fixture.h"

#define NETWORK "envoy.extensions.filters.network."
#define HTTP_TYPE NETWORK "http_connection_manager.v3.HttpConnectionManager"
#define TCP_TYPE NETWORK "tcp_proxy.v3.TcpProxy"
#define ROUTER_TYPE "envoy.extensions.filters.http.router.v3.Router"
#define CONFIG "listener web: filter_chains[0].filters[0].typed_config"

// A listener as go-control-plane's test driver has it: RDS over the stream, the router by its name only.
struct listener_parts {
	Xds__Listener message;
	struct fixture_address address;
	Xds__FilterChain chain, *chains[2];
	Xds__Filter filters[2], *filter_pointers[2];
	Xds__Any any;
	Xds__HttpConnectionManager manager;
	Xds__Rds rds;
	Xds__ConfigSource source;
	Xds__HttpFilter http_filters[2], *http_pointers[2];
	Xds__TcpProxy tcp;
	Xds__Empty empty;
};

void rig_listener_init(struct listener_parts *p);
// The caller releases it.
struct xds_resource *rig_accept_http(struct listener_parts *p);
void rig_refuse_http(struct listener_parts *p, const char *text);
