"""The configuration files of nginx and Caddy as trees of directives.

Both parsers take whatever they are given: what is not balanced ends where it ends. Grammar:
https://caddyserver.com/docs/caddyfile/concepts and
https://nginx.org/en/docs/beginners_guide.html#conf_structure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final, NamedTuple

_DEEPEST: Final = 32
_CADDY: Final = re.compile(r'"((?:[^"\\]|\\.)*)"|`([^`]*)`|(\n)|(?:(?<=\s)|^)(#[^\n]*)|([^\s]+)')
_NGINX: Final = re.compile(r"""(#[^\n]*)|([;{}])|"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|"""
                           r"""((?:\$\{[^}]*\}|[^\s;{}"'])+)""")  # fmt: skip


class Directive(NamedTuple):
    """A line, or what stands before a block, with the block's directives."""

    words: tuple[str, ...]
    block: tuple[Directive, ...] = ()

    @property
    def name(self) -> str:
        """The first word; empty for Caddy's block of global options."""
        return self.words[0] if self.words else ""


class Within(NamedTuple):
    """A directive and those it stands in, the outermost first."""

    directive: Directive
    around: tuple[Directive, ...] = ()


def walk(directives: tuple[Directive, ...], around: tuple[Directive, ...] = ()) -> Iterator[Within]:
    """All of them, however deep."""
    for directive in directives:
        yield Within(directive, around)
        yield from walk(directive.block, (*around, directive))


@lru_cache(maxsize=64)
def caddyfile(text: str) -> tuple[Directive, ...]:
    """A Caddyfile: a directive a line, blocks opened by a brace at its end."""
    pieces: list[str | None] = []
    for match in _CADDY.finditer(text):
        quoted, raw, newline, comment, word = match.groups()
        if comment is not None:
            continue
        if newline is not None:
            pieces.append("\n")
        elif word is not None:
            pieces.append(word)
        else:
            pieces.append(" " + (quoted if quoted is not None else raw or ""))
    return _caddy_block(iter(pieces), 0)


def _caddy_block(pieces: Iterator[str | None], depth: int) -> tuple[Directive, ...]:
    found: list[Directive] = []
    words: list[str] = []
    for piece in pieces:
        if piece == "{" and depth < _DEEPEST:
            found.append(Directive(tuple(words), _caddy_block(pieces, depth + 1)))
            words = []
        elif piece == "}":
            break
        elif piece == "\n":
            if words:
                found.append(Directive(tuple(words)))
            words = []
        elif piece is not None:
            words.append(piece.removeprefix(" "))
    if words:
        found.append(Directive(tuple(words)))
    return tuple(found)


@lru_cache(maxsize=64)
def nginx_conf(text: str) -> tuple[Directive, ...]:
    """An nginx configuration: directives end with a semicolon or have a block in braces."""
    pieces: list[tuple[bool, str]] = []
    for match in _NGINX.finditer(text):
        comment, mark, double, single, word = match.groups()
        if comment is None:
            said = next(t for t in (mark, double, single, word) if t is not None)
            pieces.append((mark is not None, said))
    return _nginx_block(iter(pieces), 0)


def _nginx_block(pieces: Iterator[tuple[bool, str]], depth: int) -> tuple[Directive, ...]:
    found: list[Directive] = []
    words: list[str] = []
    for is_mark, piece in pieces:
        if not is_mark:
            words.append(piece)
        elif piece == "{" and depth < _DEEPEST:
            found.append(Directive(tuple(words), _nginx_block(pieces, depth + 1)))
            words = []
        elif piece == "}":
            break
        else:
            if words:
                found.append(Directive(tuple(words)))
            words = []
    return tuple(found)
