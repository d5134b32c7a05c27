// SPDX-License-Identifier: Apache-2.0
#include "ctrl/xds/resource.h"

#include <stdatomic.h>
#include <string.h>

#include "pipeline/arena.h"

#define URL_PREFIX "type.googleapis.com/"

static const struct {
	const char *url;
	const char *word;
} types[XDS_N_TYPES] = {
	[XDS_LISTENER] = {URL_PREFIX "envoy.config.listener.v3.Listener", "listener"},
	[XDS_ROUTES] = {URL_PREFIX "envoy.config.route.v3.RouteConfiguration",
		"route configuration"},
	[XDS_CLUSTER] = {URL_PREFIX "envoy.config.cluster.v3.Cluster", "cluster"},
	[XDS_ENDPOINTS] = {URL_PREFIX "envoy.config.endpoint.v3.ClusterLoadAssignment",
		"endpoints"},
	[XDS_SECRET] = {URL_PREFIX "envoy.extensions.transport_sockets.tls.v3.Secret", "secret"},
};

const char *xds_type_word(enum xds_type type)
{
	return types[type].word;
}

const char *xds_type_url(enum xds_type type)
{
	return types[type].url;
}

enum xds_type xds_type_of(const char *url)
{
	const char *slash = strrchr(url, '/');
	const char *name = slash == NULL ? url : slash + 1;

	for (enum xds_type type = 0; type < XDS_N_TYPES; type++)
		if (strcmp(types[type].url + strlen(URL_PREFIX), name) == 0)
			return type;
	return XDS_NO_TYPE;
}

struct xds_resource *xds_resource_acquire(struct xds_resource *resource)
{
	atomic_fetch_add_explicit(&resource->n_refs, 1, memory_order_relaxed);
	return resource;
}

void xds_resource_release(struct xds_resource *resource)
{
	if (resource == NULL ||
		atomic_fetch_sub_explicit(&resource->n_refs, 1, memory_order_acq_rel) > 1)
		return;
	arena_destroy(resource->arena);
}
