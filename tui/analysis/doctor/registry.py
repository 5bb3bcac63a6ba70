"""All rules: whatever file in :mod:`tui.analysis.doctor.rules` has a ``RULE``."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from tui.analysis.doctor import rules
from tui.analysis.doctor.rule import Rule


@cache
def all_rules() -> tuple[Rule, ...]:
    """The worst first, then by id."""
    names = [found.name for found in iter_modules(rules.__path__)]
    made: list[Rule] = [import_module(f"{rules.__name__}.{name}").RULE for name in names]
    return tuple(sorted(made, key=lambda rule: (rule.severity.rank, rule.id)))
