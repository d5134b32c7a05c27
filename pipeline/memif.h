// SPDX-License-Identifier: Apache-2.0
#pragma once

// What is special about DPDK's memif devices: they carry frames of any length, but say 1518 bytes of
// themselves; and a client needs its server to be there.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Whether device, as a configuration writes it, is one.
bool memif_is(const char *device);
// Whether it is the side that connects, and that says how long slots are.
bool memif_is_client(const char *device);

// Whether frames come in chains of buffers when they are longer than one, without being asked for. Not with
// zero-copy, where the driver of DPDK 22.11 counts only the first of them (eth_memif_rx_zc()).
bool memif_scatters(const char *device);

// device with slots for whole frames of frame_len bytes, where it may ask for them and does not by itself.
void memif_args(const char *device, uint32_t frame_len, char *out, size_t out_len);
