"""Bytes to rows, whatever the bytes hold."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.cluster import recorded
from tui.cluster.decode.codec import BadReplyError, Event, Page, status_of
from tui.cluster.decode.common import Shared, instant, milli, whole
from tui.cluster.decode.metrics import node_list, pod_list
from tui.cluster.resources import RESOURCES
from tui.state.rows import Kind, PodRow

PODS = RESOURCES[Kind.PODS].codec
GOOD: dict[str, Any] = {"metadata": {"uid": "1", "name": "a", "resourceVersion": "7"}}


def body(*items: Any, **meta: Any) -> bytes:
    return json.dumps({"kind": "PodList", "metadata": meta, "items": items}).encode()


def line(type: str, obj: Any) -> bytes:
    return json.dumps({"type": type, "object": obj}).encode()


def test_a_page_has_rows_versions_and_where_to_go_on() -> None:
    raw = body(GOOD, resourceVersion="9", **{"continue": "abc", "remainingItemCount": 3})
    page = PODS.page(raw)
    assert [r.uid for r in page.rows] == ["1"]
    assert (page.versions, page.version, page.rest, page.skipped) == (["7"], "9", "abc", 0)


@pytest.mark.parametrize(
    "odd",
    [
        {"metadata": {"uid": "2"}},
        {"metadata": {"uid": None, "name": "b"}},
        {"metadata": None},
        {"metadata": {"uid": 2, "name": "b"}},
        {"metadata": {"uid": "2", "name": "b"}, "status": "Failure"},
        {"metadata": {"uid": "2", "name": "b", "labels": {"x": 1}}},
        None,
        [],
        "text",
    ],
)
def test_an_odd_object_is_skipped_and_counted(odd: Any) -> None:
    page = PODS.page(body(GOOD, odd, resourceVersion="9"))
    assert [r.uid for r in page.rows] == ["1"]
    assert (page.skipped, page.version) == (1, "9")


@pytest.mark.parametrize(
    "fine",
    [
        {"status": None, "spec": None},
        {"status": {"containerStatuses": None, "conditions": None, "phase": None}},
        {"spec": {"containers": None, "initContainers": [], "futureField": {"a": [1]}}},
        {"status": {"containerStatuses": [{"state": None, "lastState": {}}]}},
    ],
)
def test_nulls_and_unknown_fields_are_fine(fine: dict[str, Any]) -> None:
    page = PODS.page(body({**GOOD, **fine}))
    assert (len(page.rows), page.skipped) == (1, 0)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (r"\ud800", "\ufffd"),
        (r"a\udc00b", "a\ufffdb"),
        (r"\ud83d\ude00", "\U0001f600"),
        (r"\ud83d\ud83d\ude00\ude00", "\ufffd\U0001f600\ufffd"),
        (r"\\ud800 \ud800", r"\ud800 " + "\ufffd"),
        (r"\\\ud800", "\\\ufffd"),
    ],
)
def test_half_a_surrogate_pair_hides_no_object(written: str, read: str) -> None:
    """Go writes none, but what it was given by others it hands on."""
    item = json.dumps({**GOOD, "status": {"reason": "X"}}).replace('"X"', f'"{written}"').encode()
    odd = json.dumps({**GOOD, "x": "X"}).replace('"X"', r'"\ud800"').encode()
    page = PODS.page(b'{"kind":"PodList","items":[' + item + b"," + odd + b"]}")
    event = PODS.event(b'{"type":"ADDED","object":' + item + b"}")
    for row in (page.rows[0], event.row):
        assert isinstance(row, PodRow)
        assert row.status == read
    assert (len(page.rows), page.skipped) == (2, 0)


def test_an_empty_list_may_be_null() -> None:
    assert (
        PODS.page(b'{"kind":"PodList","metadata":{"resourceVersion":"1"},"items":null}').rows == []
    )


@pytest.mark.parametrize(
    "bad",
    [b"", b"{", b"null", b"[]", b"{}", b"<html></html>", b'{"kind":"Pod"}', b'{"kind":"Pod' * 9],
)
def test_what_is_no_list_is_refused(bad: bytes) -> None:
    with pytest.raises(BadReplyError):
        PODS.page(bad)


def test_invalid_utf8_is_replaced_not_fatal() -> None:
    raw = body({"metadata": {"uid": "2", "name": "caf"}}, GOOD).replace(b"caf", b"caf\xe9")
    page = PODS.page(raw)
    assert [r.name for r in page.rows] == ["caf\ufffd", "a"]
    event = PODS.event(line("ADDED", GOOD).replace(b'"a"', b'"\xff"'))
    assert event.row is not None
    assert event.row.name == "\ufffd"


def test_events() -> None:
    added = PODS.event(line("ADDED", GOOD))
    assert (added.type, added.uid, added.version) == ("ADDED", "1", "7")
    assert added.row is not None
    mark = PODS.event(
        line("BOOKMARK", {"kind": "Pod", "metadata": {"resourceVersion": "12"}, "spec": {}})
    )
    assert mark == Event("BOOKMARK", None, "12")
    odd = PODS.event(line("MODIFIED", {**GOOD, "status": 5}))
    assert odd == Event("MODIFIED", None, "7", None, "1")
    later = PODS.event(line("RENAMED", GOOD))
    assert (later.type, later.row, later.version) == ("RENAMED", None, "7")


@pytest.mark.parametrize("kind", list(Kind))
def test_a_recorded_error_event_is_a_status(kind: Kind) -> None:
    lines = recorded.errors()["410-watch-error-event-pods"]["lines"]
    event = RESOURCES[kind].codec.event(lines[0]["line"].encode())
    assert event.type == "ERROR"
    assert event.status is not None
    assert (event.status.code, event.status.reason) == (410, "Expired")


@pytest.mark.parametrize("bad", [b"garbage", b"{", b"7", b'{"type":7}', b'{"object":{}}', b"\xff"])
def test_a_line_that_is_no_event_is_refused(bad: bytes) -> None:
    with pytest.raises(BadReplyError):
        PODS.event(bad)


def test_deep_nesting_is_no_crash() -> None:
    deep = b"[" * 100_000
    with pytest.raises(BadReplyError):
        PODS.page(deep)
    with pytest.raises(BadReplyError):
        PODS.event(b'{"type":"ADDED","object":' + deep)
    assert status_of(deep) is None


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
    | st.sampled_from(
        ["True", "Utilization", "100m", "1Ki", "2026-11-21T00:00:00Z", "Pod", "Always"]
    ),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=6,
)
SAMPLES: dict[Kind, str] = {
    Kind.PODS: "pod-states/after-70s/pods.json",
    Kind.HPAS: "hpa-cases/assorted/after-75s/hpa-v2.json",
    Kind.NODES: "peak/nodes.json",
    Kind.DEPLOYMENTS: "peak/deployments.json",
    Kind.REPLICASETS: "peak/replicasets.json",
    Kind.SERVICES: "peak/services.json",
    Kind.ENDPOINTSLICES: "peak/endpointslices.json",
    Kind.EVENTS: "peak/events.json",
}
REAL = {kind: recorded.document(file)["items"] for kind, file in SAMPLES.items()}


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place inside an object where something else may stand."""
    found = [path] if path else []
    if isinstance(value, dict):
        for key, inner in value.items():
            found += places(inner, (*path, key))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            found += places(inner, (*path, number))
    return found


def replaced(value: Any, path: tuple[Any, ...], by: Any) -> Any:
    if not path:
        return by
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = replaced(value[path[0]], path[1:], by)
    return copy


FUZZ = settings(
    max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)


@pytest.mark.parametrize("kind", list(SAMPLES))
@FUZZ
@given(data=st.data())
def test_a_real_object_with_anything_anywhere_is_a_row_or_skipped(
    kind: Kind, data: st.DataObject
) -> None:
    codec = RESOURCES[kind].codec
    item = data.draw(st.sampled_from(REAL[kind]))
    for _ in range(data.draw(st.integers(1, 3))):
        item = replaced(item, data.draw(st.sampled_from(places(item))), data.draw(JSON))
        if not isinstance(item, dict):
            break
    page = codec.page(json.dumps({"kind": "XList", "items": [item]}).encode())
    assert len(page.rows) + page.skipped == 1
    event = codec.event(line("MODIFIED", item))
    assert (event.row is not None) == bool(page.rows)


@FUZZ
@given(value=JSON, type=st.sampled_from(["ADDED", "ERROR", "BOOKMARK", "", "NEW"]))
def test_any_json_is_handled(value: Any, type: str) -> None:
    for resource in RESOURCES.values():
        assert isinstance(resource.codec.event(line(type, value)), Event)
        raw = json.dumps({"kind": "XList", "metadata": value, "items": [value]}).encode()
        with contextlib.suppress(BadReplyError):
            assert isinstance(resource.codec.page(raw), Page)
    for decode in (pod_list, node_list):
        decode(json.dumps({"kind": "XList", "items": [value]}).encode())


@FUZZ
@given(st.binary(max_size=200))
def test_any_bytes_are_refused_or_read(data: bytes) -> None:
    for call in (PODS.page, PODS.event, pod_list):
        with contextlib.suppress(BadReplyError):
            call(data)


@FUZZ
@given(st.text(max_size=60) | st.integers() | st.floats() | st.none())
def test_quantities_and_times_never_raise(text: Any) -> None:
    assert milli(text) is None or isinstance(milli(text), int)
    assert whole(text) is None or isinstance(whole(text), int)
    if isinstance(text, str):
        assert instant(text) is None or isinstance(instant(text), float)


def test_sharing_is_bounded() -> None:
    share = Shared(limit=10)
    for number in range(1000):
        share(("label", str(number)))
    assert len(share._known) <= 10
