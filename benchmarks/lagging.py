"""``python -m benchmarks.lagging FILE [ARGUMENT ...]``: the program, and how late its loop ran.

Ten milliseconds are slept again and again in the event loop of the dashboard. Each time it woke,
and by how many seconds too late, goes to FILE as a pair of 64-bit floats: soon, so that what is
measured here does not grow by its own measure.
"""

from __future__ import annotations

import asyncio
import sys
from array import array
from pathlib import Path
from time import perf_counter

from tui.app import KscaleApp
from tui.cli import cli

SLEEP = 0.01
KEPT = 4096
"""Floats."""


class Watched(KscaleApp):
    """The dashboard with a stop-watch."""

    def on_dashboard_ready(self) -> None:
        super().on_dashboard_ready()
        self._watch = asyncio.create_task(watch())


wakings = array("d")


async def watch() -> None:
    while True:
        due = perf_counter() + SLEEP
        await asyncio.sleep(SLEEP)
        now = perf_counter()
        wakings.extend((now, max(0.0, now - due)))
        if len(wakings) > KEPT:
            write()


def write() -> None:
    with Path(sys.argv[1]).open("ab") as file:
        file.write(wakings.tobytes())
    del wakings[:]


def main(*arguments: str) -> None:
    sys.modules["tui.app"].KscaleApp = Watched  # type: ignore[attr-defined]  # a module has any name
    try:
        cli(list(arguments), prog_name="kscale-tui")
    finally:
        write()


if __name__ == "__main__":
    main(*sys.argv[2:])
