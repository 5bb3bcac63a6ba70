"""Single misfortunes: what the screen is told meanwhile, and that it ends well."""

from __future__ import annotations

import time
from pathlib import Path
from random import Random

import pytest

from tests.faults.schedule import change, empty
from tests.faults.world import KINDS, ODDITIES, QUICK, STORAGE, Waits, World, eventually
from tests.thorough import SOAK
from tui.demo.synthetic import objects
from tui.state.links import Health, Link, Source
from tui.state.rows import Kind


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> Waits:
    made = Waits()
    made.install(monkeypatch)
    return made


def retrying(world: World) -> list[Link]:
    """What was told of pods while they could not be watched."""
    return [link for link in list(world.links[Kind.PODS]) if link.health is Health.RETRYING]


@pytest.mark.parametrize(
    ("minutes", "compact"),
    [(0.1, False), (10, True), *([(0.1, True), (10, False)] if SOAK else [])],
)
def test_a_server_that_was_away(
    minutes: float, compact: bool, waits: Waits, tmp_path: Path
) -> None:
    down = minutes * 60 * QUICK
    with World(7, tmp_path) as world:
        assert eventually(world.settled), world.difference()
        waits.asked.clear()
        world.fault(f"restart:down={down:.2f},compact={str(compact).lower()}")
        assert eventually(lambda: bool(retrying(world)))
        lost = retrying(world)[-1]
        for _ in range(20):
            world.do(lambda: change(world, world.random))
        assert world.shown(Kind.PODS)  # stale, and marked so, but there
        assert eventually(world.settled), world.difference()
        assert lost.detail
        if minutes > 1:
            # The whole outage is one state, told since when; each try tells when the next is.
            during = [link for link in retrying(world) if link.since == lost.since]
            assert len(during) >= 3
            assert all(link.retry_at is not None for link in during)
        for kind in KINDS:
            asked = waits.asked.get(f"informer {kind.value}", [])
            assert len(asked) <= 2 * sum(asked) + 5
            assert max(asked, default=0.0) <= 30.0


def test_a_right_that_is_taken_takes_the_rows_and_comes_back_with_them(
    waits: Waits, tmp_path: Path
) -> None:
    with World(3, tmp_path) as world:
        assert eventually(world.settled), world.difference()
        world.fault("forbid:resource=pods")
        world.fault("drop-watches:resource=pods")
        assert eventually(lambda: world.store.links[Kind.PODS].health is Health.FORBIDDEN)
        assert eventually(lambda: not world.shown(Kind.PODS))
        assert "You may not list pods" in world.store.links[Kind.PODS].detail
        assert world.shown(Kind.NODES) == world.truth(Kind.NODES)
        world.clear()
        assert eventually(world.settled), world.difference()


def test_metrics_that_come_and_go(waits: Waits, tmp_path: Path) -> None:
    def health(source: Source) -> Health:
        return world.store.links[source].health

    with World(4, tmp_path) as world:
        assert eventually(lambda: health(Source.POD_METRICS) is Health.LIVE)
        assert eventually(lambda: len(world.store.drain().pod_usage) == 40)
        for _ in range(2):
            # The path of metrics ends in "pods" too: they go together.
            world.fault("error:status=503,resource=pods,verb=list")
            assert eventually(lambda: health(Source.POD_METRICS) is Health.UNAVAILABLE)
            assert "metrics-server does not answer" in world.store.links[Source.POD_METRICS].detail
            assert world.store.drain().pod_usage  # of before, and as old as they say
            world.clear()
            assert eventually(lambda: health(Source.POD_METRICS) is Health.LIVE)
        assert eventually(world.settled), world.difference()


def test_a_clock_that_is_ten_minutes_off(waits: Waits, tmp_path: Path) -> None:
    with World(5, tmp_path) as world:
        assert eventually(world.settled), world.difference()
        world.fault("skew:skew=600")
        world.fault("drop-watches")
        world.do(lambda: change(world, world.random))
        assert eventually(world.settled), world.difference()
        assert eventually(lambda: 590 < world.session.skew < 610)


def test_a_token_that_expires_while_watching_is_said_and_healed(
    waits: Waits, tmp_path: Path
) -> None:
    with World(6, tmp_path) as world:
        assert eventually(world.settled), world.difference()
        world.fault("expired-token")
        world.fault("drop-watches")
        assert eventually(
            lambda: "did not accept the credentials" in world.store.links[Kind.PODS].detail
        )
        assert world.shown(Kind.PODS) == world.truth(Kind.PODS)
        world.clear()
        assert eventually(world.settled), world.difference()


def test_every_watch_cut_again_and_again(waits: Waits, tmp_path: Path) -> None:
    with World(8, tmp_path) as world:
        assert eventually(world.settled), world.difference()
        for _ in range(15):
            world.fault("drop-watches")
            world.do(lambda: change(world, world.random))
            time.sleep(0.01)
        assert eventually(world.settled), world.difference()


def test_a_machine_that_slept_makes_its_connections_anew(waits: Waits, tmp_path: Path) -> None:
    with World(9, tmp_path) as world:
        assert eventually(world.settled), world.difference()
        world.fault("stall:verb=watch")  # half-open: the server is gone and nobody says so
        world.suspend(3600)
        world.do(lambda: change(world, world.random))
        world.clear()
        assert eventually(world.settled), world.difference()


def test_every_oddity_of_a_stream(waits: Waits, tmp_path: Path) -> None:
    with World(10, tmp_path) as world:
        assert eventually(world.settled), world.difference()
        world.mangler.next.extend([*ODDITIES, *reversed(ODDITIES)])
        while world.mangler.next:
            left = len(world.mangler.next)
            world.do(lambda: change(world, world.random))
            eventually(lambda: len(world.mangler.next) < left, 0.1)  # noqa: B023 (at once)
        assert world.mangler.failures.total() == 2
        assert eventually(world.settled), world.difference()


def test_a_list_that_is_null_is_empty(waits: Waits, tmp_path: Path) -> None:
    with World(11, tmp_path) as world:
        assert eventually(world.settled), world.difference()
        assert world.shown(Kind.HPAS)
        world.do(lambda: empty(world))
        world.fault("gone:verb=watch,resource=horizontalpodautoscalers,times=1")
        world.fault("drop-watches")
        assert eventually(world.settled), world.difference()
        assert world.shown(Kind.HPAS) == {}


def test_an_object_made_anew_in_the_same_millisecond(waits: Waits, tmp_path: Path) -> None:
    with World(12, tmp_path) as world:
        assert eventually(world.settled), world.difference()

        uids = Random("another stream than the cluster's")

        def again() -> set[str]:
            """Every pod goes and comes back under its name, in one turn of the server's loop."""
            store, pods = world.cluster.store, STORAGE[Kind.PODS]
            for entry in world.entries(Kind.PODS):
                data = entry.copy()
                store.remove(pods, *entry.key)
                data["metadata"]["uid"] = objects.uid(uids)
                data["metadata"].pop("resourceVersion")
                store.put(pods, data)
            return {entry.uid for entry in world.entries(Kind.PODS)}

        for _ in range(3):
            made = world.do(again)
        assert eventually(world.settled), world.difference()
        assert set(world.shown(Kind.PODS)) == made
