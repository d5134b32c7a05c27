// SPDX-License-Identifier: Apache-2.0
#pragma once

// The HMAC TLV of RFC 8754 §2.1.2. Keys are hashed ahead (RFC 2104's inner and outer pads), so that
// a packet costs two finishing rounds and no allocation.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "srv6/spec.h"
#include "srv6/srh.h"

enum {
	HMAC_TLV_LEN = 40, // type, length 38, D and reserved, key id, 32 bytes of digest
};

struct hmac_keys; // immutable after creation; readable by any thread

// Builds the key table. Errors: NULL with errno ENOMEM, EEXIST (key id twice) or EINVAL (key id 0,
// empty or over-long secret, unknown algorithm). The caller frees it with hmac_keys_destroy().
struct hmac_keys *hmac_keys_create(const struct srv6_hmac_key_spec *specs, size_t n_specs);
void hmac_keys_destroy(struct hmac_keys *keys);
bool hmac_keys_has(const struct hmac_keys *keys, uint32_t key_id);

enum hmac_result {
	HMAC_OK,
	HMAC_MISSING, // the SRH has no HMAC TLV
	HMAC_BAD,     // malformed TLV, unknown key, or the digest differs
};

// Verifies the HMAC TLV of srh (srh_len() bytes, all contiguous) in a packet from source. Constant
// time in the digest. Linux's seg6_hmac computes the same text: source, last entry, flags, key id,
// every segment of the list.
enum hmac_result hmac_verify(
	const struct hmac_keys *keys, const struct ip6_addr *source, const struct srh *srh);

// Writes the digest into the HMAC TLV of srh, whose key id field is already set and whose segment
// list is final. The TLV's place is tlv_off bytes from srh. False when the key is unknown.
bool hmac_insert(const struct hmac_keys *keys, const struct ip6_addr *source, struct srh *srh,
	uint32_t tlv_off);
