"""The door of the doctor's fixes: what a key looks at, applies and takes back.

The screen's thread only asks. Looking and writing happen in threads of their own; what is written
goes through :mod:`tui.cluster.patching`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from tui.analysis.doctor.finding import Patch
from tui.cluster.audit import AuditLog
from tui.cluster.errors import unexpected
from tui.cluster.halt import Halt
from tui.cluster.transport import Transport
from tui.config import Settings
from tui.doors.guards import guard_of
from tui.setups.model import SetupError
from tui.setups.repair import Repair, Repairs


class Connected(Protocol):
    """What fixes need of the connection to a cluster."""

    @property
    def transport(self) -> Transport | None:
        """To its API; None until it is connected."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What was asked for last, or why it cannot be told."""

    repair: Repair | None = None
    done: bool = False
    """Whether it was applied, and not only looked at."""
    problem: str = ""


class FixesDoor:
    """No method waits for the network.

    Args:
        feed: the cluster.
        settings: protected contexts, read-only.
        audit: where writes are noted.
        clock: seconds since the epoch.
    """

    def __init__(
        self,
        feed: Connected,
        settings: Settings,
        *,
        audit: AuditLog | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._feed = feed
        self._settings = settings
        self._audit = audit
        self._clock = clock
        self._halt = Halt()
        self._lock = threading.Lock()
        self._asked = 0
        self._seen: Seen | None = None

    @property
    def seen(self) -> Seen | None:
        """What came of what was asked last; None while it is being found out."""
        return self._seen

    def look(self, rule: str, patch: Patch) -> None:
        """Find out what a patch would do."""
        self._ask(lambda repairs: Seen(repairs.look(rule, patch, self._halt)))

    def apply(self, repair: Repair, typed: str = "") -> None:
        """Carry out what was shown and confirmed."""
        self._ask(lambda repairs: Seen(repairs.carry_out(repair, typed, self._halt), done=True))

    def close(self) -> None:
        """The program ends, and what is under way with it."""
        self._halt.stop()

    def _ask(self, do: Callable[[Repairs], Seen]) -> None:
        with self._lock:
            self._seen = None
            self._asked += 1
            number = self._asked
        threading.Thread(target=self._answer, args=(number, do), name="fix", daemon=True).start()

    def _answer(self, number: int, do: Callable[[Repairs], Seen]) -> None:
        transport = self._feed.transport
        try:
            if transport is None:
                raise SetupError("The cluster is not connected yet; try again in a moment.")
            guard = guard_of(transport.config, self._settings)
            audit = self._audit or AuditLog()
            found = do(Repairs(transport, guard, audit, self._clock))
        except SetupError as error:
            found = Seen(problem=str(error))
        except Exception as error:  # without an answer the screen would wait for ever
            words = f"It ended half way ({unexpected(error)}). Look again before you try once more."
            found = Seen(problem=words)
        with self._lock:
            if number == self._asked:
                self._seen = found
