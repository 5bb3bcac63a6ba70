"""Random calls with hostile bodies: the API answers each, and what must hold holds."""

from __future__ import annotations

import pytest

from tests.demo.fuzzing import Fuzzer


@pytest.mark.parametrize("seed", [1, 2])
async def test_random_calls(seed: int, capsys: pytest.CaptureFixture[str]) -> None:
    fuzzer = Fuzzer(seed)
    fuzzer.run(600)
    assert {200, 201, 400, 404, 409, 422} <= fuzzer.statuses.keys()
    assert "cannot answer" not in capsys.readouterr().err
