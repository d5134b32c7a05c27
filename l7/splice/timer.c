// SPDX-License-Identifier: Apache-2.0

// A timer wheel over flows and legs, a slot a millisecond. A timer further ahead than the wheel's round
// waits in its last slot and is looked at again there: whoever set it computes his next time from his own
// deadlines, so that a hot path touches its timer only when a deadline comes nearer.

#include <stdlib.h>

#include "l7/splice/splice_priv.h"

enum {
	WHEEL_SLOTS = 4096,
};

static struct timer *timer_at(const struct splice *sp, uint32_t idx)
{
	return idx < sp->n_flows ? &sp->flows[idx].timer : &sp->legs[idx - sp->n_flows].timer;
}

static uint32_t timer_idx(const struct splice *sp, const struct timer *t)
{
	uintptr_t off = (uintptr_t)t - (uintptr_t)sp->flows;

	if (off < sp->n_flows * sizeof(struct flow))
		return (uint32_t)(off / sizeof(struct flow));
	off = (uintptr_t)t - (uintptr_t)sp->legs;
	return sp->n_flows + (uint32_t)(off / sizeof(struct leg));
}

void timer_clear(struct splice *sp, struct timer *t)
{
	if (t->prev == TIMER_OUT)
		return;
	if (t->prev == SPLICE_NONE)
		sp->wheel[t->at_ms % WHEEL_SLOTS] = t->next;
	else
		timer_at(sp, t->prev)->next = t->next;
	if (t->next != SPLICE_NONE)
		timer_at(sp, t->next)->prev = t->prev;
	t->prev = TIMER_OUT;
}

void timer_set(struct splice *sp, struct timer *t, uint32_t at_ms)
{
	uint32_t idx = timer_idx(sp, t);

	timer_clear(sp, t);
	if (time_reached(sp->now_ms, at_ms))
		at_ms = sp->now_ms + 1; // never in the slot that is being emptied
	if (at_ms - sp->wheel_ms >= WHEEL_SLOTS)
		at_ms = sp->wheel_ms + WHEEL_SLOTS - 1;
	t->at_ms = at_ms;
	t->prev = SPLICE_NONE;
	t->next = sp->wheel[at_ms % WHEEL_SLOTS];
	if (t->next != SPLICE_NONE)
		timer_at(sp, t->next)->prev = idx;
	sp->wheel[at_ms % WHEEL_SLOTS] = idx;
}

struct timer *timer_due(struct splice *sp)
{
	while (time_reached(sp->now_ms, sp->wheel_ms)) {
		uint32_t first = sp->wheel[sp->wheel_ms % WHEEL_SLOTS];

		if (first != SPLICE_NONE) {
			struct timer *t = timer_at(sp, first);

			timer_clear(sp, t);
			return t;
		}
		sp->wheel_ms++;
	}
	return NULL;
}

int timer_create(struct splice *sp)
{
	sp->wheel = malloc(WHEEL_SLOTS * sizeof(*sp->wheel));
	if (sp->wheel == NULL)
		return -ENOMEM;
	memset(sp->wheel, 0xff, WHEEL_SLOTS * sizeof(*sp->wheel)); // SPLICE_NONE
	sp->wheel_ms = sp->now_ms;
	return 0;
}

void timer_destroy(struct splice *sp)
{
	free(sp->wheel);
}
