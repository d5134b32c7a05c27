// SPDX-License-Identifier: Apache-2.0

// POST /reload: answers when the reload is done.

#include "ctrl/admin/reply.h"
#include "ctrl/admin/views_priv.h"
#include "ctrl/ctrl.h"
#include "ctrl/publish.h"

#include <stdlib.h>

#include <event2/http.h>

enum {
	HTTP_UNPROCESSABLE = 422,
};

// Stays until publish is done, whoever leaves before.
struct waiting {
	struct reply *reply; // NULL: the server went down
};

static void on_done(const struct publish_result *result, void *arg)
{
	struct waiting *waiting = arg;
	struct reply *reply = waiting->reply;

	free(waiting);
	if (reply == NULL)
		return;
	if (result->ret != 0) {
		reply_error(reply, HTTP_UNPROCESSABLE, "%s", result->text);
		return;
	}
	reply_json(reply,
		json_pack("{s:I, s:f, s:f, s:o}", "generation", (json_int_t)result->generation,
			"load_ms", result->load_ms, "compile_ms", result->compile_ms, "restart",
			reply_string(result->text)));
}

static void forget_reply(void *arg)
{
	struct waiting *waiting = arg;

	waiting->reply = NULL;
}

void views_reload_post(struct reply *reply)
{
	struct waiting *waiting = calloc(1, sizeof(*waiting));

	if (waiting == NULL) {
		reply_error(reply, HTTP_INTERNAL, "out of memory");
		return;
	}
	waiting->reply = reply;
	reply_defer(reply, forget_reply, waiting);
	publish_reload(reply->ctrl->publish, on_done, waiting);
}
