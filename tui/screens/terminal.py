"""Draw on standard output, so that standard error may be redirected to a file."""

from __future__ import annotations

import contextlib
import sys
from typing import Any

from textual.driver import Driver


def on_standard_output(base: type[Driver]) -> type[Driver]:
    """Textual's driver for POSIX terminals, which draws on standard error, turned round."""
    if sys.platform == "win32" or base.__name__ != "LinuxDriver":
        return base

    class StandardOutput(base):  # type: ignore[misc, valid-type]  # a class known at run time only
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self._file = _Lasting(sys.__stdout__)

    return StandardOutput


class _Lasting:
    """A window that may be closed: what is written to it then is lost.

    Textual's writing thread would end with the error, and the program would wait for it for ever.
    """

    def __init__(self, file: Any) -> None:
        self._file = file

    def write(self, text: str) -> None:
        """Write, as long as there is somebody to read."""
        with contextlib.suppress(OSError, ValueError):
            self._file.write(text)

    def flush(self) -> None:
        """Flush, as long as there is somebody to read."""
        with contextlib.suppress(OSError, ValueError):
            self._file.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)
