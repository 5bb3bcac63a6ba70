"""What a burst may be aimed at: the Services in scope, the scaled workload's first."""

from __future__ import annotations

from tui.analysis.focus import Focus
from tui.doors.burst import Aim
from tui.state.rows import ServiceRow
from tui.state.store import Delta


def aims(delta: Delta, focus: Focus) -> list[Aim]:
    """In the order in which they are offered.

    A Service whose pods are those that scale comes first, one that can be reached from outside
    before one that cannot; then the other Services of its namespace, the proxies among them.
    """
    ours = {pod.name for pod in focus.live_pods}
    fed = {
        (row.namespace, row.service)
        for row in delta.endpointslices.rows.values()
        if ours.intersection((*row.ready, *row.not_ready))
    }
    namespace = focus.target.namespace if focus.target is not None else None

    def rank(service: ServiceRow) -> tuple[bool, bool, bool, str, str]:
        return (
            (service.namespace, service.name) not in fed,
            service.namespace != namespace,
            service.type not in ("NodePort", "LoadBalancer"),
            service.namespace,
            service.name,
        )

    found = [s for s in delta.services.rows.values() if _answers(s)]
    return [Aim(s.namespace, s.name) for s in sorted(found, key=rank)]


def _answers(service: ServiceRow) -> bool:
    """Whether it may speak HTTP: the API server's own Service does not, to us."""
    if (service.namespace, service.name) == ("default", "kubernetes"):
        return False
    return bool(service.selector) and any(p.protocol == "TCP" for p in service.ports)
