"""The metrics API is registered, and nobody answers behind it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from tui.analysis.doctor.finding import Evidence, Finding, Fix, Severity, kubectl, named
from tui.analysis.doctor.patches import json_patch
from tui.analysis.doctor.patient import Patient
from tui.analysis.doctor.rule import Rule
from tui.analysis.doctor.rules.metrics_api_absent import APISERVICE
from tui.state.fetched import ApiServiceFact, ApiServiceFetch, Fetch, LogFact, LogFetch
from tui.state.links import Health, Source

_X509: Final = "x509: "
"""What an error of Go's verification begins with; the help of its flags speaks of x509 as well."""
STARTING: Final = 45.0
"""Seconds that metrics-server may take to start and scrape twice."""
_ASK: Final = ApiServiceFetch(APISERVICE)
_LOG: Final = LogFetch(
    "kube-system", "", (_X509, "Failed to scrape node", "no route to host", "i/o timeout"),
    labels="k8s-app=metrics-server",
)  # fmt: skip
_INSECURE: Final = (
    '[{"op":"add","path":"/spec/template/spec/containers/0/args/-",'
    '"value":"--kubelet-insecure-tls"}]'
)


def _wants(patient: Patient) -> Iterable[Fetch]:
    yield _ASK
    if patient.delta.link(Source.POD_METRICS).health is Health.UNAVAILABLE:
        yield _LOG


def _examine(patient: Patient) -> Iterable[Finding]:
    link = patient.delta.link(Source.POD_METRICS)
    if link.health is not Health.UNAVAILABLE:
        return
    state = patient.fact(_ASK, ApiServiceFact)
    log = patient.fact(_LOG, LogFact)
    lines = log.lines if log is not None else ()
    untrusted = next((line for line in lines if _X509 in line), "")
    if state is not None and state.available == "False" and state.since is not None:
        young = patient.now - state.since < STARTING
    else:
        young = patient.now - link.since < STARTING
    if young and not untrusted:
        return
    evidence = []
    if state is not None and state.available != "True":
        said = f"{state.available} ({state.reason}): {state.message}"
        evidence.append(
            Evidence(named("APIService", "", APISERVICE), "status.conditions[Available]", said)
        )
    else:
        evidence.append(Evidence("GET /apis/metrics.k8s.io/v1beta1/pods", "answer", link.detail))
    namespace, _, service = (state.service if state is not None else "").partition("/")
    if log is not None and lines:
        evidence.append(
            Evidence(named("Pod", _LOG.namespace, log.pod), "log", untrusted or lines[-1])
        )
    yield RULE.found(
        named("APIService", "", APISERVICE),
        _title(untrusted, state),
        "The metrics API is registered, but what should answer behind it does not. Every HPA on "
        "CPU or memory reads <unknown> and keeps its size until it does."
        + (_UNTRUSTED if untrusted else ""),
        evidence,
        _fix(untrusted, state, namespace or "kube-system", service),
    )


_UNTRUSTED: Final = (
    " metrics-server does not trust the certificates of the kubelets, as kubeadm and kind make "
    "them, and so reads no figures at all."
)


def _title(untrusted: str, state: ApiServiceFact | None) -> str:
    if untrusted:
        return "metrics-server does not trust the kubelets' certificates (x509)"
    reason = f" ({state.reason})" if state is not None and state.reason else ""
    return f"The metrics API does not answer{reason}"


def _fix(untrusted: str, state: ApiServiceFact | None, namespace: str, service: str) -> Fix:
    if untrusted:
        command = kubectl(
            "kube-system", "patch", "deployment", "metrics-server", "--type=json", "-p", _INSECURE
        )
        return Fix(
            "In a lab, let it skip the check (--kubelet-insecure-tls). In production, let the "
            "kubelets get certificates of the cluster's authority (serverTLSBootstrap: true).",
            command,
            json_patch("apps/v1", "Deployment", "kube-system", "metrics-server", _INSECURE),
        )
    if state is not None and state.reason == "MissingEndpoints":
        return Fix(
            "No pod of it is ready. Look at it and at its log; scale it up if it has no pods.",
            kubectl(namespace, "get", "deployment,pods", "-l", "k8s-app=metrics-server"),
        )
    if state is not None and state.reason == "ServiceNotFound":
        return Fix(
            f"Its Service {namespace}/{service} is gone: install metrics-server anew.",
            kubectl(namespace, "get", "service", service),
        )
    return Fix(
        "See what the API server says of it, then the log of metrics-server.",
        kubectl("", "describe", "apiservice", APISERVICE),
    )


RULE: Final = Rule(
    id="metrics-api-unavailable",
    title="The metrics API does not answer",
    severity=Severity.ERROR,
    page=(
        "The APIService v1beta1.metrics.k8s.io says who answers for metrics.k8s.io and whether "
        "they do: MissingEndpoints when no pod of metrics-server is ready, FailedDiscoveryCheck "
        "when it does not answer. On kubeadm and kind its log often says x509: the kubelets' "
        "certificates are signed by themselves, and it needs --kubelet-insecure-tls (labs only). "
        "On k3s a firewall may close TCP 10250 between nodes."
    ),
    examine=_examine,
    wants=_wants,
)
