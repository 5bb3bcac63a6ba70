"""``python -m tui`` and the ``kscale-tui`` command."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line."""
    if sys.argv[1:] == ["--version"]:
        # The one answer that scripts wait for: without the command line's own import.
        from tui import __version__

        sys.stdout.write(f"kscale-tui {__version__}\n")
        return
    from tui.cli import cli

    cli(prog_name="kscale-tui")


if __name__ == "__main__":
    main()
