"""Draw on standard output, so that standard error may be redirected to a file."""

from __future__ import annotations

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
            self._file = sys.__stdout__

    return StandardOutput
