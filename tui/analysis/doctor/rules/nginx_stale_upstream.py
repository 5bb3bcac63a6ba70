"""nginx was started before the Service it passes requests to."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from tui.analysis.doctor.finding import Evidence, Finding, Fix, Severity, kubectl, named
from tui.analysis.doctor.patches import restart_patch
from tui.analysis.doctor.patient import Patient
from tui.analysis.doctor.proxies import (
    Flavour,
    Mounted,
    Upstream,
    nginx_upstreams,
    proxies,
    started,
    texts,
)
from tui.analysis.doctor.rule import Rule
from tui.analysis.doctor.words import count, stamp
from tui.state.fetched import Fetch
from tui.state.rows import Kind, PodRow, ServiceRow

_GRACE: Final = 2.0


def _wants(patient: Patient) -> Iterable[Fetch]:
    return (one.fetch for one in proxies(patient, Flavour.NGINX))


def _examine(patient: Patient) -> Iterable[Finding]:
    if not patient.known(Kind.SERVICES):
        return
    for one in proxies(patient, Flavour.NGINX):
        for key, directives in texts(patient, one, Flavour.NGINX):
            for upstream in nginx_upstreams(directives, one.root.namespace):
                service = patient.service(upstream.namespace, upstream.name)
                # A headless Service is resolved to pods: their age counts, not its own.
                if service is None or service.cluster_ip in ("", "None"):
                    continue
                stale = [
                    pod
                    for pod in one.pods
                    if pod.ready
                    and (since := started(pod)) is not None
                    and service.created > since + _GRACE
                ]
                if stale:
                    yield _finding(one, key, upstream, service, stale)


def _finding(
    one: Mounted, key: str, upstream: Upstream, service: ServiceRow, stale: list[PodRow]
) -> Finding:
    first = stale[0]
    root = one.root
    return RULE.found(
        str(root),
        f"{count(len(stale), 'nginx pod')} of {root.name} older than Service {service.name}",
        f"nginx looks up {upstream.name} once, when it starts, and keeps the address. The Service "
        "has been created since, with another cluster IP: requests go to an address that is "
        "nobody's any more, and nginx answers 502 or 504.",
        [
            Evidence(
                named("Service", service.namespace, service.name),
                "metadata.creationTimestamp",
                stamp(service.created),
            ),
            Evidence(
                named("Pod", first.namespace, first.name), "started", stamp(started(first) or 0.0)
            ),
            Evidence(
                named("ConfigMap", root.namespace, one.mount.config_map), key, upstream.address
            ),
        ],
        Fix(
            "Start nginx anew. To spare that, give it a resolver and a variable in proxy_pass.",
            kubectl(root.namespace, "rollout", "restart", f"{root.kind.lower()}/{root.name}"),
            restart_patch(root),
        ),
    )


RULE: Final = Rule(
    id="nginx-stale-upstream",
    title="nginx is older than its upstream Service",
    severity=Severity.WARNING,
    page=(
        "The open-source nginx resolves the names in `upstream` and in a `proxy_pass` without "
        "variables when it starts, and never again. Delete and re-create the Service, and nginx "
        "goes on sending to the old cluster IP until it is restarted or reloaded."
    ),
    examine=_examine,
    wants=_wants,
)
