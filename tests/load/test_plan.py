"""What may be asked, of whom, and how it looks on the wire."""

from __future__ import annotations

import math
from typing import Any

import pytest

from tui.load.curve import ramp, steady, step
from tui.load.limits import Limits, excess, refusal
from tui.load.plan import Pattern, Plan, PlanError, request_bytes, target

URL = "http://127.0.0.1:8080/a?b=c"


def test_request_is_what_a_client_sends() -> None:
    lines = request_bytes(Plan(url=URL, count=1)).split(b"\r\n")
    assert lines[:2] == [b"GET /a?b=c HTTP/1.1", b"Host: 127.0.0.1:8080"]
    assert lines[2].startswith(b"User-Agent: kscale-tui/")
    assert lines[3:] == [b"Accept: */*", b"", b""]


def test_given_headers_replace_those_of_our_own() -> None:
    given = (("host", "shop.example"), ("User-Agent", "x"), ("Accept", "text/html"))
    raw = request_bytes(Plan(url=URL, count=1, headers=given))
    assert raw == (
        b"GET /a?b=c HTTP/1.1\r\nhost: shop.example\r\nUser-Agent: x\r\nAccept: text/html\r\n\r\n"
    )


def test_bodies_have_a_length_even_when_empty() -> None:
    assert b"\r\nContent-Length: 3\r\n" in request_bytes(
        Plan(url=URL, count=1, method="PUT", body=b"abc")
    )
    assert b"\r\nContent-Length: 0\r\n" in request_bytes(Plan(url=URL, count=1, method="POST"))
    assert b"Content-Length" not in request_bytes(Plan(url=URL, count=1))


@pytest.mark.parametrize(
    ("url", "authority", "path"),
    [
        ("http://localhost", "localhost", "/"),
        ("https://localhost:443/x", "localhost", "/x"),
        ("https://localhost:80/x", "localhost:80", "/x"),
        ("http://[::1]:8080/", "[::1]:8080", "/"),
        ("http://127.0.0.1/a b?q=é", "127.0.0.1", "/a%20b?q=%C3%A9"),
        ("http://bücher.example/", "xn--bcher-kva.example", "/"),
        ("http://127.0.0.1/%7Ea#there", "127.0.0.1", "/%7Ea"),
    ],
)
def test_targets(url: str, authority: str, path: str) -> None:
    found = target(url)
    assert (found.authority, found.path) == (authority, path)


@pytest.mark.parametrize(
    "changes",
    [
        {"url": "ftp://127.0.0.1/"},
        {"url": "127.0.0.1"},
        {"url": "http://"},
        {"url": "http://127.0.0.1:99999/"},
        {"url": "http://127.0.0.1:0/"},
        {"url": "http://user:secret@127.0.0.1/"},
        {"count": None},
        {"count": 0},
        {"count": 10**30},
        {"count": 10**400},
        {"seed": -(10**30)},
        {"duration": -1.0},
        {"timeout": 0.0},
        {"duration": math.inf},
        {"connections": steady(0)},
        {"connections": steady(0.4)},
        {"connections": ramp(-5, 5, 1)},
        {"rate": steady(0)},
        {"rate": steady(math.nan)},
        {"rate": steady(math.inf)},
        {"rate": ramp(-50, 100, 1)},
        {"rate": ramp(100, math.nan, 1)},
        {"rate": steady(5), "rate_per_connection": 5.0},
        {"method": "BREW"},
        {"method": "GET / HTTP/1.1\r\nX: y"},
        {"headers": (("X", "a\r\nY: b"),)},
        {"headers": (("X Y", "a"),)},
        {"headers": (("X", "한글"),)},
        {"headers": (("Transfer-Encoding", "chunked"),)},
    ],
)
def test_impossible_plans_are_refused_in_one_sentence(changes: dict[str, Any]) -> None:
    with pytest.raises(PlanError) as caught:
        Plan(**{"url": URL, "count": 1} | changes)
    assert str(caught.value).isprintable()
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("regex", ["pod", "(a)(b)", "(", "(?:a)"])
def test_patterns_need_one_group(regex: str) -> None:
    with pytest.raises(PlanError):
        Pattern(regex)


@pytest.mark.parametrize(
    "host", ["localhost", "127.0.0.1", "127.9.8.7", "::1", "[::1]", "LOCALHOST."]
)
def test_this_machine_may_be_loaded(host: str) -> None:
    assert refusal(host) is None


@pytest.mark.parametrize(
    "host", ["example.com", "localhost.example.com", "10.0.0.1", "0.0.0.0", "128.0.0.1", "::2", ""]
)
def test_other_hosts_are_refused_until_named(host: str) -> None:
    sentence = refusal(host)
    assert sentence is not None
    assert "--allow-host" in sentence
    if host:
        assert refusal(host, [host.upper()]) is None
    assert refusal(host, ["other.example"]) is not None


def test_caps() -> None:
    caps = Limits(connections=10, rate=100, duration=60)
    fits = Plan(url=URL, duration=60, connections=steady(10), rate=steady(100))
    assert excess(fits, caps) is None
    for plan in (
        Plan(url=URL, duration=61),
        Plan(url=URL, duration=1, connections=ramp(1, 11, 1)),
        Plan(url=URL, duration=1, connections=steady(1), rate=ramp(1, 101, 1)),
        Plan(url=URL, duration=1, connections=steady(10), rate_per_connection=11),
    ):
        assert "more than the limit" in (excess(plan, caps) or "")


def test_no_worker_is_without_a_connection() -> None:
    assert Plan(url=URL, count=1, connections=steady(3)).most_workers == 3
    course = step([1, 8], 10)
    assert Plan(url=URL, duration=10, connections=course).most_workers == 8
    # With a rate each worker owes its part of it from the beginning.
    assert Plan(url=URL, duration=10, connections=course, rate=steady(5)).most_workers == 1


def test_what_is_due() -> None:
    each = Plan(url=URL, duration=10, connections=steady(5), rate_per_connection=2)
    assert (each.asked(5), each.asked(100), each.asked_rate(1)) == (50, 100, 10)
    ramped = Plan(url=URL, duration=10, rate=ramp(0, 100, 10))
    assert (ramped.asked(10), ramped.asked_rate(5)) == (500, 50)
    assert Plan(url=URL, duration=10).asked(5) is None
    assert Plan(url=URL, count=7, rate=steady(10)).asked(5) == 7
