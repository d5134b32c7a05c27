# SPDX-License-Identifier: Apache-2.0
"""Fixtures: a lab of its own for each test. See e2e_lab.py."""

import itertools
import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import e2e_lab  # noqa: E402

numbers = itertools.count()


@pytest.fixture
def lab(request):
    made = e2e_lab.Lab(next(numbers))
    request.node.lab = made
    yield made
    made.close()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    """Logs of the nodes beside the failure."""
    outcome = yield
    report = outcome.get_result()
    made = getattr(item, "lab", None)
    if report.when != "call" or not report.failed or made is None:
        return
    for node in made.nodes:
        report.sections.append((node.log_path, node.log()[-8000:]))
