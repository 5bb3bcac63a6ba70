"""nginx pods: what the configuration says, and the traps in it, by real HTTP."""

from __future__ import annotations

import json
import re
from random import Random
from typing import Any

import pytest

from tests.demo.dataplane.serving import Serving, app, load, nginx, proxy, service
from tui.demo import resources
from tui.demo.dataplane.files import Files
from tui.demo.dataplane.nginx import image
from tui.demo.dataplane.nginx.balancer import Balancer
from tui.demo.dataplane.nginx.config import build
from tui.demo.dataplane.nginx.model import Peer, Upstream
from tui.demo.dataplane.nginx.syntax import ConfigError, parse

BACKEND = "upstream backend { server app:80; }\n"


def _server(body: str, head: str = BACKEND) -> str:
    return f"{head}server {{\n  listen 80;\n{body}\n}}\n"


def _served(text: str, **apps: Any) -> Serving:
    serving = Serving()
    serving.apply(app(**apps))
    serving.apply(nginx(text))
    serving.settle()
    return serving


def _state(serving: Serving) -> tuple[str, int]:
    """What the proxy's container waits for, and how often it has been started again."""
    status = serving.pods("nginx")[0]["status"]["containerStatuses"][0]
    return (status["state"].get("waiting") or {}).get("reason", ""), status["restartCount"]


async def test_it_proxies_and_says_so() -> None:
    serving = _served(
        _server("location / { proxy_pass http://backend; add_header X-Served-By nginx always; }")
    )
    async with serving:
        answer = await serving.get("nginx")
        assert answer.status == 200
        assert answer.header("x-served-by") == "nginx"
        assert (answer.header("server") or "").startswith("nginx/")
        missing = await serving.get("nginx", "/nothing")
        assert (missing.status, missing.header("x-served-by")) == (404, "nginx")
        line = r'^10\.244\.1\.1 - - \[.*\] "GET / HTTP/1.1" 200 \d+ "-" "-" "-"$'
        assert re.search(line, serving.log("nginx"), re.MULTILINE)
        # The app sees the proxy, not the client.
        address = serving.pods("nginx")[0]["status"]["podIP"]
        assert f"{address}:" in serving.log("app")


LOCATIONS = """
  location = /exact { return 200 "exact $uri\\n"; }
  location / { return 200 root; }
  location /images/ { return 200 prefix; }
  location ^~ /images/fixed/ { return 200 fixed; }
  location ~ \\.(png|jpg)$ { return 200 "regex $1"; }
  location /old { return 301 /new; }
  location /gone { return 410; }
  location /limits { client_max_body_size 10; return 200 ok; }
"""


async def test_the_right_location_answers() -> None:
    wanted = {
        "/exact": "exact /exact\n",
        "/exact/": "root",
        "/images/a": "prefix",
        "/images/a.png": "regex png",
        "/images/fixed/a.png": "fixed",
        "/images/../x": "root",
        "//images//a": "prefix",
        "/%69mages/a": "prefix",
    }
    async with _served(_server(LOCATIONS)) as serving:
        answers = {path: (await serving.get("nginx", path)).text for path in wanted}
    assert answers == wanted


async def test_returns() -> None:
    async with _served(_server(LOCATIONS)) as serving:
        moved = await serving.get("nginx", "/old")
        assert (moved.status, moved.header("location")) == (301, "http://cluster.test/new")
        gone = await serving.get("nginx", "/gone")
        assert (gone.status, "410 Gone" in gone.text) == (410, True)
        large = await serving.get("nginx", "/limits", method="POST", body=b"x" * 11)
        assert large.status == 413


@pytest.mark.parametrize(
    ("location", "passes", "path", "asked"),
    [
        ("/", "http://backend", "/a/b?c=d", "/a/b?c=d"),
        ("/api/", "http://backend", "/api/x", "/api/x"),
        ("/api/", "http://backend/", "/api/x?y=1", "/x?y=1"),
        ("/api", "http://backend/v2", "/api/x", "/v2/x"),
        ("/api/", "http://app.default.svc:80/v2/", "/api/x", "/v2/x"),
    ],
)
async def test_proxy_pass_with_and_without_uri(
    location: str, passes: str, path: str, asked: str
) -> None:
    text = _server(f"location {location} {{ proxy_pass {passes}; }}")
    async with _served(text) as serving:
        await serving.get("nginx", path)
        assert f'"GET {asked} HTTP/1.0"' in serving.log("app")


async def test_headers_to_the_upstream() -> None:
    headers = """location / {
        proxy_pass http://backend;
        proxy_set_header Host $host;
        proxy_set_header X-Real-IP $remote_addr;
        proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    }"""
    serving = Serving()
    serving.apply(app(image="traefik/whoami"))
    serving.apply(nginx(_server(headers)))
    serving.settle()
    async with serving:
        sent = {"X-Forwarded-For": "192.0.2.7", "Accept": "text/x"}
        text = (await serving.get("nginx", headers=sent)).text
    assert "Host: cluster.test\n" in text
    assert "X-Real-IP: 10.244.1.1\n" in text
    assert "X-Forwarded-For: 192.0.2.7, 10.244.1.1\n" in text
    assert "Accept: text/x\n" in text
    assert "Connection: close\n" in text


async def test_a_name_that_is_not_there_crash_loops() -> None:
    serving = Serving()
    serving.apply(
        nginx("server {\n  listen 80;\n  location / { proxy_pass http://no-such-svc:80; }\n}\n")
    )
    serving.settle(60)
    assert _state(serving)[0] == "CrashLoopBackOff"
    assert _state(serving)[1] >= 2
    last = (
        '[emerg] 1#1: host not found in upstream "no-such-svc" in /etc/nginx/conf.d/default.conf:3'
    )
    assert last in serving.log("nginx")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("server { lisen 80; }", 'unknown directive "lisen" in'),
        ("server { listen 80 }", 'directive "listen" is not terminated by ";" in'),
        ("server { listen 80;", 'unexpected end of file, expecting "}" in'),
        ("listen 80;", '"listen" directive is not allowed here in'),
        ("server { root; }", 'invalid number of arguments in "root" directive in'),
        ("server { location / { return 200 $nope; } }", 'unknown "nope" variable in'),
        ("server { access_log /var/log/nginx/access.log nope; }", 'unknown log format "nope" in'),
        ("server { access_log /no/such/access.log; }", 'open() "/no/such/access.log" failed'),
        ("include /etc/nginx/no.conf;", 'open() "/etc/nginx/no.conf" failed (2: No such file'),
        ("upstream u { }", "no servers are inside upstream in"),
        ("server { location ~ ^/a { proxy_pass http://app/b; } }", '"proxy_pass" cannot have URI'),
        ("server { location / { proxy_pass app:80; } }", "invalid URL prefix in"),
        ("server { location ~ ( { return 200; } }", "pcre2_compile() failed"),
        (
            "server { location /a { location /b { return 200; } } }",
            'location "/b" is outside location "/a"',
        ),
    ],
)
def test_what_nginx_refuses(text: str, words: str) -> None:
    path = "/etc/nginx/conf.d/default.conf"
    files = Files({**image.FILES, path: text}, (), {})
    with pytest.raises(ConfigError) as refused:
        build(parse(files, image.MAIN), files, lambda host: ["10.96.0.7"])
    assert words in str(refused.value)
    assert "/tmp" not in str(refused.value)


def test_what_is_not_simulated_is_told() -> None:
    serving = _served(_server("location / { auth_basic x; return 200 ok; }"))
    assert _state(serving) == ("", 0)
    assert 'the "auth_basic" directive is not simulated' in serving.log("nginx")


async def test_a_service_made_anew_is_not_found_again() -> None:
    """The upstream was resolved at the start: the new ClusterIP is not known."""
    serving = _served(_server("location / { proxy_pass http://backend; }"))
    async with serving:
        assert (await serving.get("nginx")).status == 200
        serving.cluster.api.delete(resources.SERVICES, "default", "app")
        serving.apply(service("app"))
        await serving.reachable("app")
        answer = await serving.get("nginx")
        assert answer.status == 502
        assert "while connecting to upstream" in serving.log("nginx")
        status = serving.pods("nginx")[0]["status"]
        assert all(one["ready"] for one in status["containerStatuses"])
        # A new pod resolves anew.
        await serving.replace("nginx")
        assert (await serving.get("nginx")).status == 200


async def test_no_ready_endpoint_is_a_502() -> None:
    serving = _served(_server("location / { proxy_pass http://backend; }"), replicas=0)
    async with serving:
        answer = await serving.get("nginx")
        assert (answer.status, "502 Bad Gateway" in answer.text) == (502, True)
        assert "connect() failed (111: Connection refused)" in serving.log("nginx")


KEPT = """location / {
    proxy_pass http://backend;
    proxy_http_version 1.1;
    proxy_set_header Connection "";
}"""


@pytest.mark.parametrize("keepalive", [True, False])
async def test_kept_connections_starve_new_pods(keepalive: bool) -> None:
    head = "upstream backend { server app:80; keepalive 32; }\n"
    body = KEPT if keepalive else "location / { proxy_pass http://backend; }"
    serving = Serving(speed=30)
    serving.apply(app(cpu="2", simulate="cost=1ms"))
    serving.apply(nginx(_server(body, head)))
    serving.settle()
    async with serving:
        await load(serving, "nginx", 6, 0.3)
        serving.change(resources.DEPLOYMENTS, "app", lambda d: d["spec"].update(replicas=3))
        network = serving.cluster.dataplane.network
        await serving.until(lambda: len(network.ready(("default", "app"), "")) == 3)
        await load(serving, "nginx", 6, 0.5)
        new = sorted(serving.served("app").values())[:2]
    if keepalive:
        assert new == [0, 0]
    else:
        assert min(new) > 0


async def test_log_formats() -> None:
    head = (
        "log_format up 'rt=$request_time urt=$upstream_response_time ua=$upstream_addr "
        "us=$upstream_status';\n" + BACKEND
    )
    body = """
  access_log /var/log/nginx/access.log up;
  location / { proxy_pass http://backend; }
  location /quiet { access_log off; return 200; }
  location /elsewhere { access_log /tmp/access.log; return 200; }
"""
    serving = _served(_server(body, head))
    async with serving:
        await serving.get("nginx")
        address = serving.cluster.api.get(resources.SERVICES, "default", "app").spec["clusterIP"]
        last = serving.log("nginx").splitlines()[-1]
        assert re.fullmatch(rf"rt=\d\.\d{{3}} urt=\d\.\d{{3}} ua={address}:80 us=200", last)
        await serving.get("nginx", "/quiet")
        assert serving.log("nginx").splitlines()[-1] == last


def _config(text: str) -> str:
    return f"worker_processes 2;\nevents {{}}\nhttp {{\n{text}\n}}\n"


@pytest.mark.parametrize("sub_path", ["nginx.conf", ""])
async def test_a_changed_config_map(sub_path: str) -> None:
    """By subPath it is never seen; as a directory it is, but nginx does not look."""
    files = {
        "nginx.conf": _config(
            "server { location / { return 200 old; }\n"
            "  location /page { alias /etc/nginx/; index page.txt; } }"
        ),
        "page.txt": "old page",
    }
    path = "/etc/nginx/nginx.conf" if sub_path else "/etc/nginx"
    serving = Serving(speed=300)
    serving.apply(proxy("nginx", "nginx:1.27-alpine", path, files, sub_path))
    serving.settle()

    def change(data: dict[str, dict[str, str]]) -> None:
        data["data"]["nginx.conf"] = data["data"]["nginx.conf"].replace("200 old", "200 new")
        data["data"]["page.txt"] = "new page"

    async with serving:
        assert (await serving.get("nginx")).text == "old"
        serving.change(resources.CONFIG_MAPS, "nginx-config", change)
        start = serving.clock.now()
        await serving.until(lambda: serving.clock.now() - start > 100)
        assert (await serving.get("nginx")).text == "old"
        page = await serving.get("nginx", "/page/")
        assert page.text == "new page" if not sub_path else page.status in (403, 404)
        await serving.replace("nginx")
        assert (await serving.get("nginx")).text == "new"


async def test_static_files_and_error_pages() -> None:
    files = {
        "nginx.conf": _config(
            "include /etc/nginx/mime.types;\nserver {\n"
            "  root /usr/share/nginx/html; error_page 404 /50x.html;\n"
            "  location /try { try_files $uri /index.html =404; } }"
        )
    }
    serving = Serving()
    serving.apply(proxy("nginx", "nginx", "/etc/nginx/nginx.conf", files, "nginx.conf"))
    serving.settle()
    async with serving:
        index = await serving.get("nginx")
        assert (index.status, index.header("content-type")) == (200, "text/html")
        assert "Welcome to nginx!" in index.text
        missing = await serving.get("nginx", "/nothing")
        assert (missing.status, "An error occurred" in missing.text) == (404, True)
        assert "Welcome" in (await serving.get("nginx", "/try/this")).text
        hidden = await serving.get("nginx", "/../../etc/passwd")
        assert hidden.status == 404


async def test_the_document_s_own_configuration() -> None:
    text = """
worker_processes auto;
events { worker_connections 1024; }
http {
  include /etc/nginx/mime.types;
  default_type application/octet-stream;
  log_format main '$remote_addr - $remote_user [$time_local] '
    '"$request" $status $body_bytes_sent rt=$request_time urt=$upstream_response_time '
    'ua=$upstream_addr';
  access_log /var/log/nginx/access.log main;
  sendfile on; tcp_nopush on; keepalive_timeout 65s; server_tokens off;
  client_max_body_size 16m;
  gzip on; gzip_comp_level 5; gzip_min_length 100; gzip_types application/json;
  upstream fastapi_upstream { server app:80; keepalive 32; }
  server {
    listen 80 default_server;
    server_name _;
    location = /nginx-health { return 200 'ok'; add_header Content-Type text/plain; }
    location /static/ {
      proxy_pass http://fastapi_upstream;
      expires 1h;
      add_header Cache-Control "public, max-age=3600";
      add_header X-Served-By "Nginx" always;
    }
    location / { proxy_pass http://fastapi_upstream; add_header X-Served-By "Nginx" always; }
  }
}
"""
    serving = Serving()
    serving.apply(app())
    path = "/etc/nginx/nginx.conf"
    serving.apply(proxy("nginx", "nginx:1.27", path, {"nginx.conf": text}, "nginx.conf"))
    serving.settle()
    assert "not simulated" not in serving.log("nginx")
    async with serving:
        health = await serving.get("nginx", "/nginx-health")
        assert (health.text, health.header("server")) == ("ok", "nginx")
        static = await serving.get("nginx", "/static/a")
        assert static.status == 404  # the app has no such path
        assert static.header("cache-control") is None  # add_header without always
        assert static.header("x-served-by") == "Nginx"
        packed = await serving.get("nginx", headers={"Accept-Encoding": "gzip"})
        assert packed.header("content-encoding") == "gzip"
        plain = await serving.get("nginx")
        assert json.loads(plain.body)["message"].startswith("Hello")


def test_round_robin_is_smooth_and_leaves_the_failed_alone() -> None:
    peers = [Peer("a", 80, weight=5), Peer("b", 80), Peer("c", 80)]
    balancer = Balancer(Upstream("u", peers), Random(1))
    names = [getattr(balancer.choose(set(), 0.0), "address", "") for _ in range(7)]
    assert names == ["a", "a", "b", "a", "c", "a", "a"]
    balancer.failed(peers[0], 0.0)
    assert {getattr(balancer.choose(set(), 5.0), "address", "") for _ in range(9)} == {"b", "c"}
    assert "a" in {getattr(balancer.choose(set(), 11.0), "address", "") for _ in range(9)}


async def test_a_resolver_asks_again_and_needs_the_full_name() -> None:
    body = """
  resolver 10.96.0.10;
  set $full app.default.svc.cluster.local;
  set $short app;
  location / { proxy_pass http://$full; }
  location /short { proxy_pass http://$short; }
"""
    serving = _served(_server(body, ""))
    async with serving:
        assert (await serving.get("nginx")).status == 200
        assert (await serving.get("nginx", "/short")).status == 502
        assert "app could not be resolved (3: Host not found)" in serving.log("nginx")
        serving.cluster.api.delete(resources.SERVICES, "default", "app")
        await serving.refused("app")
        serving.apply(service("app"))
        await serving.reachable("app")
        assert (await serving.get("nginx")).status == 200
