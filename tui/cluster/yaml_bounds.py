"""How much a YAML text may come to, found out before anything is built of it.

A few hundred bytes of aliases, or of merge keys (``<<``), stand for gigabytes, and libyaml builds
what is nested by recursion until the process dies. Its events cost neither.
"""

from __future__ import annotations

from typing import Any, Final

import yaml

DEEPEST: Final = 60
MOST_ALIASES: Final = 100


class _Open:
    """A mapping or a list that has not ended yet."""

    __slots__ = ("anchor", "nodes")

    def __init__(self, anchor: str | None) -> None:
        self.anchor = anchor
        self.nodes = 1


def check(text: str | bytes, *, nodes: int, aliases: int = MOST_ALIASES) -> None:
    """Refuse what is beyond the bounds.

    Args:
        text: one or more documents.
        nodes: how many values there may be once every alias is written out; a merge key never
            makes more of them.
        aliases: how many there may be in all.

    Raises:
        yaml.YAMLError: not YAML, or too large, too deeply nested, or with too many aliases.
        ValueError: not text.
    """
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    sizes: dict[str, int] = {}
    open_: list[_Open] = [_Open(None)]
    found = 0
    for event in yaml.parse(text, Loader=loader):
        if isinstance(event, yaml.CollectionEndEvent):
            done = open_.pop()
            if done.anchor is not None:
                sizes[done.anchor] = done.nodes
            open_[-1].nodes += done.nodes
        elif isinstance(event, yaml.CollectionStartEvent):
            open_.append(_Open(event.anchor))
            if len(open_) > DEEPEST:
                raise _beyond("it is too deeply nested", event)
        elif isinstance(event, yaml.AliasEvent):
            found += 1
            if found > aliases:
                raise _beyond(f"it has more than {aliases} aliases", event)
            # An alias inside of what it names, which nothing here can use, counts as one.
            open_[-1].nodes += sizes.get(event.anchor or "", 1)
        elif isinstance(event, yaml.ScalarEvent):
            if event.anchor is not None:
                sizes[event.anchor] = 1
            open_[-1].nodes += 1
        if open_[-1].nodes > nodes:
            raise _beyond(f"it is too large: more than {nodes} values", event)


def _beyond(problem: str, event: Any) -> yaml.YAMLError:
    return yaml.MarkedYAMLError(None, None, problem, event.start_mark)
