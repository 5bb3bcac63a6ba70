from __future__ import annotations

import msgspec
import pytest

from tests.samples import NAMES, NOW, Clock, deployment, hpa, nodes, pod, replicaset, usage
from tui.analysis.focus import Target
from tui.analysis.scene import Director, Scene
from tui.state.links import Health, Link
from tui.state.place import Place
from tui.state.rows import Kind
from tui.state.store import Store

LIVE = Link(Health.LIVE, NOW)


class Play:
    """A director with a store and a clock in hand."""

    def __init__(self, target: Target | None = None, hpas: str = "") -> None:
        self.clock = Clock()
        self.store = Store(self.clock)
        for kind in Kind:
            self.store.link(kind, Health.LIVE)
        self.director = Director(self.store, Place("minikube"), target)
        self.add(*hpas)

    def add(self, *names: str) -> None:
        rows = [hpa(1, 1, 1, uid=n, name=n, target_name=f"web-{n}") for n in names]
        self.store.put(Kind.HPAS, rows)

    def next(self, seconds: float = 0.1) -> Scene:
        self.clock.now += seconds
        return self.director.next(LIVE)

    @property
    def shown(self) -> str | None:
        found = self.next().focus.hpa
        return found.name if found is not None else None


def test_a_scene_of_nothing() -> None:
    scene = Play().next()
    assert (scene.focus.hpa, scene.entries, scene.place.context) == (None, (), "minikube")
    assert scene.connection is LIVE
    assert Scene().delta.number == 0


def test_what_does_not_change_is_the_same_object() -> None:
    play = Play(hpas="a")
    play.store.put(Kind.DEPLOYMENTS, [deployment(1, 1)])
    first, second = play.next(), play.next(60)
    assert second.now > first.now
    assert second.focus is first.focus
    assert second.entries is first.entries
    assert second.trend is first.trend
    assert (second.focused, second.told, second.charted) == (
        first.focused,
        first.told,
        first.charted,
    )


def test_a_change_finds_the_focus_anew() -> None:
    play = Play()
    play.store.put(Kind.HPAS, [hpa(2, 2, 3)])
    play.store.put(Kind.DEPLOYMENTS, [deployment(2, 2)])
    before = play.next()
    play.store.put(Kind.PODS, [pod(NAMES[0], age=5)])
    after = play.next()
    assert after.focused > before.focused
    assert [p.name for p in after.focus.pods] == [NAMES[0]]
    # A pod without a sample has no curve: the chart need not be drawn for it.
    assert (after.trend, after.charted) == (before.trend, before.charted)


def test_a_sample_draws_the_chart_anew() -> None:
    play = Play()
    play.store.put(Kind.REPLICASETS, [replicaset(1)])
    play.store.put(Kind.DEPLOYMENTS, [deployment(2, 2)])
    play.store.put(Kind.HPAS, [hpa(2, 2, 3)])
    play.store.put(Kind.PODS, [pod(NAMES[0], age=5)])
    before = play.next()
    play.store.sample_pods([usage(NAMES[0], 70, time=play.clock.now)])
    after = play.next()
    assert after.focus is before.focus
    assert after.charted != before.charted
    assert after.trend.total.values == (70.0,)


def test_the_timeline_runs_along() -> None:
    play = Play(hpas="a")
    play.next()
    before = play.next()
    play.add("b")
    after = play.next()
    assert [e.text for e in after.entries] == ["HPA b created"]
    assert after.told > before.told


class TestChoosing:
    def test_in_a_circle(self) -> None:
        play = Play(hpas="abc")
        shown = [play.shown]
        for _ in range(3):
            play.director.step_hpa(1)
            shown.append(play.shown)
        assert shown == ["a", "b", "c", "a"]
        play.director.step_hpa(-1)
        assert play.shown == "c"

    def test_keys_faster_than_ticks(self) -> None:
        play = Play(hpas="abcd")
        play.next()
        for _ in range(2):
            play.director.step_hpa(1)
        assert play.shown == "c"

    def test_a_new_hpa_does_not_push_away_the_one_in_view(self) -> None:
        play = Play(hpas="m")
        assert play.shown == "m"
        play.add("a")
        assert play.shown == "m"
        assert play.next().focus.position == 2

    def test_when_the_one_in_view_is_deleted_the_first_takes_its_place(self) -> None:
        play = Play(hpas="abc")
        play.next()
        play.director.step_hpa(1)
        play.next()
        play.store.drop(Kind.HPAS, ["b"])
        assert play.shown == "a"
        play.director.step_hpa(1)
        assert play.shown == "c"

    def test_the_target_of_the_command_line_comes_first_and_may_come_late(self) -> None:
        play = Play(Target("Deployment", "web-z"), hpas="ab")
        assert play.shown is None
        play.add("z")
        assert play.shown == "z"

    @pytest.mark.parametrize(("by", "shown"), [(1, "a"), (-1, "b")])
    def test_from_a_target_without_an_hpa(self, by: int, shown: str) -> None:
        play = Play(Target("Deployment", "other"), hpas="ab")
        assert play.shown is None
        play.director.step_hpa(by)
        assert play.shown == shown

    def test_without_any_hpa_there_is_nothing_to_choose(self) -> None:
        play = Play()
        play.next()
        play.director.step_hpa(1)
        assert play.shown is None


def test_an_embedded_cluster_is_known_by_its_nodes() -> None:
    store = Store(Clock())
    director = Director(store, Place("embedded", "default"))
    assert not director.next(Link(Health.LIVE)).place.simulated
    node = msgspec.structs.replace(nodes()[0], provider="kscale://embedded/node")
    store.put(Kind.NODES, [node])
    assert director.next(Link(Health.LIVE)).place.simulated
    assert director.next(Link(Health.LIVE)).place == Place("embedded", "default", simulated=True)
