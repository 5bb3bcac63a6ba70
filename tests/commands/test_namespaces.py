"""Command line > environment > settings file > context: the same in every command."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.setups.place import Place
from tui.cli import cli


def run(place: Place, *arguments: str) -> Result:
    words = ["--kubeconfig", place.transport.config.source, *arguments]
    done = CliRunner().invoke(cli, words)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "config.toml"


ASKED = {
    "explain": (
        ("explain", "hpa/web", "--once"),
        "There is no HPA in namespace {}, and so no web.",
    ),
    "doctor": (("doctor",), "embedded, namespace {}\n"),
    "burst": (("burst", "svc/web"), "namespace {}"),
    "setups": (("setups", "diff", "hpa-cpu"), " {}"),
}


@pytest.mark.parametrize("command", ASKED)
def test_the_settings_name_it(
    command: str, place: Place, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments, says = ASKED[command]
    file.write_text(f"namespace = '{place.namespace}'")
    done = run(place, "--config", str(file), *arguments)
    assert says.format(place.namespace) in done.output
    # The environment goes before the file, the command line before both.
    file.write_text("namespace = 'from-file'")
    monkeypatch.setenv("KSCALE_NAMESPACE", place.namespace)
    done = run(place, "--config", str(file), *arguments)
    assert says.format(place.namespace) in done.output
    monkeypatch.setenv("KSCALE_NAMESPACE", "from-environment")
    done = run(place, "--config", str(file), "-n", place.namespace, *arguments)
    assert says.format(place.namespace) in done.output


def test_all_namespaces_go_before_that_of_the_settings(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KSCALE_NAMESPACE", "nowhere")
    assert json.loads(run(place, "doctor", "-A", "--json").stdout)["namespace"] is None


@pytest.mark.parametrize(
    ("arguments", "advice"),
    [
        (("explain", "hpa/web"), "and name one with -n"),
        (("burst", "svc/web"), "and name one with --namespace"),
        (("doctor",), "or pass -A for all"),
    ],
)
def test_one_that_does_not_exist(
    arguments: tuple[str, ...],
    advice: str,
    place: Place,
    file: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The advice is one that this command can follow; and it says who named it."""
    missing = "The namespace nope does not exist in this cluster. "
    how = f"List them with `kubectl get namespaces`, {advice}.\n"
    done = run(place, "-n", "nope", *arguments)
    assert done.exit_code == 1
    assert done.stderr.endswith(missing + how)
    file.write_text("namespace = 'nope'")
    done = run(place, "--config", str(file), *arguments)
    assert done.stderr.endswith(f"{missing}namespace in the settings file names it. {how}")
    monkeypatch.setenv("KSCALE_NAMESPACE", "nope")
    done = run(place, "--config", str(file), *arguments)
    assert done.stderr.endswith(f"{missing}KSCALE_NAMESPACE names it. {how}")


def test_settings_that_cannot_be_used(place: Place, file: Path) -> None:
    file.write_text("namespace = 3")
    for arguments in (("explain", "hpa/web"), ("doctor",), ("burst", "svc/web")):
        done = run(place, "--config", str(file), *arguments)
        assert done.exit_code == 2
        assert str(file) in done.stderr
