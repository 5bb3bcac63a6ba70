"""Decisions, sizes, events and nodes; pods have a file of their own."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tests.analysis.story import Story, texts
from tests.samples import (
    MI,
    NAMES,
    NOW,
    Clock,
    conditions,
    cpu_metric,
    deployment,
    hpa,
    nodes,
    pod,
    usage,
)
from tui.analysis.focus import resolve
from tui.analysis.timeline import CAPACITY, Mood, Timeline, marks
from tui.state.links import Health
from tui.state.rows import Condition, Direction, EventRow, HpaRow, Kind, MetricRow
from tui.state.store import Store


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

    def test_a_crossing_we_saw_after_the_decision_is_still_its_cause(self) -> None:
        story = Story()
        story.sample(3, 4)
        story.tick(15)
        measured = story.stamp
        story.tick(9)
        story.decide(2, 4, 186)
        story.tick(4)
        late = [usage(name, 186, time=measured) for name in NAMES[:2]]
        story.store.sample_pods(late)
        story.tick()
        story.tick(2)
        story.decide(4, 8, 347)
        story.tick()
        assert story.told() == [
            "cpu 186 % over target 50 %",
            "2 ▶ 4  cpu 186 % over 50 % +9 s after cpu over target",
            "4 ▶ 8  cpu 347 % over 50 %",
        ]

    def test_an_event_that_comes_late_does_not_tell_it_again(self) -> None:
        story = Story()
        story.timeline._known.discard(Kind.EVENTS)
        story.store.link(Kind.EVENTS, Health.CONNECTING)
        story.decide(2, 4)
        story.tick(1)
        rescaled = EventRow(
            uid="e1",
            name="e1",
            reason="SuccessfulRescale",
            message="New size: 4; reason: cpu resource utilization above target",
            last_seen=story.stamp,
            about_kind="HorizontalPodAutoscaler",
            about_name="fastapi-hpa",
        )
        older = msgspec.structs.replace(
            rescaled, uid="e0", message="New size: 2; reason: below", last_seen=NOW - 900
        )
        story.put(Kind.EVENTS, rescaled, older)
        story.tick(1)
        assert story.told() == ["▶ 2  below", "2 ▶ 4  cpu 90 % over 50 %"]

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

    def test_a_decision_upwards_that_the_metric_does_not_ask_for(self) -> None:
        def limited(status: str, reason: str) -> Condition:
            return Condition("ScalingLimited", status, reason)

        story = Story()
        # As recorded when an HPA's max was raised right after a burst.
        conditions = (limited("True", "ScaleUpLimit"),)
        story.decide(2, 8, metrics=(cpu_metric(1),), conditions=conditions)
        story.tick(15)
        conditions = (limited("True", "TooFewReplicas"),)
        story.decide(8, 9, metrics=(cpu_metric(1),), conditions=conditions)
        story.tick(15)
        assert story.told() == [
            "2 ▶ 8  cpu 1 % under 50 %  its window holds more  rate limit up",
            "8 ▶ 9  cpu 1 % under 50 %  held at min",
        ]

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

    @pytest.mark.parametrize(
        ("name", "current", "target", "says"),
        [
            ("memory", 130 * MI * 1000, 60 * MI * 1000, "memory 130Mi over 60Mi"),
            ("cpu", 552, 500, "cpu 552m over 500m"),
        ],
    )
    def test_resources_have_their_unit(
        self, name: str, current: int, target: int, says: str
    ) -> None:
        story = Story()
        row = MetricRow(
            type="Resource", name=name, target_type="AverageValue", target=target, current=current
        )
        story.decide(2, 5, metrics=(row,))
        story.tick()
        assert story.told() == [f"2 ▶ 5  {says}"]

    def test_an_hpas_own_tolerance_counts(self) -> None:
        story = Story()
        story.put(Kind.HPAS, hpa(2, 2, 60, scale_up=Direction(tolerance=0.3)))
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

    def test_a_decision_starts_from_what_the_controller_found(self) -> None:
        story = Story()
        story.decide(2, 4)
        story.tick(15)
        story.put(Kind.DEPLOYMENTS, deployment(3, 4))  # by hand, a second before it looks
        story.tick(1)
        story.decide(3, 6)
        story.tick(15)
        assert story.told() == ["2 ▶ 4  cpu 90 % over 50 %", "3 ▶ 6  cpu 90 % over 50 %"]

    def test_a_size_wanted_before_is_no_decision_while_nothing_can_be_read(self) -> None:
        """A look without figures leaves desiredReplicas as it was, and sets nothing."""
        story = Story()
        story.decide(2, 5)
        story.tick(15)
        story.tell(5, 5)
        story.put(Kind.DEPLOYMENTS, deployment(2, 5))  # a manifest was applied again
        story.tick(5)
        failing = conditions(active="FailedGetResourceMetric", able="SucceededGetScale")
        story.tell(2, 5, None, conditions=failing)
        story.tick(15)
        assert story.told() == [
            "2 ▶ 5  cpu 90 % over 50 %",
            "fastapi-deploy set 5 → 2, not by the HPA",
            "fastapi-hpa: cannot read resource metrics",
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
        assert texts(timeline.entries) == ["…7pc95 created"]


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
            row = _event("Unhealthy", "503", uid=uid, about_uid=uid, last_seen=story.stamp)
            story.put(Kind.EVENTS, row)
        story.tick()
        row = _event("Unhealthy", "503", uid="one", about_uid="one", last_seen=NOW + 9, count=2)
        story.put(Kind.EVENTS, row)
        story.tick(9)
        assert story.told() == ["…66dvd Unhealthy: 503", "…66dvd Unhealthy (×2): 503"]

    def test_events_that_differ_only_in_the_pod_they_name_are_one_line(self) -> None:
        story = Story()
        text = 'Error creating: pods "web-76cb88bb6f-{}" is forbidden: exceeded quota: team'

        def refuse(uid: str, about: str = "web-76cb88bb6f", **more: Any) -> None:
            named = text.format(uid)
            story.clock.now += 1
            fields = {"last_seen": story.stamp, "about_kind": "ReplicaSet", **more}
            row = _event(
                "FailedCreate", named, uid=uid, about_name=about, about_uid=about, **fields
            )
            story.put(Kind.EVENTS, row)

        for uid in ("aaaaa", "bbbbb", "ccccc"):
            refuse(uid)
        story.tick()
        assert story.told() == ["web-76cb88bb6f FailedCreate (×3): exceeded quota: team"]
        assert story.entries[0].time == story.clock.now
        refuse("ddddd", count=4)
        refuse("eeeee", "api-59cd864")
        story.tick()
        assert story.told() == [
            "web-76cb88bb6f FailedCreate (×7): exceeded quota: team",
            "api-59cd864 FailedCreate: exceeded quota: team",
        ]
        story.store.drop(Kind.EVENTS, ["aaaaa", "bbbbb", "ccccc", "ddddd", "eeeee"])
        story.tick()
        refuse("fffff")
        story.tick()
        assert story.told()[0] == "web-76cb88bb6f FailedCreate (×7): exceeded quota: team"
        assert story.told()[2] == "web-76cb88bb6f FailedCreate: exceeded quota: team"

    def test_whichever_pod_lacks_a_request_the_line_is_one(self) -> None:
        story = Story()
        for uid in ("plr2-845ffcc4fb-9pbtl", "plr2-845ffcc4fb-x2vdk"):
            text = f"missing request for cpu in container app of Pod {uid}"
            row = _event("FailedGetResourceMetric", text, uid=uid, count=2, about_name="plr2")
            story.put(Kind.EVENTS, row)
            story.tick()
        assert story.told() == [f"plr2 FailedGetResourceMetric (×4): {text}"]

    def test_an_event_that_comes_to_say_another_thing_is_another_line(self) -> None:
        story = Story()
        story.put(Kind.EVENTS, _event("Failed", "no such image", last_seen=story.stamp, count=2))
        story.tick()
        story.put(Kind.EVENTS, _event("Failed", "no access", last_seen=story.stamp, count=3))
        story.tick()
        assert story.told() == [
            "…66dvd Failed (×2): no such image",
            "…66dvd Failed (×3): no access",
        ]

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
        assert texts(marks(story.entries, 0)) == ["2 ▶ 3  cpu 90 % over 50 %"]
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
        assert "1 ▶ 3  cpu 20 % under 50 %  its window holds more" in story.told()


def _scaled(row: HpaRow, desired: int, at: float) -> HpaRow:
    return msgspec.structs.replace(row, desired=desired, last_scale=at)
