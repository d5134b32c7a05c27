// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/tcp_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <rte_ip.h>

#include "pipeline/packet.h"
#include "tests/unit/eal.h"

const struct flow_tuple rig_client4 = {
	.local = {10, 9, 9, 9},
	.remote = {10, 0, 1, 2},
	.local_port_be = RTE_BE16(80),
	.remote_port_be = RTE_BE16(40000),
	.family = 4,
};

const struct flow_tuple rig_endpoint6 = {
	.local = {0xfd, 0, 0, 9, [15] = 1},
	.remote = {0xfd, 0, 0, 2, [15] = 2},
	.local_port_be = RTE_BE16(30000),
	.remote_port_be = RTE_BE16(8080),
	.family = 6,
};

struct rte_mempool *rig_pool;

int rig_start(void **state)
{
	if (eal_start(state) != 0)
		return -1;
	rig_pool = rte_pktmbuf_pool_create("tcp_rig", RIG_N_MBUFS, 0, PACKET_META_LEN,
		RIG_ROOM_LEN + RTE_PKTMBUF_HEADROOM, SOCKET_ID_ANY);
	return rig_pool == NULL;
}

int rig_check_pool(void **state)
{
	(void)state;
	return rte_mempool_avail_count(rig_pool) != RIG_N_MBUFS;
}

struct rte_mbuf *rig_make(const uint8_t *bytes, uint32_t len)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(rig_pool);

	assert_non_null(m);
	memcpy(rte_pktmbuf_append(m, (uint16_t)len), bytes, len);
	return m;
}
