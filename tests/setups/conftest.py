"""An embedded cluster that the tests of this folder share, and a namespace of one's own in it."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.setups.place import Place
from tui.cluster.access import ClusterConfig
from tui.cluster.embedded import Embedded
from tui.cluster.transport import Transport

_numbers = itertools.count(1)


@pytest.fixture(scope="package")
def cluster() -> Iterator[ClusterConfig]:
    child = Embedded(speed=50)
    try:
        yield child.config()
    finally:
        child.stop()


@pytest.fixture
def place(cluster: ClusterConfig, tmp_path: Path) -> Iterator[Place]:
    transport = Transport(cluster)
    name = f"room-{next(_numbers)}"
    body: dict[str, Any] = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    transport.request("POST", "/api/v1/namespaces", body=json.dumps(body).encode())
    made = Place(transport, name, tmp_path)
    yield made
    transport.request("DELETE", f"/api/v1/namespaces/{name}", body=b"{}")
    transport.close()


@pytest.fixture
def folder(tmp_path: Path) -> Callable[..., Path]:
    """Writes a setup of one's own; returns the folder of setups."""

    def write(name: str = "own", toml: str = "", **files: str) -> Path:
        there = tmp_path / "setups" / name
        there.mkdir(parents=True, exist_ok=True)
        (there / "setup.toml").write_text(f'title = "t"\nsummary = "s"\n{toml}')
        for file, text in files.items():
            (there / file.replace("__", ".")).write_text(text)
        return there.parent

    return write
