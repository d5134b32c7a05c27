// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the decoders share: a resource on its way from messages to specs, and paths in it for refusals. A decoder
// finds messages that were looked through already (support.h): no text has a NUL, no refused field is set. Texts
// of messages last as long as the decoding; what specs keep is copied. All functions that return int return 0, or
// -EINVAL with the refusal, or -ENOMEM.

#include <stdbool.h>
#include <stdint.h>

#include <protobuf-c/protobuf-c.h>

#include "ctrl/xds/proto/cluster.pb-c.h"
#include "ctrl/xds/proto/core.pb-c.h"
#include "ctrl/xds/proto/endpoint.pb-c.h"
#include "ctrl/xds/proto/extensions.pb-c.h"
#include "ctrl/xds/proto/listener.pb-c.h"
#include "ctrl/xds/proto/route.pb-c.h"
#include "ctrl/xds/proto/secret.pb-c.h"
#include "ctrl/xds/resource.h"
#include "ctrl/xds/support.h"

struct xds_spec;

enum {
	DECODE_TEXT_BYTES = 136, // room for a name: a server's text, cut and in quotes
	DECODE_WHAT_BYTES = 160, // "cluster payments"
	DECODE_ALONE = UINT32_MAX,
};

// Where a message stands in its resource.
struct decode_at {
	const struct decode_at *up; // NULL: at the top
	const char *field;
	uint32_t idx; // DECODE_ALONE: the field is not repeated
};

#define DECODE_IN(up, field) (&(const struct decode_at){(up), (field), DECODE_ALONE})
#define DECODE_ITEM(up, field, idx) (&(const struct decode_at){(up), (field), (idx)})

struct decode_ignored {
	struct decode_ignored *next;
	const struct support_field *field;
	struct xds_ignored ignored;
};

struct decode_policy {
	struct decode_policy *next;
	struct srv6_policy_spec spec;
};

struct decode {
	struct xds_resource *resource;
	struct arena *arena;   // the resource's
	struct arena *scratch; // of messages
	ProtobufCAllocator allocator;
	bool no_memory; // the scratch arena is at its end
	const struct xds_spec *spec;
	struct refusal *refusal;
	char what[DECODE_WHAT_BYTES]; // how refusals begin
	struct decode_ignored *ignored;
	struct decode_policy *policies; // made of segments
	uint32_t n_policies;
	uint32_t n_fields; // that were looked at
};

// Of the resource types; each sets its member of the resource.
int decode_listener(struct decode *d, const Xds__Listener *message);
int decode_routes(struct decode *d, const Xds__RouteConfiguration *message);
int decode_cluster(struct decode *d, const Xds__Cluster *message);
int decode_endpoints(struct decode *d, const Xds__ClusterLoadAssignment *message);
int decode_secret(struct decode *d, const Xds__Secret *message);

// A listener's filter.
int decode_http_manager(struct decode *d, const struct decode_at *at, const Xds__Any *any,
	struct xds_listener *listener);
// A configuration that stands in a listener, or is the resource itself. Its name is the caller's business.
int decode_route_configuration(struct decode *d, const struct decode_at *at,
	const Xds__RouteConfiguration *message, struct route_configuration_spec *spec);

// What leads to endpoints.
struct decode_way {
	const char *policy; // NULL: none; likewise below
	const char *vrf;
};

// An assignment. way: what its endpoints have unless they, or their localities, say otherwise. With names, addresses
// may be names, which are listed.
struct decode_names {
	uint32_t n_room;
	uint32_t n;
	struct xds_dns_name *names;
};
int decode_assignment(struct decode *d, const struct decode_at *at,
	const Xds__ClusterLoadAssignment *message, const struct decode_way *way,
	struct decode_names *names, struct xds_assignment *assignment);

// Writes "cluster payments: connect_timeout: ..." and returns -EINVAL.
int decode_refuse(struct decode *d, const struct decode_at *at, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
// In quotes, without characters that would garble a log.
const char *decode_quote(const char *text, char quoted[DECODE_TEXT_BYTES]);

// Something was given that does nothing here.
int decode_count(struct decode *d, const struct decode_at *at);

// From the arena; NULL: out of memory.
void *decode_alloc(struct decode *d, uint32_t n_items, size_t item_bytes);
const struct spec_origin *decode_origin(struct decode *d, const struct decode_at *at);
int decode_text(struct decode *d, const char *text, const char **copy);
// A text that names something: not empty, at most L7_MAX_NAME_LEN.
int decode_name(struct decode *d, const struct decode_at *at, const char *text, const char **copy);

// Looks a message through and unpacks it.
int decode_message(struct decode *d, const struct decode_at *at,
	const struct support_message *support, const ProtobufCMessageDescriptor *descriptor,
	const uint8_t *bytes, size_t n_bytes, const void **message);
// The type of an extension: what follows the last '/' of its URL; "" for none.
const char *decode_type(const Xds__Any *any);
// Any of that type.
int decode_any(struct decode *d, const struct decode_at *at, const struct support_message *support,
	const ProtobufCMessageDescriptor *descriptor, const Xds__Any *any, const void **message);

// Milliseconds, rounded up, at most INT32_MAX; duration NULL: absent_ms.
int decode_duration(struct decode *d, const struct decode_at *at, const Xds__Duration *duration,
	uint32_t absent_ms, uint32_t *ms);
bool decode_is_true(const Xds__BoolValue *value);
// Whose text is an IP address. name: where to leave another text instead of refusing it; NULL: refuse.
int decode_address(struct decode *d, const struct decode_at *at, const Xds__Address *message,
	struct l7_address *address, uint16_t *port, const char **name);
int decode_source(struct decode *d, const struct decode_at *at, const Xds__ConfigSource *source,
	uint32_t *fetch_timeout_ms);
// Written in the message itself. NULL source, or another kind: text is NULL.
void decode_data(const Xds__DataSource *source, const uint8_t **text, size_t *text_len);
// What is no plain text is refused.
int decode_socket(struct decode *d, const struct decode_at *at, const Xds__TransportSocket *socket);
// Configuration of filters that are not there; RBAC's is refused.
int decode_filter_configs(struct decode *d, const struct decode_at *at, size_t n,
	Xds__TypedConfigEntry *const *entries);

// decode_srv6.c: the key pergola.srv6 of metadata, which may be NULL.
int decode_way(struct decode *d, const struct decode_at *at, const Xds__Metadata *metadata,
	struct decode_way *way);
int decode_network(struct decode *d, const struct decode_at *at, const Xds__Metadata *metadata,
	struct xds_listener *listener);
// The policies made so far, each once.
int decode_policies(struct decode *d, struct xds_assignment *assignment);

// ---- decode_balance.c

int decode_balancing(struct decode *d, const Xds__Cluster *message, struct cluster_spec *spec);
