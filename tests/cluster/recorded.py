"""The recorded cluster in fixtures/clusters."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2] / "fixtures" / "clusters" / "k8s-1.36"


def raw(name: str) -> bytes:
    """A recorded body as the server sent it, such as ``peak/pods.json``."""
    return gzip.decompress((ROOT / f"{name}.gz").read_bytes())


def document(name: str) -> Any:
    return json.loads(raw(name))


def lines(name: str) -> list[dict[str, Any]]:
    """The entries of a ``.jsonl`` file."""
    return [json.loads(line) for line in raw(name).splitlines() if line.strip()]


def table(name: str) -> dict[str, dict[str, Any]]:
    """What kubectl printed: cells by column, by the object's name."""
    found = document(name)
    columns = [column["name"] for column in found["columnDefinitions"]]
    rows = [dict(zip(columns, row["cells"], strict=True)) for row in found["rows"]]
    return {row["Name"]: row for row in rows}


@cache
def errors() -> dict[str, dict[str, Any]]:
    """Recorded requests and answers by name."""
    found: dict[str, dict[str, Any]] = document("errors.json")
    return found


def names(ending: str) -> Iterator[str]:
    """Every recorded file whose name ends so."""
    for path in sorted(ROOT.rglob(f"*{ending}.gz")):
        yield path.relative_to(ROOT).as_posix().removesuffix(".gz")
