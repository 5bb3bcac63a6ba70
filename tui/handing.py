"""Options before a subcommand: handed on to it, or refused. None is ever accepted and ignored."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import click
from click.core import ParameterSource


class UnknownToCommandError(Exception):
    """The subcommand has no such option. The message is a sentence without a full stop."""


def hand_on(ctx: click.Context, command: click.Command) -> None:
    """Let the options given before the subcommand count as though they stood after it.

    Those that stand after it go before them.

    Args:
        ctx: of the program, with its options read.
        command: the subcommand that is about to be read.

    Raises:
        UnknownToCommandError: it has no such option, so that nothing would come of it.
    """
    given = [
        option
        for option in ctx.command.params
        if isinstance(option, click.Option)
        and option.name is not None
        and ctx.get_parameter_source(option.name) is ParameterSource.COMMANDLINE
    ]
    if not given:
        return
    name = str(ctx.invoked_subcommand)
    unknown = [_long(option) for option in given if not _known(ctx, command, option)]
    if unknown:
        raise UnknownToCommandError(
            f"{' and '.join(unknown)} before {name} would do nothing, for it is not "
            f"{name}'s: leave it out"
        )
    ctx.default_map = {name: _values(ctx, command, given)}


def _values(ctx: click.Context, command: click.Command, given: Iterable[click.Option]) -> Any:
    """Values by parameter; of a group, by subcommand, as click looks for defaults."""
    if isinstance(command, click.Group):
        return {name: _values(ctx, sub, given) for name, sub in _subcommands(ctx, command)}
    found = {}
    for option in given:
        same = _same(command, option)
        if same is not None:
            found[same.name] = ctx.params[option.name or ""]
    return found


def _known(ctx: click.Context, command: click.Command, option: click.Option) -> bool:
    if isinstance(command, click.Group):
        return all(_known(ctx, sub, option) for _, sub in _subcommands(ctx, command))
    return _same(command, option) is not None


def _subcommands(ctx: click.Context, group: click.Group) -> list[tuple[str, click.Command]]:
    found = ((name, group.get_command(ctx, name)) for name in group.list_commands(ctx))
    return [(name, command) for name, command in found if command is not None]


def _same(command: click.Command, option: click.Option) -> click.Option | None:
    """The subcommand's option of that long name: short ones mean other things there."""
    for other in command.params:
        if isinstance(other, click.Option) and _long(option) in other.opts:
            return other if other.is_flag == option.is_flag else None
    return None


def _long(option: click.Option) -> str:
    return max(option.opts, key=len)
