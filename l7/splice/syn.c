// SPDX-License-Identifier: Apache-2.0

// The handshake with the client. What the SYN-ACK promises must hold for every endpoint: the MSS fits the
// worst path, the window scale is fixed, no timestamps. Handshakes with state are bounded; beyond that,
// the answer's sequence number is a cookie that carries what the final ACK must prove and restore:
//
//	bits 31..8 keyed MAC over tuple, the client's number, time, and the low bits
//	bits  7..5 class of the client's MSS
//	bits  4..1 the client's window scale; 15: it offered none
//	bit   0    SACK

#include "l7/siphash.h"
#include "l7/splice/splice_priv.h"

enum {
	COOKIE_EPOCH_MS =
		8 * 1024, // a cookie holds for one to two epochs: a few tries of the client
	COOKIE_NO_SCALE = 15,
	COOKIE_MSS_CLASSES = 8,
};

// Close together where SRv6 and tunnels bring clients' MSS. Between 1440 and jumbo frames they do without:
// any bit more for classes is one less that a forged cookie must guess.
static const uint16_t COOKIE_MSS[COOKIE_MSS_CLASSES] = {
	MIN_MSS, 536, 1020, 1120, 1220, 1340, 1440, 8300};

// What the client's SYN settles.
static void take_options(
	struct flow *f, const struct splice_listener *l, uint16_t mss, uint8_t scale, bool sack)
{
	struct end *e = &f->client;

	if (mss == 0)
		mss = TCP_DEFAULT_MSS;
	e->mss = mss < l->mss ? mss : l->mss;
	if (e->mss < MIN_MSS)
		e->mss = MIN_MSS;
	e->flags = sack ? END_SACK : 0;
	if (scale == TCP_NO_WINDOW_SCALE)
		return;
	e->flags |= END_SCALE;
	e->scale_in = scale < TCP_MAX_WINDOW_SCALE ? scale : TCP_MAX_WINDOW_SCALE;
	e->scale_out = l->window_scale & 15;
}

static void take_numbers(struct flow *f, uint32_t its, uint32_t ours, uint32_t window)
{
	struct end *e = &f->client;

	e->rcv_nxt = its + 1;
	e->ack_sent = e->rcv_nxt;
	e->snd_una = ours;
	e->snd_nxt = ours + 1;
	e->wnd_end = ours + 1 + window;
	f->up.base = e->rcv_nxt;
}

static struct tcp_out make_syn_ack(
	uint32_t seq, uint32_t ack, uint16_t mss, uint8_t scale, bool sack)
{
	return (struct tcp_out){
		.seq = seq,
		.ack = ack,
		.window = HEAD_WINDOW,
		.flags = TCP_SYN | TCP_ACK,
		.mss = mss,
		.scale = scale,
		.sack_offered = sack,
	};
}

// ---- cookies

// The largest that is not above mss.
static uint8_t cookie_mss_class(uint16_t mss)
{
	uint8_t class = COOKIE_MSS_CLASSES - 1;

	while (class > 0 && COOKIE_MSS[class] > mss)
		class --;
	return class;
}

static uint32_t cookie_mac(
	const struct splice *sp, uint64_t tuple_hash, uint32_t its, uint32_t epoch, uint8_t low)
{
	const uint64_t words[] = {tuple_hash, (uint64_t)its << 32 | epoch, low};

	return (uint32_t)siphash(sp->secret, words, 3) & 0xffffff00;
}

static uint32_t cookie_make(
	const struct splice *sp, uint64_t tuple_hash, const struct tcp_segment *seg)
{
	uint8_t class = cookie_mss_class(seg->mss == 0 ? TCP_DEFAULT_MSS : seg->mss);
	uint8_t scale = seg->scale < TCP_MAX_WINDOW_SCALE ? seg->scale : TCP_MAX_WINDOW_SCALE;
	uint8_t low;

	if (seg->scale == TCP_NO_WINDOW_SCALE)
		scale = COOKIE_NO_SCALE;
	low = (uint8_t)(class << 5 | scale << 1 | seg->sack_offered);
	return cookie_mac(sp, tuple_hash, seg->seq, sp->now_ms / COOKIE_EPOCH_MS, low) | low;
}

// Whether a cookie that was given out may still hold.
static bool cookie_is_out(const struct splice *sp)
{
	return sp->cookies && !time_reached(sp->now_ms, sp->cookie_ms + 2 * COOKIE_EPOCH_MS);
}

static bool cookie_holds(
	const struct splice *sp, uint64_t tuple_hash, const struct tcp_segment *seg)
{
	uint32_t cookie = seg->ack - 1, epoch = sp->now_ms / COOKIE_EPOCH_MS;
	uint8_t low = (uint8_t)cookie;

	for (uint32_t back = 0; back < 2; back++)
		if ((cookie_mac(sp, tuple_hash, seg->seq - 1, epoch - back, low) | low) == cookie)
			return true;
	return false;
}

// ---- SYN and its answer

// RFC 6528: a clock plus what an outsider cannot know of the tuple.
static uint32_t pick_isn(const struct splice *sp, uint64_t tuple_hash)
{
	const uint64_t words[] = {tuple_hash, 1};

	return (uint32_t)siphash(sp->secret, words, 2) + (uint32_t)(sp->now_us / 4);
}

// A TCP listener's client is answered when an endpoint has been reached.
static void begin_handshake(struct splice *sp, struct flow *f, const struct splice_listener *l,
	const struct tcp_segment *syn, uint32_t ours)
{
	take_numbers(f, syn->seq, ours, syn->window);
	take_options(f, l, syn->mss, syn->scale, syn->sack_offered);
	f->flags |= FLOW_HALF_OPEN;
	sp->n_half_open++;
	f->phase = f->flags & FLOW_TCP ? PHASE_CONNECT : PHASE_SYN;
}

static void give_cookie(struct splice *sp, const struct splice_listener *l, uint64_t tuple_hash,
	const struct tcp_segment *syn, struct tcp_out *cookie)
{
	*cookie = make_syn_ack(cookie_make(sp, tuple_hash, syn), syn->seq + 1, l->mss,
		syn->scale == TCP_NO_WINDOW_SCALE ? TCP_NO_WINDOW_SCALE : l->window_scale,
		syn->sack_offered);
	sp->cookies = true;
	sp->cookie_ms = sp->now_ms;
}

uint32_t splice_syn(struct splice *sp, uint32_t listener, uint64_t tuple_hash,
	const struct tcp_segment *seg, struct tcp_out *cookie)
{
	const struct splice_listener *l = sp->io->listener(sp->ctx, listener);
	struct flow *f;

	*cookie = (struct tcp_out){0};
	if (l == NULL || sp->draining)
		return SPLICE_NONE;
	if (sp->n_half_open >= sp->max_half_open) {
		give_cookie(sp, l, tuple_hash, seg, cookie);
		return SPLICE_NONE;
	}
	f = flow_take(sp, listener, l);
	if (f == NULL)
		return SPLICE_NONE;
	begin_handshake(sp, f, l, seg, pick_isn(sp, tuple_hash));
	return flow_idx(sp, f);
}

void syn_answer(struct splice *sp, struct flow *f)
{
	const struct splice_listener *l = sp->io->listener(sp->ctx, f->listener);
	struct end *e = &f->client;
	struct tcp_out out = make_syn_ack(e->snd_nxt - 1, e->rcv_nxt, l == NULL ? e->mss : l->mss,
		e->flags & END_SCALE ? e->scale_out : TCP_NO_WINDOW_SCALE,
		(e->flags & END_SACK) != 0);

	own_rto_arm(sp, e, SYN_RTO_MS);
	sp->io->send(sp->ctx, SPLICE_CLIENT, flow_idx(sp, f), &out, NULL, 0, NULL);
}

// Where a TCP listener's flow goes is known from the start.
static void begin_tcp(struct splice *sp, struct flow *f)
{
	const struct splice_target target = sp->io->target(sp->ctx, f->listener);

	f->cluster = target.cluster;
	f->up.buf = buffer_take(sp, 0); // remembers the endpoints that were tried
	f->head_us = (uint32_t)sp->now_us;
	splice_tell(sp, f, SPLICE_REQUEST, 0);
	if (f->up.buf == 0) {
		flow_reset(sp, f, SPLICE_WHY_NO_MEMORY);
		return;
	}
	buffer_at(sp, f->up.buf)->src_end = f->client.rcv_nxt;
	buffer_at(sp, f->up.buf)->connect_ms = target.connect_timeout_ms;
	bind_request(sp, f, false);
}

void splice_flow_begin(struct splice *sp, uint32_t flow)
{
	struct flow *f = &sp->flows[flow];

	splice_tell(sp, f, SPLICE_FLOW_OPENED, 0);
	memset(&sp->at_work, 0, sizeof(sp->at_work));
	if (f->flags & FLOW_TCP)
		begin_tcp(sp, f);
	else if (f->phase == PHASE_SYN)
		syn_answer(sp, f);
	timeout_arm(sp, f);
}

// ---- the final ACK

static void establish(struct splice *sp, struct flow *f)
{
	struct end *e = &f->client;

	e->snd_una = e->snd_nxt;
	e->rto_armed = false;
	e->n_timeouts = 0;
	f->flags |= FLOW_ESTABLISHED;
	if (f->flags & FLOW_HALF_OPEN) {
		f->flags &= (uint16_t)~FLOW_HALF_OPEN;
		sp->n_half_open--;
	}
}

uint32_t splice_cookie_ack(struct splice *sp, uint32_t listener, uint64_t tuple_hash,
	const struct tcp_segment *seg, struct tcp_out *reset)
{
	const struct splice_listener *l = sp->io->listener(sp->ctx, listener);
	uint8_t low = (uint8_t)(seg->ack - 1), scale = low >> 1 & 15;
	struct flow *f = NULL;

	*reset = (struct tcp_out){0};
	if (seg->flags & TCP_RST)
		return SPLICE_NONE;
	if (l != NULL && !sp->draining && cookie_is_out(sp) && cookie_holds(sp, tuple_hash, seg))
		f = flow_take(sp, listener, l);
	if (f == NULL) {
		// Data that overtook the handshake's ACK proves nothing; it comes again.
		if (!cookie_is_out(sp) || seg->len == 0)
			*reset = (struct tcp_out){.seq = seg->ack, .flags = TCP_RST};
		return SPLICE_NONE;
	}
	take_numbers(f, seg->seq - 1, seg->ack - 1, 0);
	take_options(f, l, COOKIE_MSS[low >> 5],
		scale == COOKIE_NO_SCALE ? TCP_NO_WINDOW_SCALE : scale, low & 1);
	establish(sp, f);
	f->phase = f->flags & FLOW_TCP ? PHASE_CONNECT : PHASE_REQUEST;
	return flow_idx(sp, f);
}

bool syn_segment(struct splice *sp, struct flow *f, const struct tcp_segment *seg)
{
	struct end *e = &f->client;

	if (seg->flags & TCP_SYN) {
		if (seg->seq + 1 == e->rcv_nxt)
			syn_answer(sp, f); // ours was lost
		else
			send_challenge(sp, f, SPLICE_CLIENT);
		return false;
	}
	if (!(seg->flags & TCP_ACK))
		return false;
	if (seg->ack != e->snd_nxt) {
		struct tcp_out out = {.seq = seg->ack, .flags = TCP_RST};

		sp->io->send(sp->ctx, SPLICE_CLIENT, flow_idx(sp, f), &out, NULL, 0, NULL);
		return false;
	}
	establish(sp, f);
	if (f->flags & FLOW_TCP)
		bind_done(sp, f);
	else
		f->phase = PHASE_REQUEST;
	return true;
}

// RFC 9293 §3.6.1, RFC 6191: beyond everything that the connection before has sent.
bool syn_again(struct splice *sp, struct flow *f, const struct tcp_segment *seg)
{
	const struct splice_listener *l = sp->io->listener(sp->ctx, f->listener);
	uint32_t ours = f->client.snd_nxt + (1 << 16); // above what the old one used
	uint32_t idx = flow_idx(sp, f);

	if (l == NULL || sp->draining || sp->n_half_open >= sp->max_half_open ||
		!seq_after(seg->seq, f->client.rcv_nxt))
		return false;
	flow_restart(sp, f, l);
	begin_handshake(sp, f, l, seg, ours);
	splice_flow_begin(sp, idx);
	return true;
}
