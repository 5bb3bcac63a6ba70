"""``python -m benchmarks [SUBJECT ...]``: what is measured, as tables."""

from __future__ import annotations

import sys
from importlib import import_module

from benchmarks.table import machine

SUBJECTS = ("startup", "idle", "informer", "burst", "why")


def main(wanted: list[str]) -> None:
    """Run the subjects named, or all."""
    unknown = sorted(set(wanted) - set(SUBJECTS))
    if unknown:
        sys.exit(f"no benchmark named {', '.join(unknown)}; there are {', '.join(SUBJECTS)}")
    print(machine())
    for subject in wanted or SUBJECTS:
        import_module(f"benchmarks.{subject}").run()


main(sys.argv[1:])
