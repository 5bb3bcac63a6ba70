"""A picture of the screen, as a file where the program was started."""

from __future__ import annotations

import os
import time
from pathlib import Path

from textual.app import App

from tui.text import clean


def take(app: App[str]) -> None:
    """Save what is on the screen, and tell where, or why not."""
    try:
        path = _save(app.export_screenshot(), time.strftime("kscale-tui-%Y-%m-%d-%H%M%S.svg"))
    except OSError as error:
        why = f"The picture cannot be saved in the folder you started from: {error.strerror}."
        app.notify(why, severity="error", markup=False)
    else:
        app.notify(f"The screen is saved as {clean(str(path))}.", markup=False)


def _save(svg: str, name: str) -> Path:
    """In whole, or not at all."""
    handle = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with open(handle, "w", encoding="utf-8") as file:
            file.write(svg)
    except OSError:
        os.unlink(name)
        raise
    return Path(name).resolve()
