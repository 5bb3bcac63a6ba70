"""What a burst may ask, and of whom. Pure functions: the answer is a sentence, or nothing."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection
from dataclasses import dataclass

from tui.load.plan import Plan


@dataclass(frozen=True)
class Limits:
    """The caps. Only the settings file raises them."""

    connections: int = 1_000
    rate: float = 100_000.0
    """Requests a second."""
    duration: float = 1_800.0
    """Seconds."""


def refusal(host: str, allowed: Collection[str] = ()) -> str | None:
    """Why this host must not be loaded; None: it may.

    Args:
        host: of the URL, without port and brackets.
        allowed: hosts that were named, and those of the cluster's own routes.
    """
    name = _plain(host)
    if is_loopback(name) or name in {_plain(other) for other in allowed}:
        return None
    return (
        f"{host} is neither this machine nor a route of the cluster, so it is not loaded; "
        f"if it is yours to load, say --allow-host {host}, or allow-hosts in the settings' [load]"
    )


def is_loopback(host: str) -> bool:
    """Whether the name means this machine, without asking a name server."""
    name = _plain(host)
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def excess(plan: Plan, limits: Limits) -> str | None:
    """Which cap a plan breaks; None: none."""
    most = plan.most_connections
    if most > limits.connections:
        return f"{most} connections are more than the limit of {limits.connections}"
    asked = plan.most_rate
    if asked is not None and asked > limits.rate:
        return f"{asked:,.0f} requests/s are more than the limit of {limits.rate:,.0f}"
    if plan.duration is not None and plan.duration > limits.duration:
        return f"{plan.duration:g} s are more than the limit of {limits.duration:g} s"
    return None


def _plain(host: str) -> str:
    return host.strip().strip("[]").rstrip(".").lower()
