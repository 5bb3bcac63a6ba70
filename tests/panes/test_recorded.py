"""The whole screen on traffic recorded from a real cluster."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.cluster import recorded
from tests.panes.screen import Shown
from tests.playback import Playback
from tests.stages import Stage
from tui.app import KscaleApp, Still
from tui.cluster.session import Session
from tui.state.links import Health
from tui.state.place import Place
from tui.state.rows import Kind
from tui.state.store import Store


@asynccontextmanager
async def replayed(playback: Playback, size: tuple[int, int]) -> AsyncIterator[Shown]:
    """The program on a session with the playback server, in the recording's time."""
    store = Store(clock=playback.clock)
    session = Session(playback.config, store, namespace="default")
    app = KscaleApp(store, Still(Place("recorded", "default")))
    async with app.run_test(size=size) as pilot:
        session.start()
        try:
            yield Shown(app, pilot, Stage())
        finally:
            assert session.stop()


async def test_every_pod_reads_as_kubectl_printed_it() -> None:
    table = "pod-states/after-70s/pods-table.json"
    version = int(recorded.document(table)["metadata"]["resourceVersion"])
    with Playback("pod-states") as playback:
        async with replayed(playback, (200, 60)) as screen:
            playback.advance_to_version(Kind.PODS, version)
            await screen.press("a", "s", "z")
            printed = {
                name: [
                    str(cells["Ready"]),
                    str(cells["Status"]),
                    str(cells["Restarts"]).split()[0],
                ]
                for name, cells in recorded.table(table).items()
            }

            def read() -> dict[str, list[str]]:
                screen.app.tick()
                lines = screen.text("#pods").splitlines()[2:-1]
                words = [line.strip("│ ").split() for line in lines if line.strip("│ ")]
                return {w[0]: w[1:4] for w in words}

            await screen.until(lambda: read() == printed)


async def test_the_story_of_the_recorded_scale_up_is_told_in_order() -> None:
    with Playback("scale-run") as playback:
        async with replayed(playback, (160, 50)) as screen:
            app = screen.app
            await screen.until(
                lambda: all(
                    app.advance().delta.link(kind).health is Health.LIVE
                    for kind in (*playback.tracks, Kind.EVENTS)
                )
            )
            for moment in playback.moments:
                playback.advance(moment)
                wanted = {
                    row["metadata"]["uid"]: row["status"].get("desiredReplicas")
                    for row in playback.tracks[Kind.HPAS].at(moment).objects.values()
                }
                pods = set(playback.tracks[Kind.PODS].at(moment).objects)

                def caught_up(wanted: dict[str, int] = wanted, pods: set[str] = pods) -> bool:
                    delta = app.advance().delta
                    known = {uid: row.desired for uid, row in delta.hpas.rows.items()}
                    return known == wanted and set(delta.pods.rows) == pods

                await screen.until(caught_up)
            entries = list(reversed(app.advance().entries))
            decisions = [e for e in entries if "▶" in e.text]
            assert [re.findall(r"^\d+ ▶ \d+", e.text) for e in decisions] == [
                ["2 ▶ 4"],
                ["4 ▶ 8"],
                ["8 ▶ 10"],
                ["10 ▶ 2"],
            ]
            assert "rate limit up" in decisions[0].text
            assert "held at max" in decisions[2].text
            ready = [e for e in entries if e.text.endswith("pods Ready")]
            assert [e.text for e in ready] == ["2 pods Ready", "4 pods Ready", "2 pods Ready"]
            assert all(e.after is not None and e.after <= 3 for e in ready)
