"""The embedded cluster of the tests of setups, for the commands that change something there."""

from __future__ import annotations

from tests.setups.conftest import cluster, folder, place

__all__ = ["cluster", "folder", "place"]
