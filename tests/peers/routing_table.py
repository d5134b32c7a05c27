# SPDX-License-Identifier: Apache-2.0
"""What the node and Envoy are both given, as xDS resources, and a table of requests with their answers. The answers are
the documented ones; a server says its name, and most clusters are one server of their own name."""

import peers  # noqa: F401  pylint: disable=unused-import  (puts tests/interop and tests/xds on the path)
from http_lab import HOST, VIP, policy
from resources import address, ads, any_of, eds_cluster
from server import cluster, core, endpoint, extensions, listener, route

FIRST_PORT = 9101
MAIN, ANY_PORT, INLINE, TCP, CLEAN, STRICT, REDIRECT = LISTENERS = range(80, 87)
NO_ROUTE, NOTHING_THERE, BAD = 404, 503, 400
REJECT_SLASHES, TO_REDIRECT, FORWARD = 2, 3, 4  # PathWithEscapedSlashesAction
REJECT, DROP = 1, 2  # HeadersWithUnderscoresAction
HealthOf = endpoint.LbEndpoint


def to(name, *headers, not_found=0, host=None, **match):
    """A route to a cluster, perhaps with another host."""
    return route.Route(match=route.RouteMatch(headers=headers, **(match or {"prefix": "/"})), route=route.RouteAction(
        cluster=name, cluster_not_found_response_code=not_found, host_rewrite_literal=host))


def weighted(prefix, **weights):
    return route.Route(match=route.RouteMatch(prefix=prefix), route=route.RouteAction(
        weighted_clusters=route.WeightedCluster(clusters=[
            route.ClusterWeight(name=name, weight=core.UInt32Value(value=n)) for name, n in weights.items()])))


def told(path, status, body=""):
    """A route that answers itself."""
    return route.Route(match=route.RouteMatch(path=path), direct_response=route.DirectResponseAction(
        status=status, body=core.DataSource(inline_string=body) if body else None))


def when(name, **how):
    return route.HeaderMatcher(name=name, **how)


def string(**how):
    return {"string_match": route.StringMatcher(**how)}


def between(start, end):
    return {"range_match": route.Int64Range(start=start, end=end)}


NOT = {"invert_match": True}
AS_EMPTY = {"treat_missing_header_as_empty": True}

# Virtual host: domains, routes in their order.
HOSTS = {
    "exact": (["shop.local", "SHOP2.Local"], [to("exact")]),
    "port": (["shop.local:8080"], [to("port")]),
    "suffix": (["*.shop.local"], [to("suffix")]),
    "longer-suffix": (["*.eu.shop.local"], [to("longer-suffix")]),
    "dash-suffix": (["*-api.shop.local"], [to("dash-suffix")]),
    "port-suffix": (["*:9000"], [to("port-suffix")]),
    "prefix": (["shop.*"], [to("prefix")]),
    "longer-prefix": (["shop.example.*"], [to("longer-prefix")]),
    "six": (["[fd00::1]", "[fd00::1]:90"], [to("six")]),
    "paths": (["paths"], [
        to("path", path="/a"), to("deep", prefix="/a/b/"), to("encoded", path="/a%2Fb"), to("a", prefix="/a"),
        to("late", path="/a/late"), to("upper", prefix="/A"), to("whole", path_separated_prefix="/whole"),
        to("whole-deep", path_separated_prefix="/x/y"), to("slashes", prefix="//s"), to("dots", prefix="/../d")]),
    "everything": (["everything"], [to("everything", prefix="")]),
    "headers": (["headers"], [
        to("method", when(":method", exact_match="DELETE")),
        to("both", when("X-One", exact_match="1"), when("x-two", prefix_match="a")),
        to("list", when("x-one", **string(exact="1,2"))),
        to("absent", when("x-one", present_match=True, **NOT), prefix="/absent"),
        to("not-there", when("x-one", present_match=False), prefix="/not-there"),
        to("there", when("x-one", present_match=False, **NOT), prefix="/there"),
        to("not", when("x-one", exact_match="1", **NOT), prefix="/not"),
        to("not-prefix", when("x-one", **string(prefix="ab"), **NOT), prefix="/unlike"),
        to("query", when(":path", exact_match="/q?a=b")),
        to("verb", when(":method", **string(prefix="PO"))),
        to("suffix-match", when("x-one", suffix_match="Blue"), prefix="/suffix"),
        to("string-suffix", when("x-one", **string(suffix="Blue")), prefix="/string-suffix"),
        to("any-suffix", when("x-one", **string(suffix="Blue", ignore_case=True)), prefix="/any-suffix"),
        to("contains-match", when("x-one", contains_match="abab"), prefix="/contains"),
        to("any-contains", when("x-one", **string(contains="aBab", ignore_case=True)), prefix="/any-contains"),
        to("any-exact", when("x-one", **string(exact="Blue", ignore_case=True)), prefix="/any-exact"),
        to("any-prefix", when("x-one", **string(prefix="bL", ignore_case=True)), prefix="/any-prefix"),
        to("range", when("x-one", **between(-10, 100)), prefix="/range"),
        to("not-range", when("x-one", **between(1, 2), **NOT), prefix="/outside"),
        to("widest", when("x-one", **between(-2 ** 63, 2 ** 63 - 1)), prefix="/widest"),
        to("as-empty", when("x-one", **string(exact=""), **AS_EMPTY), prefix="/as-empty"),
        to("only-empty", when("x-one", **string(exact="")), prefix="/empty-only"),
        to("exact-match", when("x-one", exact_match=""), prefix="/exact-match"),
        to("not-exact-match", when("x-one", exact_match="", **NOT), prefix="/other-than-exact"),
        to("not-as-empty", when("x-one", contains_match="a", **NOT, **AS_EMPTY), prefix="/catless"),
        to("range-as-empty", when("x-one", **between(0, 1), **AS_EMPTY), prefix="/empty-range"),
        to("there-as-empty", when("x-one", present_match=True, **AS_EMPTY), prefix="/empty-there"),
        to("gone-as-empty", when("x-one", present_match=False, **AS_EMPTY), prefix="/gone-as-empty"),
        to("named-as-empty", when("x-one", **AS_EMPTY), prefix="/empty-named"),
        to("named", when("x-any"), prefix="/named"),
        to("any", when("x-any", present_match=True), prefix="/any")]),
    "authority": (["who.*"], [to("authority", when(":authority", exact_match="who.is")),
                              to("host", when("host", prefix_match="who.was"))]),
    "weights": (["weights"], [weighted("/middle", zero=0, all=7, none=0), weighted("/last", zero=0, all=1),
                              weighted("/first", all=1, zero=0), weighted("/missing", zero=0, gone=1),
                             weighted("/halves", half=1, zero=0, rest=1)]),
    "direct": (["direct"], [told("/hello", 200, "hello"), told("/empty", 200), told("/tea", 418, "a teapot"),
                            told("/maintenance", 503, "back soon"), told("/created", 201)]),
    "missing": (["missing"], [to("gone", prefix="/404", not_found=1), to("gone", prefix="/500", not_found=2),
                              to("gone")]),
    "clusters": (["clusters"], []),  # /name for each of CLUSTERS
    "hosts": (["outer.example"], [to("echo", prefix="/as-is"), to("echo", host="", prefix="/empty"),
                                  to("echo", host="Inner.example:81")]),
    "rules": (["rules"], [to("underscore", when("a_b", present_match=True), prefix="/under"), to("said")]),
    "none": (["none"], []),
    "rest": (["*"], [to("rest")]),
}

# A server that does not say its name says what it got: Host, whom the request is for, X-Forwarded-Host; the target.
SAYS = {"echo": "$http_host $host ($http_x_forwarded_host)", "said": "$request_uri"}

# Cluster: localities; each is its priority, its weight or 0, and its servers with their health.
CLUSTERS = {
    "empty": [],
    "nobody": [(0, 0, {})],
    "second": [(0, 0, {"sick": HealthOf.UNHEALTHY}), (1, 0, {"next": HealthOf.HEALTHY})],
    "third": [(0, 0, {"sick": HealthOf.UNHEALTHY}), (1, 0, {"slow": HealthOf.TIMEOUT}), (2, 0, {"last": 0})],
    "first": [(0, 0, {"fit": 0}), (1, 0, {"next": 0})],
    "hole": [(0, 0, {}), (1, 0, {"next": 0})],
    "draining": [(0, 0, {"leaving": HealthOf.DRAINING, "stays": 0})],
    "timeout": [(0, 0, {"slow": HealthOf.TIMEOUT, "stays": 0})],
    "panic": [(0, 0, {"sick": HealthOf.UNHEALTHY})],
    "calm": [(0, 0, {"sick": HealthOf.UNHEALTHY})],
    "degraded": [(0, 0, {"weak": HealthOf.DEGRADED})],
    "better": [(0, 0, {"weak": HealthOf.DEGRADED}), (1, 0, {"fit": 0})],
    "localities": [(0, 1, {"fit": 0}), (0, 0, {"unweighted": 0})],
    "shut": [(0, 0, {"shut": 0})],
    "spread": [(0, 0, {"one": 0, "two": HealthOf.HEALTHY, "sick": HealthOf.UNHEALTHY, "three": 0})],
    "given": [(0, 0, {"given": 0})],  # its endpoints in the cluster itself
}
WITHOUT_PANIC, BY_LOCALITY, STATIC = ("calm",), ("localities",), ("given",)
# What a request for /name gets.
CLUSTER_ANSWERS = {"empty": NOTHING_THERE, "nobody": NOTHING_THERE, "second": "next", "third": "last", "first": "fit",
                   "hole": "next", "draining": "stays", "timeout": "stays", "panic": "sick", "calm": NOTHING_THERE,
                   "degraded": "weak", "better": "fit", "localities": "fit", "shut": NOTHING_THERE, "given": "given"}
HOSTS["clusters"][1].extend(to(name, path=f"/{name}") for name in CLUSTERS)

POST = ("POST", "Content-Length: 5\r\n", "hello")
CHUNKED = ("POST", "Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n0\r\n\r\n")


def get(wanted, host, target="/", lines="", method="GET", port=MAIN, body=""):
    return (port, method, target, f"Host: {host}\r\n" if host is not None else "", lines, body), wanted


def hosts(port, *rows):
    return [get(wanted, host, port=port) for host, wanted in rows]


def paths(host, *rows):
    return [get(wanted, host, target) for target, wanted in rows]


def rules(port, *rows):
    return [get(wanted, "rules", target, port=port) for target, wanted in rows]


def by_value(target, wanted, takes, leaves, missing):
    """A route that asks for the header x-one."""
    return [get(missing, "headers", target)] + [
        get(answer, "headers", target, f"x-one: {value}\r\n")
        for values, answer in ((takes, wanted), (leaves, NO_ROUTE)) for value in values]


# What is sent, and the server that answers, or a status, or a status with a body.
REQUESTS = [
    *hosts(MAIN, ("shop.local", "exact"), ("SHOP.local", "exact"), ("shop2.local", "exact"), ("Shop2.LOCAL", "exact"),
           ("shop.local:8080", "port"), ("SHOP.local:8080", "port"), ("shop.local:80", "prefix"),
           ("shop2.local:8080", "rest"), ("a.shop.local", "suffix"), ("A.Shop.Local", "suffix"),
           ("a.b.shop.local", "suffix"), ("a.shop.local:80", "rest"), ("a.eu.shop.local", "longer-suffix"),
           ("eu.shop.local", "suffix"), ("x-api.shop.local", "dash-suffix"), ("-api.shop.local", "suffix"),
           (".shop.local", "rest"), ("a.shop.local:9000", "port-suffix"), ("shop.local:9000", "port-suffix"),
           ("x:9000", "port-suffix"), ("shop.org", "prefix"), ("shop.local.", "prefix"),
           ("shop.example.org", "longer-prefix"), ("shop.example.", "prefix"), ("shop.", "rest"), ("shop", "rest"),
           ("shop.eu.shop.local", "longer-suffix"), ("xshop.local", "rest"), ("127.0.0.1", "rest"),
           ("[fd00::1]", "six"), ("[FD00::1]", "six"), ("[fd00::1]:90", "six"), ("[fd00::1]:91", "rest"),
           ("[::1]:80", "rest"), ("none", NO_ROUTE), ("x", "rest"), ("a%41", "rest"), ("a_b", "rest"),
           ("shop.local:080", "prefix"), ("10.100.0.1:80", "rest"), ("shop.local,a", "prefix"),
           ("*.shop.local", "suffix"), ("shop..local", "prefix"),
           ("a." * 100 + "shop.local", "suffix"), ("a b", BAD), ("a/b", BAD)),
    *hosts(ANY_PORT, ("shop.local", "exact"), ("shop.local:80", "exact"), ("shop.local:1", "exact"),
           ("SHOP2.local:81", "exact"), ("a.shop.local:80", "suffix"), ("a.eu.shop.local:80", "longer-suffix"),
           ("shop.org:80", "prefix"), ("shop.:80", "rest"), ("[fd00::1]:91", "six"), ("[fd00::1]", "six"),
           ("none:80", NO_ROUTE), ("other:80", "rest")),
    *hosts(INLINE, ("a", "inline"), ("b", "inline")),
    *hosts(TCP, ("a", "tcp"), ("shop.local", "tcp")),
    *paths("paths", ("/a", "path"), ("/a?b", "path"), ("/a?", "path"), ("/a?/a/b/", "path"), ("/a/", "a"), ("/ab", "a"),
           ("/a/b", "a"), ("/a/b?/", "a"), ("/a/b/", "deep"), ("/a/b/c", "deep"), ("/a/late", "a"), ("/A", "upper"),
           ("/a%2Fb", "encoded"), ("/a%2Fb?x=%2F", "encoded"), ("/a%2fb", "a"), ("/%61", NO_ROUTE), ("//a", NO_ROUTE),
           ("//s", "slashes"), ("/./a", NO_ROUTE), ("/../d", "dots"), ("/x/../a", NO_ROUTE), ("/", NO_ROUTE),
           ("/?/a", NO_ROUTE), ("/whole", "whole"), ("/whole/", "whole"), ("/whole/a", "whole"), ("/whole?a", "whole"),
           ("/wholes", NO_ROUTE), ("/whole%2F", NO_ROUTE), ("/whol", NO_ROUTE), ("/Whole", NO_ROUTE),
           ("/x/y", "whole-deep"), ("/x/y/z", "whole-deep"), ("/x/yz", NO_ROUTE), ("/x", NO_ROUTE),
           ("/a;b=c", "a"), ("/a%", "a"), ("/a+b&c", "a"), ('/a"<>', "a"), ("/a\\b", "a"),
           ("/a#b", BAD), ("/a?x#b", BAD), ("a", BAD), ("/a\tb", BAD), ("/a\x7f", BAD)),
    *paths("outer.example", ("/as-is", "outer.example outer.example ()"), ("/empty", "outer.example outer.example ()"),
           ("/", "Inner.example:81 inner.example ()"), ("/?x", "Inner.example:81 inner.example ()")),
    get("Inner.example:81 inner.example ()", "none", "http://outer.example/x"),
    get("Inner.example:81 inner.example (a)", "outer.example", lines="X-Forwarded-Host: a\r\n"),
    *paths("PATHS", ("/a", "path"), ("/z", NO_ROUTE)),
    *paths("everything", ("/", "everything"), ("/x?y", "everything"), ("/" + "a" * 3000, "everything")),
    *by_value("/suffix", "suffix-match", takes=("Blue", "LightBlue", "Blue,Blue", "a Blue"),
              leaves=("", "blue", "Blues", "lue", "Bluered"), missing=NO_ROUTE),
    *by_value("/string-suffix", "string-suffix", takes=("DeepBlue",), leaves=("deepblue",), missing=NO_ROUTE),
    *by_value("/any-suffix", "any-suffix", takes=("DEEPBLUE", "blue"), leaves=("lue", "blue2"), missing=NO_ROUTE),
    *by_value("/contains", "contains-match", takes=("abab", "xababx", "aabab", "ababab", "ab, abab"),
              leaves=("", "aba", "aab", "ABAB", "ab,ab"), missing=NO_ROUTE),
    *by_value("/any-contains", "any-contains", takes=("ABAB", "xaBaBx"), leaves=("aba",), missing=NO_ROUTE),
    *by_value("/any-exact", "any-exact", takes=("blue", "BLUE"), leaves=("blue1", "blu"), missing=NO_ROUTE),
    *by_value("/any-prefix", "any-prefix", takes=("BLue", "bl"), leaves=("b", "lb"), missing=NO_ROUTE),
    *by_value("/range", "range", takes=("0", "-10", "99", "+5", "007", "-0"),
              leaves=("", "100", "-11", "1a", "1.0", "0x1", "--1", "1 2", "3,4", "-", "+", "99999999999999999999"),
              missing=NO_ROUTE),
    *by_value("/outside", "not-range", takes=("2", "a", "", "1,1"), leaves=("1", "01"), missing=NO_ROUTE),
    *by_value("/widest", "widest", takes=("-9223372036854775808", "9223372036854775806"),
              leaves=("9223372036854775807", "-9223372036854775809", "9223372036854775808"), missing=NO_ROUTE),
    *by_value("/as-empty", "as-empty", takes=("",), leaves=("a",), missing="as-empty"),
    *by_value("/empty-only", "only-empty", takes=("",), leaves=("a",), missing=NO_ROUTE),
    # Without a value the older field is any.
    *by_value("/exact-match", "exact-match", takes=("", "a"), leaves=(), missing=NO_ROUTE),
    *by_value("/other-than-exact", "not-exact-match", takes=(), leaves=("", "a"), missing=NO_ROUTE),
    *by_value("/catless", "not-as-empty", takes=("", "b"), leaves=("cat",), missing="not-as-empty"),
    *by_value("/empty-range", "range-as-empty", takes=("0",), leaves=("",), missing=NO_ROUTE),
    *by_value("/empty-there", "there-as-empty", takes=("", "a"), leaves=(), missing="there-as-empty"),
    *by_value("/gone-as-empty", "gone-as-empty", takes=(), leaves=("", "a"), missing=NO_ROUTE),
    *by_value("/empty-named", "named-as-empty", takes=("", "a"), leaves=(), missing="named-as-empty"),
    get("contains-match", "headers", "/contains", "x-one: ab\r\nx-one: abab\r\n"),
    get("suffix-match", "headers", "/suffix", "x-one: a\r\nx-one: Blue\r\n"),
    get(NO_ROUTE, "headers", "/range", "x-one: 3\r\nx-one: 4\r\n"),
    # A URL as the target decides, not Host.
    get("exact", "none", "http://shop.local/"), get("port", "none", "http://shop.local:8080/x"),
    get("path", "none", "http://paths/a?b"), get("exact", "none", "http://shop.local"),
    get("exact", "none", "HTTP://SHOP.local/"), get("exact", "none", "https://shop.local/"),
    get(BAD, "none", "ftp://shop.local/"), get("query", "none", "http://headers/q?a=b"),
    get(NO_ROUTE, "rest", "*", method="OPTIONS"), get("exact", "shop.local", method="OPTIONS"),
    get("method", "headers", method="DELETE"), get(NO_ROUTE, "headers", method="HEAD"),
    get(NO_ROUTE, "headers", method="PUT", lines="Content-Length: 0\r\n"),
    get("both", "headers", lines="x-one: 1\r\nX-TWO: abc\r\n"), get("both", "headers", lines="X-Two:a\r\nX-ONE:1\r\n"),
    get("both", "headers", lines="x-one:  \t1 \t \r\nx-two: a\r\n"), get(NO_ROUTE, "headers", lines="x-one: 1\r\n"),
    get(NO_ROUTE, "headers", lines="x-one: 1\r\nx-two: ba\r\n"), get(NO_ROUTE, "headers", lines="x-two: a\r\n"),
    get(NO_ROUTE, "headers", lines="x-one: 1\r\nx-two: A\r\n"), get("list", "headers", lines="x-one: 1,2\r\n"),
    get("list", "headers", lines="x-one: 1\r\nx-one: 2\r\n"), get(NO_ROUTE, "headers", lines="x-one: 1, 2\r\n"),
    get(NO_ROUTE, "headers", lines="x-one: 2\r\nx-one: 1\r\n"),
    get("list", "headers", lines="x-one: 1\r\nx-two: b\r\nx-one: 2\r\n"),
    get("absent", "headers", "/absent"), get(NO_ROUTE, "headers", "/absent", "x-one: 3\r\n"),
    get("not-there", "headers", "/not-there"), get("there", "headers", "/there", "x-one: 3\r\n"),
    get(NO_ROUTE, "headers", "/there"), get(NO_ROUTE, "headers", "/there-not", "x-two: 3\r\n"),
    get(NO_ROUTE, "headers", "/not"), get("not", "headers", "/not", "x-one: 3\r\n"),
    get(NO_ROUTE, "headers", "/not", "x-one: 1\r\n"), get("not", "headers", "/not", "x-one:\r\n"),
    get(NO_ROUTE, "headers", "/unlike"), get(NO_ROUTE, "headers", "/unlike", "x-one: abc\r\n"),
    get("not-prefix", "headers", "/unlike", "x-one: a\r\n"), get("query", "headers", "/q?a=b"),
    get(NO_ROUTE, "headers", "/q?a=c"), get(NO_ROUTE, "headers", "/q"), get(NO_ROUTE, "headers", "/q?a=b&"),
    get(NO_ROUTE, "headers", "/Q?a=b"),
    get("verb", "headers", method=POST[0], lines=POST[1], body=POST[2]),
    get("verb", "headers", method=CHUNKED[0], lines=CHUNKED[1], body=CHUNKED[2]),
    get("any", "headers", "/any", "x-any:\r\n"), get("any", "headers", "/any", "X-Any: x\r\n"),
    get("any", "headers", "/any", "x-any: " + "a" * 3000 + "\r\n"), get("any", "headers", "/any", "x-any: \u00e9\r\n"),
    get(NO_ROUTE, "headers", "/any"), get(NO_ROUTE, "headers", "/any", "x-anyone: x\r\n"),
    get("named", "headers", "/named", "x-any: y\r\n"), get(NO_ROUTE, "headers", "/named"),
    *hosts(MAIN, ("who.is", "authority"), ("who.was", "host"), ("who.was.it", "host"), ("who.else", NO_ROUTE)),
    *paths("weights", ("/middle", "all"), ("/last", "all"), ("/first", "all"), ("/missing", NOTHING_THERE)),
    *paths("direct", ("/hello", (200, "hello")), ("/empty", (200, "")), ("/tea", (418, "a teapot")), ("/no", NO_ROUTE),
           ("/maintenance", (503, "back soon")), ("/created", (201, "")), ("/hello?x", (200, "hello"))),
    get((418, "a teapot"), "direct", "/tea", method=POST[0], lines=POST[1], body=POST[2]),
    *paths("missing", ("/404", 404), ("/500", 500), ("/", 503)),
    *paths("clusters", *((f"/{name}", answer) for name, answer in CLUSTER_ANSWERS.items())),
    *rules(MAIN, ("/a/../b", "/a/../b"), ("//a%2fb\\%61", "//a%2fb\\%61")),
    *rules(CLEAN, ("/a/../b", "/b"), ("/a/./b/.", "/a/b/"), ("/a/b/..", "/a/"), ("/..", "/"), ("/a//../b", "/a/b"),
           ("//a///b//", "/a/b/"), ("/%61%7E%2d%2E", "/a~-."), ("/a%2fb%2F%2Fc", "/a/b/c"),
           ("/a%5cb\\c%5C..", "/a/b/"), ("/a%2f..%2fb", "/b"), ("/.%2e/%2E/x", "/x"),
           ("/a%20%c3%A9%25", "/a%20%c3%A9%25"),
           ("/a?/../%61//%2f", "/a?/../%61//%2f"), ("/%252e%252e/a", "/%252e%252e/a"), ("/...", "/..."),
           ("/a..", "/a.."),
           ("/a/..b", "/a/..b"), ("/a;x/../b", "/b"), ("/%00", BAD), ("/a%00b", BAD), ("/a?%00", "/a?%00"),
           ('/a"<>{}^`', "/a%22%3C%3E%7B%7D%5E%60"), ("/%2%65", "/%252e"), ("/a[]|b", "/a[]%7Cb"),
           ("/a+b&c=d,e;f:g@h!", "/a+b&c=d,e;f:g@h!"), ("http://rules/a/../b", "/b")),
    get("/under", "rules", "/under", "a_b: 1\r\n", port=CLEAN),
    get("/under", "rules", "/under", "a-b: _\r\n", port=CLEAN),
    get("underscore", "rules", "/under", "a_b: 1\r\n"),
    get("/b", "rules", "/a/../b", POST[1], POST[0], CLEAN, POST[2]),
    get("/b", "rules", "/a/../b", CHUNKED[1], CHUNKED[0], CLEAN, CHUNKED[2]),
    *rules(STRICT, ("/a%2fb", BAD), ("/a%5Cb", BAD), ("/a/../b", "/a/../b"), ("//a", "//a"), ("/%61", "/%61"),
           ("/a?%2f", "/a?%2f"), ("/%252f", "/%252f")),
    get(BAD, "rules", "/under", "a_b: 1\r\n", port=STRICT),
    get("/under", "rules", "/under", "a: a_b\r\n", port=STRICT),
    *rules(REDIRECT, ("/a%2fb", 307), ("/a%5cb?c", 307), ("/a/%2f..", 307), ("/a/../b", "/b"), ("//b", "/b"),
           ("/a?%2f", "/a?%2f"), ("/%61", "/a")),
    get(307, "rules", "/a%2fb", POST[1], POST[0], REDIRECT, POST[2]),
    get(BAD, None), get(BAD, "shop.local", lines="x one: 1\r\n"), get(BAD, "headers", "/any", "x-any : 1\r\n"),
    get(BAD, "shop.local", lines="Content-Length: x\r\n"), get(BAD, "headers", "/any", ": 1\r\n"),
    get(BAD, "headers", method=CHUNKED[0], lines=CHUNKED[1] + "Content-Length: 5\r\n", body=CHUNKED[2]),
    get(BAD, "headers", method=POST[0], lines="Content-Length: 5, 5\r\n", body=POST[2]),
]

# Where Envoy does something else on purpose, the node's answer and Envoy's.
DIFFERENCES = [
    # The node wants exactly one Host, well-formed, with digits of a port after a colon (RFC 9112 section 3.2), and no
    # line folded (section 5.2).
    (*get(BAD, "shop.local", lines="Host: shop.org\r\n"), "prefix"), (*get(BAD, ""), "rest"),
    (*get(BAD, "u@shop.local"), "rest"), (*get(BAD, "none", "http://u@shop.local/"), "exact"),
    (*get(BAD, "shop.local:"), "prefix"), (*get(BAD, "shop.local:99999"), "prefix"),
    (*get(BAD, "shop.local:abc"), "prefix"), (*get(BAD, "[fd00::1"), "rest"),
    (*get(BAD, None, "http://shop.local/"), "exact"),
    (*get(BAD, "shop.local", lines="x-a: 1\r\n folded\r\n"), "exact"),
    # Envoy takes no methods that it does not know; CONNECT is none of the node's.
    (*get("exact", "shop.local", method="FOO"), BAD), (*get(NO_ROUTE, "headers", method="delete"), BAD),
    (*get("verb", "headers", method="POSTER", lines="Content-Length: 0\r\n"), BAD),
    (*get(405, "shop.local", "x:443", method="CONNECT"), NO_ROUTE),
    # Envoy wants a '/' at the beginning; a URL without a path has the path "/" (RFC 9110 section 4.2.3).
    (*get("everything", "everything", "*", method="OPTIONS"), NO_ROUTE),
    (*get("exact", "none", "http://shop.local?x"), NO_ROUTE),
    # Envoy removes the fields that Connection names before it matches; the node's heads pass as they are.
    (*get("any", "headers", "/any", "Connection: x-any\r\nx-any: 1\r\n"), NO_ROUTE),
    # Of nothing but slashes Envoy leaves two.
    (*rules(CLEAN, ("//", "/"))[0], "//"), (*rules(CLEAN, ("/%2f%2F", "/"))[0], "//"),
    # It leaves a '%' without digits, which nginx refuses with nothing to say.
    (*rules(CLEAN, ("/%zz%", "/%25zz%25"))[0], ""),
]

# Requests that may go to several servers, and these.
SPREAD = [(get(0, "clusters", "/spread")[0], {"one", "two", "three"}),
          (get(0, "weights", "/halves")[0], {"half", "rest"})]


def plain_clusters():
    """Those of routes that are one server each."""
    named = {action.route.cluster for _, routes in HOSTS.values() for action in routes} - {""}
    return sorted((named | {"all", "zero", "half", "inline", "tcp"}) - set(CLUSTERS) - {"gone"})


PLAIN = plain_clusters()
SERVERS = PLAIN + sorted({name for places in CLUSTERS.values() for _, _, here in places for name in here})
PORTS = {name: FIRST_PORT + n for n, name in enumerate(SERVERS)}


def assignment(name):
    places = CLUSTERS.get(name, [(0, 0, {name: 0})])
    return endpoint.ClusterLoadAssignment(cluster_name=name, endpoints=[endpoint.LocalityLbEndpoints(
        locality=core.Locality(region=f"r{n}"), priority=priority,
        load_balancing_weight=core.UInt32Value(value=weight) if weight else None,
        lb_endpoints=[HealthOf(health_status=health, endpoint=endpoint.Endpoint(
            address=address(HOST[4], PORTS[server]))) for server, health in here.items()])
        for n, (priority, weight, here) in enumerate(places)])


def made_cluster(name):
    """The way to its endpoints means nothing to Envoy, which has them on its own machine."""
    entries = [core.StructEntry(key=key, value=core.Value(string_value=value))
               for key, value in (("vrf", "blue"), ("policy", policy("blue", 4)))]
    common = cluster.CommonLbConfig()
    if name in WITHOUT_PANIC:
        common.healthy_panic_threshold.value = 0
    if name in BY_LOCALITY:
        common.locality_weighted_lb_config.SetInParent()
    more = {"metadata": core.Metadata(filter_metadata=[core.MetadataEntry(
        key="pergola.srv6", value=core.Struct(fields=entries))]), "common_lb_config": common}
    if name in STATIC:
        return cluster.Cluster(name=name, type=cluster.Cluster.STATIC, load_assignment=assignment(name), **more)
    return eds_cluster(name, **more)


def route_config(name, virtual_hosts, **more):
    return route.RouteConfiguration(name=name, virtual_hosts=[route.VirtualHost(
        name=host, domains=domains, routes=routes) for host, (domains, routes) in virtual_hosts.items()], **more)


def made_listener(name, port, kind, settings):
    return listener.Listener(name=name, address=address(VIP[4], port), filter_chains=[listener.FilterChain(filters=[
        listener.Filter(name=kind, typed_config=any_of(f"network.{kind}", settings))])])


def cleaning(slashes, underscores, normalize=True):
    """Settings that change paths and heads before they are routed."""
    return {"path_with_escaped_slashes_action": slashes, "normalize_path": core.BoolValue(value=normalize),
            "merge_slashes": normalize, "common_http_protocol_options": extensions.HttpProtocolOptions(
                headers_with_underscores_action=underscores), "rds": rds("main")}


def http_listener(name, port, **routes):
    return made_listener(name, port, "http_connection_manager.v3.HttpConnectionManager",
                         extensions.HttpConnectionManager(stat_prefix=name, http_filters=[extensions.HttpFilter(
                             name="router", typed_config=any_of("http.router.v3.Router", core.Empty()))], **routes))


def rds(name):
    return extensions.Rds(config_source=ads(), route_config_name=name)


def made_resources():
    """All of them, by type; an inline route configuration and TCP among the listeners."""
    every_port = {name: hosts for name, hosts in HOSTS.items() if ":" not in "".join(hosts[0]) or name == "six"}
    every_port["six"] = (["[fd00::1]"], every_port["six"][1])
    tcp = extensions.TcpProxy(stat_prefix="tcp", cluster="tcp")
    names = PLAIN + list(CLUSTERS)
    return {
        "lds": [http_listener("main", MAIN, rds=rds("main")), http_listener("any-port", ANY_PORT, rds=rds("any-port")),
                http_listener("inline", INLINE, route_config=route_config("in", {"all": (["*"], [to("inline")])})),
                http_listener("clean", CLEAN, **cleaning(FORWARD, DROP)),
                http_listener("strict", STRICT, **cleaning(REJECT_SLASHES, REJECT, normalize=False)),
                http_listener("redirect", REDIRECT, **cleaning(TO_REDIRECT, REJECT)),
                made_listener("tcp", TCP, "tcp_proxy.v3.TcpProxy", tcp)],
        "rds": [route_config("main", HOSTS), route_config("any-port", every_port, ignore_port_in_host_matching=True)],
        "cds": [made_cluster(name) for name in names],
        "eds": [assignment(name) for name in names if name not in STATIC],
    }
