"""What a pod's containers run, mount and ended with."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tests.cluster import recorded
from tui.cluster.decode import pods
from tui.cluster.resources import RESOURCES
from tui.state.rows import ConfigMount, Ending, Kind, PodRow


def _pod(spec: dict[str, Any], status: dict[str, Any] | None = None) -> PodRow:
    meta = {"uid": "u", "name": "p", "namespace": "n"}
    return pods.project(
        msgspec.convert({"metadata": meta, "spec": spec, "status": status or {}}, pods.Pod)
    )


def _recorded(name: str) -> dict[str, PodRow]:
    page = RESOURCES[Kind.PODS].codec.page(recorded.raw(name))
    return {row.name: row for row in page.rows if isinstance(row, PodRow)}


def test_config_maps_of_the_recorded_proxies() -> None:
    rows = _recorded("idle/pods.json")
    (caddy,) = rows["caddy-proxy-6f445bcd79-2sbpw"].containers
    assert caddy.image == "caddy:2"
    assert caddy.configs == (ConfigMount("caddy-config", "/etc/caddy/Caddyfile", "Caddyfile"),)
    (nginx,) = rows["nginx-proxy-558dbcc8c8-tcp6w"].containers
    assert nginx.configs == (ConfigMount("nginx-config", "/etc/nginx/conf.d"),)


def test_other_volumes_are_none_of_it() -> None:
    row = _pod(
        {
            "volumes": [
                {"name": "s", "secret": {"secretName": "token"}},
                {"name": "p", "projected": {"sources": [{"configMap": {"name": "root-ca"}}]}},
                {"name": "e", "emptyDir": {}},
            ],
            "containers": [
                {
                    "name": "a",
                    "volumeMounts": [
                        {"name": n, "mountPath": f"/{n}"} for n in ("s", "p", "e", "absent")
                    ],
                }
            ],
        }
    )
    assert row.containers[0].configs == ()


def test_a_readiness_probe_is_seen_and_a_liveness_probe_is_none() -> None:
    row = _pod(
        {
            "containers": [
                {"name": "a", "readinessProbe": {"httpGet": {"path": "/", "port": "http"}}},
                {"name": "b", "livenessProbe": {"exec": {"command": ["true"]}}},
            ]
        }
    )
    assert [c.probed for c in row.containers] == [True, False]


def test_how_recorded_containers_ended() -> None:
    rows = _recorded("pod-states/after-70s/pods.json")
    endings = {name.rsplit("-", 2)[0]: row.ending for name, row in rows.items()}
    oom, bad, loop = endings["oom"], endings["bad-command"], endings["crash-loop"]
    assert oom is not None
    assert (oom.container, oom.reason, oom.code) == ("app", "OOMKilled", 137)
    assert bad is not None
    assert (bad.reason, bad.code) == ("StartError", 128)
    # Of the present ending and the one before, the later one.
    assert loop == Ending("app", "Error", 3, 1795222998.0)
    assert endings["fastapi-deploy"] is None


def _asks(cpu: str = "", memory: str = "", **more: Any) -> dict[str, Any]:
    asked = {name: value for name, value in (("cpu", cpu), ("memory", memory)) if value}
    return {"name": "c", "resources": {"requests": asked}, **more}


@pytest.mark.parametrize(
    ("spec", "placement"),
    [
        ({"containers": [_asks("100m", "1Ki"), _asks("50m")]}, (150, 1024)),
        # The pod's own request stands for its containers'; what it leaves open is theirs.
        (
            {"containers": [_asks("100m", "1Ki")], "resources": {"requests": {"cpu": "300m"}}},
            (300, 1024),
        ),
        # A node must have room for the largest step on the way, sidecars beside it.
        (
            {
                "containers": [_asks("100m", "1Ki")],
                "initContainers": [_asks("50m", restartPolicy="Always"), _asks("1"), _asks("2m")],
            },
            (1050, 1024),
        ),
        ({"containers": [_asks("100m")], "overhead": {"cpu": "10m", "memory": "2Ki"}}, (110, 2048)),
        ({"containers": [_asks()]}, (0, 0)),
    ],
)
def test_what_the_scheduler_keeps_for_a_pod(
    spec: dict[str, Any], placement: tuple[int, int]
) -> None:
    assert _pod(spec).placement == placement


def test_pods_of_one_template_share_what_their_containers_are() -> None:
    rows = _recorded("peak/pods.json").values()
    same = [row.containers for row in rows if row.name.startswith("fastapi-deploy")]
    assert len(same) == 10
    assert all(containers is same[0] for containers in same)


def test_a_sidecar_is_known_by_where_it_stands() -> None:
    row = _pod({"containers": [_asks()], "initContainers": [_asks(restartPolicy="Always")]})
    assert [c.field for c in row.containers] == ["containers", "initContainers"]
