"""Whatever goes wrong, in the end the tables are the server's, and nothing is left behind.

``KSCALE_SOAK=N`` plays N schedules instead of fifty.
"""

from __future__ import annotations

import gc
import os
import threading
from pathlib import Path

import pytest

from tests.faults.schedule import play
from tests.faults.world import KINDS, Waits, World, eventually
from tui.state.links import Health

SCHEDULES = int(os.environ.get("KSCALE_SOAK", "50"))
_FREE = 6
"""Failures that need no waiting: a cut history is answered with a list at once, a token that is
refused is renewed once."""


@pytest.fixture(scope="module", autouse=True)
def _garbage_of_others() -> None:
    """What earlier tests left need not be looked through for each schedule again."""
    gc.collect()
    gc.freeze()


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> Waits:
    made = Waits()
    made.install(monkeypatch)
    return made


def _sockets() -> set[str]:
    folder = Path("/proc/self/fd")
    if not folder.exists():
        return set()
    found = set()
    for link in folder.iterdir():
        try:
            target = os.readlink(link)
        except OSError:
            continue
        if target.startswith("socket:"):
            found.add(target)
    return found


@pytest.mark.parametrize("seed", range(SCHEDULES))
def test_after_a_schedule_of_faults(seed: int, waits: Waits, tmp_path: Path) -> None:
    gc.collect()
    threads, sockets = set(threading.enumerate()), _sockets()
    with World(seed, tmp_path) as world:
        assert eventually(world.settled), world.difference()
        told = play(world, seed)
        world.clear()
        settled = eventually(world.settled)
        assert settled, f"seed {seed}: {told}\n{world.difference()}"
        for kind in KINDS:
            failed = world.failed[kind.value] + world.mangler.failures[kind.value]
            asked = waits.asked.get(f"informer {kind.value}", [])
            # At most two a second while failing, by what the thread waited; and once for each
            # time that it was well in between.
            well = sum(link.health is Health.LIVE for link in world.links[kind])
            allowed = 2 * sum(asked) + _FREE + well
            assert failed <= allowed, f"seed {seed}: {kind} failed {failed} times in {sum(asked)} s"
            said = world.links[kind]
            if failed > _FREE:
                trouble = [link for link in said if link.health is not Health.LIVE or link.detail]
                assert any(link.detail and link.since > 0 for link in trouble), said
    assert world.ended
    left = [t for t in set(threading.enumerate()) - threads if t.is_alive()]
    assert not left
    gc.collect()
    assert eventually(lambda: _sockets() <= sockets, 5)
