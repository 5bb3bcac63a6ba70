"""The reverse proxies among the pods: whose configuration comes from which ConfigMap."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import Final, NamedTuple

import msgspec

from tui.analysis.doctor.directives import Directive, Within, caddyfile, nginx_conf, walk
from tui.analysis.doctor.patient import Patient, Root
from tui.state.fetched import ConfigMapFact, ConfigMapFetch
from tui.state.rows import ConfigMount, ContainerRow, PodRow

_ADDRESS: Final = re.compile(
    r"(?:https?://|h2c://)?([a-z0-9](?:[-a-z0-9.]*[a-z0-9])?)(?::(\d{1,5}))?(?:/.*)?"
)
_LOCAL: Final = ("localhost", "localhost.localdomain")


class Flavour(StrEnum):
    """Which proxy."""

    CADDY = "caddy"
    NGINX = "nginx"


class Mounted(msgspec.Struct, frozen=True):
    """A ConfigMap in a container of some pods of one owner."""

    root: Root
    pods: tuple[PodRow, ...]
    container: ContainerRow
    mount: ConfigMount

    @property
    def fetch(self) -> ConfigMapFetch:
        """What brings the text."""
        return ConfigMapFetch(self.root.namespace, self.mount.config_map)

    def shows(self, key: str) -> bool:
        """Whether the container sees that key."""
        return not self.mount.sub_path or key in (
            self.mount.sub_path,
            self.mount.sub_path.split("/")[-1],
            self.mount.path.split("/")[-1],
        )


class Upstream(NamedTuple):
    """A Service that a proxy passes requests to."""

    namespace: str
    name: str
    port: int
    address: str
    """As the configuration has it."""


def mounted(patient: Patient) -> Iterator[Mounted]:
    """Every ConfigMap in a container, once for each owner."""
    for crew in patient.crews:
        for container in crew.containers:
            for mount in container.configs:
                yield Mounted(patient.owner(crew.first), crew.pods, container, mount)


def proxies(patient: Patient, flavour: Flavour) -> Iterator[Mounted]:
    """Those that configure a proxy of that kind."""
    for one in mounted(patient):
        image = one.container.image.rsplit("@", 1)[0].rsplit("/", 1)[-1]
        where = f"{image} {one.mount.path} {one.mount.sub_path}".lower()
        if flavour in where:
            yield one


def started(pod: PodRow) -> float | None:
    """When its containers started, as far as rows tell: the last restart, else the pod's start."""
    if pod.started is None:
        return None
    return max(pod.started, pod.last_restart or 0.0)


def texts(patient: Patient, one: Mounted, flavour: Flavour) -> Iterator[tuple[str, list[Within]]]:
    """The keys of the ConfigMap that the container sees, with their directives."""
    fact = patient.fact(one.fetch, ConfigMapFact)
    for key, text in fact.data if fact is not None else ():
        if one.shows(key):
            parsed = caddyfile(text) if flavour is Flavour.CADDY else nginx_conf(text)
            yield key, list(walk(parsed))


def service_at(address: str, namespace: str, port: int = 80) -> Upstream | None:
    """The Service that an address of a configuration names; None if it names none for certain."""
    match = _ADDRESS.fullmatch(address)
    if match is None or match[1] in _LOCAL:
        return None
    labels = match[1].removesuffix(".cluster.local").split(".")
    if labels[-1:] == ["svc"]:
        labels = labels[:-1]
    if not 1 <= len(labels) <= 2 or all(label.isdigit() for label in labels):
        return None
    default = 443 if address.startswith("https://") else port
    where = labels[1] if len(labels) == 2 else namespace
    return Upstream(where, labels[0], int(match[2] or default), address)


def caddy_upstreams(directive: Directive, namespace: str) -> list[Upstream]:
    """The Services that a ``reverse_proxy`` passes requests to."""
    words = [w for w in directive.words[1:] if not w.startswith(("/", "@", "*"))]
    for inner in directive.block:
        if inner.name == "to":
            words += inner.words[1:]
    found = (service_at(word, namespace) for word in words)
    return [upstream for upstream in found if upstream is not None]


def nginx_upstreams(directives: Iterable[Within], namespace: str) -> list[Upstream]:
    """The Services that nginx resolves once, when it starts."""
    groups: dict[str, list[str]] = {}
    passed: list[str] = []
    for directive, around in directives:
        inside = around[-1] if around else None
        if directive.name == "server" and inside is not None and inside.name == "upstream":
            # With `resolve` it looks the name up again (nginx 1.27.3).
            if "resolve" not in directive.words and len(directive.words) > 1:
                groups.setdefault(inside.words[-1], []).append(directive.words[1])
        elif directive.name == "upstream" and len(directive.words) > 1:
            groups.setdefault(directive.words[1], [])
        elif directive.name == "proxy_pass" and len(directive.words) > 1:
            passed.append(directive.words[1])
    addresses = [a for servers in groups.values() for a in servers]
    for url in passed:
        # With a variable in it, the name is resolved for each request.
        host = url.partition("://")[2].partition("/")[0].partition(":")[0]
        if "$" not in url and host not in groups:
            addresses.append(url)
    found = (service_at(a, namespace) for a in dict.fromkeys(addresses) if "$" not in a)
    return list(dict.fromkeys(u for u in found if u is not None))
