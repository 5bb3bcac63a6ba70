"""Whether a setup answers: its checks, asked through whatever way leads to its Service."""

from __future__ import annotations

from tui.cluster.probe import TIMEOUT, probe
from tui.cluster.route import Routes, Unreachable
from tui.setups.model import Answer, Check


def ask(routes: Routes, namespace: str, check: Check, timeout: float = TIMEOUT) -> Answer:
    """Send one check's request.

    Args:
        routes: finds the way, and is told when it no longer answers.
        namespace: of the Service.
        check: what to ask and to expect.
        timeout: seconds.
    """
    found = routes.find(namespace, check.service, check.port)
    if isinstance(found, Unreachable):
        return Answer(False, f"{found.reason} {found.next_step}".rstrip(), reached=False)
    got = probe(found, check.path, timeout=timeout)
    if got.problem:
        routes.failed(found)
        return Answer(False, got.problem, url=got.url)
    words = f"{check.path} answers {got.status} in {1000 * got.latency:.0f} ms"
    if got.served_by:
        words += f", X-Served-By: {got.served_by}"
    words += f" ({found.label})" if found.label else ""
    good = got.status == check.status and (not check.served_by or got.served_by == check.served_by)
    if not good:
        wanted = f"{check.status}" + (f" by {check.served_by}" if check.served_by else "")
        words += f"; expected {wanted}"
    return Answer(good, words, url=got.url, latency=got.latency)
