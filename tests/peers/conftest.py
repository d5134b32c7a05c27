# SPDX-License-Identifier: Apache-2.0
import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import peers  # noqa: E402, F401  (puts tests/interop on the path)
import lab as laboratory  # noqa: E402

SKIPPED = 77  # meson's and automake's


@pytest.fixture(scope="session", autouse=True)
def swept():
    laboratory.sweep()


def pytest_sessionfinish(session):
    """A run without its peer must not look like one that passed."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter.stats.get("skipped") and not reporter.stats.get("passed") and not session.testsfailed:
        session.exitstatus = SKIPPED
