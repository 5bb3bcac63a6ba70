"""Bursts that ran, on disk: a JSON file each, the oldest of many removed."""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path
from typing import Final

from tui.load.result import Result, of_json, to_json

KEPT: Final = 200
_NAME: Final = re.compile(r"\d{8}T\d{6}\.\d{6}Z-[A-Za-z0-9._-]{1,60}\.json")
_UNFIT: Final = re.compile(r"[^A-Za-z0-9._-]+")


def folder() -> Path:
    """Where runs are kept."""
    import platformdirs

    return Path(platformdirs.user_data_dir("kscale-tui", appauthor=False)) / "bursts"


class History:
    """The runs in a folder. Other files there are left alone."""

    def __init__(self, place: Path | None = None, kept: int = KEPT) -> None:
        self._place = place or folder()
        self._kept = kept

    def add(self, result: Result) -> Path:
        """Keep a run, readable by the user alone.

        Raises:
            OSError: the disk does not take it.
        """
        self._place.mkdir(parents=True, exist_ok=True)
        moment = result.began.astimezone(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
        label = _UNFIT.sub("-", result.asked.profile or "burst")[:60].strip("-.") or "burst"
        path = self._place / f"{moment}-{label}.json"
        handle, name = tempfile.mkstemp(dir=self._place, suffix=".part")  # mode 0600
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(to_json(result))
            os.replace(name, path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        for old in self.paths()[self._kept :]:
            with contextlib.suppress(OSError):
                old.unlink()
        return path

    def paths(self) -> list[Path]:
        """The runs' files, newest first."""
        try:
            found = [path for path in self._place.iterdir() if _NAME.fullmatch(path.name)]
        except OSError:
            return []
        return sorted(found, key=lambda path: path.name, reverse=True)

    def latest(self, number: int = KEPT) -> list[Result]:
        """The newest runs, newest first. What cannot be read is left out."""
        found: list[Result] = []
        for path in self.paths():
            if len(found) == number:
                break
            with contextlib.suppress(OSError, ValueError):
                found.append(of_json(path.read_bytes()))
        return found


@dataclass(frozen=True)
class Difference:
    """One figure of two runs."""

    name: str
    unit: str
    before: float
    after: float

    @property
    def ratio(self) -> float | None:
        """After by before; None when before is 0."""
        return self.after / self.before if self.before else None


def compare(before: Result, after: Result) -> list[Difference]:
    """Two runs, or two targets, figure by figure: rates, latencies in seconds, failures."""
    rows = [
        Difference("requests", "1/s", before.rate, after.rate),
        Difference("answered", "", before.responses, after.responses),
        Difference("failed", "", before.failed, after.failed),
        Difference("not 2xx or 3xx", "", _bad(before), _bad(after)),
    ]
    for what in ("latency", "service"):
        if what == "service" and not (before.corrected or after.corrected):
            continue
        one, other = getattr(before, what), getattr(after, what)
        rows.append(Difference(f"{what} average", "s", one.mean, other.mean))
        rows += [
            Difference(f"{what} p{percent}", "s", seconds, other.percentiles[percent])
            for percent, seconds in one.percentiles.items()
            if percent in ("50", "90", "99", "99.9")
        ]
    return rows


def _bad(result: Result) -> int:
    return result.responses - result.good
