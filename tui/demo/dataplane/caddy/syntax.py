"""Caddyfile to directives: tokens, blocks, snippets, and Caddy's own words for what is wrong."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

FILE: Final = "/etc/caddy/Caddyfile"
_ENVIRONMENT: Final = re.compile(r"\{\$([^{}:]+)(?::([^{}]*))?\}")
_DEEPEST: Final = 50


class CaddyfileError(Exception):
    """Caddy would refuse the file. The text is what it says after ``Error: …caddyfile:``."""


@dataclass(frozen=True, slots=True)
class Token:
    """A word, and the line it begins on."""

    text: str
    line: int
    quoted: bool = False


@dataclass(frozen=True, slots=True)
class Directive:
    """A line of a block: a name, arguments, and perhaps a block of its own."""

    name: str
    args: tuple[str, ...]
    line: int
    block: tuple[Directive, ...] | None = None

    def refuse(self, problem: str, line: int | None = None) -> CaddyfileError:
        """An error about a directive's own syntax."""
        where = f"{FILE}:{self.line if line is None else line}"
        return CaddyfileError(
            f"parsing caddyfile tokens for '{self.name}': {where} - Error during parsing: {problem}"
        )


@dataclass(slots=True)
class Caddyfile:
    """A whole file."""

    options: tuple[Directive, ...] = ()
    """The global options."""
    sites: list[tuple[list[str], tuple[Directive, ...]]] = field(default_factory=list)
    """The addresses of each site, and its directives."""


def tokenize(text: str, environment: Mapping[str, str]) -> list[Token]:
    """Split a Caddyfile into words; a line that ends in a backslash goes on."""
    text = _ENVIRONMENT.sub(lambda m: environment.get(m[1], m[2] or ""), text)
    tokens: list[Token] = []
    line, at = 1, 0
    while at < len(text):
        char = text[at]
        if char == "\n":
            line += 1
            at += 1
        elif char.isspace():
            at += 1
        elif char == "\\" and text[at + 1 : at + 2] == "\n":
            at += 2  # the next line belongs to this one, and its number does not count
        elif char == "#":
            end = text.find("\n", at)
            at = len(text) if end < 0 else end
        elif char in '"`':
            word, end = _quoted(text, at)
            tokens.append(Token(word, line, True))
            line += text.count("\n", at, end)
            at = end
        else:
            end = at
            while end < len(text) and not text[end].isspace():
                end += 1
            tokens.append(Token(text[at:end], line))
            at = end
    return tokens


def _quoted(text: str, at: int) -> tuple[str, int]:
    quote, end, word = text[at], at + 1, []
    while end < len(text) and text[end] != quote:
        if quote == '"' and text[end] == "\\" and text[end + 1 : end + 2] in ('"', "\\"):
            end += 1
        word.append(text[end])
        end += 1
    return "".join(word), end + 1


class _Reader:
    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._at = 0
        self.snippets: dict[str, tuple[Directive, ...]] = {}

    def peek(self) -> Token | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def next(self) -> Token:
        token = self._tokens[self._at]
        self._at += 1
        return token

    def block(self, depth: int) -> tuple[Directive, ...]:
        """Directives up to the closing brace."""
        found: list[Directive] = []
        while True:
            token = self.peek()
            if token is None:
                last = self._tokens[-1]
                raise CaddyfileError(
                    f"{FILE}:{last.line} - Syntax error: Unexpected token '{last.text}', "
                    "expecting '}'"
                )
            if token.text == "}" and not token.quoted:
                self.next()
                return tuple(found)
            found += self.directive(depth)

    def directive(self, depth: int) -> list[Directive]:
        if depth > _DEEPEST:
            raise CaddyfileError(f"{FILE} - Syntax error: blocks are nested too deeply")
        name = self.next()
        args: list[str] = []
        block = None
        while (token := self.peek()) is not None and token.line == name.line:
            if token.text == "{" and not token.quoted:
                self.next()
                block = self.block(depth + 1)
                break
            if token.text == "}" and not token.quoted:
                break
            args.append(self.next().text)
        if name.text == "import":
            return self._imported(name, args)
        return [Directive(name.text, tuple(args), name.line, block)]

    def _imported(self, name: Token, args: list[str]) -> list[Directive]:
        wanted = args[0] if args else ""
        if wanted not in self.snippets:
            raise CaddyfileError(
                f"{FILE}:{name.line} - Error during parsing: File to import not found: {wanted}"
            )
        return [_filled(one, args[1:]) for one in self.snippets[wanted]]


def _filled(one: Directive, args: list[str]) -> Directive:
    """A snippet's directive with its ``{args.0}`` or ``{args[0]}`` replaced."""

    def fill(text: str) -> str:
        for index, arg in enumerate(args):
            text = text.replace(f"{{args.{index}}}", arg).replace(f"{{args[{index}]}}", arg)
        return text

    block = None if one.block is None else tuple(_filled(each, args) for each in one.block)
    return Directive(fill(one.name), tuple(map(fill, one.args)), one.line, block)


def parse(text: str, environment: Mapping[str, str]) -> Caddyfile:
    """Read a Caddyfile.

    Raises:
        CaddyfileError: its blocks do not close, or it imports what is not there.
    """
    reader = _Reader(tokenize(text, environment))
    found = Caddyfile()
    first = True
    while (token := reader.peek()) is not None:
        if first and token.text == "{" and not token.quoted:
            reader.next()
            found.options = reader.block(1)
            first = False
            continue
        first = False
        keys = _keys(reader)
        opened = (token := reader.peek()) is not None and token.text == "{" and not token.quoted
        if opened:
            reader.next()
            block = reader.block(1)
        else:
            # A file of one site may leave the braces out.
            rest: list[Directive] = []
            while reader.peek() is not None:
                rest += reader.directive(1)
            block = tuple(rest)
        if len(keys) == 1 and keys[0].startswith("(") and keys[0].endswith(")"):
            reader.snippets[keys[0][1:-1]] = block
        else:
            found.sites.append((keys, block))
    return found


def _keys(reader: _Reader) -> list[str]:
    """The addresses before a block; a comma lets them go on in the next line."""
    keys: list[str] = []
    line = None
    while (token := reader.peek()) is not None:
        if token.text == "{" and not token.quoted:
            break
        if line is not None and token.line != line:
            break
        reader.next()
        line = None if token.text.endswith(",") else token.line
        keys += [key for key in token.text.split(",") if key]
    return keys
