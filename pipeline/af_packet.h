// SPDX-License-Identifier: Apache-2.0
#pragma once

// What is special about DPDK's af_packet devices: the frames that they take depend on the slots of their
// ring, a device argument, and not on what they say about themselves, which is 1518 bytes always.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Whether device, as a configuration writes it, is one.
bool af_packet_is(const char *device);
// Whether the kernel has the interface that it names: the driver would not say what it misses.
bool af_packet_has_iface(const char *device);
// The MTU that the kernel has for it: longer frames are not sent. 0: it does not say.
uint32_t af_packet_kernel_mtu(const char *device);

// Bytes of one slot: what device asks for, or what frames of frame_len bytes need. The device wants
// buffers of that size.
uint32_t af_packet_slot_len(const char *device, uint32_t frame_len);

// Longest frame that slots of slot_len bytes take; longer ones are dropped silently.
uint32_t af_packet_max_frame(uint32_t slot_len);

// device with the arguments for its slots, where it has none of its own.
void af_packet_args(const char *device, uint32_t frame_len, char *out, size_t out_len);
