from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.setups import documents
from tui.setups.model import SetupError


def test_documents_in_order_and_without_the_empty_ones() -> None:
    text = "kind: A\n---\n---\nkind: B\nwhen: 2026-01-01\nport: 80\n"
    assert documents.parse(text, "x.yaml") == [
        {"kind": "A"},
        {"kind": "B", "when": "2026-01-01", "port": 80},
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a: 1\na: 2\n", "stands twice"),
        ("a: !!python/object/apply:os.system ['true']\n", "could not determine a constructor"),
        ("- 1\n", "no Kubernetes object"),
        ("1: x\n", "key that is no text"),
        ("a: .inf\n", "JSON does not know"),
        ("a: !!binary aGk=\n", "neither text nor number"),
        ("a: [\n", "cannot be read as YAML"),
        ("x" * (documents.LARGEST + 1), "larger than"),
        ("a: " + "[" * 100 + "]" * 100, "nested"),
        ("a: &x {b: *x}\n", "nested"),
        ("a: " + "[" * 5000, "nested"),
    ],
    ids=range(11),
)
def test_what_is_refused(text: str, says: str) -> None:
    with pytest.raises(SetupError, match=says):
        documents.parse(text, "x.yaml")


def test_a_billion_laughs_do_not_echo() -> None:
    lines = ["a0: &a0 [ha, ha, ha, ha, ha, ha, ha, ha, ha, ha]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 9)]
    with pytest.raises(SetupError, match="too large"):
        documents.parse("\n".join(lines), "x.yaml")
    many = "a: &a 1\n" + "".join(f"b{n}: *a\n" for n in range(101))
    with pytest.raises(SetupError, match="aliases"):
        documents.parse(many, "x.yaml")


@given(st.text(max_size=200))
def test_any_text_is_objects_or_a_sentence(text: str) -> None:
    found: list[object] = []
    said = "x.yaml "
    try:
        found = list(documents.parse(text, "x.yaml"))
    except SetupError as error:
        said = str(error)
    assert said.startswith("x.yaml ")
    assert all(isinstance(one, dict) for one in found)
