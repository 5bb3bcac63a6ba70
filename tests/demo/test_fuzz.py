"""Random calls with hostile bodies: the API answers each, and what must hold holds."""

from __future__ import annotations

import pytest

from tests.demo.fuzzing import Fuzzer
from tests.thorough import examples


@pytest.mark.parametrize("seed", range(1, 1 + examples(2, 10)))
async def test_random_calls(seed: int, capsys: pytest.CaptureFixture[str]) -> None:
    fuzzer = Fuzzer(seed)
    fuzzer.run(examples(600, 10_000))
    assert {200, 201, 400, 404, 409, 422} <= fuzzer.statuses.keys()
    assert capsys.readouterr().err == ""  # where requests and controllers say what they cannot do
