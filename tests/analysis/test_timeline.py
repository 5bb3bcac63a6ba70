"""Stories played through a real store with a clock that is moved by hand."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
import pytest

from tests.samples import (
    NAMES,
    NOW,
    Clock,
    conditions,
    cpu_metric,
    deployment,
    hpa,
    nodes,
    pod,
    replicaset,
    usage,
)
from tui.analysis.focus import resolve
from tui.analysis.timeline import CAPACITY, Entry, Mood, Timeline, marks, short_name
from tui.state.links import Health
from tui.state.rows import Direction, EventRow, HpaRow, Kind, PodRow, Row
from tui.state.store import Store


class Story:
    """Two pods, their Deployment and its HPA, listed and quiet."""

    def __init__(self, skew: float = 0.0) -> None:
        self.clock = Clock(NOW)
        self.skew = skew
        """Seconds the cluster's clock is ahead."""
        self.store = Store(self.clock)
        self.timeline = Timeline()
        self.tick()
        self.put(Kind.NODES, *nodes())
        self.put(Kind.REPLICASETS, replicaset(2))
        self.put(Kind.DEPLOYMENTS, deployment(2, 2))
        self.put(Kind.HPAS, hpa(2, 2, 3))
        self.put(Kind.PODS, *(pod(name, age=4000) for name in NAMES[:2]))
        for kind in Kind:
            self.store.link(kind, Health.LIVE)
        self.tick()
        self.tick(0.1)

    def put(self, kind: Kind, *rows: Row) -> None:
        self.store.put(kind, rows)

    def tick(self, seconds: float = 0.0) -> None:
        """Time passes, then the screen looks."""
        self.clock.now += seconds
        delta = self.store.drain()
        self.timeline.feed(delta, resolve(delta, None, None), self.clock.now)

    @property
    def stamp(self) -> float:
        """The cluster's time as it writes it: in whole seconds."""
        return float(int(self.clock.now + self.skew))

    def sample(self, *cpu: int) -> None:
        rows = [usage(n, c, time=self.stamp) for n, c in zip(NAMES, cpu, strict=False)]
        self.store.sample_pods(rows)

    def decide(self, current: int, desired: int, cpu: int = 90, **more: Any) -> None:
        """The HPA writes a size and tells it in its status."""
        self.put(Kind.DEPLOYMENTS, deployment(desired, current))
        self.tell(current, desired, cpu, last_scale=self.stamp, **more)

    def tell(self, current: int, desired: int | None, cpu: int | None = 90, **more: Any) -> None:
        """The HPA's status, and no more."""
        self.put(Kind.HPAS, hpa(current, desired, cpu, **more))

    def create(self, *numbers: int) -> None:
        self.put(Kind.PODS, *(self.made(n, "ContainerCreating") for n in numbers))

    def ready(self, *numbers: int) -> None:
        self.put(Kind.PODS, *(self.made(n, "Running") for n in numbers))

    def made(self, number: int, status: str, **more: Any) -> PodRow:
        fields = {"ready_since": self.stamp if status == "Running" else None, **more}
        return pod(NAMES[number], age=0, now=self.stamp, status=status, **fields)

    @property
    def entries(self) -> list[Entry]:
        return self.timeline.entries

    def told(self) -> list[str]:
        """The entries as lines, oldest first: what, and the lag in whole seconds."""
        return [_line(e) for e in reversed(self.entries)]


def _line(entry: Entry) -> str:
    lag = "" if entry.after is None else f" +{entry.after:.0f} s after {entry.cause}"
    return entry.text + lag


def _texts(entries: Iterable[Entry]) -> list[str]:
    return [e.text for e in entries]


class TestScaleUp:
    @pytest.mark.parametrize("skew", [0.0, 4.0, -4.0])
    def test_from_load_to_ready(self, skew: float) -> None:
        story = Story(skew)
        story.sample(20, 30)
        story.tick(15)
        assert story.told() == []
        story.sample(186, 187)
        story.tick(0.1)
        story.clock.now += 13
        story.decide(2, 4, 186, conditions=conditions("ScaleUpLimit"))
        story.tick()
        story.clock.now += 0.3
        story.create(2, 3)
        story.tick()
        story.clock.now += 2.2
        story.ready(2)
        story.tick(0.1)
        story.ready(3)
        story.tick(0.1)
        lines = story.told()
        assert lines[0] == "cpu 186 % over target 50 %"
        crossing = lines[1].removeprefix("2 ▶ 4  cpu 186 % over 50 %  rate limit up")
        assert lines[2:] == [
            "2 pods created +0 s after decision",
            "2 pods Ready +3 s after decision",
        ]
        # A sample's time is the cluster's; one from our future is taken as of now.
        expected = {0.0: "+13 s", 4.0: "+13 s", -4.0: "+17 s"}[skew]
        assert crossing == f" {expected} after cpu over target"
        assert [e.mood for e in reversed(story.entries)] == [
            Mood.BAD,
            Mood.DECIDED,
            Mood.QUIET,
            Mood.GOOD,
        ]
        times = [e.time for e in reversed(story.entries)]
        assert times == sorted(times)
        assert times[-1] <= story.clock.now

    def test_status_and_pods_in_one_tick(self) -> None:
        story = Story()
        story.clock.now += 15
        story.create(2, 3)
        story.decide(2, 4)
        story.tick(0.1)
        assert story.told()[1] == "2 pods created +0 s after decision"

    def test_pods_seen_before_the_decision_that_made_them(self) -> None:
        story = Story()
        story.decide(2, 4)
        story.create(2, 3)
        story.tick(1)
        story.clock.now += 13.5
        story.create(4, 5)
        story.tick(0.1)
        story.clock.now += 0.2
        story.decide(4, 6)
        story.tick(0.1)
        story.clock.now += 2
        story.ready(4, 5)
        story.tick()
        assert story.told() == [
            "2 ▶ 4  cpu 90 % over 50 %",
            "2 pods created +0 s after decision",
            "2 pods created +0 s after decision",
            "4 ▶ 6  cpu 90 % over 50 %",
            "2 pods Ready +2 s after decision",
        ]

    def test_a_pod_that_is_slow_to_start_owes_itself_to_its_own_decision(self) -> None:
        story = Story()
        story.decide(2, 4)
        story.tick()
        story.create(2, 3)
        story.tick(0.2)
        story.clock.now += 15
        story.decide(4, 6)
        story.tick()
        story.create(4, 5)
        story.tick(0.1)
        story.clock.now += 1
        story.ready(2)
        story.tick()
        story.clock.now += 5
        story.ready(4)
        story.tick()
        assert "…7pc95 Ready +16 s after decision" in story.told()
        assert "…blbq8 Ready +6 s after decision" in story.told()

    def test_a_pod_created_late_owes_itself_to_the_latest_decision(self) -> None:
        story = Story()
        story.decide(2, 4)
        story.tick()
        story.clock.now += 100
        story.create(2)
        story.tick()
        story.clock.now += 30
        story.create(3)
        story.tick()
        assert story.told()[1:] == ["…7pc95 created +100 s after decision", "…8snlf created"]

    def test_what_replaces_a_lost_pod_is_no_decisions_doing(self) -> None:
        story = Story()
        story.decide(2, 3)
        story.create(2)
        story.tick()
        story.clock.now += 20
        story.create(3)
        story.tick()
        assert story.told()[-1] == "…8snlf created"

    def test_becoming_ready_again_is_not_measured_from_the_decision(self) -> None:
        story = Story()
        story.decide(2, 3)
        story.create(2)
        story.tick()
        story.ready(2)
        story.tick(2)
        story.put(Kind.PODS, story.made(2, "Running", ready=False))
        story.tick(20)
        story.ready(2)
        story.tick(20)
        assert story.told()[-2:] == ["…7pc95 no longer Ready", "…7pc95 Ready"]
        assert story.entries[1].mood is Mood.BAD

    def test_down_again(self) -> None:
        story = Story()
        story.sample(186, 187)
        story.tick()
        story.decide(2, 4)
        story.tick()
        story.clock.now += 15
        story.sample(10, 10)
        story.tick()
        story.clock.now += 300
        story.decide(4, 2, 10)
        story.tick()
        leaving = [story.made(n, "Running", deleting=story.stamp) for n in (0, 1)]
        story.put(Kind.PODS, *leaving)
        story.tick(0.5)
        story.store.drop(Kind.PODS, [p.uid for p in leaving])
        story.tick(30)
        assert story.told()[2:] == [
            "cpu 10 % no longer over target 50 %",
            "4 ▶ 2  cpu 10 % under 50 %",
            "2 pods terminating +0 s after decision",
        ]

    def test_pods_killed_at_once_are_told_too(self) -> None:
        story = Story()
        story.store.drop(Kind.PODS, [f"uid-{NAMES[0]}"])
        story.tick(1)
        assert story.told() == ["…66dvd deleted"]


class TestNewsAfterALostConnection:
    def test_it_happened_when_the_cluster_says(self) -> None:
        story = Story()
        story.clock.now += 60
        then = story.clock.now - 40
        story.tell(2, 4, last_scale=then)
        story.put(Kind.DEPLOYMENTS, deployment(4, 4))
        story.put(Kind.PODS, pod(NAMES[2], age=38, now=story.clock.now, ready_since=then + 5))
        story.tick()
        decision, created, ready = reversed(story.entries)
        assert decision.time == then
        assert (created.time, created.after) == (then + 2, 2)
        assert (ready.time, ready.after) == (then + 5, 5)

    def test_sizes_are_not_judged_while_the_hpa_is_not_heard(self) -> None:
        story = Story()
        story.store.link(Kind.HPAS, Health.RETRYING)
        story.put(Kind.DEPLOYMENTS, deployment(4, 4))
        story.tick(0.1)
        story.tick(20)
        assert story.told() == []
        story.tell(4, 4, last_scale=story.clock.now - 20)
        story.store.link(Kind.HPAS, Health.LIVE)
        story.tick(0.1)
        assert story.told() == ["2 ▶ 4  cpu 90 % over 50 %"]


class TestDecisions:
    def test_told_once_however_often_the_status_is_written(self) -> None:
        story = Story()
        story.decide(2, 4)
        scaled = story.stamp
        story.tick()
        for current, cpu in ((2, 95), (3, 110), (4, 60), (4, 48)):
            story.tell(current, 4, cpu, last_scale=scaled)
            story.tick(15)
        assert [e.text for e in story.entries if e.mood is Mood.DECIDED] == [
            "2 ▶ 4  cpu 90 % over 50 %"
        ]

    def test_losing_the_metrics_for_a_while_is_no_decision(self) -> None:
        story = Story()
        for desired in (0, None, 2):
            story.tell(2, desired, None)
            story.tick(15)
        assert story.told() == []
        story.tell(2, 0, None)
        story.tick(15)
        story.decide(2, 6)
        story.tick(15)
        assert story.told() == ["2 ▶ 6  cpu 90 % over 50 %"]

    def test_the_first_decision_of_a_new_hpa(self) -> None:
        story = Story()
        new = hpa(None, None, None, uid="new", name="new-hpa", target_name="other")
        story.put(Kind.HPAS, new)
        story.tick(1)
        row = hpa(1, 2, None, uid="new", name="new-hpa", target_name="other", last_scale=NOW + 1)
        story.put(Kind.HPAS, row)
        story.tick(1)
        assert story.told() == ["HPA new-hpa created", "1 ▶ 2"]

    def test_figures_of_other_metrics(self) -> None:
        story = Story()
        rate = msgspec.structs.replace(
            cpu_metric(None),
            type="Pods",
            name="http_requests",
            target_type="AverageValue",
            target=10_000,
            current=25_500,
        )
        story.decide(2, 5, metrics=(cpu_metric(60), rate))
        story.tick()
        assert story.told() == ["2 ▶ 5  http_requests per pod 25.5 over 10"]

    def test_an_hpas_own_tolerance_counts(self) -> None:
        story = Story()
        story.put(Kind.HPAS, hpa(2, 2, 60, scale_up=Direction(tolerance=300)))
        story.sample(62, 62)
        story.tick(1)
        assert story.told() == []
        story.put(Kind.HPAS, hpa(2, 2, 60, scale_up=Direction(tolerance=0)))
        story.tick(1)
        story.sample(51, 51)
        story.tick(15)
        assert story.told() == ["cpu 51 % over target 50 %"]

    def test_at_the_tolerance_is_not_over(self) -> None:
        story = Story()
        story.sample(55, 55)
        story.tick(1)
        assert story.told() == []
        story.clock.now += 15
        story.sample(56, 56)
        story.tick(1)
        assert story.told() == ["cpu 56 % over target 50 %"]

    def test_a_pod_without_a_request_leaves_nothing_to_compare(self) -> None:
        story = Story()
        bare = pod("bare", age=100, containers=())
        story.put(Kind.PODS, bare)
        rows = [usage(n, 400, time=story.stamp) for n in (*NAMES[:2], "bare")]
        story.store.sample_pods(rows)
        story.tick(1)
        assert [e.text for e in story.entries if e.text.startswith("cpu")] == []

    def test_limits_and_conditions(self) -> None:
        story = Story()
        story.tell(2, 2, 3, max=6)
        story.tick(1)
        failing = conditions(
            active="FailedGetResourceMetric",
            message="the HPA was unable to compute the replica count: missing request for cpu",
        )
        story.tell(2, 0, None, max=6, conditions=failing)
        story.tick(1)
        story.tell(2, 2, 3, max=6)
        story.tick(1)
        assert story.told() == [
            "HPA fastapi-hpa: min 2, max 6",
            "fastapi-hpa: missing request for cpu",
            "fastapi-hpa: metrics read",
        ]
        assert [e.mood for e in story.entries] == [Mood.GOOD, Mood.BAD, Mood.QUIET]

    def test_hpas_come_and_go(self) -> None:
        story = Story()
        story.put(Kind.HPAS, hpa(1, 1, 3, uid="other", name="other"))
        story.tick(1)
        story.store.drop(Kind.HPAS, ["other"])
        story.tick(1)
        assert story.told() == ["HPA other created", "HPA other deleted"]


class TestSizesThatNoHpaChose:
    def test_set_by_hand(self) -> None:
        story = Story()
        story.put(Kind.DEPLOYMENTS, deployment(5, 2))
        story.tick(0.1)
        assert story.told() == []
        story.tick(3.5)
        assert story.told() == ["fastapi-deploy set 2 → 5, not by the HPA"]
        story.tick(30)
        assert len(story.told()) == 1

    def test_an_hpa_that_finds_it_right_has_not_decided_it(self) -> None:
        story = Story()
        story.put(Kind.DEPLOYMENTS, deployment(5, 2))
        story.tick(4)
        story.tell(5, 5, 50)
        story.tick(11)
        story.decide(5, 8, 80)
        story.tick(15)
        assert story.told() == [
            "fastapi-deploy set 2 → 5, not by the HPA",
            "5 ▶ 8  cpu 80 % over 50 %",
        ]

    def test_an_hpa_that_puts_it_back(self) -> None:
        story = Story()
        story.decide(2, 4)
        story.tick(1)
        story.put(Kind.DEPLOYMENTS, deployment(1, 4))
        story.tick(20)
        story.decide(1, 4)
        story.tick(10)
        assert story.told()[1:] == [
            "fastapi-deploy set 4 → 1, not by the HPA",
            "1 ▶ 4  cpu 90 % over 50 %",
        ]

    def test_the_hpas_own_size_is_not_told_twice(self) -> None:
        story = Story()
        story.put(Kind.DEPLOYMENTS, deployment(4, 2))
        story.tick(0.1)
        story.tell(2, 4, last_scale=story.stamp)
        story.tick(0.5)
        story.tick(10)
        assert story.told() == ["2 ▶ 4  cpu 90 % over 50 %"]

    def test_without_an_hpa(self) -> None:
        story = Story()
        other = msgspec.structs.replace(deployment(1, 1), uid="other", name="other")
        story.put(Kind.DEPLOYMENTS, other)
        story.tick(1)
        story.put(Kind.DEPLOYMENTS, msgspec.structs.replace(other, replicas=3))
        story.tick(1)
        story.store.drop(Kind.DEPLOYMENTS, ["other"])
        story.tick(1)
        assert story.told() == [
            "Deployment other created",
            "other set 1 → 3",
            "Deployment other deleted",
        ]

    def test_a_rollout(self) -> None:
        story = Story()
        story.put(Kind.DEPLOYMENTS, deployment(2, 2, revision="2"))
        story.tick(1)
        assert story.told() == ["rollout of fastapi-deploy, revision 2"]
        assert story.entries[0].mark


class TestPods:
    def test_like_things_of_one_moment_share_a_line(self) -> None:
        story = Story()
        for number in range(2, 6):
            story.create(number)
            story.tick(0.4)
        assert story.told() == ["4 pods created"]
        assert story.entries[0].time == pytest.approx(NOW + 0.1 + 3 * 0.4)

    def test_a_trickle_is_not_one_moment(self) -> None:
        story = Story()
        for number in range(2, 8):
            story.create(number)
            story.tick(1.5)
        assert story.told() == ["2 pods created"] * 3

    def test_pods_of_another_owner_are_told_apart(self) -> None:
        story = Story()
        story.create(2)
        story.put(Kind.PODS, pod("bare", age=0, now=story.stamp, owner=None, status="Pending"))
        story.tick(0.1)
        assert sorted(story.told()) == ["bare created", "…7pc95 created"]

    @pytest.mark.parametrize(
        ("status", "message", "line"),
        [
            ("CrashLoopBackOff", "back-off 10s", "…66dvd CrashLoopBackOff: back-off 10s"),
            ("OOMKilled", "", "…66dvd OOMKilled"),
            ("ImagePullBackOff", "no such image", "…66dvd ImagePullBackOff: no such image"),
            ("Init:Error", "", "…66dvd Init:Error"),
            ("Evicted", "low on memory", "…66dvd Evicted: low on memory"),
        ],
    )
    def test_trouble(self, status: str, message: str, line: str) -> None:
        story = Story()
        row = pod(NAMES[0], age=4000, status=status, message=message, ready=True)
        story.put(Kind.PODS, row)
        story.tick(1)
        story.put(Kind.PODS, msgspec.structs.replace(row, restarts=1))
        story.tick(1)
        assert story.told() == [line, "…66dvd restarted, 1 so far"]
        assert {e.mood for e in story.entries} == {Mood.BAD}

    def test_what_a_leaving_pod_says_is_no_trouble(self) -> None:
        story = Story()
        row = pod(NAMES[0], age=4000, status="Error", ready=False, deleting=story.stamp)
        story.put(Kind.PODS, row)
        story.tick(1)
        assert story.told() == ["…66dvd terminating"]

    def test_names_that_are_not_generated_stay_whole(self) -> None:
        assert short_name("fastapi-deploy-66b8c95455-thvgk") == "…thvgk"
        assert short_name("db-0") == "db-0"
        assert short_name("결제-서비스") == "결제-서비스"


class TestFirstLists:
    @pytest.mark.parametrize("wait", [0.5, 60.0])
    def test_what_was_there_is_no_news_however_late_it_comes(self, wait: float) -> None:
        clock = Clock(NOW)
        store, timeline = Store(clock), Timeline()

        def tick(seconds: float) -> None:
            clock.now += seconds
            delta = store.drain()
            timeline.feed(delta, resolve(delta, None, None), clock.now)

        for kind in Kind:
            store.link(kind, Health.CONNECTING)
        tick(wait)
        store.put(Kind.PODS, [pod(NAMES[0], age=4000)])
        tick(wait)
        store.put(Kind.PODS, [pod(NAMES[1], age=4000)])
        store.put(Kind.NODES, nodes())
        store.put(Kind.HPAS, [hpa(2, 2, 3)])
        store.put(Kind.DEPLOYMENTS, [deployment(2, 2)])
        for kind in Kind:
            store.link(kind, Health.LIVE)
        tick(0.1)
        assert timeline.entries == []
        store.put(Kind.PODS, [pod(NAMES[2], age=0, now=clock.now, status="Pending")])
        tick(0.1)
        assert _texts(timeline.entries) == ["…7pc95 created"]


def _event(reason: str, message: str, **more: Any) -> EventRow:
    fields = {"uid": "ev", "name": "ev", "namespace": "default", "type": "Warning",
              "reason": reason, "message": message, "about_kind": "Pod",
              "about_name": NAMES[0], **more}  # fmt: skip
    return EventRow(**fields)


class TestEvents:
    def test_a_warning_that_repeats_is_one_line(self) -> None:
        story = Story()
        for count in (1, 2, 2, 7):
            story.clock.now += 5
            row = _event("FailedScheduling", "no room", count=count, last_seen=story.stamp)
            story.put(Kind.EVENTS, row)
            story.tick()
        assert story.told() == ["…66dvd FailedScheduling (×7): no room"]
        assert story.entries[0].time == story.clock.now
        assert story.entries[0].about == NAMES[0]

    def test_the_same_warning_of_another_object_is_another(self) -> None:
        story = Story()
        for uid in ("one", "two"):
            story.put(Kind.EVENTS, _event("Unhealthy", "503", uid=uid, last_seen=story.stamp))
        story.tick()
        story.put(Kind.EVENTS, _event("Unhealthy", "503", uid="one", last_seen=NOW + 9, count=2))
        story.tick(9)
        assert story.told() == ["…66dvd Unhealthy: 503", "…66dvd Unhealthy (×2): 503"]

    def test_events_of_normal_things_are_not_told(self) -> None:
        story = Story()
        story.put(Kind.EVENTS, _event("Pulled", "image", type="Normal", last_seen=story.stamp))
        story.tick()
        story.store.drop(Kind.EVENTS, ["ev"])
        story.tick()
        assert story.told() == []

    def test_history_before_the_start(self) -> None:
        clock = Clock(NOW)
        store, timeline = Store(clock), Timeline()
        rescale = "New size: {}; reason: cpu resource utilization (percentage of request) {} target"
        past = [
            _event("SuccessfulRescale", rescale.format(size, side), uid=f"e{ago}", type="Normal",
                   last_seen=NOW - ago, about_kind="HorizontalPodAutoscaler", about_name="web")
            for size, side, ago in ((4, "above", 400), (2, "below", 90))
        ]  # fmt: skip
        store.put(Kind.EVENTS, [*past, _event("BackOff", "restarting", last_seen=NOW - 200)])
        store.link(Kind.EVENTS, Health.LIVE)
        delta = store.drain()
        timeline.feed(delta, resolve(delta, None, None), NOW)
        assert [(e.time - NOW, e.text) for e in reversed(timeline.entries)] == [
            (-400, "▶ 4  cpu resource utilization (percentage of request) above target"),
            (-200, "…66dvd BackOff: restarting"),
            (-90, "▶ 2  cpu resource utilization (percentage of request) below target"),
        ]

    def test_a_rescale_seen_live_is_told_by_the_hpa_alone(self) -> None:
        story = Story()
        story.decide(2, 4)
        text = "New size: 4; reason: cpu above target"
        story.put(
            Kind.EVENTS,
            _event("SuccessfulRescale", text, type="Normal", last_seen=story.stamp),
        )
        story.tick()
        assert story.told() == ["2 ▶ 4  cpu 90 % over 50 %"]


class TestNodes:
    def test_joining_failing_and_leaving(self) -> None:
        story = Story()
        row = msgspec.structs.replace(nodes()[1], uid="n3", name="third", ready="False")
        for ready in ("False", "True", "Unknown"):
            story.put(Kind.NODES, msgspec.structs.replace(row, ready=ready))
            story.tick(1)
        story.store.retain(Kind.NODES, [n.uid for n in nodes()])
        story.tick(1)
        assert [(e.text, e.mood) for e in reversed(story.entries)] == [
            ("node third joined", Mood.QUIET),
            ("node third Ready", Mood.GOOD),
            ("node third not Ready", Mood.BAD),
            ("node third left", Mood.BAD),
        ]


class TestBounds:
    def test_the_oldest_entries_go(self) -> None:
        story = Story()
        for number in range(CAPACITY + 50):
            row = _event("Unhealthy", f"probe {number}", uid=f"e{number}", last_seen=story.stamp)
            story.put(Kind.EVENTS, row)
        story.tick()
        assert len(story.entries) == CAPACITY
        assert story.entries[0].text.endswith(f"probe {CAPACITY + 49}")

    def test_the_generation_grows_with_what_is_to_be_read(self) -> None:
        story = Story()
        before = story.timeline.generation
        story.tick(10)
        assert story.timeline.generation == before
        story.create(2)
        story.tick()
        assert story.timeline.generation > before

    def test_marks_are_what_a_chart_shows(self) -> None:
        story = Story()
        story.create(2)
        story.tick()
        story.decide(2, 3)
        story.tick(5)
        assert _texts(marks(story.entries, 0)) == ["2 ▶ 3  cpu 90 % over 50 %"]
        assert marks(story.entries, story.clock.now + 1) == []

    def test_several_hpas(self) -> None:
        story = Story()
        other = hpa(1, 1, 20, uid="other", name="a-first", target_name="other")
        story.put(Kind.HPAS, other)
        story.tick()
        story.put(Kind.HPAS, _scaled(other, 3, story.stamp))
        story.create(2)
        story.tick(1)
        assert story.told()[-1] == "…7pc95 created"
        assert "1 ▶ 3  cpu 20 % under 50 %" in story.told()


def _scaled(row: HpaRow, desired: int, at: float) -> HpaRow:
    return msgspec.structs.replace(row, desired=desired, last_scale=at)
