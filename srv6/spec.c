// SPDX-License-Identifier: Apache-2.0

#include "srv6/spec.h"

static const char *const behavior_names[SRV6_N_BEHAVIORS] = {
	[SRV6_END] = "End",
	[SRV6_END_X] = "End.X",
	[SRV6_END_T] = "End.T",
	[SRV6_END_DX2] = "End.DX2",
	[SRV6_END_DX4] = "End.DX4",
	[SRV6_END_DX6] = "End.DX6",
	[SRV6_END_DT4] = "End.DT4",
	[SRV6_END_DT6] = "End.DT6",
	[SRV6_END_DT46] = "End.DT46",
	[SRV6_END_B6_ENCAPS] = "End.B6.Encaps",
	[SRV6_END_B6_ENCAPS_RED] = "End.B6.Encaps.Red",
};

static const char *const headend_names[SRV6_N_HEADENDS] = {
	[SRV6_H_ENCAPS] = "H.Encaps",
	[SRV6_H_ENCAPS_RED] = "H.Encaps.Red",
	[SRV6_H_ENCAPS_L2] = "H.Encaps.L2",
	[SRV6_H_ENCAPS_L2_RED] = "H.Encaps.L2.Red",
};

// Bit n of enum srv6_flavor.
static const char *const flavor_names[] = {"PSP", "USP", "USD", "NEXT-C-SID"};

enum {
	N_FLAVORS = sizeof(flavor_names) / sizeof(flavor_names[0]),
};

const char *srv6_behavior_name(enum srv6_behavior behavior)
{
	return (unsigned)behavior < SRV6_N_BEHAVIORS ? behavior_names[behavior] : NULL;
}

const char *srv6_headend_name(enum srv6_headend headend)
{
	return (unsigned)headend < SRV6_N_HEADENDS ? headend_names[headend] : NULL;
}

const char *srv6_flavor_name(enum srv6_flavor flavor)
{
	for (int i = 0; i < N_FLAVORS; i++) {
		if ((unsigned)flavor == 1u << i)
			return flavor_names[i];
	}
	return NULL;
}
