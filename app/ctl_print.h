// SPDX-License-Identifier: Apache-2.0
#pragma once

// The answers of the admin server, printed for people: one function per resource.

#include <stdio.h>

#include <jansson.h>

void ctl_print_status(FILE *out, const json_t *answer);
void ctl_print_ports(FILE *out, const json_t *answer);
void ctl_print_neighbors(FILE *out, const json_t *answer);
// Tables of IP and HTTP routes, or the reasons for one address.
void ctl_print_routes(FILE *out, const json_t *answer);
void ctl_print_services(FILE *out, const json_t *answer);
void ctl_print_clusters(FILE *out, const json_t *answer);
void ctl_print_flows(FILE *out, const json_t *answer);
void ctl_print_sids(FILE *out, const json_t *answer);
void ctl_print_policies(FILE *out, const json_t *answer);
void ctl_print_drops(FILE *out, const json_t *answer);
void ctl_print_nodes(FILE *out, const json_t *answer);
void ctl_print_xds(FILE *out, const json_t *answer);
void ctl_print_config_dump(FILE *out, const json_t *answer);
void ctl_print_reload(FILE *out, const json_t *answer);
void ctl_print_trace(FILE *out, const json_t *answer);
void ctl_print_capture(FILE *out, const json_t *answer);

// Parts of answers, about services (ctl_print_l7.c).
void ctl_print_http_routes(FILE *out, const json_t *rows);
void ctl_print_l7_status(FILE *out, const json_t *answer);
