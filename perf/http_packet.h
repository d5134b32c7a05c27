// SPDX-License-Identifier: Apache-2.0
#pragma once

// A TCP segment in IPv4 in an Ethernet frame, with an SRv6 outer header or without: what the hosts of
// http_load put on the wire and take from it. Numbers are in host byte order.

#include <stdbool.h>
#include <stdint.h>

enum {
	HTTP_PACKET_MAX_HEADERS = 14 + 40 + 20 + 20 + 8, // options of a SYN included
};

// How a side's packets travel. The outer addresses are those that the side sends with.
struct http_packet_link {
	bool srv6;
	uint8_t outer_src[16];
	uint8_t outer_dst[16];
};

struct http_packet {
	uint32_t src;
	uint32_t dst;
	uint16_t src_port;
	uint16_t dst_port;
	uint32_t seq;
	uint32_t ack;
	uint16_t window;
	uint16_t mss;  // of a SYN; 0: none
	uint8_t flags; // enum tcp_flag
	uint8_t scale; // of a SYN
	const uint8_t *data;
	uint32_t len;
	uint32_t ip_len; // of the IPv4 packet; set by http_packet_read()
};

// Where the payload begins in a frame.
uint32_t http_packet_headers_len(const struct http_packet_link *link, const struct http_packet *p);

// Writes the headers before p->len bytes of payload, which stand in their place already. flow_label goes
// into the outer header. Returns the frame's length.
uint32_t http_packet_write(uint8_t *frame, const struct http_packet_link *link,
	const struct http_packet *p, uint32_t flow_label);

// Takes a frame apart. False: malformed, or a checksum is wrong.
bool http_packet_read(const uint8_t *frame, uint32_t len, struct http_packet *p);
