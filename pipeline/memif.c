// SPDX-License-Identifier: Apache-2.0

#include "pipeline/memif.h"

#include <stdio.h>
#include <string.h>

#include <rte_common.h>

enum {
	DEFAULT_SLOT_LEN = 2048,
	MAX_SLOT_LEN = 65472, // the driver reads 16 bits; a multiple of a cache line
};

#define SLOT_LEN_KEY "bsize="

bool memif_is(const char *device)
{
	return strncmp(device, "net_memif", strlen("net_memif")) == 0;
}

bool memif_is_client(const char *device)
{
	return memif_is(device) && strstr(device, "role=server") == NULL;
}

bool memif_scatters(const char *device)
{
	return memif_is(device) && strstr(device, "zero-copy=yes") == NULL;
}

// The driver, as of DPDK 22.11, overruns its ring when a frame takes several slots and only one is left
// (eth_memif_tx() in drivers/net/memif/rte_eth_memif.c).
void memif_args(const char *device, uint32_t frame_len, char *out, size_t out_len)
{
	uint32_t slot_len = RTE_ALIGN(frame_len, (uint32_t)RTE_CACHE_LINE_SIZE);

	if (!memif_is_client(device) || frame_len <= DEFAULT_SLOT_LEN ||
		strstr(device, SLOT_LEN_KEY) != NULL)
		snprintf(out, out_len, "%s", device);
	else
		snprintf(out, out_len, "%s," SLOT_LEN_KEY "%u", device,
			RTE_MIN(slot_len, (uint32_t)MAX_SLOT_LEN));
}
