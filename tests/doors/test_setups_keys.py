"""The keys of setups, from the dashboard to the embedded cluster and back."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.panes.screen import Shown
from tests.setups.place import Place
from tests.stages import Stage
from tui.app import KscaleApp
from tui.cluster.feed import ClusterFeed
from tui.config import Settings, SetupSettings
from tui.screens.setup_preview import SetupPreview
from tui.state import place as where
from tui.state.setups import SetupRow
from tui.state.store import Store


def row(app: KscaleApp, name: str) -> SetupRow:
    rows = app.dashboard.setups.scene.delta.setups.rows
    return next((one for one in rows if one.name == name), SetupRow(name))


async def preview(screen: Shown, key: str) -> None:
    """The dialog that a key opens, once the server has answered."""
    await screen.press(key)
    await screen.until(lambda: isinstance(screen.app.screen, SetupPreview))
    await screen.until(lambda: " in room-" in screen.text("#question"))


async def test_n_applies_nginx_probes_it_and_deletes_it(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KSCALE_AUDIT_LOG", str(tmp_path / "log.jsonl"))
    place.create("Service", "fastapi-svc", spec={"selector": {"app": "x"}, "ports": [{"port": 80}]})
    store = Store()
    feed = ClusterFeed(
        store,
        lambda: place.transport.config,
        namespace=place.namespace,
        place=where.Place("embedded", place.namespace, simulated=True),
    )
    values: dict[str, str | int | dict[str, str | int]] = {"nginx": {"node-port": place.port}}
    settings = Settings(setups=SetupSettings(values=values), keys={"toggle_nginx": "f9"})
    app = KscaleApp(store, feed, settings)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = Shown(app, pilot, Stage())
        await screen.until(lambda: feed.transport is not None)
        await preview(screen, "f9")  # another key, by the settings
        assert "+ Deployment/nginx-proxy  create" in screen.text("#said")
        assert str(place.port) in screen.text("#values")
        assert place.labelled() == set()
        await screen.press("y")
        assert not isinstance(app.screen, SetupPreview)
        await screen.until(lambda: "pending" in screen.text("#setups"))
        await screen.until(lambda: row(app, "nginx").answers is True)
        await screen.until(lambda: row(app, "nginx").state == "healthy")
        await screen.until(lambda: row(app, "nginx").seconds is not None)
        seen = row(app, "nginx")
        assert seen.url.startswith(f"http://127.0.0.1:{place.port}")
        assert "/nginx-health answers 200" in seen.probe
        await screen.press("3", "z")
        await screen.until(lambda: "/nginx-health answers 200" in screen.text("#setups"))
        await screen.press("escape")
        await screen.until(lambda: "setup nginx applied" in screen.text("#timeline"))

        await preview(screen, "f9")
        said = screen.text("#said")
        assert all(
            f"- {one}" in said
            for one in ("Deployment/nginx-proxy", "Service/nginx-svc", "ConfigMap/nginx-config")
        )
        await screen.press("y")
        await screen.until(lambda: row(app, "nginx").state == "absent")
        assert place.labelled() == set()
        assert row(app, "nginx").url == ""
