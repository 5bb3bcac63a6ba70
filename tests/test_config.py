from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tui.config import ConfigError, LoadSettings, Settings, default_path, load
from tui.load.limits import Limits


def settings(tmp_path: Path, text: str | bytes) -> Settings:
    path = tmp_path / "config.toml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return load(path)


def test_without_a_file_everything_has_a_default() -> None:
    assert load() == Settings(theme="dark", namespace=None, target=None, read_only=False, keys={})


def test_the_file_of_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    path = tmp_path / "kscale-tui" / "config.toml"
    assert default_path() == path
    path.parent.mkdir()
    path.write_text('theme = "light"\n', encoding="utf-8")
    assert load().theme == "light"


def test_everything_that_may_stand_in_it(tmp_path: Path) -> None:
    text = """
        theme = "contrast"
        namespace = "shop"
        target = "deployment/web"
        read-only = true
        [keys]
        zoom = "f5,z"
    """
    assert settings(tmp_path, text) == Settings(
        "contrast", "shop", "deployment/web", True, {"zoom": "f5,z"}
    )


def test_what_bursts_may_do(tmp_path: Path) -> None:
    text = """
        [load]
        preset = "warm-up"
        dir = "~/presets"
        max-connections = 2000
        max-rate = 250000
        max-minutes = 45
        allow-hosts = ["lab.example"]
    """
    load = settings(tmp_path, text).load
    assert load == LoadSettings("warm-up", "~/presets", 2000, 250_000, 45, ("lab.example",))
    assert load.limits == Limits(connections=2000, rate=250_000, duration=2700)
    assert LoadSettings().limits == Limits()


def test_an_empty_file_is_no_settings(tmp_path: Path) -> None:
    assert settings(tmp_path, "") == Settings()
    assert settings(tmp_path, "# nothing yet\n") == Settings()


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("colour = 'red'\n", "colour"),
        ("read_only = true\n", "read_only"),
        ("theme = 3\n", r"theme"),
        ("read-only = 'yes'\n", "read-only"),
        ("[keys]\nzoom = 5\n", "keys"),
        ("theme = \n", "line 1"),
        ("[load]\nmax-rate = 'all'\n", "max-rate"),
        ("[load]\nallow-host = 'x'\n", "allow-host"),
        ("[keys\n", "line 1"),
        ("theme = 'dark'\ntheme = 'light'\n", "line 2"),
        (b"theme = '\xff\xfe'\n", "utf-8"),
        (b"\x00\x01\x02", "config.toml"),
    ],
)
def test_what_is_wrong_is_told_in_one_sentence(
    tmp_path: Path, text: str | bytes, named: str
) -> None:
    with pytest.raises(ConfigError) as raised:
        settings(tmp_path, text)
    sentence = str(raised.value)
    assert named in sentence
    assert "config.toml" in sentence
    assert "\n" not in sentence


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("thme = 'dark'", "there is no setting thme; the nearest is theme"),
        (
            "[load]\nmax-minute = 3",
            "there is no setting max-minute in [load]; the nearest is max-minutes",
        ),
        ("preset = 'spike'", "there is no setting preset; preset stands in [load]"),
        (
            "[load]\ntheme = 'dark'",
            "there is no setting theme in [load]; theme stands before the first table",
        ),
        ("[setups]\nxyz = 1", "there is no setting xyz in [setups]; there are dir, values"),
        (
            "protected-contexts = 'shop-*'",
            'protected-contexts has to be a list of texts, such as ["a", "b"], not "shop-*"',
        ),
        (
            "production = [1]",
            'production has to be a list of texts, such as ["a", "b"], not [1]',
        ),
        ("theme = 3", 'theme has to be a text in quotes, such as "web", not 3'),
        ("read-only = 'yes'", 'read-only has to be true or false, not "yes"'),
        ("load = 1", "load has to be a table, not 1"),
        ("keys = ['z']", 'keys has to be a table, not ["z"]'),
        ("[keys]\nzoom = 5", 'zoom in [keys] has to be a text in quotes, such as "web", not 5'),
        ("[load]\nmax-rate = 'all'", 'max-rate in [load] has to be a number, not "all"'),
        (
            "[load]\nmax-connections = 1.5",
            "max-connections in [load] has to be a whole number, not 1.5",
        ),
        (
            "[setups.values]\nreplicas = true",
            "replicas in [setups.values] has to be a text in quotes, a whole number, "
            "or a table of them, not true",
        ),
        ("[load]\nmax-minutes = -3", "max-minutes in [load] has to be more than 0, not -3"),
        ("[load]\nmax-rate = nan", "max-rate in [load] has to be more than 0, not nan"),
        ("[load]\nmax-connections = 0", "max-connections in [load] has to be more than 0, not 0"),
    ],
)
def test_what_is_wrong_is_told_in_words(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigError) as raised:
        settings(tmp_path, text)
    assert str(raised.value) == f"{tmp_path / 'config.toml'}: {said}"


class TestWhere:
    def test_a_named_file_must_be_there(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match=r"there is no settings file .*gone\.toml"):
            load(tmp_path / "gone.toml")

    def test_a_folder_is_no_file(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match="cannot read"):
            load(tmp_path)

    def test_the_environment_names_it(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = tmp_path / "mine.toml"
        monkeypatch.setenv("KSCALE_CONFIG", str(path))
        with pytest.raises(ConfigError, match=r"mine\.toml"):
            load()
        path.write_text("namespace = 'shop'\n", encoding="utf-8")
        assert load().namespace == "shop"

    def test_the_home_is_understood(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.setenv("KSCALE_CONFIG", "~/mine.toml")
        assert default_path() == tmp_path / "mine.toml"

    def test_the_home_of_nobody(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("KSCALE_CONFIG", "~nobody-of-this-name/mine.toml")
        with pytest.raises(ConfigError, match="there is no such home"):
            load()

    def test_an_empty_variable_names_nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("KSCALE_CONFIG", "")
        assert load() == Settings()


class TestEnvironment:
    @pytest.mark.parametrize("name", ["theme", "namespace", "target"])
    def test_it_wins_over_the_file(
        self, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv(f"KSCALE_{name.upper()}", "from-environment")
        found = settings(tmp_path, f"{name} = 'from-file'\n")
        assert getattr(found, name) == "from-environment"
        monkeypatch.setenv(f"KSCALE_{name.upper()}", "")
        assert getattr(settings(tmp_path, f"{name} = 'from-file'\n"), name) == "from-file"

    @pytest.mark.parametrize(
        ("value", "read_only"),
        [("1", True), ("true", True), ("yes", True), ("0", False), ("false", False),
         (" No ", False), ("", False)],
    )  # fmt: skip
    def test_read_only(
        self, value: str, read_only: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("KSCALE_READ_ONLY", value)
        for file in ("", "read-only = true\n"):
            assert settings(tmp_path, file).read_only is read_only

    def test_what_the_file_says_stays_otherwise(self, tmp_path: Path) -> None:
        made: dict[str, Any] = {"theme": "light"}
        assert settings(tmp_path, "theme = 'light'\n") == Settings(**made)
