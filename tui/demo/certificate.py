"""A self-signed certificate for 127.0.0.1, made at each start and never kept.

Kubernetes clients send their token over TLS only, so the embedded cluster must speak TLS. Python
can serve TLS but not make certificates; this is the little of X.509 (`RFC 5280`_), ECDSA and DER
that one certificate needs. The key lives as long as the process and guards a loopback socket.

.. _RFC 5280: https://www.rfc-editor.org/rfc/rfc5280
"""

from __future__ import annotations

import base64
import hashlib
import ipaddress
import secrets
import ssl
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, NamedTuple

# NIST P-256 (FIPS 186-4, D.1.2.3).
_P: Final = 2**256 - 2**224 + 2**192 + 2**96 - 1
_N: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_G: Final = (
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
)
_SIGNED_BY: Final = "1.2.840.10045.4.3.2"  # ecdsa-with-SHA256
_PUBLIC_KEY: Final = "1.2.840.10045.2.1"
_CURVE: Final = "1.2.840.10045.3.1.7"
_VALID: Final = timedelta(days=365)

_Point = tuple[int, int, int]
"""Jacobian coordinates: x/z², y/z³; z = 0 is the point at infinity."""


class Certificate(NamedTuple):
    """A certificate and its private key, both PEM."""

    certificate: str
    key: str

    def context(self) -> ssl.SSLContext:
        """What a server needs to speak TLS with it."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_alpn_protocols(["http/1.1"])
        # The ssl module reads files only; the directory is private and gone at once.
        with tempfile.TemporaryDirectory(prefix="kscale-") as directory:
            both = Path(directory) / "both.pem"
            both.write_text(self.key + self.certificate, encoding="ascii")
            context.load_cert_chain(both)
        return context


def make(address: str, name: str) -> Certificate:
    """A fresh key and a certificate for an IP address and a DNS name."""
    private = secrets.randbelow(_N - 1) + 1
    public = b"\x04" + b"".join(part.to_bytes(32, "big") for part in _times(private))
    now = datetime.now(UTC)
    algorithm = _sequence(_oid(_SIGNED_BY))
    subject = _sequence(
        _set(_sequence(_oid("2.5.4.3"), _tlv(0x0C, b"kscale-tui embedded cluster")))
    )
    key_info = _sequence(_sequence(_oid(_PUBLIC_KEY), _oid(_CURVE)), _bits(public))
    body = _sequence(
        _tlv(0xA0, _integer(2)),
        _integer(secrets.randbits(126) | 1 << 126),
        algorithm,
        subject,
        _sequence(_time(now - timedelta(hours=1)), _time(now + _VALID)),
        subject,
        key_info,
        _tlv(0xA3, _sequence(*_extensions(public, address, name))),
    )
    signed = _sequence(body, algorithm, _bits(_sign(private, body)))
    key = _sequence(
        _integer(1),
        _tlv(0x04, private.to_bytes(32, "big")),
        _tlv(0xA0, _oid(_CURVE)),
        _tlv(0xA1, _bits(public)),
    )
    return Certificate(_pem("CERTIFICATE", signed), _pem("EC PRIVATE KEY", key))


def _extensions(public: bytes, address: str, name: str) -> list[bytes]:
    true = _tlv(0x01, b"\xff")
    key_id = hashlib.sha1(public, usedforsecurity=False).digest()
    packed = ipaddress.ip_address(address).packed
    names = _sequence(_tlv(0x87, packed), _tlv(0x82, name.encode()))
    # digitalSignature and keyCertSign: it is its own authority.
    usage = _tlv(0x03, b"\x02\x84")
    found: list[tuple[str, bool, bytes]] = [
        ("2.5.29.19", True, _sequence(true)),
        ("2.5.29.15", True, usage),
        ("2.5.29.37", False, _sequence(_oid("1.3.6.1.5.5.7.3.1"))),
        ("2.5.29.17", False, names),
        ("2.5.29.14", False, _tlv(0x04, key_id)),
        ("2.5.29.35", False, _sequence(_tlv(0x80, key_id))),
    ]
    return [
        _sequence(_oid(oid), *([true] if critical else []), _tlv(0x04, value))
        for oid, critical, value in found
    ]


# -- ECDSA


def _double(point: _Point) -> _Point:
    x, y, z = point
    if not z or not y:
        return (0, 1, 0)
    delta, gamma = z * z % _P, y * y % _P
    beta = x * gamma % _P
    alpha = 3 * (x - delta) * (x + delta) % _P
    x3 = (alpha * alpha - 8 * beta) % _P
    z3 = ((y + z) ** 2 - gamma - delta) % _P
    return (x3, (alpha * (4 * beta - x3) - 8 * gamma * gamma) % _P, z3)


def _add(one: _Point, two: _Point) -> _Point:
    if not one[2]:
        return two
    if not two[2]:
        return one
    z1, z2 = one[2] ** 2 % _P, two[2] ** 2 % _P
    u1, u2 = one[0] * z2 % _P, two[0] * z1 % _P
    s1, s2 = one[1] * two[2] * z2 % _P, two[1] * one[2] * z1 % _P
    if u1 == u2:
        return _double(one) if s1 == s2 else (0, 1, 0)
    h, r = (u2 - u1) % _P, (s2 - s1) % _P
    h2 = h * h % _P
    h3, v = h * h2 % _P, u1 * h2 % _P
    x = (r * r - h3 - 2 * v) % _P
    return (x, (r * (v - x) - s1 * h3) % _P, h * one[2] * two[2] % _P)


def _times(factor: int) -> tuple[int, int]:
    """The base point times a number."""
    found: _Point = (0, 1, 0)
    addend: _Point = (*_G, 1)
    while factor:
        if factor & 1:
            found = _add(found, addend)
        addend = _double(addend)
        factor >>= 1
    inverse = pow(found[2], -1, _P)
    return (found[0] * inverse**2 % _P, found[1] * inverse**3 % _P)


def _sign(private: int, message: bytes) -> bytes:
    digest = int.from_bytes(hashlib.sha256(message).digest(), "big")
    while True:
        nonce = secrets.randbelow(_N - 1) + 1
        r = _times(nonce)[0] % _N
        s = pow(nonce, -1, _N) * (digest + r * private) % _N
        if r and s:
            return _sequence(_integer(r), _integer(s))


# -- DER


def _tlv(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + content


def _sequence(*parts: bytes) -> bytes:
    return _tlv(0x30, b"".join(parts))


def _set(*parts: bytes) -> bytes:
    return _tlv(0x31, b"".join(parts))


def _integer(number: int) -> bytes:
    return _tlv(0x02, number.to_bytes(number.bit_length() // 8 + 1, "big"))


def _bits(content: bytes) -> bytes:
    return _tlv(0x03, b"\x00" + content)


def _time(moment: datetime) -> bytes:
    return _tlv(0x17, moment.strftime("%y%m%d%H%M%SZ").encode())


def _oid(text: str) -> bytes:
    first, second, *rest = (int(part) for part in text.split("."))
    encoded = bytearray((first * 40 + second,))
    for number in rest:
        groups = [number & 0x7F]
        while number := number >> 7:
            groups.append(number & 0x7F | 0x80)
        encoded += bytes(reversed(groups))
    return _tlv(0x06, bytes(encoded))


def _pem(label: str, content: bytes) -> str:
    text = base64.encodebytes(content).decode()
    return f"-----BEGIN {label}-----\n{text}-----END {label}-----\n"
