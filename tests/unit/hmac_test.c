// SPDX-License-Identifier: Apache-2.0

// The known digests were computed with Python's hmac module over the text that hmac.h names, for
// source 2001:db8::1 and the list fc00::, fc00:0:1::, fc00:0:2::.

#include "srv6/hmac.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "tests/unit/guard_page.h"
#include "tests/unit/srv6_packet.h"

enum {
	DIGEST_LEN = 32,
	FLAG_HMAC = 0x08, // what Linux sends
	MAX_SRH_LEN = 512,
};

struct known_digest {
	struct srv6_hmac_key_spec key;
	uint8_t last_entry;
	uint8_t flags;
	uint8_t digest[DIGEST_LEN];
};

#define PASSPHRASE "correct horse battery staple"

static const struct known_digest known[] = {
	{
		.key = {.key_id = 0x01020304,
			.algorithm = SRV6_HMAC_SHA256,
			.secret_len = sizeof(PASSPHRASE) - 1,
			.secret = PASSPHRASE},
		.last_entry = 2,
		.flags = FLAG_HMAC,
		.digest = {0x3e, 0xde, 0xa2, 0x1a, 0x15, 0x80, 0x2d, 0x74, 0x15, 0x1e, 0x6e, 0x09,
			0xe0, 0xb7, 0x91, 0xa1, 0x38, 0x3e, 0xb1, 0x59, 0x5e, 0xc9, 0x6f, 0xde,
			0x04, 0xc5, 0x45, 0x38, 0x25, 0x2e, 0xe2, 0x6a},
	},
	{
		.key = {.key_id = 7,
			.algorithm = SRV6_HMAC_SHA1,
			.secret_len = sizeof(PASSPHRASE) - 1,
			.secret = PASSPHRASE},
		.last_entry = 2,
		.flags = FLAG_HMAC,
		.digest = {0xc4, 0x5d, 0x76, 0x82, 0x5b, 0x60, 0x6a, 0x81, 0xc3, 0xa2, 0x41, 0x07,
			0x24, 0x9d, 0xd3, 0x76, 0x8d, 0x63, 0x7f, 0xc6},
	},
	{
		.key = {.key_id = 0xffffffff,
			.algorithm = SRV6_HMAC_SHA256,
			.secret_len = 64,
			.secret = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18,
				19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35,
				36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 52,
				53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63}},
		.last_entry = 2,
		.digest = {0x6e, 0xd4, 0x0b, 0xef, 0xa0, 0xfc, 0xdf, 0xe5, 0xe3, 0x9b, 0xc7, 0x4e,
			0x96, 0x83, 0x96, 0xa3, 0x0b, 0xaf, 0x18, 0xc1, 0x77, 0x9f, 0xb4, 0x36,
			0x96, 0x06, 0x34, 0x25, 0x67, 0xb1, 0x3f, 0x27},
	},
	{
		.key = {.key_id = 1, .algorithm = SRV6_HMAC_SHA256, .secret_len = 1, .secret = "k"},
		.last_entry = 0,
		.digest = {0xff, 0x8b, 0x8f, 0xf9, 0x59, 0x1d, 0xb0, 0xbd, 0x9b, 0x89, 0xe2, 0x11,
			0xb4, 0x25, 0x6d, 0x8c, 0x48, 0x8d, 0x21, 0x30, 0x27, 0x50, 0x2e, 0x4f,
			0xf5, 0x6d, 0xe7, 0x2e, 0x8e, 0x59, 0xe3, 0xb7},
	},
};

enum {
	N_KNOWN = sizeof(known) / sizeof(known[0]),
};

struct fixture {
	struct guard_page page;
	struct hmac_keys *keys;
	struct ip6_addr source;
};

static int set_up(void **state)
{
	static struct fixture fixture;
	struct srv6_hmac_key_spec specs[N_KNOWN];

	for (size_t i = 0; i < N_KNOWN; i++)
		specs[i] = known[i].key;
	fixture.keys = hmac_keys_create(specs, N_KNOWN);
	fixture.page = guard_page_map();
	fixture.source = srv6_packet_source();
	*state = &fixture;
	return fixture.keys == NULL;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	hmac_keys_destroy(fixture->keys);
	guard_page_unmap(&fixture->page);
	return 0;
}

static void append(uint8_t *bytes, uint32_t *len, const void *tlv, uint32_t tlv_len)
{
	memcpy(bytes + *len, tlv, tlv_len);
	*len += tlv_len;
	((struct srh *)bytes)->hdr_ext_len = (*len - SRH_FIXED_LEN) / 8;
}

// The segment list of a known answer without its TLV. Returns its length.
static uint32_t write_list(uint8_t *bytes, const struct known_digest *answer)
{
	struct srh *srh = (struct srh *)bytes;
	const uint32_t n_segments = answer->last_entry + 1;
	uint32_t len = SRH_FIXED_LEN;

	*srh = (struct srh){.next_header = IPPROTO_IPV6,
		.routing_type = SRH_ROUTING_TYPE,
		.last_entry = answer->last_entry,
		.flags = answer->flags};
	for (uint32_t i = 0; i < n_segments; i++) {
		struct ip6_addr segment = srv6_packet_segment(i);

		append(bytes, &len, &segment, sizeof(segment));
	}
	return len;
}

static void write_tlv(uint8_t tlv[HMAC_TLV_LEN], const struct known_digest *answer)
{
	const uint32_t id_be = rte_cpu_to_be_32(answer->key.key_id);

	memcpy(tlv, (uint8_t[]){SRH_TLV_HMAC, HMAC_TLV_LEN - 2, 0, 0}, 4);
	memcpy(tlv + 4, &id_be, sizeof(id_be));
	memcpy(tlv + 8, answer->digest, DIGEST_LEN);
}

static uint32_t write_signed(uint8_t *bytes, const struct known_digest *answer)
{
	uint32_t len = write_list(bytes, answer);
	uint8_t tlv[HMAC_TLV_LEN];

	write_tlv(tlv, answer);
	append(bytes, &len, tlv, sizeof(tlv));
	return len;
}

static enum hmac_result verify(const struct fixture *fixture, const uint8_t *bytes, uint32_t len)
{
	return hmac_verify(fixture->keys, &fixture->source,
		(const struct srh *)guard_page_place(&fixture->page, bytes, len));
}

static void hmac_known_digests_verify(void **state)
{
	uint8_t bytes[MAX_SRH_LEN];

	for (size_t i = 0; i < N_KNOWN; i++) {
		uint32_t len = write_signed(bytes, &known[i]);

		assert_int_equal(verify(*state, bytes, len), HMAC_OK);
	}
}

static void hmac_insert_writes_the_known_digests(void **state)
{
	const struct fixture *fixture = *state;
	uint8_t wanted[MAX_SRH_LEN], bytes[MAX_SRH_LEN];

	for (size_t i = 0; i < N_KNOWN; i++) {
		uint32_t len = write_signed(wanted, &known[i]);
		uint8_t *placed;

		memcpy(bytes, wanted, len);
		memset(bytes + len - DIGEST_LEN, 0xee, DIGEST_LEN);
		placed = guard_page_place(&fixture->page, bytes, len);
		assert_true(hmac_insert(
			fixture->keys, &fixture->source, (struct srh *)placed, len - HMAC_TLV_LEN));
		assert_memory_equal(placed, wanted, len);
	}
}

static void hmac_any_flipped_bit_of_the_text_is_bad(void **state)
{
	uint8_t bytes[MAX_SRH_LEN];

	for (size_t i = 0; i < N_KNOWN; i++) {
		const uint32_t len = write_signed(bytes, &known[i]);

		for (uint32_t bit = 0; bit < 8 * len; bit++) {
			const uint32_t at = bit / 8;
			const uint32_t tlv = len - HMAC_TLV_LEN;

			// Not covered: next header to SL, tag, and D and the reserved bits of the TLV.
			if (at < 4 || at == 6 || at == 7 || at == tlv + 2 || at == tlv + 3)
				continue;
			bytes[at] ^= 1 << bit % 8;
			assert_int_not_equal(verify(*state, bytes, len), HMAC_OK);
			if (at > tlv + 3)
				assert_int_equal(verify(*state, bytes, len), HMAC_BAD);
			bytes[at] ^= 1 << bit % 8;
		}
		assert_int_equal(verify(*state, bytes, len), HMAC_OK);
	}
}

static void hmac_other_source_is_bad(void **state)
{
	struct fixture other = *(struct fixture *)*state;
	uint8_t bytes[MAX_SRH_LEN];
	uint32_t len = write_signed(bytes, &known[0]);

	other.source.b[15]++;
	assert_int_equal(verify(&other, bytes, len), HMAC_BAD);
}

static void hmac_segments_left_may_change_underway(void **state)
{
	uint8_t bytes[MAX_SRH_LEN];
	uint32_t len = write_signed(bytes, &known[0]);

	((struct srh *)bytes)->segments_left = 2;
	assert_int_equal(verify(*state, bytes, len), HMAC_OK);
}

static void hmac_without_tlv_is_missing(void **state)
{
	uint8_t bytes[MAX_SRH_LEN];
	uint32_t len = write_list(bytes, &known[0]);

	assert_int_equal(verify(*state, bytes, len), HMAC_MISSING);
	append(bytes, &len, (uint8_t[8]){SRH_TLV_PADN, 6}, 8);
	assert_int_equal(verify(*state, bytes, len), HMAC_MISSING);
}

static void hmac_tlv_behind_others_is_found(void **state)
{
	uint8_t bytes[MAX_SRH_LEN];
	uint32_t len = write_list(bytes, &known[0]);
	uint8_t tlv[HMAC_TLV_LEN];

	write_tlv(tlv, &known[0]);
	append(bytes, &len, (uint8_t[16]){SRH_TLV_PAD1, SRH_TLV_PADN, 0, 77, 11}, 16);
	append(bytes, &len, tlv, sizeof(tlv));
	append(bytes, &len, (uint8_t[8]){SRH_TLV_PADN, 6}, 8);
	assert_int_equal(verify(*state, bytes, len), HMAC_OK);
}

static void hmac_tlv_past_the_srh_is_bad(void **state)
{
	uint8_t bytes[MAX_SRH_LEN];
	const uint32_t list_len = write_list(bytes, &known[0]);
	uint32_t len = list_len;

	// A length byte that reaches past the end, then a type in the last byte without a length.
	append(bytes, &len, (uint8_t[8]){77, 7}, 8);
	assert_int_equal(verify(*state, bytes, len), HMAC_BAD);
	len = list_len;
	append(bytes, &len, (uint8_t[8]){77, 5, 0, 0, 0, 0, 0, SRH_TLV_HMAC}, 8);
	assert_int_equal(verify(*state, bytes, len), HMAC_BAD);
}

static void hmac_tlv_of_other_length_is_bad(void **state)
{
	uint8_t bytes[MAX_SRH_LEN];

	for (uint32_t tlv_len = 0; tlv_len < 256; tlv_len++) {
		uint32_t len = write_list(bytes, &known[3]);
		uint8_t tlv[264] = {0};

		if (tlv_len == HMAC_TLV_LEN - 2)
			continue;
		write_tlv(tlv, &known[3]);
		tlv[1] = tlv_len;
		append(bytes, &len, tlv, (2 + tlv_len + 7) & ~7u);
		assert_int_equal(verify(*state, bytes, len), HMAC_BAD);
	}
}

static void hmac_last_entry_past_the_srh_is_bad(void **state)
{
	uint8_t bytes[MAX_SRH_LEN];

	for (uint32_t last_entry = 5; last_entry < 256; last_entry++) {
		uint32_t len = write_signed(bytes, &known[0]);

		((struct srh *)bytes)->last_entry = last_entry;
		assert_int_equal(verify(*state, bytes, len), HMAC_BAD);
	}
	memset(bytes, 0, SRH_FIXED_LEN);
	assert_int_equal(verify(*state, bytes, SRH_FIXED_LEN), HMAC_BAD);
}

static void hmac_unknown_key_is_refused(void **state)
{
	const struct fixture *fixture = *state;
	struct known_digest unknown = known[0];
	uint8_t bytes[MAX_SRH_LEN];
	uint32_t len;

	unknown.key.key_id++;
	len = write_signed(bytes, &unknown);
	assert_int_equal(verify(fixture, bytes, len), HMAC_BAD);
	assert_false(hmac_insert(
		fixture->keys, &fixture->source, (struct srh *)bytes, len - HMAC_TLV_LEN));
	assert_int_equal(hmac_verify(NULL, &fixture->source, (struct srh *)bytes), HMAC_BAD);
}

static void hmac_keys_are_found_by_id(void **state)
{
	const struct fixture *fixture = *state;

	for (size_t i = 0; i < N_KNOWN; i++)
		assert_true(hmac_keys_has(fixture->keys, known[i].key.key_id));
	assert_false(hmac_keys_has(fixture->keys, 0));
	assert_false(hmac_keys_has(fixture->keys, 2));
	assert_false(hmac_keys_has(NULL, 1));
}

static void hmac_keys_without_specs_are_an_empty_table(void **state)
{
	struct hmac_keys *keys = hmac_keys_create(NULL, 0);

	(void)state;
	assert_non_null(keys);
	assert_false(hmac_keys_has(keys, 1));
	hmac_keys_destroy(keys);
	hmac_keys_destroy(NULL);
}

static void expect_refusal(const struct srv6_hmac_key_spec *specs, size_t n_specs, int wanted)
{
	errno = 0;
	assert_null(hmac_keys_create(specs, n_specs));
	assert_int_equal(errno, wanted);
}

static void hmac_keys_wrong_specs_are_refused(void **state)
{
	struct srv6_hmac_key_spec specs[3] = {known[0].key, known[1].key, known[0].key};
	struct srv6_hmac_key_spec spec = known[0].key;

	(void)state;
	expect_refusal(specs, 3, EEXIST);
	spec.key_id = 0;
	expect_refusal(&spec, 1, EINVAL);
	spec = known[0].key;
	spec.secret_len = 0;
	expect_refusal(&spec, 1, EINVAL);
	spec.secret_len = SRV6_MAX_HMAC_KEY_LEN + 1;
	expect_refusal(&spec, 1, EINVAL);
	spec = known[0].key;
	spec.algorithm = 3;
	expect_refusal(&spec, 1, EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hmac_known_digests_verify),
		cmocka_unit_test(hmac_insert_writes_the_known_digests),
		cmocka_unit_test(hmac_any_flipped_bit_of_the_text_is_bad),
		cmocka_unit_test(hmac_other_source_is_bad),
		cmocka_unit_test(hmac_segments_left_may_change_underway),
		cmocka_unit_test(hmac_without_tlv_is_missing),
		cmocka_unit_test(hmac_tlv_behind_others_is_found),
		cmocka_unit_test(hmac_tlv_past_the_srh_is_bad),
		cmocka_unit_test(hmac_tlv_of_other_length_is_bad),
		cmocka_unit_test(hmac_last_entry_past_the_srh_is_bad),
		cmocka_unit_test(hmac_unknown_key_is_refused),
		cmocka_unit_test(hmac_keys_are_found_by_id),
		cmocka_unit_test(hmac_keys_without_specs_are_an_empty_table),
		cmocka_unit_test(hmac_keys_wrong_specs_are_refused),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
