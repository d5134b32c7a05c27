// SPDX-License-Identifier: Apache-2.0
#pragma once

// Whole packets before and after srv6_endpoint(). expect() feeds every prefix of a packet, from the
// bare outer header up: each gives the wanted answer, or SRV6_MORE and leaves the bytes unchanged.

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "srv6/endpoint.h"
#include "tests/unit/guard_page.h"
#include "tests/unit/srv6_packet.h"

enum {
	HOPS = 64,
	OUTER_TC = 0xb9, // of srv6_packet_start()
	INNER_LEN = 48,
	KEY_ID = 9,
	SL_OFF = 43, // of an SRH right behind the outer header
};

struct wanted {
	enum srv6_verdict verdict;
	uint32_t front;
	uint32_t pointer;
	uint32_t upper_off;
};

static struct guard_page page;
static struct hmac_keys *keys;

static inline int set_up(void **state)
{
	const struct srv6_hmac_key_spec spec = {
		.key_id = KEY_ID, .algorithm = SRV6_HMAC_SHA256, .secret_len = 4, .secret = "test"};

	(void)state;
	page = guard_page_map();
	keys = hmac_keys_create(&spec, 1);
	return keys == NULL;
}

static inline int tear_down(void **state)
{
	(void)state;
	guard_page_unmap(&page);
	hmac_keys_destroy(keys);
	return 0;
}

static inline bool is_refusal(enum srv6_verdict verdict)
{
	return verdict >= SRV6_TIME_EXCEEDED;
}

static inline void check_decision(const struct srv6_decision *decision, const struct wanted *wanted)
{
	assert_int_equal(decision->front, wanted->front);
	if (wanted->verdict == SRV6_BAD_SRH || wanted->verdict == SRV6_BAD_UPPER ||
		wanted->verdict == SRV6_BAD_ROUTING_TYPE)
		assert_int_equal(decision->pointer, wanted->pointer);
	if (wanted->verdict == SRV6_LOCAL) {
		assert_int_equal(decision->upper_off, wanted->upper_off);
		assert_int_equal(decision->upper_proto, IPPROTO_ICMPV6);
	}
	if (wanted->verdict >= SRV6_DECAP_IP4 && wanted->verdict <= SRV6_DECAP_ETH)
		assert_int_equal(decision->outer_tc, OUTER_TC);
}

// after: the packet from wanted.front on; NULL: unchanged.
static inline void expect(const struct sid *sid, const struct srv6_packet *before,
	struct wanted wanted, const struct srv6_packet *after)
{
	const uint8_t *rest = after != NULL ? after->b : before->b + wanted.front;
	uint32_t need = 0;

	for (uint32_t avail_len = 40; avail_len <= before->len; avail_len++) {
		struct srv6_decision decision;
		uint8_t *pkt = guard_page_place(&page, before->b, avail_len);
		enum srv6_verdict verdict = srv6_endpoint(sid, keys, pkt, avail_len, &decision);

		if (verdict == SRV6_MORE) {
			assert_in_range(decision.need, avail_len + 1, before->len);
			assert_memory_equal(pkt, before->b, avail_len);
			need = decision.need;
			continue;
		}
		assert_true(avail_len >= need);
		assert_int_equal(verdict, wanted.verdict);
		check_decision(&decision, &wanted);
		if (is_refusal(verdict))
			assert_memory_equal(pkt, before->b, avail_len);
		else if (avail_len > wanted.front)
			assert_memory_equal(pkt + wanted.front, rest, avail_len - wanted.front);
		if (avail_len == before->len && after != NULL)
			assert_int_equal(after->len, before->len - wanted.front);
	}
	assert_true(need <= before->len);
}

static inline void expect_refusal(const struct sid *sid, const struct srv6_packet *before,
	enum srv6_verdict verdict, uint32_t pointer)
{
	expect(sid, before, (struct wanted){.verdict = verdict, .pointer = pointer}, NULL);
}

static inline void expect_forward(
	const struct sid *sid, const struct srv6_packet *before, const struct srv6_packet *after)
{
	expect(sid, before,
		(struct wanted){.verdict = SRV6_FORWARD, .front = before->len - after->len}, after);
}

static inline void expect_decap(const struct sid *sid, const struct srv6_packet *before,
	enum srv6_verdict verdict, uint32_t front)
{
	expect(sid, before, (struct wanted){.verdict = verdict, .front = front}, NULL);
}

static inline void expect_local(const struct sid *sid, const struct srv6_packet *before,
	const struct srv6_packet *after, uint32_t upper_off)
{
	const uint32_t front = before->len - after->len;

	expect(sid, before,
		(struct wanted){.verdict = SRV6_LOCAL, .front = front, .upper_off = upper_off},
		after);
}

static inline struct srv6_packet start(void)
{
	return srv6_packet_start(HOPS, srv6_packet_segment(0));
}

static inline struct srv6_packet plain(uint8_t proto)
{
	struct srv6_packet pkt = start();

	srv6_packet_add(&pkt, proto, INNER_LEN);
	return pkt;
}

// dst is segments_left's entry, as on the wire.
static inline struct srv6_packet routed(uint8_t hop_limit, uint8_t segments_left,
	uint8_t last_entry, uint8_t ext_len, uint8_t proto)
{
	struct srv6_packet pkt = srv6_packet_start(hop_limit, srv6_packet_segment(segments_left));

	srv6_packet_add_srh(&pkt, segments_left, last_entry, ext_len);
	srv6_packet_add(&pkt, proto, INNER_LEN);
	return pkt;
}

// The same packet after its SRH has gone.
static inline struct srv6_packet unrouted(uint8_t hop_limit, uint8_t proto)
{
	struct srv6_packet pkt = srv6_packet_start(hop_limit, srv6_packet_segment(0));

	srv6_packet_add(&pkt, proto, INNER_LEN);
	return pkt;
}

static inline struct sid sid_of(enum srv6_behavior behavior, uint8_t flavors)
{
	return (struct sid){.behavior = behavior, .flavors = flavors};
}
