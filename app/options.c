// SPDX-License-Identifier: Apache-2.0

#include "app/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

static const struct option long_options[] = {
	{"check", required_argument, NULL, 'c'},
	{"control-socket", required_argument, NULL, 's'},
	{"version", no_argument, NULL, 'V'},
	{"xds-support", no_argument, NULL, 'x'},
	{"help", no_argument, NULL, 'h'},
	{0},
};

void options_print_help(void)
{
	fputs("Usage: pergola [OPTIONS] CONFIG [-- EAL-ARGS...]\n"
	      "       pergola --check CONFIG\n"
	      "\n"
	      "Runs the Pergola node: SRv6 between private networks, on DPDK workers.\n"
	      "\n"
	      "  CONFIG                    configuration file; conf/pergola.cfg explains every "
	      "key\n"
	      "  --check CONFIG            check the file, say what is wrong with it, and exit\n"
	      "  --control-socket PATH     where pergolactl reaches the node, instead of the\n"
	      "                            configuration's control_socket\n"
	      "  --version                 versions of Pergola and DPDK\n"
	      "  --xds-support             what of xDS is honoured, field by field, as Markdown\n"
	      "  --help                    this text\n"
	      "  -- EAL-ARGS               DPDK arguments; they come after the configuration's and "
	      "win\n"
	      "\n"
	      "SIGHUP reloads CONFIG; SIGTERM and SIGINT stop the node.\n"
	      "Exit status: 0 done, 1 the file was refused or the node could not start, 2 usage.\n",
		stdout);
}

static int usage_error(const char *what)
{
	fprintf(stderr, "pergola: %s; see pergola --help\n", what);
	return -EINVAL;
}

int options_parse(int argc, char **argv, struct options *options)
{
	int c;

	memset(options, 0, sizeof(*options));
	// '+': stop at the first word that is no option, so that EAL's are left alone.
	while ((c = getopt_long(argc, argv, "+hV", long_options, NULL)) != -1) {
		switch (c) {
		case 'c':
			options->check = true;
			options->config_path = optarg;
			break;
		case 's':
			options->control_socket = optarg;
			break;
		case 'V':
			options->version = true;
			return 0;
		case 'x':
			options->xds_support = true;
			return 0;
		case 'h':
			options->help = true;
			return 0;
		default:
			return usage_error("unknown option");
		}
	}
	if (options->check)
		return optind == argc ? 0 : usage_error("--check takes one file");
	if (optind == argc)
		return usage_error("no configuration file");
	options->config_path = argv[optind++];
	if (optind == argc)
		return 0;
	if (strcmp(argv[optind], "--") != 0)
		return usage_error("one configuration file, then -- before EAL arguments");
	options->n_eal_args = argc - optind - 1;
	options->eal_args = argv + optind + 1;
	return 0;
}
