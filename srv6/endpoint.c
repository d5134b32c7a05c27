// SPDX-License-Identifier: Apache-2.0

// srv6_endpoint() first looks at the shapes that real traffic has: nothing or one SRH between the
// outer header and the inner packet. Everything else (options, fragments, ICMPv6, HMAC, short or
// chained buffers) takes walk_headers(), which knows all of it and gives the same verdicts.

#include "srv6/endpoint.h"

#include <assert.h>
#include <netinet/in.h>

#include <rte_branch_prediction.h>
#include <rte_common.h>

enum {
	IP6_HDR_LEN = 40,
	PAYLOAD_LEN_OFF = 4,
	PROTO_OFF = 6,
	HOP_LIMIT_OFF = 7,
	SRC_OFF = 8,
	DST_OFF = 24,
	SEGMENTS_LEFT_OFF = 3, // in the SRH
};

enum inner {
	INNER_IP4 = 1 << 0,
	INNER_IP6 = 1 << 1,
	INNER_ETH = 1 << 2,
};

// What each behavior takes off its outer header. 0: the behavior moves on along the segment list.
static const uint8_t decap_inner[SRV6_N_BEHAVIORS] = {
	[SRV6_END_DX2] = INNER_ETH,
	[SRV6_END_DX4] = INNER_IP4,
	[SRV6_END_DX6] = INNER_IP6,
	[SRV6_END_DT4] = INNER_IP4,
	[SRV6_END_DT6] = INNER_IP6,
	[SRV6_END_DT46] = INNER_IP4 | INNER_IP6,
};

// One packet on its way through one SID. Functions off the fast path take it by value: so it never
// has to exist in memory on the fast path.
struct pass {
	const struct sid *sid;
	const struct hmac_keys *keys;
	uint8_t *pkt;
	uint32_t avail_len;
	uint32_t end_off;
	struct srv6_decision *decision;
};

// Flavors exist for End, End.X and End.T only (RFC 8986 §4.16).
static inline uint8_t flavors_of(const struct sid *sid)
{
	return sid->behavior <= SRV6_END_T ? sid->flavors : 0;
}

static inline struct ip6_addr *destination(uint8_t *pkt)
{
	return (struct ip6_addr *)(pkt + DST_OFF);
}

static inline uint32_t payload_len(const uint8_t *pkt)
{
	return (uint32_t)pkt[PAYLOAD_LEN_OFF] << 8 | pkt[PAYLOAD_LEN_OFF + 1];
}

// Removes the SRH at off, which the byte at proto_off names, by moving what stands before it.
// Returns the bytes that are now free at the front.
static __rte_always_inline uint32_t pop_srh(uint8_t *pkt, uint32_t off, uint32_t proto_off)
{
	const struct srh *srh = (const struct srh *)(pkt + off);
	const uint32_t len = srh_len(srh);
	const uint32_t rest_len = payload_len(pkt) - len;

	pkt[proto_off] = srh->next_header;
	pkt[PAYLOAD_LEN_OFF] = rest_len >> 8;
	pkt[PAYLOAD_LEN_OFF + 1] = rest_len & 0xff;
	if (likely(off == IP6_HDR_LEN)) {
		uint8_t hdr[IP6_HDR_LEN];

		memcpy(hdr, pkt, sizeof(hdr));
		memcpy(pkt + len, hdr, sizeof(hdr));
	} else {
		memmove(pkt + len, pkt, off);
	}
	return len;
}

// RFC 8754 §2.1.2.1: the destination is the current segment, unless a reduced list lacks it. A SID
// that is part of a C-SID container (RFC 9800) sees a shifted destination: the block must agree.
static bool is_current_segment(const struct sid *sid, const uint8_t *pkt, const struct srh *srh)
{
	const size_t cmp_len = sid->csid_block_len != 0 ? sid->csid_block_len : IP6_ADDR_LEN;

	return srh->segments_left > srh->last_entry ||
	       memcmp(pkt + DST_OFF, &srh->segments[srh->segments_left], cmp_len) == 0;
}

// SRV6_FORWARD: the SRH may be acted on.
static __rte_noinline enum srv6_verdict authenticate(struct pass pass, const struct srh *srh)
{
	if (!(pass.sid->flags & SID_REQUIRE_HMAC))
		return SRV6_FORWARD;
	switch (hmac_verify(pass.keys, (const struct ip6_addr *)(pass.pkt + SRC_OFF), srh)) {
	case HMAC_OK:
		break;
	case HMAC_MISSING:
		return SRV6_HMAC_MISSING;
	case HMAC_BAD:
		return SRV6_HMAC_BAD;
	}
	return is_current_segment(pass.sid, pass.pkt, srh) ? SRV6_FORWARD : SRV6_HMAC_BAD;
}

static enum srv6_verdict refuse_srh(struct srv6_decision *decision, uint32_t srh_off)
{
	decision->pointer = srh_off + SEGMENTS_LEFT_OFF;
	return SRV6_BAD_SRH;
}

// RFC 8986 §4.1 S05-S15: SL > 0 at a SID that is not the last.
static __rte_always_inline enum srv6_verdict advance(
	const struct pass *pass, uint32_t off, uint32_t proto_off)
{
	const struct sid *sid = pass->sid;
	uint8_t *pkt = pass->pkt;
	struct srh *srh = (struct srh *)(pkt + off);
	const int max_last_entry = srh->hdr_ext_len / 2 - 1;

	if (pkt[HOP_LIMIT_OFF] <= 1)
		return SRV6_TIME_EXCEEDED;
	if (srh->last_entry > max_last_entry || srh->segments_left > srh->last_entry + 1)
		return refuse_srh(pass->decision, off);
	if (unlikely(sid->flags & SID_REQUIRE_HMAC)) {
		enum srv6_verdict verdict = authenticate(*pass, srh);

		if (verdict != SRV6_FORWARD)
			return verdict;
	}
	pkt[HOP_LIMIT_OFF]--;
	srh->segments_left--;
	*destination(pkt) = srh->segments[srh->segments_left];
	if (sid->behavior >= SRV6_END_B6_ENCAPS)
		return SRV6_INSERT_B6;
	if (srh->segments_left == 0 && (flavors_of(sid) & SRV6_PSP))
		pass->decision->front = pop_srh(pkt, off, proto_off);
	return SRV6_FORWARD;
}

// An SRH with SL > 0, whatever the behavior.
static __rte_always_inline enum srv6_verdict follow_srh(
	const struct pass *pass, uint32_t off, uint32_t proto_off)
{
	if (decap_inner[pass->sid->behavior] != 0)
		return refuse_srh(pass->decision, off);
	return advance(pass, off, proto_off);
}

// USP (RFC 8986 §4.16.2). The walk has succeeded once already.
static __rte_noinline uint32_t strip_srhs(struct pass pass)
{
	struct srh_cursor cursor = {
		.off = IP6_HDR_LEN, .proto_off = PROTO_OFF, .proto = pass.pkt[PROTO_OFF]};
	uint32_t front = 0;

	// What follows a removed header stands, seen from the new front, where that header stood.
	while (srh_walk(pass.pkt + front, pass.avail_len - front, pass.end_off - front, &cursor) ==
		SRH_WALK_SRH) {
		front += pop_srh(pass.pkt + front, cursor.off, cursor.proto_off);
		cursor.proto = pass.pkt[front + cursor.proto_off];
	}
	return front;
}

// RFC 8986 §4.1.1 and §4.16.3: no SRH is left to follow; proto is what stands at off.
static __rte_always_inline enum srv6_verdict receive_upper(
	const struct pass *pass, uint32_t off, uint8_t proto)
{
	const uint8_t flavors = flavors_of(pass->sid);
	struct srv6_decision *decision = pass->decision;
	uint8_t accepted = decap_inner[pass->sid->behavior];

	if (flavors & SRV6_USD)
		accepted = INNER_IP4 | INNER_IP6;
	decision->front = off;
	decision->outer_tc = pass->pkt[0] << 4 | pass->pkt[1] >> 4;
	if (proto == IPPROTO_IPIP && (accepted & INNER_IP4))
		return SRV6_DECAP_IP4;
	if (proto == IPPROTO_IPV6 && (accepted & INNER_IP6))
		return SRV6_DECAP_IP6;
	if (proto == IPPROTO_ETHERNET && (accepted & INNER_ETH))
		return SRV6_DECAP_ETH;

	decision->front = 0;
	if (proto == IPPROTO_ICMPV6) {
		if (flavors & SRV6_USP)
			decision->front = strip_srhs(*pass);
		decision->upper_off = off - decision->front;
		decision->upper_proto = proto;
		return SRV6_LOCAL;
	}
	decision->pointer = off;
	return SRV6_BAD_UPPER;
}

static enum srv6_verdict refuse_walk(
	struct srv6_decision *decision, enum srh_walk_result result, uint32_t off)
{
	switch (result) {
	case SRH_WALK_MORE:
		decision->need = off;
		return SRV6_MORE;
	case SRH_WALK_ROUTING:
		decision->pointer = off;
		return SRV6_BAD_ROUTING_TYPE;
	case SRH_WALK_FRAGMENT:
		return SRV6_FRAGMENT;
	case SRH_WALK_TOO_MANY:
		return SRV6_TOO_MANY_HEADERS;
	default:
		return SRV6_TRUNCATED;
	}
}

static __rte_noinline enum srv6_verdict walk_headers(struct pass pass)
{
	struct srh_cursor cursor = {
		.off = IP6_HDR_LEN, .proto_off = PROTO_OFF, .proto = pass.pkt[PROTO_OFF]};
	bool authentic = !(pass.sid->flags & SID_REQUIRE_HMAC);
	enum srh_walk_result result;

	while ((result = srh_walk(pass.pkt, pass.avail_len, pass.end_off, &cursor)) ==
		SRH_WALK_SRH) {
		const struct srh *srh = (const struct srh *)(pass.pkt + cursor.off);
		enum srv6_verdict verdict;

		if (srh->segments_left > 0)
			return follow_srh(&pass, cursor.off, cursor.proto_off);
		verdict = authenticate(pass, srh);
		if (verdict != SRV6_FORWARD)
			return verdict;
		authentic = true;
		cursor.proto_off = cursor.off;
		cursor.proto = srh->next_header;
		cursor.off += srh_len(srh);
		cursor.n_headers++;
	}
	if (result != SRH_WALK_UPPER)
		return refuse_walk(pass.decision, result, cursor.off);
	if (!authentic)
		return SRV6_HMAC_MISSING;
	return receive_upper(&pass, cursor.off, cursor.proto);
}

// The destination as one number, so that C-SIDs move by shifts.
static inline unsigned __int128 read_destination(uint8_t *pkt)
{
	const struct ip6_addr *dst = destination(pkt);

	return (unsigned __int128)ip6_addr_hi(dst) << 64 | ip6_addr_lo(dst);
}

// The destination's argument, its bits after the block and this node's C-SID, at the top.
static inline unsigned __int128 csid_argument(const struct sid *sid, uint8_t *pkt)
{
	assert(sid->csid_len > 0 && sid->csid_block_len + sid->csid_len < IP6_ADDR_LEN);
	return read_destination(pkt) << 8 * (sid->csid_block_len + sid->csid_len);
}

static __rte_noinline enum srv6_verdict authenticate_shift(struct pass pass)
{
	struct srh_cursor cursor = {
		.off = IP6_HDR_LEN, .proto_off = PROTO_OFF, .proto = pass.pkt[PROTO_OFF]};
	enum srh_walk_result result = srh_walk(pass.pkt, pass.avail_len, pass.end_off, &cursor);

	if (result == SRH_WALK_SRH)
		return authenticate(pass, (const struct srh *)(pass.pkt + cursor.off));
	if (result == SRH_WALK_UPPER)
		return SRV6_HMAC_MISSING;
	return refuse_walk(pass.decision, result, cursor.off);
}

// RFC 9800 §4.1.1: the next C-SID moves up behind the block; any SRH stays as it is.
static __rte_always_inline enum srv6_verdict shift_csid(
	const struct pass *pass, unsigned __int128 argument)
{
	const unsigned block_bits = 8 * pass->sid->csid_block_len;
	const unsigned __int128 behind_block = ~(unsigned __int128)0 >> block_bits;
	unsigned __int128 dst = read_destination(pass->pkt) & ~behind_block;

	if (pass->pkt[HOP_LIMIT_OFF] <= 1)
		return SRV6_TIME_EXCEEDED;
	if (unlikely(pass->sid->flags & SID_REQUIRE_HMAC)) {
		enum srv6_verdict verdict = authenticate_shift(*pass);

		if (verdict != SRV6_FORWARD)
			return verdict;
	}
	dst |= argument >> block_bits;
	pass->pkt[HOP_LIMIT_OFF]--;
	*destination(pass->pkt) = ip6_addr_from((uint64_t)(dst >> 64), (uint64_t)dst);
	return SRV6_FORWARD;
}

// The SID as such, without regard to C-SIDs in its argument.
static __rte_always_inline enum srv6_verdict receive(const struct pass *pass)
{
	const struct srh *srh = (const struct srh *)(pass->pkt + IP6_HDR_LEN);
	uint32_t off = IP6_HDR_LEN;
	uint8_t proto = pass->pkt[PROTO_OFF];

	if (unlikely(pass->sid->flags & SID_REQUIRE_HMAC))
		return walk_headers(*pass);
	if (proto == IPPROTO_ROUTING) {
		const uint32_t limit = RTE_MIN(pass->avail_len, pass->end_off);

		if (limit < off + SRH_FIXED_LEN || srh->routing_type != SRH_ROUTING_TYPE ||
			limit < off + srh_len(srh))
			return walk_headers(*pass);
		if (srh->segments_left > 0)
			return follow_srh(pass, off, PROTO_OFF);
		off += srh_len(srh);
		proto = srh->next_header;
	}
	if (proto == IPPROTO_IPIP || proto == IPPROTO_IPV6 || proto == IPPROTO_ETHERNET)
		return receive_upper(pass, off, proto);
	return walk_headers(*pass);
}

static __rte_always_inline struct pass start_pass(const struct sid *sid,
	const struct hmac_keys *keys, uint8_t *pkt, uint32_t avail_len,
	struct srv6_decision *decision)
{
	*decision = (struct srv6_decision){0};
	return (struct pass){.sid = sid,
		.keys = keys,
		.pkt = pkt,
		.avail_len = avail_len,
		.end_off = IP6_HDR_LEN + payload_len(pkt),
		.decision = decision};
}

// RFC 9800 §4.1: an empty argument falls back to the plain behavior. The parameters stay in
// registers, where a struct pass would be copied through memory.
static __rte_noinline enum srv6_verdict receive_csid(const struct sid *sid,
	const struct hmac_keys *keys, uint8_t *pkt, uint32_t avail_len,
	struct srv6_decision *decision)
{
	const struct pass pass = start_pass(sid, keys, pkt, avail_len, decision);
	const unsigned __int128 argument = csid_argument(sid, pkt);

	return argument != 0 ? shift_csid(&pass, argument) : receive(&pass);
}

enum srv6_verdict srv6_endpoint(const struct sid *sid, const struct hmac_keys *keys, uint8_t *pkt,
	uint32_t avail_len, struct srv6_decision *decision)
{
	struct pass pass;

	if (flavors_of(sid) & SRV6_NEXT_CSID)
		return receive_csid(sid, keys, pkt, avail_len, decision);
	pass = start_pass(sid, keys, pkt, avail_len, decision);
	return receive(&pass);
}
