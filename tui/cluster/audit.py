"""The audit log: a file on this machine that says what was written to which cluster, and when.

One JSON object a line. A line is written before a request is sent (``result: sent``) and another
when its outcome is known, so that a killed program leaves a trace, too. Only its user may read it.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import stat
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, TypeVar

from tui.cluster.errors import ApiError, one_line
from tui.cluster.objects import Ref

PATH_VARIABLE: Final = "KSCALE_AUDIT_LOG"
SENT: Final = "sent"
OK: Final = "ok"
_LARGEST: Final = 4 * 1024 * 1024
_LONGEST: Final = 2000
"""Characters of a patch that are kept."""
_Result = TypeVar("_Result")


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
    """``apply``, ``take over``, ``delete``, ``patch``."""
    ref: Ref
    uid: str
    setup: str
    result: str
    """`SENT`, `OK`, or why it failed."""
    rule: str = ""
    """The doctor's rule that a patch repairs."""
    patch: str = ""
    """What a patch said, as JSON."""
    undo: str = ""
    """What takes it back, as JSON."""


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

    def around(
        self, entry: Entry, send: Callable[[], _Result], clock: Callable[[], float]
    ) -> _Result:
        """Send something, noted before as `SENT`, and after with what came of it.

        Raises:
            AuditError: it cannot be noted before, and so was not sent.
            ApiError: from ``send``.
        """
        self.note(entry)
        result = "no answer"
        try:
            done = send()
            result = OK
        except ApiError as error:
            result = error.message
            raise
        finally:
            # What was sent is noted already: a disk that is full now undoes nothing.
            with contextlib.suppress(AuditError):
                self.note(replace(entry, time=clock(), result=result))
        return done

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
                **{
                    name: one_line(said, _LONGEST)
                    for name in ("rule", "patch", "undo")
                    if (said := getattr(entry, name))
                },
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
            found = os.fstat(handle)
            if stat.S_ISREG(found.st_mode):  # a device belongs to others, too
                os.fchmod(handle, 0o600)
            # One write, so that two programs never mix their lines.
            if os.write(handle, line) != len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            full = found.st_size + len(line) > _LARGEST
        finally:
            os.close(handle)
        if full:
            with contextlib.suppress(OSError):
                os.replace(self.path, self.path.with_suffix(".old.jsonl"))
