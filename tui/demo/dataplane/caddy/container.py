"""Starting Caddy in a container: read the Caddyfile, or end at once."""

from __future__ import annotations

from typing import Any, Final

from tui.demo.dataplane.caddy import journal
from tui.demo.dataplane.caddy.adapt import adapt
from tui.demo.dataplane.caddy.model import Config
from tui.demo.dataplane.caddy.process import Caddy
from tui.demo.dataplane.caddy.syntax import FILE, CaddyfileError, parse
from tui.demo.dataplane.files import Files
from tui.demo.dataplane.setting import Made, Setting

_WELCOME: Final = """\
<!DOCTYPE html>
<html>
<head><title>Caddy works!</title></head>
<body><h1>Congratulations!</h1><p>Your web server is working.</p></body>
</html>
"""
FILES: Final = {
    FILE: ":80 {\n\troot * /usr/share/caddy\n\tfile_server\n}\n",
    "/usr/share/caddy/index.html": _WELCOME,
}


def start(setting: Setting) -> Made:
    """What ``caddy run --config /etc/caddy/Caddyfile`` does in the image."""
    output: list[str] = []

    def say(level: str, logger: str, message: str, **fields: Any) -> None:
        output.append(journal.line(setting.clock.wall(), level, logger, message, fields))

    files = Files(FILES, setting.container.get("volumeMounts") or (), setting.volumes)
    text = files.read(FILE)
    if text is None:
        problem = f"open {FILE}: no such file or directory"
        return Made(None, (f"Error: reading config from file: {problem}",), 1)
    where = {"config_file": FILE, "config_adapter": "caddyfile"}
    say("info", "", "using provided configuration", **where)
    try:
        config = adapt(parse(text, _environment(setting)))
    except CaddyfileError as problem:
        output.append(f"Error: adapting config using caddyfile: {problem}")
        return Made(None, tuple(output), 1)
    _unformatted(text, say)
    for name, line in config.notes:
        words = "this is not simulated and has no effect here"
        say("warn", "caddyfile", words, directive=name, file=FILE, line=line)
    _greet(config, say)
    return Made(Caddy(setting, config, files), tuple(output))


def _environment(setting: Setting) -> dict[str, str]:
    """The container's plain variables; what comes from a Secret is never read."""
    return {
        one["name"]: str(one.get("value", ""))
        for one in setting.container.get("env") or ()
        if "valueFrom" not in one
    }


def _unformatted(text: str, say: Any) -> None:
    for number, line in enumerate(text.splitlines(), 1):
        # caddy fmt indents with tabs.
        if line.startswith(" "):
            words = (
                "Caddyfile input is not formatted; run the 'caddy fmt' command to fix "
                "inconsistencies"
            )
            say("warn", "", words, adapter="caddyfile", file=FILE, line=number)
            return


def _greet(config: Config, say: Any) -> None:
    if not config.runtime.shown:
        # What comes after goes where the log was sent, and is not seen here.
        to = config.runtime.target
        say("info", "", "redirected default logger", **{"from": "stderr", "to": to})
        return
    if config.admin:
        fields = {"address": "localhost:2019", "enforce_origin": False}
        say("info", "admin", "admin endpoint started", **fields)
    else:
        say("warn", "admin", "admin endpoint disabled")
    ports = sorted({port for site in config.sites for port in site.ports})
    for index, port in enumerate(ports):
        if port == 80:
            words = (
                "server is listening only on the HTTP port, so no automatic HTTPS will be applied "
                "to this server"
            )
            say("warn", "http", words, server_name=f"srv{index}", http_port=port)
    for index, _ in enumerate(ports):
        protocols = ["h1", "h2", "h3"]
        say("info", "http.log", "server running", name=f"srv{index}", protocols=protocols)
    say(
        "info", "", "autosaved config (load with --resume flag)", file="/config/caddy/autosave.json"
    )
    say("info", "", "serving initial configuration")
