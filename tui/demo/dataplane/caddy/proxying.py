"""The ``reverse_proxy`` directive: its subdirectives, and what Caddy says of wrong ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from tui.demo.dataplane.caddy.model import HeaderChange, Health, ReverseProxy, seconds
from tui.demo.dataplane.caddy.syntax import Directive

_WITHOUT_EFFECT: Final = frozenset(
    {
        "buffer_requests",
        "buffer_responses",
        "flush_interval",
        "max_buffer_size",
        "request_buffers",
        "response_buffers",
        "stream_close_delay",
        "stream_timeout",
        "trusted_proxies",
    }
)
_NOT_SIMULATED: Final = frozenset(
    {
        "@",
        "copy_response",
        "copy_response_headers",
        "dynamic",
        "fail_timeout",
        "handle_response",
        "health_body",
        "health_fails",
        "health_follow_redirects",
        "health_method",
        "health_passes",
        "health_request_body",
        "health_upstream",
        "lb_retries",
        "lb_retry_match",
        "method",
        "replace_status",
        "rewrite",
        "unhealthy_latency",
        "unhealthy_request_count",
        "unhealthy_status",
        "verbose_logs",
    }
)
_POLICIES: Final = ("random", "round_robin", "first", "least_conn")

Note = Callable[[str, int], None]


def read(one: Directive, args: tuple[str, ...], note: Note) -> ReverseProxy:
    """What the directive says.

    Raises:
        CaddyfileError: Caddy would refuse it.
    """
    upstreams = [_upstream(arg, one) for arg in args]
    proxy = ReverseProxy(())
    health: dict[str, object] = {}
    up: list[HeaderChange] = []
    down: list[HeaderChange] = []
    for line in one.block or ():
        name, values = line.name, line.args
        if name == "to":
            upstreams += [_upstream(arg, one) for arg in values]
        elif name == "lb_policy":
            proxy.policy = values[0] if values else "random"
            if proxy.policy not in _POLICIES:
                note(f"lb_policy {proxy.policy}", line.line)
                proxy.policy = "random"
        elif name == "lb_try_duration":
            proxy.try_duration = _seconds(line, one, "duration")
        elif name == "lb_try_interval":
            proxy.try_interval = max(0.01, _seconds(line, one, "interval"))
        elif name == "fail_duration":
            proxy.fail_duration = _seconds(line, one, "duration")
        elif name == "max_fails":
            proxy.max_fails = int(_only(line, one))
        elif name in ("health_uri", "health_path"):
            health["uri"] = _only(line, one)
        elif name == "health_interval":
            health["interval"] = _seconds(line, one, "interval")
        elif name == "health_timeout":
            health["timeout"] = _seconds(line, one, "timeout")
        elif name == "health_port":
            health["port"] = int(_only(line, one))
        elif name == "health_status":
            health["status"] = int(_only(line, one).replace("xx", ""))
        elif name == "health_headers":
            health["headers"] = tuple((each.name, " ".join(each.args)) for each in line.block or ())
        elif name in ("header_up", "header_down"):
            (up if name == "header_up" else down).append(header_change(values, line))
        elif name == "transport":
            _transport(proxy, line, one, note)
        elif name in _NOT_SIMULATED or name.startswith("@"):
            note(name, line.line)
        elif name not in _WITHOUT_EFFECT:
            raise one.refuse(f"unrecognized subdirective {name}", line.line)
    proxy.upstreams = tuple(upstreams)
    proxy.up, proxy.down = tuple(up), tuple(down)
    if "uri" in health:
        proxy.health = Health(**health)  # type: ignore[arg-type]  # each was read as its type
    return proxy


def _only(line: Directive, one: Directive) -> str:
    if not line.args:
        words = f"Wrong argument count or unexpected line ending after '{line.name}'"
        raise one.refuse(words, line.line)
    value = line.args[0]
    if (
        line.name in ("max_fails", "health_port", "health_status")
        and not value.replace("xx", "").isdigit()
    ):
        raise one.refuse(
            f"bad {line.name.partition('_')[2]} number '{value}': strconv.Atoi: parsing "
            f'"{value}": invalid syntax',
            line.line,
        )
    return value


def _seconds(line: Directive, one: Directive, what: str) -> float:
    text = _only(line, one)
    found = seconds(text)
    if found is None:
        words = f'bad {what} value {text}: time: invalid duration "{text}"'
        raise one.refuse(words, line.line)
    return found


def _upstream(text: str, one: Directive) -> str:
    """``host:port`` of an upstream's address."""
    scheme, mark, rest = text.partition("://")
    if not mark:
        rest = text
    elif scheme not in ("http", "https", "h2c"):
        raise one.refuse(f"unsupported URL scheme {scheme}://")
    host, slash, path = rest.partition("/")
    if slash and (path or mark):
        raise one.refuse(
            "for now, URLs for proxy upstreams only support scheme, host, and port components"
        )
    if ":" not in host:
        host += ":443" if scheme == "https" and mark else ":80"
    if not host.rpartition(":")[2].isdigit():
        raise one.refuse(f"parsing upstream address '{text}': invalid port")
    return host


def _transport(proxy: ReverseProxy, line: Directive, one: Directive, note: Note) -> None:
    if line.args[:1] != ("http",):
        note(f"transport {' '.join(line.args)}", line.line)
        return
    for each in line.block or ():
        if each.name == "keepalive":
            if each.args[:1] == ("off",):
                proxy.idle = 0
            else:
                _seconds(each, one, "keepalive")
        elif each.name in ("keepalive_idle_conns", "keepalive_idle_conns_per_host"):
            value = _only(each, one)
            if value.isdigit():
                proxy.idle = int(value)
        elif each.name in ("read_timeout", "response_header_timeout"):
            proxy.read_timeout = _seconds(each, one, "timeout")
        elif each.name.startswith("tls"):
            note(f"transport {each.name}", each.line)


def header_change(args: tuple[str, ...], one: Directive) -> HeaderChange:
    """One operation of ``header``, ``header_up`` or ``header_down``.

    Raises:
        CaddyfileError: too few or too many words.
    """
    if not 1 <= len(args) <= 3:
        raise one.refuse(f"Wrong argument count or unexpected line ending after '{one.name}'")
    name, value = args[0], args[1] if len(args) > 1 else ""
    if len(args) == 3:
        return HeaderChange("replace", name.lstrip("+-?>"), value, args[2])
    kinds = {"+": "add", "-": "delete", "?": "default", ">": "set"}
    return HeaderChange(kinds.get(name[:1], "set"), name.lstrip("+-?>"), value)
