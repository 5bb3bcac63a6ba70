"""The command line. Starts fast: what a command needs is imported when it runs."""

from __future__ import annotations

import errno
import gc
import os
import shutil
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn

import click

from tui import __version__, heap
from tui.handing import UnknownToCommandError, hand_on

if TYPE_CHECKING:
    from tui.analysis.focus import Target
    from tui.cluster.feed import ClusterFeed
    from tui.commands.namespaces import Chosen
    from tui.config import LoadSettings, Settings
    from tui.log import Log
    from tui.state.store import Store

FAILED: Final = 1
"""Exit code: the thing failed or found a fault."""
USAGE: Final = 2
"""Exit code: wrong usage."""

_SWITCH: Final = 0.001
"""Seconds after which a thread that reads from the cluster lets another one go on, if asked: a key
passes through three threads before it is seen, and Python's five milliseconds count for each."""
_EPILOG: Final = (
    "No cluster at hand? `kscale-tui --demo` opens the dashboard on an embedded one, and "
    "`kscale-tui cluster` serves one to kubectl."
)

_DISK: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
"""What a write to a file may end with; a pipe that nobody reads any more is click's to see."""

_COMMANDS: Final = {
    "burst": "tui.commands.burst",
    "cluster": "tui.demo.main",
    "doctor": "tui.commands.doctor",
    "explain": "tui.commands.explain",
    "setups": "tui.commands.setups",
}
"""Each subcommand's module, which has it as ``command``."""


class _Commands(click.Group):
    """Finds subcommands without importing them; output that goes nowhere is a sentence."""

    def main(self, *args: Any, **options: Any) -> Any:
        """Run the command line."""
        try:
            return super().main(*args, **options)
        except OSError as error:
            if error.errno not in _DISK or error.filename is not None:
                raise
            from tui.commands.telling import give_up

            give_up()  # what waits to be written would fail again at the end, with a traceback
            _fail(f"The output cannot be written: {error.strerror}.")

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = import_module(_COMMANDS[cmd_name]).command
        return command


@click.group(
    cls=_Commands,
    invoke_without_command=True,
    epilog=_EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="kscale-tui", message="%(prog)s %(version)s")
@click.option("--demo", is_flag=True, help="Run on an embedded cluster that ends with it.")
@click.option("--context", help="The kubeconfig context to use.")
@click.option(
    "--kubeconfig", type=click.Path(exists=True, dir_okay=False), help="The kubeconfig file."
)
@click.option("-n", "--namespace", help="The namespace to watch; the context's by default.")
@click.option("-A", "--all-namespaces", is_flag=True, help="Watch all namespaces.")
@click.option("--target", metavar="KIND/NAME", help="What to look at: deployment/NAME.")
@click.option("--read-only", is_flag=True, help="Never change anything in the cluster.")
@click.option("--theme", help="dark, light, contrast, or any Textual theme.")
@click.option("--config", type=click.Path(dir_okay=False), help="The settings file.")
@click.option(
    "--setups", type=click.Path(file_okay=False), metavar="DIR", help="A folder of your own setups."
)
@click.option(
    "--speed",
    type=click.FloatRange(0.1, 100),
    help="With --demo: divide the waiting times.",
)
@click.option("--seed", type=int, help="With --demo: the same seed, the same story.")
@click.option(
    "--scenario", help="With --demo: what happens there; lesson by default, see `cluster --help`."
)
@click.option("--profile", is_flag=True, help="Show what the program itself costs.")
@click.pass_context
def cli(ctx: click.Context, /, **options: Any) -> None:
    """Show why a Kubernetes workload scales, or does not: pods, HPA, CPU, nodes, live."""
    if ctx.invoked_subcommand is None:
        dashboard(**options)
        return
    command = cli.get_command(ctx, ctx.invoked_subcommand)
    if command is not None:
        try:
            hand_on(ctx, command)
        except UnknownToCommandError as error:
            _usage(str(error), ctx.invoked_subcommand)


def dashboard(
    *,
    demo: bool,
    context: str | None,
    kubeconfig: str | None,
    namespace: str | None,
    all_namespaces: bool,
    target: str | None,
    read_only: bool,
    theme: str | None,
    config: str | None,
    setups: str | None,
    speed: float | None,
    seed: int | None,
    scenario: str | None,
    profile: bool,
) -> None:
    """Open the dashboard and stay until it ends."""
    gc.disable()  # what is imported stays: looking through it again and again takes a fifth longer
    if namespace and all_namespaces:
        _usage("-n and -A exclude each other; give one of them")
    if demo and (context or kubeconfig):
        _usage("--demo brings its own cluster; leave out --context and --kubeconfig")
    if not demo:
        given = {"--speed": speed, "--seed": seed, "--scenario": scenario}
        idle = [name for name, value in given.items() if value is not None]
        if idle:
            _usage(f"{' and '.join(idle)} {'goes' if len(idle) == 1 else 'go'} with --demo")
    from tui.commands.namespaces import ALL, choose

    if demo and scenario:
        _check_scenario(scenario)
    settings = _settings(config, theme, read_only, setups)
    chosen = choose(namespace, settings, ALL)
    wanted = _target(target or settings.target)
    _require_terminal()

    from tui.state.store import Store

    log = _log()

    store = Store()
    feed = (
        _demo_feed(store, speed, seed, scenario, chosen, all_namespaces, settings)
        if demo
        else _feed(store, context, kubeconfig, chosen, all_namespaces, settings)
    )
    try:
        from tui.app import KscaleApp

        gc.freeze()
        gc.enable()
        heap.keep_small()
        sys.setswitchinterval(_SWITCH)
        _check(settings)
        app = KscaleApp(store, feed, settings, wanted, log=log, profile=profile)
        sentence = app.run()
        if sentence:
            _fail(sentence)
        if app.return_code:
            sys.exit(app.return_code)
    finally:
        feed.stop()


def _log() -> Log:
    from tui import log

    try:
        made = log.from_environment()
    except OSError as problem:
        _usage(f"{log.VARIABLE} names a file that cannot be written: {problem.strerror}")
    made.write("start", version=__version__)
    return made


def _feed(
    store: Store,
    context: str | None,
    kubeconfig: str | None,
    chosen: Chosen,
    everywhere: bool,
    settings: Settings,
) -> ClusterFeed:
    from tui.cluster.errors import ClusterError
    from tui.cluster.feed import ClusterFeed
    from tui.cluster.kubeconfig import load_config
    from tui.state.place import Place

    try:
        found = load_config(kubeconfig, context)
    except ClusterError as error:
        _fail(str(error))
    place = Place(
        found.context or found.host,
        None if everywhere else chosen.name or found.namespace,
        read_only=settings.read_only,
    )
    return ClusterFeed(
        store,
        lambda: found,
        namespace=chosen.name,
        hint=chosen.hint,
        everywhere=everywhere,
        place=place,
        allow_hosts=settings.load.allow_hosts,
    )


def _demo_feed(
    store: Store,
    speed: float | None,
    seed: int | None,
    scenario: str | None,
    chosen: Chosen,
    everywhere: bool,
    settings: Settings,
) -> ClusterFeed:
    from tui.cluster.embedded import Embedded
    from tui.cluster.feed import ClusterFeed
    from tui.state.place import Place

    child = Embedded(
        1.0 if speed is None else speed, 1 if seed is None else seed, scenario or "lesson"
    )
    return ClusterFeed(
        store,
        child.config,
        namespace=chosen.name,
        hint=chosen.hint,
        everywhere=everywhere,
        place=Place(
            "embedded",
            None if everywhere else chosen.name or "default",
            simulated=True,
            read_only=settings.read_only,
        ),
        close=child.stop,
    )


def _settings(path: str | None, theme: str | None, read_only: bool, setups: str | None) -> Settings:
    import msgspec

    from tui.config import ConfigError, load

    try:
        settings = load(Path(path) if path else None)
    except ConfigError as error:
        _usage(str(error))
    changes: dict[str, Any] = {}
    if theme:
        changes["theme"] = theme
    if read_only:
        changes["read_only"] = True
    if setups:
        if not Path(setups).expanduser().is_dir():
            _usage(f"there is no folder {setups} of setups")
        changes["setups"] = msgspec.structs.replace(settings.setups, dir=setups)
    return msgspec.structs.replace(settings, **changes)


def _check_scenario(name: str) -> None:
    from tui.demo.scenario import ScenarioError, load

    try:
        load(name)
    except ScenarioError as error:
        _usage(str(error))


def _check(settings: Settings) -> None:
    """Refuse names in the settings that mean nothing. What they may be comes with the app."""
    from textual.theme import BUILTIN_THEMES

    from tui.actions import KeysError, effective
    from tui.config import THEMES

    themes = {*THEMES, *THEMES.values(), *BUILTIN_THEMES}
    if settings.theme not in themes:
        _usage(f"there is no theme {settings.theme!r}; there are {', '.join(sorted(themes))}")
    try:
        effective(settings.keys)
    except KeysError as error:
        _usage(str(error))
    _check_preset(settings.load)


def _check_preset(load: LoadSettings) -> None:
    """Refuse a preset that is not there now, rather than when its key is pressed."""
    if load == type(load)():
        return
    from tui.load import profile
    from tui.load.plan import PlanError

    try:
        profile.load(load.preset, profile.folders(load.dir))
    except PlanError as error:
        _usage(f"[load] names a preset that cannot be used: {error}")


def _target(text: str | None) -> Target | None:
    if text is None:
        return None
    from tui.analysis.focus import TargetError, parse_target

    try:
        return parse_target(text)
    except TargetError as error:
        _usage(str(error))


def _require_terminal() -> None:
    # A stream that was closed is None.
    if not all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout)):
        _fail(
            "The dashboard needs a terminal. Run it in one, not through a pipe; "
            "`kscale-tui cluster` needs none."
        )
    # An exported size is that of another moment, and would be believed through every resize.
    for name in ("COLUMNS", "LINES"):
        os.environ.pop(name, None)
    columns, rows = shutil.get_terminal_size()
    least_columns, least_rows = 60, 16
    if columns < least_columns or rows < least_rows:
        _fail(
            f"This terminal has {columns} columns and {rows} rows; the dashboard needs "
            f"{least_columns} and {least_rows}. Make the window larger or the font smaller."
        )


def _fail(sentence: str) -> NoReturn:
    from tui.text import clean  # when it is too late to be fast

    click.echo(f"kscale-tui: {clean(sentence)}", err=True)
    sys.exit(FAILED)


def _usage(sentence: str, command: str = "") -> NoReturn:
    from tui.text import clean

    program = f"kscale-tui {command}".rstrip()
    click.echo(f"kscale-tui: {clean(sentence)}. See `{program} --help`.", err=True)
    sys.exit(USAGE)
