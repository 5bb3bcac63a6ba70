"""Which addresses out of a cluster's objects may be connected to at all.

An object's author chooses them, so they are held to be a trick until they look like the address
of a server: no cloud metadata service (link-local, and some beside), no listener of this machine,
no broadcast, and no spelling (``2130706433``, ``0x7f.1``) that a resolver reads as something else.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Final

_LABEL: Final = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_OBJECT: Final = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")
_LONGEST: Final = 253
_BROADCAST: Final = ipaddress.ip_address("255.255.255.255")
_METADATA: Final = frozenset(
    ipaddress.ip_address(text)
    for text in (
        "100.100.100.200",  # Alibaba Cloud
        "fd00:ec2::254",  # AWS
        "fd20:ce::254",  # Google Cloud
    )
)
"""Services that hand out a machine's credentials at addresses that look like any other's."""


def usable(text: str, *, loopback: bool = False) -> str | None:
    """The address in its plain form: an IP, or a DNS name in lower case; None if it is no such
    thing, or one that must not be connected to.

    Args:
        text: an IP address or a host name, as the cluster wrote it.
        loopback: whether addresses of this machine are in order, since the cluster runs on it.
    """
    text = text.strip()
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return _name(text.lower(), loopback)
    if isinstance(address, ipaddress.IPv6Address):
        if address.scope_id is not None:
            return None
        address = address.ipv4_mapped or address
    if address.is_loopback:
        return str(address) if loopback else None
    if (
        address.is_unspecified
        or address.is_multicast
        or address.is_link_local
        or address == _BROADCAST
        or address in _METADATA
    ):
        return None
    return str(address)


def is_public(address: str) -> bool:
    """Whether an IP address is one of the whole internet: not private, shared or of a document."""
    try:
        return ipaddress.ip_address(address).is_global
    except ValueError:
        return False


def is_object_name(text: str) -> bool:
    """Whether it can be the name of a namespace, a Service or a pod (RFC 1123 subdomain)."""
    return _OBJECT.fullmatch(text) is not None and ".." not in text


def for_url(host: str) -> str:
    """The host as a URL wants it: IPv6 in brackets."""
    return f"[{host}]" if ":" in host else host


def _name(name: str, loopback: bool) -> str | None:
    name = name.removesuffix(".")
    labels = name.split(".")
    if len(name) > _LONGEST or not all(_LABEL.fullmatch(label) for label in labels):
        return None
    if name == "localhost" or name.endswith(".localhost"):
        return name if loopback else None
    # inet_aton reads numbers in any base, of one to four parts, as an IPv4 address.
    last = labels[-1]
    return None if last.isdigit() or re.fullmatch(r"0x[0-9a-f]*", last) else name
