# SPDX-License-Identifier: Apache-2.0
"""The node's requests, one for one, to a control plane that a test plays, over real gRPC."""

import pytest

from resources import eds_cluster, endpoints, http_listener, routes
from server import Raw, SHORT, cluster, core, discovery, extensions, pack, url


def told(node, request):
    """A request in words: the type, what it asks for, what it answers."""
    names = sorted(request.resource_names_subscribe if node.delta else request.resource_names)
    gone = sorted(request.resource_names_unsubscribe) if node.delta else []
    held = sorted(f"{v.key}={v.value}" for v in request.initial_resource_versions) if node.delta else \
        request.version_info
    return (SHORT[request.type_url], names, gone, held, request.response_nonce,
            request.error_detail.message if request.HasField("error_detail") else None)


def ack(node, short, version, nonce, names=()):
    """What accepts a response."""
    return (short, [], [], [], nonce, None) if node.delta else (short, list(names), [], version, nonce, None)


def ask(node, short, names=(), version="", held=(), nonce=""):
    return (short, list(names), [], list(held), "", None) if node.delta else \
        (short, list(names), [], version, nonce, None)


def begin(node, server):
    stream = server.stream()
    first = stream.next()
    assert told(node, first) == ask(node, "cds")
    assert told(node, stream.next()) == ask(node, "lds")
    return stream, first


def load(node, server):
    """A service, from nothing; the stream and what was said on it are checked."""
    stream, _ = begin(node, server)
    nonce = stream.answer("cds", "1", [eds_cluster("pay")])
    assert told(node, stream.next()) == ack(node, "cds", "1", nonce)
    assert told(node, stream.next()) == ask(node, "eds", ["pay"])
    nonce = stream.answer("eds", "1", [endpoints("pay", ("10.9.0.1", 8080))])
    assert told(node, stream.next()) == ack(node, "eds", "1", nonce, ["pay"])
    nonce = stream.answer("lds", "1", [http_listener("web", "0.0.0.0", 80, "main")])
    assert told(node, stream.next()) == ack(node, "lds", "1", nonce)
    assert told(node, stream.next()) == ask(node, "rds", ["main"])
    nonce = stream.answer("rds", "1", [routes("main", "pay")])
    assert told(node, stream.next()) == ack(node, "rds", "1", nonce, ["main"])
    return stream


def is_live(node):
    return any(row["listener"] == "web" for row in node.ctl("services")["services"])


def test_first_request_says_who_the_node_is(node, server):
    _, first = begin(node, server)
    assert (first.node.id, first.node.cluster, first.node.user_agent_name) == ("node-1", "edge", "pergola")
    assert list(first.node.client_features) == ["xds.config.resource-in-sotw", "xds.config.supports-resource-ttl"]
    assert (first.node.locality.region, first.node.locality.zone) == ("eu", "eu-1")
    values = {entry.key: entry.value for entry in first.node.metadata.fields}
    assert values["rack"].string_value == "r7"
    assert [(v.number_value, v.bool_value) for v in core.ListValue.FromString(values["ports"].list_value).values] == [
        (1, False), (0, True)]
    assert core.Struct.FromString(values["deep"].struct_value).fields[0].value.number_value == 0.5


def test_service_goes_live(node, server):
    load(node, server)
    node.until(lambda: is_live(node))
    status = node.ctl("xds")
    assert status["state"] == "up" and status["push_to_live_ms"] > 0
    assert node.type("cluster")["acks"] == 1 and node.entry("endpoints", "pay")["state"] == "held"


def test_refused_cluster_is_named_and_the_other_taken(node, server):
    stream, _ = begin(node, server)
    bad = cluster.Cluster(name="bad", type=cluster.Cluster.ORIGINAL_DST)
    nonce = stream.answer("cds", "1", [bad, eds_cluster("pay")])
    said = told(node, stream.next())
    assert said[0] == "cds" and said[4] == nonce and "cluster bad" in said[5] and said[3] in ("", [])
    assert told(node, stream.next()) == ask(node, "eds", ["pay"])
    assert node.entry("cluster", "bad")["refused"] in said[5]
    assert node.entry("cluster", "pay")["state"] == "held"
    assert node.type("cluster")["nacks"] == 1 and node.type("cluster")["last_nack"] == said[5]


def test_refused_resources_names_are_asked_for(node, server):
    """Servers leave a request without an answer that does not name all they have."""
    stream, _ = begin(node, server)
    bad = eds_cluster("bad", lb_policy=cluster.Cluster.CLUSTER_PROVIDED)
    nonce = stream.answer("cds", "1", [bad, eds_cluster("pay")])
    said = told(node, stream.next())
    assert said[4] == nonce and "cluster bad: lb_policy" in said[5]
    assert told(node, stream.next()) == ask(node, "eds", ["bad", "pay"])
    nonce = stream.answer("eds", "1", [endpoints("pay", ("10.9.0.1", 8080)), endpoints("bad", ("10.9.0.2", 8080))])
    assert told(node, stream.next()) == ack(node, "eds", "1", nonce, ["bad", "pay"])
    wrong = http_listener("wrong", "0.0.0.0", 81, "other", codec_type=extensions.HttpConnectionManager.HTTP2)
    nonce = stream.answer("lds", "1", [http_listener("web", "0.0.0.0", 80, "main"), wrong])
    said = told(node, stream.next())
    assert said[4] == nonce and "listener wrong" in said[5]
    assert told(node, stream.next()) == ask(node, "rds", ["main", "other"])
    nonce = stream.answer("rds", "1", [routes("main", "pay"), routes("other", "bad")])
    assert told(node, stream.next()) == ack(node, "rds", "1", nonce, ["main", "other"])
    node.until(lambda: is_live(node))
    nonce = stream.answer("cds", "2", [eds_cluster("pay")], **({"removed_resources": ["bad"]} if node.delta else {}))
    assert told(node, stream.next()) == ack(node, "cds", "2", nonce)
    gone = told(node, stream.next())
    assert gone[0] == "eds" and (gone[2] if node.delta else gone[1]) == (["bad"] if node.delta else ["pay"])


@pytest.mark.parametrize("n_answers", range(5))
def test_stream_breaks_after_each_answer(node, server, n_answers):
    """The next stream begins with what is held, and leads to the same end."""
    stream, _ = begin(node, server)
    answers = [("cds", eds_cluster("pay")), ("eds", endpoints("pay", ("10.9.0.1", 8080))),
               ("lds", http_listener("web", "0.0.0.0", 80, "main")), ("rds", routes("main", "pay"))]
    for short, message in answers[:n_answers]:
        nonce = stream.answer(short, "1", [message])
        while told(node, stream.next())[4] != nonce:
            pass
    stream.end()
    stream.ended()
    stream = server.stream()
    held = {short: message for short, message in answers[:n_answers]}
    wanted = {"cds": [], "lds": []}
    if "cds" in held:
        wanted["eds"] = ["pay"]
    if "lds" in held:
        wanted["rds"] = ["main"]
    for short in [s for s in ("cds", "eds", "lds", "rds") if s in wanted]:
        message = held.get(short)
        names = [f"{getattr(message, 'name', '') or message.cluster_name}=1"] if message is not None else []
        assert told(node, stream.next()) == ask(
            node, short, wanted[short], "1" if message is not None else "", names)
    for short, message in answers:
        nonce = stream.answer(short, "2", [message])
        while told(node, stream.next())[4] != nonce:
            pass
    node.until(lambda: is_live(node))


@pytest.mark.parametrize("garbage", [b"\xff" * 100, b"\x0b", b"\x12\x7f", b"\x0a\x02\xff\xfe"],
                         ids=["ones", "group", "short", "utf8"])
def test_garbage_ends_the_stream_and_harms_nothing(node, server, garbage):
    stream = load(node, server)
    node.until(lambda: is_live(node))
    stream.send(Raw(garbage))
    stream.ended()
    server.stream()
    assert is_live(node) and node.ctl("xds")["resets"] == 1


def test_same_nonce_twice_is_answered_twice(node, server):
    stream = load(node, server)
    for _ in range(2):
        stream.answer("cds", "1", [eds_cluster("pay")], nonce="same")
        assert told(node, stream.next()) == ack(node, "cds", "1", "same")


def test_unknown_type_is_dropped(node, server):
    stream = load(node, server)
    make = discovery.DeltaDiscoveryResponse if node.delta else discovery.DiscoveryResponse
    stream.send(make(type_url="type.googleapis.com/envoy.service.runtime.v3.Runtime", nonce="x"))
    stream.send(make(type_url=url("sds"), nonce="y"))
    nonce = stream.answer("eds", "2", [endpoints("pay", ("10.9.0.2", 8080))])
    assert told(node, stream.next()) == ack(node, "eds", "2", nonce, ["pay"])
    assert node.ctl("xds")["unasked_responses"] == 2


def test_mixed_types_refuse_the_response(node, server):
    stream = load(node, server)
    wrong = pack("lds", http_listener("x", "0.0.0.0", 81, "main"))
    if node.delta:
        stream.send(discovery.DeltaDiscoveryResponse(type_url=url("cds"), nonce="m", resources=[
            discovery.Resource(name="new", version="2", resource=pack("cds", eds_cluster("new"))),
            discovery.Resource(name="x", version="2", resource=wrong)]))
    else:
        stream.send(discovery.DiscoveryResponse(type_url=url("cds"), nonce="m", version_info="2", resources=[
            pack("cds", eds_cluster("new")), wrong]))
    said = told(node, stream.next())
    assert said[4] == "m" and "resources[1]" in said[5] and "Listener" in said[5]
    assert node.entry("cluster", "new") is None and node.entry("cluster", "pay")["state"] == "held"


def test_thousands_of_clusters_in_one_response(node, server):
    stream, _ = begin(node, server)
    names = [f"cluster-with-some-length-{i:05}" for i in range(5000)]
    nonce = stream.answer("cds", "1", [eds_cluster(name) for name in names])
    assert told(node, stream.next()) == ack(node, "cds", "1", nonce)
    assert told(node, stream.next()) == ask(node, "eds", names)
    nonce = stream.answer("eds", "1", [endpoints(name, ("10.9.0.1", 80), ("10.9.0.2", 80)) for name in names])
    assert told(node, stream.next())[4:] == (nonce, None)
    assert node.type("endpoints")["held"] == 5000


def test_flood_of_pushes_is_answered_in_order(node, server):
    stream = load(node, server)
    nonces = [stream.answer("eds", str(i), [endpoints("pay", ("10.9.0.1", 1 + i))]) for i in range(3000)]
    for i, nonce in enumerate(nonces):
        assert told(node, stream.next()) == ack(node, "eds", str(i), nonce, ["pay"])
    node.until(lambda: is_live(node))
    assert node.entry("endpoints", "pay")["version"] == "2999"
