"""Rules about nginx and Caddy, by the text of their configuration and what was asked of them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.analysis.doctor.patients import Case, endpoints, evidence, service
from tests.samples import NOW, pod
from tui.analysis.doctor.finding import Severity
from tui.state.fetched import (
    ConfigMapFact,
    ConfigMapFetch,
    Fact,
    IngressesFact,
    IngressesFetch,
    IngressFact,
    LogFact,
    LogFetch,
    NodePortFact,
    NodePortFetch,
    PathFact,
    PathFetch,
    Result,
)
from tui.state.load import BurstRow, LoadRow
from tui.state.rows import ConfigMount, ContainerRow, Ending, Kind, PodRow, ServicePort

CADDYFILE = """
{
  admin off
  log default {
    level INFO
    output file /var/log/caddy/access.log {
      roll_size 10MiB
    }
  }
}
:80 {
  handle_path /static/* {
    reverse_proxy http://fastapi-svc:80
  }
  handle {
    reverse_proxy http://fastapi-svc:80 {
      # the app has none
      health_uri /health
    }
  }
}
"""
NGINX = """
upstream fastapi { server fastapi-svc:80; keepalive 32; }
server { listen 80; location / { proxy_pass http://fastapi; } }
"""
CADDY_MAP = ConfigMapFetch("default", "caddy-config")
NGINX_MAP = ConfigMapFetch("default", "nginx-config")
HEALTH = PathFetch("default", "fastapi-svc", 80, "/health")


def _caddy(text: str = CADDYFILE, changed: float = NOW - 5000, **more: Any) -> Case:
    mount = ConfigMount("caddy-config", "/etc/caddy/Caddyfile", "Caddyfile")
    case = Case().put(Kind.PODS, _proxy("caddy", "caddy:2", mount, **more))
    return case.fetched(CADDY_MAP, ConfigMapFact((("Caddyfile", text),), changed))


def _nginx(text: str = NGINX, **more: Any) -> Case:
    mount = ConfigMount("nginx-config", "/etc/nginx/conf.d")
    case = Case().put(Kind.PODS, _proxy("nginx", "nginx:1.27-alpine", mount, **more))
    return case.fetched(NGINX_MAP, ConfigMapFact((("default.conf", text),), NOW - 5000))


def _proxy(name: str, image: str, mount: ConfigMount, **more: Any) -> PodRow:
    container = ContainerRow(name, image=image, configs=(mount,))
    fields = {"labels": (("app", name),), "owner": None, "containers": (container,)}
    return pod(name, age=4000, **{**fields, **more})


# caddy-health-404


def test_a_health_path_that_the_app_does_not_have() -> None:
    case = _caddy().fetched(HEALTH, PathFact(404, "NodePort 30082 on lab-worker"))
    found = case.one("caddy-health-404")
    assert found.severity is Severity.ERROR
    assert ("Service default/fastapi-svc", "GET /health", "404 (NodePort 30082 on lab-worker)") in (
        evidence(found)
    )


@pytest.mark.parametrize("status", [200, 204, 401, 403, 429, 500, 503])
def test_a_health_path_that_answers_otherwise_is_no_404(status: int) -> None:
    case = _caddy().fetched(HEALTH, PathFact(status, "somewhere"))
    assert "caddy-health-404" not in case.ids()


@pytest.mark.parametrize("result", [Result.FAILED, Result.FORBIDDEN, Result.ABSENT])
def test_what_could_not_be_asked_is_not_known(result: Result) -> None:
    assert "caddy-health-404" not in _caddy().fetched(HEALTH, None, result).ids()


def test_the_path_is_asked_only_of_a_service_that_is_there() -> None:
    assert HEALTH in _caddy().wants()
    case = _caddy()
    case.store.retain(Kind.SERVICES, [])
    assert HEALTH not in case.wants()


@pytest.mark.parametrize(
    "text",
    [
        ":80 {\n reverse_proxy http://fastapi-svc:80\n}",
        ":80 {\n reverse_proxy example.com:80 {\n health_uri /health\n}\n}",
        ":80 {\n reverse_proxy fastapi-svc:80 {\n health_uri /health\n health_status 4xx\n}\n}",
        ":80 {\n # reverse_proxy fastapi-svc:80 {\n # health_uri /health\n}",
    ],
    ids=["no check", "not a Service here", "404 is what it wants", "commented out"],
)
def test_a_caddyfile_without_such_a_check(text: str) -> None:
    assert not [f for f in _caddy(text).wants() if isinstance(f, PathFetch)]


# caddy-handle-path, log-to-file


def test_a_prefix_that_is_stripped() -> None:
    found = _caddy().one("caddy-handle-path")
    assert found.severity is Severity.INFO
    assert found.title == "Caddy strips /static/ before it passes the request on"
    assert evidence(found)[0][2] == "handle_path /static/* { reverse_proxy http://fastapi-svc:80 }"


@pytest.mark.parametrize(
    "text",
    [
        ":80 {\n handle /static/* {\n reverse_proxy fastapi-svc:80\n}\n}",
        ":80 {\n handle_path /static/* {\n file_server\n}\n}",
        ":80 {\n handle_path /a/* {\n rewrite * /b{uri}\n reverse_proxy fastapi-svc:80\n}\n}",
    ],
    ids=["handle", "no proxy", "put back on purpose"],
)
def test_a_prefix_that_is_kept_or_meant_to_go(text: str) -> None:
    assert _caddy(text).ids() == []


def test_a_log_that_goes_into_a_file() -> None:
    found = _caddy().one("log-to-file")
    assert "/var/log/caddy/access.log" in found.title
    assert found.fix.command == (
        "kubectl -n default exec caddy -c caddy -- tail /var/log/caddy/access.log"
    )


@pytest.mark.parametrize("output", ["stdout", "file /dev/stdout", "discard", "net localhost:1234"])
def test_a_log_that_goes_elsewhere(output: str) -> None:
    assert _caddy(f":80 {{\n log {{\n output {output}\n }}\n}}").ids() == []


def test_a_file_that_is_no_log() -> None:
    assert _caddy(":80 {\n file_server\n root * /srv\n}").ids() == []


def test_what_may_not_be_read_says_nothing() -> None:
    case = _caddy()
    case.fetched(CADDY_MAP, None, Result.FORBIDDEN)
    assert case.ids() == []


# stale-subpath


def test_a_mount_older_than_its_config_map() -> None:
    case = _caddy(":80 {\n}", changed=NOW - 60)
    found = case.one("stale-subpath")
    assert ("Pod default/caddy", "volumeMounts[/etc/caddy/Caddyfile].subPath", "Caddyfile") in (
        evidence(found)
    )


@pytest.mark.parametrize(
    "more",
    [{"started": NOW - 30}, {"last_restart": NOW - 20}, {"started": None}, {"deleting": NOW}],
    ids=["started since", "restarted since", "not started", "being deleted"],
)
def test_a_mount_that_is_young_enough(more: dict[str, Any]) -> None:
    assert "stale-subpath" not in _caddy(":80 {\n}", changed=NOW - 60, **more).ids()


def test_a_mounted_folder_follows_by_itself() -> None:
    case = _nginx()
    case.fetched(NGINX_MAP, ConfigMapFact((("default.conf", NGINX),), NOW - 60))
    assert case.ids() == []


# nginx-stale-upstream, nginx-upstream-missing


def test_nginx_that_is_older_than_its_service() -> None:
    case = _nginx().put(Kind.SERVICES, service(created=NOW - 60))
    found = case.one("nginx-stale-upstream")
    assert found.object == "Pod default/nginx"
    assert ("ConfigMap default/nginx-config", "default.conf", "fastapi-svc:80") in evidence(found)


@pytest.mark.parametrize(
    "text",
    [
        "server { location / { set $u fastapi-svc; proxy_pass http://$u:80; } }",
        "upstream f { zone f 64k; server fastapi-svc:80 resolve; } "
        "server { location / { proxy_pass http://f; } }",
        "# upstream f { server fastapi-svc:80; }",
        "upstream f { server 10.96.0.9:80; } server { location / { proxy_pass http://f; } }",
    ],
    ids=["a variable", "resolve", "a comment", "an address"],
)
def test_nginx_that_looks_the_name_up_again(text: str) -> None:
    case = _nginx(text).put(Kind.SERVICES, service(created=NOW - 60))
    assert case.ids() == []


@pytest.mark.parametrize("address", ["", "None"])
def test_a_service_without_an_address_of_its_own_makes_no_nginx_stale(address: str) -> None:
    case = _nginx().put(Kind.SERVICES, service(created=NOW - 60, cluster_ip=address))
    assert "nginx-stale-upstream" not in case.ids()


def test_nginx_that_was_started_after_its_service() -> None:
    assert _nginx().ids() == []
    young = _nginx(last_restart=NOW - 30).put(Kind.SERVICES, service(created=NOW - 60))
    assert young.ids() == []


def _crashing_nginx(line: str) -> Case:
    row = _proxy(
        "nginx",
        "nginx:1.27",
        ConfigMount("nginx-config", "/etc/nginx/conf.d"),
        status="CrashLoopBackOff",
        restarts=4,
        ready=False,
        ending=Ending("nginx", "Error", 1, NOW - 5),
    )
    case = Case().put(Kind.PODS, row)
    (fetch,) = [f for f in case.wants() if isinstance(f, LogFetch)]
    assert fetch.previous
    return case.fetched(fetch, LogFact("nginx", (line,)))


def test_nginx_that_cannot_resolve_its_upstream() -> None:
    case = _crashing_nginx(
        '[emerg] 1#1: host not found in upstream "app-svc:80" in /etc/nginx/conf.d/default.conf:1'
    )
    found = case.one("nginx-upstream-missing")
    assert "app-svc:80" in found.title
    assert ("Service default/app-svc", "exists", "no") in evidence(found)


def test_nginx_that_crashes_for_another_reason() -> None:
    case = _crashing_nginx("[emerg] 1#1: unknown directive")
    assert "nginx-upstream-missing" not in case.ids()
    assert "crash-loop" in case.ids()


def test_the_log_of_a_healthy_nginx_is_not_read() -> None:
    assert not [f for f in _nginx().wants() if isinstance(f, LogFetch)]


# nodeport-unreachable


def _node_port(fact: Fact | None, result: Result = Result.FOUND, *ready: str) -> Case:
    port = (ServicePort(port=80, node_port=30082),)
    case = Case().put(Kind.SERVICES, service("web", type="NodePort", ports=port))
    case.put(Kind.ENDPOINTSLICES, endpoints("web", *(ready or ("web-1",))))
    assert NodePortFetch("default", "web", 80) in case.wants()
    return case.fetched(NodePortFetch("default", "web", 80), fact, result)


def test_a_node_port_that_cannot_be_reached_from_here() -> None:
    tried = ("192.0.2.2:30082: no answer",)
    found = _node_port(NodePortFact(30082, False, tried, "Run minikube service web.")).one(
        "nodeport-unreachable"
    )
    assert found.severity is Severity.ADVICE
    assert ("Service default/web", "connection from here", tried[0]) in evidence(found)
    assert found.fix.words == "Run minikube service web."


@pytest.mark.parametrize(
    ("fact", "result"),
    [
        (NodePortFact(30082, True, ("a: no answer",)), Result.FOUND),
        (NodePortFact(30082, False, ()), Result.FOUND),
        (None, Result.ABSENT),
        (None, Result.FAILED),
    ],
    ids=["one address answers", "nothing was tried", "no address is known", "could not be tried"],
)
def test_a_node_port_that_may_be_reached(fact: Fact | None, result: Result) -> None:
    assert "nodeport-unreachable" not in _node_port(fact, result).ids(advice=True)


def test_a_node_port_without_a_ready_pod_is_not_tried() -> None:
    port = (ServicePort(port=80, node_port=30082),)
    case = Case().put(Kind.SERVICES, service("web", type="NodePort", ports=port))
    assert NodePortFetch("default", "web", 80) not in case.wants()


# ingress-rewrite


@pytest.mark.parametrize(
    ("rewrite", "path", "found"),
    [
        ("/$1", "/foo(/|$)(.*)", True),
        ("/$2", "/foo(/|$)(.*)", False),
        ("/$1$2", "/foo(/|$)(.*)", False),
        ("/$1", "/foo/(.*)", False),
        ("/", "/foo", False),
    ],
)
def test_a_rewrite_to_the_wrong_group(rewrite: str, path: str, found: bool) -> None:
    fact = IngressesFact((IngressFact("web", rewrite, (path,)),))
    case = Case().fetched(IngressesFetch("default"), fact)
    assert ("ingress-rewrite" in case.ids()) is found


# keepalive-skew


def _burst(pods: dict[str, int], **more: Any) -> Case:
    fields: dict[str, Any] = {
        "began": NOW - 60,
        "elapsed": 50.0,
        "opened": 50,
        "behind": 4,
        "state": "done",
    }
    case = Case()
    case.store.put_load(LoadRow((BurstRow(1, 1, "fastapi-svc", pods=pods, **{**fields, **more}),)))
    return case


def test_pods_that_keep_alive_leaves_idle() -> None:
    found = _burst({"web-1": 52_000, "web-2": 48_000}).one("keepalive-skew")
    assert found.title.startswith("2 pods of 4 got nothing")
    assert ("Burst 1 at fastapi-svc", "requests per connection", "2000") in evidence(found)


def test_a_long_burst_is_old_only_as_long_after_its_end() -> None:
    burst = _burst({"web-1": 52_000, "web-2": 48_000}, began=NOW - 1000, elapsed=900.0)
    assert "keepalive-skew" in burst.ids()


@pytest.mark.parametrize(
    ("pods", "more"),
    [
        ({f"web-{n}": 25_000 + n for n in range(4)}, {}),
        ({"web-1": 52_000, "web-2": 48_000}, {"opened": 100_000}),
        ({"web-1": 52_000, "web-2": 48_000}, {"elapsed": 5.0}),
        ({"web-1": 52_000, "web-2": 48_000}, {"began": NOW - 5000}),
        ({"web-1": 52_000, "web-2": 48_000}, {"bypasses": True}),
        ({"web-1": 52, "web-2": 48}, {"opened": 2}),
        ({"web-1": 52_000}, {"behind": 1}),
    ],
    ids=["even", "no keep-alive", "just begun", "long past", "past the Service", "few", "one pod"],
)
def test_a_spread_that_says_nothing_of_keep_alive(pods: dict[str, int], more: Any) -> None:
    assert "keepalive-skew" not in _burst(pods, **more).ids()


# kube-proxy-random, latest-tag


def _mode(text: str, *ready: str) -> Case:
    case = Case().put(Kind.ENDPOINTSLICES, endpoints("fastapi-svc", *(ready or ("a", "b"))))
    fetch = ConfigMapFetch("kube-system", "kube-proxy")
    return case.fetched(fetch, ConfigMapFact((("config.conf", text),), NOW))


@pytest.mark.parametrize("text", ['mode: ""\n', "kind: X\nmode: iptables\n", "mode: nftables"])
def test_a_choice_at_random_is_worth_knowing(text: str) -> None:
    found = _mode(text).one("kube-proxy-random")
    assert found.severity is Severity.ADVICE


@pytest.mark.parametrize("text", ["mode: ipvs\n", "kind: X\n", "  mode: iptables-of-something"])
def test_another_mode_or_none_that_is_known(text: str) -> None:
    assert "kube-proxy-random" not in _mode(text).ids(advice=True)


def test_one_pod_leaves_nothing_to_choose() -> None:
    case = _mode("mode: iptables", "a")
    assert "kube-proxy-random" not in case.ids(advice=True)
    assert ConfigMapFetch("kube-system", "kube-proxy") not in case.wants()


@pytest.mark.parametrize(
    ("image", "found"),
    [
        ("registry:5000/app", True),
        ("app:latest", True),
        ("app:1.2", False),
        ("app@sha256:0", False),
        ("", False),
    ],
)
def test_a_tag_that_floats(image: str, found: bool) -> None:
    containers = (ContainerRow("fastapi", 100, 500, 1, 1, image),)
    case = Case().put(
        Kind.PODS, *(pod(n, age=90, containers=containers) for n in ("web-1", "web-2"))
    )
    assert ("latest-tag" in case.ids(advice=True)) is found
