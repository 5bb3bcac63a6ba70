"""Names and messages from the cluster are text, whatever they hold, in every pane."""

from __future__ import annotations

import os
import re
import unicodedata

import pytest
from rich.cells import cell_len

from tests.panes.screen import shown
from tests.samples import NOW, conditions, cpu_metric, deployment, hpa, nodes, pod, usage, warning
from tests.stages import Stage, idle
from tui.state.links import Health, Link, Source
from tui.state.place import Place
from tui.state.rows import Kind, MetricRow, NodeUsage, Row

HOSTILE = {
    "markup": "[/] [bold red]x[/bold red]",
    "link": "[@click=app.quit]click me[/]",
    "ansi": "\x1b[2J\x1b[31mred\x1b[0m\x1b]0;title\x07 \x9b5m",
    "osc-link": "\x1b]8;;http://example.invalid\x1b\\here\x1b]8;;\x1b\\",
    "bidi": "safe\u202eevil\u2066x\u2069",
    "zero-width": "a\u200bb\u200dc\ufeffd",
    "long": "x" * 253,
    "korean": "쿠버네티스-오토스케일러-데모-파드-" * 3,
    "combining": "Z" + "\u0334\u0337\u0338" * 40,
    "newlines": "one\ntwo\r\nthree\tfour\x00five",
    "surrogate": "lone\ud800surrogate",
    "dollars": "$measured $(reboot) `id` %s {0} \\",
    "emoji": "🚀🔥👩‍👩‍👧‍👦",
    "empty": "",
}
_TOGETHER = {
    "styling": ("markup", "link", "dollars"),
    "controls": ("ansi", "osc-link", "newlines", "surrogate"),
    "invisible": ("bidi", "zero-width", "combining"),
    "wide": ("emoji", "korean"),
    "long": ("long",),
    "empty": ("empty",),
}
NAMES = (
    HOSTILE
    if os.environ.get("KSCALE_SOAK")
    else {kind: "".join(HOSTILE[name] for name in names) for kind, names in _TOGETHER.items()}
)
"""One after the other in a name; each for itself in the long form of the tests."""


def poisoned(text: str) -> Stage:
    """A cluster in which everything that can be named is named like that."""
    stage = idle()
    stage.script = []
    stage.place = Place(text, text)
    stage.connection = Link(Health.RETRYING, NOW - 60, text, NOW + 5)
    store = stage.store
    for kind in (Kind.PODS, Kind.NODES, Kind.HPAS, Kind.DEPLOYMENTS):
        store.retain(kind, [])
    odd = {
        "name": text,
        "target_name": text,
        "conditions": conditions("TooManyReplicas", active=text or "x", message=text),
        "metrics": (
            cpu_metric(None),
            MetricRow(type="ContainerResource", name=text, container=text, target=50, current=70),
            MetricRow(type="Object", name=text, object=text, target_type="Value", target=5),
            MetricRow(type="External", name=text, target_type="AverageValue", target=5, current=9),
            MetricRow(type=text, name=text),
        ),
    }
    store.put(Kind.DEPLOYMENTS, [deployment(2, 1, name=text)])
    store.put(Kind.HPAS, [hpa(2, 2, 3, **{**odd, "conditions": conditions()})])
    stage.at(-50, lambda: store.put(Kind.HPAS, [hpa(2, 4, 3, **odd)]))
    bad = {"status": text, "message": text, "node": text, "ip": text}
    stage.at(-40, lambda: store.put(Kind.PODS, [pod(text, age=40, **{**bad, "uid": "uid-a"})]))
    crash = pod(f"{text}-2", age=30, status="CrashLoopBackOff", message=text)
    stage.at(-30, lambda: store.put(Kind.PODS, [crash]))
    stage.at(-20, lambda: store.put(Kind.EVENTS, [warning(text, text, text, time=NOW - 20)]))
    stage.at(-20, lambda: store.sample_pods([usage(text, 120, time=NOW - 25)]))
    stage.at(-10, lambda: store.put(Kind.NODES, [_node(text, row) for row in nodes()]))
    stage.at(-10, lambda: store.sample_nodes([NodeUsage(text, NOW - 12, 15.0, 100, 10**9)]))
    return stage


def _node(text: str, row: Row) -> Row:
    import msgspec

    return msgspec.structs.replace(
        row, name=text, roles=(text,), version=text, problems=(text,), ready="False"
    )


@pytest.mark.parametrize("name", NAMES)
async def test_no_pane_obeys_or_breaks(name: str) -> None:
    stage = poisoned(NAMES[name])
    async with shown(stage, size=(100, 30)) as screen:
        _check(screen.text(), 100)
        screen.dashboard.pods.set_filter(NAMES[name])
        for view in (("a", "z"), ("tab", "tab", "tab"), ("z", "escape")):
            await screen.pilot.press(*view)
            await screen.look()
            _check(screen.text(), 100)
        assert screen.app.is_running


@pytest.mark.parametrize("name", NAMES)
async def test_no_kind_that_an_hpa_says_it_scales_is_obeyed(name: str) -> None:
    """The API server takes any that could be part of a path."""
    stage = idle()
    stage.store.put(Kind.HPAS, [hpa(2, 2, 3, target_kind=NAMES[name], target_name="web")])
    async with shown(stage, size=(160, 30)) as screen:
        assert " target " in screen.text().splitlines()[0]
        _check(screen.text(), 160)
        for keys in (("w", "z"), ("escape", "f")):
            await screen.pilot.press(*keys)
            await screen.look()
            _check(screen.text(), 160)


@pytest.mark.parametrize(
    ("name", "health"),
    [
        ("markup", Health.FORBIDDEN),
        ("ansi", Health.ABSENT),
        ("long", Health.UNAVAILABLE),
    ],
)
async def test_no_reason_given_by_a_server_is_obeyed(name: str, health: Health) -> None:
    stage = Stage()
    for source in (*Kind, *Source):
        stage.store.link(source, health, HOSTILE[name])
    async with shown(stage, size=(80, 24)) as screen:
        _check(screen.text(), 80)
        for pane in ("#hpa", "#pods", "#timeline", "#nodes"):
            assert re.search(r"not permitted|not served|unavailable", screen.text(pane))


async def test_markup_is_shown_as_it_was_written() -> None:
    stage = idle()
    stage.store.put(Kind.PODS, [pod("[bold]not-bold[/bold]", age=10)])
    async with shown(stage, size=(200, 60)) as screen:
        assert "[bold]not-bold[/bold]" in screen.text("#pods")


def _check(text: str, columns: int) -> None:
    for line in text.splitlines():
        assert cell_len(line) <= columns
        for char in line:
            assert unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp"), repr(
                char
            )
    assert "kscale" in text
