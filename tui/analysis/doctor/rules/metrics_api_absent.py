"""There is no metrics API at all."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from tui.analysis.doctor.finding import Evidence, Finding, Fix, Severity, named
from tui.analysis.doctor.patient import Patient, resource_metrics
from tui.analysis.doctor.rule import Rule
from tui.analysis.doctor.words import count
from tui.state.links import Health, Source

APISERVICE: Final = "v1beta1.metrics.k8s.io"
INSTALL: Final = (
    "kubectl apply -f https://github.com/kubernetes-sigs/metrics-server/releases/latest/"
    "download/components.yaml"
)


def _examine(patient: Patient) -> Iterable[Finding]:
    if patient.delta.link(Source.POD_METRICS).health is not Health.ABSENT:
        return
    blind = [hpa for hpa in patient.hpas if resource_metrics(hpa)]
    evidence = [Evidence("GET /apis/metrics.k8s.io/v1beta1", "status", "404 page not found")]
    evidence += [
        Evidence(named("HorizontalPodAutoscaler", h.namespace, h.name), "metrics", m.name)
        for h in blind
        for m in resource_metrics(h)[:1]
    ][:5]
    hpas = f"what {count(len(blind), 'HPA')} here would read" if blind else "what an HPA reads"
    yield RULE.found(
        named("APIService", "", APISERVICE),
        "The metrics API is not installed",
        f"Nothing in this cluster measures CPU and memory, {hpas}. Scaling on them cannot work, "
        "and `kubectl top` answers with an error.",
        evidence,
        Fix(
            "Install metrics-server; with minikube: `minikube addons enable metrics-server`.",
            INSTALL,
        ),
        None if blind or not patient.hpas else Severity.WARNING,
    )


RULE: Final = Rule(
    id="metrics-api-absent",
    title="No metrics API",
    severity=Severity.ERROR,
    page=(
        "An HPA on CPU or memory asks metrics.k8s.io, which is no part of Kubernetes itself: "
        "metrics-server, or an adapter, has to be installed. Without it the API server answers "
        "404, the target reads <unknown>, and nothing scales."
    ),
    examine=_examine,
)
