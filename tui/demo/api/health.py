"""``/healthz``, ``/livez`` and ``/readyz``, with the checks that a real API server lists.

Source: ``handleRootHealth`` of Kubernetes 1.36's ``apiserver/pkg/server/healthz``.
"""

from __future__ import annotations

from typing import Final

from tui.demo.api.requests import Request, Response

_HOOKS: Final = (
    "start-apiserver-admission-initializer",
    "generic-apiserver-start-informers",
    "priority-and-fairness-config-consumer",
    "priority-and-fairness-filter",
    "storage-object-count-tracker-hook",
    "start-apiextensions-informers",
    "start-apiextensions-controllers",
    "crd-informer-synced",
    "start-system-namespaces-controller",
    "start-cluster-authentication-info-controller",
    "start-kube-apiserver-identity-lease-controller",
    "start-kube-apiserver-identity-lease-garbage-collector",
    "start-legacy-token-tracking-controller",
    "start-service-ip-repair-controllers",
    "rbac/bootstrap-roles",
    "scheduling/bootstrap-system-priority-classes",
    "priority-and-fairness-config-producer",
    "bootstrap-controller",
    "start-kubernetes-service-cidr-controller",
    "aggregator-reload-proxy-client-cert",
    "start-kube-aggregator-informers",
    "apiservice-status-local-available-controller",
    "apiservice-status-remote-available-controller",
    "apiservice-registration-controller",
    "apiservice-discovery-controller",
    "kube-apiserver-autoregistration",
    "apiservice-openapi-controller",
    "apiservice-openapiv3-controller",
)
_BEGUN: Final = (*(f"poststarthook/{name}" for name in _HOOKS), "autoregister-completion")
_ALIVE: Final = ("ping", "log", "etcd")
_CHECKS: Final = {
    "healthz": (*_ALIVE, *_BEGUN),
    "livez": (*_ALIVE, *_BEGUN),
    "readyz": (*_ALIVE, "etcd-readiness", "informer-sync", *_BEGUN, "shutdown"),
}


def respond(path: str, request: Request) -> Response | None:
    """Answer a question for the server's health; None if it is none. Every check passes."""
    name, _, check = path.lstrip("/").partition("/")
    checks = _CHECKS.get(name)
    if checks is None:
        return None
    if check:
        known = check in checks
        return Response.text("ok") if known else Response.text("404 page not found\n", 404)
    if "verbose" not in request.query:
        return Response.text("ok")
    excluded = request.query.get("exclude", "")
    lines = [f"[+]{one} excluded: ok" if one == excluded else f"[+]{one} ok" for one in checks]
    if excluded and excluded not in checks:
        unknown = f'no matches for "{excluded}"'
        lines.append(f"warn: some health checks cannot be excluded: {unknown}")
    return Response.text("\n".join([*lines, f"{name} check passed\n"]))
