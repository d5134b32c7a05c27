// SPDX-License-Identifier: Apache-2.0
#pragma once

// EAL for the few unit tests that need packet buffers or the TSC's frequency: ordinary pages, no devices.

#include <rte_common.h>
#include <rte_eal.h>

static inline int eal_start(void **state)
{
	char *args[] = {"unit", "--lcores", "0@0", "--no-telemetry", "--no-pci", "--no-shconf",
		"--no-huge", "--log-level=3", "-m", "64", NULL};

	(void)state;
	return rte_eal_init((int)RTE_DIM(args) - 1, args) < 0;
}
