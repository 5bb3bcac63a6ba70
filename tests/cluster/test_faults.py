"""Every recorded error, and other people's error pages, are what they are."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from email.utils import formatdate
from typing import Any

import pytest

from tests.cluster import recorded
from tests.cluster.server import Server, status
from tui.cluster import faults
from tui.cluster.access import ClusterConfig
from tui.cluster.errors import ApiError, Fault, one_line
from tui.cluster.transport import Transport


def to(server: Server, **more: Any) -> Transport:
    return Transport(ClusterConfig(server.url, **more))


def failing(transport: Transport, where: str = "/x", **more: Any) -> ApiError:
    with pytest.raises(ApiError) as caught:
        transport.get(where, **more)
    assert caught.value.message.isprintable()
    return caught.value


EXPECTED: dict[str, tuple[Fault, str]] = {
    "400": (Fault.INVALID, ""),
    "401": (Fault.UNAUTHORIZED, "credentials"),
    "403": (Fault.FORBIDDEN, ""),
    "404": (Fault.NOT_FOUND, ""),
    "405": (Fault.INVALID, ""),
    "406": (Fault.INVALID, ""),
    "409": (Fault.CONFLICT, ""),
    "410": (Fault.GONE, ""),
    "415": (Fault.INVALID, ""),
    "422": (Fault.INVALID, ""),
    "429": (Fault.THROTTLED, ""),
    "500": (Fault.SERVER, ""),
    "503": (Fault.UNAVAILABLE, ""),
    "504": (Fault.UNAVAILABLE, ""),
    "metrics-absent-404": (Fault.NOT_FOUND, ""),
    "metrics-unavailable": (Fault.UNAVAILABLE, ""),
}
FAILED = [
    name
    for name, case in recorded.errors().items()
    if case["response"]["status"] >= 400 and "body_raw" in case["response"]
]


def test_there_are_enough_recorded_errors() -> None:
    assert len(FAILED) > 60


@pytest.fixture(scope="module")
def kept() -> Iterator[tuple[Server, Transport]]:
    """A server and connections to it for many small tests."""
    with Server() as running:
        yield running, to(running)


@pytest.mark.parametrize("name", FAILED)
def test_every_recorded_error_is_what_it_is(kept: tuple[Server, Transport], name: str) -> None:
    server, transport = kept
    answer = recorded.errors()[name]["response"]
    headers = {k.replace("-", "_"): v for k, v in answer["headers"].items()}
    for taken in ("Content_Type", "Content_Length", "Transfer_Encoding", "Date"):
        headers.pop(taken, None)
    kind = answer["headers"].get("Content-Type", "text/plain")
    body = answer["body_raw"]
    server.on("/x", lambda e: e.reply(answer["status"], body, kind, **headers))
    error = failing(transport)
    expected, words = next(v for k, v in EXPECTED.items() if name.startswith(k))
    assert error.kind is expected
    assert error.status == answer["status"]
    assert words in error.message
    if "Retry-After" in answer["headers"]:
        assert error.retry_after == float(answer["headers"]["Retry-After"])
    told = faults.status_of(body.encode())
    if told is not None and expected is not Fault.UNAUTHORIZED:
        assert error.message == one_line(told.message or "")
    if name == "410-list-continue-expired":
        assert error.rest


def test_an_apply_of_an_unknown_field_is_refused_with_the_code_of_a_broken_server() -> None:
    said = (
        "failed to create typed patch object (default/s; /v1, Kind=Service): "
        ".spec.portz: field not declared in schema"
    )
    body = json.dumps({"kind": "Status", "apiVersion": "v1", "message": said, "code": 500})
    error = faults.of_answer(500, {"content-type": "application/json"}, body.encode())
    assert (error.kind, error.message, error.status) == (Fault.INVALID, said, 500)


@pytest.mark.parametrize(
    ("code", "body", "kind", "words"),
    [
        (404, "<html>nginx</html>", Fault.NOT_KUBERNETES, "text/html"),
        (403, "<!DOCTYPE html>", Fault.NOT_KUBERNETES, "not a Kubernetes API"),
        (502, "<html>bad gateway</html>", Fault.UNAVAILABLE, "502"),
        (500, "\x1b[31mboom", Fault.SERVER, "500"),
    ],
)
def test_other_peoples_error_pages(
    server: Server, code: int, body: str, kind: Fault, words: str
) -> None:
    server.on("/x", lambda e: e.reply(code, body, "text/html"))
    error = failing(to(server))
    assert error.kind is kind
    assert words in error.message


def test_a_message_from_the_server_is_made_printable_and_short(server: Server) -> None:
    server.on("/x", status(403, "Forbidden", "\x1b]0;pwned\x07[red]\u202e" + "x" * 9000))
    error = failing(to(server))
    assert error.message.isprintable()
    assert len(error.message) <= 300


def test_retry_after_as_a_date(server: Server) -> None:
    when = formatdate(time.time() + 20, usegmt=True)
    server.on("/x", lambda e: e.reply(503, "no", "text/plain", Retry_After=when))
    retry_after = failing(to(server)).retry_after
    assert retry_after is not None
    assert 15 < retry_after <= 21
