"""Figures and lists as a sentence has them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Final

from tui.quantity import format_milli
from tui.state.rows import HpaRow, Labels, Requirement

SAMPLES: Final = {
    ("Service", "fastapi-svc"): "fastapi",
    ("Deployment", "fastapi-deploy"): "fastapi",
}
"""The setup of the catalogue that brings what everything else leads to, by kind and usual name."""


def cpu(milli: int) -> str:
    """``250m``, ``2``."""
    return format_milli(milli)


def memory(count: int) -> str:
    """``128Mi``, ``1.5Gi``."""
    value = float(count)
    for suffix in ("", "Ki", "Mi", "Gi"):
        if value < 1024:
            return f"{value:.4g}{suffix}"
        value /= 1024
    return f"{value:.4g}Ti"


def amount(resource: str, value: int) -> str:
    """CPU in millicores or memory in bytes, as manifests write them."""
    return cpu(value) if resource == "cpu" else memory(value)


def clock(at: float) -> str:
    """The time of day here: ``14:03:22``."""
    return time.strftime("%H:%M:%S", time.localtime(at))


def stamp(at: float) -> str:
    """``2026-11-21T14:03:22Z``, as the API writes it."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))


def listed(names: Sequence[str], most: int = 3) -> str:
    """``a, b and c``; ``a, b, c and 4 more``."""
    if len(names) > most:
        return f"{', '.join(names[:most])} and {len(names) - most} more"
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"


def count(number: int, noun: str) -> str:
    """``1 pod``, ``4 pods``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def labels(pairs: Labels) -> str:
    """``app=web,tier=front``."""
    return ",".join(f"{key}={value}" for key, value in pairs)


def selector(terms: Sequence[Requirement]) -> str:
    """As ``kubectl get -l`` takes it."""
    said = []
    for term in terms:
        if term.op == "In" and len(term.values) == 1:
            said.append(f"{term.key}={term.values[0]}")
        elif term.op in ("In", "NotIn"):
            said.append(f"{term.key} {term.op.lower()} ({','.join(term.values)})")
        else:
            said.append(f"{'!' if term.op == 'DoesNotExist' else ''}{term.key}")
    return ",".join(said)


def hpa_name(hpa: HpaRow) -> str:
    """``HorizontalPodAutoscaler default/web``."""
    return f"HorizontalPodAutoscaler {hpa.namespace}/{hpa.name}"
