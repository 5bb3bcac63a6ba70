"""Who may import whom: the contracts of pyproject.toml, and what must not be loaded early."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def test_contracts_hold() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([linter], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("module", "heavy"),
    [
        ("tui.__main__", ("click", "msgspec", "textual", "kubernetes")),
        ("tui.cli", ("msgspec", "textual", "kubernetes", "aiohttp")),
        ("tui.app", ("kubernetes", "plotext", "aiohttp", "httpx", "yaml")),
    ],
)
def test_start_waits_for_nothing_it_does_not_need(module: str, heavy: tuple[str, ...]) -> None:
    code = f"import sys, {module}; print(*sorted(set(sys.modules) & {set(heavy)!r}))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == []
