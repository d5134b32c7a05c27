// SPDX-License-Identifier: Apache-2.0
#pragma once

// Services for http_load that change all the time. A control core of its own thread publishes layers, as the xDS
// client does: endpoints come, go, fall ill and change weights, routes lead to other clusters, listeners change, whole
// services come and go. Which endpoints may answer is remembered, so that each answer can be judged. Exits the
// process with a message when a layer is refused.

#include <stdbool.h>
#include <stdint.h>

struct ctrl;
struct http_churn;

enum {
	HTTP_CHURN_ANY_CORE = -1,
};

// Starts the thread, on one core if given, beside workers that stand still. ctrl has what http_scenario_config() says,
// without services. NULL with errno.
struct http_churn *http_churn_create(struct ctrl *ctrl, uint32_t n_services, int core);
// After http_churn_is_stopped(), when no worker runs.
void http_churn_destroy(struct http_churn *churn);

// How many changes are live; the first one is what there is to begin with. Workers have to walk for it to grow.
uint64_t http_churn_n_live(const struct http_churn *churn);
// Goes on until so many are.
void http_churn_set_goal(struct http_churn *churn, uint64_t n_live);
// Ends with the change in flight and its grace period, for which workers have to walk.
void http_churn_stop(struct http_churn *churn);
bool http_churn_is_stopped(const struct http_churn *churn);

// Whether an endpoint may answer a request for a service that was sent when n_live changes were live: it was among the
// service's in one of the worlds since. On the thread that walks.
bool http_churn_may_serve(void *churn, uint32_t service, uint32_t endpoint, uint64_t n_live);
