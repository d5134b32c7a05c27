// SPDX-License-Identifier: Apache-2.0
#include "ctrl/xds/dns_hosts.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

struct dns_host {
	char *name;
	struct l7_address address;
};

static const char blanks[] = " \t\r\n";

void dns_hosts_init(struct dns_hosts *hosts, const char *path)
{
	*hosts = (struct dns_hosts){.path = path};
}

void dns_hosts_fini(struct dns_hosts *hosts)
{
	for (size_t i = 0; i < hosts->n_hosts; i++)
		free(hosts->hosts[i].name);
	free(hosts->hosts);
	hosts->hosts = NULL;
	hosts->n_hosts = 0;
}

bool dns_hosts_parse(const char *text, uint8_t family, struct l7_address *address)
{
	*address = (struct l7_address){.family = 4};
	if (family != 6 && inet_pton(AF_INET, text, address->b) == 1)
		return true;
	address->family = 6;
	return family != 4 && inet_pton(AF_INET6, text, address->b) == 1;
}

// What does not fit into memory is not found.
static void add(struct dns_hosts *hosts, const char *name, const struct l7_address *address)
{
	struct dns_host *grown = realloc(hosts->hosts, (hosts->n_hosts + 1) * sizeof(*grown));

	if (grown == NULL)
		return;
	hosts->hosts = grown;
	grown[hosts->n_hosts] = (struct dns_host){.name = strdup(name), .address = *address};
	if (grown[hosts->n_hosts].name != NULL)
		hosts->n_hosts++;
}

static void read_line(struct dns_hosts *hosts, char *line)
{
	struct l7_address address;
	char *rest, *word;

	line[strcspn(line, "#")] = '\0';
	word = strtok_r(line, blanks, &rest);
	if (word == NULL || !dns_hosts_parse(word, 0, &address))
		return;
	while ((word = strtok_r(NULL, blanks, &rest)) != NULL)
		add(hosts, word, &address);
}

static void refresh(struct dns_hosts *hosts)
{
	struct stat st;
	char *line = NULL;
	size_t size = 0;
	FILE *file;

	if (stat(hosts->path, &st) != 0 || (st.st_mtim.tv_sec == hosts->mtime.tv_sec &&
						   st.st_mtim.tv_nsec == hosts->mtime.tv_nsec))
		return;
	file = fopen(hosts->path, "re");
	if (file == NULL)
		return;
	dns_hosts_fini(hosts);
	while (getline(&line, &size, file) >= 0)
		read_line(hosts, line);
	hosts->mtime = st.st_mtim;
	free(line);
	fclose(file);
}

size_t dns_hosts_find(struct dns_hosts *hosts, const char *name, uint8_t family,
	struct l7_address *addresses, size_t max)
{
	size_t n = 0;

	refresh(hosts);
	for (size_t i = 0; i < hosts->n_hosts && n < max; i++) {
		const struct dns_host *host = &hosts->hosts[i];

		if (strcasecmp(host->name, name) == 0 &&
			(family == 0 || family == host->address.family))
			addresses[n++] = host->address;
	}
	return n;
}
