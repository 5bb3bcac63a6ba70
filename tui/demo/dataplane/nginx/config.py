"""nginx.conf's directives to servers, locations and upstreams.

Contexts inherit as in nginx: a list such as that of ``add_header`` is taken over from the level
above only if the level itself has none.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Final

from tui.demo.dataplane.files import Files
from tui.demo.dataplane.nginx import image, simulated
from tui.demo.dataplane.nginx.exchange import Exchange
from tui.demo.dataplane.nginx.model import (
    Config,
    Location,
    Pass,
    Peer,
    Server,
    Settings,
    Upstream,
)
from tui.demo.dataplane.nginx.syntax import ConfigError, Directive
from tui.demo.dataplane.nginx.templates import Part, Template, UnknownVariableError, value_of

Resolve = Callable[[str], list[str]]
"""Name to addresses; none if there is no such name."""
_SIZE: Final = re.compile(r"(\d+)([kKmMgG]?)")
_TIME: Final = re.compile(r"(\d+)(ms|s|m|h|d|w|M|y|)")
_UNITS: Final = {"": 1, "k": 1024, "m": 1024**2, "g": 1024**3}
_SECONDS: Final = {"ms": 0.001, "": 1, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_COMBINED: Final = (
    '$remote_addr - $remote_user [$time_local] "$request" '
    '$status $body_bytes_sent "$http_referer" "$http_user_agent"'
)


@dataclass(slots=True)
class _Reading:
    files: Files
    resolve: Resolve
    formats: dict[str, str] = field(default_factory=lambda: {"combined": _COMBINED})
    upstreams: dict[str, Upstream] = field(default_factory=dict)
    made: dict[str, Part] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)


def build(directives: Iterable[Directive], files: Files, resolve: Resolve) -> Config:
    """Make sense of a configuration; names in it are resolved now, and never again.

    Raises:
        ConfigError: nginx would refuse it.
    """
    directives = tuple(directives)
    reading = _Reading(files, resolve)
    reading.made = {name: value_of(name) for name in _made_names(directives)}
    names = [one.name for one in directives]
    if "events" not in names:
        raise ConfigError('no "events" section in configuration')
    config = Config([])
    for one in directives:
        if one.name == "http":
            body = one.block or ()
            reading.formats |= {d.args[0]: "".join(_format(d)) for d in _all(body, "log_format")}
            for each in _all(body, "map"):
                reading.made[each.args[1].lstrip("$")] = _map(each, reading)
            for each in _all(body, "upstream"):
                reading.upstreams[each.args[0]] = _upstream(each, reading)
            settings = _settings(Settings(), body, reading)
            config.servers += [_server(each, settings, reading) for each in _all(body, "server")]
        elif one.name == "worker_processes":
            config.workers = int(one.args[0]) if one.args[0].isdigit() else 0
        elif one.name not in simulated.WITHOUT_EFFECT:
            _warn(one, reading)
    config.warnings = reading.warnings
    return config


def _format(directive: Directive) -> list[str]:
    return [arg for arg in directive.args[1:] if not arg.startswith("escape=")]


def _all(block: Iterable[Directive], name: str) -> list[Directive]:
    return [one for one in block if one.name == name]


def _made_names(directives: Iterable[Directive]) -> Iterable[str]:
    for one in directives:
        if one.name == "set" and one.args:
            yield one.args[0].lstrip("$")
        for arg in one.args:
            yield from re.findall(r"\(\?P?<(\w+)>", arg)
        yield from _made_names(one.block or ())


def _warn(one: Directive, reading: _Reading) -> None:
    reading.warnings.append(
        f'the "{one.name}" directive is not simulated and has no effect here in {one.where}'
    )


def _template(text: str, one: Directive, reading: _Reading) -> Template:
    try:
        return Template(text, reading.made)
    except UnknownVariableError as problem:
        raise one.refuse(f'unknown "{problem}" variable') from None


def _map(one: Directive, reading: _Reading) -> Part:
    """A ``map``: a variable that depends on another."""
    source = _template(one.args[0], one, reading)
    exact: dict[str, Template] = {}
    patterns: list[tuple[re.Pattern[str], Template]] = []
    default = Template("")
    for line in one.block or ():
        if not line.args:
            continue
        value = _template(line.args[0], line, reading)
        if line.name == "default":
            default = value
        elif line.name.startswith("~"):
            flags = re.IGNORECASE if line.name.startswith("~*") else 0
            patterns.append((_pattern(line.name.lstrip("~*"), flags, line), value))
        else:
            exact[line.name.lower()] = value

    def read(exchange: Exchange) -> str:
        text = source.render(exchange)
        found = exact.get(text.lower())
        if found is None:
            found = next((value for regex, value in patterns if regex.search(text)), default)
        return found.render(exchange)

    return read


def _pattern(text: str, flags: int, one: Directive) -> re.Pattern[str]:
    try:
        return re.compile(text, flags)
    except re.error as problem:
        raise one.refuse(f'pcre2_compile() failed: {problem.msg} in "{text}"') from None


def _upstream(one: Directive, reading: _Reading) -> Upstream:
    upstream = Upstream(one.args[0], [])
    for each in one.block or ():
        if each.name == "server":
            upstream.peers += _peers(each, reading)
        elif each.name == "keepalive":
            upstream.keepalive = int(each.args[0]) if each.args[0].isdigit() else 0
        elif each.name in ("least_conn", "ip_hash", "random"):
            upstream.method = each.name
            if each.name == "ip_hash":
                _warn(each, reading)
        elif each.name not in simulated.WITHOUT_EFFECT:
            _warn(each, reading)
    if not upstream.peers:
        raise ConfigError(f"no servers are inside upstream in {one.where}")
    return upstream


def _peers(one: Directive, reading: _Reading) -> list[Peer]:
    host, port = _host_and_port(one.args[0], one)
    addresses = reading.resolve(host)
    if not addresses:
        raise one.refuse(f'host not found in upstream "{one.args[0]}"')
    peers = [Peer(address, port) for address in addresses]
    for arg in one.args[1:]:
        name, _, value = arg.partition("=")
        for peer in peers:
            if name == "weight" and value.isdigit() and int(value):
                peer.weight = int(value)
            elif name == "max_fails" and value.isdigit():
                peer.max_fails = int(value)
            elif name == "fail_timeout":
                peer.fail_timeout = seconds(value, one)
            elif name == "backup":
                peer.backup = True
            elif name == "down":
                peer.down_until = float("inf")
            elif name not in ("max_conns", "resolve", "slow_start"):
                raise one.refuse(f'invalid parameter "{arg}"')
    return peers


def _host_and_port(text: str, one: Directive) -> tuple[str, int]:
    host, colon, port = text.partition(":")
    if not host:
        raise one.refuse("no host in upstream")
    if not colon:
        return host, 80
    if not port.isdigit() or not 0 < int(port) < 65536:
        raise one.refuse(f'invalid port in upstream "{text}"')
    return host, int(port)


def size(text: str, one: Directive) -> int:
    """Bytes of ``16m``.

    Raises:
        ConfigError: it is no size.
    """
    match = _SIZE.fullmatch(text)
    if match is None:
        raise one.refuse(f'"{one.name}" directive invalid value')
    return int(match[1]) * _UNITS[match[2].lower()]


def seconds(text: str, one: Directive) -> float:
    """Seconds of ``60s``, ``1h`` or ``1h30m``.

    Raises:
        ConfigError: it is no time.
    """
    found = _TIME.findall(text)
    if not text or "".join(number + unit for number, unit in found) != text:
        raise one.refuse(f'"{one.name}" directive invalid value')
    return sum(int(number) * _SECONDS.get(unit, 2592000) for number, unit in found)


def _settings(above: Settings, block: Iterable[Directive], reading: _Reading) -> Settings:
    changes: dict[str, object] = {}
    headers: list[tuple[str, Template, bool]] = []
    proxy_headers: list[tuple[str, Template]] = []
    logs: list[Template] | None = None
    pages: list[tuple[int, str]] = []
    for one in block:
        args = one.args
        if one.name == "add_header":
            headers.append((args[0], _template(args[1], one, reading), args[2:3] == ("always",)))
        elif one.name == "proxy_set_header":
            proxy_headers.append((args[0], _template(args[1], one, reading)))
        elif one.name == "access_log":
            logs = (logs or []) + _access_log(one, reading)
        elif one.name == "error_page":
            pages += [(int(code), args[-1]) for code in args[:-1] if code.isdigit()]
        elif one.name in _VALUES:
            name, read = _VALUES[one.name]
            changes[name] = read(args, one)
    if headers:
        changes["headers"] = tuple(headers)
    if proxy_headers:
        changes["proxy_headers"] = tuple(proxy_headers)
    if logs is not None:
        changes["access_log"] = tuple(logs)
    if pages:
        changes["error_pages"] = tuple(pages)
    return replace(above, **changes)  # type: ignore[arg-type]  # names and types are those below


def _expires(args: tuple[str, ...], one: Directive) -> float | None:
    if args[0] in ("off", "epoch", "max"):
        return {"off": None, "epoch": -1.0, "max": 315360000.0}[args[0]]
    return seconds(args[-1].lstrip("-"), one) * (-1 if args[-1].startswith("-") else 1)


_VALUES: Final[dict[str, tuple[str, Callable[[tuple[str, ...], Directive], object]]]] = {
    "proxy_http_version": ("proxy_version", lambda args, one: args[0]),
    "expires": ("expires", _expires),
    "default_type": ("default_type", lambda args, one: args[0]),
    "root": ("root", lambda args, one: args[0].rstrip("/") or "/"),
    "index": ("index", lambda args, one: args),
    "proxy_intercept_errors": ("intercept", lambda args, one: args[0] == "on"),
    "client_max_body_size": ("body_limit", lambda args, one: size(args[0], one)),
    "server_tokens": ("tokens", lambda args, one: args[0] != "off"),
    "proxy_read_timeout": ("read_timeout", lambda args, one: seconds(args[0], one)),
    "resolver": ("resolver", lambda args, one: True),
    "gzip": ("gzip", lambda args, one: args[0] == "on"),
    "gzip_types": ("gzip_types", lambda args, one: frozenset(args) | {"text/html"}),
    "gzip_min_length": ("gzip_length", lambda args, one: size(args[0], one)),
    "keepalive_timeout": ("idle_timeout", lambda args, one: seconds(args[0], one)),
}


def _access_log(one: Directive, reading: _Reading) -> list[Template]:
    path, *rest = one.args
    if path == "off":
        return []
    chosen = next((arg for arg in rest if "=" not in arg), "combined")
    if chosen not in reading.formats:
        raise one.refuse(f'unknown log format "{chosen}"')
    template = _template(reading.formats[chosen], one, reading)
    path = path if path.startswith("/") else f"/etc/nginx/{path}"
    directory = path.rpartition("/")[0]
    if directory not in image.DIRECTORIES and not reading.files.has_directory(directory):
        raise ConfigError(f'open() "{path}" failed (2: No such file or directory)')
    # A volume over the directory hides the link that leads to the container's log.
    shown = path in image.STDOUT and not (
        directory == image.LOG_DIRECTORY and reading.files.mounted(directory)
    )
    return [template] if shown else []


def _server(one: Directive, above: Settings, reading: _Reading) -> Server:
    block = one.block or ()
    settings = _settings(above, block, reading)
    ports: dict[int, bool] = {}
    for each in _all(block, "listen"):
        found = re.search(r"(?:^|:)(\d+)$", each.args[0])
        number = int(found[1]) if found else 80
        if "ssl" in each.args[1:]:
            reading.warnings.append(f"TLS is not simulated in {each.where}")
        ports[number] = ports.get(number, False) or "default_server" in each.args
    names: list[str] = []
    for each in _all(block, "server_name"):
        names += each.args
    locations = [_location(each, settings, reading) for each in _all(block, "location")]
    itself = _content(Location("", "/", None, settings), block, reading)
    return Server(ports or {80: False}, tuple(names), locations, itself)


def _location(one: Directive, above: Settings, reading: _Reading) -> Location:
    modifier, pattern = one.args if len(one.args) == 2 else ("", one.args[0])
    if modifier not in ("", "=", "^~", "~", "~*"):
        raise one.refuse(f'invalid location modifier "{modifier}"')
    regex = None
    if modifier.startswith("~"):
        regex = _pattern(pattern, re.IGNORECASE if modifier == "~*" else 0, one)
    block = one.block or ()
    settings = _settings(above, block, reading)
    nested = tuple(_location(each, settings, reading) for each in _all(block, "location"))
    for each in nested:
        if regex is None and each.regex is None and not each.pattern.startswith(pattern):
            said = f'location "{each.pattern}" is outside location "{pattern}"'
            raise one.refuse(said)
    if nested and modifier == "=":
        raise one.refuse(f'location "{nested[0].pattern}" cannot be inside the exact location')
    location = Location(modifier, pattern, regex, settings, nested=nested)
    return _content(location, block, reading)


def _content(location: Location, block: Iterable[Directive], reading: _Reading) -> Location:
    sets: list[tuple[str, Template]] = []
    changes: dict[str, object] = {}
    for one in block:
        if one.name == "return":
            changes.setdefault("gives", _return(one, reading))
        elif one.name == "proxy_pass":
            changes["passes"] = _pass(one, location, reading)
        elif one.name == "alias":
            changes["alias"] = one.args[0]
        elif one.name == "try_files":
            changes["tries"] = tuple(_template(arg, one, reading) for arg in one.args)
        elif one.name == "set":
            sets.append((one.args[0].lstrip("$"), _template(one.args[1], one, reading)))
        elif (
            one.name not in _VALUES
            and one.name not in simulated.HANDLED
            and one.name not in simulated.WITHOUT_EFFECT
        ):
            _warn(one, reading)
    return replace(location, sets=tuple(sets), **changes)  # type: ignore[arg-type]  # as above


def _return(one: Directive, reading: _Reading) -> tuple[int, Template | None]:
    first, *rest = one.args
    if not first.isdigit():
        if not first.startswith(("http://", "https://", "$")):
            raise one.refuse(f'invalid return code "{first}"')
        return 302, _template(first, one, reading)
    if int(first) > 999:
        raise one.refuse(f'invalid return code "{first}"')
    return int(first), _template(rest[0], one, reading) if rest else None


def _pass(one: Directive, location: Location, reading: _Reading) -> Pass:
    url = one.args[0]
    if not url.startswith(("http://", "https://", "$")):
        raise one.refuse("invalid URL prefix")
    if url.startswith("https://"):
        reading.warnings.append(f"TLS to upstreams is not simulated in {one.where}")
    rest = url.partition("://")[2] if "://" in url else url
    target, slash, path = rest.partition("/")
    uri = f"/{path}" if slash else None
    template = _template(target, one, reading)
    if not template.constant:
        return Pass(template, uri, None)
    if uri is not None and location.modifier.startswith("~"):
        raise one.refuse(
            '"proxy_pass" cannot have URI part in location given by regular expression, or inside '
            'named location, or inside "if" statement, or inside "limit_except" block'
        )
    upstream = reading.upstreams.get(target)
    if upstream is None:
        host, port = _host_and_port(target, one)
        addresses = reading.resolve(host)
        if not addresses:
            raise one.refuse(f'host not found in upstream "{host}"')
        upstream = Upstream(target, [Peer(address, port) for address in addresses])
    return Pass(template, uri, upstream)
