"""Rules about the metrics API and the clock."""

from __future__ import annotations

import pytest

from tests.analysis.doctor.patients import Case, evidence, recording
from tests.cluster import recorded
from tests.samples import NOW
from tui.analysis.doctor.finding import Severity
from tui.state.fetched import (
    ApiServiceFact,
    ApiServiceFetch,
    ClockFact,
    ClockFetch,
    LogFact,
    LogFetch,
    Result,
)
from tui.state.links import Health, Source
from tui.state.rows import Kind

API = ApiServiceFetch("v1beta1.metrics.k8s.io")
X509 = (
    '"Failed to scrape node" err="Get \\"https://192.0.2.2:10250/metrics/resource\\": tls: failed '
    "to verify certificate: x509: cannot validate certificate for 192.0.2.2 because it doesn't "
    'contain any IP SANs" node="lab-node"'
)


def _down(reason: str = "MissingEndpoints", since: float = NOW - 300) -> Case:
    case = Case().link(Source.POD_METRICS, Health.UNAVAILABLE, since)
    fact = ApiServiceFact("False", reason, "no endpoints", "kube-system/metrics-server", since)
    return case.fetched(API, fact)


def _log_fetch(case: Case) -> LogFetch:
    (fetch,) = [f for f in case.wants() if isinstance(f, LogFetch)]
    return fetch


def test_no_metrics_api_at_all() -> None:
    case = recording("hpa-cases/metrics-api-absent", "after-scale-down")
    case.link(Source.POD_METRICS, Health.ABSENT)
    found = case.one("metrics-api-absent")
    assert found.severity is Severity.ERROR
    assert found.object == "APIService v1beta1.metrics.k8s.io"
    assert case.ids() == ["metrics-api-absent"]


@pytest.mark.parametrize(
    "health", [h for h in Health if h not in (Health.ABSENT, Health.UNAVAILABLE)]
)
def test_metrics_that_are_not_known_to_be_absent(health: Health) -> None:
    case = Case().link(Source.POD_METRICS, health).link(Source.NODE_METRICS, health)
    assert case.ids() == []


def test_nobody_behind_the_metrics_api() -> None:
    found = _down().one("metrics-api-unavailable")
    assert "MissingEndpoints" in found.title
    assert evidence(found)[0][2] == "False (MissingEndpoints): no endpoints"
    assert "-l k8s-app=metrics-server" in found.fix.command


def test_a_metrics_server_that_does_not_trust_the_kubelets() -> None:
    case = _down()
    fetch = _log_fetch(case)
    assert fetch.namespace == "kube-system"
    assert any(word in X509 for word in fetch.words)
    case.fetched(fetch, LogFact("metrics-server-1", (X509,)))
    found = case.one("metrics-api-unavailable")
    assert "x509" in found.title
    assert "--kubelet-insecure-tls" in found.fix.command
    assert ("Pod kube-system/metrics-server-1", "log", X509) in evidence(found)


def test_a_metrics_server_that_prints_its_usage_does_not_speak_of_certificates() -> None:
    """It does so when a flag is wrong, and ends."""
    case = _down()
    usage = "--tls-cert-file string  File containing the default x509 Certificate for HTTPS."
    case.fetched(_log_fetch(case), LogFact("metrics-server-1", (usage,)))
    assert "MissingEndpoints" in case.one("metrics-api-unavailable").title


def test_a_metrics_server_that_is_just_starting() -> None:
    assert _down(since=NOW - 20).ids() == []


def test_certificates_are_not_waited_for() -> None:
    case = _down(since=NOW - 20)
    case.fetched(_log_fetch(case), LogFact("metrics-server-1", (X509,)))
    assert case.ids() == ["metrics-api-unavailable"]


def test_without_the_right_to_read_the_apiservice_the_answer_itself_tells() -> None:
    case = Case().link(Source.POD_METRICS, Health.UNAVAILABLE, NOW - 300)
    case.fetched(API, None, Result.FORBIDDEN)
    assert evidence(case.one("metrics-api-unavailable"))[0][2] == "as told"


def test_a_log_is_not_read_while_metrics_come() -> None:
    assert not [f for f in Case().wants() if isinstance(f, LogFetch)]


@pytest.mark.parametrize(("ahead", "found"), [(-90, True), (6, True), (5, False), (0, False)])
def test_clocks_that_differ(ahead: int, found: bool) -> None:
    case = Case().fetched(ClockFetch(), ClockFact(ahead))
    assert ("clock-skew" in case.ids()) is found


def test_a_simulated_clock_may_run_as_it_likes() -> None:
    case = Case().fetched(ClockFetch(), ClockFact(4000))
    case.simulated = True
    assert "clock-skew" not in case.ids()


def test_times_of_the_cluster_are_read_by_its_own_clock() -> None:
    case = Case().fetched(ClockFetch(), ClockFact(-3600))
    assert case.patient.now == NOW - 3600


# Nothing is found where nothing is wrong.


@pytest.mark.parametrize(
    ("moment", "found"), [("idle", []), ("peak", ["at-max"]), ("after-scale-down", [])]
)
def test_the_healthy_recordings(moment: str, found: list[str]) -> None:
    assert recording(moment).ids() == found


def test_the_advice_of_the_recordings_is_so() -> None:
    """The recorded Deployment has no readiness probe, and a Service in front."""
    container = recorded.document("idle/deployments.json")["items"][1]["spec"]["template"]["spec"]
    assert "readinessProbe" not in container["containers"][0]
    advice = [f.id for f in recording("idle").findings() if f.severity is Severity.ADVICE]
    assert advice == ["no-readiness-probe"]


def test_while_nothing_is_known_nothing_is_found() -> None:
    case = Case(empty=True)
    for source in (*Kind, *Source):
        case.link(source, Health.CONNECTING)
    assert case.ids(advice=True) == []


def test_with_no_rights_at_all_nothing_is_found() -> None:
    case = Case()
    for source in (*Kind, *Source):
        case.link(source, Health.FORBIDDEN)
    for kind in Kind:
        case.store.retain(kind, [])
    for fetch in case.wants():
        case.fetched(fetch, None, Result.FORBIDDEN)
    assert case.ids(advice=True) == []


def test_a_new_hpa_that_has_no_figures_yet_is_only_warming_up() -> None:
    case = recording("hpa-cases/assorted/after-5s", "after-scale-down")
    case.store.retain(Kind.HPAS, [h.uid for h in case.patient.hpas if h.name != "missing-target"])
    assert case.ids() == []
