# SPDX-License-Identifier: Apache-2.0
"""What TCP asks of a node between two connections (RFC 9293, RFC 5961): loss, reordering, overlaps, shut windows,
half-close, resets and SYNs in and out of place, on either side. Numbers are checked as they stand on the wire."""

import pytest
from scapy.layers.inet import TCP

import l7_lab
from l7_lab import ANSWER, AS_IS, ISN, OPTIONS, REQUEST, SERVER_ISN, ask, passed, reply

OWN = b"GET /own HTTP/1.1\r\nHost: x\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n"
TCP_PORT = 81

CONFIG = l7_lab.config(
    dict(name="web", virtual_hosts=[dict(name="all", domains=["*"], routes=[
        dict(path="/own", direct_response=dict(status=200, body="x" * 3000)),
        dict(prefix="/", cluster="c")])], **AS_IS),
    dict(name="raw", port=TCP_PORT, protocol="tcp", cluster="c"))


@pytest.fixture(params=[4, 6])
def client(wire, request):
    end = wire.client(request.param)
    end.open()
    return end


def alive(server, client):
    """Another exchange goes through the connections that there are."""
    client.send("PA", REQUEST)
    server.hear(REQUEST)
    client.told(ack=client.seq)
    reply(server, client)


def test_both_sides_see_whole_numbers(client):
    server = ask(client)
    assert dict(server.their_options)["MSS"] <= 1440 and "SAckOK" in server.their_options
    assert client.ack == client.seen[0][1] + 1
    assert server.seen[-1][1:3] == (server.ack - len(REQUEST), SERVER_ISN + 1)
    assert client.seen[-1][2] == ISN + 1 + len(REQUEST)
    reply(server, client)
    assert server.seen[-1][1:3] == (server.ack, SERVER_ISN + 1 + len(ANSWER))


def test_windows_are_said_in_the_other_scale(client):
    """The client's scale is 7, the leg's too; to the client the listener's 9 was promised. Rounded down, but 0 only
    for 0."""
    server = ask(client)
    for said, told in ((3000, 750), (0, 0), (1, 1), (11, 2), (60000, 15000)):
        server.send("A", window=said)
        client.told(window=told)
    for said in (2000, 0, 1):
        client.send("A", window=said)
        server.told(window=said)


# ---- resets

def test_reset_is_believed_where_it_is_exact(client):
    server = ask(client)
    client.send("R")
    assert server.next().flags.R
    client.send("PA", REQUEST)
    assert client.next().flags == "R"


@pytest.mark.parametrize("off", [1, 100, 8000])
def test_reset_elsewhere_in_the_window_is_asked_for_again(client, off):
    server = ask(client)
    client.send("R", seq=client.seq + off)
    assert (client.next("A").ack, client.seen[-1][1]) == (client.seq, client.ack)
    server.silent()
    reply(server, client)
    alive(server, client)


@pytest.mark.parametrize("off", [-1, -1000, 1 << 26, 1 << 31])
def test_reset_out_of_the_window_is_nothing(client, off):
    server = ask(client)
    client.send("R", seq=(client.seq + off) & 0xffffffff)
    client.silent()
    server.silent()
    reply(server, client)
    alive(server, client)


def test_endpoints_reset_is_judged_likewise(client):
    server = ask(client)
    server.send("R", seq=server.seq + 100)
    assert server.next("A").ack == server.seq
    server.send("R", seq=server.seq - 100)
    server.silent()
    client.silent()
    reply(server, client)
    alive(server, client)
    client.send("PA", b"POST" + REQUEST[3:])
    server.hear(b"POST" + REQUEST[3:])
    client.told(ack=client.seq)
    server.send("R")
    assert client.answer() == 502


def test_reset_of_an_idle_connection_is_believed(client):
    client.send("RA")
    client.send("PA", REQUEST)
    assert client.next().flags == "R"


# ---- SYNs in place and out of it

def test_syn_again_is_answered_again(wire):
    client = wire.client()
    client.send("S", options=OPTIONS)
    first = client.next("SA")
    client.send("S", seq=ISN, options=OPTIONS)
    again = client.next("SA") if client.queue else first
    assert (again.seq, again.ack) == (first.seq, ISN + 1)
    client.send()
    server = ask(client)
    reply(server, client)


def test_other_syn_during_the_handshake_is_challenged(wire):
    client = wire.client()
    client.send("S", options=OPTIONS)
    client.next("SA")
    client.send("S", seq=ISN + 5000, ack=0)
    assert client.next("A").ack == ISN + 1
    client.send()
    reply(ask(client), client)


def test_wrong_acknowledgement_of_the_handshake_is_reset(wire):
    client = wire.client()
    client.send("S", options=OPTIONS)
    right = client.next("SA").seq + 1
    client.send("A", seq=client.seq, ack=right + 7)
    assert client.next("R").seq == right + 7
    client.send(ack=right)
    reply(ask(client), client)


@pytest.mark.parametrize("off", [-1, 0, 100, 1 << 30])
def test_syn_in_a_connection_is_challenged(client, off):
    server = ask(client)
    client.send("S", seq=client.seq + off, ack=0)
    tcp = client.next("A")
    assert (tcp.seq, tcp.ack) == (client.ack, client.seq)
    server.silent()
    reply(server, client)
    alive(server, client)


def closed(client):
    """A whole connection; the client closes."""
    server = ask(client)
    reply(server, client)
    client.send("FA")
    tcp = client.next()
    if tcp.flags == "A":
        tcp = client.next()
    assert tcp.flags == "FA" and tcp.ack == client.seq
    client.send()
    client.wire.flush()


@pytest.mark.parametrize("above", [1, 1 << 20])
def test_syn_above_the_last_number_opens_anew_in_time_wait(client, above):
    closed(client)
    last = client.ack
    client.seq += above
    client.send("S", options=OPTIONS)
    tcp = client.next("SA")
    assert tcp.ack == client.seq and (tcp.seq - last) & 0xffffffff < 1 << 31
    client.send()
    client.send("PA", OWN)
    assert client.answer() == 200


@pytest.mark.parametrize("below", [1, 1000])
def test_syn_below_the_last_number_is_challenged_in_time_wait(client, below):
    closed(client)
    client.send("S", seq=client.seq - below, ack=0)
    tcp = client.next("A")
    assert (tcp.seq, tcp.ack) == (client.ack, client.seq)


def test_fin_again_is_acknowledged_in_time_wait(client):
    closed(client)
    client.send("FA", seq=client.seq - 1)
    tcp = client.next("A")
    assert (tcp.seq, tcp.ack) == (client.ack, client.seq)


@pytest.mark.parametrize("flags", ["", "F", "FPU", "SF", "SR", "FSRPAU", "U", "P"])
def test_flags_that_make_no_sense_open_nothing(node, wire, flags):
    client = wire.client()
    client.send(flags, seq=ISN, ack=0)
    wire.flush()
    assert all(not ("S" in frame[TCP].flags and flags != "SF") for frame in client.queue)
    client.queue = []
    other = wire.client()
    other.open()
    reply(ask(other), other)
    other.send(flags.replace("A", "").replace("R", ""), seq=other.seq)
    wire.flush()
    other.queue = []
    server = wire.ends[-1]
    server.queue = []
    alive(server, other)


def test_data_in_a_syn_waits_for_the_handshake(wire):
    client = wire.client()
    client.send("S", REQUEST, seq=ISN, options=OPTIONS)
    client.seq += 1
    assert client.next("SA").ack == ISN + 1
    client.send()
    reply(ask(client), client)


# ---- what the endpoint's handshake may be

def test_wrong_acknowledgement_of_our_syn_is_reset_and_the_syn_repeated(client):
    client.send("PA", REQUEST)
    server = client.wire.accept()
    right = server.ack
    server.send("SA", seq=77, ack=right + 1000)
    assert server.next("R").seq == right + 1000
    server.send("R", seq=0, ack=right + 1000)  # a reset that acknowledges nothing of ours
    server.silent()
    server.answer_syn()
    server.hear(REQUEST)
    client.told(ack=client.seq)
    reply(server, client)


def test_refused_connection_is_not_tried_for_ever(client):
    client.send("PA", REQUEST)
    server = client.wire.accept()
    server.send("RA", seq=0)
    assert client.answer() == 503


def test_segments_fit_the_clients_mss(wire):
    client = wire.client()
    client.send("S", options=[("MSS", 536)])
    client.next("SA")
    client.send()
    client.send("PA", REQUEST)
    server = wire.accept()
    assert server.their_options["MSS"] <= 536
    server.answer_syn()
    server.hear(REQUEST)
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 1200\r\n\r\n" + b"b" * 1200
    for at in range(0, len(answer), 500):
        server.send("PA", answer[at:at + 500])
    client.hear(answer)
    assert max(len(said[4]) for said in client.seen) <= 536


# ---- order, loss, overlaps

def test_head_in_the_wrong_order_is_put_right(client):
    start = client.seq
    for at in (20, 10):
        client.send("PA", REQUEST[at:at + 10], seq=start + at)
    client.wire.flush()
    assert all(frame[TCP].ack == start for frame in client.queue)
    client.send("PA", REQUEST[:10], seq=start)
    client.seq = start + len(REQUEST)
    reply(passed(client), client)


def test_first_copy_of_a_head_wins(client):
    """A head in two pieces, the first of them sent again with other bytes."""
    first, second = (b"GET /%s HTTP/1.1\r\nHost: x\r\n\r\n" % path for path in (b"good", b"evil"))
    start = client.seq
    client.send("PA", first[:12], seq=start)
    client.told(ack=start + 12)
    client.send("PA", second[:10], seq=start)
    client.send("PA", second, seq=start)
    client.seq = start + len(first)
    passed(client, first)


def test_passed_head_cannot_be_changed(client):
    """Nothing of it is acknowledged yet, and it comes again with other bytes."""
    client.send("PA", REQUEST)
    server = client.wire.accept()
    server.answer_syn()
    server.next(data=REQUEST)
    client.send("PA", REQUEST.replace(b"/ ", b"X "), seq=client.seq - len(REQUEST))
    client.wire.flush()
    assert {l7_lab.data_of(frame) for frame in server.queue} <= {b"", REQUEST}
    server.send()
    client.told(ack=client.seq)
    reply(server, client)


def test_lost_answer_comes_again_from_the_endpoint(client):
    server = ask(client)
    start = server.seq
    server.send("PA", ANSWER)
    client.next("PA", ANSWER)
    server.send("PA", ANSWER, seq=start)  # the client's copy was lost
    assert l7_lab.data_of(client.queue.pop() if client.queue else take(client)) == ANSWER
    client.send()
    server.next("A")
    alive(server, client)


def take(end):
    while not end.queue:
        end.wire.take()
    return end.queue.pop(0)


def test_body_in_the_wrong_order_goes_on_at_once(client):
    """Within a known length nothing waits; SACK blocks go across."""
    server = ask(client)
    head, body = b"HTTP/1.1 200 OK\r\nContent-Length: 30\r\n\r\n", b"0123456789" * 3
    server.send("PA", head)
    client.next("PA", head)
    client.send()
    server.next("A")
    start, ours = server.seq, client.ack
    server.send("PA", body[10:20], seq=start + 10)
    assert take(client)[TCP].seq == ours + 10
    client.send("A", options=[("NOP", None), ("NOP", None), ("SAck", (ours + 10, ours + 20))])
    sack = take(server)[TCP]
    assert dict(sack.options)["SAck"] == (start + 10, start + 20) and sack.ack == start
    server.send("PA", body[:10], seq=start)
    assert take(client)[TCP].seq == ours
    client.ack = ours + 20
    client.send()
    assert take(server)[TCP].ack == start + 20
    server.send("PA", body[20:], seq=start + 20)
    assert take(client)[TCP].seq == ours + 20
    client.ack = ours + 30
    client.send()
    server.seq = start + 30
    assert take(server)[TCP].ack == server.seq
    alive(server, client)


def test_bytes_behind_the_request_wait(client):
    """A second request behind the first: nothing of it is acknowledged or seen before the first is answered."""
    client.send("PA", REQUEST + OWN + POST + b"hello")
    server = client.wire.accept()
    server.answer_syn()
    server.hear(REQUEST)
    client.told(ack=ISN + 1 + len(REQUEST))
    server.silent()
    reply(server, client)
    assert client.answer() == 200
    server.hear(POST + b"hello")
    client.told(ack=client.seq)
    reply(server, client)


# ---- windows

def test_own_answers_wait_for_the_window(wire):
    client = wire.client()
    client.window = 0
    client.send("S", options=OPTIONS, window=0)
    client.next("SA")
    client.send()
    client.send("PA", OWN)
    while client.seen[-1][4] == b"":
        client.next()
    assert len(client.seen[-1][4]) == 1  # the probe of a shut window
    client.ack = client.seen[-1][1]
    client.window = 1000
    client.send()
    assert client.answer() == 200


def test_bytes_beyond_any_window_are_refused(client):
    server = ask(client, b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\n\r\n")
    client.send("PA", b"x" * 10, seq=client.seq + (1 << 27))
    assert client.next("A").ack == client.seq
    server.silent()


def test_probes_of_a_shut_window_get_an_answer(client):
    server = ask(client, b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n")
    server.send("A", window=0)
    client.told(window=0)
    client.send("A", seq=client.seq - 1)  # as Linux asks
    tcp = client.next("A")
    assert (tcp.ack, tcp.window) == (client.seq, 0)
    server.send("A", window=500)
    client.told(window=125)
    client.send("PA", b"x" * 100)
    server.hear(b"x" * 100)


def test_keep_alive_probes_at_rest_are_answered(client):
    server = ask(client)
    reply(server, client)
    client.send("A", seq=client.seq - 1)
    tcp = client.next("A")
    assert (tcp.seq, tcp.ack) == (client.ack, client.seq)
    server.send("A", seq=server.seq - 1)
    tcp = server.next("A")
    assert (tcp.seq, tcp.ack) == (server.ack, server.seq)
    alive(server, client)


@pytest.mark.parametrize("off", [1, 1000, 1 << 30])
def test_acknowledgement_of_what_was_never_sent_is_refused(client, off):
    server = ask(client, POST)
    client.send("PA", b"wrong", seq=client.seq, ack=(client.ack + off) & 0xffffffff)
    assert client.next("A").ack == client.seq
    server.silent()
    client.send("PA", b"right")
    server.next("PA", b"right")


def test_acknowledgement_far_below_what_was_acknowledged_is_refused(client):
    """RFC 5961 §5.2: data with an old number and a blind guess of ours."""
    server = ask(client, POST)
    client.send("PA", b"wrong", seq=client.seq, ack=(client.ack - (1 << 30)) & 0xffffffff)
    assert client.next("A").ack == client.seq
    server.silent()
    client.send("PA", b"right")
    server.next("PA", b"right")


# ---- ends

def test_half_closed_client_gets_its_answer(client):
    server = ask(client)
    client.send("FA")
    assert client.next("A").ack == client.seq
    server.silent()
    server.send("PA", ANSWER)
    client.hear(ANSWER.replace(b"4\r\n", b"4\r\nconnection: close\r\n"))
    while "F" not in client.seen[-1][0]:
        client.next()


def test_half_close_crosses_a_tcp_listener(wire):
    client = wire.client(4, TCP_PORT)
    client.send("S", options=OPTIONS)
    server = wire.accept()
    server.answer_syn()
    client.next("SA")
    client.send()
    client.send("PA", b"last words")
    while server.seen[-1][4] != b"last words":
        server.next()
    server.send()
    client.next("A")
    client.send("FA")
    while "F" not in server.seen[-1][0]:
        server.next()
    server.send()
    server.send("PA", b"still here")
    while client.seen[-1][4] != b"still here":
        client.next()
    client.send()
    server.send("FA")
    while "F" not in client.seen[-1][0]:
        client.next()
    assert client.ack == client.seen[-1][1] + len(client.seen[-1][4]) + 1


def test_urgent_data_is_data(client):
    server = ask(client, POST)
    client.send("PAU", b"hello", urgptr=3)
    tcp = server.next(data=b"hello")
    assert "U" not in tcp.flags and tcp.urgptr == 0
