// SPDX-License-Identifier: Apache-2.0

// Drop nodes register themselves before main(), so that their names are at hand without EAL.

#include "ctrl/admin/drop_help.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <rte_graph.h>

static void drop_help_every_drop_node_has_a_sentence(void **state)
{
	unsigned int n_drops = 0;

	(void)state;
	for (rte_node_t id = 0; id < rte_node_max_count(); id++) {
		const char *name = rte_node_id_to_name(id);

		if (strncmp(name, DROP_HELP_PREFIX, strlen(DROP_HELP_PREFIX)) != 0)
			continue;
		n_drops++;
		if (drop_help_find(name + strlen(DROP_HELP_PREFIX)) == NULL)
			fail_msg("ctrl/admin/drop_help.c says nothing of %s", name);
	}
	assert_true(n_drops > 40);
}

static void drop_help_every_sentence_has_a_drop_node(void **state)
{
	char name[RTE_NODE_NAMESIZE];
	const char *reason;

	(void)state;
	for (size_t i = 0; (reason = drop_help_reason(i)) != NULL; i++) {
		snprintf(name, sizeof(name), DROP_HELP_PREFIX "%s", reason);
		if (rte_node_from_name(name) == RTE_NODE_ID_INVALID)
			fail_msg(
				"ctrl/admin/drop_help.c explains \"%s\", but there is no such node",
				reason);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(drop_help_every_drop_node_has_a_sentence),
		cmocka_unit_test(drop_help_every_sentence_has_a_drop_node),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
