"""The kubeconfig by which clients reach the embedded cluster."""

from __future__ import annotations

import base64
import json
import os
import tempfile
from pathlib import Path
from typing import Final

CONTEXT: Final = "embedded"


def write(path: Path, url: str, token: str, certificate: str) -> None:
    """Write a kubeconfig that only its owner can read; a reader never sees half of it.

    Args:
        path: where; an existing file is replaced.
        url: of the API server.
        token: of its one user.
        certificate: PEM, by which clients know the server.

    Raises:
        OSError: the file cannot be written.
    """
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
