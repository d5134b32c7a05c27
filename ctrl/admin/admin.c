// SPDX-License-Identifier: Apache-2.0
#include "ctrl/admin/admin.h"

#include "ctrl/admin/reply.h"
#include "ctrl/admin/views_priv.h"
#include "ctrl/ctrl.h"
#include "ctrl/log.h"

#include <event2/event.h>
#include <event2/http.h>
#include <event2/listener.h>
#include <event2/util.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum {
	MAX_BODY_BYTES = 4096, // nothing we serve has a body
	MAX_HEADERS_BYTES = 8192,
	CLIENT_TIMEOUT_S = 30, // without a byte read or written
	RESUME_MS = 200,       // after no connection could be taken
	BACKLOG = 128,
};

struct admin {
	struct ctrl *ctrl;
	struct evhttp *http;
	struct evconnlistener *listener; // http's
	struct event *resume;		 // listens again
	struct reply_list replies;
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
};

// libevent gives the listener's error callback its own argument, not ours. There is one server.
static struct admin *served;

struct resource {
	const char *path;
	const char *params; // names that the query may have, each followed by a blank
	enum evhttp_cmd_type method;
	void (*handle_fn)(struct reply *reply);
};

static const struct resource resources[] = {
	{"/status", "", EVHTTP_REQ_GET, views_status_get},
	{"/ports", "", EVHTTP_REQ_GET, views_ports_get},
	{"/neighbors", "", EVHTTP_REQ_GET, views_neighbors_get},
	{"/routes", "vrf address http listener ", EVHTTP_REQ_GET, views_routes_get},
	{"/services", "name ", EVHTTP_REQ_GET, views_services_get},
	{"/clusters", "name ", EVHTTP_REQ_GET, views_clusters_get},
	{"/flows", "client vrf listener virtual_host cluster endpoint phase limit ", EVHTTP_REQ_GET,
		views_flows_get},
	{"/sids", "", EVHTTP_REQ_GET, views_sids_get},
	{"/policies", "", EVHTTP_REQ_GET, views_policies_get},
	{"/drops", "all ", EVHTTP_REQ_GET, views_drops_get},
	{"/nodes", "worker ", EVHTTP_REQ_GET, views_nodes_get},
	{"/xds", "", EVHTTP_REQ_GET, views_xds_get},
	{"/config-dump", "", EVHTTP_REQ_GET, views_config_dump_get},
	{"/metrics", "", EVHTTP_REQ_GET, views_metrics_get},
	{"/reload", "", EVHTTP_REQ_POST, views_reload_post},
	{"/trace", "n timeout ", EVHTTP_REQ_POST, views_trace_post},
	{"/capture", "file ports packets seconds ", EVHTTP_REQ_POST, views_capture_post},
};

enum {
	N_RESOURCES = sizeof(resources) / sizeof(resources[0]),
};

static const char *method_name(enum evhttp_cmd_type method)
{
	return method == EVHTTP_REQ_GET ? "GET" : "POST";
}

static void answer_unknown(struct reply *reply, const char *path)
{
	char list[512] = "";

	for (size_t i = 0; i < N_RESOURCES; i++) {
		size_t n = strlen(list);

		snprintf(list + n, sizeof(list) - n, "%s%s %s", i == 0 ? "" : ", ",
			method_name(resources[i].method), resources[i].path);
	}
	reply_error(reply, HTTP_NOTFOUND, "there is no %.64s; there is: %s", path, list);
}

static bool param_is_known(const struct resource *resource, const char *name)
{
	size_t len = strlen(name);

	for (const char *p = resource->params; *p != '\0'; p = strchr(p, ' ') + 1)
		if (strncmp(p, name, len) == 0 && p[len] == ' ')
			return true;
	return false;
}

static const char *unknown_param(const struct resource *resource, const struct reply *reply)
{
	const struct evkeyval *param;

	TAILQ_FOREACH(param, &reply->params, next) {
		if (!param_is_known(resource, param->key))
			return param->key;
	}
	return NULL;
}

static void answer(const struct resource *resource, struct reply *reply)
{
	const char *unknown = unknown_param(resource, reply);

	if (evhttp_request_get_command(reply->req) != resource->method) {
		evhttp_add_header(evhttp_request_get_output_headers(reply->req), "Allow",
			method_name(resource->method));
		reply_error(reply, HTTP_BADMETHOD, "%s wants %s", resource->path,
			method_name(resource->method));
	} else if (unknown != NULL) {
		reply_error(reply, HTTP_BADREQUEST, "%s has no parameter \"%.32s\"; it has: %s",
			resource->path, unknown,
			resource->params[0] == '\0' ? "none " : resource->params);
	} else {
		resource->handle_fn(reply);
	}
}

static void handle_request(struct evhttp_request *req, void *arg)
{
	struct admin *admin = arg;
	const char *path = evhttp_uri_get_path(evhttp_request_get_evhttp_uri(req));
	struct reply *reply = reply_create(admin->ctrl, req, &admin->replies);

	if (reply == NULL)
		return;
	for (size_t i = 0; i < N_RESOURCES; i++) {
		if (strcmp(path, resources[i].path) == 0) {
			answer(&resources[i], reply);
			return;
		}
	}
	answer_unknown(reply, path);
}

static void make_directory(const char *path)
{
	char dir[sizeof(((struct admin *)0)->path)];
	char *slash;

	snprintf(dir, sizeof(dir), "%s", path);
	slash = strrchr(dir, '/');
	if (slash == NULL || slash == dir)
		return;
	*slash = '\0';
	// Whatever goes wrong here, bind() will say.
	mkdir(dir, 0755);
}

// Somebody listens: the socket is not stale. EAGAIN: with a full backlog, but listens.
static bool is_served(const struct sockaddr_un *addr)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool listens = fd >= 0 && (connect(fd, (const struct sockaddr *)addr, sizeof(*addr)) == 0 ||
					  errno == EAGAIN);

	if (fd >= 0)
		close(fd);
	return listens;
}

// The listening socket, or -errno.
static int open_socket(const char *path)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	struct stat st;
	mode_t mask;
	int fd, ret;

	strcpy(addr.sun_path, path);
	make_directory(path);
	if (is_served(&addr))
		return -EADDRINUSE;
	if (lstat(path, &st) == 0) {
		if (!S_ISSOCK(st.st_mode))
			return -EEXIST;
		unlink(path);
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	// Nobody else may connect between bind() and a later chmod().
	mask = umask(0117);
	ret = bind(fd, (const struct sockaddr *)&addr, sizeof(addr));
	umask(mask);
	if (ret == 0 && listen(fd, BACKLOG) == 0)
		return fd;
	ret = -errno;
	close(fd);
	return ret;
}

static void set_limits(struct evhttp *http)
{
	evhttp_set_max_body_size(http, MAX_BODY_BYTES);
	evhttp_set_max_headers_size(http, MAX_HEADERS_BYTES);
	evhttp_set_timeout(http, CLIENT_TIMEOUT_S);
	// All that libevent knows: a wrong method is answered by us, in JSON.
	evhttp_set_allowed_methods(http, UINT16_MAX);
}

// Out of file descriptors, mostly: asking again at once would keep the loop from everything else.
static void on_accept_error(struct evconnlistener *listener, void *arg)
{
	const struct timeval later = {.tv_usec = RESUME_MS * 1000};

	(void)arg;
	log_warning("admin: cannot take a connection: %s", strerror(errno));
	evconnlistener_disable(listener);
	event_add(served->resume, &later);
}

static void on_resume(evutil_socket_t fd, short what, void *arg)
{
	struct admin *admin = arg;

	(void)fd;
	(void)what;
	evconnlistener_enable(admin->listener);
}

// Takes fd. 0 or -ENOMEM.
static int listen_on(struct admin *admin, int fd)
{
	struct evhttp_bound_socket *bound;

	admin->resume = evtimer_new(admin->ctrl->base, on_resume, admin);
	bound = admin->resume == NULL ? NULL : evhttp_accept_socket_with_handle(admin->http, fd);
	if (bound == NULL) {
		close(fd);
		return -ENOMEM;
	}
	served = admin;
	admin->listener = evhttp_bound_socket_get_listener(bound);
	evconnlistener_set_error_cb(admin->listener, on_accept_error);
	return 0;
}

static struct admin *create(struct ctrl *ctrl, const char *path)
{
	struct admin *admin = calloc(1, sizeof(*admin));

	if (admin == NULL)
		return NULL;
	// A client that leaves early must not end the process.
	signal(SIGPIPE, SIG_IGN);
	admin->ctrl = ctrl;
	LIST_INIT(&admin->replies);
	strcpy(admin->path, path);
	admin->http = evhttp_new(ctrl->base);
	if (admin->http == NULL) {
		free(admin);
		return NULL;
	}
	set_limits(admin->http);
	evhttp_set_gencb(admin->http, handle_request, admin);
	return admin;
}

struct admin *admin_create(struct ctrl *ctrl, const char *path, struct refusal *refusal)
{
	struct admin *admin;
	int fd;

	if (strlen(path) >= sizeof(admin->path)) {
		refusal_set(refusal, NULL, "control_socket: %s: longer than %zu bytes", path,
			sizeof(admin->path) - 1);
		return NULL;
	}
	fd = open_socket(path);
	if (fd < 0) {
		refusal_set(refusal, NULL, "control_socket: %s: %s%s", path, strerror(-fd),
			fd == -EADDRINUSE ? "; is another pergola running?" : "");
		return NULL;
	}
	admin = create(ctrl, path);
	if (admin == NULL)
		close(fd);
	else if (listen_on(admin, fd) == 0)
		return admin;
	refusal_set(refusal, NULL, "control_socket: %s: no memory for the server", path);
	admin_destroy(admin);
	return NULL;
}

void admin_destroy(struct admin *admin)
{
	if (admin == NULL)
		return;
	reply_cancel_all(&admin->replies);
	evhttp_free(admin->http);
	if (admin->resume != NULL)
		event_free(admin->resume);
	unlink(admin->path);
	free(admin);
}
