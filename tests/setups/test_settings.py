from __future__ import annotations

from pathlib import Path

import pytest

from tui.config import ConfigError, load

TEXT = """
protected-contexts = ["shop-*"]
production = []

[setups]
dir = "~/setups"

[setups.values]
app-service = "web"

[setups.values.nginx]
node-port = 30500
"""


def test_what_the_settings_say_of_setups(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text(TEXT)
    settings = load(file)
    assert (settings.protected_contexts, settings.production) == (("shop-*",), ())
    assert settings.setups.dir == "~/setups"
    assert settings.setups.overrides() == {
        "": {"app-service": "web"},
        "nginx": {"node-port": 30500},
    }
    file.write_text("[setups]\nfolder = 1\n")
    with pytest.raises(ConfigError, match="folder"):
        load(file)
    file.write_text("")
    assert load(file).production is None
    assert load(file).setups.overrides() == {"": {}}
