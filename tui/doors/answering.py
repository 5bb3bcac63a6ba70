"""Which pods answer a burst in the end: those of the workload that scales, behind any proxy."""

from __future__ import annotations

from tui.analysis.selectors import matches
from tui.state.rows import EndpointSliceRow, Kind, PodRow, WorkloadRow
from tui.state.store import Store


def answering(
    store: Store, namespace: str, service: str, workload: WorkloadRow | None
) -> list[PodRow]:
    """The ready pods of the scaled workload; without one, those behind the Service.

    Safe from any thread.
    """
    pods: tuple[PodRow, ...] = store.rows(Kind.PODS) or ()
    if workload is not None and workload.selector:
        return [
            pod
            for pod in pods
            if pod.ready
            and pod.namespace == workload.namespace
            and matches(workload.selector, pod.labels)
        ]
    slices: tuple[EndpointSliceRow, ...] = store.rows(Kind.ENDPOINTSLICES) or ()
    behind = {
        name
        for row in slices
        if (row.namespace, row.service) == (namespace, service)
        for name in row.ready
    }
    return [pod for pod in pods if pod.namespace == namespace and pod.name in behind]
