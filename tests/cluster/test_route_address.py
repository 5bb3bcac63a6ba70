"""Which addresses out of a cluster's objects may be connected to."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.cluster.route_address import for_url, is_object_name, usable


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("192.0.2.7", "192.0.2.7"),
        (" 10.0.0.1 ", "10.0.0.1"),
        ("2001:DB8::1", "2001:db8::1"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("a1b2.elb.eu-west-1.amazonaws.com", "a1b2.elb.eu-west-1.amazonaws.com"),
        ("LB.Example.ORG.", "lb.example.org"),
        ("node-1", "node-1"),
    ],
)
def test_what_may_be(text: str, plain: str) -> None:
    assert usable(text) == plain


@pytest.mark.parametrize(
    "text",
    [
        "",
        "169.254.169.254",
        "::ffff:169.254.169.254",
        "100.100.100.200",
        "::ffff:100.100.100.200",
        "fd00:ec2::254",
        "FD00:0EC2:0:0::0254",
        "fd20:ce::254",
        "fe80::1",
        "fe80::1%eth0",
        "0.0.0.0",
        "::",
        "224.0.0.1",
        "255.255.255.255",
        "2130706433",
        "0x7f000001",
        "0x7f.0.0.1",
        "127.1",
        "127.0.0.1.",
        "evil.example/path",
        "user@evil.example",
        "evil.example:80",
        "evil example",
        "[/]markup",
        "-x.example",
        "a..b",
        "a" * 64 + ".example",
        "\x1b[31mx",
        "ex\u00e4mple.org",
        "*.example.org",
    ],
)
@pytest.mark.parametrize("loopback", [True, False])
def test_what_may_never_be(text: str, loopback: bool) -> None:
    assert usable(text, loopback=loopback) is None


@pytest.mark.parametrize(
    "text", ["127.0.0.1", "127.8.9.1", "::1", "localhost", "x.localhost", "::ffff:127.0.0.1"]
)
def test_this_machine_only_if_the_cluster_is_on_it(text: str) -> None:
    assert usable(text) is None
    assert usable(text, loopback=True) is not None


@given(st.text(max_size=40))
def test_what_comes_out_is_an_address_or_a_plain_name(text: str) -> None:
    found = usable(text)
    if found is None:
        return
    try:
        ipaddress.ip_address(found)
    except ValueError:
        assert found.isascii()
        assert set(found) <= set("abcdefghijklmnopqrstuvwxyz0123456789.-")


@pytest.mark.parametrize(
    ("name", "fits"),
    [("web", True), ("a.b-c", True), ("", False), ("../x", False), ("a..b", False), ("A", False)],
)
def test_names_of_objects(name: str, fits: bool) -> None:
    assert is_object_name(name) is fits


def test_hosts_in_urls() -> None:
    assert for_url("2001:db8::1") == "[2001:db8::1]"
    assert for_url("x.example") == "x.example"
