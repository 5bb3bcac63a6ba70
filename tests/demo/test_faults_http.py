"""Faults as a client meets them."""

from __future__ import annotations

import asyncio
import time
from email.utils import parsedate_to_datetime
from typing import Any

import aiohttp
import msgspec
import pytest

from tests.demo.conftest import Build
from tests.demo.http import Http
from tui.demo import resources
from tui.demo.api.operations import Writer
from tui.demo.faults_http import PATH

PODS = "/api/v1/namespaces/default/pods"
MAPS = "/api/v1/namespaces/default/configmaps"
WATCH = f"{MAPS}?watch=true"
USER = Writer("test")


async def _set(http: Http, fault: str) -> dict[str, Any]:
    answer = await http("POST", PATH, {"fault": fault})
    assert answer.status == 201, answer.text
    found: dict[str, Any] = answer.json
    return found


def _make(http: Http, name: str) -> None:
    api = http.cluster.api
    api.create(resources.CONFIG_MAPS, "default", {"metadata": {"name": name}}, USER)


async def _line(stream: aiohttp.ClientResponse) -> dict[str, Any]:
    async with asyncio.timeout(5):
        found: dict[str, Any] = msgspec.json.decode(await stream.content.readline())
    return found


async def _answers(http: Http) -> bool:
    try:
        return (await http("GET", "/version")).status == 200
    except aiohttp.ClientError:
        return False


async def test_the_endpoint_needs_the_token_and_lists_sets_and_clears(build: Build) -> None:
    async with Http(build()) as http:
        assert (await http("GET", PATH, token=None)).status == 403
        assert (await http("POST", PATH, {"fault": "error"}, token="wrong")).status == 401
        first = await _set(http, "error:resource=pods")
        made = await http("POST", PATH, {"kind": "slow", "delay": 0, "for": 60})
        assert made.json["id"] == first["id"] + 1
        listed = (await http("GET", PATH)).json["faults"]
        assert [one["kind"] for one in listed] == ["error", "slow"]
        assert (await http("GET", PODS)).status == 500
        assert (await http("DELETE", f"{PATH}/{first['id']}")).json == {"cleared": 1}
        assert (await http("GET", PODS)).status == 200
        assert (await http("DELETE", f"{PATH}/{first['id']}")).status == 404
        assert (await http("DELETE", PATH)).json == {"cleared": 1}
        refused = await http("POST", PATH, {"fault": "explode"})
        assert (refused.status, refused.json["reason"]) == (400, "BadRequest")
        assert (await http("PUT", PATH, {})).status == 405
        assert (await http("GET", PATH)).json == {"faults": []}


@pytest.mark.parametrize(
    ("fault", "status", "reason"),
    [
        ("expired-token", 401, "Unauthorized"),
        ("forbid", 403, "Forbidden"),
        ("gone", 410, "Expired"),
        ("error", 500, "InternalError"),
        ("error:status=503", 503, "ServiceUnavailable"),
    ],
)
async def test_requests_are_refused(build: Build, fault: str, status: int, reason: str) -> None:
    async with Http(build()) as http:
        await _set(http, fault)
        answer = await http("GET", PODS)
        assert (answer.status, answer.json["reason"], answer.json["code"]) == (
            status, reason, status,
        )  # fmt: skip
        await http("DELETE", PATH)
        assert (await http("GET", PODS)).status == 200


async def test_a_right_is_taken_from_one_verb_only(build: Build) -> None:
    async with Http(build()) as http:
        await _set(http, "forbid:resource=configmaps,verb=create")
        assert (await http("GET", MAPS)).status == 200
        refused = await http("POST", MAPS, {"metadata": {"name": "c"}})
        assert refused.json["message"] == (
            'configmaps is forbidden: User "kubernetes-admin" cannot create resource '
            '"configmaps" in API group "" in the namespace "default"'
        )


async def test_who_is_throttled_is_told_when_to_come_back_or_not(build: Build) -> None:
    async with Http(build()) as http:
        await _set(http, "throttle:after=7,times=1")
        await _set(http, "throttle:after=0,times=1")
        told, untold, served = [await http("GET", PODS) for _ in range(3)]
        assert (told.status, told.headers["Retry-After"]) == (429, "7")
        assert (untold.status, "Retry-After" in untold.headers) == (429, False)
        assert served.status == 200


@pytest.mark.parametrize("shape", ["status", "event"])
async def test_a_watch_says_410_in_either_shape(build: Build, shape: str) -> None:
    async with Http(build()) as http:
        await _set(http, f"gone:shape={shape},verb=watch")
        answer = await http("GET", WATCH)
        if shape == "status":
            assert (answer.status, answer.json["code"]) == (410, 410)
        else:
            assert answer.status == 200
            assert (answer.json["type"], answer.json["object"]["code"]) == ("ERROR", 410)


async def test_open_watches_are_dropped_at_once(build: Build) -> None:
    async with Http(build()) as http, http.stream(WATCH) as maps, http.stream(
        "/api/v1/nodes?watch=true"
    ) as nodes:  # fmt: skip
        await nodes.content.readline()
        await _set(http, "drop-watches:resource=configmaps")
        with pytest.raises(aiohttp.ClientPayloadError):
            await asyncio.wait_for(maps.content.read(), 5)
        assert not nodes.content.at_eof()
        assert (await http("GET", PATH)).json == {"faults": []}
        await _set(http, "drop-watches:for=60")
        with pytest.raises(aiohttp.ClientError):
            await http("GET", WATCH)


async def test_a_stalled_watch_holds_its_changes_until_it_is_cleared(build: Build) -> None:
    async with Http(build()) as http:
        version = (await http("GET", MAPS)).json["metadata"]["resourceVersion"]
        async with http.stream(f"{WATCH}&resourceVersion={version}") as stream:
            await _set(http, "stall:verb=watch")
            _make(http, "held")
            reading = asyncio.ensure_future(stream.content.readline())
            done, _ = await asyncio.wait({reading}, timeout=0.1)
            assert not done
            await http("DELETE", PATH)
            async with asyncio.timeout(5):
                assert b'"held"' in await reading


async def test_a_line_is_cut_in_the_middle(build: Build) -> None:
    async with Http(build()) as http:
        version = (await http("GET", MAPS)).json["metadata"]["resourceVersion"]
        async with http.stream(f"{WATCH}&resourceVersion={version}") as stream:
            await _set(http, "truncate:times=1")
            _make(http, "whole")
            with pytest.raises((aiohttp.ClientPayloadError, msgspec.DecodeError)):
                await _line(stream)
        await _set(http, "truncate:verb=list")
        with pytest.raises(aiohttp.ClientPayloadError):
            await http("GET", PODS)


async def test_answers_come_late(build: Build) -> None:
    async with Http(build()) as http:
        await _set(http, "slow:delay=0.2,resource=pods")
        start = time.monotonic()
        assert (await http("GET", PODS)).status == 200
        assert time.monotonic() - start >= 0.2


async def test_the_clock_is_off_in_headers_and_stamps(build: Build) -> None:
    async with Http(build()) as http:
        http.server.faulty._set_skew = http.cluster.clock.set_skew
        truth = http.cluster.clock.wall()
        await _set(http, "skew:skew=600")
        answer = await http("GET", PODS)
        told = parsedate_to_datetime(answer.headers["Date"]).timestamp()
        assert 590 < told - time.time() < 610
        made = await http("POST", MAPS, {"metadata": {"name": "c"}})
        stamp = made.json["metadata"]["creationTimestamp"]
        clock = http.cluster.clock
        assert clock.simulated(stamp) == pytest.approx(clock.now(), abs=1.0)
        assert (clock.wall() - truth).total_seconds() == 600
        await http("DELETE", PATH)
        assert clock.wall() == truth


async def test_a_restart_takes_the_server_away_and_its_history(build: Build) -> None:
    async with Http(build()) as http:
        http.server._compact = http.cluster.store.compact
        version = (await http("GET", MAPS)).json["metadata"]["resourceVersion"]
        _make(http, "later")
        async with http.stream(f"{WATCH}&resourceVersion={version}") as stream:
            assert (await _line(stream))["object"]["metadata"]["name"] == "later"
            url = http.server.url
            assert await _set(http, "restart:down=0.1") == {"kind": "restart"}
            async with asyncio.timeout(5):
                while await _answers(http):
                    pass
                while not await _answers(http):
                    await asyncio.sleep(0.01)
        assert http.server.url == url
        async with http.stream(f"{WATCH}&resourceVersion={version}") as stream:
            assert (await _line(stream))["object"]["code"] == 410
        listed = (await http("GET", MAPS)).json["items"]
        assert "later" in {item["metadata"]["name"] for item in listed}


async def test_restarts_that_overlap_come_one_after_the_other(build: Build) -> None:
    async with Http(build()) as http:
        for _ in range(3):
            await _set(http, "restart:down=0.05")
        async with asyncio.timeout(10):
            while http.server._restarts:
                await asyncio.sleep(0.01)
        assert await _answers(http)
        await _set(http, "restart:down=30")
        await asyncio.sleep(0.15)
    assert not http.server._restarts
