// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the session's files share. A response goes through session_split.c (what is in it), session_apply.c (into the
// store, in slices) and session.c (the answer); requests are written by session_sotw.c or session_delta.c.

#include "ctrl/log.h"
#include "ctrl/xds/proto/discovery.pb-c.h"
#include "ctrl/xds/session.h"
#include "ctrl/xds/store.h"
#include "ctrl/xds/wire.h"

enum {
	SESSION_MAX_ITEMS = 1 << 18,  // resources and removed names of one response
	SESSION_MAX_OTHERS = 1 << 10, // its other fields, known or not
	SESSION_MAX_TOKEN_LEN = 4096, // of a version or a nonce
	SESSION_NACK_BYTES = 8192,    // of what a NACK says
	SESSION_ABSENT_MS = 15000,    // asked for so long, a resource does not exist
	SESSION_NACK_BASE_MS = 1000,  // before an unchanged version is refused again, doubling
	SESSION_NACK_MAX_MS = 30000,
	SESSION_INVALID_ARGUMENT = 3, // gRPC's code of a NACK
};

// The order in which types are asked for, so that what is named is known before what names it.
extern const enum xds_type session_order[XDS_N_TYPES];

// What the error_detail of a NACK says: the first refusals in full, then how many more there are.
struct session_nack {
	char text[SESSION_NACK_BYTES];
	size_t len;
	uint32_t n_refused;
	uint32_t n_unsaid;
	uint64_t signature; // of all of them: the same again is answered slowly
};

// One type of the stream.
struct session_type {
	bool asked;  // on this stream
	bool is_due; // a NACK waits until due_ms
	struct xds_version
		*version; // SotW: of the last response accepted whole; outlives the stream
	char *nonce;	  // NULL: no response on this stream yet
	uint64_t due_ms;
	uint64_t nack_signature; // of the last answer, if it was a NACK; else 0
	uint32_t n_repeats;
	char nack[SESSION_NACK_BYTES];	   // what the last one says
	uint32_t n_seen;		   // responses
	struct session_type_status counts; // numbers and times only
};

enum session_item_kind {
	ITEM_RESOURCE,
	ITEM_HEARTBEAT,
	ITEM_REMOVED, // incremental
	ITEM_ERROR,   // the server has it and cannot say it: resource_errors
	ITEM_UNREADABLE,
};

// One of a response. Points into its bytes.
struct session_item {
	enum session_item_kind kind;
	struct wire raw; // the field; of ITEM_ERROR the status, once indexed
	struct wire name;
	struct wire version; // its own; empty: the response's
	struct wire body;
	bool has_ttl;
	uint64_t ttl_ms;
};

enum session_phase {
	PHASE_FILL,  // find the items
	PHASE_INDEX, // read names, find duplicates
	PHASE_APPLY,
	PHASE_FINISH,
};

// The response that is being worked on.
struct session_response {
	uint8_t *bytes;
	enum xds_type type;
	struct xds_version *version;
	char *nonce;
	uint64_t received_ms;
	uint32_t n_items;
	struct session_item *items;
	struct wire unread; // PHASE_FILL: what no item was made of yet
	uint32_t n_filled;  // items
	uint32_t *seen;	    // item number + 1 by hash of the name; n_seen of them, a power of two
	uint32_t n_seen;
	enum session_phase phase;
	uint32_t next; // item
	bool refused_whole;
	bool keeps_absent; // says nothing of what it does not name
	struct session_nack nack;
};

// What the two variants of the protocol do differently.
struct session_protocol {
	uint32_t removed_field; // of a response; 0: none
	uint32_t removed_names_field;
	uint32_t control_plane_field;
	uint32_t errors_field;
	bool is_wrapped; // resources are Resource messages, not Any
	// Whether a response without a resource says that there is none, for types that are asked for as a whole.
	bool absence_removes;
	// Asks for what is wanted: the first request of a type on a stream, or what changed since. 0 or -ENOMEM.
	int (*ask_fn)(struct session *session, enum xds_type type, uint64_t now_ms);
	// Answers the last response. nack NULL: accepts it. 0 or -ENOMEM.
	int (*answer_fn)(
		struct session *session, enum xds_type type, const char *nack, uint64_t now_ms);
};

extern const struct session_protocol session_sotw;
extern const struct session_protocol session_delta;

struct session {
	const struct xds_spec *spec;
	struct store *store;
	const struct session_ops *ops;
	void *ctx;
	const struct session_protocol *protocol;
	struct arena *arena; // holds node
	const Xds__Node *node;
	struct session_type types[XDS_N_TYPES];
	struct session_response *response; // NULL: none
	struct session_status status;
	uint64_t watch_ms; // when the store's deadlines are to be looked at; UINT64_MAX: not
};

// Types that are asked for as a whole, not by name.
static inline bool session_is_wildcard(enum xds_type type)
{
	return type == XDS_LISTENER || type == XDS_CLUSTER;
}

// session_node.c: who the node is, as every first request says. NULL with errno ENOMEM.
const Xds__Node *session_node_create(struct arena *arena, const struct xds_spec *spec);

// session_split.c. Takes apart a response: 0 and the response, whose items are still to be found; -EBADMSG with why;
// -ENOMEM; -ENOENT: of a type that was not asked for, named by why.
int session_split(struct session *session, const uint8_t *bytes, size_t n_bytes, uint64_t now_ms,
	struct session_response **response, char *why, size_t why_size);
// The next field of it, which may be an item. False: there is none.
bool session_fill(struct session *session, struct session_response *response);
// The next item: what is in it, and whether it may be there.
void session_index(struct session *session, struct session_response *response);
void session_response_destroy(struct session_response *response);

// session_apply.c. The next item into the store.
void session_apply(struct session *session, struct session_response *response);
// What a response of the whole world leaves out is gone.
void session_remove_unseen(struct session *session, struct session_response *response);

// What is held is gone, of whatever type.
void session_remove(struct session *session, struct xds_entry *entry);

// session_nack.c.
void session_nack_add(struct session_nack *nack, uint64_t signature, const char *why);

// session_ask.c: what both variants say.
// Asks for what changed, of all types in order.
void session_ask_all(struct session *session, uint64_t now_ms);
// Answers: at once, or later when the same was refused before.
void session_answer(struct session *session, struct session_response *response, uint64_t now_ms);
// A NACK that waits, now.
void session_answer_due(struct session *session, enum xds_type type, uint64_t now_ms);
// Tells the store what the server knows from a request on: its 15 s begin for what is wanted and not there.
void session_mark_sent(struct session *session, enum xds_type type, uint64_t now_ms);
// 0 or -ENOMEM.
int session_send(struct session *session, const ProtobufCMessage *request);

// Something that has to be said cannot: the stream ends, so that everything is said anew.
void session_give_up(struct session *session, const char *why);

// session_time.c. Call when a deadline of the entry was set.
void session_watch(struct session *session, struct xds_entry *entry);
