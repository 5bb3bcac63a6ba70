"""What becomes of pods, and which decision it is owed to."""

from __future__ import annotations

import msgspec
import pytest

from tests.analysis.story import Story
from tests.samples import NAMES, NOW, conditions, deployment, pod
from tui.analysis.timeline import Mood, short_name
from tui.state.links import Health
from tui.state.rows import Kind


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
