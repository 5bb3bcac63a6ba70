"""Where the files that ship with the package are, in a checkout and installed alike."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path


@lru_cache(maxsize=1)
def _root() -> Path:
    package = Path(__file__).resolve().parent
    shipped = package / "_data"
    return shipped if shipped.is_dir() else package.parent


def styles() -> Path:
    """The folder of Textual CSS files."""
    return _root() / "styles"


def fixtures() -> Path:
    """The folder of setups, recorded clusters and scenarios."""
    return _root() / "fixtures"
