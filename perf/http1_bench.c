// SPDX-License-Identifier: Apache-2.0

// TSC clocks to parse an HTTP/1 head, and to write it anew as a proxy does. The heads are what clients
// and servers send; "mixed" takes them in turn, so that branches are not learned from one head alone.
// What is shown is the least, over many short rounds, of a round's mean: shared machines slow down for
// seconds at a time.

#include "l7/http1_edit.h"
#include "l7/http1_head.h"
#include "l7/http1_normal.h"

#include <rte_common.h>
#include <rte_cycles.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum {
	HEADS_PER_ROUND = 240,
	N_ROUNDS = 4000,
	MAX_OUT = 4096,
};

struct sample {
	const char *name;
	const char *text;
};

static const struct sample SAMPLES[] = {
	{"curl", "GET /index.html HTTP/1.1\r\nHost: www.example.com\r\nUser-Agent: curl/7.88.1\r\n"
		 "Accept: */*\r\n\r\n"},
	{"service",
		"POST /v1/orders/4711/items?dry=0 HTTP/1.1\r\nhost: orders.shop.internal:8080\r\n"
		"content-type: application/json\r\ncontent-length: 312\r\n"
		"x-request-id: 7f9c24e5-1b1f-4a41-9cf0-bd3b2e2c9d11\r\n"
		"authorization: Bearer 0f1e2d3c4b5a69788796a5b4c3d2e1f0\r\n"
		"user-agent: orders-client/2.4\r\naccept-encoding: gzip\r\n\r\n"},
	{"browser",
		"GET /catalog/shoes?page=2 HTTP/1.1\r\nHost: www.example.com\r\n"
		"User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:115.0) Gecko/20100101 "
		"Firefox/115.0\r\nAccept: text/html,application/xhtml+xml,application/xml;q=0.9,"
		"image/avif,image/webp,*/*;q=0.8\r\nAccept-Language: en-US,en;q=0.5\r\n"
		"Accept-Encoding: gzip, deflate, br\r\nConnection: keep-alive\r\n"
		"Cookie: session=4d2f8a1c9b; theme=dark\r\n\r\n"},
};

static const struct http1_limits LIMITS = {.request_line_bytes = 8192, .fields_bytes = 61440};

static const struct http1_edits EDITS = {
	.forwarded_for = "192.0.2.1",
	.forwarded_proto = "http",
	.request_id = "0a1b2c3d-4e5f-4789-8abc-def012345678",
};

enum {
	// Envoy Gateway's.
	RULES = HTTP1_RULE_NORMALIZE_PATH | HTTP1_RULE_MERGE_SLASHES |
		HTTP1_RULE_REDIRECT_ESCAPED_SLASHES | HTTP1_RULE_REJECT_UNDERSCORES,
};

static int parse(const struct sample *sample, uint32_t len, struct http1_head *head)
{
	enum http1_reason reason;

	return http1_request_parse((const uint8_t *)sample->text, len, 0, &LIMITS, head, &reason);
}

static int parse_and_edit(const struct sample *sample, uint32_t len, struct http1_head *head)
{
	static uint8_t out[MAX_OUT];
	const int rc = parse(sample, len, head);

	return rc < 0 ? rc
		      : http1_edit_request(
				(const uint8_t *)sample->text, head, &EDITS, out, sizeof(out));
}

// As most heads are: normal already.
static int parse_and_judge(const struct sample *sample, uint32_t len, struct http1_head *head)
{
	const int rc = parse(sample, len, head);

	if (rc > 0 && !http1_is_normal((const uint8_t *)sample->text, head, RULES))
		return -EBADMSG;
	return rc;
}

// Clocks a head; samples are taken in turn.
static double measure(const struct sample *samples, unsigned int n_samples,
	int (*work)(const struct sample *sample, uint32_t len, struct http1_head *head))
{
	static struct http1_head head;
	uint64_t best = UINT64_MAX;
	uint32_t lens[RTE_DIM(SAMPLES)];

	for (unsigned int i = 0; i < n_samples; i++)
		lens[i] = (uint32_t)strlen(samples[i].text);
	for (unsigned int round = 0; round < N_ROUNDS; round++) {
		const uint64_t start = rte_rdtsc_precise();
		int rc = 0;

		for (unsigned int i = 0; i < HEADS_PER_ROUND; i++)
			rc |= work(&samples[i % n_samples], lens[i % n_samples], &head);
		best = RTE_MIN(best, rte_rdtsc_precise() - start);
		if (rc < 0)
			fprintf(stderr, "http1_bench: a head is refused\n");
	}
	return (double)best / HEADS_PER_ROUND;
}

static void run(const char *name, const struct sample *samples, unsigned int n_samples)
{
	size_t n_bytes = 0;

	for (unsigned int i = 0; i < n_samples; i++)
		n_bytes += strlen(samples[i].text);
	printf("%-10s %6zu %10.0f %10.0f %10.0f\n", name, n_bytes / n_samples,
		measure(samples, n_samples, parse), measure(samples, n_samples, parse_and_edit),
		measure(samples, n_samples, parse_and_judge));
}

int main(void)
{
	printf("%-10s %6s %10s %10s %10s\n", "", "", "clocks to", "clocks to", "clocks to");
	printf("%-10s %6s %10s %10s %10s\n", "head", "bytes", "parse", "and edit", "and judge");
	for (size_t i = 0; i < RTE_DIM(SAMPLES); i++)
		run(SAMPLES[i].name, &SAMPLES[i], 1);
	run("mixed", SAMPLES, RTE_DIM(SAMPLES));
	return 0;
}
