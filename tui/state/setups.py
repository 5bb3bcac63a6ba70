"""Setups as the screen shows them: plain rows that the door of setups writes."""

from __future__ import annotations

import msgspec


class ObjectStep(msgspec.Struct, frozen=True):
    """Where one object of an apply or a delete is."""

    name: str
    """``Deployment/nginx-proxy``."""
    step: str
    """waiting, sent, rolling out, answering, ready, deleting, gone or failed."""
    sentence: str = ""


class SetupRow(msgspec.Struct, frozen=True):
    """A setup in the namespace that is looked at."""

    name: str
    key: str = ""
    """What the key in the pane is; empty without one."""
    title: str = ""
    summary: str = ""
    state: str = "unknown"
    """absent, healthy, degraded, drifted, not ours or unknown."""
    sentence: str = ""
    missing: tuple[str, ...] = ()
    """Rights that are missing to apply or delete it: ``create services in namespace default``."""
    busy: str = ""
    """``applying``, ``deleting`` or ``undoing`` while that is under way."""
    steps: tuple[ObjectStep, ...] = ()
    """Of what is under way, or of what failed."""
    failure: str = ""
    """Why the last apply or delete stopped."""
    undo: str = ""
    """What undoing would do; empty if there is nothing to undo."""
    url: str = ""
    route: str = ""
    """The way to it in a few words."""
    probe: str = ""
    """What the health path answered last."""
    answers: bool | None = None
    """Whether that was good; None: not asked, or no way leads there."""
    probed: float | None = None
    """When, in seconds since the epoch."""
    seconds: float | None = None
    """From the key until it was ready, when it was applied from here."""
    ready: int | None = None
    wanted: int | None = None
    """Pods; None for setups without."""


class SetupWrite(msgspec.Struct, frozen=True):
    """Something that was written to the cluster."""

    time: float
    setup: str
    text: str
    good: bool = True


class SetupsRow(msgspec.Struct, frozen=True):
    """All setups, and what was written for them."""

    rows: tuple[SetupRow, ...] = ()
    notice: str = ""
    """Why there are none, or why the last wish was not met."""
    noticed: int = 0
    writes: tuple[SetupWrite, ...] = ()
    """Oldest first; the latest few hundred."""
    written: int = 0
    """How many writes there have been in all."""
    refusal: str = ""
    """Why nothing may be written here; empty if it may."""

    @property
    def busy(self) -> bool:
        """Whether anything is under way."""
        return any(row.busy for row in self.rows)
