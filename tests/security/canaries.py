"""Words that must come out of nothing, and how to see that they do not."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Final

from tests.security.lab import client_key

TOKEN: Final = "canary-of-a-token-8f3a"
SECRET: Final = "canary-of-a-secret-51bd"
HEADER: Final = "canary-of-a-header-c07e"
BODY: Final = "canary-of-a-body-96d2"
CERTIFICATE, KEY = client_key()


def canaries() -> Iterator[str]:
    for plain in (TOKEN, SECRET, HEADER, BODY, f"Bearer {TOKEN}"):
        yield plain
        yield base64.b64encode(plain.encode()).decode().rstrip("=")
    yield from KEY.splitlines()[1:-1]
    yield base64.b64encode(KEY.encode()).decode()[40:80]


def assert_silent(where: str, text: str) -> None:
    for canary in canaries():
        assert canary not in text, f"{canary[:40]} is in {where}"
