# SPDX-License-Identifier: Apache-2.0
"""HAProxy and node.js on either side of the node."""

import json
import os

import pytest
from hosts import shared_lab
from http_lab import SERVER_PORT, VIP, address, cluster, endpoint, listener, services
from lab import until

PROXY, NODE = 81, 82
NODE_PORT, PROXY_PORT, CLIENT_PROXY_PORT = 8081, 8082, 8083
N_REQUESTS = 200

# Answers with the length and hash of what it was sent, once as a whole and once in chunks.
NODE_SERVER = """
const http = require('http'), crypto = require('crypto');
http.createServer((request, response) => {
  const hash = crypto.createHash('sha256');
  let length = 0;
  request.on('data', (data) => { hash.update(data); length += data.length; });
  request.on('end', () => {
    const text = JSON.stringify({ method: request.method, length, hash: hash.digest('hex') });
    if (request.url === '/chunked') { response.write(text.slice(0, 5)); response.end(text.slice(5)); return; }
    response.setHeader('Content-Length', text.length);
    response.end(text);
  });
}).listen(%d, '::');
""" % NODE_PORT

# Some connections that stay, many requests of any kind, and what came back.
NODE_CLIENT = """
const http = require('http'), crypto = require('crypto');
const [host, port, count] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])];
const agent = new http.Agent({ keepAlive: true, maxSockets: 8 });
let left = count, good = 0;
for (let i = 0; i < count; i++) {
  const body = crypto.randomBytes(i * 97);
  const hash = crypto.createHash('sha256').update(body).digest('hex');
  const headers = i %% 2 ? { 'Content-Length': body.length } : { 'Transfer-Encoding': 'chunked' };
  const request = http.request({ host, port, agent, method: 'POST', headers, path: i %% 3 ? '/chunked' : '/' },
    (response) => {
      let text = '';
      response.on('data', (data) => { text += data; });
      response.on('end', () => {
        const answer = JSON.parse(text);
        if (response.statusCode === 200 && answer.hash === hash && answer.length === body.length) good++;
        if (--left === 0) { console.log(good); agent.destroy(); }
      });
    });
  request.on('error', (error) => { console.log(String(error)); process.exit(1); });
  request.write(body.subarray(0, i));
  request.end(body.subarray(i));
}
""".replace("%%", "%")


def haproxy(port, server):
    return f"""
        defaults
            mode http
            timeout connect 20s
            timeout client 20s
            timeout server 20s
        listen all
            bind :::{port} v4v6
            http-reuse always
            server one {server}
"""


@pytest.fixture(scope="module", params=[1, 2], ids=["1-worker", "2-workers"])
def http(request):
    def to(name):
        return f'{{ prefix = "/"; cluster = "{name}"; }}'
    text = services([listener(to("nginx")), listener(to("proxy"), PROXY), listener(to("node"), NODE)],
                    [cluster("nginx", endpoint("blue", 4)), cluster("proxy", endpoint("blue", 6, PROXY_PORT)),
                     cluster("node", endpoint("green", 4, NODE_PORT), endpoint("green", 6, NODE_PORT))])
    for made in shared_lab(request, text, request.param):
        made.serve("blue")
        run(made, "green", "server.js", NODE_SERVER, NODE_PORT, "node")
        run(made, "blue", "proxy.cfg", haproxy(PROXY_PORT, f"127.0.0.1:{SERVER_PORT}"), PROXY_PORT, "haproxy", "-f")
        run(made, "red", "client.cfg", haproxy(CLIENT_PROXY_PORT, f"{VIP[4]}:{NODE}"), CLIENT_PROXY_PORT,
            "haproxy", "-f")
        made.wait_up(4, 6)
        yield made


def run(http, vpc, name, text, port, *program):
    path = write(http, name, text)
    http.lab.start(vpc, *program, path)
    until(lambda: f":{port} " in http.lab.run(vpc, "ss", "-Hltn"), f"{program[0]} in {vpc}")


def write(http, name, text):
    path = os.path.join(http.lab.dir, name)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


@pytest.mark.parametrize("family", [4, 6])
def test_haproxy_as_endpoint(http, family):
    urls = [f"http://{address(family)}:{PROXY}/who"] * 50
    assert http.curl("-f", *urls) == "blue" * 50
    got = os.path.join(http.lab.dir, "got")
    http.curl("-f", "-o", got, f"http://{address(family)}:{PROXY}/page")
    with open(got, "rb") as one, open(os.path.join(http.lab.dir, "page"), "rb") as other:
        assert one.read() == other.read()


@pytest.mark.parametrize("host", [VIP[4], VIP[6]])
def test_node_js_on_both_sides(http, host):
    client = write(http, "client.js", NODE_CLIENT)
    assert http.lab.run("red", "node", client, host, str(NODE), str(N_REQUESTS)) == f"{N_REQUESTS}\n"


def test_haproxy_as_client(http):
    """Its connections stay, whoever their requests are of."""
    client = write(http, "client.js", NODE_CLIENT)
    out = http.lab.run("red", "node", client, "127.0.0.1", str(CLIENT_PROXY_PORT), str(N_REQUESTS))
    assert out == f"{N_REQUESTS}\n"


@pytest.mark.parametrize("family", [4, 6])
def test_curl_waits_for_100_continue(http, family):
    big = write(http, "text", "0123456789abcdef" * 100_000)
    out = http.curl("-f", "-v", "-H", "Expect: 100-continue", "--expect100-timeout", "20", "-T", big,
                    f"http://{address(family)}:{NODE}/")
    assert "HTTP/1.1 100 Continue" in out
    assert json.loads(out[out.index("{\"method\""):].split("}")[0] + "}")["length"] == 1_600_000


def test_old_curl_is_answered(http):
    for port, said in ((80, "blue"), (PROXY, "blue")):
        assert http.curl("-f", "-0", f"http://{address(4)}:{port}/who") == said
    out = http.curl("-f", "-0", "-d", "abc", f"http://{address(6)}:{NODE}/")
    assert out.startswith('{"method":"POST","length":3')
