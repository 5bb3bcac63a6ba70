"""A node that is ready, and of which metrics-server reads nothing."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from tui.analysis.doctor.finding import Evidence, Finding, Fix, Severity, kubectl, named
from tui.analysis.doctor.patient import Patient
from tui.analysis.doctor.rule import Rule
from tui.analysis.doctor.words import stamp
from tui.state.links import Health, Source
from tui.state.rows import Kind

_GRACE: Final = 120.0
"""Seconds in which metrics-server finds a node and scrapes it twice."""
_FRESH: Final = 90.0


def _examine(patient: Patient) -> Iterable[Finding]:
    delta = patient.delta
    if delta.link(Source.NODE_METRICS).health is not Health.LIVE or not patient.known(Kind.NODES):
        return
    # Without a fresh sample of any node it is metrics-server that has just come, or is ill.
    newest = max((sample.time for sample in delta.node_usage.values()), default=0.0)
    if patient.now - newest > _FRESH:
        return
    for node in patient.nodes:
        since = max(node.created, node.ready_since or 0.0)
        if node.ready != "True" or node.name in delta.node_usage or patient.now - since < _GRACE:
            continue
        name = named("Node", "", node.name)
        yield RULE.found(
            name,
            f"Node {node.name} is Ready, and has no metrics",
            "metrics-server does not reach this node's kubelet. Pods on it count as without a "
            "sample: scaling up they are taken for idle, scaling down for busy.",
            [
                Evidence(name, "status.conditions[Ready]", f"True since {stamp(since)}"),
                Evidence(
                    f"NodeMetrics {node.name}", "exists", f"no; {len(delta.node_usage)} others do"
                ),
            ],
            Fix(
                "See metrics-server's log for this node: a firewall that closes TCP 10250 (k3s), "
                "or a certificate it does not trust (--kubelet-insecure-tls in labs).",
                kubectl("kube-system", "logs", "-l", "k8s-app=metrics-server", "--tail=50"),
            ),
        )


RULE: Final = Rule(
    id="node-without-metrics",
    title="A ready node without metrics",
    severity=Severity.WARNING,
    page=(
        "metrics-server scrapes every kubelet on TCP 10250. A node that is Ready and yet absent "
        "from `kubectl top nodes` is one it cannot reach or does not trust."
    ),
    examine=_examine,
)
