"""The explanation of a cluster whose names and messages are hostile."""

from __future__ import annotations

import unicodedata

import pytest
from rich.cells import cell_len

from tests.panes.screen import shown
from tests.panes.test_hostile import NAMES, poisoned
from tests.samples import NOW, conditions, cpu_metric, hpa, pod, usage
from tui.screens.whatif import WhatIfScreen
from tui.state.readings import Reading
from tui.state.rows import Kind, MetricRow


@pytest.mark.parametrize("name", NAMES)
async def test_neither_the_steps_nor_what_if_obey_or_break(name: str) -> None:
    text = NAMES[name]
    broken = list(NAMES).index(name) % 2 == 1
    stage = poisoned(text)
    metrics = [
        cpu_metric(120),
        MetricRow(type="Object", name=text, object=f"{text}/{text}", target_type="Value", target=5),
        MetricRow(type="External", name=text, target_type="AverageValue", target=5, current=9),
    ]
    if broken:
        metrics.append(MetricRow(type=text, name=text))
    row = hpa(2, 2, 120, name=text, target_name=text, metrics=tuple(metrics))
    held = hpa(
        2,
        2,
        120,
        name=text,
        target_name=text,
        metrics=tuple(metrics),
        conditions=conditions("TooManyReplicas", message=text),
    )
    store = stage.store
    readings = {1: Reading(problem=text), 2: Reading(levels=(12,))}
    stage.at(-9, lambda: store.sample_custom("uid-hpa", readings))
    stage.at(-8, lambda: store.put(Kind.HPAS, [row]))
    stage.at(-7, lambda: store.put(Kind.PODS, [pod(text, age=4000, uid="uid-a")]))
    stage.at(-6, lambda: store.sample_pods([usage(text, 120, time=NOW - 9)]))
    stage.at(-3, lambda: store.put(Kind.HPAS, [held]))
    async with shown(stage, size=(100, 30)) as screen:
        assert screen.dashboard.why.scene.why.outlook is not None
        _check(screen.text(), 100)
        for keys in (("w",), ("z",), ("escape",), ("f",), ("9",)):
            await screen.pilot.press(*keys)
            await screen.look()
            _check(screen.text(), 100)
        assert isinstance(screen.app.screen, WhatIfScreen)
        assert screen.app.is_running


def _check(text: str, columns: int) -> None:
    for line in text.splitlines():
        assert cell_len(line) <= columns
        for char in line:
            assert unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp"), repr(
                char
            )
