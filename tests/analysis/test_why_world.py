"""What a look would read, where it is out of the ordinary."""

from __future__ import annotations

import gc
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
    pod,
    replicaset,
    usage,
)
from tui.analysis.focus import resolve
from tui.analysis.why import Explainer, Explanation
from tui.analysis.why_memory import release
from tui.analysis.why_needs import needs_of
from tui.analysis.why_sentence import sentences
from tui.analysis.why_steps import steps
from tui.analysis.why_world import World
from tui.state.links import Health, Source
from tui.state.readings import PodReading, Reading
from tui.state.rows import Condition, HpaRow, Kind, MetricRow, Requirement, WorkloadRow
from tui.state.store import Store


class Lab:
    """Two pods at 120 % each, their Deployment, and an HPA."""

    def __init__(self, workload: WorkloadRow | None = None, **row: Any) -> None:
        self.clock = Clock()
        self.store = Store(self.clock)
        self.explainer = Explainer()
        self.store.put(Kind.REPLICASETS, [replicaset(2)])
        self.store.put(Kind.DEPLOYMENTS, [workload or deployment(2, 2)])
        size = row.pop("current", 2)
        self.store.put(Kind.HPAS, [hpa(size, size, 120, **row)])
        self.store.put(Kind.PODS, [pod(name, age=4000) for name in NAMES[:2]])
        for source in (*Kind, *Source):
            self.store.link(source, Health.LIVE)
        self.store.sample_pods([usage(name, 120, time=NOW - 5) for name in NAMES[:2]])

    def explain(self) -> Explanation:
        delta = self.store.drain()
        focus = resolve(delta, "uid-hpa", None)
        self.store.needs = needs_of(focus)
        return self.explainer.feed(delta, focus, self.clock())


def said(why: Explanation) -> str:
    assert why.outlook is not None, why.trouble
    return "".join(p.text for p in sentences(why.outlook, NOW, None)[0])


def custom(**more: Any) -> MetricRow:
    fields: dict[str, Any] = {
        "type": "Pods",
        "name": "requests",
        "target_type": "AverageValue",
        "target": 10_000,
    }
    return MetricRow(**{**fields, **more})


def test_the_highest_of_several_metrics_wins_and_is_named() -> None:
    lab = Lab(metrics=(cpu_metric(120), custom(current=45_000)))
    lab.store.sample_custom(
        "uid-hpa", {1: Reading(pods=tuple(PodReading(n, 45_000, NOW - 5) for n in NAMES[:2]))}
    )
    why = lab.explain()
    assert said(why).startswith("requests per pod: 2 pods × 45/10 → 9 · rate limit: 4 this step")
    assert why.outlook is not None
    several = next(s for s in steps(why.outlook, NOW) if s.key == "metrics")
    assert [p.text for note in several.notes for p in note] == ["cpu → 5", "requests per pod → 9"]


def test_custom_metrics_are_waited_for_and_asked_for_only_in_view() -> None:
    lab = Lab(metrics=(custom(current=9000),))
    assert lab.explain().trouble == "reading custom metrics…"
    assert lab.store.needs is not None
    assert (lab.store.needs.hpa, list(lab.store.needs.metrics)) == ("uid-hpa", [0])
    assert Lab().explain().trouble == ""


def test_what_only_we_may_not_read_is_not_called_the_controllers_fault() -> None:
    lab = Lab(metrics=(custom(current=9000),))
    lab.store.sample_custom("uid-hpa", {0: Reading(unread="you may not read them")})
    assert lab.explain().trouble == "you may not read them"


def test_what_the_controller_cannot_read_either_is_its_fault() -> None:
    lab = Lab(metrics=(custom(),))
    lab.store.sample_custom("uid-hpa", {0: Reading(problem="no API custom.metrics.k8s.io")})
    assert said(lab.explain()).startswith("no figure: unable to get metric requests")


def test_object_and_external_values() -> None:
    queue = MetricRow(type="External", name="queue", target_type="AverageValue", target=5000)
    lab = Lab(metrics=(queue,))
    lab.store.sample_custom("uid-hpa", {0: Reading(levels=(12_000, 6000))})
    assert said(lab.explain()).startswith("3.6 → 4 · inside rate limit (max 4 this step)")


def test_two_hpas_on_one_pod_are_ambiguous() -> None:
    lab = Lab()
    lab.store.put(Kind.HPAS, [hpa(2, 2, 120, uid="uid-2", name="second")])
    why = lab.explain()
    assert "controlled by multiple HPAs: [default/fastapi-hpa default/second]" in said(why)


def test_who_selects_the_pods_is_found_anew_whenever_that_changes() -> None:
    lab = Lab()

    def ambiguous() -> bool:
        return "controlled by multiple HPAs" in said(lab.explain())

    second = hpa(2, 2, 120, uid="uid-2", name="second")
    other = msgspec.structs.replace(deployment(2, 2), uid="uid-other", name="other")
    elsewhere = msgspec.structs.replace(other, selector=(Requirement("app", "In", ("x",)),))
    assert not ambiguous()
    for rows, is_so in (
        ((Kind.HPAS, second), True),
        ((Kind.PODS, pod(NAMES[1], age=4000, ip="10.0.0.9")), True),
        ((Kind.HPAS, msgspec.structs.replace(second, target_name="other")), False),
        ((Kind.DEPLOYMENTS, other), True),
        ((Kind.DEPLOYMENTS, msgspec.structs.replace(other, ready=1)), True),
        ((Kind.DEPLOYMENTS, elsewhere), False),
    ):
        lab.store.put(rows[0], [rows[1]])
        assert ambiguous() is is_so, rows
    lab.store.put(Kind.DEPLOYMENTS, [other])
    assert ambiguous()
    lab.store.drop(Kind.HPAS, ["uid-2"])
    assert not ambiguous()


def test_a_large_target_that_cannot_be_reckoned_does_not_hold_up_the_others() -> None:
    lab = Lab()
    large = hpa(900, 900, 120, uid="uid-large", name="large", target_kind="Rollout")
    lab.store.put(Kind.HPAS, [large])

    def look() -> None:
        delta = lab.store.drain()
        lab.explainer.feed(delta, resolve(delta, "uid-large", None), lab.clock())

    look()
    lab.clock.now += 15
    lab.store.put(Kind.HPAS, [hpa(2, 4, 120)])
    look()
    assert lab.explainer.looks("uid-hpa").looks == 1


def test_a_missing_request_names_the_container() -> None:
    lab = Lab()
    bare = pod(NAMES[1], age=4000)
    without = type(bare.containers[0])("sidecar")
    lab.store.put(Kind.PODS, [pod(NAMES[1], age=4000, containers=(*bare.containers, without))])
    assert f"missing request for cpu in container sidecar of Pod {NAMES[1]}" in said(lab.explain())


UNMATCHED = Condition(
    "AbleToScale",
    "False",
    "FailedGetScale",
    "the HPA controller was unable to get the target's current scale: "
    'no matches for kind "Deployment" in group "extensions"',
)


@pytest.mark.parametrize(
    ("row", "workload", "says"),
    [
        ({"target_kind": "Rollout"}, None, "a Rollout is not read here"),
        (
            {"target_kind": "Deployment.extensions", "conditions": (UNMATCHED,)},
            None,
            'no matches for kind "Deployment" in group "extensions"',
        ),
        ({"target_name": "gone"}, None, 'no figure: deployments.apps "gone" not found'),
        ({}, deployment(0, 0), "off: the target has 0 replicas"),
        ({"max": 1, "min": 1}, None, "2 is over max 1 → 1"),
        ({"min": 5}, None, "2 is under min 5 → 5"),
    ],
)
def test_targets_out_of_the_ordinary(
    row: dict[str, Any], workload: WorkloadRow | None, says: str
) -> None:
    why = Lab(workload, **row).explain()
    assert (why.trouble or said(why)).startswith(says)


def test_metrics_that_are_absent_have_no_figure() -> None:
    lab = Lab()
    lab.store.sample_pods([])
    lab.store.link(Source.POD_METRICS, Health.ABSENT, "The metrics API is not installed.")
    assert "The metrics API is not installed." in said(lab.explain())


def test_a_hold_seen_at_first_sight_is_taken_for_young() -> None:
    held = conditions("TooFewReplicas", able="ScaleDownStabilized")
    lab = Lab(deployment(6, 6), current=6, conditions=held, min=2)
    lab.store.sample_pods([usage(name, 3, time=NOW - 5) for name in NAMES[:2]])
    text = said(lab.explain())
    assert "5 min window holds 6, at most 5 min more" in text


@pytest.mark.parametrize("period", [15.0, 1.5])
def test_the_next_look_is_foreseen_however_quick_the_controller_is(period: float) -> None:
    lab = Lab()
    lab.explain()
    for look in range(6):
        lab.store.put(Kind.HPAS, [hpa(2, 2, 121 + look)])
        lab.explain()
        for _ in range(10):
            lab.clock.now += period / 10
            why = lab.explain()
    assert why.next_look is not None
    assert 0 <= why.next_look - lab.clock() <= period
    assert why.agreement.looks == 6


def test_looks_that_are_not_settled_keep_no_world() -> None:
    """Each of many HPAs writes, in another tick, what no sample of ours explains."""
    gc.collect()
    others = {id(each) for each in gc.get_objects() if isinstance(each, World)}
    lab = Lab()
    names = [f"app-{n}" for n in range(30)]
    rows = [hpa(1, 1, 120, uid=n, name=n, target_name=n, min=1) for n in names]
    pods = [pod(n, age=4000, labels=(("app", n),)) for n in names]
    selectors = {n: (Requirement("app", "In", (n,)),) for n in names}
    lab.store.put(
        Kind.DEPLOYMENTS,
        [deployment(1, 1, uid=f"d-{n}", name=n, selector=selectors[n]) for n in names],
    )
    lab.store.put(Kind.PODS, pods)
    lab.store.put(Kind.HPAS, rows)
    lab.store.sample_pods([usage(n, 120, time=NOW - 5) for n in names])
    for number, row in enumerate(rows):
        lab.explain()
        lab.clock.now += 0.5
        lab.store.put(Kind.PODS, [msgspec.structs.replace(pods[0], restarts=number + 1)])
        lab.store.put(Kind.HPAS, [msgspec.structs.replace(row, metrics=(cpu_metric(77),))])
    lab.explain()
    assert all(lab.explainer.looks(n).differences for n in names)
    # Those of the last three seconds, two a second.
    kept = [w for w in gc.get_objects() if isinstance(w, World) and id(w) not in others]
    assert len(kept) < 12


def measured(percent: int, **more: Any) -> HpaRow:
    """An HPA whose status tells of pods that use so much of their 100m."""
    metric = msgspec.structs.replace(cpu_metric(percent), current_average=percent)
    fields: dict[str, Any] = {"current": 2, "desired": 2, "min": 1, **more}
    return hpa(fields.pop("current"), fields.pop("desired"), None, metrics=(metric,), **fields)


def test_what_is_recommended_while_the_status_never_changes_is_remembered() -> None:
    """Load that stays the same to the last digit: the controller looks, and writes nothing."""
    lab = Lab()
    lab.store.put(Kind.HPAS, [measured(50)])
    lab.store.sample_pods([usage(name, 50, time=NOW - 5) for name in NAMES[:2]])
    for _ in range(600):
        lab.explain()
        lab.clock.now += 1
    assert lab.explainer.looks("uid-hpa").looks == 0  # nobody knows when they were
    lab.store.sample_pods([usage(name, 3, time=lab.clock() - 5) for name in NAMES[:2]])
    held = conditions("DesiredWithinRange", able="ScaleDownStabilized")
    lab.store.put(Kind.HPAS, [measured(3, conditions=held)])
    why = lab.explain()
    assert why.agreement.looks == 1
    assert why.agreement.differences == ()
    assert why.outlook is not None
    hold = release(why.outlook.decision)
    assert hold is not None
    assert 270 < hold.until - lab.clock() < 300


def test_a_look_that_wrote_nothing_counts_once_however_many_are_due_at_once() -> None:
    lab = Lab()
    names = [f"app-{n}" for n in range(30)]
    labels = {n: (Requirement("app", "In", (n,)),) for n in names}
    lab.store.put(
        Kind.DEPLOYMENTS,
        [deployment(1, 1, uid=f"d-{n}", name=n, selector=labels[n]) for n in names],
    )
    lab.store.put(Kind.PODS, [pod(n, age=4000, labels=(("app", n),)) for n in names])
    lab.store.sample_pods([usage(n, 50, time=NOW - 5) for n in names])

    def write(percent: int) -> None:
        rows = [measured(percent, uid=n, name=n, target_name=n, current=1) for n in names]
        lab.store.put(Kind.HPAS, [msgspec.structs.replace(r, desired=1) for r in rows])

    write(49)
    for _ in range(20):
        lab.explain()
        lab.clock.now += 0.1
    write(50)
    for _ in range(500):
        lab.explain()
        lab.clock.now += 0.1
    assert {lab.explainer.looks(n).looks for n in names} == {4}  # seen, and 15, 30, 45 s later


def test_a_recommendation_that_the_controller_disproves_is_not_kept() -> None:
    """The samples that it read are gone: ours lack the pods that it has just taken away."""
    names = [f"web-{n}" for n in range(10)]
    lab = Lab(deployment(10, 10), current=10)
    lab.store.put(Kind.PODS, [pod(name, age=4000) for name in names])
    lab.store.sample_pods([usage(name, 20, time=NOW - 5) for name in names[:4]])
    lab.explain()
    lab.clock.now += 15
    lab.store.put(Kind.DEPLOYMENTS, [deployment(4, 10)])
    done = conditions("DesiredWithinRange", able="SucceededRescale")
    row = measured(20, current=10, desired=4, conditions=done, last_scale=lab.clock())
    lab.store.put(Kind.HPAS, [row])
    why = lab.explain()
    assert why.look is not None
    assert why.look.outcome.decision.recommended == 10
    assert [r.replicas for r in why.memory.recommendations] == [4]


@pytest.mark.parametrize(("age", "size"), [(3600, 1), (100, 2)])
def test_metrics_that_come_to_an_old_hpa_meet_no_window(age: float, size: int) -> None:
    """It holds what was found when the controller met the HPA, not when we did."""
    failing = conditions(active="FailedGetResourceMetric", able="SucceededGetScale")
    row = measured(3, conditions=failing, created=NOW - age)
    lab = Lab()
    lab.store.put(Kind.HPAS, [msgspec.structs.replace(row, metrics=(cpu_metric(None),))])
    lab.store.sample_pods([])
    assert "no metrics returned" in said(lab.explain())
    lab.clock.now += 10
    lab.store.sample_pods([usage(name, 3, time=lab.clock() - 5) for name in NAMES[:2]])
    why = lab.explain()
    assert why.outlook is not None
    assert why.outlook.decision.desired == size


def test_a_rescale_by_samples_that_we_never_saw_is_remembered() -> None:
    """The metrics API came back, and the controller asked it before we did."""
    lab = Lab(deployment(10, 10), current=10)
    lab.store.sample_pods([])
    lab.explain()
    lab.clock.now += 15
    lab.store.put(Kind.DEPLOYMENTS, [deployment(4, 10)])
    done = conditions("DesiredWithinRange", able="SucceededRescale")
    scaled = measured(25, current=10, desired=4, conditions=done, last_scale=lab.clock())
    lab.store.put(Kind.HPAS, [scaled])
    lab.explain()
    lab.clock.now += 15
    lab.store.sample_pods([usage(name, 20, time=lab.clock() - 5) for name in NAMES[:2]])
    why = lab.explain()
    assert "5 min window holds 4" in said(why)


def test_a_look_without_figures_recommends_nothing() -> None:
    """What we still hold samples for, the metrics API may no longer tell."""
    lab = Lab()
    lab.store.put(Kind.HPAS, [measured(50)])
    for age in (35, 20, 5):  # no poll is known that found nothing
        lab.store.sample_pods([usage(name, 120, time=NOW - age) for name in NAMES[:2]])
        lab.explain()
    lab.clock.now += 15
    failing = conditions(active="FailedGetResourceMetric", able="SucceededGetScale")
    row = msgspec.structs.replace(measured(50, conditions=failing), metrics=(cpu_metric(None),))
    lab.store.put(Kind.HPAS, [row])
    why = lab.explain()
    assert why.look is not None
    assert why.look.outcome.decision.recommended == 5  # 2 pods at 120 %
    assert 5 not in [r.replicas for r in why.memory.recommendations if r.at == why.look.at]
