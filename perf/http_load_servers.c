// SPDX-License-Identifier: Apache-2.0

// Servers: each of the node's addresses and ports is one connection, whichever endpoint it leads to.

#include <string.h>

#include "perf/http_load_priv.h"

static const char forwarded_for[] = "\r\nx-forwarded-for: ";

static struct half *servers_of(struct http_load *load)
{
	return &load->halves[HTTP_LOAD_SERVERS];
}

static void add(struct http_load *load, uint32_t idx, uint8_t todo)
{
	http_load_add(load, HTTP_LOAD_SERVERS, idx, todo);
}

// ---- requests

static uint64_t read_number(const char *text)
{
	uint64_t number = 0;

	for (int i = 0; i < NUMBER_LEN; i++) {
		char c = text[i];

		number = number << 4 | (uint64_t)(c <= '9' ? c - '0' : c - 'a' + 10);
	}
	return number;
}

// The client's address, as the node must have written it into an edited head.
static bool has_forwarded_for(const struct http_packet *p, uint32_t addr)
{
	const char *at = memmem(p->data, p->len, forwarded_for, sizeof(forwarded_for) - 1);
	const char *end = (const char *)p->data + p->len;
	uint32_t value = 0;

	if (at == NULL)
		return false;
	for (at += sizeof(forwarded_for) - 1; at < end && *at != '\r'; at++) {
		uint32_t byte = value & 0xff;

		if (*at == '.')
			value <<= 8;
		else
			value = (value & ~0xffu) | ((byte * 10 + (uint32_t)(*at - '0')) & 0xff);
	}
	return value == addr;
}

static bool may_serve(const struct http_load *load, const struct conn *c, uint32_t service)
{
	const struct http_load_config *config = &load->config;
	uint32_t tuple = (uint32_t)(c->number >> 32) % HTTP_LOAD_MAX_TUPLES;
	uint32_t endpoint = (c->peer - HTTP_LOAD_SERVER_NET) % HTTP_LOAD_ENDPOINTS;

	return config->may_serve_fn == NULL ||
	       config->may_serve_fn(config->ctx, service, endpoint,
		       load->halves[HTTP_LOAD_CLIENTS].conns[tuple].epoch);
}

// An unedited head is the client's, byte for byte; an edited one has fields behind the client's.
static bool check_request(
	const struct http_load *load, const struct conn *c, const struct http_packet *p)
{
	static const char end[] = "\r\n\r\n";
	uint32_t tuple = (uint32_t)(c->number >> 32), service = http_load_service_of(load, tuple);
	uint32_t kept = load->request_len - 2;
	char expected[MESSAGE_ROOM];

	http_load_make_request(load, c->number, service, expected);
	if (p->len < load->request_len || memcmp(p->data, expected, kept) != 0 ||
		memcmp(p->data + p->len - 4, end, 4) != 0)
		return false;
	if ((c->peer - HTTP_LOAD_SERVER_NET) / HTTP_LOAD_ENDPOINTS != service ||
		!may_serve(load, c, service))
		return false;
	if (load->config.kind != HTTP_LOAD_KEEPALIVE_EDIT)
		return p->len == load->request_len;
	return has_forwarded_for(p, http_load_client_addr(tuple));
}

static void take_request(struct http_load *load, uint32_t idx, const struct http_packet *p)
{
	struct conn *c = &servers_of(load)->conns[idx];

	if (c->left != 0 || p->len < load->request_len) {
		load->counts.n_wrong++;
		return;
	}
	c->number = read_number((const char *)p->data + 7);
	if (!check_request(load, c, p))
		load->counts.n_wrong++;
	load->counts.n_served++;
	c->left = load->response_head_len + load->body_len;
	// A long response may be long in coming.
	if (!c->is_warm || load->config.kind == HTTP_LOAD_BULK)
		add(load, idx, TODO_ACK);
	c->is_warm = true;
}

// ---- what comes

static void take_syn(struct http_load *load, uint32_t idx, const struct http_packet *p)
{
	struct conn *c = &servers_of(load)->conns[idx];
	bool is_queued = c->is_queued, is_streaming = c->is_streaming;

	if (c->state != STATE_CLOSED) {
		load->counts.n_repeated++;
		return;
	}
	load->isn += 64021;
	*c = (struct conn){
		.snd_nxt = load->isn,
		.snd_una = load->isn,
		.rcv_nxt = p->seq + 1,
		.wnd_end = load->isn + 1,
		.peer = p->dst,
		.scale = p->scale,
		.rcv_mss = p->mss < MSS ? p->mss : MSS,
		.state = STATE_SYN_TAKEN,
		.is_queued = is_queued,
		.is_streaming = is_streaming,
	};
	add(load, idx, TODO_SYN);
}

static void take_fin(struct http_load *load, uint32_t idx)
{
	struct conn *c = &servers_of(load)->conns[idx];

	load->counts.n_legs_gone++;
	if (c->left != 0)
		load->counts.n_wrong++;
	c->state = STATE_CLOSING;
	add(load, idx, TODO_FIN);
}

static bool can_send(const struct conn *c)
{
	uint32_t sent = c->snd_nxt - c->snd_una;

	return c->left > 0 && sent < CWND && seq_before(c->snd_nxt, c->wnd_end);
}

// Long bodies take turns behind whatever is short, but for their first segments.
static void add_data(struct http_load *load, uint32_t idx)
{
	struct conn *c = &servers_of(load)->conns[idx];

	if (c->left == load->response_head_len + load->body_len) {
		add(load, idx, TODO_DATA);
	} else if (!c->is_streaming) {
		c->is_streaming = true;
		queue_put(&load->streams, idx);
	}
}

static void take_segment(struct http_load *load, uint32_t idx, const struct http_packet *p)
{
	struct conn *c = &servers_of(load)->conns[idx];
	bool is_new = http_load_accept(load, HTTP_LOAD_SERVERS, idx, p);

	if (c->state == STATE_SYN_TAKEN && c->snd_una == c->snd_nxt) {
		c->state = STATE_OPEN;
		load->counts.n_legs++;
	}
	if (is_new && p->len > 0)
		take_request(load, idx, p);
	if (is_new && (p->flags & TCP_FIN))
		take_fin(load, idx);
	if (c->state == STATE_CLOSING && c->todo == 0 && c->snd_una == c->snd_nxt)
		c->state = STATE_CLOSED;
	if (can_send(c))
		add_data(load, idx);
}

void http_load_server_take(struct http_load *load, const struct http_packet *p)
{
	uint32_t source = p->src - HTTP_LOAD_SOURCE_NET, idx = source << 16 | p->src_port;
	struct conn *c = &servers_of(load)->conns[idx % servers_of(load)->n_conns];

	if (source >= load->config.n_sources || p->dst_port != HTTP_LOAD_PORT ||
		(c->state != STATE_CLOSED && p->dst != c->peer)) {
		load->counts.n_malformed++;
		return;
	}
	if (p->flags & TCP_RST) {
		load->counts.n_legs_gone++;
		c->state = STATE_CLOSED;
		c->todo = 0;
		c->left = 0;
	} else if (p->flags & TCP_SYN) {
		take_syn(load, idx, p);
	} else if (c->state == STATE_CLOSED) {
		load->counts.n_repeated++;
	} else {
		take_segment(load, idx, p);
	}
}

// ---- what goes

static uint32_t min3(uint32_t a, uint32_t b, uint32_t c)
{
	a = a < b ? a : b;
	return a < c ? a : c;
}

// The response is a head, and a body with the number at either end.
static void copy_response(
	const struct http_load *load, const struct conn *c, uint32_t len, char *out)
{
	uint32_t total = load->response_head_len + load->body_len, from = total - c->left;

	memset(out, 'x', len);
	if (from == 0) {
		http_load_make_response_head(load, c->number, out);
		http_load_write_number(c->number, out + load->response_head_len);
	}
	if (len == c->left)
		http_load_write_number(c->number, out + len - NUMBER_LEN);
}

// The last segment is long enough for the number.
static uint32_t segment_len(const struct conn *c)
{
	uint32_t len = min3(c->left, c->rcv_mss, c->wnd_end - c->snd_nxt);

	return c->left > len && c->left - len < NUMBER_LEN && len > NUMBER_LEN ? len - NUMBER_LEN
									       : len;
}

static void put_response(
	struct http_load *load, uint32_t idx, struct http_packet *p, uint8_t *frame)
{
	struct half *h = servers_of(load);
	struct conn *c = &h->conns[idx];

	p->len = segment_len(c);
	copy_response(load, c, p->len, (char *)frame + http_packet_headers_len(&h->link, p));
	c->left -= p->len;
	if (c->left == 0)
		p->flags |= TCP_PSH;
}

static void put_first(struct http_load *load, uint32_t idx, struct http_packet *p, uint8_t *frame)
{
	struct conn *c = &servers_of(load)->conns[idx];

	if (c->todo & TODO_SYN) {
		p->flags = TCP_SYN | TCP_ACK;
		c->todo &= (uint8_t)~TODO_SYN;
	} else if (c->todo & TODO_ACK) {
		c->todo &= (uint8_t)~TODO_ACK;
	} else if (c->todo & TODO_DATA) {
		put_response(load, idx, p, frame);
		c->todo &= (uint8_t)~TODO_DATA;
		if (can_send(c))
			add_data(load, idx);
	} else {
		p->flags |= TCP_FIN;
		c->todo &= (uint8_t)~TODO_FIN;
	}
}

// The connection whose turn it is, or false. Some of those that wait have been reset since.
static bool find_ready(struct http_load *load, uint32_t *idx)
{
	struct half *h = servers_of(load);

	while (!queue_is_empty(&h->ready)) {
		*idx = queue_first(&h->ready);
		if (h->conns[*idx].todo != 0)
			return true;
		h->conns[*idx].is_queued = false;
		queue_take(&h->ready);
	}
	return false;
}

// A stream goes on until it has sent a burst, or all it has or may.
static bool find_stream(struct http_load *load, uint32_t *idx)
{
	struct half *h = servers_of(load);

	while (!queue_is_empty(&load->streams)) {
		*idx = queue_first(&load->streams);
		if (can_send(&h->conns[*idx]) && load->burst < BURST)
			return true;
		load->burst = 0;
		queue_take(&load->streams);
		if (can_send(&h->conns[*idx]))
			queue_put(&load->streams, *idx);
		else
			h->conns[*idx].is_streaming = false;
	}
	return false;
}

uint32_t http_load_server_next(struct http_load *load, uint8_t *frame, uint32_t *spread)
{
	struct half *h = servers_of(load);
	struct http_packet p = {.src_port = HTTP_LOAD_PORT, .flags = TCP_ACK};
	uint32_t idx;
	bool is_ready = find_ready(load, &idx);

	if (!is_ready && !find_stream(load, &idx))
		return 0;
	*spread = idx >> 16;
	p.src = h->conns[idx].peer;
	p.dst = HTTP_LOAD_SOURCE_NET + (idx >> 16);
	p.dst_port = (uint16_t)idx;
	p.ack = h->conns[idx].rcv_nxt;
	if (is_ready)
		put_first(load, idx, &p, frame);
	else
		put_response(load, idx, &p, frame);
	load->burst += is_ready ? 0 : p.len;
	return http_load_write(load, HTTP_LOAD_SERVERS, &h->conns[idx], &p, frame, idx);
}
