"""The API over HTTPS: reading, watching, paging, writing, refusing."""

from __future__ import annotations

import asyncio
import ssl
import time
from typing import Any

import aiohttp
import msgspec
import pytest

from tests.demo.conftest import Build
from tests.demo.http import IDENTITY, TOKEN, Http
from tui.demo import resources
from tui.demo.api import watching
from tui.demo.api.operations import Writer
from tui.demo.controllers.namespace import BUNDLE
from tui.demo.traffic import Wave

PODS = "/api/v1/namespaces/default/pods"
MAPS = "/api/v1/namespaces/default/configmaps"


@pytest.fixture(autouse=True)
def _short_watches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "LONGEST", 0.5)


USER = Writer("test")


def _map(name: str, **more: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, **more}}


async def _lines(response: aiohttp.ClientResponse) -> list[dict[str, Any]]:
    return [msgspec.json.decode(line) async for line in response.content]


async def test_objects_live_and_die(build: Build) -> None:
    async with Http(build()) as http:
        made = await http("POST", MAPS, {**_map("c"), "data": {"a": "1"}})
        assert made.status == 201
        assert made.json["kind"] == "ConfigMap"
        assert len(made.json["metadata"]["uid"]) == 36
        changed = {**made.json, "data": {"a": "2"}}
        assert (await http("PUT", f"{MAPS}/c", changed)).status == 200
        stale = await http("PUT", f"{MAPS}/c", changed)
        assert (stale.status, stale.json["reason"]) == (409, "Conflict")
        merge = {"Content-Type": "application/merge-patch+json"}
        patched = await http("PATCH", f"{MAPS}/c", {"data": {"b": "3"}}, merge)
        assert patched.json["data"] == {"a": "2", "b": "3"}
        same = await http("PATCH", f"{MAPS}/c", {"data": {"b": "3"}}, merge)
        assert (
            same.json["metadata"]["resourceVersion"] == patched.json["metadata"]["resourceVersion"]
        )
        gone = await http("DELETE", f"{MAPS}/c")
        assert (gone.status, gone.json["status"]) == (200, "Success")
        assert (await http("GET", f"{MAPS}/c")).status == 404


async def test_a_dry_run_answers_and_stores_nothing(build: Build) -> None:
    cluster = build()
    async with Http(cluster) as http:
        before = cluster.store.revision
        made = await http("POST", f"{MAPS}?dryRun=All", _map("c"))
        assert made.status == 201
        assert (await http("GET", f"{MAPS}/c")).status == 404
        assert cluster.store.revision == before
        assert (await http("POST", f"{MAPS}?dryRun=Some", _map("c"))).status == 422


async def test_names_are_generated(build: Build) -> None:
    async with Http(build()) as http:
        names = set()
        for _ in range(5):
            data = {"metadata": {"generateName": "part-"}}
            names.add((await http("POST", MAPS, data)).json["metadata"]["name"])
        assert len(names) == 5
        assert all(name.startswith("part-") and len(name) == 10 for name in names)
        assert (await http("POST", MAPS, {"metadata": {}})).status == 422


async def test_unknown_fields_are_warned_of_or_refused(build: Build) -> None:
    async with Http(build()) as http:
        data = {**_map("c"), "datas": {}}
        warned = await http("POST", MAPS, data)
        assert warned.headers["Warning"] == '299 - "unknown field \\"datas\\""'
        assert "datas" not in warned.json
        ignored = await http("POST", f"{MAPS}?fieldValidation=Ignore", {**data, **_map("d")})
        assert "Warning" not in ignored.headers


async def test_wrong_types_are_told_by_their_field(build: Build) -> None:
    async with Http(build()) as http:
        data = {"metadata": {"name": "d"}, "spec": {"replicas": "three"}}
        path = "/apis/apps/v1/namespaces/default/deployments"
        answer = await http("POST", path, data)
        assert answer.status == 400
        assert answer.json["message"] == (
            'Deployment in version "v1" cannot be handled as a Deployment: json: cannot unmarshal '
            "string into Go struct field DeploymentSpec.spec.replicas of type int32"
        )


async def test_pages_of_all_namespaces_leave_nothing_out(build: Build) -> None:
    cluster = build()
    for namespace in ("a", "a-b", "ab"):
        cluster.api.create(resources.NAMESPACES, "", {"metadata": {"name": namespace}}, USER)
        for number in range(3):
            data = {"metadata": {"name": f"c{number}"}}
            cluster.api.create(resources.CONFIG_MAPS, namespace, data, USER)
    async with Http(cluster) as http:
        whole = (await http("GET", "/api/v1/configmaps")).json["items"]
        found, token = [], ""
        while True:
            page = (await http("GET", f"/api/v1/configmaps?limit=2&continue={token}")).json
            found += page["items"]
            token = page["metadata"].get("continue", "")
            if not token:
                break
    assert found == whole


async def test_pages_show_one_moment(build: Build) -> None:
    cluster = build()
    for number in range(25):
        data = {"metadata": {"name": f"c{number:02}", "labels": {"odd": str(number % 2)}}}
        cluster.api.create(resources.CONFIG_MAPS, "default", data, USER)
    async with Http(cluster) as http:
        names: list[str] = []
        token = ""
        remaining = []
        while True:
            page = (await http("GET", f"{MAPS}?limit=10&continue={token}")).json
            names += [item["metadata"]["name"] for item in page["items"]]
            remaining.append(page["metadata"].get("remainingItemCount"))
            token = page["metadata"].get("continue", "")
            if not token:
                break
            # What happens between the pages is not seen.
            cluster.api.delete(resources.CONFIG_MAPS, "default", f"c{20 + len(names) // 10}")
            cluster.api.create(
                resources.CONFIG_MAPS, "default", {"metadata": {"name": f"a{len(names)}"}}, USER
            )
        assert names == [*(f"c{number:02}" for number in range(25)), BUNDLE]
        assert remaining == [16, 6, None]
        chosen = (await http("GET", f"{MAPS}?labelSelector=odd%3D1&limit=3")).json
        assert [i["metadata"]["name"] for i in chosen["items"]] == ["c01", "c03", "c05"]
        assert "remainingItemCount" not in chosen["metadata"]


@pytest.mark.parametrize(
    ("selector", "names"),
    [
        ("app=a", "ab"),
        ("app!=a", "cd"),
        ("app in (a,b),tier", "bc"),
        ("app notin (a)", "cd"),
        ("!app", "d"),
        ("tier", "bc"),
        ("rank>3", "c"),
        ("app==b,tier==x", "c"),
    ],
)
async def test_label_selectors(build: Build, selector: str, names: str) -> None:
    cluster = build()
    every = {
        "a": {"app": "a"},
        "b": {"app": "a", "tier": "y", "rank": "2"},
        "c": {"app": "b", "tier": "x", "rank": "10"},
        "d": {},
    }
    for name, labels in every.items():
        data = {"metadata": {"name": name, "labels": labels}}
        cluster.api.create(resources.CONFIG_MAPS, "default", data, USER)
    async with Http(cluster) as http:
        quoted = selector.replace(" ", "%20").replace("=", "%3D").replace(",", "%2C")
        quoted = quoted.replace("!", "%21").replace(">", "%3E")
        found = (await http("GET", f"{MAPS}?labelSelector={quoted}")).json["items"]
        shown = [i["metadata"]["name"] for i in found]
        assert "".join(name for name in shown if name != BUNDLE) == names


async def test_field_selectors(build: Build) -> None:
    cluster = build(lesson=True)
    async with Http(cluster) as http:
        everywhere = "/api/v1/pods?fieldSelector=spec.nodeName%3Dembedded-control-plane"
        found = (await http("GET", everywhere)).json["items"]
        assert {i["spec"]["nodeName"] for i in found} == {"embedded-control-plane"}
        one = await http("GET", f"{PODS}?fieldSelector=status.phase%21%3DRunning")
        assert one.json["items"] == []
        events = "/api/v1/namespaces/default/events?fieldSelector="
        about = "involvedObject.kind%3DDeployment%2CinvolvedObject.name%3Dnginx-proxy"
        reasons = [i["reason"] for i in (await http("GET", events + about)).json["items"]]
        assert reasons == ["ScalingReplicaSet"]


async def test_a_watch_leads_from_the_list_to_the_present(build: Build) -> None:
    cluster = build(lesson=True, wave=Wave())
    async with Http(cluster) as http:
        listed = (await http("GET", PODS)).json
        revision = listed["metadata"]["resourceVersion"]
        state = {i["metadata"]["name"]: i for i in listed["items"]}
        async with http.stream(
            f"{PODS}?watch=true&resourceVersion={revision}&timeoutSeconds=1"
        ) as response:
            cluster.clock.advance(80)  # scales to ten
            cluster.api.delete(resources.PODS, "default", next(iter(state)))
            cluster.clock.advance(10)
            last = int(revision)
            for event in await _lines(response):
                shown = event["object"]
                assert shown["kind"] == "Pod"
                assert int(shown["metadata"]["resourceVersion"]) > last
                last = int(shown["metadata"]["resourceVersion"])
                if event["type"] == "DELETED":
                    del state[shown["metadata"]["name"]]
                else:
                    known = shown["metadata"]["name"] in state
                    assert (event["type"] == "MODIFIED") == known
                    state[shown["metadata"]["name"]] = shown
        now = (await http("GET", PODS)).json["items"]
    for item in state.values():
        item.pop("kind", None)
        item.pop("apiVersion", None)
    assert state == {i["metadata"]["name"]: i for i in now}
    assert len(state) == 12  # ten of the app, and the proxies


async def test_a_selected_watch_sees_objects_come_and_go(build: Build) -> None:
    cluster = build()
    async with (
        Http(cluster) as http,
        http.stream(
            f"{MAPS}?watch=1&labelSelector=x%3D1&timeoutSeconds=1&resourceVersion="
            f"{cluster.store.revision}"
        ) as response,
    ):
        merge = {"Content-Type": "application/merge-patch+json"}
        await http("POST", MAPS, _map("c"))
        await http("PATCH", f"{MAPS}/c", {"metadata": {"labels": {"x": "1"}}}, merge)
        await http("PATCH", f"{MAPS}/c", {"data": {"a": "b"}}, merge)
        await http("PATCH", f"{MAPS}/c", {"metadata": {"labels": {"x": "2"}}}, merge)
        events = await _lines(response)
    assert [event["type"] for event in events] == ["ADDED", "MODIFIED", "DELETED"]


async def test_bookmarks_tell_how_far_a_quiet_watch_is(
    build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "BOOKMARK_EVERY", 0.1)
    cluster = build()
    async with Http(cluster) as http:
        query = f"watch=1&timeoutSeconds=1&resourceVersion={cluster.store.revision}"
        async with http.stream(f"{MAPS}?{query}&allowWatchBookmarks=true") as response:
            cluster.api.create(resources.SECRETS, "default", {"metadata": {"name": "s"}}, USER)
            events = await _lines(response)
        async with http.stream(f"/api/v1/events?{query}&allowWatchBookmarks=true") as response:
            assert await _lines(response) == []  # events have none, as recorded
    assert {event["type"] for event in events} == {"BOOKMARK"}
    assert events[-1]["object"]["metadata"] == {"resourceVersion": str(cluster.store.revision)}


async def test_an_event_is_on_the_wire_at_once(build: Build) -> None:
    cluster = build()
    async with Http(cluster) as http:
        query = f"watch=1&resourceVersion={cluster.store.revision}"
        async with http.stream(f"{MAPS}?{query}") as response:
            waits = []
            for number in range(20):
                data = {"metadata": {"name": f"c{number}"}}
                start = time.perf_counter()
                cluster.api.create(resources.CONFIG_MAPS, "default", data, USER)
                await response.content.readline()
                waits.append(time.perf_counter() - start)
    assert sorted(waits)[4] < 0.02  # the quickest tell; a busy machine delays the rest


async def test_a_watcher_that_leaves_is_forgotten(build: Build) -> None:
    cluster = build()
    listeners = cluster.store._table("configmaps").listeners
    before = len(listeners)
    async with Http(cluster) as http:
        async with http.stream(f"{MAPS}?watch=1&resourceVersion={cluster.store.revision}"):
            assert len(listeners) == before + 1
        async with asyncio.timeout(5):
            while len(listeners) != before:
                await asyncio.sleep(0.01)


async def test_logs_are_followed(build: Build) -> None:
    cluster = build()
    container = {"name": "a", "image": "nginx"}
    data = {"metadata": {"name": "p"}, "spec": {"containers": [container]}}
    pod = cluster.api.create(resources.PODS, "default", data, USER)
    cluster.clock.advance(10)
    async with Http(cluster) as http:
        text = (await http("GET", f"{PODS}/p/log")).text
        assert text.count("\n") > 1
        last = (await http("GET", f"{PODS}/p/log?tailLines=1&timestamps=true")).text
        assert last.endswith(text.splitlines()[-1] + "\n")
        stamp = last.split(" ")[0]
        assert (await http("GET", f"{PODS}/p/log?sinceTime={stamp}")).text
        cluster.clock.advance(100)
        assert (await http("GET", f"{PODS}/p/log?sinceSeconds=50")).text == ""
        async with http.stream(f"{PODS}/p/log?follow=true&tailLines=0") as response:
            cluster.logs.write(pod.uid, "a", "one\ntwo")
            assert await response.content.readline() == b"one\n"
            assert await response.content.readline() == b"two\n"
            cluster.api.delete(resources.PODS, "default", "p")
            cluster.clock.advance(10)
            assert await response.content.read() == b""


async def test_hpas_have_a_v1_view(build: Build) -> None:
    cluster = build(lesson=True)
    path = "/apis/autoscaling/v1/namespaces/default/horizontalpodautoscalers"
    async with Http(cluster) as http:
        [item] = (await http("GET", path)).json["items"]
        assert item["spec"]["targetCPUUtilizationPercentage"] == 50
        assert "currentCPUUtilizationPercentage" in item["status"]
        spec = {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "x"},
            "maxReplicas": 3,
            "targetCPUUtilizationPercentage": 70,
        }
        made = await http("POST", path, {"metadata": {"name": "h"}, "spec": spec})
        assert made.json["apiVersion"] == "autoscaling/v1"
        v2 = (await http("GET", f"{path.replace('/v1/', '/v2/')}/h")).json
        assert v2["spec"]["metrics"][0]["resource"]["target"]["averageUtilization"] == 70
        merge = {"Content-Type": "application/merge-patch+json"}
        await http("PATCH", f"{path}/h", {"spec": {"maxReplicas": 5}}, merge)
        v2 = (await http("GET", f"{path.replace('/v1/', '/v2/')}/h")).json
        assert (v2["spec"]["maxReplicas"], len(v2["spec"]["metrics"])) == (5, 1)


async def test_clients_verify_the_certificate(build: Build) -> None:
    context = ssl.create_default_context(cadata=IDENTITY.certificate)
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with Http(build()) as http, aiohttp.ClientSession(headers=headers) as session:
        async with session.get(f"{http.server.url}/version", ssl=context) as response:
            assert (await response.json())["gitVersion"].startswith("v1.36.")
        with pytest.raises(aiohttp.ClientConnectorCertificateError):
            await session.get(f"{http.server.url}/version")


@pytest.mark.parametrize("path", ["/version", "/livez", "/api", PODS, "/openapi/v3", "/nowhere"])
async def test_nothing_is_told_without_the_token(build: Build, path: str) -> None:
    async with Http(build()) as http:
        assert (await http("GET", path, token=None)).status == 403
        assert (await http("GET", path, token="wrong")).status == 401
        assert (await http("GET", path, headers={"Authorization": TOKEN})).status == 401
