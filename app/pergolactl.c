// SPDX-License-Identifier: Apache-2.0

// Asks a running node over its UNIX socket and prints the answer. docs/pergolactl.md is for users.

#include "app/ctl_http.h"
#include "app/ctl_print.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEFAULT_SOCKET "/run/pergola/control.sock"

enum exit_code {
	EXIT_OK,
	EXIT_REFUSED,
	EXIT_USAGE,
	EXIT_UNREACHABLE,
};

enum {
	MAX_ARGS = 8,
	MAX_TARGET_BYTES = 6144,
	TIMEOUT_S = 60, // beyond what the request itself takes
	N_TRIES = 3,	// of an answer that a reload cut short
};

// Options that belong to commands.
enum {
	OPTION_ALL,
	OPTION_HTTP,
	OPTION_LIMIT,
	OPTION_PORTS,
	OPTION_PACKETS,
	OPTION_SECONDS,
	OPTION_TIMEOUT,
	OPTION_WORKER,
	N_OPTIONS,
};

static const char *const option_names[N_OPTIONS] = {
	"all", "http", "limit", "ports", "packets", "seconds", "timeout", "worker"};

struct arguments {
	const char *socket_path;
	bool json;
	bool version;
	bool help;
	const char *options[N_OPTIONS]; // NULL: not given
	int n_args;
	const char *args[MAX_ARGS];
};

struct command {
	const char *name;
	const char *usage;
	const char *help;
	const char *method;
	const char *path;
	const char *option_params[N_OPTIONS]; // the query parameter of each option that it has
	int min_args;
	int max_args;
	// Adds positional arguments to the query; NULL: there are none. 0 or -errno, -EINVAL: wrong usage.
	int (*add_args_fn)(const struct arguments *arguments, char *target);
	void (*print_fn)(
		FILE *out, const json_t *answer); // NULL: the answer is text, shown as it came
};

static int add_param(char *target, const char *name, const char *value)
{
	size_t n = strlen(target);

	snprintf(target + n, MAX_TARGET_BYTES - n, "%c%s=", strchr(target, '?') == NULL ? '?' : '&',
		name);
	return ctl_http_encode(target, MAX_TARGET_BYTES, value);
}

static bool is_address(const char *text)
{
	uint8_t addr[16];

	return inet_pton(AF_INET, text, addr) == 1 || inet_pton(AF_INET6, text, addr) == 1;
}

static int add_name_arg(const struct arguments *arguments, char *target)
{
	return arguments->n_args == 0 ? 0 : add_param(target, "name", arguments->args[0]);
}

static int add_route_args(const struct arguments *arguments, char *target)
{
	int ret = 0;

	if (arguments->options[OPTION_HTTP] != NULL) {
		if (arguments->n_args == 2)
			return -EINVAL;
		return arguments->n_args == 0 ? 0
					      : add_param(target, "listener", arguments->args[0]);
	}
	for (int i = 0; i < arguments->n_args && ret == 0; i++) {
		bool address = i == 1 || is_address(arguments->args[i]);

		ret = add_param(target, address ? "address" : "vrf", arguments->args[i]);
	}
	return ret;
}

// KEY=VALUE; an address alone is the client's.
static int add_flow_arg(const char *arg, char *target)
{
	static const char *const keys[] = {
		"client", "vrf", "listener", "virtual_host", "cluster", "endpoint", "phase"};
	const char *equals = strchr(arg, '=');

	if (equals == NULL)
		return is_address(arg) ? add_param(target, "client", arg) : -EINVAL;
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (strlen(keys[i]) == (size_t)(equals - arg) &&
			strncmp(keys[i], arg, strlen(keys[i])) == 0)
			return add_param(target, keys[i], equals + 1);
	return -EINVAL;
}

static int add_flow_args(const struct arguments *arguments, char *target)
{
	int ret = 0;

	for (int i = 0; i < arguments->n_args && ret == 0; i++)
		ret = add_flow_arg(arguments->args[i], target);
	return ret;
}

static int add_trace_args(const struct arguments *arguments, char *target)
{
	return arguments->n_args == 0 ? 0 : add_param(target, "n", arguments->args[0]);
}

// The node has another working directory.
static int add_capture_args(const struct arguments *arguments, char *target)
{
	char path[4096];

	if (arguments->args[0][0] == '/')
		return add_param(target, "file", arguments->args[0]);
	if (getcwd(path, sizeof(path)) == NULL)
		return -errno;
	if (strlen(path) + 1 + strlen(arguments->args[0]) >= sizeof(path))
		return -ENAMETOOLONG;
	strcat(path, "/");
	strcat(path, arguments->args[0]);
	return add_param(target, "file", path);
}

static const struct command commands[] = {
	{.name = "status",
		.usage = "status",
		.help = "version, uptime, workers, memory",
		.method = "GET",
		.path = "/status",
		.print_fn = ctl_print_status},
	{.name = "ports",
		.usage = "ports",
		.help = "devices, counters, interfaces, addresses",
		.method = "GET",
		.path = "/ports",
		.print_fn = ctl_print_ports},
	{.name = "neighbors",
		.usage = "neighbors",
		.help = "ARP and neighbour discovery",
		.method = "GET",
		.path = "/neighbors",
		.print_fn = ctl_print_neighbors},
	{.name = "routes",
		.usage = "routes [VRF] [ADDRESS] | routes --http [LISTENER]",
		.help = "the tables, or why ADDRESS goes where it goes",
		.method = "GET",
		.path = "/routes",
		.option_params = {[OPTION_HTTP] = "http"},
		.max_args = 2,
		.add_args_fn = add_route_args,
		.print_fn = ctl_print_routes},
	{.name = "services",
		.usage = "services [NAME]",
		.help = "listeners and virtual hosts: requests, latencies",
		.method = "GET",
		.path = "/services",
		.max_args = 1,
		.add_args_fn = add_name_arg,
		.print_fn = ctl_print_services},
	{.name = "clusters",
		.usage = "clusters [NAME]",
		.help = "clusters and endpoints: requests, connections",
		.method = "GET",
		.path = "/clusters",
		.max_args = 1,
		.add_args_fn = add_name_arg,
		.print_fn = ctl_print_clusters},
	{.name = "flows",
		.usage = "flows [KEY=VALUE ...] [--limit N]",
		.help = "connections of clients, and where they go",
		.method = "GET",
		.path = "/flows",
		.option_params = {[OPTION_LIMIT] = "limit"},
		.max_args = MAX_ARGS,
		.add_args_fn = add_flow_args,
		.print_fn = ctl_print_flows},
	{.name = "sids",
		.usage = "sids",
		.help = "SIDs, behaviors, counters",
		.method = "GET",
		.path = "/sids",
		.print_fn = ctl_print_sids},
	{.name = "policies",
		.usage = "policies",
		.help = "segment lists, first hops, counters",
		.method = "GET",
		.path = "/policies",
		.print_fn = ctl_print_policies},
	{.name = "drops",
		.usage = "drops [--all]",
		.help = "dropped packets by reason",
		.method = "GET",
		.path = "/drops",
		.option_params = {[OPTION_ALL] = "all"},
		.print_fn = ctl_print_drops},
	{.name = "nodes",
		.usage = "nodes [--worker N]",
		.help = "cost of each graph node",
		.method = "GET",
		.path = "/nodes",
		.option_params = {[OPTION_WORKER] = "worker"},
		.print_fn = ctl_print_nodes},
	{.name = "xds",
		.usage = "xds",
		.help = "the stream to the xDS server, types, refusals",
		.method = "GET",
		.path = "/xds",
		.print_fn = ctl_print_xds},
	{.name = "metrics",
		.usage = "metrics",
		.help = "counters as text for Prometheus",
		.method = "GET",
		.path = "/metrics"},
	{.name = "config-dump",
		.usage = "config-dump",
		.help = "what is live, as JSON: the file and xDS resources",
		.method = "GET",
		.path = "/config-dump",
		.print_fn = ctl_print_config_dump},
	{.name = "reload",
		.usage = "reload",
		.help = "read the configuration file again",
		.method = "POST",
		.path = "/reload",
		.print_fn = ctl_print_reload},
	{.name = "trace",
		.usage = "trace [N] [--timeout S]",
		.help = "the way of the next N packets through the node",
		.method = "POST",
		.path = "/trace",
		.option_params = {[OPTION_TIMEOUT] = "timeout"},
		.max_args = 1,
		.add_args_fn = add_trace_args,
		.print_fn = ctl_print_trace},
	{.name = "capture",
		.usage = "capture FILE [--ports A,B] [--packets N] [--seconds S]",
		.help = "frames of ports into a pcapng file",
		.method = "POST",
		.path = "/capture",
		.option_params = {[OPTION_PORTS] = "ports",
			[OPTION_PACKETS] = "packets",
			[OPTION_SECONDS] = "seconds"},
		.min_args = 1,
		.max_args = 1,
		.add_args_fn = add_capture_args,
		.print_fn = ctl_print_capture},
};

enum {
	N_COMMANDS = sizeof(commands) / sizeof(commands[0]),
};

static void print_help(void)
{
	printf("Usage: pergolactl [--socket PATH] [--json] COMMAND\n\n");
	for (size_t i = 0; i < N_COMMANDS; i++)
		printf("  %-56s %s\n", commands[i].usage, commands[i].help);
	printf("\n  --socket PATH  control socket; or PERGOLA_SOCKET in the environment\n"
	       "                 (default " DEFAULT_SOCKET ")\n"
	       "  --json         the answer as it came, for programs\n"
	       "  --version, --help\n\n"
	       "Exit codes: 0 done, 1 the node refused or failed, 2 usage, 3 the node cannot be\n"
	       "reached.\n");
}

static int refuse_usage(const char *what, const char *name)
{
	fprintf(stderr, "pergolactl: %s%s; see pergolactl --help\n", what, name);
	return EXIT_USAGE;
}

// Takes the options; what stands behind them is argv from optind on.
static int read_arguments(int argc, char **argv, struct arguments *arguments)
{
	enum {
		SOCKET = N_OPTIONS,
		JSON,
		VERSION,
		HELP,
	};
	static const struct option options[] = {
		{"all", no_argument, NULL, OPTION_ALL},
		{"http", no_argument, NULL, OPTION_HTTP},
		{"limit", required_argument, NULL, OPTION_LIMIT},
		{"ports", required_argument, NULL, OPTION_PORTS},
		{"packets", required_argument, NULL, OPTION_PACKETS},
		{"seconds", required_argument, NULL, OPTION_SECONDS},
		{"timeout", required_argument, NULL, OPTION_TIMEOUT},
		{"worker", required_argument, NULL, OPTION_WORKER},
		{"socket", required_argument, NULL, SOCKET},
		{"json", no_argument, NULL, JSON},
		{"version", no_argument, NULL, VERSION},
		{"help", no_argument, NULL, HELP},
		{0},
	};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case SOCKET:
			arguments->socket_path = optarg;
			break;
		case JSON:
			arguments->json = true;
			break;
		case VERSION:
			arguments->version = true;
			break;
		case HELP:
			arguments->help = true;
			break;
		case '?':
			return refuse_usage("unknown option or missing value", "");
		default:
			arguments->options[option] = optarg == NULL ? "1" : optarg;
		}
	}
	return EXIT_OK;
}

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < N_COMMANDS; i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

static int take_args(
	const struct command *command, int argc, char **argv, struct arguments *arguments)
{
	arguments->n_args = argc;
	if (argc < command->min_args || argc > command->max_args)
		return refuse_usage("usage: ", command->usage);
	for (int i = 0; i < argc; i++)
		arguments->args[i] = argv[i];
	for (int i = 0; i < N_OPTIONS; i++)
		if (arguments->options[i] != NULL && command->option_params[i] == NULL)
			return refuse_usage("this command has no --", option_names[i]);
	return EXIT_OK;
}

static int build_target(
	const struct command *command, const struct arguments *arguments, char *target)
{
	int ret = 0;

	strcpy(target, command->path);
	if (command->add_args_fn != NULL)
		ret = command->add_args_fn(arguments, target);
	for (int i = 0; i < N_OPTIONS && ret == 0; i++)
		if (arguments->options[i] != NULL)
			ret = add_param(target, command->option_params[i], arguments->options[i]);
	return ret;
}

// The node's own time for it comes on top.
static unsigned int request_timeout_s(const struct arguments *arguments)
{
	const char *seconds = arguments->options[OPTION_SECONDS];
	const char *timeout = arguments->options[OPTION_TIMEOUT];

	return TIMEOUT_S + (seconds == NULL ? 0 : (unsigned int)strtoul(seconds, NULL, 10)) +
	       (timeout == NULL ? 0 : (unsigned int)strtoul(timeout, NULL, 10));
}

static int explain_unreachable(const char *path, int error)
{
	const char *advice = "is it overloaded? See its log";

	if (error == ENOENT || error == ECONNREFUSED)
		advice = "is pergola running? If it is, name its control_socket with --socket";
	else if (error == EACCES || error == EPERM)
		advice = "try sudo, or join the group that owns the socket";
	else if (error == EBADMSG)
		advice = "what listens there is no pergola";
	fprintf(stderr, "pergolactl: cannot reach the node at %s: %s; %s\n", path, strerror(error),
		advice);
	return EXIT_UNREACHABLE;
}

static bool is_whole_text(const struct command *command, const struct ctl_response *response)
{
	static const char end[] = "# EOF\n";
	const size_t end_len = sizeof(end) - 1;

	return command->print_fn == NULL && response->status == 200 &&
	       response->body_len >= end_len &&
	       memcmp(response->body + response->body_len - end_len, end, end_len) == 0;
}

static int print_answer(const struct command *command, const struct arguments *arguments,
	const struct ctl_response *response, const json_t *answer)
{
	const char *error = json_string_value(json_object_get(answer, "error"));

	if (arguments->json || is_whole_text(command, response))
		fwrite(response->body, 1, response->body_len, stdout);
	if (is_whole_text(command, response))
		return EXIT_OK;
	if (answer == NULL && !arguments->json)
		fprintf(stderr, "pergolactl: the node answered %d, cut short or without JSON\n",
			response->status);
	else if (error != NULL && !arguments->json)
		fprintf(stderr, "pergolactl: %s\n", error);
	else if (!arguments->json)
		command->print_fn(stdout, answer);
	return answer == NULL || error != NULL || response->status != 200 ? EXIT_REFUSED : EXIT_OK;
}

static int run(const struct command *command, const struct arguments *arguments)
{
	struct ctl_response response = {0};
	char target[MAX_TARGET_BYTES];
	json_t *answer = NULL;
	int ret = build_target(command, arguments, target);

	if (ret != 0)
		return refuse_usage(ret == -EINVAL ? "usage: " : "arguments: ",
			ret == -EINVAL ? command->usage : strerror(-ret));
	for (int i = 0; i < N_TRIES; i++) {
		ret = ctl_http_request(arguments->socket_path, command->method, target,
			request_timeout_s(arguments), &response);
		if (ret != 0)
			return explain_unreachable(arguments->socket_path, -ret);
		answer = json_loadb(response.body, response.body_len, 0, NULL);
		// 200 with an error: a reload came in between.
		if (response.status != 200 || json_object_get(answer, "error") == NULL ||
			i + 1 == N_TRIES)
			break;
		json_decref(answer);
		ctl_http_free(&response);
	}
	ret = print_answer(command, arguments, &response, answer);
	json_decref(answer);
	ctl_http_free(&response);
	return ret;
}

int main(int argc, char **argv)
{
	struct arguments arguments = {.socket_path = getenv("PERGOLA_SOCKET")};
	const struct command *command;
	int ret = read_arguments(argc, argv, &arguments);

	if (ret != EXIT_OK)
		return ret;
	if (arguments.help) {
		print_help();
		return EXIT_OK;
	}
	if (arguments.version) {
		printf("pergolactl %s\n", PERGOLA_VERSION);
		return EXIT_OK;
	}
	if (arguments.socket_path == NULL || arguments.socket_path[0] == '\0')
		arguments.socket_path = DEFAULT_SOCKET;
	if (optind == argc)
		return refuse_usage("no command", "");
	command = find_command(argv[optind]);
	if (command == NULL)
		return refuse_usage("unknown command ", argv[optind]);
	ret = take_args(command, argc - optind - 1, argv + optind + 1, &arguments);
	return ret != EXIT_OK ? ret : run(command, &arguments);
}
