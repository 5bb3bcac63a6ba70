"""The variables by which a container finds the Services of its namespace.

https://kubernetes.io/docs/tutorials/services/connect-applications-service/#environment-variables
"""

from __future__ import annotations

from collections.abc import Iterator

from tui.demo import resources
from tui.demo.store import Entry, Object, Store


def variables(store: Store, pod: Entry, since: str) -> dict[str, str]:
    """Those of the Services that were there when the container started.

    The API's own Service is told of in every namespace, the others to pods of theirs that have
    ``enableServiceLinks``.

    Args:
        store: where Services are.
        pod: the container's.
        since: when the container started, as the API writes times; empty if it has not.
    """
    found: dict[str, str] = {}
    services = store.list_at(resources.SERVICES.storage, None, None)
    for service in sorted(services, key=lambda one: one.name):
        master = (service.namespace, service.name) == ("default", "kubernetes")
        linked = service.namespace == pod.namespace and pod.spec.get("enableServiceLinks", True)
        late = bool(since) and str(service.metadata["creationTimestamp"]) > since
        if (master or (linked and not late)) and _address(service):
            found |= dict(_of_service(service))
    return found


def _address(service: Entry) -> str:
    address = str(service.spec.get("clusterIP") or "")
    return "" if address == "None" else address


def _of_service(service: Entry) -> Iterator[tuple[str, str]]:
    prefix, address = _variable(service.name), _address(service)
    ports: list[Object] = service.spec.get("ports") or []
    if not ports:
        return
    yield f"{prefix}_SERVICE_HOST", address
    yield f"{prefix}_SERVICE_PORT", str(ports[0]["port"])
    for one in ports:
        if one.get("name"):
            yield f"{prefix}_SERVICE_PORT_{_variable(one['name'])}", str(one["port"])
    for index, one in enumerate(ports):
        protocol = str(one.get("protocol") or "TCP")
        url = f"{protocol.lower()}://{address}:{one['port']}"
        link = f"{prefix}_PORT_{one['port']}_{protocol}"
        if index == 0:
            yield f"{prefix}_PORT", url
        yield link, url
        yield f"{link}_PROTO", protocol.lower()
        yield f"{link}_PORT", str(one["port"])
        yield f"{link}_ADDR", address


def _variable(name: str) -> str:
    return name.replace("-", "_").upper()
