"""Admission webhooks: nobody stands behind them here, so what they guard fails, or passes.

A webhook whose ``failurePolicy`` is Fail refuses every request it matches, as on a cluster where
its Service has no pods yet; with Ignore it is passed over. Its ``matchConditions`` are not read.
https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/
"""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from tui.demo import resources
from tui.demo.api import selectors
from tui.demo.api.errors import ApiError
from tui.demo.resource import Resource
from tui.demo.store import Object, Store

_KINDS: Final = (resources.MUTATING_WEBHOOKS, resources.VALIDATING_WEBHOOKS)
_EXEMPT: Final = frozenset(one.storage for one in _KINDS)


def admit(store: Store, resource: Resource, data: Object, operation: str) -> None:
    """Call the webhooks that match.

    Raises:
        ApiError: 500, one cannot be reached and may not be passed over.
    """
    if resource.storage in _EXEMPT:
        return
    for kind in _KINDS:
        if not store.count(kind.storage):
            continue
        for entry in store.list_at(kind.storage, None, None):
            for webhook in entry.data.get("webhooks") or ():
                if webhook.get("failurePolicy") == "Ignore":
                    continue
                if _matches(store, webhook, resource, data, operation):
                    raise _unreachable(store, webhook)


def _matches(
    store: Store, webhook: Object, resource: Resource, data: Object, operation: str
) -> bool:
    if not any(_covers(rule, resource, operation) for rule in webhook.get("rules") or ()):
        return False
    metadata = data["metadata"]
    if not selectors.matches(webhook.get("objectSelector") or {}, metadata.get("labels") or {}):
        return False
    namespace = store.get(resources.NAMESPACES.storage, "", metadata.get("namespace", ""))
    if namespace is None:
        return True
    return selectors.matches(webhook.get("namespaceSelector") or {}, namespace.labels)


def _covers(rule: Object, resource: Resource, operation: str) -> bool:
    wanted = {
        "operations": operation,
        "apiGroups": resource.group,
        "apiVersions": resource.version,
        "resources": resource.plural,
    }
    if not all({"*", one} & set(rule.get(name) or ()) for name, one in wanted.items()):
        return False
    scope = rule.get("scope", "*")
    return scope in ("*", "Namespaced" if resource.namespaced else "Cluster")


def _unreachable(store: Store, webhook: Object) -> ApiError:
    config = webhook.get("clientConfig") or {}
    seconds = webhook.get("timeoutSeconds", 10)
    service = config.get("service")
    if service:
        host = f"{service.get('name')}.{service.get('namespace')}.svc"
        port = service.get("port", 443)
        url = f"https://{host}:{port}{service.get('path', '')}"
        key = (str(service.get("namespace")), str(service.get("name")))
        found = store.get(resources.SERVICES.storage, *key)
        why = f'service "{key[1]}" not found'
        if found is not None:
            why = f'no endpoints available for service "{key[1]}"'
            endpoints = store.get(resources.ENDPOINTS.storage, *key)
            if endpoints is not None and endpoints.data.get("subsets"):
                address = f"{found.spec.get('clusterIP')}:{port}"
                why = f"dial tcp {address}: connect: connection refused"
    else:
        url = str(config.get("url", ""))
        parts = urlsplit(url)
        why = f"dial tcp {parts.hostname}:{_port(parts.netloc)}: connect: connection refused"
    said = (
        f'failed calling webhook "{webhook.get("name")}": failed to call webhook: Post '
        f'"{url}?timeout={seconds}s": {why}'
    )
    about = {"causes": [{"message": said}]}
    return ApiError(500, "InternalError", f"Internal error occurred: {said}", about)


def _port(netloc: str) -> str:
    port = netloc.rpartition(":")[2]
    return port if port.isdigit() else "443"
