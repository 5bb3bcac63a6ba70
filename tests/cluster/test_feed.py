"""What the feed says of the cluster it leads to."""

from __future__ import annotations

import pytest

from tests.cluster.server import Server, eventually
from tui.cluster.access import ClusterConfig, Tls
from tui.cluster.feed import ClusterFeed
from tui.state.store import Store


@pytest.mark.parametrize(
    ("server", "tls", "insecure"),
    [
        ("https://cluster.invalid", Tls(), False),
        ("https://cluster.invalid", Tls(insecure=True), True),
        ("https://127.0.0.1:1", Tls(insecure=True), True),
        ("http://cluster.invalid", Tls(), True),
        ("http://127.0.0.1:1", Tls(), False),
    ],
)
def test_it_says_whether_the_server_is_verified(server: str, tls: Tls, insecure: bool) -> None:
    config = ClusterConfig(server, context="here", tls=tls)
    feed = ClusterFeed(Store(), lambda: config, namespace="default")
    assert not feed.place.insecure
    feed.start()
    try:
        eventually(lambda: feed.place.context == "here")
        assert feed.place.insecure is insecure
    finally:
        feed.stop()


def test_a_server_of_this_machine_is_watched_without_an_alarm() -> None:
    with Server() as server:
        feed = ClusterFeed(Store(), lambda: ClusterConfig(server.url, context="here"))
        feed.start()
        try:
            eventually(lambda: feed.transport is not None)
            assert not feed.place.insecure
        finally:
            feed.stop()
