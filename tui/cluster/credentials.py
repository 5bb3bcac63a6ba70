"""The headers and the client certificate of a user, kept fresh."""

from __future__ import annotations

import base64
import os
import threading
import time
from collections.abc import Callable
from typing import Final, NamedTuple

from tui.cluster import plugin
from tui.cluster.access import Auth, Certificate, ClusterConfig
from tui.cluster.errors import ApiError, Fault, one_line
from tui.cluster.halt import current
from tui.cluster.plugin import PluginCredentials

_TOKEN_FILE_PERIOD: Final = 60.0
"""Seconds after which a token file is read again, as kubectl does; the kubelet rotates it."""
_EARLY: Final = 10.0
"""Seconds before its end from which a token is not used any more."""
_PAUSE: Final = 10.0
"""Seconds within which rejected credentials are not fetched anew: they would be the same."""
_LATELY: Final = 8
"""Tokens and passwords that are remembered, to keep them out of messages."""
_SHORTEST: Final = 6
"""Characters: a shorter one would be found in any text."""
_HEAD: Final = 12


class Presented(NamedTuple):
    """What goes with one request."""

    generation: int
    """Grows whenever something new was fetched."""
    headers: list[tuple[str, str]]
    """A name may come more than once."""


class Credentials:
    """Made once a session and shared by its threads."""

    def __init__(self, config: ClusterConfig, clock: Callable[[], float] = time.time) -> None:
        self._config = config
        self._clock = clock
        self._lock = threading.Lock()
        self._token: str | None = None
        self._certificate = config.auth.certificate
        self._expires: float | None = 0.0
        self._fetched = float("-inf")
        self._generation = 0
        self._presented: tuple[str, ...] = ()

    def present(self) -> Presented:
        """The headers that say who we are, fetched first if they are not, or no longer, there.

        Raises:
            ApiError: of kind CREDENTIALS; a plugin failed or a file cannot be read.
        """
        auth = self._config.auth
        headers = list(auth.impersonate)
        token, generation = auth.token, self._generation
        if not token and (auth.token_file or auth.plugin):
            token, generation = self._current()
        if token:
            self._note(token)
            headers.append(("Authorization", _bearer(token)))
        elif auth.username is not None:
            pair = f"{auth.username}:{auth.password or ''}"
            packed = base64.b64encode(pair.encode()).decode()
            self._note(packed, pair, auth.password or "")
            headers.append(("Authorization", f"Basic {packed}"))
        return Presented(generation, headers)

    def masked(self, text: str) -> str:
        """The text without what was presented lately: some servers and proxies repeat it."""
        for secret in self._presented:
            text = _without(text, secret)
        return text

    def _note(self, *secrets: str) -> None:
        for secret in secrets:
            if len(secret) >= _SHORTEST and secret not in self._presented:
                self._presented = (*self._presented[1 - _LATELY :], secret)

    @property
    def certificate(self) -> Certificate | None:
        """The client certificate: the kubeconfig's, or what the plugin gave last."""
        return self._certificate

    def refresh(self, generation: int) -> bool:
        """After a 401: fetch new credentials unless another thread just has.

        Returns:
            Whether trying again makes sense.
        """
        auth = self._config.auth
        if auth.token or not (auth.token_file or auth.plugin):
            return False
        with _Held(self._lock):
            if self._generation != generation:
                return True
            if self._clock() - self._fetched < _PAUSE and auth.plugin:
                return False
            before = self._token
            self._fetch(auth)
            return auth.plugin is not None or self._token != before

    def _current(self) -> tuple[str | None, int]:
        with _Held(self._lock):
            if self._expires is not None and self._clock() >= self._expires:
                self._fetch(self._config.auth)
            return self._token, self._generation

    def _fetch(self, auth: Auth) -> None:
        now = self._clock()
        if auth.token_file:
            self._token = _read(auth.token_file)
            self._expires = now + _TOKEN_FILE_PERIOD
        elif auth.plugin:
            given: PluginCredentials = plugin.run(auth.plugin, self._config.cluster_info)
            self._token = given.token
            self._certificate = given.certificate or auth.certificate
            # One that is already over, on a clock that is off, is still worth a try.
            self._expires = (
                None if given.expires is None else max(given.expires - _EARLY, now + _PAUSE)
            )
        self._fetched = now
        self._generation += 1


class _Held:
    """A lock held for a block; waiting for it ends when the thread's halt is stopped."""

    def __init__(self, lock: threading.Lock) -> None:
        self._lock = lock

    def __enter__(self) -> None:
        halt = current()
        while not self._lock.acquire(timeout=0.1):
            if halt is not None and halt.stopped:
                raise ApiError(Fault.STOPPED, "stopped")

    def __exit__(self, *_: object) -> None:
        self._lock.release()


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as file:
            token = file.read(1 << 20).strip()
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "not text"
        raise ApiError(
            Fault.CREDENTIALS, f"The token file {os.path.basename(path)} cannot be read: {why}."
        ) from None
    if not token:
        raise ApiError(Fault.CREDENTIALS, f"The token file {one_line(path)} is empty.")
    return token


def _bearer(token: str) -> str:
    token = token.strip()
    if not token.isascii() or not token.isprintable():
        raise ApiError(Fault.CREDENTIALS, "The token holds characters that no token has.")
    return f"Bearer {token}"


def _without(text: str, secret: str) -> str:
    """Its beginning counts, too: a message may have been cut in the middle of it."""
    head, at = secret[:_HEAD], 0
    while (at := text.find(head, at)) >= 0:
        end = at + len(head)
        while end < len(text) and end - at < len(secret) and text[end] == secret[end - at]:
            end += 1
        text = f"{text[:at]}...{text[end:]}"
    return text
