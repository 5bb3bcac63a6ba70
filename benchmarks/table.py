"""Tables of figures, as Markdown: readable in a terminal, ready for a document."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence


def show(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table; the first column holds words, the others figures."""
    widths = [max(map(len, column)) for column in zip(columns, *rows, strict=True)]

    def line(cells: Sequence[str]) -> str:
        words, *figures = (
            cell.rjust(width) if at else cell.ljust(width)
            for at, (cell, width) in enumerate(zip(cells, widths, strict=True))
        )
        return f"| {' | '.join((words, *figures))} |"

    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    print(f"\n## {title}\n", line(columns), line(rule), *map(line, rows), sep="\n", flush=True)


def verdict(value: float, limit: float) -> str:
    """Whether a figure is within its limit."""
    return "yes" if value <= limit else "NO"


def machine() -> str:
    """What the figures were measured on, and how busy it was."""
    name = platform.processor() or platform.machine()
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:
            name = next(line.split(":")[1].strip() for line in lines if "model name" in line)
    except (OSError, StopIteration):
        pass
    python = f"{platform.python_implementation()} {platform.python_version()}"
    load = f"{os.getloadavg()[0]:.1f}"
    return f"{name}, {os.cpu_count()} cores, {platform.system()}, {python}, load average {load}"
