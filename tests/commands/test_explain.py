"""``kscale-tui explain`` against a recorded cluster."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from click.testing import CliRunner, Result

from tests.cluster import recorded
from tests.cluster.server import Server, status
from tests.playback import Playback
from tui.cluster.access import ClusterConfig
from tui.cluster.errors import ClusterError
from tui.commands.explain import ask, command, document, report


@pytest.fixture(scope="module")
def playback() -> Iterator[Playback]:
    with Playback("scale-run") as running:
        yield running


@pytest.fixture
def kubeconfig(playback: Playback, tmp_path: Path) -> str:
    path = tmp_path / "config"
    cluster = {"name": "c", "cluster": {"server": playback.config.server}}
    context = {"name": "x", "context": {"cluster": "c", "user": "u", "namespace": "default"}}
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [cluster],
        "contexts": [context],
        "users": [{"name": "u", "user": {"token": "t"}}],
        "current-context": "x",
    }
    path.write_text(yaml.safe_dump(document))
    return str(path)


def explain(*arguments: str) -> Result:
    done = CliRunner().invoke(command, list(arguments))
    assert done.exception is None or isinstance(done.exception, SystemExit)
    return done


def at(playback: Playback, seconds: float) -> Any:
    """What is explained that many seconds into the run."""
    playback.advance(playback.moments[0] + seconds)
    return ask(playback.config, "default", "fastapi-hpa", wait=0.0, clock=playback.clock)


def test_the_steps_as_the_run_goes_on(playback: Playback) -> None:
    idle = report(at(playback, 20))
    assert "HPA default/fastapi-hpa → deployment/fastapi-deploy" in idle
    assert "2 pods × 3/50 = 0.12 → 1 · min is 2" in idle
    assert "▶ min / max" in idle
    loaded = at(playback, 29)
    text = report(loaded)
    assert "2 pods × 186/50 = 7.44 → 8 · rate limit: 4 this step" in text
    assert "▶ rate limit" in text
    assert "The controller's status says 2; if it looked now it would be 4." in text
    written = document(loaded)
    assert (written["current"], written["desired"], written["deciding"]) == (2, 4, "rate")
    assert written["metrics"][0]["utilization"] == 186
    assert [s["key"] for s in written["steps"] if s["deciding"]] == ["rate"]
    held = at(playback, 250)
    text = report(held)
    assert "▶ stabilization" in text
    assert "(estimated)" in text
    assert document(held)["estimated"] is True


def test_the_size_that_is_reckoned_from_stands_above_the_sum(playback: Playback) -> None:
    """The status may be one look behind: just after a rescale it tells of the size before."""
    found = at(playback, 20)
    assert found.outcome is not None
    assert not found.outcome.decision.rescale
    size = found.outcome.decision.current
    behind = replace(found, row=msgspec.structs.replace(found.row, current=99))
    assert report(behind).splitlines()[0].endswith(f"deployment/fastapi-deploy: {size}")


def test_json_from_the_command_line(playback: Playback, kubeconfig: str) -> None:
    playback.advance(playback.moments[0] + 20)
    done = explain("hpa/fastapi-hpa", "--json", "--once", "--kubeconfig", kubeconfig)
    assert done.exit_code == 0, done.output
    found = json.loads(done.output)
    assert found["schema_version"] == 1
    assert (found["hpa"], found["namespace"]) == ("fastapi-hpa", "default")
    assert [s["key"] for s in found["steps"]][-1] == "desired"


def test_an_hpa_that_is_not_there_fails_and_says_which_are(kubeconfig: str) -> None:
    done = explain("nope", "--kubeconfig", kubeconfig)
    assert done.exit_code == 1
    assert "There is no HPA nope in namespace default. It has fastapi-hpa." in done.output


def test_what_may_not_be_read_is_not_to_be_tried_again(tmp_path: Path) -> None:
    path = "/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers"
    with Server() as server:
        server.on("/version", lambda e: e.reply(200, recorded.raw("idle/version.json")))
        server.on(path, status(403, "Forbidden", "no"))
        with pytest.raises(ClusterError) as failed:
            ask(ClusterConfig(server.url), "default", "web", wait=0.0)
    assert "You may not list horizontalpodautoscalers in namespace default" in str(failed.value)
    assert str(failed.value).endswith("Name a namespace that may be read with -n.")


@pytest.mark.parametrize("what", ["deployment/web", "hpa/", "hpa/a/b", "/x"])
def test_what_names_no_hpa_is_wrong_usage(what: str) -> None:
    done = explain(what)
    assert done.exit_code == 2
    assert "use hpa/NAME" in done.output


def test_no_cluster_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    done = explain("hpa/x")
    assert done.exit_code == 1
    assert done.output.startswith("kscale-tui explain: ")
    assert "Traceback" not in done.output
