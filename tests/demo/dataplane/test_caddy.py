"""Caddy pods: what the Caddyfile says, and the traps in it, by real HTTP."""

from __future__ import annotations

import asyncio
import json

import pytest

from tests.demo.dataplane.serving import Serving, app, caddy, load, service
from tui.demo import resources
from tui.demo.dataplane.caddy.adapt import adapt
from tui.demo.dataplane.caddy.syntax import CaddyfileError, parse


def _served(text: str, health: bool = False, speed: float = 1.0) -> Serving:
    serving = Serving(speed=speed)
    serving.apply(app(simulate="health=yes" if health else ""))
    serving.apply(caddy(text))
    serving.settle()
    return serving


def _ready(serving: Serving) -> bool:
    status = serving.pods("caddy")[0]["status"]
    return all(one["ready"] for one in status["containerStatuses"])


async def test_it_proxies_and_says_so() -> None:
    async with _served(":80 {\n  reverse_proxy http://app:80\n}\n") as serving:
        answer = await serving.get("caddy")
        assert (answer.status, answer.header("server")) == (200, "uvicorn")
        address = serving.pods("caddy")[0]["status"]["podIP"]
        assert f"{address}:" in serving.log("app")
        lines = [json.loads(line) for line in serving.log("caddy").splitlines()]
        assert lines[0]["msg"] == "using provided configuration"
        assert lines[-1]["msg"] == "serving initial configuration"
        assert not any(one["msg"] == "handled request" for one in lines)  # no log directive


async def test_health_uri_of_an_app_without_one_is_503_while_the_pod_is_ready() -> None:
    text = (
        ":80 {\n  reverse_proxy http://app:80 {\n"
        "    health_uri /health\n    health_interval 5s\n  }\n}\n"
    )
    async with _served(text) as serving:
        for _ in range(3):
            answer = await serving.get("caddy")
            assert (answer.status, answer.body) == (503, b"")
        assert _ready(serving)
        lines = [json.loads(line) for line in serving.log("caddy").splitlines()]
        check = next(one for one in lines if one["msg"] == "status code out of tolerances")
        assert check["logger"] == "http.handlers.reverse_proxy.health_checker.active"
        assert (check["status_code"], check["host"]) == (404, "app:80")
        error = lines[-1]
        assert (error["level"], error["msg"], error["status"]) == (
            "error", "no upstreams available", 503,
        )  # fmt: skip
        assert error["request"]["remote_ip"] == "10.244.1.1"
        assert '"GET /health HTTP/1.1" 404' in serving.log("app")


async def test_health_uri_of_an_app_that_has_one() -> None:
    text = ":80 {\n  reverse_proxy http://app:80 {\n    health_uri /health\n  }\n}\n"
    serving = _served(text, health=True)
    serving.settle(60)  # the first check may have come before the app
    async with serving:
        assert (await serving.get("caddy")).status == 200


async def test_handle_path_strips_its_prefix() -> None:
    text = """:80 {
  handle_path /static/* {
    reverse_proxy http://app:80
    header Cache-Control "public, max-age=3600"
  }
  handle /caddy-health {
    respond "ok" 200
  }
  handle {
    respond "nothing here" 404
  }
}
"""
    async with _served(text) as serving:
        static = await serving.get("caddy", "/static/")
        assert static.status == 200  # the app was asked for /
        assert json.loads(static.body)["message"].startswith("Hello")
        assert static.header("cache-control") == "public, max-age=3600"
        assert (await serving.get("caddy", "/static/docs")).status == 200
        assert (await serving.get("caddy", "/caddy-health")).text == "ok"
        assert (await serving.get("caddy")).status == 404
        assert '"GET / HTTP/1.1" 200' in serving.log("app")
        assert "/static" not in serving.log("app")


async def test_a_log_in_a_file_leaves_the_pod_log_empty() -> None:
    logged = """{
  log default {
    output file /var/log/caddy/access.log
  }
}
:80 {
  log
  reverse_proxy http://app:80
}
"""
    async with _served(logged) as serving:
        await serving.get("caddy")
        last = json.loads(serving.log("caddy").splitlines()[-1])
        assert last["msg"] == "redirected default logger"


@pytest.mark.parametrize("console", [False, True])
async def test_an_access_log_on_stdout(console: bool) -> None:
    form = "\n    format console" if console else ""
    text = f":80 {{\n  log {{\n    output stdout{form}\n  }}\n  respond /x 204\n}}\n"
    async with _served(text) as serving:
        await serving.get("caddy", "/x", headers={"Authorization": "Bearer hidden"})
        line = serving.log("caddy").splitlines()[-1]
        assert "hidden" not in serving.log("caddy")
        if console:
            assert "\tINFO\thttp.log.access.log0\thandled request\t{" in line
        else:
            entry = json.loads(line)
            assert (entry["msg"], entry["status"], entry["request"]["uri"]) == (
                "handled request", 204, "/x",
            )  # fmt: skip
            assert entry["request"]["headers"]["Authorization"] == []


async def test_a_changed_config_map_is_not_seen() -> None:
    text = "{\n  admin off\n}\n:80 {\n  respond old\n}\n"
    async with _served(text, speed=300) as serving:
        serving.change(
            resources.CONFIG_MAPS,
            "caddy-config",
            lambda d: d["data"].update(Caddyfile=text.replace("old", "new")),
        )
        start = serving.clock.now()
        await serving.until(lambda: serving.clock.now() - start > 100)
        assert (await serving.get("caddy")).text == "old"


async def test_names_are_resolved_for_each_connection() -> None:
    async with _served(":80 {\n  reverse_proxy app:80 other:80\n}\n") as serving:
        answers = {(await serving.get("caddy")).status for _ in range(20)}
        assert answers == {200, 502}
        assert "dial tcp: lookup other on 10.96.0.10:53: no such host" in serving.log("caddy")
        serving.cluster.api.delete(resources.SERVICES, "default", "app")
        serving.apply(service("app"))
        await serving.reachable("app")
        assert 200 in {(await serving.get("caddy")).status for _ in range(20)}


async def test_a_service_without_endpoints_is_a_502() -> None:
    serving = Serving()
    serving.apply(app(replicas=0))
    serving.apply(caddy(":80 {\n  reverse_proxy app:80\n}\n"))
    serving.settle()
    async with serving:
        assert (await serving.get("caddy")).status == 502
        assert "connect: connection refused" in serving.log("caddy")


async def test_a_retry_waits_for_a_backend() -> None:
    serving = Serving(speed=20)
    serving.apply(app(replicas=0))
    serving.apply(caddy(":80 {\n  reverse_proxy app:80 {\n    lb_try_duration 5s\n  }\n}\n"))
    serving.settle()
    async with serving:
        asked = asyncio.ensure_future(serving.get("caddy"))
        await asyncio.sleep(0.05)
        serving.change(resources.DEPLOYMENTS, "app", lambda d: d["spec"].update(replicas=1))
        assert (await asked).status == 200


ROUTES = """:80 {
  reverse_proxy http://app:80
  respond /fixed "before the proxy"
  @put method PUT
  respond @put "put {path}" 202
  redir /old /new permanent
  header X-A b
  header /fixed -X-A
  header X-Host {host}
  rewrite /again /docs
  handle_path /deep/er/* {
    respond "deeper {path}"
  }
  handle_path /deep/* {
    respond "deep {uri}"
  }
  handle /drop {
    abort
  }
}
"""


async def test_directives_are_ordered_by_kind_not_by_place() -> None:
    async with _served(ROUTES) as serving:
        fixed = await serving.get("caddy", "/fixed")
        assert fixed.text == "before the proxy"
        assert fixed.header("x-a") is None
        assert fixed.header("x-host") == "cluster.test"
        put = await serving.get("caddy", "/x", method="PUT")
        assert (put.status, put.text, put.header("x-a")) == (202, "put /x", "b")
        old = await serving.get("caddy", "/old")
        assert (old.status, old.header("location")) == (301, "/new")
        assert "Swagger" in (await serving.get("caddy", "/again")).text
        assert (await serving.get("caddy", "/deep/er/x")).text == "deeper /x"
        assert (await serving.get("caddy", "/deep/x?y=1")).text == "deep /x?y=1"
        with pytest.raises(ConnectionError):
            await serving.get("caddy", "/drop")


async def test_headers_to_the_upstream() -> None:
    text = """:80 {
  reverse_proxy app:80 {
    header_up X-Mine {remote_host}
    header_up -Accept
    header_down X-Served-By caddy
  }
}
"""
    serving = Serving()
    serving.apply(app(image="traefik/whoami"))
    serving.apply(caddy(text))
    serving.settle()
    async with serving:
        answer = await serving.get("caddy", headers={"Accept": "x/y", "X-Forwarded-For": "spoofed"})
        assert answer.header("x-served-by") == "caddy"
        assert "X-Mine: 10.244.1.1\n" in answer.text
        assert "Accept" not in answer.text
        assert "X-Forwarded-For: 10.244.1.1\n" in answer.text
        assert "Host: cluster.test\n" in answer.text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (":80 {\n foo bar\n}\n", "/etc/caddy/Caddyfile:2: unrecognized directive: foo"),
        (
            ":80 {\n reverse_proxy http://a:80 {\n bogus 1\n }\n}\n",
            "parsing caddyfile tokens for 'reverse_proxy': /etc/caddy/Caddyfile:3 - Error during "
            "parsing: unrecognized subdirective bogus",
        ),
        (
            ":80 {\n reverse_proxy http://a:80\n",
            "/etc/caddy/Caddyfile:2 - Syntax error: Unexpected token 'http://a:80', expecting '}'",
        ),
        (
            ":80 {\n reverse_proxy http://a:80 {\n health_interval abc\n }\n}\n",
            "/etc/caddy/Caddyfile:3 - Error during parsing: bad interval value abc: time: invalid "
            'duration "abc"',
        ),
        (
            ':80 {\n handle @x {\n respond "ok"\n }\n}\n',
            "parsing caddyfile tokens for 'handle': unrecognized matcher name: @x",
        ),
        (
            "{\n bogus on\n}\n:80 {\n respond ok\n}\n",
            "/etc/caddy/Caddyfile:2: unrecognized global option: bogus",
        ),
        (
            ":80 {\n import nothere\n}\n",
            "/etc/caddy/Caddyfile:2 - Error during parsing: File to import not found: nothere",
        ),
        (
            ":80 {\n reverse_proxy http://a:80/path\n}\n",
            "for now, URLs for proxy upstreams only support scheme, host, and port components",
        ),
        (
            ":80 {\n file_server\n}\n:80 {\n respond x\n}\n",
            "ambiguous site definition: :80",
        ),
        (
            ":80 {\n handle_path {\n respond x\n}\n}\n",
            "Wrong argument count or unexpected line ending after 'handle_path'",
        ),
        (
            ":80 {\n log {\n output bogus\n}\n}\n",
            "module not registered: caddy.logging.writers.bogus",
        ),
    ],
)
def test_what_caddy_refuses(text: str, words: str) -> None:
    with pytest.raises(CaddyfileError) as refused:
        adapt(parse(text, {}))
    assert words in str(refused.value)


def test_a_refused_file_crash_loops() -> None:
    serving = Serving()
    serving.apply(caddy(":80 {\n foo bar\n}\n"))
    serving.settle(40)
    status = serving.pods("caddy")[0]["status"]["containerStatuses"][0]
    assert status["restartCount"] >= 1
    assert serving.log("caddy").splitlines()[-1] == (
        "Error: adapting config using caddyfile: "
        "/etc/caddy/Caddyfile:2: unrecognized directive: foo"
    )


def test_what_is_not_simulated_is_told() -> None:
    serving = Serving()
    serving.apply(caddy(":80 {\n basicauth {\n }\n respond ok\n}\n"))
    serving.settle()
    noted = [json.loads(line) for line in serving.log("caddy").splitlines()]
    assert [one["directive"] for one in noted if "not simulated" in one["msg"]] == ["basicauth"]


def test_the_language() -> None:
    text = """
(common) {
  header X-Snippet {args.0}   # of a snippet
}
:80, :8080 {
  import common one
  respond `back"tick` {$STATUS:418}
}
example.com:80 {
  respond "quoted \\"word\\"" \\
    200
}
"""
    config = adapt(parse(text, {}))
    assert [site.ports for site in config.sites] == [(80, 8080), (80,)]
    assert config.sites[1].hosts == ("example.com",)
    handlers = [handler for route in config.sites[0].routes for handler in route.handlers]
    assert getattr(handlers[1], "body", "") == 'back"tick'
    assert getattr(handlers[1], "status", 0) == 418
    second = config.sites[1].routes[0].handlers[0]
    assert getattr(second, "body", "") == 'quoted "word"'


async def test_the_document_s_own_caddyfile() -> None:
    text = """{
admin off
log default {
level INFO
format console
output file /var/log/caddy/access.log {
roll_size 10MiB
roll_keep 5
roll_keep_for 720h
}
}
servers {
trusted_proxies static private_ranges
}
}
:80 {
@health path /caddy-health
handle @health {
respond "ok" 200
}
handle_path /static/* {
reverse_proxy http://app:80
header Cache-Control "public, max-age=3600"
}
handle {
reverse_proxy http://app:80 {
health_uri /health
flush_interval -1
transport http {
read_timeout 60s
write_timeout 60s
keepalive 30s
}
}
}
encode zstd gzip
}
"""
    async with _served(text) as serving:
        assert (await serving.get("caddy", "/caddy-health")).text == "ok"
        assert (await serving.get("caddy", "/static/")).status == 200
        assert (await serving.get("caddy")).status == 503
        assert '"status":503' not in serving.log("caddy")
        assert _ready(serving)


async def test_it_serves_many_at_once() -> None:
    serving = Serving()
    serving.apply(app(cpu="2", simulate="cost=1ms"))
    serving.apply(caddy(":80 {\n  reverse_proxy app:80\n}\n"))
    serving.settle()
    async with serving:
        answers = await load(serving, "caddy", 20, 0.4)
    assert len(answers) >= 20
    assert {one.status for one in answers} == {200}
