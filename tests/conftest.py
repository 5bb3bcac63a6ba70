"""What every test stands on: one time zone, no animation, no settings of the user's own."""

from __future__ import annotations

import gc
import os
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis.internal.conjecture import providers
from textual.css.model import RuleSet
from textual.css.stylesheet import Stylesheet

os.environ["TZ"] = "UTC"
os.environ["TEXTUAL_ANIMATIONS"] = "none"
os.environ["TEXTUAL_COLOR_SYSTEM"] = "truecolor"
os.environ.pop("NO_COLOR", None)
if hasattr(time, "tzset"):
    time.tzset()

# The same examples in every run: a test that fails one time in twenty teaches nobody anything.
settings.register_profile("steady", derandomize=True, deadline=None, database=None)
settings.load_profile("steady")
# Nor may they depend on what happens to be imported: the constants in it become examples.
providers._get_local_constants = providers.Constants

# Hundreds of apps start, in few themes: what one has parsed of the styles, the next need not.
_parse_rules = Stylesheet._parse_rules
_parsed: dict[tuple[Any, ...], list[RuleSet]] = {}


def _parse_once(self: Stylesheet, css: str, read_from: Any, *args: Any, **more: Any) -> Any:
    key = (css, read_from, args, *more.items(), *self._variables.values())
    if key not in _parsed:
        _parsed[key] = _parse_rules(self, css, read_from, *args, **more)
    return _parsed[key]


Stylesheet._parse_rules = _parse_once  # type: ignore[method-assign]  # for tests alone


def pytest_collection_finish() -> None:
    """What stands collected stays to the end: garbage is looked for among the rest, and seldom."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000)


@pytest.fixture(autouse=True)
def _own_settings(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere: Path = tmp_path_factory.getbasetemp()
    monkeypatch.setenv("XDG_CONFIG_HOME", str(nowhere / "config"))
    for name in [n for n in os.environ if n.startswith("KSCALE_")]:
        monkeypatch.delenv(name)
