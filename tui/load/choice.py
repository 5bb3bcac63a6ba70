"""What a user chooses: a preset, and what is to be other than it says."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

from tui.load import profile
from tui.load.curve import Points, steady
from tui.load.plan import Pattern, Plan, PlanError

ANSWERED_BY = Pattern(r'(?:"pod(?:_name)?": ?"|pod: <strong>)([^"<]{1,253})')
"""How the sample apps say in the body which pod answers: JSON, or a page."""


@dataclass(frozen=True, slots=True)
class Aim:
    """What is to be loaded: a Service, or with an empty namespace a URL."""

    namespace: str
    service: str
    """Its name, or the URL."""
    qualified: bool = field(default=False, compare=False)
    """Whether Services of other namespaces are offered beside it."""

    @property
    def label(self) -> str:
        """As the screen names it: with its namespace where there are several."""
        return f"{self.namespace}/{self.service}" if self.qualified else self.service


@dataclass(frozen=True, slots=True)
class Choice:
    """A preset with its changes. What is None is left as the preset has it."""

    preset: str
    connections: int | None = None
    rate: float | None = None
    """Requests a second over all connections."""
    duration: str | None = None
    seed: int = 1

    def plan(self, url: str, host: str | None = None, places: Iterable[Path] | None = None) -> Plan:
        """What a burst of it at a URL does.

        Args:
            url: of the target.
            host: what the Host header has to say, if it is not the URL's host.
            places: folders of presets; by default those that ship and the user's own.

        Raises:
            PlanError: no such preset, or it asks for what cannot be.
        """
        wanted = profile.load(self.preset, places)
        if self.duration is not None:
            wanted = msgspec.structs.replace(wanted, duration=self.duration)
        plan = wanted.plan(url)
        changes: dict[str, Any] = {"seed": self.seed, "pattern": ANSWERED_BY}
        if self.connections is not None:
            if self.connections < 1:
                raise PlanError("a burst needs at least one connection")
            changes["connections"] = steady(self.connections)
        if self.rate is not None:
            changes |= {"rate": steady(self.rate), "rate_per_connection": None}
        if host is not None:
            changes["headers"] = (("Host", host), *plan.headers)
        return msgspec.structs.replace(plan, **changes)


def in_words(plan: Plan) -> str:
    """What a plan asks for, such as ``GET / for 60 s over 50 connections, as fast as answered``."""
    parts = [f"{plan.method} {_path(plan.url)}"]
    if plan.count is not None:
        parts.append(f"{plan.count:,} times")
    if plan.duration is not None:
        parts.append(f"for {_time(plan.duration)}")
    connections = span(plan.connections)
    parts.append(f"over {connections} connection{'' if connections == '1' else 's'}")
    if plan.rate is not None:
        total = plan.asked(plan.duration) if plan.duration is not None else None
        asked = f" = {total:,.0f} requests" if total is not None else ""
        parts.append(f"at {span(plan.rate)} requests/s{asked}")
    elif plan.rate_per_connection is not None:
        most = plan.most_rate or 0.0
        parts.append(f"at up to {plan.rate_per_connection:g}/s each, {most:,.0f}/s in all")
    else:
        parts.append("as fast as they are answered")
    if not plan.keep_alive:
        parts.append("each request on a new connection")
    return ", ".join([" ".join(parts[:-1]), parts[-1]]) if len(parts) > 1 else parts[0]


def _path(url: str) -> str:
    return urlsplit(url).path or "/"


def _time(seconds: float) -> str:
    minutes, rest = divmod(seconds, 60)
    if not minutes:
        return f"{rest:g} s"
    return f"{minutes:g} min" + (f" {rest:g} s" if rest else "")


def span(points: Points) -> str:
    """The values of a course, such as ``20 to 1,000``."""
    values = [value for _, value in points]
    low, high = _figure(min(values)), _figure(max(values))
    return high if low == high else f"{low} to {high}"


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 or value == int(value) else f"{value:.2g}"
