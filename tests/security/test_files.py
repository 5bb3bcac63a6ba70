"""Files that are read at the start: whatever is in them, the answer is soon a sentence.

Kubeconfigs come by mail, setups from repositories, presets from friends.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tui import config, toml
from tui.cluster import yaml_bounds
from tui.cluster.errors import ClusterError
from tui.cluster.kubeconfig import load_config
from tui.load import profile
from tui.load.plan import PlanError
from tui.setups import catalogue, documents
from tui.setups.model import SetupError


def laughs(levels: int, *, merged: bool = False, wide: int = 9) -> str:
    """Nine times nine times nine ... of something small."""
    lines = ["a0: &a0 {ha: ha}" if merged else "a0: &a0 [ha, ha]"]
    for level in range(1, levels):
        aliases = ", ".join([f"*a{level - 1}"] * wide)
        what = f"{{<<: [{aliases}]}}" if merged else f"[{aliases}]"
        lines.append(f"a{level}: &a{level} {what}")
    return "\n".join(lines)


BOMBS = {
    "laughs": laughs(30),
    "merged laughs": laughs(30, merged=True),
    # Below every limit on the number of aliases.
    "few merged laughs": laughs(10, merged=True),
    "doubled": laughs(40, merged=True, wide=2),
    "lists": "a: " + "[" * 100_000,
    "mappings": "a: " + "{a: " * 5_000,
    "indented": "\n".join(" " * depth + "a:" for depth in range(500)),
    "objects": "a: !!python/object/apply:os.abort []",
    "names": "a: !!python/name:os.abort",
    "keys": "? [a, b]\n: c\n",
    "long number": "a: " + "9" * 10_000,
    "no text": "a: \x00",
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_kubeconfig_or_a_manifest_that_is_a_trap(bomb: str, tmp_path: Path) -> None:
    path = tmp_path / "kubeconfig"
    path.write_text(f"{BOMBS[bomb]}\n")
    with pytest.raises(ClusterError) as caught:
        load_config(str(path))
    assert len(str(caught.value)) < 500
    if bomb != "long number":  # which is a number in a key that nobody asks for
        assert "is not valid YAML" in caught.value.message
    with pytest.raises(SetupError):
        documents.parse(BOMBS[bomb], "x.yaml")


def test_what_is_within_the_bounds_is_read_as_ever() -> None:
    text = "base: &base {a: 1, b: [1, 2]}\nmore: {<<: *base, c: 2}\nsame: *base\n"
    assert documents.parse(text, "x.yaml") == [yaml.safe_load(text)]
    yaml_bounds.check(text, nodes=30)
    for nodes, aliases in ((20, 100), (30, 1)):
        with pytest.raises(yaml.YAMLError):
            yaml_bounds.check(text, nodes=nodes, aliases=aliases)


def test_a_kubeconfig_that_names_itself_is_no_endless_walk(tmp_path: Path) -> None:
    path = tmp_path / "kubeconfig"
    path.write_text(
        "contexts: &a\n- name: x\n  context: {cluster: x, user: *a, namespace: *a}\n"
        "clusters:\n- name: x\n  cluster: &c {server: 'https://h', tls-server-name: *c}\n"
        "users: *a\ncurrent-context: x\n"
    )
    assert load_config(str(path)).server == "https://h"


TOML = {
    "deep": "a = " + "[" * 50_000,
    "deep tables": "[" + "a." * 5_000 + "a]",
    "field": '"\\u001b]0;evil\\u0007\\u202E" = 1',
    "long": "#" * (toml.LARGEST + 1),
}


@pytest.mark.parametrize("trap", TOML)
@pytest.mark.parametrize(
    ("read", "error"),
    [(config.load, config.ConfigError), (profile.read, PlanError)],
    ids=["settings", "preset"],
)
def test_settings_and_presets_that_are_traps(
    trap: str, read: Callable[[Path], object], error: type[Exception], tmp_path: Path
) -> None:
    path = tmp_path / "x.toml"
    path.write_text(TOML[trap])
    with pytest.raises(error) as caught:
        read(path)
    assert str(path) in str(caught.value)


def test_bytes_that_are_no_text_and_files_without_an_end(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_bytes(b'title = "\xff\xfe"')
    for file in (path, Path("/dev/zero")):
        if file.exists():
            with pytest.raises(config.ConfigError):
                config.load(file)
            with pytest.raises(PlanError):
                profile.read(file)


def test_a_setup_that_is_a_trap_is_listed_with_the_reason(tmp_path: Path) -> None:
    for number, text in enumerate(TOML.values()):
        folder = tmp_path / f"trap-{number}"
        folder.mkdir()
        (folder / "setup.toml").write_text(text)
    found = catalogue.load(tmp_path)
    assert {one.name for one in found.broken} == {f"trap-{n}" for n in range(len(TOML))}
    assert len(found.setups) >= 5
