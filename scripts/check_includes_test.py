#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Plants violations in a small tree: check_includes.py must find each, and nothing else."""

import os
import subprocess
import sys
import tempfile

CHECKER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "check_includes.py")

# File, include line, and whether it is refused.
PLANTED = [
    ("srv6/a.c", '#include "srv6/srh.h"', False),
    ("srv6/b.c", "#include <rte_ip.h>", False),
    ("srv6/c.c", "#include <openssl/sha.h>", False),
    ("srv6/d.c", "#include <rte_mbuf.h>", True),
    ("srv6/e.h", '#include "pipeline/node.h"', True),
    ("srv6/f.c", '#include "srh.h"', True),
    ("l7/a.c", "#include <string.h>", False),
    ("l7/b.c", "#include <rte_ether.h>", True),
    ("pipeline/nodes/a.c", '#include "srv6/srh.h"', False),
    ("pipeline/nodes/b.c", '  #  include "conf/text.h"', True),
    ("pipeline/nodes/c.c", '#include "pipeline/compile/compile.h"', True),
    ("pipeline/compile/a.c", '#include "pipeline/nodes/drop.h"', True),
    ("pipeline/compile/b.c", '#include "pipeline/compile/compile_priv.h"', False),
    ("pipeline/c.c", "#include <event2/event.h>", True),
    ("conf/a.c", '#include "pipeline/spec.h"', False),
    ("conf/b.c", '#include "pipeline/compile/compile.h"', True),
    ("conf/c.c", "#include <rte_ethdev.h>", True),
    ("ctrl/a.c", '#include "conf/conf.h"', False),
    ("ctrl/b.c", '#include "app/eal.h"', True),
    ("ctrl/c.c", '#include "pipeline/compile/compile_priv.h"', True),
    ("ctrl/d.c", "#include <pipeline/node.h>", True),
    ("ctrl/e.c", '#include "ctrl/neigh/neigh_priv.h"', True),
    ("ctrl/neigh/a.c", '#include "ctrl/neigh/neigh_priv.h"', False),
    ("app/a.c", '#include "ctrl/ctrl.h"', False),
    ("perf/a.c", '#include "app/options.h"', True),
    ("tests/unit/a.c", "#include <cmocka.h>", False),
    ("tests/unit/b.c", '#include "app/ctl_table.h"', True),
]


def plant(root, path, line):
    os.makedirs(os.path.dirname(os.path.join(root, path)), exist_ok=True)
    with open(os.path.join(root, path), "w", encoding="utf-8") as file:
        file.write("// SPDX-License-Identifier: Apache-2.0\n" + line + "\n")


def main():
    with tempfile.TemporaryDirectory() as root:
        for path, line, _ in PLANTED:
            plant(root, path, line)
        run = subprocess.run([sys.executable, CHECKER, root], capture_output=True, text=True, check=False)
    found = {line.split(":")[0] for line in run.stdout.splitlines()}
    wanted = {path for path, _, is_refused in PLANTED if is_refused}
    for path in sorted(found ^ wanted):
        print(f"check_includes_test: {path}: " + ("not refused" if path in wanted else "refused"))
    return 0 if found == wanted and run.returncode == 1 else 1


if __name__ == "__main__":
    sys.exit(main())
