"""Objects and tables as a real Kubernetes 1.36 answered them."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import msgspec

ROOT = Path(__file__).parents[2] / "fixtures" / "clusters" / "k8s-1.36"
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def read(name: str) -> Any:
    return msgspec.json.decode(gzip.decompress((ROOT / f"{name}.json.gz").read_bytes()))


def applied(item: dict[str, Any]) -> dict[str, Any]:
    """The manifest that kubectl applied, with the annotation it adds."""
    text = item["metadata"]["annotations"][LAST_APPLIED]
    manifest: dict[str, Any] = msgspec.json.decode(text)
    manifest["metadata"]["annotations"] = {LAST_APPLIED: text}
    return manifest
