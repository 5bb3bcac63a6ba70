"""What a command asks before it changes a cluster."""

from __future__ import annotations

import sys
from typing import Final, NoReturn

import click

from tui.text import clean

FAILED: Final = 1
USAGE: Final = 2


def confirmed(command: str, question: str, yes: bool, name: str, typed: str) -> str:
    """The context's name as typed, once everything that must be asked has been answered.

    Exits with 1 where the answer is no, and with 2 where nobody can be asked.

    Args:
        command: the subcommand that asks, for its help.
        question: what is to be confirmed.
        yes: do not ask it.
        name: the context's name that has to be typed; empty if none.
        typed: the name as it was given on the command line.
    """
    asked = sys.stdin is not None and sys.stdin.isatty()
    if name and typed != name:
        if typed or not asked:
            _end(
                FAILED,
                f"kscale-tui: The context {clean(name)} looks like production: type its name with "
                f"--confirm-context {clean(name)}.",
            )
        said = f"The context {clean(name)} looks like production; type its name"
        typed = str(click.prompt(said))
        if typed != name:
            _end(FAILED, "kscale-tui: That is not its name; nothing was changed.")
    if not yes:
        if not asked:
            _end(
                USAGE,
                f"kscale-tui {command}: there is nobody to ask: add --yes. "
                f"See `kscale-tui {command} --help`.",
            )
        if not click.confirm(clean(question)):
            _end(FAILED, "kscale-tui: Nothing was changed.")
    return typed


def _end(code: int, sentence: str) -> NoReturn:
    click.echo(sentence, err=True)
    sys.exit(code)
