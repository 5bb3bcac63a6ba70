"""The door of setups, on the embedded cluster."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.setups.place import Place
from tui.cluster.audit import AuditLog
from tui.cluster.transport import Response, Transport
from tui.config import Settings, SetupSettings
from tui.doors import setups
from tui.doors.setups import Prepared, SetupsDoor
from tui.setups.plan import Deletion, Plan
from tui.state import place as where
from tui.state.setups import SetupRow, SetupsRow
from tui.state.store import Store


@dataclass
class Connected:
    """A connection without ways to Services."""

    transport: Transport | None
    place: where.Place
    routes: None = None


class Room:
    """A door, the store it writes to, and what can be seen there."""

    def __init__(
        self, place: Place, transport: Transport, settings: Settings, own: Path | None
    ) -> None:
        self.store = Store()
        self.feed = Connected(transport, where.Place("embedded", place.namespace))
        audit = AuditLog(place.audit)
        self.door = SetupsDoor(
            self.store, self.feed, settings, taken={"a", "b"}, own=own, audit=audit
        )

    @property
    def all(self) -> SetupsRow:
        return self.store.drain().setups

    def row(self, name: str) -> SetupRow:
        return next((row for row in self.all.rows if row.name == name), SetupRow(name))

    def until(self, seen: Callable[[], object], seconds: float = 20.0) -> None:
        end = time.monotonic() + seconds
        while not seen():
            assert time.monotonic() < end, self.all
            self.door.look()
            time.sleep(0.01)

    def state(self, name: str, state: str) -> SetupRow:
        """The setup, once it is so and nothing is under way."""
        self.until(lambda: (self.row(name).state, self.row(name).busy) == (state, ""))
        return self.row(name)

    def prepare(self, name: str, deleting: bool | None = None) -> Prepared:
        self.door.prepare(name, deleting)
        self.until(lambda: self.door.prepared is not None)
        assert self.door.prepared is not None
        return self.door.prepared

    def plan(self, name: str) -> Plan:
        plan = self.prepare(name, False).plan
        assert plan is not None
        return plan

    def deletion(self, name: str) -> Deletion:
        deletion = self.prepare(name, True).deletion
        assert deletion is not None
        return deletion

    def over(self, name: str) -> SetupRow:
        """The setup, once what was begun has ended."""
        self.until(lambda: not self.row(name).busy)
        return self.row(name)


Make = Callable[..., Room]


@pytest.fixture
def room(place: Place) -> Iterator[Make]:
    made: list[Room] = []
    opened: list[Transport] = []
    place.create("Service", "fastapi-svc", spec={"selector": {"app": "x"}, "ports": [{"port": 80}]})

    def make(*, context: str = "", own: Path | None = None, **settings: Any) -> Room:
        transport = Transport(replace(place.transport.config, context=context or "embedded"))
        opened.append(transport)
        values: dict[str, str | int | dict[str, str | int]] = {"nginx": {"node-port": place.port}}
        chosen = Settings(setups=SetupSettings(values=values), **settings)
        made.append(Room(place, transport, chosen, own))
        return made[-1]

    yield make
    for one in made:
        one.door.close()
    for transport in opened:
        transport.close()


def test_a_key_applies_and_the_same_key_deletes(place: Place, room: Make) -> None:
    there = room()
    there.state("nginx", "absent")
    found = there.prepare("nginx")
    assert found.plan is not None
    assert place.labelled() == set(), "a look changes nothing"
    there.door.apply(found.plan)
    assert there.row("nginx").busy == "applying"
    row = there.state("nginx", "healthy")
    assert (row.failure, row.steps, row.ready, row.wanted) == ("", (), 1, 1)
    assert row.seconds is not None
    said = [write.text for write in there.all.writes]
    assert "Deployment/nginx-proxy created" in said
    assert said[-1].startswith("setup nginx applied in")
    noted = place.audit.read_text()
    assert all(name in noted for name in ("nginx-config", "nginx-svc", "nginx-proxy"))

    found = there.prepare("nginx")
    assert found.deletion is not None
    assert {ref.name for ref, _ in found.deletion.objects} == {
        "nginx-config",
        "nginx-svc",
        "nginx-proxy",
    }
    there.door.delete(found.deletion)
    row = there.state("nginx", "absent")
    assert (row.url, row.probe, row.seconds) == ("", "", None)
    assert place.labelled() == set()
    assert there.all.writes[-1].text.startswith("setup nginx deleted in")


def test_what_is_not_ours_stays_and_an_apply_half_done_is_undone(place: Place, room: Make) -> None:
    there = room()
    plan = there.plan("nginx")
    labels = {"app": "theirs"}
    place.create(
        "Deployment",
        "nginx-proxy",
        spec={
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": [{"name": "x", "image": "x:1"}]},
            },
        },
    )
    uid = place.get("Deployment", "nginx-proxy")["metadata"]["uid"]
    there.door.apply(plan)
    row = there.over("nginx")
    assert "nginx-proxy" in row.failure
    assert row.undo
    assert any(step.step == "failed" for step in row.steps) or "not ours" in row.failure
    assert place.labelled()
    there.door.undo("nginx")
    row = there.over("nginx")
    assert (row.failure, row.undo) == ("", "")
    assert place.labelled() == set()
    assert place.get("Deployment", "nginx-proxy")["metadata"]["uid"] == uid
    there.state("nginx", "not ours")
    there.door.undo("nginx")
    assert "nothing of nginx to undo" in there.all.notice


def test_read_only_is_told_and_kept(place: Place, room: Make) -> None:
    there = room(read_only=True)
    plan = there.plan("nginx")
    assert "read-only" in plan.guard
    there.door.apply(plan)
    assert "read-only" in there.over("nginx").failure
    assert "read-only" in there.all.refusal
    assert place.labelled() == set()


def test_production_wants_its_name(place: Place, room: Make) -> None:
    there = room(context="shop-prod")
    plan = there.plan("nginx")
    assert plan.typed == "shop-prod"
    there.door.apply(plan)
    assert "shop-prod" in there.over("nginx").failure
    assert place.labelled() == set()
    there.door.apply(plan, "shop-prod")
    there.state("nginx", "healthy")
    deletion = there.deletion("nginx")
    there.door.delete(deletion)
    assert "shop-prod" in there.over("nginx").failure
    assert len(place.labelled()) == 3
    there.door.delete(deletion, "shop-prod")
    there.state("nginx", "absent")


def test_every_setup_has_a_key_of_its_own(room: Make, folder: Callable[..., Path]) -> None:
    own = folder("mine", 'key = "m"\n', cm__yaml="apiVersion: v1\nkind: ConfigMap\nmetadata:\n"
                 "  name: mine\n")  # fmt: skip
    folder("broken", "this is no TOML\n")
    there = room(own=own)
    there.state("mine", "absent")
    keys = {row.name: row.key for row in there.all.rows}
    assert (keys["nginx"], keys["caddy"], keys["mine"]) == ("n", "c", "m")
    given = [key for name, key in keys.items() if name != "broken"]
    assert len(set(given)) == len(given)
    assert not {"", "a", "b"} & set(given)
    assert "broken" in there.row("broken").sentence


def test_what_is_unknown_is_said(room: Make) -> None:
    there = room()
    assert "There is no setup 'nonsense'" in there.prepare("nonsense").problem
    there.feed.transport = None
    other = SetupsDoor(there.store, there.feed, Settings())
    other.prepare("nginx", None)
    there.until(lambda: other.prepared is not None)
    assert other.prepared is not None
    assert "not connected yet" in other.prepared.problem
    other.close()


def test_the_later_question_is_answered(room: Make) -> None:
    there = room()
    there.door.prepare("nginx", False)
    found = there.prepare("caddy", False)
    assert found.plan is not None
    assert found.plan.setup.name == "caddy"


def test_it_ends_with_the_program_even_in_the_middle(place: Place, room: Make) -> None:
    there = room()
    there.state("nginx", "absent")
    there.door.apply(there.plan("nginx"))
    there.until(lambda: there.row("nginx").steps)
    there.door.close()
    watching = there.door.watching
    assert watching is not None
    watching.join(3.0)
    assert not watching.is_alive()
    there.until(lambda: not there.row("nginx").busy, 3.0)
    again = room()
    again.door.delete(again.deletion("nginx"))
    again.state("nginx", "absent")
    assert place.labelled() == set()


class Viewing(Transport):
    """To a cluster where this user may not create Services."""

    def request(self, method: str, path: str, *args: Any, **more: Any) -> Response:
        answer = super().request(method, path, *args, **more)
        if path.endswith("/selfsubjectaccessreviews"):
            asked = json.loads(more["body"])["spec"]["resourceAttributes"]
            if (asked["verb"], asked["resource"]) == ("create", "services"):
                review = json.loads(answer.body)
                review["status"] = {"allowed": False}
                return msgspec.structs.replace(answer, body=json.dumps(review).encode())
        return answer


def test_missing_rights_are_named_before_anything_is_tried(place: Place) -> None:
    transport = Viewing(place.transport.config)
    there = Room(place, transport, Settings(), None)
    try:
        there.state("nginx", "absent")
        right = f"create services in namespace {place.namespace}"
        assert there.row("nginx").missing == (right,)
        assert there.row("hpa-cpu").missing == ()
        assert there.plan("nginx").missing_rights == (right,)
        there.door.apply(there.plan("nginx"))
        assert right in there.over("nginx").failure
        assert place.labelled() == set()
    finally:
        there.door.close()
        transport.close()


class Babbling(Transport):
    """To a cluster whose answers to one kind of request are JSON, and nonsense."""

    babbles = True
    spoils = "GET"

    def request(self, method: str, path: str, *args: Any, **more: Any) -> Response:
        answer = super().request(method, path, *args, **more)
        if self.babbles and method == self.spoils and "/namespaces/" in path:
            return msgspec.structs.replace(answer, body=b'{"metadata": null, "items": [null, 1]}')
        return answer


def stocked(place: Place) -> Settings:
    """Settings with which nginx can be applied, and what it needs."""
    place.create("Service", "fastapi-svc", spec={"selector": {"app": "x"}, "ports": [{"port": 80}]})
    return Settings(setups=SetupSettings(values={"nginx": {"node-port": place.port}}))


@pytest.fixture
def babbling(place: Place) -> Iterator[tuple[Room, Babbling]]:
    transport = Babbling(place.transport.config)
    there = Room(place, transport, stocked(place), None)
    yield there, transport
    there.door.close()
    transport.close()


@pytest.fixture
def _watchful(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looks again at once: what a look says after another is asked here, not when."""
    monkeypatch.setattr(setups, "LOOK", 0.0)


@pytest.mark.usefixtures("_watchful")
def test_answers_of_another_shape_are_told(babbling: tuple[Room, Babbling]) -> None:
    there, transport = babbling
    there.until(lambda: "is not what Kubernetes sends" in there.row("nginx").sentence)
    assert there.row("nginx").state == "unknown"
    assert "is not what Kubernetes sends" in there.prepare("nginx").problem
    transport.babbles = False
    there.door.prepare("nginx", None)
    there.state("nginx", "absent")


def test_nonsense_after_a_write_ends_the_apply(babbling: tuple[Room, Babbling]) -> None:
    there, transport = babbling
    transport.babbles = False
    plan = there.plan("nginx")
    transport.babbles, transport.spoils = True, "PATCH"
    there.door.apply(plan)
    assert "is not what Kubernetes sends" in there.over("nginx").failure
    transport.babbles = False
    there.door.delete(there.deletion("nginx"))
    there.state("nginx", "absent")


class Failing(Transport):
    """Fails as no transport should."""

    fails = True

    def request(self, method: str, path: str, *args: Any, **more: Any) -> Response:
        if self.fails:
            raise AttributeError("'int' object has no attribute 'get'")
        return super().request(method, path, *args, **more)


@pytest.mark.usefixtures("_watchful")
def test_what_nobody_expected_is_told_and_ends_no_thread(place: Place) -> None:
    transport = Failing(place.transport.config)
    there = Room(place, transport, stocked(place), None)
    try:
        there.until(lambda: "AttributeError: 'int' object" in there.row("nginx").sentence)
        assert there.row("nginx").state == "unknown"
        assert "cannot be told (AttributeError" in there.prepare("nginx").problem
        transport.fails = False
        there.state("nginx", "absent")
        plan = there.plan("nginx")
        transport.fails = True
        there.door.apply(plan)
        assert "It ended half way (AttributeError" in there.over("nginx").failure
    finally:
        there.door.close()
        transport.close()


def test_a_value_that_does_not_fit_is_told_of_its_setup_alone(place: Place, room: Make) -> None:
    settings = Settings(setups=SetupSettings(values={"caddy": {"node-port": "high"}}))
    there = Room(place, place.transport, settings, None)
    try:
        there.state("nginx", "absent")
        assert "node-port is a whole number" in there.row("caddy").sentence
        assert there.row("caddy").state == "unknown"
    finally:
        there.door.close()
