// SPDX-License-Identifier: Apache-2.0
#include "ctrl/admin/flow_filter.h"

#include "ctrl/admin/dest_view.h"
#include "ctrl/admin/l7_view.h"
#include "ctrl/admin/reply.h"
#include "ctrl/ctrl.h"

#include <event2/http.h>

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

enum {
	ADDRESS_TEXT_LEN = 64, // "[address]:port", "address/len"
};

// A number that is all of text, 1 to max; 0: it is none.
static uint32_t read_number(const char *text, uint32_t max)
{
	char *end;
	unsigned long number = strtoul(text, &end, 10);

	return text[0] >= '1' && text[0] <= '9' && *end == '\0' && number <= max ? (uint32_t)number
										 : 0;
}

static uint8_t read_host(const char *text, uint8_t addr[16])
{
	if (inet_pton(AF_INET, text, addr) == 1)
		return 4;
	return inet_pton(AF_INET6, text, addr) == 1 ? 6 : 0;
}

// "10.0.0.1:80", "[fd00::1]:80", "[fd00::1]": what is behind the host, which is cut off there. NULL: nothing, or it
// is malformed and no host.
static char *cut_port(char **text)
{
	char *colon = strrchr(*text, ':');

	if (**text == '[') {
		char *bracket = strchr(*text, ']');

		if (bracket == NULL || (bracket[1] != '\0' && bracket[1] != ':'))
			return NULL;
		colon = bracket[1] == ':' ? bracket + 1 : NULL;
		*bracket = '\0';
		(*text)++;
	} else if (colon == NULL || strchr(*text, ':') != colon) {
		return NULL;
	}
	if (colon == NULL)
		return NULL;
	*colon = '\0';
	return colon + 1;
}

// An address, with a port or without. False: it is none.
static bool read_address(const char *value, uint8_t addr[16], uint8_t *family, uint16_t *port)
{
	char copy[ADDRESS_TEXT_LEN];
	char *text = copy, *port_text;

	if (strlen(value) >= sizeof(copy))
		return false;
	strcpy(copy, value);
	port_text = cut_port(&text);
	if (port_text != NULL) {
		*port = (uint16_t)read_number(port_text, UINT16_MAX);
		if (*port == 0)
			return false;
	}
	*family = read_host(text, addr);
	return *family != 0;
}

// An address as above, or a prefix.
static bool read_client(struct flow_filter *filter, const char *value)
{
	const char *slash = strchr(value, '/');
	char host[ADDRESS_TEXT_LEN];

	if (slash == NULL) {
		if (!read_address(
			    value, filter->client, &filter->client_family, &filter->client_port))
			return false;
		filter->client_bits = filter->client_family == 4 ? 32 : 128;
		return true;
	}
	if ((size_t)(slash - value) >= sizeof(host))
		return false;
	memcpy(host, value, (size_t)(slash - value));
	host[slash - value] = '\0';
	filter->client_family = read_host(host, filter->client);
	filter->client_bits =
		(uint8_t)read_number(slash + 1, filter->client_family == 4 ? 32 : 128);
	return filter->client_family != 0 && (filter->client_bits > 0 || strcmp(slash, "/0") == 0);
}

static bool phase_exists(const char *name)
{
	const char *phase;

	for (uint32_t i = 1; (phase = splice_phase_name(i)) != NULL; i++)
		if (strcmp(phase, name) == 0)
			return true;
	return false;
}

static bool name_exists(const struct paged *names, const char *name)
{
	for (uint32_t i = 0; i < names->n; i++)
		if (l7_view_name(names, i)[0] != '\0' && strcmp(l7_view_name(names, i), name) == 0)
			return true;
	return false;
}

static bool vrf_exists(const struct snapshot *s, const char *name)
{
	for (uint32_t i = 0; i < s->n_vrfs; i++)
		if (name[0] != '\0' && strcmp(s->vrf_names[i].text, name) == 0)
			return true;
	return false;
}

static const char *behind_slash(const char *name)
{
	const char *slash = strchr(name, '/');

	return slash == NULL ? name : slash + 1;
}

// What a filter names and is not there, or NULL. *name: how it is called.
static const char *find_missing(
	const struct flow_filter *filter, const struct snapshot *s, const char **name)
{
	const struct l7_tables *t = s->l7;

	*name = filter->vrf;
	if (*name != NULL && !vrf_exists(s, *name))
		return "VRF";
	*name = filter->listener;
	if (*name != NULL && !name_exists(t->listener_names, *name))
		return "listener";
	*name = filter->virtual_host;
	if (*name != NULL && !name_exists(t->virtual_host_names, *name) &&
		!name_exists(t->virtual_host_names, behind_slash(*name)))
		return "virtual host";
	*name = filter->cluster;
	if (*name != NULL && !name_exists(t->cluster_names, *name))
		return "cluster";
	*name = filter->phase;
	return *name != NULL && !phase_exists(*name) ? "phase" : NULL;
}

bool flow_filter_read(struct flow_filter *filter, struct reply *reply)
{
	const char *client = reply_param(reply, "client");
	const char *endpoint = reply_param(reply, "endpoint");
	const char *missing, *name;

	*filter = (struct flow_filter){
		.vrf = reply_param(reply, "vrf"),
		.listener = reply_param(reply, "listener"),
		.virtual_host = reply_param(reply, "virtual_host"),
		.cluster = reply_param(reply, "cluster"),
		.phase = reply_param(reply, "phase"),
	};
	if (client != NULL && !read_client(filter, client)) {
		reply_error(reply, HTTP_BADREQUEST,
			"client: \"%.64s\" is no address, address:port or prefix", client);
		return false;
	}
	if (endpoint != NULL && !read_address(endpoint, filter->endpoint, &filter->endpoint_family,
					&filter->endpoint_port)) {
		reply_error(reply, HTTP_BADREQUEST,
			"endpoint: \"%.64s\" is no address or address:port", endpoint);
		return false;
	}
	missing = find_missing(filter, ctrl_snapshot(reply->ctrl), &name);
	if (missing == NULL)
		return true;
	reply_error(reply, HTTP_NOTFOUND, "there is no %s \"%.64s\"", missing, name);
	return false;
}

static bool bits_equal(const uint8_t *a, const uint8_t *b, uint8_t n_bits)
{
	uint8_t n_bytes = n_bits / 8;
	uint8_t mask = (uint8_t)(0xff00 >> n_bits % 8);

	return memcmp(a, b, n_bytes) == 0 &&
	       (n_bits % 8 == 0 || ((a[n_bytes] ^ b[n_bytes]) & mask) == 0);
}

static bool client_fits(const struct flow_filter *filter, const struct flow_tuple *client)
{
	if (filter->client_family == 0)
		return true;
	return client->family == filter->client_family &&
	       (filter->client_port == 0 ||
		       filter->client_port == rte_be_to_cpu_16(client->remote_port_be)) &&
	       bits_equal(client->remote, filter->client, filter->client_bits);
}

static bool endpoint_fits(
	const struct flow_filter *filter, const struct l7_tables *t, uint32_t slot)
{
	const struct endpoint *endpoint;

	if (filter->endpoint_family == 0)
		return true;
	if (slot >= t->n_endpoints)
		return false;
	endpoint = l7_tables_endpoint(t, slot);
	return endpoint->state != ENDPOINT_FREE &&
	       endpoint->address.family == filter->endpoint_family &&
	       memcmp(endpoint->address.b, filter->endpoint,
		       filter->endpoint_family == 4 ? 4 : 16) == 0 &&
	       (filter->endpoint_port == 0 || filter->endpoint_port == endpoint->port);
}

static bool text_fits(const char *wanted, const char *text)
{
	return wanted == NULL || strcmp(wanted, text) == 0;
}

// "host", or "configuration/host".
static bool host_fits(const char *wanted, const struct l7_tables *t, uint32_t slot)
{
	const char *name = l7_view_name(t->virtual_host_names, slot);
	const char *configuration;
	size_t len;

	if (wanted == NULL || (name[0] != '\0' && strcmp(wanted, name) == 0))
		return true;
	if (name[0] == '\0')
		return false;
	configuration = l7_view_name(
		t->route_table_names, l7_tables_name(t->virtual_host_names, slot)->parent);
	len = strlen(configuration);
	return strncmp(wanted, configuration, len) == 0 && wanted[len] == '/' &&
	       strcmp(wanted + len + 1, name) == 0;
}

bool flow_filter_test(
	const struct flow_filter *filter, const struct ctrl *ctrl, const struct flow_row *row)
{
	const struct l7_tables *t = ctrl_snapshot(ctrl)->l7;

	return client_fits(filter, &row->client) && endpoint_fits(filter, t, row->endpoint) &&
	       text_fits(filter->phase, row->phase) &&
	       text_fits(filter->vrf, dest_view_vrf_name(ctrl, row->client.vrf)) &&
	       text_fits(filter->listener, l7_view_name(t->listener_names, row->listener)) &&
	       text_fits(filter->cluster, l7_view_name(t->cluster_names, row->cluster)) &&
	       host_fits(filter->virtual_host, t, row->virtual_host);
}
