// SPDX-License-Identifier: Apache-2.0

#include "pipeline/af_packet.h"

#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <rte_common.h>

enum {
	DEFAULT_SLOT_LEN = 2048,
	MAX_SLOT_LEN = 32768, // a buffer's length has 16 bits
	BLOCK_LEN = 65536,    // a multiple of every slot length
	// The kernel's header before a frame (TPACKET2_HDRLEN, with the link header and alignment: 66
	// bytes for Ethernet) and two VLAN tags.
	SLOT_OVERHEAD = 80,
};

#define IFACE_KEY "iface="
#define SLOT_LEN_KEY "framesz="

bool af_packet_is(const char *device)
{
	return strncmp(device, "net_af_packet", strlen("net_af_packet")) == 0;
}

// The interface's name; false: none that the kernel could have.
static bool read_iface(const char *device, char name[IFNAMSIZ])
{
	const char *key = strstr(device, IFACE_KEY);
	const char *value = key == NULL ? "" : key + strlen(IFACE_KEY);
	size_t len = strcspn(value, ",");

	if (len == 0 || len >= IFNAMSIZ)
		return false;
	memcpy(name, value, len);
	name[len] = '\0';
	return true;
}

bool af_packet_has_iface(const char *device)
{
	char name[IFNAMSIZ];

	return read_iface(device, name) && if_nametoindex(name) != 0;
}

uint32_t af_packet_kernel_mtu(const char *device)
{
	struct ifreq request = {0};
	uint32_t mtu = 0;
	int fd;

	if (!read_iface(device, request.ifr_name))
		return 0;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return 0;
	if (ioctl(fd, SIOCGIFMTU, &request) == 0)
		mtu = (uint32_t)request.ifr_mtu;
	close(fd);
	return mtu;
}

uint32_t af_packet_slot_len(const char *device, uint32_t frame_len)
{
	const char *own = strstr(device, SLOT_LEN_KEY);
	uint32_t len;

	if (own != NULL)
		return (uint32_t)strtoul(own + strlen(SLOT_LEN_KEY), NULL, 10);
	len = rte_align32pow2(frame_len + SLOT_OVERHEAD);
	len = RTE_MAX(len, (uint32_t)DEFAULT_SLOT_LEN);
	return RTE_MIN(len, (uint32_t)MAX_SLOT_LEN);
}

uint32_t af_packet_max_frame(uint32_t slot_len)
{
	return slot_len < SLOT_OVERHEAD ? 0 : slot_len - SLOT_OVERHEAD;
}

void af_packet_args(const char *device, uint32_t frame_len, char *out, size_t out_len)
{
	uint32_t slot_len = af_packet_slot_len(device, frame_len);

	if (slot_len == DEFAULT_SLOT_LEN || strstr(device, SLOT_LEN_KEY) != NULL)
		snprintf(out, out_len, "%s", device);
	else
		snprintf(out, out_len, "%s," SLOT_LEN_KEY "%u,blocksz=%d", device, slot_len,
			BLOCK_LEN);
}
