"""The dialog before a setup is applied or deleted, with keys and the mouse."""

from __future__ import annotations

import unicodedata
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len
from textual.widgets import Button, Input

from tests.panes.screen import Shown, shown
from tests.panes.test_hostile import HOSTILE
from tests.stages import empty
from tui.cluster.objects import Ref
from tui.doors.setups import Prepared
from tui.screens.setup_preview import SetupPreview
from tui.setups.model import FieldChange, Need, NeedKind, Placeholder, Setup, ValueType
from tui.setups.plan import Action, Conflict, Deletion, ObjectDiff, Plan, Prerequisite

SIZES = [(80, 24), (120, 36), (200, 60)]
DEPLOYMENT = Ref("Deployment", "default", "nginx-proxy")
SERVICE = Ref("Service", "default", "nginx-svc")
IMAGE = "spec.template.spec.containers[name=nginx].image"
NGINX = Setup(
    "nginx",
    "nginx in front of the app",
    "A reverse proxy.",
    Path("nginx"),
    builtin=True,
    placeholders=(
        Placeholder("app-service", ValueType.NAME, "fastapi-svc", "Service of the app"),
        Placeholder("node-port", ValueType.NODE_PORT, 30081, "port on every node"),
    ),
)
PLAN = Plan(
    NGINX,
    {"app-service": "fastapi-svc", "node-port": 30081},
    "default",
    (),
    (
        ObjectDiff(Ref("ConfigMap", "default", "nginx-config"), Action.UNCHANGED),
        ObjectDiff(SERVICE, Action.CREATE, warnings=("it is deprecated",)),
        ObjectDiff(
            DEPLOYMENT,
            Action.CHANGE,
            (FieldChange(IMAGE, '"nginx:1.26"', '"nginx:1.27"'), FieldChange("spec.x", "1", None)),
        ),
        ObjectDiff(Ref("ConfigMap", "default", "nginx-old"), Action.PRUNE),
    ),
    (Prerequisite(Need(NeedKind.SERVICE, "fastapi-svc"), True, "Service fastapi-svc is there."),),
)
CONFLICT = replace(
    PLAN,
    objects=(ObjectDiff(DEPLOYMENT, Action.CHANGE, (), (Conflict("kubectl-edit", IMAGE),)),),
)
DELETION = Deletion(
    "nginx",
    "default",
    ((DEPLOYMENT, "uid-1"), (SERVICE, "uid-2")),
    foreign=((Ref("ConfigMap", "default", "nginx-config"), "Helm release web"),),
)


@dataclass
class Door:
    """Says what it is told to, and notes what is asked of it."""

    says: Prepared | None
    asked: list[tuple[str, bool | None, dict[str, str | int] | None]] = field(default_factory=list)
    done: list[tuple[Any, ...]] = field(default_factory=list)

    def prepare(
        self, name: str, deleting: bool | None, given: Mapping[str, str | int] | None = None
    ) -> None:
        if self.asked:
            self.says = None
        self.asked.append((name, deleting, dict(given) if given is not None else None))

    @property
    def prepared(self) -> Prepared | None:
        return self.says

    def apply(
        self, plan: Plan, typed: str = "", take_over: Collection[tuple[Ref, Conflict]] = ()
    ) -> None:
        self.done.append(("apply", plan, typed, tuple(take_over)))

    def delete(self, deletion: Deletion, typed: str = "") -> None:
        self.done.append(("delete", deletion, typed))


@pytest.mark.parametrize("action", ["confirm", "take_over", "enter", "scroll(1)"])
async def test_keys_may_come_before_there_is_a_sheet(action: str) -> None:
    async with shown(empty()) as screen:
        preview = SetupPreview(Door(Prepared(plan=PLAN)), "nginx", None)
        mounted = screen.app.push_screen(preview)
        assert not preview.is_mounted
        await screen.app.run_action(action, default_namespace=preview)
        await mounted
        await screen.until(
            lambda: "would" in screen.text("#sheet") or "nginx" in screen.text("#sheet")
        )


async def test_it_may_be_asked_for_as_the_program_ends() -> None:
    async with shown(empty()) as screen:
        preview = SetupPreview(Door(Prepared(plan=PLAN)), "nginx", None)
        screen.app.push_screen(preview)
        screen.app.exit(0)
        await screen.pilot.pause()
    assert screen.app.return_code == 0


@asynccontextmanager
async def opened(
    found: Plan | Deletion | str | None, size: tuple[int, int] = (80, 24)
) -> AsyncIterator[tuple[Shown, Door]]:
    """The dialog over the dashboard, with what the door has found out."""
    async with shown(empty(), size) as screen:
        yield screen, await ask(screen, found)


def _prepared(found: Plan | Deletion | str | None) -> Prepared | None:
    match found:
        case Plan():
            return Prepared(plan=found)
        case Deletion():
            return Prepared(deletion=found)
        case str():
            return Prepared(problem=found)
        case None:
            return None


async def ask(screen: Shown, found: Plan | Deletion | str | None) -> Door:
    """Open the dialog, and wait for what the door has found out."""
    door = Door(_prepared(found))
    await screen.app.push_screen(SetupPreview(door, "nginx", None))
    if found is not None:
        await screen.until(lambda: "asking the server" not in screen.text("#sheet"))
    await screen.look()
    return door


def closed(screen: Shown) -> bool:
    return not isinstance(screen.app.screen, SetupPreview)


@pytest.mark.parametrize("size", SIZES)
async def test_it_says_what_will_be_done(size: tuple[int, int]) -> None:
    async with opened(PLAN, size) as (screen, _):
        said = ""
        for _ in range(12):  # as far as it scrolls
            said += " ".join(screen.text("#said").split()) + " "
            await screen.press("down")
        for part in (
            "✓ Service fastapi-svc is there.",
            "= ConfigMap/nginx-config unchanged",
            "+ Service/nginx-svc create",
            "the API server warns: it is deprecated",
            "~ Deployment/nginx-proxy change",
            '"nginx:1.26" → "nginx:1.27"',
            "spec.x: 1 goes",
            "- ConfigMap/nginx-old prune",
        ):
            assert part in said, part
        assert "y apply in default" in screen.text("#question")
        assert screen.app.screen.query_one("#sheet").region.bottom <= size[1]


async def test_y_applies() -> None:
    async with opened(PLAN) as (screen, door):
        assert door.asked == [("nginx", None, None)]
        await screen.press("y")
        assert door.done == [("apply", PLAN, "", ())]
        assert closed(screen)


async def test_no_other_key_does() -> None:
    async with opened(PLAN) as (screen, door):
        for key in ("enter", "space", "n", "c", "a", "d"):
            await screen.press(key)
            assert door.done == [], key
            assert not closed(screen), key


@pytest.mark.parametrize("how", ["escape", "#close"])
async def test_it_closes_and_does_nothing(how: str) -> None:
    async with opened(PLAN) as (screen, door):
        if how == "escape":
            await screen.press("escape")
        else:
            await screen.pilot.click("#close")
            await screen.look()
        assert closed(screen)
        assert door.done == []


async def test_the_mouse_applies() -> None:
    async with opened(PLAN) as (screen, door):
        await screen.pilot.click("#do")
        assert [one[0] for one in door.done] == ["apply"]
        assert closed(screen)


async def test_the_buttons_can_be_reached_with_tab() -> None:
    async with opened(PLAN) as (screen, door):
        await screen.press(*["tab"] * 3)
        assert isinstance(screen.app.focused, Button)
        await screen.press("enter")
        assert [one[0] for one in door.done] == ["apply"]


async def test_values_are_looked_at_before_they_are_applied() -> None:
    async with opened(PLAN) as (screen, door):
        assert screen.app.screen.query_one("#value-node-port", Input).value == "30081"
        await screen.press("tab", "tab", *"30500")
        assert "look with these values" in screen.text("#question")
        await screen.press("enter")
        assert door.done == []
        assert door.asked[-1] == (
            "nginx",
            False,
            {"app-service": "fastapi-svc", "node-port": "30500"},
        )
        door.says = Prepared(plan=replace(PLAN, values={**PLAN.values, "node-port": 30500}))
        await screen.until(lambda: "apply in default" in screen.text("#question"))
        await screen.press("enter")  # from the field
        assert door.done[0][1].values["node-port"] == 30500


async def test_a_value_that_does_not_fit_is_told_and_can_be_mended() -> None:
    async with opened(PLAN) as (screen, door):
        await screen.press("tab", "tab", *"80", "enter")
        door.says = Prepared(problem="node-port must be 30000 to 32767, not 80.")
        await screen.until(lambda: "must be 30000" in screen.text("#said"))
        await screen.press("y", "enter")
        assert door.done == []
        field_ = screen.app.screen.query_one("#value-node-port", Input)
        field_.value = "30500"
        await screen.press("enter")
        assert door.asked[-1][2] == {"app-service": "fastapi-svc", "node-port": "30500"}


async def test_taking_over_is_a_second_choice() -> None:
    async with shown(empty()) as screen:
        for how in ("key", "mouse"):
            door = await ask(screen, CONFLICT)
            said = f"Deployment/nginx-proxy: {IMAGE} is managed by kubectl-edit"
            assert said in screen.text("#said")
            await screen.press("y")
            assert door.done == []
            if how == "key":
                await screen.press("t")
            else:
                await screen.pilot.click("#do")
                await screen.look()
            assert door.done == []
            assert "y apply and take over in default" in screen.text("#question")
            await screen.press("y")
            assert door.done == [("apply", CONFLICT, "", CONFLICT.conflicts)]
            assert closed(screen)


async def test_production_has_its_name_typed() -> None:
    plan = replace(PLAN, typed="shop-prod")
    async with opened(plan) as (screen, door):
        assert "shop-prod looks like production" in screen.text("#question")
        assert screen.app.screen.query_one("#do", Button).disabled
        assert screen.app.focused is screen.app.screen.query_one("#typed", Input)
        await screen.press(*"shop", "enter")
        assert door.done == []
        await screen.press(*"-prod", "enter")
        assert door.done == [("apply", plan, "shop-prod", ())]


async def test_in_production_taking_over_is_still_a_key() -> None:
    plan = replace(CONFLICT, typed="shop-prod")
    async with opened(plan) as (screen, door):
        assert not screen.app.screen.query_one("#typed", Input).display
        await screen.press("t", *"shop-prod", "enter")
        assert door.done == [("apply", plan, "shop-prod", plan.conflicts)]


LONG = replace(
    PLAN,
    typed="shop-prod",
    objects=tuple(
        ObjectDiff(DEPLOYMENT, Action.CHANGE, (FieldChange(f"spec.f{n}", '"' + "x" * 250, '"y"'),))
        for n in range(9)
    ),
)


@pytest.mark.parametrize("size", [(60, 16), *SIZES])
@pytest.mark.parametrize(
    "found", [LONG, replace(LONG, typed=""), DELETION], ids=["typed", "long", "short"]
)
async def test_what_is_asked_stays_in_sight(found: Plan | Deletion, size: tuple[int, int]) -> None:
    async with opened(found, size) as (screen, _):
        await screen.until(lambda: screen.app.screen.query_one("#do").region.height == 1)
        inside = screen.app.screen.query_one("#sheet").content_region
        for name in ("#said", "#question", "#buttons"):
            region = screen.app.screen.query_one(name).region
            assert region.height, name
            assert inside.contains_region(region), name
        assert size != (200, 60) or inside.height < 60, "no more than it needs"


async def test_deleting_lists_exactly_what_goes() -> None:
    async with opened(DELETION) as (screen, door):
        said = screen.text("#said")
        assert "- Deployment/nginx-proxy  uid-1" in said
        assert "- Service/nginx-svc  uid-2" in said
        assert "= ConfigMap/nginx-config stays: it belongs to Helm release web" in said
        await screen.press("y")
        assert door.done == [("delete", DELETION, "")]


REFUSED: dict[str, tuple[Plan | Deletion | str, str]] = {
    "read-only": (replace(PLAN, guard="This is read-only."), "This is read-only."),
    "rights": (
        replace(PLAN, missing_rights=("create services in namespace default",)),
        "You may not create services in namespace default.",
    ),
    "not ours": (
        replace(
            PLAN,
            objects=(ObjectDiff(SERVICE, Action.REFUSED, problem="It belongs to Helm."),),
        ),
        "It belongs to Helm.",
    ),
    "prerequisite": (
        replace(
            PLAN,
            prerequisites=(Prerequisite(Need(NeedKind.METRICS), False, "No metrics API."),),
        ),
        "No metrics API.",
    ),
    "nothing": (replace(PLAN, objects=PLAN.objects[:1]), "nothing to do"),
    "deletion": (replace(DELETION, guard="This is read-only."), "This is read-only."),
    "no rights to delete": (
        replace(DELETION, missing_rights=("delete services in namespace default",)),
        "You may not delete services",
    ),
    "gone": (replace(DELETION, objects=()), "There is nothing of the setup nginx in default."),
    "unreachable": ("The API server is away.", "The API server is away."),
}


async def test_what_cannot_be_is_said_and_not_done() -> None:
    async with shown(empty()) as screen:
        for name, (found, said) in REFUSED.items():
            door = await ask(screen, found)
            assert said in screen.text("#sheet"), name
            button = screen.app.screen.query_one("#do", Button)
            assert (button.disabled, button.display) == (True, False), name
            assert "Do it" not in screen.text("#sheet"), name
            await screen.press("y", "enter", "t", "y")
            assert door.done == [], name
            await screen.app.pop_screen()


async def test_a_title_too_long_for_its_place_says_so() -> None:
    title = "an image with Python 3.9 or newer; the app comes from a ConfigMap"
    placeholders = (Placeholder("image", ValueType.IMAGE, "python:3.12-slim", title),)
    setup = replace(NGINX, placeholders=placeholders)
    plan = replace(PLAN, setup=setup, values={"image": "python:3.12-slim"})
    for size in SIZES[:2]:
        async with opened(plan, size) as (screen, _):
            line = next(text for text in screen.text("#sheet").splitlines() if "an image" in text)
            assert "…" in line
            assert "python:3.12-slim" in line


async def test_nothing_is_done_before_the_answer() -> None:
    async with opened(None) as (screen, door):
        assert "asking the server what would change" in screen.text("#said")
        await screen.press("y", "enter", "t")
        assert door.done == []
        await screen.press("escape")
        assert closed(screen)


async def test_hostile_text_stays_text() -> None:
    async with shown(empty(), (80, 24)) as screen:
        for name, text in HOSTILE.items():
            for found in hostile(text)[: 4 if name in ("markup", "ansi") else 1]:
                screen.app.push_screen(SetupPreview(Door(found), text, None))
                await screen.until(lambda: "asking the server" not in screen.text())
                for line in screen.text().splitlines():
                    assert cell_len(line) <= 80
                    assert not {unicodedata.category(c) for c in line} & {"Cc", "Cf", "Cs"}
                await screen.pilot.press("escape")
        assert screen.app.is_running
        assert closed(screen)


async def test_markup_is_shown_as_it_was_written() -> None:
    async with opened(replace(PLAN, guard="[bold]not bold[/bold]")) as (screen, _):
        assert "✕ [bold]not bold[/bold]" in screen.text("#said")


def hostile(text: str) -> list[Prepared]:
    """Answers in which everything that can be text is this one."""
    ref = Ref(text, text, text)
    diff = ObjectDiff(
        ref,
        Action.CHANGE,
        (FieldChange(text, text, text),),
        (Conflict(text, text),),
        (text,),
        problem=text,
        owner=text,
    )
    plan = replace(
        PLAN,
        namespace=text,
        typed=text,
        objects=(diff, replace(diff, action=Action.REFUSED)),
        prerequisites=(Prerequisite(Need(NeedKind.SERVICE, text), True, text),),
        values={"app-service": text, "node-port": 1},
    )
    deletion = Deletion(text, text, ((ref, text),), ((ref, text),), (text,), typed=text)
    return [
        Prepared(plan=plan),
        Prepared(plan=replace(plan, objects=(diff,), missing_rights=(text,), guard=text)),
        Prepared(deletion=deletion),
        Prepared(problem=text),
    ]
