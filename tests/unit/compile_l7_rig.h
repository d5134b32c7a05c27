// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the tests of compiled services share: the pieces of their configurations, and the slots that names have in the
// snapshot of the fixture.

#include "tests/unit/compile_fixture.h"

#define SOURCES "sources = [ \"10.250.0.1\", \"fd00:250::1\" ]; "
#define VRFS                                                                                       \
	"vrfs = ( { name = \"red\"; " SOURCES "}, { name = \"blue\"; " SOURCES                     \
	"}, { name = \"green\"; " SOURCES "} );\n"
#define POLICIES                                                                                   \
	SRV6 "policies = ( { name = \"w\"; segments = [ \"2001:db8:a::1\" ]; },\n"                 \
	     "{ name = \"l2\"; headend = \"H.Encaps.L2\"; segments = [ \"2001:db8:a::2\" ]; } "    \
	     "); };\n"
#define NETWORK "service_networks = ( { name = \"n\"; vrfs = [ \"red\", \"blue\" ]; } );\n"
#define BASE VRFS POLICIES NETWORK // five lines
#define LISTENER(name, addr, port)                                                                 \
	"{ name = \"" name "\"; service_network = \"n\"; addresses = [ \"" addr                    \
	"\" ]; port = " port "; "
#define TO(cluster)                                                                                \
	"virtual_hosts = ( { name = \"h\"; domains = [ \"*\" ]; routes = ( { prefix = \"/\"; "     \
	"cluster = \"" cluster "\"; } ); } ); }"
#define ENDPOINT(addr) "{ address = \"" addr "\"; port = 80; }"

// Slots by name; UINT32_MAX or L7_NO_SLOT: there is none.
uint32_t rig_vrf_slot(const struct fixture *f, const char *name);
uint32_t rig_cluster_slot(const struct fixture *f, const char *name);
uint32_t rig_listener_slot(const struct fixture *f, const char *name);
// The slot of the endpoint 10.2.0.x, in whatever state.
uint32_t rig_endpoint_slot(const struct fixture *f, uint8_t x);
int rig_endpoint_state(const struct fixture *f, uint8_t x);

// What the table of a VRF says of an address in host byte order.
uint32_t rig_look_up4(const struct fixture *f, const char *vrf, uint32_t addr);
