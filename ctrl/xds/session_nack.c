// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <string.h>

#include "ctrl/xds/session_priv.h"

enum {
	ROOM_FOR_MORE = 32, // "; and 4294967295 more"
};

// Keeps the end for how many there are that found no room.
void session_nack_add(struct session_nack *nack, uint64_t signature, const char *why)
{
	const char *between = nack->n_refused == 0 ? "" : "; ";
	size_t room = sizeof(nack->text) - ROOM_FOR_MORE - nack->len;

	nack->n_refused++;
	nack->signature = nack->signature * 31 + signature;
	if (nack->n_unsaid == 0 && strlen(between) + strlen(why) < room) {
		snprintf(nack->text + nack->len, room, "%s%s", between, why);
		// What a refusal quotes may be anything, or cut within a character.
		wire_clean(nack->text + nack->len);
		nack->len += strlen(nack->text + nack->len);
		return;
	}
	nack->n_unsaid++;
	snprintf(nack->text + nack->len, ROOM_FOR_MORE, "; and %u more", nack->n_unsaid);
}
