"""The kubeconfig by which clients reach the embedded cluster."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import tempfile
from pathlib import Path
from typing import Final

CONTEXT: Final = "embedded"


class NotOursError(Exception):
    """A file that this program did not write is in the way."""


def write(path: Path, url: str, token: str, certificate: str) -> None:
    """Write a kubeconfig that only its owner can read; a reader never sees half of it.

    Args:
        path: where; the kubeconfig of an earlier embedded cluster is replaced.
        url: of the API server.
        token: of its one user.
        certificate: PEM, by which clients know the server.

    Raises:
        NotOursError: the file exists and is something else, such as the user's own kubeconfig.
        OSError: the file cannot be written.
    """
    if path.exists() and _token(path) is None:
        raise NotOursError
    trusted = base64.b64encode(certificate.encode()).decode()
    cluster = {"server": url, "certificate-authority-data": trusted}
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": CONTEXT,
        "clusters": [{"name": CONTEXT, "cluster": cluster}],
        "users": [{"name": CONTEXT, "user": {"token": token}}],
        "contexts": [
            {
                "name": CONTEXT,
                "context": {"cluster": CONTEXT, "user": CONTEXT, "namespace": "default"},
            }
        ],
    }
    # JSON is YAML, and needs no library to write.
    text = json.dumps(content, indent=2) + "\n"
    # mkstemp makes the file with mode 0600.
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(temporary, path)
    except OSError:
        Path(temporary).unlink(missing_ok=True)
        raise


def remove(path: Path, token: str) -> None:
    """Remove a kubeconfig that leads nowhere any more, if it is still the one with this token."""
    if _token(path) == token:
        with contextlib.suppress(OSError):
            path.unlink()


def _token(path: Path) -> str | None:
    """The token in an embedded cluster's kubeconfig; None if the file is none."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["current-context"] != CONTEXT or len(content["users"]) != 1:
            return None
        token = content["users"][0]["user"]["token"]
    except (OSError, ValueError, LookupError, TypeError):
        return None
    return token if isinstance(token, str) else None
