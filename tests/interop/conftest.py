# SPDX-License-Identifier: Apache-2.0
import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import lab as laboratory  # noqa: E402


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    item.failed = call.excinfo is not None or getattr(item, "failed", False)
    return outcome


@pytest.fixture(scope="session", autouse=True)
def swept():
    laboratory.sweep()


@pytest.fixture(params=[1, 2], ids=["1-worker", "2-workers"])
def workers(request):
    return request.param


@pytest.fixture
def lab(request):
    made = laboratory.Lab()
    try:
        yield made
        if getattr(request.node, "failed", False) and os.path.exists(made.log_path):
            print(made.log())
            if os.path.exists(made.socket):
                print(made.ctl("drops"), made.ctl("sids"), made.ctl("policies"), made.ctl("neighbors"))
    finally:
        made.close()
