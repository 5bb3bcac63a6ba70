"""nginx.conf to directives, by crossplane, with nginx's own words for what is wrong."""

from __future__ import annotations

import os
import posixpath
import re
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import crossplane
from crossplane.analyzer import DIRECTIVES

from tui.demo.dataplane.files import Files

_INCLUDE: Final = re.compile(r"(?m)((?:^|[;{}])\s*include\s+[\"']?)/")
_ESCAPE: Final = re.compile(r"\\([nrt\\\"'])")
_TABLES: Final = frozenset({"charset_map", "geo", "map", "split_clients", "types"})
"""Blocks whose lines are no directives."""
_NEWER: Final = frozenset({"keepalive_time"})
"""Directives that nginx has since 1.19.10 and crossplane does not know yet."""
_MISSING: Final = re.compile(r"\[Errno 2\] No such file or directory: '([^']*)'")


class ConfigError(Exception):
    """nginx would refuse the configuration. The text is what it says, with file and line."""


@dataclass(frozen=True, slots=True)
class Directive:
    """One directive."""

    name: str
    args: tuple[str, ...]
    file: str
    line: int
    block: tuple[Directive, ...] | None = None

    @property
    def where(self) -> str:
        """File and line, as messages end."""
        return f"{self.file}:{self.line}"

    def refuse(self, problem: str) -> ConfigError:
        """An error about this directive."""
        return ConfigError(f"{problem} in {self.where}")


def parse(files: Files, main: str) -> tuple[Directive, ...]:
    """The directives of a configuration, with what it includes in place.

    Raises:
        ConfigError: it cannot be parsed, or a directive is unknown, misplaced or has too many or
            too few arguments.
    """
    if files.read(main) is None:
        raise ConfigError(f'open() "{main}" failed (2: No such file or directory)')
    # crossplane reads files by name: it gets copies below a directory of their own, in which
    # absolute includes are made to stay.
    with tempfile.TemporaryDirectory(prefix="kscale-nginx-") as root:
        for path in files.paths():
            if path.startswith("/etc/nginx/"):
                _copy(root, path, files.read(path) or "")
        payload = crossplane.parse(root + main, combine=True)
        errors = payload["errors"]
        if errors:
            raise ConfigError(_words(errors[0], root))
        found = tuple(_directives(payload["config"][0]["parsed"], root))
    _check_names(found)
    return found


def _check_names(directives: Iterable[Directive]) -> None:
    for one in directives:
        if one.name not in DIRECTIVES and one.name not in _NEWER:
            raise one.refuse(f'unknown directive "{one.name}"')
        if one.name not in _TABLES:
            _check_names(one.block or ())


def _copy(root: str, path: str, text: str) -> None:
    if ".." in path.split("/"):
        return
    place = root + path
    os.makedirs(posixpath.dirname(place), exist_ok=True)
    with open(place, "w", encoding="utf-8") as out:
        out.write(_INCLUDE.sub(lambda match: f"{match[1]}{root}/", text))


def _directives(parsed: Iterable[Any], root: str) -> Iterable[Directive]:
    for one in parsed:
        block = one.get("block")
        yield Directive(
            one["directive"],
            tuple(_ESCAPE.sub(_unescaped, arg) for arg in one["args"]),
            one["file"].removeprefix(root),
            one["line"],
            None if block is None else tuple(_directives(block, root)),
        )


def _unescaped(match: re.Match[str]) -> str:
    return {"n": "\n", "r": "\r", "t": "\t"}.get(match[1], match[1])


def _words(error: Any, root: str) -> str:
    text = str(error["error"])
    missing = _MISSING.search(text)
    if missing:
        path = missing[1].removeprefix(root)
        where = f"{str(error['file']).removeprefix(root)}:{error['line']}"
        return f'open() "{path}" failed (2: No such file or directory) in {where}'
    return text.replace(root, "")
