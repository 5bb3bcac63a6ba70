"""Options of lists and watches: what goes together, and streams that begin with a list."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from tests.demo.conftest import Build
from tests.demo.http import Http
from tui.demo.api import watching

MAPS = "/api/v1/namespaces/default/configmaps"
LATEST = "resourceVersionMatch=NotOlderThan"


async def _events(http: Http, query: str) -> list[dict[str, Any]]:
    async with http.stream(f"{MAPS}?watch=true&{query}") as stream, asyncio.timeout(5):
        assert stream.status == 200
        return [msgspec.json.decode(line) async for line in stream.content]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        (
            "watch=true&sendInitialEvents=true",
            "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan",
        ),
        (
            f"watch=true&{LATEST}",
            "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided",
        ),
        (LATEST, "resourceVersionMatch is forbidden unless resourceVersion is provided"),
        ("sendInitialEvents=true", "sendInitialEvents is forbidden for list"),
        (
            "resourceVersion=0&resourceVersionMatch=Exact",
            'resourceVersionMatch "exact" is forbidden for resourceVersion "0"',
        ),
        ("resourceVersion=5&resourceVersionMatch=x", 'supported values: "Exact", "NotOlderThan"'),
    ],
)
async def test_options_that_contradict_each_other(build: Build, query: str, said: str) -> None:
    async with Http(build()) as http:
        answer = await http("GET", f"{MAPS}?{query}")
        assert answer.status == 422
        assert answer.json["message"].startswith('ListOptions.meta.k8s.io "" is invalid: ')
        assert said in answer.json["message"]


async def test_a_watch_that_begins_with_a_list(
    build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "LONGEST", 0.3)
    async with Http(build()) as http:
        for name in ("a", "b"):
            await http("POST", MAPS, {"metadata": {"name": name}})
        listed = {
            one["metadata"]["name"]: one["metadata"]["resourceVersion"]
            for one in (await http("GET", MAPS)).json["items"]
        }
        both = f"{LATEST}&allowWatchBookmarks=true"
        events = await _events(http, f"sendInitialEvents=true&{both}")
        *added, end = events
        assert {one["type"] for one in added} == {"ADDED"}
        assert listed == {
            one["object"]["metadata"]["name"]: one["object"]["metadata"]["resourceVersion"]
            for one in added
        }
        assert end["type"] == "BOOKMARK"
        assert end["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}
        assert await _events(http, f"sendInitialEvents=false&{both}") == []
