// SPDX-License-Identifier: Apache-2.0

#include "perf/http_load.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "perf/http_load_priv.h"

enum {
	SMALL_BODY_BYTES = 4 * NUMBER_LEN,
	NUMBER_AT_REQUEST = 7, // behind "GET /r/"
};

static const char request_text[] = "GET /r/0000000000000000 HTTP/1.1\r\n"
				   "Host: s00000.lattice.local\r\n"
				   "User-Agent: http_bench/1.0\r\n"
				   "Accept: */*\r\n\r\n";
static const char response_text[] = "HTTP/1.1 200 OK\r\n"
				    "Server: http_bench\r\n"
				    "Date: Mon, 23 Nov 2026 12:00:00 GMT\r\n"
				    "Content-Type: text/plain\r\n"
				    "Content-Length: %u\r\n"
				    "Connection: keep-alive\r\n"
				    "X-Number: 0000000000000000\r\n\r\n";

// The kernel gives pages as they are touched.
static void *map(size_t n, size_t size)
{
	void *memory = mmap(NULL, n * size, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

static void unmap(void *memory, size_t n, size_t size)
{
	if (memory != NULL)
		munmap(memory, n * size);
}

static bool create_queue(struct queue *q, uint32_t n)
{
	q->mask = n - 1;
	q->conns = map(n, sizeof(*q->conns));
	return q->conns != NULL;
}

static void destroy_queue(struct queue *q)
{
	unmap(q->conns, (size_t)q->mask + 1, sizeof(*q->conns));
}

static uint32_t power_above(uint32_t n)
{
	return n <= 1 ? 1 : 1u << (32 - __builtin_clz(n - 1));
}

static bool create_half(struct half *h, const struct http_packet_link *link, uint32_t n_conns)
{
	h->link = *link;
	h->n_conns = n_conns;
	h->conns = map(n_conns, sizeof(*h->conns));
	return h->conns != NULL && create_queue(&h->ready, power_above(n_conns));
}

struct http_load *http_load_create(const struct http_load_config *config)
{
	struct http_load *load = calloc(1, sizeof(*load));

	if (load == NULL)
		return NULL;
	load->config = *config;
	load->isn = 1;
	load->body_len = config->kind == HTTP_LOAD_BULK ? (uint32_t)HTTP_LOAD_BULK_BYTES
							: (uint32_t)SMALL_BODY_BYTES;
	load->request_len = sizeof(request_text) - 1;
	memcpy(load->request, request_text, sizeof(request_text));
	load->response_head_len = (uint32_t)snprintf(
		load->response_head, sizeof(load->response_head), response_text, load->body_len);
	if (create_half(&load->halves[HTTP_LOAD_CLIENTS], &config->links[HTTP_LOAD_CLIENTS],
		    HTTP_LOAD_MAX_TUPLES) &&
		create_half(&load->halves[HTTP_LOAD_SERVERS], &config->links[HTTP_LOAD_SERVERS],
			config->n_sources << 16) &&
		create_queue(&load->delayed, HTTP_LOAD_MAX_TUPLES) &&
		(load->delayed_us = map(HTTP_LOAD_MAX_TUPLES, sizeof(uint32_t))) != NULL &&
		create_queue(&load->resting, HTTP_LOAD_MAX_TUPLES) &&
		create_queue(&load->streams, power_above(config->n_sources << 16)))
		return load;
	http_load_destroy(load);
	errno = ENOMEM;
	return NULL;
}

void http_load_destroy(struct http_load *load)
{
	if (load == NULL)
		return;
	for (int side = 0; side < HTTP_LOAD_N_SIDES; side++) {
		struct half *h = &load->halves[side];

		unmap(h->conns, h->n_conns, sizeof(*h->conns));
		destroy_queue(&h->ready);
	}
	destroy_queue(&load->delayed);
	unmap(load->delayed_us, HTTP_LOAD_MAX_TUPLES, sizeof(uint32_t));
	destroy_queue(&load->resting);
	destroy_queue(&load->streams);
	free(load);
}

void http_load_set_phase(struct http_load *load, enum http_load_phase phase)
{
	load->phase = phase;
}

void http_load_set_time(struct http_load *load, uint64_t now_us)
{
	load->now_us = (uint32_t)now_us;
}

void http_load_set_epoch(struct http_load *load, uint64_t epoch)
{
	load->epoch = epoch;
}

bool http_load_is_settled(const struct http_load *load)
{
	if (load->phase == HTTP_LOAD_OPEN)
		return load->resting.tail - load->resting.head == load->config.n_flows &&
		       queue_is_empty(&load->halves[HTTP_LOAD_CLIENTS].ready);
	return load->n_waiting == 0 && queue_is_empty(&load->streams) &&
	       queue_is_empty(&load->halves[HTTP_LOAD_CLIENTS].ready) &&
	       queue_is_empty(&load->halves[HTTP_LOAD_SERVERS].ready);
}

const struct http_load_counts *http_load_counts(const struct http_load *load)
{
	return &load->counts;
}

// ---- messages

void http_load_write_number(uint64_t number, char *out)
{
	static const char digits[] = "0123456789abcdef";

	for (int i = NUMBER_LEN - 1; i >= 0; i--, number >>= 4)
		out[i] = digits[number & 0xf];
}

void http_load_make_request(
	const struct http_load *load, uint64_t number, uint32_t service, char *out)
{
	char *digit = out + (strstr(load->request, " s0") - load->request) + 2 + 4;

	memcpy(out, load->request, load->request_len);
	http_load_write_number(number, out + NUMBER_AT_REQUEST);
	for (int i = 0; i < 5; i++, service /= 10)
		*digit-- = (char)('0' + service % 10);
}

void http_load_make_response_head(const struct http_load *load, uint64_t number, char *out)
{
	memcpy(out, load->response_head, load->response_head_len);
	http_load_write_number(number, out + load->response_head_len - NUMBER_LEN - 4);
}

// ---- segments

void http_load_add(struct http_load *load, enum http_load_side side, uint32_t idx, uint8_t todo)
{
	struct conn *c = &load->halves[side].conns[idx];

	c->todo |= todo;
	if (c->is_queued)
		return;
	c->is_queued = true;
	queue_put(&load->halves[side].ready, idx);
}

uint32_t http_load_write(struct http_load *load, enum http_load_side side, struct conn *c,
	struct http_packet *p, uint8_t *frame, uint32_t flow_label)
{
	p->seq = c->snd_nxt;
	p->window = UINT16_MAX;
	p->mss = MSS;
	p->scale = WINDOW_SCALE;
	c->snd_nxt += p->len + ((p->flags & (TCP_SYN | TCP_FIN)) != 0);
	c->ack_sent = p->ack;
	load->counts.n_sent[side]++;
	return http_packet_write(frame, &load->halves[side].link, p, flow_label);
}

static void take_ack(struct http_load *load, struct conn *c, const struct http_packet *p)
{
	if (seq_after(p->ack, c->snd_nxt)) {
		load->counts.n_malformed++;
		return;
	}
	if (seq_after(p->ack, c->snd_una))
		c->snd_una = p->ack;
	c->wnd_end = p->ack + ((uint32_t)p->window << c->scale);
}

bool http_load_accept(
	struct http_load *load, enum http_load_side side, uint32_t idx, const struct http_packet *p)
{
	struct conn *c = &load->halves[side].conns[idx];

	if (!(p->flags & TCP_ACK) || (p->flags & TCP_SYN)) {
		load->counts.n_malformed++;
		return false;
	}
	take_ack(load, c, p);
	if (p->len == 0 && !(p->flags & TCP_FIN))
		return false;
	if (p->seq == c->rcv_nxt) {
		c->rcv_nxt += p->len + ((p->flags & TCP_FIN) != 0);
		return true;
	}
	if (seq_before(p->seq, c->rcv_nxt)) {
		load->counts.n_repeated++;
		http_load_add(load, side, idx, TODO_ACK);
	} else {
		load->counts.n_disorder++;
	}
	return false;
}

void http_load_take(
	struct http_load *load, enum http_load_side side, const uint8_t *frame, uint32_t len)
{
	struct http_packet p;

	load->counts.n_taken[side]++;
	if (!http_packet_read(frame, len, &p))
		load->counts.n_malformed++;
	else if (side == HTTP_LOAD_CLIENTS)
		http_load_client_take(load, &p);
	else
		http_load_server_take(load, &p);
}

uint32_t http_load_next(
	struct http_load *load, enum http_load_side side, uint8_t *frame, uint32_t *spread)
{
	return side == HTTP_LOAD_CLIENTS ? http_load_client_next(load, frame, spread)
					 : http_load_server_next(load, frame, spread);
}
