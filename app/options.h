// SPDX-License-Identifier: Apache-2.0
#pragma once

// The command line of pergola.

#include <stdbool.h>

struct options {
	const char *config_path;
	bool check; // --check FILE: validate and exit
	bool version;
	bool xds_support; // --xds-support: print docs/xds-support.md
	bool help;
	const char *control_socket; // --control-socket PATH; NULL: as configured
	int n_eal_args;		    // what stands after --
	char **eal_args;
};

// Returns 0, or -EINVAL after a line on standard error. options points into argv.
int options_parse(int argc, char **argv, struct options *options);

// Prints the usage to standard output.
void options_print_help(void);
