"""The wheel, installed where no checkout is: it carries all it needs, and runs."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

import tui
from tests.e2e.terminal import Terminal

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    _run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)], ROOT)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of programs of a virtual environment that has the wheel.

    The dependencies are those of this environment, whose own ``tui`` stays out of sight: it is
    there by a ``.pth`` file, which Python does not read in a folder added by another.
    """
    environment = tmp_path_factory.mktemp("installed") / "env"
    python = environment / "bin" / "python"
    if _uv_works():
        _run(["uv", "venv", "-q", "--python", sys.executable, str(environment)])
        _run(
            ["uv", "pip", "install", "-q", "--offline", "--no-deps", "-p", str(python), str(wheel)]
        )
    else:
        # A pip of its own would take longer to install than all the rest.
        own = importlib.util.find_spec("pip") is None
        _run([sys.executable, "-m", "venv", *([] if own else ["--without-pip"]), str(environment)])
        pip = [str(python)] if own else [sys.executable]
        into = [] if own else ["--python", str(python)]
        options = ["-q", "--disable-pip-version-check", "--no-index", "--no-deps"]
        _run([*pip, "-m", "pip", *into, "install", *options, str(wheel)])
    packages = _run([str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"])
    dependencies = sysconfig.get_path("purelib")
    (Path(packages.strip()) / "dependencies.pth").write_text(f"{dependencies}\n")
    return environment / "bin"


def test_wheel_carries_styles_and_fixtures(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if not name.endswith("/")}
    for folder in ("styles", "fixtures"):
        files = (path for path in (ROOT / folder).rglob("*") if path.is_file())
        wanted = {f"tui/_data/{path.relative_to(ROOT)}" for path in files}
        assert wanted
        assert wanted <= names
    assert not [name for name in names if not name.startswith(("tui/", "kscale_tui-"))]


def test_installed_program_runs_elsewhere(installed: Path, tmp_path: Path) -> None:
    found = _run(
        [str(installed / "python"), "-c", "import tui.resources as r; print(r.styles())"], tmp_path
    )
    assert Path(found.strip()).is_relative_to(installed.parent)
    assert not Path(found.strip()).is_relative_to(ROOT)

    program = str(installed / "kscale-tui")
    assert _run([program, "--version"], tmp_path) == f"kscale-tui {tui.__version__}\n"

    home = {"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)}
    command = [program, "--demo", "--speed", "20"]
    with Terminal(command, cwd=tmp_path, env={**os.environ, **home}) as terminal:
        terminal.wait_for(r"SIMULATED .*● live", 30)
        terminal.wait_for(r"1/1 Running", 30)
        terminal.press("q")
        assert terminal.wait_exit() == 0
        assert terminal.restored()


def _uv_works() -> bool:
    """A shim of pyenv may be there without it."""
    uv = shutil.which("uv")
    return uv is not None and subprocess.run([uv, "--version"], capture_output=True).returncode == 0


def _run(command: list[str], cwd: Path | None = None) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout
