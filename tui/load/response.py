"""One response after another from the bytes of a connection."""

from __future__ import annotations

import re
from typing import Final

import httptools

from tui.load.plan import Pattern

_BODY: Final = 65_536
_HEAD: Final = 65_536
_FRAMED: Final = re.compile(rb"\r?\n(?:content-length|transfer-encoding)[ \t]*:", re.IGNORECASE)
_BLANK: Final = b"\r\n\r\n"
_NAME: Final = 253
"""The longest name of a pod."""


class MalformedError(Exception):
    """What came is not HTTP, or more than was asked for."""


class PodFinder:
    """Finds in a response which pod gave it."""

    def __init__(self, pattern: Pattern) -> None:
        self.wants_body = pattern.header is None
        self._regex = re.compile(pattern.regex)
        self._header = (
            None
            if pattern.header is None
            else re.compile(
                rb"\r?\n" + re.escape(pattern.header.encode()) + rb"[ \t]*:[ \t]*([^\r\n]*)",
                re.IGNORECASE,
            )
        )

    def find(self, head: bytes, body: bytes) -> str | None:
        """The pod's name, printable; None: the response does not tell."""
        text = body
        if self._header is not None:
            line = self._header.search(head)
            if line is None:
                return None
            text = line[1]
        found = self._regex.search(text.decode("latin-1"))
        if found is None or not found[1]:
            return None
        name = found[1].encode("latin-1").decode("utf-8", "replace").strip()[:_NAME]
        return "".join(c if c.isprintable() else "�" for c in name) or None


class Reply:
    """The response under way on one connection."""

    __slots__ = (
        "_body",
        "_finder",
        "_head",
        "_head_only",
        "_in_body",
        "_parser",
        "complete",
        "excess",
        "keep_alive",
        "on_body",
        "status",
    )

    def __init__(self, head_only: bool, finder: PodFinder | None) -> None:
        self._head_only = head_only
        self._finder = finder
        if finder is not None and finder.wants_body:
            self.on_body = self._keep_body
        self.renew()

    def renew(self) -> None:
        """Forget everything: the next bytes are those of a new connection."""
        self._parser = httptools.HttpResponseParser(self)
        self.begin()

    def begin(self) -> None:
        """A new request is out."""
        self._head = b""
        self._body = b""
        self._in_body = False
        self.complete = False
        self.excess = False
        self.keep_alive = True
        self.status = 0

    def feed(self, data: bytes) -> None:
        """Take in bytes; ``complete`` tells whether the response ended with them.

        Raises:
            MalformedError: it is no HTTP.
        """
        if not self._in_body:
            self._head += data
            if len(self._head) > _HEAD + len(data):
                raise MalformedError("the headers never end")
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self.complete, self.keep_alive = True, False
        except httptools.HttpParserError as error:
            if not self.complete:
                raise MalformedError(str(error)) from None
            self.excess = True
        if self.excess:
            self.keep_alive = False
        if self.complete and self._head_only:
            # The parser waits for a body that HEAD never gets, and cannot be told otherwise.
            self._parser = httptools.HttpResponseParser(self)

    def end_of_stream(self) -> bool:
        """Whether the end of the connection completes the response (RFC 9112, 6.3, rule 8)."""
        head = self._head.partition(_BLANK)[0]
        return self._in_body and not self.complete and _FRAMED.search(head) is None

    @property
    def pod(self) -> str | None:
        """Which pod gave the complete response, if that is to be found out."""
        if self._finder is None:
            return None
        return self._finder.find(self._head.partition(_BLANK)[0], self._body)

    def on_message_begin(self) -> None:
        """For the parser: another message begins."""
        if self.complete:
            self.excess = True

    def on_headers_complete(self) -> None:
        """For the parser: the headers have ended."""
        if self.complete:
            return
        self.status = self._parser.get_status_code()
        self._in_body = self.status >= 200 or self.status == 101
        if self._head_only and self._in_body:
            self.keep_alive = self._parser.should_keep_alive()
            self.complete = True

    def on_message_complete(self) -> None:
        """For the parser: the message has ended."""
        if self.complete:
            return
        if not self._in_body:  # 100 Continue and its like: the response is yet to come
            self._head = self._head.partition(_BLANK)[2]
            return
        self.keep_alive = self._parser.should_keep_alive()
        self.complete = True

    def _keep_body(self, body: bytes) -> None:
        if len(self._body) < _BODY and not self.complete:
            self._body += body[: _BODY - len(self._body)]
