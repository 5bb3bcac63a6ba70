"""The doctor's pane, its count in the header, and its pages in the help."""

from __future__ import annotations

import pytest

from tests.panes.screen import shown
from tests.samples import conditions, hpa
from tests.stages import Stage, at_max, idle, metrics_absent
from tui.analysis.doctor.registry import all_rules
from tui.state.rows import Kind, ServiceRow

_COMMAND = "kubectl -n default patch hpa fastapi-hpa"


def _with_service(stage: Stage) -> Stage:
    """So that pods get requests, and ought to say when they are ready for them."""
    service = ServiceRow(
        uid="uid-svc", name="fastapi-svc", namespace="default", selector=(("app", "fastapi"),)
    )
    stage.store.put(Kind.SERVICES, [service])
    return stage


async def test_a_key_brings_it_to_the_front() -> None:
    async with shown(at_max(), (80, 24)) as screen:
        assert not screen.dashboard.doctor.display
        await screen.press("d")
        assert screen.dashboard.doctor.display
        assert screen.dashboard.focused is screen.dashboard.doctor
        text = screen.text("#doctor")
        assert "▲ fastapi-hpa is at its" in text
        assert "maximum of 10" in text


async def test_zoomed_it_says_how_it_is_known_and_what_to_do() -> None:
    async with shown(at_max()) as screen:
        await screen.press("d", "z")
        text = screen.text()
        assert "HorizontalPodAutoscaler default/fastapi-hpa" in text
        assert "spec.maxReplicas = 10" in text
        assert "112 % of 50 %" in text
        assert f"$ {_COMMAND}" in text


async def test_the_command_can_be_copied() -> None:
    async with shown(at_max()) as screen:
        await screen.press("d", "z", "ctrl+y")
        assert screen.app.clipboard.startswith(_COMMAND)


async def test_nothing_is_copied_from_another_pane() -> None:
    async with shown(at_max()) as screen:
        await screen.press("ctrl+y")
        assert screen.app.clipboard == ""


async def test_the_cursor_opens_one_finding_after_the_other() -> None:
    async with shown(_with_service(at_max())) as screen:
        await screen.press("d", "z")
        assert "spec.maxReplicas" in screen.text()
        assert ".readinessProbe" not in screen.text()
        await screen.press("j")
        assert "spec.maxReplicas" not in screen.text()
        assert ".readinessProbe" in screen.text()
        await screen.press("up")
        assert "spec.maxReplicas" in screen.text()


@pytest.mark.parametrize(
    ("stage", "count"), [(at_max, "▲ 1  ●"), (metrics_absent, "✕ 1  "), (idle, "")]
)
async def test_the_header_counts_what_is_wrong(stage: object, count: str) -> None:
    assert callable(stage)
    async with shown(stage()) as screen:
        header = screen.text("#header")
        assert count in header
        assert bool(count) == any(sign in header for sign in "▲✕")


async def test_it_says_so_when_nothing_is_wrong() -> None:
    async with shown(idle()) as screen:
        await screen.press("d")
        assert "● nothing wrong found" in screen.text("#doctor")


async def test_advice_is_not_counted() -> None:
    async with shown(_with_service(idle())) as screen:
        await screen.press("d")
        assert "○ fastapi-deploy has no readiness probe" in screen.text("#doctor")
        assert "▲" not in screen.text("#header")


async def test_every_rule_has_a_page_in_the_help() -> None:
    async with shown(idle(), (200, 300)) as screen:
        await screen.press("?")
        text = screen.text()
        assert len(all_rules()) > 30
        for rule in all_rules():
            assert f"({rule.id})" in text, rule.id
            assert rule.page[:40] in text, rule.id


async def test_what_the_cluster_wrote_is_only_text() -> None:
    name = "[/]\x1b[31m[@click=app.quit]x\u202e"
    stage = at_max()
    held = conditions("TooManyReplicas")
    stage.at(0, lambda: stage.store.put(Kind.HPAS, [hpa(10, 10, 112, name=name, conditions=held)]))
    async with shown(stage) as screen:
        stage.clock.now += 2
        await screen.press("d", "z", "ctrl+y")
        text = screen.text()
        assert "[/][@click=app.quit]x" in text
        assert not set("\x1b\u202e") & {*text, *screen.app.clipboard}
