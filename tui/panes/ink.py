"""The colours and what each of them means. One meaning a colour, and never colour alone.

A style is written as in ``"bold measured"``: attributes, then one ink.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Final

from rich.style import Style
from textual.theme import Theme


class Ink(StrEnum):
    """What a colour says."""

    TEXT = "text"
    MEASURED = "measured"
    """What is measured now."""
    DECIDED = "decided"
    """What the HPA decides: desired, its steps, its limits."""
    GOOD = "good"
    BAD = "bad"
    """Over target, or failing."""
    ESTIMATED = "estimated"
    MUTED = "muted"
    """What may be ignored."""
    FAINT = "faint"
    """Rails and empty parts of bars."""
    WASH = "wash"
    """The area under a curve of what is measured."""


def _theme(name: str, dark: bool, background: str, foreground: str, **inks: str) -> Theme:
    return Theme(
        name=name,
        primary=inks["measured"],
        secondary=inks["estimated"],
        accent=inks["decided"],
        warning=inks["decided"],
        error=inks["bad"],
        success=inks["good"],
        foreground=foreground,
        background=background,
        surface=inks["raised"],
        panel=inks["raised"],
        dark=dark,
        variables={
            **{ink.value: inks[ink.value] for ink in Ink if ink is not Ink.TEXT},
            "raised": inks["raised"],
            "border": inks["faint"],
            "footer-key-foreground": inks["measured"],
            "footer-description-foreground": inks["muted"],
            "footer-background": inks["raised"],
            "block-cursor-background": inks["selected"],
            "block-cursor-foreground": foreground,
            "selected": inks["selected"],
        },
    )


DARK: Final = _theme(
    "kscale-dark",
    True,
    "#0c0f16",
    "#dfe3ea",
    measured="#5cc6df",
    decided="#ffb454",
    good="#7fd962",
    bad="#f4737b",
    estimated="#c58fee",
    muted="#808a99",
    faint="#313a48",
    wash="#1f4d5c",
    raised="#131a24",
    selected="#24344a",
)
LIGHT: Final = _theme(
    "kscale-light",
    False,
    "#fbfaf7",
    "#1b1e23",
    measured="#00708c",
    decided="#a85800",
    good="#2a7a20",
    bad="#b3231f",
    estimated="#6a3d9e",
    muted="#686c72",
    faint="#cfcbc2",
    wash="#a9d3de",
    raised="#f0eee8",
    selected="#d5e6ec",
)
CONTRAST: Final = _theme(
    "kscale-contrast",
    True,
    "#000000",
    "#ffffff",
    measured="#00e5ff",
    decided="#ffd000",
    good="#5bff5b",
    bad="#ff7b7b",
    estimated="#e3a6ff",
    muted="#c8c8c8",
    faint="#7a7a7a",
    wash="#00606c",
    raised="#000000",
    selected="#003a70",
)
THEMES: Final = (DARK, LIGHT, CONTRAST)
_BASES: Final = 64
"""Styles to lay others over that are remembered: a pane's own, with the cursor and without."""


def defaults(dark: bool) -> dict[str, str]:
    """The inks for a theme that does not know them, such as Textual's own."""
    return dict((DARK if dark else LIGHT).variables)


class Palette:
    """Styles by name for one theme. Parsing is done once a name."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._colors = {
            ink.value: variables[ink.value]
            for ink in Ink
            if ink is not Ink.TEXT and ink.value in variables
        }
        self._known: dict[str, Style] = {}
        self._laid: dict[Style, dict[str, Style]] = {}
        selected = variables.get("selected")
        self.selection = Style(bgcolor=selected) if selected else Style(reverse=True)
        """Laid over the line with the cursor."""

    def style(self, name: str) -> Style:
        """The style for a name such as ``"bold bad"``; an unknown ink is plain text."""
        found = self._known.get(name)
        if found is None:
            words = name.split()
            color = next((self._colors[w] for w in words if w in self._colors), None)
            found = self._known[name] = Style(
                color=color,
                bold="bold" in words or None,
                dim="dim" in words or None,
                reverse="reverse" in words or None,
                underline="underline" in words or None,
            )
        return found

    def on(self, base: Style | None) -> Callable[[str], Style]:
        """:meth:`style` laid over another one; what has been laid so once is kept."""
        if base is None:
            return self.style
        if len(self._laid) >= _BASES and base not in self._laid:
            self._laid.clear()
        laid = self._laid.setdefault(base, {})

        def style(name: str) -> Style:
            found = laid.get(name)
            if found is None:
                found = laid[name] = base + self.style(name)
            return found

        return style
