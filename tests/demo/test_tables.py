"""Tables made from recorded objects, held against the tables the real server made of them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.demo import recorded
from tui.demo import resources
from tui.demo.api import durations, tables
from tui.demo.resources import Resource

MOMENTS = [
    (folder, name, resource)
    for folder in ("idle", "peak", "after-scale-down")
    for name, resource in (
        ("pods", resources.PODS),
        ("deployments", resources.DEPLOYMENTS),
        ("nodes", resources.NODES),
        ("hpa-v2", resources.HPAS),
    )
] + [(f"pod-states/after-{t}s", "pods", resources.PODS) for t in (6, 70)]
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def _without_times(cells: list[Any], columns: list[str]) -> list[Any]:
    kept = []
    for column, cell in zip(columns, cells, strict=True):
        if column == "Restarts":
            cell = cell.partition(" ")[0]
        if column != "Age":
            kept.append(cell)
    return kept


@pytest.mark.parametrize(("folder", "name", "resource"), MOMENTS)
def test_rows_are_those_recorded(folder: str, name: str, resource: Resource) -> None:
    items = recorded.read(f"{folder}/{name}")["items"]
    shown = recorded.read(f"{folder}/{name}-table")
    columns = [(one["name"], one["priority"]) for one in shown["columnDefinitions"]]
    mine = [(one["name"], one["priority"]) for one in tables.columns(resource)]
    assert mine == columns
    names = [one for one, _ in columns]
    made = [_without_times(tables.cells(resource, item, NOW), names) for item in items]
    assert made == [_without_times(row["cells"], names) for row in shown["rows"]]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-5, "<invalid>"),
        (-0.5, "0s"),
        (119, "119s"),
        (133, "2m13s"),
        (180, "3m"),
        (660, "11m"),
        (179 * 60, "179m"),
        (3 * 3600 + 60, "3h1m"),
        (9 * 3600, "9h"),
        (49 * 3600, "2d1h"),
        (48 * 3600, "2d"),
        (10 * 86400, "10d"),
        (800 * 86400, "2y70d"),
        (9 * 365 * 86400, "9y"),
    ],
)
def test_durations_are_shortened_as_kubectl_does(seconds: float, text: str) -> None:
    assert durations.human(seconds) == text


def test_every_kind_has_a_row_in_a_living_cluster(build: Any) -> None:
    cluster = build(lesson=True)
    for resource in resources.SERVED:
        if not resource.stored or resource.alias_of:
            continue
        for entry in cluster.store.entries(resource.storage):
            cells = tables.cells(resource, entry.data, cluster.clock.wall())
            assert len(cells) == len(tables.columns(resource)), resource.kind
            if resource is not resources.EVENTS:
                assert str(cells[0]).removesuffix(" (default)") == entry.name
