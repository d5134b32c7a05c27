// SPDX-License-Identifier: Apache-2.0

// srv6_endpoint() against arbitrary SIDs and bytes. An input is a struct fuzz_head, then a packet.
// Beyond what the sanitizers see, what endpoint.h promises is checked: refused packets stay as they
// are, offsets lie within the packet, and fewer contiguous bytes give the same answer or SRV6_MORE.

#include "srv6/endpoint.h"

#include <stdlib.h>

enum {
	IP6_HDR_LEN = 40,
	KEY_ID = 1,
};

struct fuzz_head {
	uint8_t behavior;
	uint8_t flavors;
	uint8_t flags;
	uint8_t csid_block_len;
	uint8_t csid_len;
	uint8_t split; // contiguous bytes of the second run, past the outer header
};

struct result {
	enum srv6_verdict verdict;
	struct srv6_decision decision;
};

static struct hmac_keys *keys;

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
	if (!holds)
		abort();
}

static struct sid read_sid(const struct fuzz_head *head)
{
	const uint8_t block_len = head->csid_block_len % (IP6_ADDR_LEN - 1);
	const uint8_t max_csid_len = IP6_ADDR_LEN - 1 - block_len;

	// Lengths that compile refuses are not the endpoint's to survive.
	return (struct sid){.behavior = head->behavior % SRV6_N_BEHAVIORS,
		.flavors = head->flavors % (2 * SRV6_NEXT_CSID),
		.flags = head->flags & SID_REQUIRE_HMAC,
		.csid_block_len = block_len,
		.csid_len = 1 + head->csid_len % max_csid_len};
}

static void check(const struct result *result, const uint8_t *before, const uint8_t *after,
	uint32_t avail_len)
{
	const uint32_t end_off = IP6_HDR_LEN + before[4] * 256u + before[5];
	const struct srv6_decision *decision = &result->decision;

	require((unsigned)result->verdict < SRV6_N_VERDICTS);
	require(decision->front <= end_off);
	if (result->verdict >= SRV6_MORE)
		require(memcmp(before, after, avail_len) == 0 && decision->front == 0);
	if (result->verdict == SRV6_MORE)
		require(decision->need > avail_len && decision->need <= end_off);
	if (result->verdict == SRV6_LOCAL)
		require(decision->front + decision->upper_off <= end_off);
	if (result->verdict == SRV6_FORWARD || result->verdict == SRV6_INSERT_B6)
		require(decision->front + IP6_HDR_LEN <= avail_len &&
			after[decision->front + 7] == before[7] - 1);
	require(decision->pointer <= end_off);
}

// In memory of its own, so that a byte too many is seen.
static struct result run(const struct sid *sid, const uint8_t *bytes, uint32_t avail_len)
{
	struct result result;
	uint8_t *pkt = malloc(avail_len);

	require(pkt != NULL);
	memcpy(pkt, bytes, avail_len);
	result.verdict = srv6_endpoint(sid, keys, pkt, avail_len, &result.decision);
	check(&result, bytes, pkt, avail_len);
	free(pkt);
	return result;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	const struct srv6_hmac_key_spec spec = {
		.key_id = KEY_ID, .algorithm = SRV6_HMAC_SHA1, .secret_len = 4, .secret = "fuzz"};

	(void)argc;
	(void)argv;
	keys = hmac_keys_create(&spec, 1);
	require(keys != NULL);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const size_t max_len = UINT16_MAX + IP6_HDR_LEN;
	struct fuzz_head head;
	struct result whole, part;
	uint32_t len, part_len;
	struct sid sid;

	if (size < sizeof(head) + IP6_HDR_LEN || size > sizeof(head) + max_len)
		return 0;
	memcpy(&head, data, sizeof(head));
	data += sizeof(head);
	len = size - sizeof(head);
	part_len = IP6_HDR_LEN + head.split % (len - IP6_HDR_LEN + 1);
	sid = read_sid(&head);
	whole = run(&sid, data, len);
	part = run(&sid, data, part_len);
	if (part.verdict != SRV6_MORE)
		require(part.verdict == whole.verdict &&
			part.decision.front == whole.decision.front &&
			part.decision.pointer == whole.decision.pointer);
	return 0;
}
