"""``tar`` in a simulated container, which is how ``kubectl cp`` carries files."""

from __future__ import annotations

import io
import posixpath
import tarfile
from collections.abc import Iterable
from typing import Final

MOST: Final = 4 * 1024 * 1024
"""Bytes that may be written in a container."""


class TooLargeError(Exception):
    """More than `MOST`."""


def text_of(content: bytes) -> str:
    """Bytes as text that `bytes_of` turns back, whatever they are."""
    return content.decode("utf-8", "surrogateescape")


def bytes_of(text: str) -> bytes:
    """The bytes of `text_of`."""
    return text.encode("utf-8", "surrogateescape")


def pack(files: Iterable[tuple[str, str]], when: float) -> bytes:
    """An archive of files by their absolute paths, as of ``when`` (Unix seconds)."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for path, text in files:
            content = bytes_of(text)
            one = tarfile.TarInfo(path.lstrip("/"))
            one.size, one.mtime, one.mode = len(content), int(when), 0o644
            archive.addfile(one, io.BytesIO(content))
    return out.getvalue()


def unpack(content: bytes, directory: str) -> dict[str, str]:
    """The regular files of an archive by their paths below a directory.

    What points out of the directory is left out.

    Raises:
        TooLargeError: there is no room for them.
        tarfile.TarError: it is no archive.
    """
    found: dict[str, str] = {}
    total = 0
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:") as archive:
        for one in archive:
            path = posixpath.normpath(posixpath.join("/", one.name))
            if not one.isreg() or ".." in one.name.split("/"):
                continue
            total += one.size
            if total > MOST:
                raise TooLargeError
            data = archive.extractfile(one)
            if data is not None:
                found[posixpath.normpath(f"{directory}{path}")] = text_of(data.read())
    return found
