"""What some tests need of the machine they run on, each with what it would mean to do without."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Final

import pytest

FULL: Final = Path("/dev/full")

posix = pytest.mark.skipif(os.name != "posix", reason="signals, modes and links are POSIX")
linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc")
full_disk = pytest.mark.skipif(not FULL.exists(), reason="no device that is always full")
