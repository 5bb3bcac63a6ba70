"""Request matchers of a Caddyfile: inline paths, ``*`` and named ones."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from tui.demo.dataplane.caddy.model import Match, Visit
from tui.demo.dataplane.caddy.syntax import FILE, CaddyfileError, Directive


@dataclass(frozen=True, slots=True)
class Matcher:
    """A matcher, and what routes are sorted by."""

    match: Match
    path: str | None = None
    """Its path, if it is a single one and nothing else."""


def path_matcher(patterns: tuple[str, ...]) -> Match:
    """Whether the path is one of these; ``*`` at an end stands for anything."""
    tests = [_path(pattern.lower()) for pattern in patterns]
    return lambda visit: any(test(visit.path.lower()) for test in tests)


def _path(pattern: str) -> Callable[[str], bool]:
    if pattern == "*":
        return lambda path: True
    middle = pattern.strip("*")
    if "*" in middle or "?" in middle:
        return lambda path: fnmatch.fnmatchcase(path, pattern)
    if pattern.startswith("*") and pattern.endswith("*") and len(pattern) > 1:
        return lambda path: middle in path
    if pattern.startswith("*"):
        return lambda path: path.endswith(middle)
    if pattern.endswith("*"):
        return lambda path: path.startswith(middle)
    return lambda path: path == pattern


def _method(args: tuple[str, ...]) -> Match:
    methods = {arg.upper() for arg in args}
    return lambda visit: visit.request.method in methods


def _host(args: tuple[str, ...]) -> Match:
    hosts = {arg.lower() for arg in args}
    return lambda visit: visit.incoming.get("host", "").partition(":")[0].lower() in hosts


def _header(args: tuple[str, ...]) -> Match:
    name, pattern = args[0].lower(), args[1] if len(args) > 1 else "*"
    if name.startswith("!"):
        return lambda visit: name[1:] not in visit.incoming
    return lambda visit: (
        name in visit.incoming and fnmatch.fnmatchcase(visit.incoming[name], pattern)
    )


def _query(args: tuple[str, ...]) -> Match:
    wanted = [arg.partition("=")[::2] for arg in args]

    def match(visit: Visit) -> bool:
        given = [pair.partition("=")[::2] for pair in visit.query.split("&") if pair]
        return all(
            any(key == name and value in ("*", found) for key, found in given)
            for name, value in wanted
        )

    return match


def _path_regexp(args: tuple[str, ...]) -> Match:
    pattern = re.compile(args[-1])
    return lambda visit: pattern.search(visit.path) is not None


_KINDS: Final[dict[str, Callable[[tuple[str, ...]], Match]]] = {
    "path": path_matcher,
    "method": _method,
    "host": _host,
    "header": _header,
    "query": _query,
    "path_regexp": _path_regexp,
}


def named(one: Directive) -> Matcher:
    """A definition such as ``@name path /x``.

    Raises:
        CaddyfileError: it uses a matcher that is not there or not simulated.
    """
    lines = list(one.block or ())
    if one.args:
        lines.insert(0, Directive(one.args[0], one.args[1:], one.line))
    tests = [_test(line, one) for line in lines]
    single = len(lines) == 1 and lines[0].name == "path" and len(lines[0].args) == 1
    path = lines[0].args[0] if single else None
    return Matcher(lambda visit: all(test(visit) for test in tests), path)


def _test(line: Directive, one: Directive) -> Match:
    if line.name == "not":
        inner = Directive(line.name, line.args, line.line, line.block)
        test = named(inner).match
        return lambda visit: not test(visit)
    make = _KINDS.get(line.name)
    if make is None:
        raise CaddyfileError(
            f"{FILE}:{line.line} - Error during parsing: getting matcher module '{line.name}': "
            f"module not registered: http.matchers.{line.name}"
        )
    if not line.args:
        raise one.refuse(
            f"Wrong argument count or unexpected line ending after '{line.name}'", line.line
        )
    try:
        return make(line.args)
    except re.error as problem:
        raise one.refuse(f"compiling matcher regexp {line.args[-1]}: {problem}") from None


def of(one: Directive, definitions: dict[str, Matcher]) -> tuple[Matcher | None, tuple[str, ...]]:
    """The matcher that a directive begins with, and the arguments after it.

    Raises:
        CaddyfileError: a name that is not defined.
    """
    if not one.args:
        return None, ()
    first, rest = one.args[0], one.args[1:]
    if first == "*":
        return None, rest
    if first.startswith("/"):
        return Matcher(path_matcher((first,)), first), rest
    if first.startswith("@"):
        if first not in definitions:
            raise CaddyfileError(
                f"parsing caddyfile tokens for '{one.name}': unrecognized matcher name: {first}"
            )
        return definitions[first], rest
    return None, one.args
