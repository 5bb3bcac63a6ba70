"""A NodePort that cannot be connected to from this machine."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from tui.analysis.doctor.finding import Evidence, Finding, Fix, Severity, kubectl, named
from tui.analysis.doctor.patient import Patient
from tui.analysis.doctor.rule import Rule
from tui.state.fetched import Fetch, NodePortFact, NodePortFetch
from tui.state.rows import Kind, ServiceRow

_MOST: Final = 8
"""NodePorts that are tried."""

_NOBODY: Final = ": refused"
_REFUSED: Final = (
    " It was refused, not left unanswered: a targetPort on which the pods do not listen looks the "
    "same."
)


def _node_ports(patient: Patient) -> Iterator[tuple[ServiceRow, NodePortFetch]]:
    found = 0
    serving = {
        (piece.namespace, piece.service)
        for piece in patient.delta.endpointslices.rows.values()
        if piece.ready
    }
    for service in patient.services:
        port = next((p for p in service.ports if p.node_port and p.protocol == "TCP"), None)
        # Without a ready pod nothing answers anywhere.
        if service.type != "NodePort" or port is None or found == _MOST:
            continue
        if (service.namespace, service.name) in serving:
            found += 1
            yield service, NodePortFetch(service.namespace, service.name, port.port)


def _wants(patient: Patient) -> Iterable[Fetch]:
    if patient.known(Kind.SERVICES, Kind.ENDPOINTSLICES):
        yield from (fetch for _, fetch in _node_ports(patient))


def _examine(patient: Patient) -> Iterable[Finding]:
    for service, fetch in _node_ports(patient):
        fact = patient.fact(fetch, NodePortFact)
        if fact is not None and not fact.reached and fact.tried:
            yield _finding(service, fact)


def _finding(service: ServiceRow, fact: NodePortFact) -> Finding:
    name = named("Service", service.namespace, service.name)
    return RULE.found(
        name,
        f"NodePort {fact.port} of {service.name} cannot be reached from here",
        "Nodes that are containers or virtual machines, as with minikube's docker driver on macOS "
        "or kind without port mappings, have addresses that lead nowhere from this machine. "
        "Within the cluster the Service may work all the same."
        + (_REFUSED if all(tried.endswith(_NOBODY) for tried in fact.tried) else ""),
        [
            Evidence(name, "spec.ports.nodePort", str(fact.port)),
            *(Evidence(name, "connection from here", tried) for tried in fact.tried[:3]),
        ],
        Fix(
            fact.hint or "Use a port-forward.",
            kubectl(
                service.namespace,
                "port-forward",
                f"service/{service.name}",
                f"8080:{service.ports[0].port}",
            ),
        ),
    )


RULE: Final = Rule(
    id="nodeport-unreachable",
    title="A NodePort that cannot be reached from here",
    severity=Severity.ADVICE,
    page=(
        "type: NodePort opens a port on every node's address. Whether that address can be reached "
        "from your machine is another question: `minikube service NAME --url` makes a tunnel, kind "
        "needs extraPortMappings when the cluster is created, a cloud a firewall rule. A "
        "port-forward always works, but goes to one pod and past the Service."
    ),
    examine=_examine,
    wants=_wants,
)
