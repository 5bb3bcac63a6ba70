"""When the doctor looks, what it costs, and that every rule can be read."""

from __future__ import annotations

import re
import sys
import time

import msgspec

from tests.analysis.doctor.patients import Case, all_rules
from tests.samples import NOW, conditions, deployment, hpa, pod, usage
from tui.analysis.doctor.doctor import LARGE, PAUSE, Doctor, examine, wanted
from tui.analysis.doctor.finding import Severity, kubectl
from tui.analysis.doctor.patient import Patient
from tui.state.delta import Delta
from tui.state.fetched import ClockFact, ClockFetch
from tui.state.rows import Kind, Owner, PodRow, Requirement, Row, ServiceRow, WorkloadRow

HELD = conditions(able="ScaleDownStabilized")


def test_every_rule_has_an_id_of_its_own_and_something_to_say() -> None:
    rules = all_rules()
    assert len({rule.id for rule in rules}) == len(rules) >= 31
    for rule in rules:
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", rule.id)
        assert rule.page.endswith(".")
        assert len(rule.page) > 60, rule.id


def test_it_looks_once_a_second_and_only_when_something_changed() -> None:
    case, doctor = Case(), Doctor()
    first = doctor.look(case.store.drain(), NOW)
    assert first.wanted
    case.put(Kind.HPAS, hpa(10, 10, 97, conditions=conditions("TooManyReplicas")))
    case.put(Kind.DEPLOYMENTS, deployment(10, 10))
    assert doctor.look(case.store.drain(), NOW + PAUSE / 2) is first
    second = doctor.look(case.store.drain(), NOW + PAUSE)
    assert "at-max" in [f.id for f in second.findings]
    assert second.version == first.version + 1
    assert doctor.look(case.store.drain(), NOW + 2 * PAUSE) is second


def test_the_same_findings_keep_their_version() -> None:
    case, doctor = Case(), Doctor()
    first = doctor.look(case.store.drain(), NOW)
    case.fetched(ClockFetch(), ClockFact(0))
    second = doctor.look(case.store.drain(), NOW + 2)
    assert second is not first
    assert second.version == first.version


def test_some_faults_come_with_time_alone() -> None:
    case, doctor = Case(), Doctor()
    case.put(Kind.HPAS, hpa(None, 0, None, target_name="gone", created=NOW - 10, conditions=()))
    delta = case.store.drain()
    assert "target-missing" not in [f.id for f in doctor.look(delta, NOW).findings]
    assert "target-missing" in [f.id for f in doctor.look(delta, NOW + 15).findings]


def test_a_hold_that_is_seen_to_begin_has_its_end_reckoned_from_there() -> None:
    case, doctor = Case(), Doctor()
    doctor.look(case.store.drain(), NOW)
    case.put(Kind.HPAS, hpa(10, 10, 4, conditions=HELD))
    seen = doctor.look(case.store.drain(), NOW + 10)
    (found,) = [f for f in seen.findings if f.id == "stabilizing"]
    until = time.strftime("%H:%M:%S", time.localtime(NOW + 310))
    assert f"until about {until}" in found.title


def test_the_worst_come_first() -> None:
    case = Case().put(Kind.HPAS, hpa(2, 2, 3, uid="uid-2", name="second"))
    case.put(Kind.HPAS, hpa(2, 2, 3, min=2, max=2))
    severities = [f.severity.rank for f in case.findings()]
    assert severities == sorted(severities)
    assert severities[0] == Severity.ERROR.rank


def test_a_name_cannot_become_a_command() -> None:
    assert kubectl("x; rm -rf ~", "get", "$(id)") == "kubectl -n 'x; rm -rf ~' get '$(id)'"


def test_what_has_not_changed_is_not_looked_up_again() -> None:
    case = Case()
    before = case.patient
    examine(before)
    case.sample(("web-1", 500), ("web-2", 500))
    after = case.patient
    after.inherit(before)
    assert after.crews is before.crews
    assert after.scaled is before.scaled
    assert "cpu-throttled" in [f.id for f in examine(after)]
    case.put(Kind.PODS, pod("web-3", age=5))
    changed = case.patient
    changed.inherit(after)
    assert "crews" not in vars(changed)
    assert changed.services is before.services


def _crowd(hpas: int) -> Delta:
    """So many HPAs, each with a Deployment of ten pods and a Service."""
    case = Case()
    rows: dict[Kind, list[Row]] = {kind: [] for kind in Kind}
    names = []
    for n in range(hpas):
        labels = (("app", f"a{n}"),)
        terms = (Requirement("app", "In", (f"a{n}",)),)
        owner = Owner("Deployment", f"d{n}", f"d{n}")
        rows[Kind.DEPLOYMENTS].append(deployment(10, 10, uid=f"d{n}", name=f"d{n}", selector=terms))
        rows[Kind.REPLICASETS].append(
            WorkloadRow(
                uid=f"r{n}", name=f"r{n}", namespace="default", kind="ReplicaSet", owner=owner
            )
        )
        rows[Kind.HPAS].append(hpa(10, 10, 40, uid=f"h{n}", name=f"h{n}", target_name=f"d{n}"))
        rows[Kind.SERVICES].append(
            ServiceRow(uid=f"s{n}", name=f"s{n}", namespace="default", selector=labels)
        )
        for m in range(10):
            names.append(f"d{n}-{m}")
            of = Owner("ReplicaSet", f"r{n}", f"r{n}")
            rows[Kind.PODS].append(pod(names[-1], age=1000, labels=labels, owner=of))
    for kind, some in rows.items():
        case.put(kind, *some)
    case.store.sample_pods([usage(name, 40, time=NOW - 7) for name in names])
    return case.store.drain()


def _work(delta: Delta) -> int:
    """Calls that a look from nothing takes: the same in every run, however busy the machine."""
    all_rules()  # so that no import is counted
    calls = 0

    def count(frame: object, event: str, argument: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        patient = Patient(delta, NOW)
        found = examine(patient)
        wanted(patient)
    finally:
        sys.setprofile(before)
    assert {f.id for f in found} == {"no-readiness-probe"}
    return calls


def test_twice_the_cluster_is_twice_the_work() -> None:
    """`python -m benchmarks why` has the time it takes."""
    small, large = _work(_crowd(20)), _work(_crowd(40))
    assert large < 2.3 * small
    assert large < 150 * 400  # calls a pod


def test_in_a_large_cluster_a_look_takes_a_step_a_tick_and_finds_the_same() -> None:
    case, doctor = Case(), Doctor()
    of = Owner("ReplicaSet", "r", "r")
    case.put(Kind.PODS, *_alike(pod("p", age=1000, owner=of), LARGE + 1))
    delta = case.store.drain()
    whole = examine(Patient(delta, NOW))
    assert whole
    looks = len(all_rules())
    for tick in range(looks):
        assert doctor.look(delta, NOW + tick / 10).findings == ()
    case.store.drop(Kind.PODS, [f"uid-p{n}" for n in range(LARGE)])
    # What changes meanwhile is for the next look: this one is of one moment.
    assert doctor.look(case.store.drain(), NOW + looks / 10).findings == whole


def _alike(row: PodRow, count: int) -> list[PodRow]:
    """Pods that share their labels and containers, as informers make them."""
    return [msgspec.structs.replace(row, uid=f"uid-p{n}", name=f"p{n}") for n in range(count)]


def test_pods_are_surveyed_some_at_a_time() -> None:
    case = Case()
    of = Owner("ReplicaSet", "r", "r")
    case.put(Kind.PODS, *_alike(pod("p", age=1000, owner=of), 6000))
    delta = case.store.drain()
    patient = Patient(delta, NOW)
    assert len(list(patient.survey())) == 2
    assert patient.crews == Patient(delta, NOW).crews
    assert max(len(crew.pods) for crew in patient.crews) == 6000
    assert not list(patient.survey())
