// SPDX-License-Identifier: Apache-2.0

// Clients. A connection rests until its turn comes: then it sends the next request, or, where each request
// has a connection of its own, closes, and another one opens. Turns are taken when no other client has
// something to send, so that exchanges in all their stages are under way at any time.

#include <string.h>

#include "perf/http_load_priv.h"

enum {
	MIN_RCV_MSS = 536, // as Linux guesses at first
};

static struct half *clients_of(struct http_load *load)
{
	return &load->halves[HTTP_LOAD_CLIENTS];
}

static void add(struct http_load *load, uint32_t idx, uint8_t todo)
{
	http_load_add(load, HTTP_LOAD_CLIENTS, idx, todo);
}

// ---- turns

// A tuple that was not in use for as long as possible. Sequence numbers go on where its last connection ended.
static void open_next(struct http_load *load)
{
	struct half *h = clients_of(load);
	struct conn *c;
	uint32_t idx;

	do {
		idx = load->next_tuple++ % h->n_conns;
		c = &h->conns[idx];
	} while (c->state != STATE_CLOSED || c->is_queued || c->is_delayed);
	load->isn += 64021;
	*c = (struct conn){
		.snd_nxt = c->snd_nxt + 1 + load->isn % 1000003,
		.state = STATE_SYN_SENT,
		.rcv_mss = MIN_RCV_MSS,
	};
	c->snd_una = c->snd_nxt;
	add(load, idx, TODO_SYN);
}

// Servers that are asked faster than they may answer would only make the node repeat what it sent.
static bool is_enough(const struct http_load *load)
{
	const struct queue *asked = &load->halves[HTTP_LOAD_SERVERS].ready;

	if (load->config.kind == HTTP_LOAD_BULK)
		return load->n_waiting >= HTTP_LOAD_MAX_STREAMS ||
		       asked->tail - asked->head >= MAX_WAITING;
	return load->n_waiting >= MAX_WAITING;
}

static bool take_turn(struct http_load *load)
{
	struct conn *c;
	uint32_t idx;

	if (load->phase == HTTP_LOAD_OPEN && load->n_begun < load->config.n_flows) {
		load->n_begun++;
		open_next(load);
		return true;
	}
	if (load->phase != HTTP_LOAD_RUN || queue_is_empty(&load->resting))
		return false;
	if (is_enough(load))
		return false;
	idx = queue_take(&load->resting);
	c = &clients_of(load)->conns[idx];
	if (c->state != STATE_OPEN) // the node closed it
		return true;
	if (load->config.kind != HTTP_LOAD_CONNECT || !c->is_served) {
		add(load, idx, TODO_DATA);
		return true;
	}
	c->state = STATE_CLOSING;
	add(load, idx, TODO_FIN);
	open_next(load);
	return true;
}

static void rest(struct http_load *load, uint32_t idx)
{
	struct conn *c = &clients_of(load)->conns[idx];

	c->state = STATE_OPEN;
	if (load->config.kind == HTTP_LOAD_CONNECT && load->phase != HTTP_LOAD_OPEN &&
		!c->is_served)
		add(load, idx, TODO_DATA);
	else
		queue_put(&load->resting, idx);
}

// ---- acknowledgements

static void delay_ack(struct http_load *load, uint32_t idx)
{
	struct conn *c = &clients_of(load)->conns[idx];

	c->ack_at_us = load->now_us + DELAYED_ACK_US;
	if (c->is_delayed)
		return;
	c->is_delayed = true;
	load->delayed_us[load->delayed.tail & load->delayed.mask] = c->ack_at_us;
	queue_put(&load->delayed, idx);
}

static bool is_due(const struct http_load *load, uint32_t at_us)
{
	return (int32_t)(load->now_us - at_us) >= 0;
}

// True: a delayed ACK is to be sent now.
static bool take_delayed(struct http_load *load)
{
	while (!queue_is_empty(&load->delayed) &&
		is_due(load, load->delayed_us[load->delayed.head & load->delayed.mask])) {
		uint32_t idx = queue_take(&load->delayed);
		struct conn *c = &clients_of(load)->conns[idx];

		c->is_delayed = false;
		if (c->state == STATE_CLOSED || c->ack_sent == c->rcv_nxt)
			continue;
		if (is_due(load, c->ack_at_us)) {
			add(load, idx, TODO_ACK);
			return true;
		}
		c->is_delayed = true; // it has acknowledged much since, and owes a later ACK
		load->delayed_us[load->delayed.tail & load->delayed.mask] = c->ack_at_us;
		queue_put(&load->delayed, idx);
	}
	return false;
}

static void acknowledge(struct http_load *load, uint32_t idx)
{
	struct conn *c = &clients_of(load)->conns[idx];

	if (!c->is_warm || c->rcv_nxt - c->ack_sent > c->rcv_mss)
		add(load, idx, TODO_ACK);
	else
		delay_ack(load, idx);
	c->is_warm = true;
}

// Every second full segment has an ACK of its own, although many came at once.
static uint32_t next_ack(const struct conn *c)
{
	uint32_t step = 2u * c->rcv_mss;

	return c->rcv_nxt - c->ack_sent > step ? c->ack_sent + step : c->rcv_nxt;
}

// ---- what comes

static bool check_head(
	const struct http_load *load, const struct conn *c, const struct http_packet *p)
{
	char expected[MESSAGE_ROOM];

	http_load_make_response_head(load, c->number, expected);
	return p->len >= load->response_head_len &&
	       memcmp(p->data, expected, load->response_head_len) == 0;
}

static void begin_response(struct http_load *load, struct conn *c, const struct http_packet *p)
{
	if (!check_head(load, c, p))
		load->counts.n_wrong++;
	c->left = load->response_head_len + load->body_len;
}

static void end_response(struct http_load *load, uint32_t idx, const struct http_packet *p)
{
	struct conn *c = &clients_of(load)->conns[idx];
	char number[NUMBER_LEN];

	http_load_write_number(c->number, number);
	if (p->len < NUMBER_LEN || memcmp(p->data + p->len - NUMBER_LEN, number, NUMBER_LEN) != 0)
		load->counts.n_wrong++;
	load->counts.n_responses++;
	load->n_waiting--;
	c->is_served = true;
	rest(load, idx);
}

static void take_data(struct http_load *load, uint32_t idx, const struct http_packet *p)
{
	struct conn *c = &clients_of(load)->conns[idx];

	if (c->state != STATE_WAITING) {
		load->counts.n_wrong++;
		return;
	}
	load->counts.n_bytes += p->ip_len;
	if (c->left == 0)
		begin_response(load, c, p);
	if (p->len > c->left) {
		load->counts.n_wrong++;
		return;
	}
	if (p->len > c->rcv_mss)
		c->rcv_mss = (uint16_t)p->len;
	c->left -= p->len;
	acknowledge(load, idx);
	if (c->left == 0)
		end_response(load, idx, p);
}

// The node's answer to our FIN, or a connection that it no longer wants.
static void take_fin(struct http_load *load, uint32_t idx)
{
	struct conn *c = &clients_of(load)->conns[idx];

	if (c->state != STATE_CLOSING) {
		load->counts.n_reset++;
		add(load, idx, TODO_FIN);
	}
	c->state = STATE_CLOSED;
	add(load, idx, TODO_ACK);
}

static void take_syn_ack(struct http_load *load, uint32_t idx, const struct http_packet *p)
{
	struct conn *c = &clients_of(load)->conns[idx];

	if (p->flags != (TCP_SYN | TCP_ACK) || p->ack != c->snd_nxt) {
		load->counts.n_malformed++;
		return;
	}
	c->rcv_nxt = p->seq + 1;
	c->ack_sent = p->seq;
	c->snd_una = p->ack;
	c->wnd_end = p->ack + p->window;
	c->scale = p->scale;
	load->counts.n_opened++;
	add(load, idx, TODO_ACK);
	rest(load, idx);
}

static void take_reset(struct http_load *load, struct conn *c)
{
	load->counts.n_reset++;
	load->n_waiting -= c->state == STATE_WAITING;
	c->state = STATE_CLOSED;
	c->todo = 0;
}

void http_load_client_take(struct http_load *load, const struct http_packet *p)
{
	uint32_t idx = (p->dst - HTTP_LOAD_CLIENT_NET - 1) << 15 | (p->dst_port & 0x7fff);
	struct conn *c = &clients_of(load)->conns[idx % HTTP_LOAD_MAX_TUPLES];

	if (idx >= HTTP_LOAD_MAX_TUPLES || p->dst_port < 0x8000 || p->src != HTTP_LOAD_VIP ||
		p->src_port != HTTP_LOAD_PORT) {
		load->counts.n_malformed++;
		return;
	}
	if (c->state == STATE_CLOSED)
		load->counts.n_repeated++;
	else if (p->flags & TCP_RST)
		take_reset(load, c);
	else if (c->state == STATE_SYN_SENT)
		take_syn_ack(load, idx, p);
	else if (http_load_accept(load, HTTP_LOAD_CLIENTS, idx, p)) {
		if (p->len > 0)
			take_data(load, idx, p);
		if (p->flags & TCP_FIN)
			take_fin(load, idx);
	}
}

// ---- what goes

static void put_request(struct http_load *load, uint32_t idx, struct http_packet *p, uint8_t *frame)
{
	struct half *h = clients_of(load);
	struct conn *c = &h->conns[idx];

	c->epoch = (uint32_t)load->epoch;
	c->number = (uint64_t)idx << 32 | (uint32_t)load->counts.n_requests++;
	c->state = STATE_WAITING;
	c->left = 0;
	load->n_waiting++;
	p->len = load->request_len;
	http_load_make_request(load, c->number, http_load_service_of(load, idx),
		(char *)frame + http_packet_headers_len(&h->link, p));
}

// Fills in what the first thing to do says, and crosses that out.
static void put_first(struct http_load *load, uint32_t idx, struct http_packet *p, uint8_t *frame)
{
	struct conn *c = &clients_of(load)->conns[idx];

	p->flags = TCP_ACK;
	p->ack = c->rcv_nxt;
	if (c->todo & TODO_SYN) {
		p->flags = TCP_SYN;
		c->todo &= (uint8_t)~TODO_SYN;
	} else if (c->todo & TODO_ACK) {
		p->ack = next_ack(c);
		if (c->rcv_nxt - p->ack <= c->rcv_mss)
			c->todo &= (uint8_t)~TODO_ACK;
		if (c->rcv_nxt != p->ack && !(c->todo & TODO_ACK))
			delay_ack(load, idx);
	} else if (c->todo & TODO_DATA) {
		p->flags |= TCP_PSH;
		put_request(load, idx, p, frame);
		c->todo &= (uint8_t)~TODO_DATA;
	} else {
		p->flags |= TCP_FIN;
		c->todo &= (uint8_t)~TODO_FIN;
	}
}

uint32_t http_load_client_next(struct http_load *load, uint8_t *frame, uint32_t *spread)
{
	struct half *h = clients_of(load);
	struct http_packet p = {.dst = HTTP_LOAD_VIP, .dst_port = HTTP_LOAD_PORT};
	struct conn *c;
	uint32_t idx;

	while (queue_is_empty(&h->ready))
		if (!take_delayed(load) && !take_turn(load))
			return 0;
	idx = queue_first(&h->ready);
	c = &h->conns[idx];
	if (c->todo == 0) { // it was reset
		c->is_queued = false;
		queue_take(&h->ready);
		return http_load_client_next(load, frame, spread);
	}
	*spread = idx;
	p.src = http_load_client_addr(idx);
	p.src_port = (uint16_t)(0x8000 | (idx & 0x7fff));
	put_first(load, idx, &p, frame);
	if (c->todo == 0) {
		c->is_queued = false;
		queue_take(&h->ready);
	}
	return http_load_write(load, HTTP_LOAD_CLIENTS, c, &p, frame, idx);
}
