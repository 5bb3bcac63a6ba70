"""How an apply or a delete goes on, and how it ended. Its text wants cleaning, too."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from tui.cluster.objects import Object, Ref

STOPPED: Final = "Stopped"
"""The reason of a failure that somebody wished for."""


class Step(StrEnum):
    """Where an object of an apply or a delete is."""

    WAITING = "waiting"
    SENT = "sent"
    """The server has it (``created``, ``changed``, ``unchanged`` in ``sentence``)."""
    ROLLING_OUT = "rolling out"
    ANSWERING = "answering"
    """The health path answers."""
    READY = "ready"
    DELETING = "deleting"
    GONE = "gone"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Progress:
    """One step of one object; ``apply`` and ``delete`` hand these on as they happen."""

    ref: Ref
    step: Step
    sentence: str
    """What is known: ``1 of 2 pods ready: ErrImagePull of nginx:1.99``."""
    seconds: float
    """Since the start."""


class Telling:
    """Hands on each step once: what is waited for says the same at every look.

    Args:
        report: is told.
        seconds: since the start.
    """

    def __init__(self, report: Callable[[Progress], None], seconds: Callable[[], float]) -> None:
        self._report = report
        self._seconds = seconds
        self._last: dict[Ref, tuple[Step, str]] = {}

    def say(self, ref: Ref, step: Step, sentence: str) -> None:
        """An object is there now."""
        if self._last.get(ref) != (step, sentence):
            self._last[ref] = (step, sentence)
            self._report(Progress(ref, step, sentence, self._seconds()))


@dataclass(frozen=True, slots=True)
class Failure:
    """Why it stopped."""

    ref: Ref | None
    reason: str
    """A word for machines: ``ImagePullBackOff``, ``FailedScheduling``, ``Conflict``, ``Timeout``…
    """
    sentence: str
    """What happened to which object, and what to do next."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an apply or a delete ended."""

    setup: str
    namespace: str
    seconds: float
    done: tuple[Ref, ...]
    """Objects written, or gone."""
    left: tuple[Ref, ...] = ()
    """After a failure: objects not reached, or not gone."""
    failure: Failure | None = None
    undo: str = ""
    """After a failed apply: what undoing means, in a sentence; empty if nothing was written."""
    probe: str = ""
    """What the health path answered, in a sentence."""
    created: tuple[tuple[Ref, str], ...] = ()
    """Objects that were made, and their uids."""
    before: tuple[tuple[Ref, Object], ...] = field(default=(), repr=False)
    """Objects that were changed, and what had been applied to them before."""

    @property
    def good(self) -> bool:
        """Whether all of it was done."""
        return self.failure is None
