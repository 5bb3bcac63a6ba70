"""What to do with an error of our own: a sentence for the user, the details for a report."""

from __future__ import annotations

import platform
import time
import traceback
from pathlib import Path

from tui import __version__
from tui.text import clean, shorten


def note(error: BaseException) -> str:
    """Write the details to a file of the user's; returns the sentence to end with."""
    import platformdirs

    # What it says may quote the cluster, and ends on the terminal.
    what = shorten(clean(f"{type(error).__name__}: {error}"), 200)
    folder = Path(platformdirs.user_log_dir("kscale-tui", appauthor=False))
    path = folder / f"crash-{time.strftime('%Y%m%d-%H%M%S')}.txt"
    head = (
        f"kscale-tui {__version__}, Python {platform.python_version()}, {platform.platform()}\n\n"
    )
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.touch(mode=0o600)
        path.write_text(head + _plain(error), encoding="utf-8")
    except OSError as failure:
        return f"kscale-tui met an error of its own ({what}), and {folder}: {failure.strerror}."
    return f"kscale-tui met an error of its own ({what}). The details are in {path}."


def _plain(error: BaseException) -> str:
    """The traceback. What it quotes is written so that a terminal shows it and obeys nothing."""
    text = "".join(traceback.format_exception(error))
    return "".join(c if c.isprintable() or c == "\n" else ascii(c)[1:-1] for c in text)
