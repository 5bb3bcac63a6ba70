"""The door of the doctor's fixes, on the embedded cluster."""

from __future__ import annotations

import time
from typing import Any

from tests.doors.connected import Connected
from tests.setups.place import Place
from tui.analysis.doctor.finding import Patch
from tui.cluster.audit import AuditLog
from tui.cluster.transport import Response, Transport
from tui.config import Settings
from tui.doors.fixes import FixesDoor, Seen

TARGET = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
KIND = "HorizontalPodAutoscaler"


def answer(door: FixesDoor) -> Seen:
    end = time.monotonic() + 20
    while (seen := door.seen) is None:
        assert time.monotonic() < end
        time.sleep(0.005)
    return seen


def test_it_looks_and_applies_in_the_background(place: Place) -> None:
    spec = {"scaleTargetRef": TARGET, "minReplicas": 1, "maxReplicas": 2}
    place.create(KIND, "web", spec=spec)
    patch = Patch("autoscaling/v2", KIND, place.namespace, "web", '{"spec":{"maxReplicas":4}}')
    feed = Connected(None)
    door = FixesDoor(feed, Settings(), audit=AuditLog(place.audit))
    assert door.seen is None
    door.look("min-is-max", patch)
    assert "not connected yet" in answer(door).problem
    feed.transport = place.transport
    door.look("min-is-max", patch)
    looked = answer(door)
    assert looked.repair is not None
    assert (looked.repair.possible, looked.done) == (True, False)
    door.apply(looked.repair)
    assert answer(door).done
    assert place.get(KIND, "web")["spec"]["maxReplicas"] == 4
    door.apply(looked.repair)
    assert "needs no change" in answer(door).problem

    refused = FixesDoor(feed, Settings(read_only=True), audit=AuditLog(place.audit))
    refused.look("min-is-max", patch)
    seen = answer(refused).repair
    assert seen is not None
    assert "read-only" in seen.problems[0]
    door.close()
    door.look("min-is-max", patch)
    assert answer(door).problem.startswith("Stopped")


class Strange(Transport):
    """Fails as nobody expected."""

    def request(self, method: str, path: str, *args: Any, **more: Any) -> Response:
        raise RuntimeError("\x1b[31mout of the blue")


def test_an_error_that_nobody_expected_is_an_answer_too(place: Place) -> None:
    transport = Strange(place.transport.config)
    feed = Connected(None)
    feed.transport = transport
    door = FixesDoor(feed, Settings(), audit=AuditLog(place.audit))
    door.look("min-is-max", Patch("autoscaling/v2", KIND, place.namespace, "web", '{"spec":{}}'))
    said = answer(door).problem
    assert said.startswith("It ended half way (RuntimeError: out of the blue).")
    transport.close()
