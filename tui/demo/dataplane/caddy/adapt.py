"""Caddyfile directives to sites and routes, in the order that Caddy gives them.

The order is not the file's: directives are sorted by kind, and those of one kind by how specific
their path is. So ``respond`` answers before ``reverse_proxy`` wherever it stands.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from tui.demo.dataplane.caddy import matchers, proxying
from tui.demo.dataplane.caddy.matchers import Matcher
from tui.demo.dataplane.caddy.model import (
    Config,
    Encode,
    FileServer,
    Handler,
    HeaderChanges,
    LogOutput,
    Respond,
    Rewrite,
    Route,
    SetRoot,
    Site,
    Subroute,
)
from tui.demo.dataplane.caddy.syntax import FILE, Caddyfile, CaddyfileError, Directive

_ORDER: Final = (
    "tracing", "map", "vars", "fs", "root", "log_append", "skip_log", "log_skip", "header",
    "copy_response_headers", "request_body", "redir", "method", "rewrite", "uri", "try_files",
    "basicauth", "basic_auth", "forward_auth", "request_header", "encode", "push", "intercept",
    "templates", "invoke", "handle", "route", "abort", "error", "copy_response", "respond",
    "metrics", "reverse_proxy", "php_fastcgi", "file_server", "acme_server",
)  # fmt: skip
_POSITION: Final = {name: position for position, name in enumerate(_ORDER)} | {
    "handle_path": _ORDER.index("handle")
}
_NOT_ROUTES: Final = frozenset({"log", "bind", "tls", "handle_errors"})
_OPTIONS: Final = frozenset(
    {
        "acme_ca", "acme_ca_root", "admin", "auto_https", "cert_issuer", "debug", "default_bind",
        "default_sni", "email", "events", "fallback_sni", "filesystem", "grace_period",
        "http_port", "https_port", "key_type", "local_certs", "log", "metrics", "ocsp_stapling",
        "on_demand_tls", "order", "persist_config", "pki", "preferred_chains", "renew_interval",
        "servers", "shutdown_delay", "skip_install_trust", "storage", "storage_clean_interval",
    }
)  # fmt: skip
_OUTPUTS: Final = ("stdout", "stderr", "discard", "file", "net")
_STATUS_OF_REDIR: Final = {"permanent": 301, "temporary": 302, "html": 200}


class _Adapter:
    def __init__(self) -> None:
        self.config = Config()

    def note(self, name: str, line: int) -> None:
        self.config.notes.append((name, line))

    # -- global

    def options(self, options: tuple[Directive, ...]) -> None:
        for one in options:
            if one.name not in _OPTIONS:
                raise CaddyfileError(f"{FILE}:{one.line}: unrecognized global option: {one.name}")
            if one.name == "admin":
                self.config.admin = one.args[:1] != ("off",)
            elif one.name == "log" and one.args[:1] in ((), ("default",)):
                self.config.runtime = self.log(one)
            elif one.name in ("http_port", "default_bind", "order", "on_demand_tls"):
                self.note(one.name, one.line)

    def log(self, one: Directive) -> LogOutput:
        """Where a ``log`` writes; without a block it follows the runtime log."""
        target, console = "stderr", False
        for line in one.block or ():
            if line.name == "output" and line.args:
                target = line.args[0]
                if target not in _OUTPUTS:
                    module = f"caddy.logging.writers.{target}"
                    raise one.refuse(
                        f"getting module named '{module}': module not registered: {module}",
                        line.line,
                    )
            elif line.name == "format":
                console = line.args[:1] == ("console",)
            elif line.name not in ("level", "include", "exclude", "sampling", "hostnames"):
                raise one.refuse(f"unrecognized subdirective: {line.name}", line.line)
        return LogOutput(target in ("stdout", "stderr"), console, target)

    # -- sites

    def site(self, addresses: list[str], block: tuple[Directive, ...]) -> None:
        ports: set[int] = set()
        hosts: list[str] = []
        for address in addresses:
            host, port = self.address(address)
            ports.add(port)
            if host:
                hosts.append(host)
        site = Site(tuple(sorted(ports)), tuple(hosts), self.routes(block))
        for one in block:
            if one.name == "log":
                plain = not one.block
                site.log = self.config.runtime if plain else self.log(one)
                number = sum(each.logger != "" for each in self.config.sites)
                site.logger = "http.log.access" if plain else f"http.log.access.log{number}"
            elif one.name in _NOT_ROUTES:
                self.note(one.name, one.line)
        taken = {(port, host) for each in self.config.sites for port in each.ports
                 for host in each.hosts or ("",)}  # fmt: skip
        for address in addresses:
            host, port = self.address(address)
            if (port, host) in taken:
                raise CaddyfileError(f"ambiguous site definition: {address}")
        self.config.sites.append(site)

    def address(self, text: str) -> tuple[str, int]:
        """Host and port; what would be served by TLS is served plainly on port 80."""
        scheme, mark, rest = text.partition("://")
        rest = (rest if mark else text).partition("/")[0]
        host, _, port = rest.partition(":")
        if port.isdigit():
            return host.lower(), int(port)
        if not mark or scheme == "https":
            self.note(f"https for {text}", 1)
        return host.lower(), 80

    def routes(
        self, block: tuple[Directive, ...], above: Mapping[str, Matcher] | None = None
    ) -> tuple[Route, ...]:
        definitions = dict(above or {})
        for one in block:
            if one.name.startswith("@"):
                definitions[one.name] = matchers.named(one)
        found: list[tuple[int, Matcher | None, Route]] = []
        for one in block:
            if one.name.startswith("@") or one.name in _NOT_ROUTES:
                continue
            if one.name not in _POSITION:
                raise CaddyfileError(f"{FILE}:{one.line}: unrecognized directive: {one.name}")
            made = self.route(one, definitions)
            if made is not None:
                matcher, route = made
                found.append((_POSITION[one.name], matcher, route))
        return tuple(route for _, _, route in sorted(found, key=_sort_key))

    def route(
        self, one: Directive, definitions: dict[str, Matcher]
    ) -> tuple[Matcher | None, Route] | None:
        matcher, args = matchers.of(one, definitions)
        match = matcher.match if matcher else None
        exclusive = one.name in ("handle", "handle_path")
        if exclusive or one.name == "route":
            handlers: tuple[Handler, ...] = ()
            if one.name == "handle_path":
                if not one.args or not one.args[0].startswith("/"):
                    words = "Wrong argument count or unexpected line ending after 'handle_path'"
                    raise one.refuse(words)
                handlers = (Rewrite(strip_prefix=one.args[0].rstrip("*").rstrip("/")),)
            inner = self.in_order(one, definitions) if one.name == "route" else None
            routes = self.routes(one.block or (), definitions) if inner is None else inner
            return matcher, Route(match, (*handlers, Subroute(routes)), exclusive)
        make = _HANDLERS.get(one.name)
        if one.name == "reverse_proxy":
            return matcher, Route(match, (proxying.read(one, args, self.note),))
        if make is None:
            self.note(one.name, one.line)
            return None
        return matcher, Route(match, make(one, args))

    def in_order(self, one: Directive, definitions: dict[str, Matcher]) -> tuple[Route, ...]:
        """The routes of a ``route`` block, which keep the order they are written in."""
        found: list[Route] = []
        for each in one.block or ():
            found += self.routes((each,), definitions)
        return tuple(found)


def _sort_key(item: tuple[int, Matcher | None, Route]) -> tuple[int, int, int]:
    position, matcher, _ = item
    if matcher is None:
        return position, 1, 0
    length = len(matcher.path) if matcher.path is not None else 0
    # A path that ends in * covers more than the same one without.
    exact = 0 if matcher.path and matcher.path.endswith("*") else 1
    return position, 0, -(2 * length + exact)


def _respond(one: Directive, args: tuple[str, ...]) -> tuple[Handler, ...]:
    body, status = "", 200
    if len(args) == 1 and args[0].isdigit() and len(args[0]) == 3:
        status = int(args[0])
    elif args:
        body = args[0]
        if len(args) > 1:
            if not args[1].isdigit():
                raise one.refuse(f"invalid status code '{args[1]}'")
            status = int(args[1])
    for line in one.block or ():
        if line.name == "body" and line.args:
            body = line.args[0]
    return (Respond(status, body),)


def _header(one: Directive, args: tuple[str, ...]) -> tuple[Handler, ...]:
    lines = [args] if args else []
    deferred = False
    for line in one.block or ():
        if line.name == "defer":
            deferred = True
        else:
            lines.append((line.name, *line.args))
    changes = tuple(proxying.header_change(line, one) for line in lines)
    deferred = deferred or any(one.kind in ("delete", "default", "replace") for one in changes)
    return (HeaderChanges(changes, deferred),)


def _redir(one: Directive, args: tuple[str, ...]) -> tuple[Handler, ...]:
    if not args:
        raise one.refuse("Wrong argument count or unexpected line ending after 'redir'")
    code = args[1] if len(args) > 1 else "302"
    status = int(code) if code.isdigit() else _STATUS_OF_REDIR.get(code, 302)
    return (Respond(status, "", args[0]),)


def _uri(one: Directive, args: tuple[str, ...]) -> tuple[Handler, ...]:
    if len(args) == 2 and args[0] == "strip_prefix":
        return (Rewrite(strip_prefix=args[1]),)
    if len(args) == 2 and args[0] == "strip_suffix":
        return (Rewrite(strip_suffix=args[1]),)
    raise one.refuse(f"unrecognized URI manipulation '{' '.join(args)}'")


def _error(one: Directive, args: tuple[str, ...]) -> tuple[Handler, ...]:
    numbers = [int(arg) for arg in args if arg.isdigit()]
    return (Respond(numbers[-1] if numbers else 500, ""),)


def _file_server(one: Directive, args: tuple[str, ...]) -> tuple[Handler, ...]:
    options = {line.name: line.args for line in one.block or ()}
    root = options.get("root", ("",))[0]
    index = options.get("index", ("index.html", "index.txt"))
    return (FileServer(root, index),)


_HANDLERS: Final[dict[str, Callable[[Directive, tuple[str, ...]], tuple[Handler, ...]]]] = {
    "abort": lambda one, args: (Respond(0, "", abort=True),),
    "encode": lambda one, args: (Encode(),),
    "error": _error,
    "file_server": _file_server,
    "header": _header,
    "redir": _redir,
    "respond": _respond,
    "rewrite": lambda one, args: (Rewrite(to=args[0] if args else "/"),),
    "root": lambda one, args: (SetRoot(args[-1] if args else "/srv"),),
    "uri": _uri,
}


def adapt(file: Caddyfile) -> Config:
    """What a Caddyfile says.

    Raises:
        CaddyfileError: Caddy would refuse it.
    """
    adapter = _Adapter()
    adapter.options(file.options)
    for addresses, block in file.sites:
        adapter.site(addresses, block)
    return adapter.config
