// SPDX-License-Identifier: Apache-2.0

// HMAC(K, text) = H(K ^ opad, H(K ^ ipad, text)). The two hash states after their first block, the
// pads, depend on the key alone: they are computed once and copied for each packet.

#include "srv6/hmac.h"

#include <errno.h>
#include <stdlib.h>

// The EVP interface allocates for every digest; only the low-level contexts can be copied on the
// stack. OpenSSL 3 calls them deprecated.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/crypto.h>
#include <openssl/sha.h>

enum {
	BLOCK_LEN = 64,	 // of both hashes
	DIGEST_LEN = 32, // in the TLV; a shorter one is padded with zeros at its end
	TEXT_HEAD_LEN = 16 + 1 + 1 + 4,
	TLV_HEAD_LEN = 2,
	TLV_KEY_ID_OFF = 4,
	TLV_DIGEST_OFF = 8,
};

_Static_assert((int)SRV6_MAX_HMAC_KEY_LEN <= (int)BLOCK_LEN, "longer keys would have to be hashed");

union hash {
	SHA_CTX sha1;
	SHA256_CTX sha256;
};

struct key {
	uint32_t key_id;
	enum srv6_hmac_algorithm algorithm;
	union hash inner; // the state after K ^ ipad
	union hash outer; // the state after K ^ opad
};

struct hmac_keys {
	size_t n_keys;
	struct key keys[]; // ascending by key_id
};

static void start_hash(union hash *hash, const struct srv6_hmac_key_spec *spec, uint8_t pad)
{
	uint8_t block[BLOCK_LEN] = {0};

	memcpy(block, spec->secret, spec->secret_len);
	for (int i = 0; i < BLOCK_LEN; i++)
		block[i] ^= pad;
	if (spec->algorithm == SRV6_HMAC_SHA1) {
		SHA1_Init(&hash->sha1);
		SHA1_Update(&hash->sha1, block, sizeof(block));
	} else {
		SHA256_Init(&hash->sha256);
		SHA256_Update(&hash->sha256, block, sizeof(block));
	}
	OPENSSL_cleanse(block, sizeof(block));
}

static bool is_valid(const struct srv6_hmac_key_spec *spec)
{
	return spec->key_id != 0 && spec->secret_len > 0 &&
	       spec->secret_len <= SRV6_MAX_HMAC_KEY_LEN &&
	       (spec->algorithm == SRV6_HMAC_SHA1 || spec->algorithm == SRV6_HMAC_SHA256);
}

static int compare_keys(const void *a, const void *b)
{
	uint32_t id_a = ((const struct key *)a)->key_id;
	uint32_t id_b = ((const struct key *)b)->key_id;

	return (id_a > id_b) - (id_a < id_b);
}

static const struct key *find_key(const struct hmac_keys *keys, uint32_t key_id)
{
	const struct key wanted = {.key_id = key_id};

	if (keys == NULL)
		return NULL;
	return bsearch(&wanted, keys->keys, keys->n_keys, sizeof(wanted), compare_keys);
}

static uint32_t read_key_id(const uint8_t *tlv)
{
	uint32_t id_be;

	memcpy(&id_be, tlv + TLV_KEY_ID_OFF, sizeof(id_be));
	return rte_be_to_cpu_32(id_be);
}

static void digest_sha1(const struct key *key, const uint8_t *head, const struct ip6_addr *segments,
	size_t segments_len, uint8_t *digest)
{
	SHA_CTX hash = key->inner.sha1;

	SHA1_Update(&hash, head, TEXT_HEAD_LEN);
	SHA1_Update(&hash, segments, segments_len);
	SHA1_Final(digest, &hash);
	hash = key->outer.sha1;
	SHA1_Update(&hash, digest, SHA_DIGEST_LENGTH);
	SHA1_Final(digest, &hash);
	memset(digest + SHA_DIGEST_LENGTH, 0, DIGEST_LEN - SHA_DIGEST_LENGTH);
}

static void digest_sha256(const struct key *key, const uint8_t *head,
	const struct ip6_addr *segments, size_t segments_len, uint8_t *digest)
{
	SHA256_CTX hash = key->inner.sha256;

	SHA256_Update(&hash, head, TEXT_HEAD_LEN);
	SHA256_Update(&hash, segments, segments_len);
	SHA256_Final(digest, &hash);
	hash = key->outer.sha256;
	SHA256_Update(&hash, digest, SHA256_DIGEST_LENGTH);
	SHA256_Final(digest, &hash);
}

static void compute_digest(const struct key *key, const struct ip6_addr *source,
	const struct srh *srh, uint8_t digest[DIGEST_LEN])
{
	const uint32_t id_be = rte_cpu_to_be_32(key->key_id);
	const size_t segments_len = sizeof(struct ip6_addr) * (srh->last_entry + 1u);
	uint8_t head[TEXT_HEAD_LEN];

	memcpy(head, source, sizeof(*source));
	head[16] = srh->last_entry;
	head[17] = srh->flags;
	memcpy(head + 18, &id_be, sizeof(id_be));
	if (key->algorithm == SRV6_HMAC_SHA1)
		digest_sha1(key, head, srh->segments, segments_len, digest);
	else
		digest_sha256(key, head, srh->segments, segments_len, digest);
}

// Sets *tlv to the first HMAC TLV after the segment list. TLVs of other types are skipped.
static enum hmac_result find_tlv(const struct srh *srh, const uint8_t **tlv)
{
	const uint8_t *bytes = (const uint8_t *)srh;
	const uint32_t end = srh_len(srh);
	uint32_t off = SRH_FIXED_LEN + sizeof(struct ip6_addr) * (srh->last_entry + 1u);

	if (off > end)
		return HMAC_BAD;
	while (off < end) {
		uint32_t tlv_len = 1;

		if (bytes[off] != SRH_TLV_PAD1) {
			if (off + TLV_HEAD_LEN > end)
				return HMAC_BAD;
			tlv_len = TLV_HEAD_LEN + bytes[off + 1];
			if (off + tlv_len > end)
				return HMAC_BAD;
		}
		if (bytes[off] == SRH_TLV_HMAC) {
			*tlv = bytes + off;
			return tlv_len == HMAC_TLV_LEN ? HMAC_OK : HMAC_BAD;
		}
		off += tlv_len;
	}
	return HMAC_MISSING;
}

struct hmac_keys *hmac_keys_create(const struct srv6_hmac_key_spec *specs, size_t n_specs)
{
	struct hmac_keys *keys;

	for (size_t i = 0; i < n_specs; i++) {
		if (!is_valid(&specs[i])) {
			errno = EINVAL;
			return NULL;
		}
	}
	keys = calloc(1, sizeof(*keys) + n_specs * sizeof(keys->keys[0]));
	if (keys == NULL)
		return NULL;
	keys->n_keys = n_specs;
	for (size_t i = 0; i < n_specs; i++) {
		keys->keys[i].key_id = specs[i].key_id;
		keys->keys[i].algorithm = specs[i].algorithm;
		start_hash(&keys->keys[i].inner, &specs[i], 0x36);
		start_hash(&keys->keys[i].outer, &specs[i], 0x5c);
	}
	qsort(keys->keys, n_specs, sizeof(keys->keys[0]), compare_keys);
	for (size_t i = 1; i < n_specs; i++) {
		if (keys->keys[i].key_id == keys->keys[i - 1].key_id) {
			hmac_keys_destroy(keys);
			errno = EEXIST;
			return NULL;
		}
	}
	return keys;
}

void hmac_keys_destroy(struct hmac_keys *keys)
{
	if (keys == NULL)
		return;
	OPENSSL_cleanse(keys->keys, keys->n_keys * sizeof(keys->keys[0]));
	free(keys);
}

bool hmac_keys_has(const struct hmac_keys *keys, uint32_t key_id)
{
	return find_key(keys, key_id) != NULL;
}

enum hmac_result hmac_verify(
	const struct hmac_keys *keys, const struct ip6_addr *source, const struct srh *srh)
{
	const uint8_t *tlv = NULL;
	enum hmac_result found = find_tlv(srh, &tlv);
	uint8_t digest[DIGEST_LEN];
	const struct key *key;

	if (found != HMAC_OK)
		return found;
	key = find_key(keys, read_key_id(tlv));
	if (key == NULL)
		return HMAC_BAD;
	compute_digest(key, source, srh, digest);
	return CRYPTO_memcmp(digest, tlv + TLV_DIGEST_OFF, DIGEST_LEN) == 0 ? HMAC_OK : HMAC_BAD;
}

bool hmac_insert(const struct hmac_keys *keys, const struct ip6_addr *source, struct srh *srh,
	uint32_t tlv_off)
{
	uint8_t *tlv = (uint8_t *)srh + tlv_off;
	const struct key *key = find_key(keys, read_key_id(tlv));

	if (key == NULL)
		return false;
	compute_digest(key, source, srh, tlv + TLV_DIGEST_OFF);
	return true;
}
