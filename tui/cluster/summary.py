"""All links in one: what the header says of the connection."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from tui.state.links import Health, Link, SourceKey
from tui.state.rows import Kind


def connection(links: Mapping[SourceKey, Link], problem: Link | None = None) -> Link:
    """The worst of the tables' links, and how far it reaches.

    A right that is missing, or an API that is not served, concerns its own pane; it is the
    connection's state only if nothing at all may be seen. The metrics API counts as a pane.

    Args:
        links: of the store.
        problem: something that concerns the whole session, such as a namespace that is not there.
    """
    tables = {kind: link for kind, link in links.items() if isinstance(kind, Kind)}
    if not tables:
        return problem or Link()
    by_health: dict[Health, dict[Kind, Link]] = {}
    for kind, link in tables.items():
        by_health.setdefault(link.health, {})[kind] = link
    if len(by_health.get(Health.STOPPED, ())) == len(tables):
        return _all(by_health[Health.STOPPED])
    if Health.RETRYING in by_health:
        return _retrying(by_health[Health.RETRYING], len(tables))
    if problem is not None:
        return problem
    if Health.LIVE not in by_health:
        for health in (Health.CONNECTING, Health.FORBIDDEN, Health.ABSENT, Health.STOPPED):
            if health in by_health:
                return _all(by_health[health])
    if Health.CONNECTING in by_health:
        return _all(by_health[Health.CONNECTING])
    live = by_health[Health.LIVE]
    since = max(link.since for link in live.values())
    hidden = sorted(by_health.get(Health.FORBIDDEN, ()))
    return Link(Health.LIVE, since, f"Not allowed: {', '.join(hidden)}." if hidden else "")


def _retrying(lost: Mapping[Kind, Link], tables: int) -> Link:
    """One sentence for all that is lost; who is lost is said if it is not everything."""
    said = Counter(link.detail for link in lost.values())
    detail = said.most_common(1)[0][0]
    if len(lost) < max(2, tables // 2):
        detail = f"{', '.join(sorted(lost))}: {detail}"
    summary = _all(lost)
    return Link(Health.RETRYING, summary.since, detail, summary.retry_at)


def _all(links: Mapping[Kind, Link]) -> Link:
    first = links.get(Kind.PODS) or min(links.values(), key=lambda link: link.since)
    times = [link.retry_at for link in links.values() if link.retry_at is not None]
    since = min(link.since for link in links.values())
    return Link(first.health, since, first.detail, min(times, default=None))
