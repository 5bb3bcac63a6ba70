"""Where ``kscale-tui burst`` goes: a URL, or ``svc/NAME[:PORT][/PATH]`` by a route to it."""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from tui.load.plan import Plan, PlanError, target

if TYPE_CHECKING:
    from tui.cluster.session import Session
    from tui.config import Settings
    from tui.doors.pod_counts import PodCounts
    from tui.state.store import Store

_SERVICE: Final = re.compile(
    r"(?:svc|service|services)/(?P<name>[a-z0-9.-]+)(?::(?P<port>[a-z0-9-]+))?(?P<path>/.*)?"
)


class UnreachableError(Exception):
    """No way leads to the Service. The message says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Aim:
    """What a burst is fired at."""

    url: str
    host: str = ""
    """The host of a route of the cluster: it may be loaded. Empty: it is no such route."""
    host_header: str | None = None
    """What to send as ``Host``, if it is not the URL's own host."""
    address: str = ""
    """The address that the host's name led to; empty: there was no name to look up."""
    label: str = ""
    """The route in a few words."""
    bypasses: bool = False
    """Whether the route leads past the Service, straight to pods."""
    hint: str = ""
    """Which step would open a better route."""
    most_connections: int | None = None
    """How many the route carries at a time; None: no bound."""
    counts: Callable[[Plan], PodCounts] | None = None
    """For a plan that begins now: who counts the requests of the Service's pods."""

    @property
    def service(self) -> bool:
        """Whether it is a Service's."""
        return bool(self.host)


@contextlib.contextmanager
def aimed(
    text: str,
    namespace: str | None,
    context: str | None,
    kubeconfig: str | None,
    allow_hosts: Collection[str] = (),
    *,
    settings: Settings | None = None,
) -> Iterator[Aim]:
    """Find the way to what was named; a port-forward stays open for the time of the block.

    Args:
        text: a URL, ``svc/NAME``, ``svc/NAME:PORT`` (number or name), either with a path.
        namespace: the Service's; None is that of the settings, or else the context's own.
        context: of the kubeconfig; None is the current one.
        kubeconfig: its file; None is the usual one.
        allow_hosts: hosts that the user named; other public addresses are no way to a Service.
        settings: may name a namespace.

    Raises:
        PlanError: it is neither a URL nor a Service.
        UnreachableError: there is no such cluster, no such Service, or no way to it.
    """
    if "://" in text:
        if namespace or context or kubeconfig:
            raise PlanError("--namespace, --context and --kubeconfig go with svc/NAME, not a URL")
        yield Aim(text)
        return
    found = _SERVICE.fullmatch(text)
    if found is None:
        raise PlanError(f"{text!r} is not a URL such as http://127.0.0.1:8080/, nor svc/NAME")
    port = found["port"]
    wanted: int | str | None = int(port) if port and port.isdecimal() else port

    from tui.cluster.errors import ClusterError
    from tui.cluster.kubeconfig import load_config
    from tui.cluster.route import Unreachable
    from tui.cluster.route_session import open_routes
    from tui.cluster.session import probe
    from tui.commands.namespaces import choose
    from tui.config import Settings

    chosen = choose(namespace, settings or Settings(), "and name one with --namespace")
    try:
        config = load_config(kubeconfig, context)
        where = chosen.name or config.namespace
        probe(config, chosen.name, hint=chosen.hint)
    except ClusterError as error:
        raise UnreachableError(str(error)) from None
    with open_routes(config, where, allow_hosts=allow_hosts) as (routes, session, store):
        service = found["name"]
        route = routes.find(where, service, wanted)
        if isinstance(route, Unreachable):
            raise UnreachableError(f"{route.reason} {route.next_step}".strip())
        yield Aim(
            _with_path(route.url, found["path"]),
            route.host,
            route.host_header,
            route.address,
            route.label,
            route.bypasses_service,
            route.hint,
            route.most_connections,
            lambda plan: _counts(plan, session, store, where, service),
        )


def _counts(plan: Plan, session: Session, store: Store, namespace: str, service: str) -> PodCounts:
    from tui.cluster.access_log import AccessLogs
    from tui.doors.answering import answering
    from tui.doors.kin import Kin
    from tui.doors.pod_counts import DOUBT, PodCounts
    from tui.state.rows import Kind

    since = time.time() + session.skew - DOUBT
    logs = AccessLogs(session.transport, plan.method, target(plan.url).path, since)
    kin = Kin(lambda: store.rows(Kind.PODS) or (), namespace)
    return PodCounts(logs, lambda: answering(store, namespace, service, None), kin)


def _with_path(url: str, path: str | None) -> str:
    """The URL with another path, which must not be read as another host."""
    parts = urlsplit(url)
    return url if path is None else f"{parts.scheme}://{parts.netloc}{path}"
