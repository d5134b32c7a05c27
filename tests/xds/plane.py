# SPDX-License-Identifier: Apache-2.0
"""A control plane that behaves: it keeps a world of resources and pushes what changes, on a stream of server.py."""

from server import SHORT, URLS


class Plane:
    """A control plane: a world of resources, of which the node gets what it asks for."""

    def __init__(self, stream):
        self.stream = stream
        self.world = {short: {} for short in URLS}
        self.asked = {"eds": set(), "rds": set()}
        self.unanswered = set()
        self.n_pushed = 0

    def put(self, short, *messages, gone=()):
        """Changes the world, tells the node and hears that it took it."""
        names = [getattr(m, "name", "") or m.cluster_name for m in messages]
        self.world[short].update(zip(names, messages))
        for name in gone:
            del self.world[short][name]
        self.push(short, [name for name in names if name in self.asked.get(short, names)], gone)
        while self.unanswered:
            self.hear()

    def push(self, short, names, gone=()):
        """All of the type, or what has changed."""
        world = self.world[short]
        if not names and not gone:
            return
        self.n_pushed += 1
        version = str(self.n_pushed)
        if self.stream.delta:
            nonce = self.stream.answer(short, version, [world[name] for name in names], removed_resources=gone)
        else:
            nonce = self.stream.answer(short, version, [world[n] for n in (names if short in self.asked else world)])
        self.unanswered.add(nonce)

    def hear(self):
        request = self.stream.next()
        short = SHORT[request.type_url]
        assert not request.HasField("error_detail"), request.error_detail.message
        self.unanswered.discard(request.response_nonce)
        if short not in self.asked:
            return
        if self.stream.delta:
            new = set(request.resource_names_subscribe)
            self.asked[short] = self.asked[short] - set(request.resource_names_unsubscribe) | new
        else:
            new = set(request.resource_names) - self.asked[short]
            self.asked[short] = set(request.resource_names)
        self.push(short, sorted(new & set(self.world[short])))

    def until_asked(self, short, name):
        while name not in self.asked[short] or self.unanswered:
            self.hear()
