// SPDX-License-Identifier: Apache-2.0

// Connections with endpoints: opened for a request, kept idle in a pool per endpoint, closed when they are
// no longer fit. While a leg is bound, its segments are its flow's business.

#include "l7/splice/splice_priv.h"

enum {
	MAX_LOOKS = 8,		// legs of the pool that are looked at for one whose segments fit
	MAX_EVICT_LOOKS = 4096, // records that are looked at for an idle leg to give up
	CLOSE_LEG_MS = 5000,	// for an endpoint's FIN
	LEG_MAX_AGE_MS = 18 * 3600 * 1000, // what struct leg can count to
};

// What links of 1280, 1500 and about 8500 and 9000 bytes leave under 60 bytes of headers, and outer ones of up to five
// segments (40, then 80 to 128 bytes): at most 3 % are given away there. Below, what hosts without such links say.
static const uint16_t MSS_CLASSES[] = {MIN_MSS, 216, 536, 796, 1020, 1090, 1120, 1180, 1220, 1300,
	1340, 1400, 1440, 4096, 8300, 8800};

enum {
	N_MSS_CLASSES = sizeof(MSS_CLASSES) / sizeof(MSS_CLASSES[0]),
};

_Static_assert(N_MSS_CLASSES == 16, "four bits of struct leg");

// The largest that is not above mss.
static uint8_t pick_mss_class(uint16_t mss)
{
	uint8_t class = N_MSS_CLASSES - 1;

	while (class > 0 && MSS_CLASSES[class] > mss)
		class --;
	return class;
}

// Milliseconds that a leg has been in its state.
static uint32_t leg_age(const struct splice *sp, const struct leg *leg)
{
	return (uint32_t)(uint16_t)(sp->now_ms / LEG_PERIOD_MS - leg->since) * LEG_PERIOD_MS;
}

static void send_bare(struct splice *sp, struct leg *leg, uint8_t flags)
{
	struct end *e = &leg->server;
	struct tcp_out out = {
		.seq = e->snd_nxt - ((flags & TCP_FIN) != 0),
		.ack = e->rcv_nxt + ((e->flags & END_FIN_IN) != 0),
		.window = IDLE_WINDOW >> e->scale_out,
		.flags = flags,
	};

	e->ack_sent = out.ack;
	e->win_sent = out.window;
	sp->io->send(sp->ctx, SPLICE_SERVER, leg_idx(sp, leg), &out, NULL, 0, NULL);
}

static void send_syn(struct splice *sp, struct leg *leg)
{
	struct end *e = &leg->server;
	struct tcp_out out = {
		.seq = e->snd_nxt - 1,
		.window = UINT16_MAX,
		.flags = TCP_SYN,
		.mss = MSS_CLASSES[leg->mss_class],
		.scale = e->scale_out,
		.sack_offered = (sp->flows[leg->flow].client.flags & END_SACK) != 0,
	};

	own_rto_arm(sp, e, SYN_RTO_MS);
	timer_set(sp, &leg->timer, e->rto_at);
	sp->io->send(sp->ctx, SPLICE_SERVER, leg_idx(sp, leg), &out, NULL, 0, NULL);
}

// ---- the pool

static void pool_add(struct splice *sp, struct leg *leg, uint32_t idle_ms)
{
	leg->state = LEG_IDLE;
	leg->since = (uint16_t)(sp->now_ms / LEG_PERIOD_MS);
	leg->pool_prev = SPLICE_NONE;
	leg->pool_next = sp->pools[leg->endpoint];
	if (leg->pool_next != SPLICE_NONE)
		sp->legs[leg->pool_next].pool_prev = leg_idx(sp, leg);
	sp->pools[leg->endpoint] = leg_idx(sp, leg);
	sp->n_pool[leg->endpoint]++;
	sp->n_idle++;
	if (leg->timer.prev == TIMER_OUT)
		timer_set(sp, &leg->timer, sp->now_ms + idle_ms);
}

static void pool_remove(struct splice *sp, struct leg *leg)
{
	if (leg->pool_prev == SPLICE_NONE)
		sp->pools[leg->endpoint] = leg->pool_next;
	else
		sp->legs[leg->pool_prev].pool_next = leg->pool_next;
	if (leg->pool_next != SPLICE_NONE)
		sp->legs[leg->pool_next].pool_prev = leg->pool_prev;
	sp->n_pool[leg->endpoint]--;
	sp->n_idle--;
}

uint32_t leg_from_pool(struct splice *sp, const struct flow *f, uint32_t endpoint)
{
	uint32_t idx = sp->pools[endpoint];

	for (uint32_t i = 0; i < MAX_LOOKS && idx != SPLICE_NONE; i++) {
		struct leg *leg = &sp->legs[idx];

		if (MSS_CLASSES[leg->mss_class] <= f->client.mss &&
			(!(leg->server.flags & END_SACK) || (f->client.flags & END_SACK)) &&
			sp->io->leg_fits(sp->ctx, flow_idx(sp, f), idx)) {
			pool_remove(sp, leg);
			sp->n_active[endpoint]++;
			leg->reused = true;
			return idx;
		}
		idx = leg->pool_next;
	}
	return SPLICE_NONE;
}

// ---- records

void leg_free(struct splice *sp, struct leg *leg)
{
	uint32_t idx = leg_idx(sp, leg);

	if (leg->state == LEG_IDLE)
		pool_remove(sp, leg);
	timer_clear(sp, &leg->timer);
	leg->state = LEG_FREE;
	sp->io->event(sp->ctx, SPLICE_NONE, SPLICE_LEG_CLOSED, leg->endpoint);
	sp->io->leg_closed(sp->ctx, idx, leg->server.snd_nxt);
	leg->pool_next = sp->free_leg;
	sp->free_leg = idx;
	sp->n_legs_used--;
}

static void give_up_idle(struct splice *sp)
{
	for (uint32_t i = 0; i < MAX_EVICT_LOOKS; i++) {
		struct leg *leg = &sp->legs[sp->leg_hand];

		sp->leg_hand = (sp->leg_hand + 1) % sp->n_legs;
		if (leg->state == LEG_IDLE) {
			send_bare(sp, leg, TCP_RST | TCP_ACK);
			leg_free(sp, leg);
			return;
		}
	}
}

uint32_t leg_open(struct splice *sp, struct flow *f, uint32_t endpoint)
{
	struct splice_opening opening = {0};
	uint32_t idx;
	struct leg *leg;

	if (sp->free_leg == SPLICE_NONE)
		give_up_idle(sp);
	idx = sp->free_leg;
	if (idx == SPLICE_NONE ||
		sp->io->open_leg(sp->ctx, flow_idx(sp, f), idx, endpoint, &opening) != 0)
		return SPLICE_NONE;
	leg = &sp->legs[idx];
	sp->free_leg = leg->pool_next;
	sp->n_legs_used++;
	*leg = (struct leg){
		.flow = flow_idx(sp, f),
		.endpoint = endpoint,
		.state = LEG_CONNECTING,
		.since = (uint16_t)(sp->now_ms / LEG_PERIOD_MS),
		.mss_class =
			pick_mss_class(f->client.mss < opening.mss ? f->client.mss : opening.mss),
		.timer.prev = TIMER_OUT,
		.server.snd_una = opening.isn,
		.server.snd_nxt = opening.isn + 1,
		.server.mss = opening.mss,
		.server.scale_out = LEG_WINDOW_SCALE,
	};
	sp->n_active[endpoint]++;
	splice_tell(sp, f, SPLICE_LEG_OPENED, endpoint);
	send_syn(sp, leg);
	return idx;
}

// ---- ends

static void close_leg(struct splice *sp, struct leg *leg)
{
	leg->state = LEG_CLOSING;
	leg->flow = SPLICE_NONE;
	leg->since = (uint16_t)(sp->now_ms / LEG_PERIOD_MS);
	if (!(leg->server.flags & END_FIN_OUT))
		leg->server.snd_nxt++;
	leg->server.flags |= END_FIN_OUT;
	leg->server.n_timeouts = 0;
	send_bare(sp, leg, TCP_FIN | TCP_ACK);
	own_rto_arm(sp, &leg->server, RTO_MS);
	timer_set(sp, &leg->timer, leg->server.rto_at);
}

void leg_retire(struct splice *sp, struct leg *leg)
{
	pool_remove(sp, leg);
	close_leg(sp, leg);
}

void leg_release(struct splice *sp, struct flow *f)
{
	struct leg *leg = &sp->legs[f->leg];
	const struct end *e = &leg->server;
	uint32_t idle_ms = sp->io->leg_idle_ms(sp->ctx, leg->endpoint);

	if (e->flags & END_UNASKED) {
		leg_abort(sp, f);
		return;
	}
	if (f->down.held != NULL) { // it went on speaking
		kept_drop_held(sp, &f->down);
		f->flags |= FLOW_NO_POOL;
	}
	f->leg = SPLICE_NONE;
	leg->flow = SPLICE_NONE;
	sp->n_active[leg->endpoint]--;
	if (leg->state == LEG_DEAD) {
		leg_free(sp, leg);
		return;
	}
	sp->ack_owed = leg_idx(sp, leg); // the client has the rest of the response
	if (end_is_over(e)) {
		if (e->ack_sent != e->rcv_nxt + 1)
			send_bare(sp, leg, TCP_ACK);
		leg_free(sp, leg);
		return;
	}
	leg->server.rto_armed = false;
	leg->server.n_timeouts = 0;
	if (!(f->flags & FLOW_NO_POOL) && !(e->flags & (END_FIN_IN | END_FIN_OUT)) &&
		!sp->draining && sp->n_pool[leg->endpoint] < sp->max_idle_legs && idle_ms > 0)
		pool_add(sp, leg, idle_ms);
	else
		close_leg(sp, leg);
}

// If the next request went to the same leg, the ACK went with it.
void leg_pay_ack(struct splice *sp)
{
	uint32_t idx = sp->ack_owed;
	const struct end *e;

	sp->ack_owed = SPLICE_NONE;
	if (idx == SPLICE_NONE)
		return;
	e = &sp->legs[idx].server;
	if (sp->legs[idx].state == LEG_IDLE && e->ack_sent != e->rcv_nxt)
		send_bare(sp, &sp->legs[idx], TCP_ACK);
}

void leg_abort(struct splice *sp, struct flow *f)
{
	struct leg *leg;

	if (f->leg == SPLICE_NONE ||
		(f->phase != PHASE_BOUND && f->phase != PHASE_CONNECT && f->phase != PHASE_SYN))
		return;
	leg = &sp->legs[f->leg];
	if (leg->state == LEG_BOUND)
		send_bare(sp, leg, TCP_RST | TCP_ACK);
	f->leg = SPLICE_NONE;
	sp->n_active[leg->endpoint]--;
	kept_drop_held(sp, &f->down);
	leg_free(sp, leg);
}

// ---- segments

void leg_refused(struct splice *sp, struct leg *leg)
{
	struct flow *f = &sp->flows[leg->flow];
	struct tcp_segment *none = NULL;

	memset(&sp->at_work, 0, sizeof(sp->at_work));
	bind_failed(sp, f, SPLICE_WHY_CONNECT, true);
	flow_settle(sp, f, SPLICE_CLIENT, &none);
}

static void connected(struct splice *sp, struct leg *leg, const struct tcp_segment *seg)
{
	struct flow *f = &sp->flows[leg->flow];
	struct end *e = &leg->server;
	struct tcp_segment *none = NULL;
	uint16_t mss = seg->mss == 0 ? TCP_DEFAULT_MSS : seg->mss;

	e->rcv_nxt = seg->seq + 1;
	e->ack_sent = e->rcv_nxt - 1;
	e->snd_una = e->snd_nxt;
	e->wnd_end = e->snd_una + seg->window; // unscaled in a SYN
	e->mss = mss < e->mss ? mss : e->mss;
	if (e->mss < MIN_MSS)
		e->mss = MIN_MSS;
	e->scale_in = seg->scale < TCP_MAX_WINDOW_SCALE ? seg->scale : TCP_MAX_WINDOW_SCALE;
	if (seg->scale == TCP_NO_WINDOW_SCALE) {
		e->scale_in = 0;
		e->scale_out = 0;
	}
	e->flags = seg->sack_offered && (f->client.flags & END_SACK) ? END_SACK : 0;
	e->rto_armed = false;
	e->n_timeouts = 0;
	timer_clear(sp, &leg->timer);
	if (!(f->flags & FLOW_ESTABLISHED)) { // a TCP listener's: now the client can be answered
		leg->state = LEG_BOUND;
		f->phase = PHASE_SYN;
		timeout_clear(f);
		syn_answer(sp, f);
		send_bare(sp, leg, TCP_ACK);
		timeout_arm(sp, f);
		return;
	}
	bind_done(sp, f);
	flow_settle(sp, f, SPLICE_CLIENT, &none);
}

static void connecting_segment(struct splice *sp, struct leg *leg, const struct tcp_segment *seg)
{
	bool acks_syn = (seg->flags & TCP_ACK) && seg->ack == leg->server.snd_nxt;

	if (seg->flags & TCP_RST) {
		if (acks_syn)
			leg_refused(sp, leg);
		return;
	}
	if ((seg->flags & TCP_SYN) && acks_syn) {
		connected(sp, leg, seg);
		return;
	}
	if ((seg->flags & TCP_ACK) && !acks_syn) {
		// Left over from an older connection with these ports (RFC 9293 §3.5.1).
		struct tcp_out out = {.seq = seg->ack, .flags = TCP_RST};

		sp->io->send(sp->ctx, SPLICE_SERVER, leg_idx(sp, leg), &out, NULL, 0, NULL);
		send_syn(sp, leg);
	}
}

static void challenge(struct splice *sp, struct leg *leg)
{
	if (end_take_challenge(sp, &leg->server))
		send_bare(sp, leg, TCP_ACK);
}

static void idle_segment(struct splice *sp, struct leg *leg, const struct tcp_segment *seg)
{
	struct end *e = &leg->server;

	if (seq_before(seg->seq, e->rcv_nxt)) { // sent again, or a keep-alive probe
		if (seg->len > 0 || (seg->flags & TCP_FIN))
			send_bare(sp, leg, TCP_ACK);
		else
			challenge(sp, leg);
		return;
	}
	e->wnd_end = seg->ack + ((uint32_t)seg->window << e->scale_in);
	if (seg->len > 0) { // nobody asked
		send_bare(sp, leg, TCP_RST | TCP_ACK);
		leg_free(sp, leg);
		return;
	}
	if (seg->flags & TCP_FIN) {
		e->flags |= END_FIN_IN;
		leg_retire(sp, leg);
	}
}

static void closing_segment(struct splice *sp, struct leg *leg, const struct tcp_segment *seg)
{
	struct end *e = &leg->server;

	e->snd_una = seq_max(e->snd_una, seg->ack);
	if (seg->len > 0) {
		send_bare(sp, leg, TCP_RST | TCP_ACK);
		leg_free(sp, leg);
		return;
	}
	if ((seg->flags & TCP_FIN) && (seg->seq == e->rcv_nxt)) {
		e->flags |= END_FIN_IN;
		send_bare(sp, leg, TCP_ACK);
	}
	if (end_is_over(e))
		leg_free(sp, leg);
}

// Whatever is not a plain segment in sequence. True: done with it.
static bool is_odd(struct splice *sp, struct leg *leg, const struct tcp_segment *seg)
{
	struct end *e = &leg->server;

	if (seg->flags & TCP_RST) {
		if (seg->seq == e->ack_sent || seg->seq == e->rcv_nxt)
			leg_free(sp, leg);
		else if (seg->seq - e->ack_sent <= IDLE_WINDOW)
			challenge(sp, leg);
		return true;
	}
	if (!(seg->flags & (TCP_SYN | TCP_ACK)))
		return true;
	if ((seg->flags & TCP_SYN) || end_is_far_off(e, seg) || seq_after(seg->ack, e->snd_nxt)) {
		challenge(sp, leg);
		return true;
	}
	return false;
}

// A TCP listener's leg is up, but the client has not confirmed its handshake: what the endpoint says first
// waits. True: the segment was taken.
static bool waiting_segment(struct splice *sp, struct leg *leg, struct tcp_segment *seg)
{
	struct flow *f = &sp->flows[leg->flow];

	if (seg->flags & TCP_SYN) { // our ACK was lost
		send_bare(sp, leg, TCP_ACK);
		return false;
	}
	if (!(seg->flags & TCP_RST) && (seg->len > 0 || (seg->flags & TCP_FIN))) {
		kept_hold(sp, f, SPLICE_SERVER, &seg);
		return true;
	}
	if ((seg->flags & TCP_RST) && seg->seq == leg->server.rcv_nxt)
		flow_reset(sp, f, SPLICE_WHY_ENDPOINT_RESET);
	return false;
}

void leg_segment(struct splice *sp, struct leg *leg, struct tcp_segment *seg)
{
	memset(&sp->at_work, 0, sizeof(sp->at_work));
	if (leg->state == LEG_BOUND && waiting_segment(sp, leg, seg))
		return;
	if (leg->state == LEG_CONNECTING)
		connecting_segment(sp, leg, seg);
	else if (leg->state == LEG_IDLE && !is_odd(sp, leg, seg))
		idle_segment(sp, leg, seg);
	else if (leg->state == LEG_CLOSING && !is_odd(sp, leg, seg))
		closing_segment(sp, leg, seg);
	sp->io->drop(sp->ctx, seg);
}

// ---- time-outs

static void closing_timer(struct splice *sp, struct leg *leg)
{
	struct end *e = &leg->server;

	if (leg_age(sp, leg) >= CLOSE_LEG_MS) {
		send_bare(sp, leg, TCP_RST | TCP_ACK);
		leg_free(sp, leg);
		return;
	}
	if (!end_has_all(e)) {
		e->n_timeouts++;
		send_bare(sp, leg, TCP_FIN | TCP_ACK);
	}
	own_rto_arm(sp, e, RTO_MS);
	timer_set(sp, &leg->timer, e->rto_at);
}

static void idle_timer(struct splice *sp, struct leg *leg)
{
	uint32_t age_ms = leg_age(sp, leg);
	uint32_t idle_ms = sp->io->leg_idle_ms(sp->ctx, leg->endpoint);

	if (age_ms < idle_ms && age_ms < LEG_MAX_AGE_MS) {
		timer_set(sp, &leg->timer, sp->now_ms + idle_ms - age_ms);
		return;
	}
	leg_retire(sp, leg);
}

void leg_timer(struct splice *sp, struct leg *leg)
{
	memset(&sp->at_work, 0, sizeof(sp->at_work));
	if (leg->state == LEG_CONNECTING) {
		// How long it may go on is the flow's to know.
		leg->server.n_timeouts++;
		send_syn(sp, leg);
	} else if (leg->state == LEG_CLOSING) {
		closing_timer(sp, leg);
	} else if (leg->state == LEG_IDLE) {
		idle_timer(sp, leg);
	}
}
