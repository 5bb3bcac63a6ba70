"""plotext, without its manual.

Importing plotext formats the documentation of every method: three quarters of the import, a fifth
of a second in which the first picture of a cluster would stand still.
"""

from __future__ import annotations

import sys
from functools import cache
from types import ModuleType
from typing import Any, Final

_MANUAL: Final = "plotext._doc.doc"


@cache
def library() -> Any:
    """The ``plotext`` module. In a version that has no such manual it is the usual import."""
    if "plotext" in sys.modules:
        return sys.modules["plotext"]
    blank: Any = ModuleType(_MANUAL)
    blank.docs = None
    sys.modules[_MANUAL] = blank
    try:
        import plotext
    finally:
        del sys.modules[_MANUAL]
    return plotext
