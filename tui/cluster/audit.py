"""The audit log: a file on this machine that says what was written to which cluster, and when.

One JSON object a line. A line is written before a request is sent (``result: sent``) and another
when its outcome is known, so that a killed program leaves a trace, too. Only its user may read it.
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from tui.cluster.errors import one_line
from tui.cluster.objects import Ref

PATH_VARIABLE: Final = "KSCALE_AUDIT_LOG"
SENT: Final = "sent"
OK: Final = "ok"
_LARGEST: Final = 4 * 1024 * 1024


class AuditError(Exception):
    """The log cannot be written, and so nothing else is: a sentence and the next step."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the log."""

    time: float
    """Seconds since the epoch."""
    context: str
    server: str
    verb: str
    """``apply``, ``take over``, ``delete``."""
    ref: Ref
    uid: str
    setup: str
    result: str
    """`SENT`, `OK`, or why it failed."""


def default_path() -> Path:
    """``$KSCALE_AUDIT_LOG``, else a file in the user's state folder."""
    named = os.environ.get(PATH_VARIABLE)
    if named:
        return Path(named)
    import platformdirs

    return Path(platformdirs.user_state_dir("kscale-tui", appauthor=False)) / "audit.jsonl"


class AuditLog:
    """Appends entries to a file, and hands them on.

    Args:
        path: the file; None for `default_path`.
        listener: is given each entry that has an outcome, in the writing thread.
    """

    def __init__(
        self, path: Path | None = None, listener: Callable[[Entry], None] | None = None
    ) -> None:
        self.path = path or default_path()
        self._listener = listener
        self._lock = threading.Lock()

    def note(self, entry: Entry) -> None:
        """Append an entry.

        Raises:
            AuditError: the file cannot be written.
        """
        stamp = datetime.fromtimestamp(entry.time, UTC)
        line = json.dumps(
            {
                "time": stamp.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
                "context": entry.context,
                "server": entry.server,
                "verb": entry.verb,
                "kind": entry.ref.kind,
                "namespace": entry.ref.namespace,
                "name": entry.ref.name,
                "uid": entry.uid,
                "setup": entry.setup,
                "result": one_line(entry.result),
                "pid": os.getpid(),
            },
            ensure_ascii=True,
        )
        with self._lock:
            try:
                self._append(line.encode() + b"\n")
            except OSError as error:
                raise AuditError(
                    f"The audit log {self.path} cannot be written "
                    f"({error.strerror or error}), so nothing is changed. "
                    f"Name another file in {PATH_VARIABLE}."
                ) from None
        if self._listener is not None and entry.result != SENT:
            self._listener(entry)

    def _append(self, line: bytes) -> None:
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
        handle = os.open(self.path, flags, 0o600)
        try:
            os.fchmod(handle, 0o600)
            # One write, so that two programs never mix their lines.
            os.write(handle, line)
            full = os.fstat(handle).st_size > _LARGEST
        finally:
            os.close(handle)
        if full:
            with contextlib.suppress(OSError):
                os.replace(self.path, self.path.with_suffix(".old.jsonl"))
