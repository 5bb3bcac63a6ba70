"""hey's flags that ``burst`` has not: each is told what takes its place, none is read as another.

hey, a Go program, has long flags with one dash: what is ``-cpus 2`` there would be ``-c pus`` here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import click

_LONG: Final = {
    "-disable-keepalive": "here it is --disable-keepalive",
    "-disable-compression": "leave it out: no compression is asked for",
    "-disable-redirects": "leave it out: redirects are not followed",
    "-cpus": "how many processes send is said with --workers N",
    "-host": "give -H 'Host: NAME'",
    "-h2": "it is not here: requests are HTTP/1.1",
}
_SHORT: Final = {
    "-a": "give -H 'Authorization: Basic ...'",
    "-A": "give -H 'Accept: TYPE'",
    "-U": "give -H 'User-Agent: NAME'",
    "-x": "it is not here: requests go to the target itself, past any proxy",
    "-o": "--csv prints a row for each second, --json the whole result",
}


class HeyCommand(click.Command):
    """A command whose flags are those of hey, as far as it has them."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Refuse a flag of hey's before it is taken for another one."""
        for flag in _flags(args, _taking(self.params)):
            instead = replacement(flag)
            if instead:
                raise click.UsageError(f"hey's {flag.partition('=')[0]}: {instead}.", ctx)
        return super().parse_args(ctx, args)


def replacement(flag: str) -> str:
    """What to do instead of one of hey's flags; empty if ``burst`` takes it, or nobody does."""
    name = flag.partition("=")[0]
    if name in _LONG:
        return _LONG[name]
    if name.startswith("-disable-"):
        return "neither hey nor this has it"
    return _SHORT.get(name[:2], "") if not name.startswith("--") else ""


def _flags(args: Iterable[str], taking: frozenset[str]) -> Iterator[str]:
    """What stands where a flag may stand: not the values of other flags."""
    waiting = iter(args)
    for arg in waiting:
        if arg == "--":
            return
        if arg in taking:
            next(waiting, None)
        elif arg.startswith("-"):
            yield arg


def _taking(params: Iterable[click.Parameter]) -> frozenset[str]:
    """The options that have a value."""
    options = [p for p in params if isinstance(p, click.Option) and not p.is_flag]
    return frozenset(name for option in options for name in option.opts)
