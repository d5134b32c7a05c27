# SPDX-License-Identifier: Apache-2.0
"""Where a TCP listener's connections go: to clusters by weight, and nowhere when a cluster has nobody."""

import pytest

import l7_lab

N_CONNECTIONS = 100
NET = dict(service_network="net")
LISTENERS = [
    dict(name="shared", port=81, protocol="tcp", weighted_clusters=[
        dict(cluster="heavy", weight=3), dict(cluster="light", weight=1), dict(cluster="never", weight=0)]),
    dict(name="alone", port=82, protocol="tcp", cluster="light"),
    dict(name="nobody", port=83, protocol="tcp", cluster="empty"),
    dict(name="pair", port=84, protocol="tcp", cluster="pair")]
PORTS = dict(heavy=8081, light=8082, never=8083)

CONFIG = dict(l7_lab.config(*LISTENERS), clusters=[
    dict(name=name, endpoints=[dict(address=l7_lab.ENDPOINT[4], port=port)]) for name, port in PORTS.items()] + [
        dict(name="empty", endpoints=[]),
        dict(name="pair", endpoints=[dict(address=l7_lab.ENDPOINT[4], port=port, weight=weight)
                                     for port, weight in ((8084, 9), (8085, 1))])])


def endpoint_port(wire, family, port):
    client = wire.client(family, port=port)
    client.send("S", options=l7_lab.OPTIONS)
    server = wire.accept()
    server.answer_syn()
    client.next("SA")
    client.send()
    client.reset()
    return server.port


def test_clusters_share_by_weight(wire):
    got = [endpoint_port(wire, 4, 81) for _ in range(N_CONNECTIONS)]
    assert 0 < got.count(PORTS["light"]) < got.count(PORTS["heavy"])
    assert set(got) == {PORTS["light"], PORTS["heavy"]}


@pytest.mark.parametrize("family", [4, 6])
def test_one_cluster_gets_all(wire, family):
    assert {endpoint_port(wire, family, 82) for _ in range(10)} == {PORTS["light"]}


@pytest.mark.parametrize("family", [4, 6])
def test_cluster_without_endpoints_resets(wire, family):
    client = wire.client(family, port=83)
    client.send("S", options=l7_lab.OPTIONS)
    assert client.next().flags.R


def test_endpoint_that_refused_is_not_tried_again(wire):
    """Even when it is its turn, nine times of ten."""
    for _ in range(10):
        client = wire.client(port=84)
        client.send("S", options=l7_lab.OPTIONS)
        first = wire.accept()
        first.send("RA")
        second = wire.accept()
        assert {first.port, second.port} == {8084, 8085}
        second.answer_syn()
        client.next("SA")
        client.send()
        client.reset()
