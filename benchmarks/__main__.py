"""``python -m benchmarks [SUBJECT ...] [--minutes M] [--rate R]``: what is measured, as tables.

``--minutes`` is how long the burst of ``firing`` lasts, for those who have the time; ``--rate`` is
how many requests a second it sends, for a machine that has other things to do. Without a rate it
goes as fast as it can.
"""

from __future__ import annotations

import argparse
import sys
from importlib import import_module

from benchmarks.table import machine

SUBJECTS = ("startup", "idle", "informer", "burst", "firing", "why", "scale")


def main(arguments: list[str]) -> None:
    """Run the subjects named, or all."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("subject", nargs="*", metavar="SUBJECT", help=", ".join(SUBJECTS))
    parser.add_argument("--minutes", type=float, default=0.5)
    parser.add_argument("--rate", type=float)
    given = parser.parse_args(arguments)
    unknown = sorted(set(given.subject) - set(SUBJECTS))
    if unknown:
        sys.exit(f"no benchmark named {', '.join(unknown)}; there are {', '.join(SUBJECTS)}")
    print(machine())
    for subject in given.subject or SUBJECTS:
        run = import_module(f"benchmarks.{subject}").run
        if subject == "firing":
            run(minutes=given.minutes, rate=given.rate)
        else:
            run()


main(sys.argv[1:])
