"""Where a burst goes: the target's name is looked up once, before it begins."""

from __future__ import annotations

import socket
from time import perf_counter
from typing import Final

from tui.load.plan import PlanError, Target

_KNOCK: Final = 1.0


def look_up(where: Target) -> tuple[str, float]:
    """The address to load, and how long the name server took, in seconds.

    Of several addresses it is the first that accepts a connection, as a client would find it, or
    the first of all if none does: a target may be absent yet.

    Raises:
        PlanError: the name is not known.
    """
    began = perf_counter()
    try:
        found = socket.getaddrinfo(where.host, where.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        why = getattr(error, "strerror", None) or "not a name"
        raise PlanError(f"cannot find the address of {where.host}: {why}") from None
    took = perf_counter() - began
    addresses = list(dict.fromkeys(str(info[4][0]) for info in found))
    if len(addresses) > 1:
        for address in addresses[:4]:
            if _accepts(address, where.port):
                return address, took
    return addresses[0], took


def _accepts(address: str, port: int) -> bool:
    try:
        with socket.create_connection((address, port), timeout=_KNOCK):
            return True
    except OSError:
        return False
