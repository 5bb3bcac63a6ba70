"""The dialog before a fix of the doctor's is applied, and the way to it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

from textual.widgets import Input

from tests.panes.screen import Shown, shown
from tests.panes.test_hostile import HOSTILE
from tests.stages import at_max
from tui.analysis.doctor.finding import Finding, Patch
from tui.cluster.objects import Ref
from tui.doors.fixes import Seen
from tui.screens.fix_preview import FixPreview
from tui.setups.model import FieldChange
from tui.setups.repair import Repair

HPA = "HorizontalPodAutoscaler"
UNDO = Patch("autoscaling/v2", HPA, "default", "web", '{"spec":{"maxReplicas":10}}')


@dataclass
class Door:
    """Says what it is told to, and notes what is asked of it."""

    says: Seen | None = None
    looked: list[tuple[str, Patch]] = field(default_factory=list)
    done: list[tuple[Repair, str]] = field(default_factory=list)

    def look(self, rule: str, patch: Patch) -> None:
        self.says = None
        self.looked.append((rule, patch))

    @property
    def seen(self) -> Seen | None:
        return self.says

    def apply(self, repair: Repair, typed: str = "") -> None:
        self.says = None
        self.done.append((repair, typed))

    def close(self) -> None:
        """As the app ends."""


def repair(finding: Finding) -> Repair:
    assert finding.fix.patch is not None
    return Repair(
        finding.id,
        finding.fix.patch,
        Ref(HPA, "default", "fastapi-hpa"),
        (FieldChange("spec.maxReplicas", "10", "20"),),
        ("kubectl apply manages spec.maxReplicas, and sets it back: change it there, too.",),
        ("the API server warns: old",),
        undo=UNDO,
        live={},
    )


@asynccontextmanager
async def opened(size: tuple[int, int] = (80, 24)) -> AsyncIterator[tuple[Shown, Door, Repair]]:
    """From the doctor's pane, by its key, with a door of the test's own."""
    async with shown(at_max(), size) as screen:
        door = Door()
        screen.app.__dict__["fixes"] = door
        await screen.press("d", "enter")
        assert isinstance(screen.app.screen, FixPreview)
        finding = screen.dashboard.doctor.chosen
        assert finding is not None
        yield screen, door, repair(finding)


async def says(screen: Shown, door: Door, seen: Seen, words: str) -> str:
    """The sheet, once it shows what the door has found out."""
    door.says = seen
    await screen.until(lambda: words in screen.text("#sheet"))
    return " ".join(screen.text("#sheet").split())


async def test_what_is_asked_stays_in_sight() -> None:
    async with opened() as (screen, door, seen):
        long = tuple(FieldChange(f"spec.f{n}", "x" * 200, "y") for n in range(9))
        await says(screen, door, Seen(replace(seen, changes=long)), "spec.f0")
        await screen.look()
        inside = screen.app.screen.query_one("#sheet").content_region
        assert inside.contains_region(screen.app.screen.query_one("#question").region)


async def test_it_is_read_applied_and_taken_back() -> None:
    async with opened() as (screen, door, seen):
        assert door.looked == [("at-max", seen.patch)]
        assert "asking the server" in screen.text("#sheet")
        await screen.press("y")
        assert door.done == []
        sheet = await says(screen, door, Seen(seen), "~ Horizontal")
        for part in (
            "spec.maxReplicas: 10 → 20",
            "▲ kubectl apply manages spec.maxReplicas",
            "· the API server warns: old",
            "y apply",
        ):
            assert part in sheet, part
        for key in ("enter", "u", "r", "d"):
            await screen.press(key)
        assert door.done == []
        await screen.press("ctrl+y")
        assert screen.app.clipboard == UNDO.command
        await screen.press("y")
        assert door.done == [(seen, "")]
        assert "applying" in screen.text("#sheet")
        sheet = await says(screen, door, Seen(seen, done=True), "is changed")
        assert "u take it back" in sheet
        await screen.press("u")
        assert door.looked[-1] == ("at-max", UNDO)
        back = replace(seen, patch=UNDO, changes=(FieldChange("spec.maxReplicas", "20", "10"),))
        sheet = await says(screen, door, Seen(back), "20 → 10")
        assert "Take the change back." in sheet
        await screen.press("y", "escape")
        assert door.done[-1] == (back, "")
        assert not isinstance(screen.app.screen, FixPreview)
        await screen.press("z")
        assert "Enter shows what this changes, and asks" in screen.text("#doctor")
        assert "Enter preview the fix" in screen.text("#doctor")


async def test_what_stands_against_it_is_said_and_a_name_is_asked_for() -> None:
    async with opened((120, 36)) as (screen, door, seen):
        refused = replace(seen, changes=(), problems=("You may not patch it.",), undo=None)
        sheet = await says(screen, door, Seen(refused), "You may not")
        assert "By hand it would be:" in sheet
        await screen.press("y")
        assert door.done == []
        await screen.press("r")
        assert len(door.looked) == 2
        await says(screen, door, Seen(problem="The cluster is away."), "The cluster is away.")
        await screen.press("y", "r")
        assert (door.done, len(door.looked)) == ([], 3)
        live = replace(seen, typed="prod")
        sheet = await says(screen, door, Seen(live), "~ Horizontal")
        assert "prod looks like production: type its name" in sheet
        await screen.press("p", "r", "o", "enter")
        assert door.done == []
        await screen.press("d", "enter")
        assert door.done == [(live, "prod")]
        await says(screen, door, Seen(problem="It has been changed."), "It has been changed.")
        assert not screen.app.screen.query_one("#typed", Input).display

        # What the cluster wrote is only text, wherever it stands.
        every = "".join(HOSTILE.values())
        hostile = Repair(
            seen.rule,
            seen.patch,
            Ref(HPA, every, every),
            (FieldChange(every, every, every),),
            (every,),
            (every,),
            (),
            every,
            Patch("v1", HPA, every, every, every),
            {},
        )
        await screen.press("r")
        await says(screen, door, Seen(hostile), "~ Horizontal")
        await screen.press("ctrl+y")
        assert screen.app.clipboard.startswith("kubectl")
        assert not set("\x1b\x07\u202e\u2066\x00") & {*screen.text(), *screen.app.clipboard}
        assert isinstance(screen.app.screen, FixPreview)
