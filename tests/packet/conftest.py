# SPDX-License-Identifier: Apache-2.0
"""Fixtures. A module says what it needs in CONFIG (see harness.complete) and, when it is not the tap, in
DEVICE = "af_packet"; its tests take `node`. Everything runs with one worker and again with two."""

import os

import pytest

import harness
import l7_lab


def pytest_sessionstart(session):
    if os.geteuid() != 0:
        pytest.exit("the packet tests make network namespaces and raw sockets: run them as root", 1)
    for name in ("pergola", "pergolactl"):
        if not os.access(harness.binary(name), os.X_OK):
            pytest.exit(f"{harness.binary(name)} is not there: build it, and name the build "
                        "directory in PERGOLA_BUILD", 1)
    harness.sweep()


@pytest.fixture(scope="session", params=[1, 2], ids=["1worker", "2workers"])
def workers(request):
    return request.param


@pytest.fixture(scope="module")
def module_node(request, workers):
    node = harness.Node(request.module.CONFIG, workers, getattr(request.module, "DEVICE", "tap"))
    for port, ignore in getattr(request.module, "IGNORE", {}).items():
        node.peers[port].ignore = ignore
    yield node
    assert node.stop() == 0, "the node did not end well"


@pytest.fixture
def node(request, module_node):
    """The module's node. A test that leaves frames unread fails; node.drain() says that they do not
    matter."""
    request.node.pergola = module_node
    module_node.drain()
    yield module_node
    if not getattr(request.node, "failed_in_call", False):
        module_node.expect_none()


@pytest.fixture
def start_node(request, workers):
    """start_node(config, device="tap", workers=N): a node for one test alone."""
    nodes = []

    def start(config, **kwargs):
        node = harness.Node(config, **dict(dict(workers=workers), **kwargs))
        nodes.append(node)
        request.node.pergola = node
        return node

    yield start
    for node in nodes:
        node.stop()


@pytest.fixture
def wire(node):
    """Both ends of the node's connections, by hand (l7_lab)."""
    made = l7_lab.Wire(node)
    yield made
    made.close()
    node.drain()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    if not report.failed:
        return
    if report.when == "call":
        item.failed_in_call = True
    node = getattr(item, "pergola", None)
    if node is None or node.process is None:
        return
    try:
        report.sections.append(("node's drops", str(node.drops())))
    except Exception as error:
        report.sections.append(("node's drops", f"not to be had: {error}"))
    report.sections.append(("node's log", "\n".join(node.log().splitlines()[-60:])))
