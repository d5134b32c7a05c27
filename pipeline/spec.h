// SPDX-License-Identifier: Apache-2.0
#pragma once

// What is wanted of the node: ports, workers, VRFs and routes as plain structs, filled by conf/ (later
// xDS) and compiled by pipeline/compile/compile.c, which is the one place that validates meaning. Everything
// of a file hangs from one node_spec and lives in its arena, the node_spec included.

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "l7/spec.h"
#include "srv6/spec.h"

struct arena;

enum {
	SPEC_MAX_PORTS = 64,
	SPEC_MAX_IFACES = 4096, // ports and sub-interfaces
	SPEC_MAX_VRFS = 4096,
	SPEC_MAX_WORKERS = 64,
	SPEC_MAX_PATHS = 64,	 // next hops of one route
	SPEC_MAX_SOURCES = 4096, // addresses, of all VRFs together
};

// An IPv4 or IPv6 prefix. IPv4 stands in the first four bytes of addr; len counts from there.
struct ip_prefix {
	uint8_t family; // 4 or 6
	uint8_t len;
	struct ip6_addr addr;
};

// An address on an interface; the prefix it lies in becomes a connected route.
struct address_spec {
	struct spec_origin origin;
	struct ip_addr addr;
	uint8_t len;
};

// A layer-3 interface: a port itself (vlan 0) or an 802.1Q sub-interface of it.
struct iface_spec {
	struct spec_origin origin;
	const char *name;      // "p0" or "p0.100"
	const char *port;      // name of the port
	uint16_t vlan;	       // 1..4094; 0: the port's untagged frames
	const char *vrf;       // name; "default" is the underlay
	uint16_t mtu;	       // bytes of IP packet; 0: the port's
	bool sr_trusted;       // packets to SIDs are accepted (RFC 8754 §5)
	bool dispatch;	       // spread flows over the workers by inner-flow hash
	bool accept_ra;	       // default router from router advertisements (RFC 4861)
	const char *l2_policy; // H.Encaps.L2 for every frame; NULL: routed interface
	uint32_t n_addresses;
	const struct address_spec *addresses;
};

struct port_spec {
	struct spec_origin origin;
	const char *name;
	const char *device; // DPDK device name with arguments: "net_tap0,iface=tap0"
	uint16_t mtu;	    // bytes of IP packet; 0: 1500
	uint16_t n_rxq;	    // 0: one per worker, or as many as the device has
	uint16_t n_txq;	    // 0: likewise
	uint16_t n_rx_desc; // 0: 1024, or what the device allows
	uint16_t n_tx_desc;
	bool promiscuous;
};

enum route_type {
	ROUTE_VIA,	   // one or more paths
	ROUTE_BLACKHOLE,   // dropped and counted, silently
	ROUTE_UNREACHABLE, // dropped, Destination Unreachable
	ROUTE_POLICY,	   // H.Encaps by a policy
};

struct route_path_spec {
	struct spec_origin origin;
	struct ip_addr via; // gateway; family 0: on the interface's link
	const char *iface;  // NULL: the connected route to via decides
	const char *policy; // instead of via: H.Encaps by this policy; NULL: none
	uint32_t weight;    // 1..255
};

struct route_spec {
	struct spec_origin origin;
	struct ip_prefix prefix;
	enum route_type type;
	const char *policy; // ROUTE_POLICY
	uint32_t n_paths;   // ROUTE_VIA
	const struct route_path_spec *paths;
};

// Addresses that the node speaks to endpoints from. They are the node's own in the VRF.
struct source_spec {
	struct spec_origin origin;
	struct ip_prefix prefix;
};

struct vrf_spec {
	struct spec_origin origin;
	const char *name;
	struct ip_addr icmp_source4; // for ICMP errors when no port of the VRF leads back
	struct ip_addr icmp_source6;
	uint32_t n_routes;
	const struct route_spec *routes;
	uint32_t n_sources;
	const struct source_spec *sources;
};

// A permanent neighbour, for links without ARP or neighbour discovery.
struct neighbor_spec {
	struct spec_origin origin;
	const char *iface;
	struct ip_addr addr;
	uint8_t mac[6];
};

enum idle_mode {
	IDLE_POLL,    // a dedicated core: never sleep
	IDLE_BACKOFF, // pause, then short sleeps
};

struct eal_spec {
	struct spec_origin origin;
	const char *main_core; // core of the control core, "" or NULL: any
	bool huge_pages;
	uint32_t memory_mb; // 0: as needed
	uint32_t n_args;    // passed on to rte_eal_init() as they are
	const char *const *args;
};

struct worker_spec {
	struct spec_origin origin;
	uint16_t n_workers;    // 0: 1
	uint16_t n_cores;      // 0: cores 0..n-1 modulo the machine's
	const uint16_t *cores; // one per worker
	enum idle_mode idle;
	uint32_t idle_sleep_us; // longest sleep of IDLE_BACKOFF; 0: 100
	uint32_t n_mbufs;	// of the pool; 0: by ports and workers
};

// What each worker takes at its start for HTTP routing.
struct l7_memory_spec {
	uint32_t n_flows; // connections of clients; 0: 65536
	uint32_t n_legs;  // connections with endpoints; 0: as many
};

// A server of xDS, over gRPC. Without tls the stream is plain text, never by accident: nothing falls back to it.
struct xds_server_spec {
	struct spec_origin origin;
	const char *host; // name or address
	uint16_t port;
	bool tls;
	const char *ca_file;	 // PEM; NULL: the system's
	const char *cert_file;	 // PEM, with its chain; NULL: no client certificate
	const char *key_file;	 // PEM
	const char *server_name; // for SNI, and what the certificate must be for; NULL: host
	const char *spiffe_id;	 // the URI that the certificate must have instead; NULL: a name
};

// What ctrl/xds/link.c keeps up. Zeros stand for the defaults that it names.
struct xds_transport_spec {
	uint32_t n_servers; // the preferred one first
	const struct xds_server_spec *servers;
	uint32_t connect_timeout_ms; // from the name's look-up to the open stream
	uint32_t keepalive_ms;	     // without a byte from the server, until it is pinged
	uint32_t keepalive_timeout_ms;
	uint32_t max_message_bytes; // of one response
	// Names of secrets that replace cert_file with key_file, and ca_file; NULL: none.
	const char *sds_certificate;
	const char *sds_ca;
};

// How the server is asked: every type on one stream, either way.
enum xds_protocol {
	XDS_SOTW, // state of the world: a response has all of a type's resources, or all that changed
	XDS_DELTA, // incremental
};

// A value of the node's metadata, which the server makes of it what it likes.
enum xds_value_kind {
	XDS_VALUE_STRING,
	XDS_VALUE_NUMBER,
	XDS_VALUE_BOOL,
	XDS_VALUE_GROUP,
	XDS_VALUE_LIST,
};

struct xds_value_spec {
	const char *key; // in a group
	enum xds_value_kind kind;
	const char *string;
	double number;
	bool flag;
	uint32_t n_items; // of a group or a list
	const struct xds_value_spec *items;
};

// Where listeners are put that a server has on an address made for proxies: 0.0.0.0, ::, 127.0.0.1.
struct xds_address_spec {
	struct spec_origin origin;
	struct l7_address from;
	uint16_t from_port; // 0: any
	uint16_t to_port;   // 0: as it was
	uint32_t n_to;
	const struct l7_address *to; // virtual addresses
};

// Likewise for endpoints: which host of which VRF such an address is. What the endpoint says itself of VRF and policy
// wins.
struct xds_endpoint_address_spec {
	struct spec_origin origin;
	struct l7_address from;
	uint16_t from_port; // 0: any
	uint16_t to_port;   // 0: as it was
	struct l7_address to;
	const char *vrf;    // NULL: none
	const char *policy; // likewise
};

struct xds_spec {
	struct spec_origin origin;
	struct xds_transport_spec transport;
	enum xds_protocol protocol;
	const char *node_id;
	const char *node_cluster;	// "": none
	struct xds_value_spec metadata; // a group
	const char *region;		// "": not given; likewise the next two
	const char *zone;
	const char *sub_zone;
	const char *service_network; // of listeners that name none; NULL: they must
	struct spec_origin service_network_origin;
	uint32_t n_addresses; // the first that fits wins
	const struct xds_address_spec *addresses;
	uint32_t n_endpoint_addresses; // likewise
	const struct xds_endpoint_address_spec *endpoint_addresses;
	uint32_t max_resources; // of all types together
	uint64_t fingerprint;	// of what the file says: what another one says takes a restart
};

// What another source than the file adds to it: services, and the policies that lead to their endpoints. Frozen once
// it is made; references are counted, from any thread.
struct spec_layer {
	_Atomic uint32_t n_refs;
	struct l7_spec l7; // service networks: the same array as long as they are the same
	uint32_t n_policies;
	const struct srv6_policy_spec *policies; // likewise
	void (*free_fn)(struct spec_layer *layer);
};

// A file's spec, or one that a layer was put on: file's services first. References are counted, from any thread.
struct node_spec {
	_Atomic uint32_t n_refs;
	struct node_spec *base;	    // the file's own spec; NULL: this is it
	struct spec_layer *layer;   // NULL: there is none
	struct arena *arena;	    // owns every string and array below
	const char *source;	    // file name, for refusals
	const char *hostname;	    // in status; NULL: the machine's
	const char *control_socket; // path of the UNIX socket; NULL: /run/pergola/control.sock
	const char *log_level;	    // "error", "warning", "notice", "info", "debug"; NULL: "info"
	struct eal_spec eal;
	struct worker_spec workers;
	struct l7_memory_spec l7_memory;
	uint32_t icmp_errors_per_s;   // per worker and VRF; 0: 1000
	uint32_t icmp_errors_burst;   // 0: 100
	struct ip6_addr encap_source; // default source of outer headers; unspecified: none
	struct spec_origin encap_source_origin;

	uint32_t n_ports;
	const struct port_spec *ports;
	uint32_t n_ifaces; // the ports themselves come first, in order
	const struct iface_spec *ifaces;
	uint32_t n_vrfs; // [0] is "default"
	const struct vrf_spec *vrfs;
	uint32_t n_neighbors;
	const struct neighbor_spec *neighbors;
	uint32_t n_locators;
	const struct srv6_locator_spec *locators;
	uint32_t n_sids;
	const struct srv6_sid_spec *sids;
	uint32_t n_policies;
	const struct srv6_policy_spec *policies;
	uint32_t n_hmac_keys;
	const struct srv6_hmac_key_spec *hmac_keys;
	struct l7_spec l7;
	const struct xds_spec *xds; // NULL: none
};

// Why something was refused: one line "file:line: key: what is wrong; what would be right".
struct refusal {
	char text[512];
	const struct spec_origin
		*origin; // as long as the refused spec is there; NULL: of the whole
};

// Writes the refusal with its origin in front and returns -EINVAL, so that callers can return it.
int refusal_set(struct refusal *refusal, const struct spec_origin *origin, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

// What a port's zeros stand for.
uint16_t port_spec_mtu(const struct port_spec *port);
uint16_t port_spec_descriptors(uint16_t n_wanted);

// base with a layer on it, which holds a reference to both; with layer NULL base itself. NULL: out of memory.
struct node_spec *node_spec_with_layer(struct node_spec *base, struct spec_layer *layer);

// The file's own part.
static inline const struct node_spec *node_spec_base(const struct node_spec *spec)
{
	return spec->base == NULL ? spec : spec->base;
}

struct node_spec *node_spec_acquire(struct node_spec *spec);
// With the last reference goes the arena. NULL is fine, as below.
void node_spec_release(struct node_spec *spec);

struct spec_layer *spec_layer_acquire(struct spec_layer *layer);
void spec_layer_release(struct spec_layer *layer);
