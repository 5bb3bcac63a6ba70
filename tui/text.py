"""From untrusted string to screen, and from number to words. Nothing else may do either.

Names, messages and reasons come from whoever can write to the cluster. They may hold terminal
escape sequences, markup, bidirectional overrides or kilobytes. What leaves this module is one
line of printable characters, and only ever placed as plain text, never parsed as markup.
"""

from __future__ import annotations

import json
import re
import unicodedata
from functools import lru_cache
from typing import Final

import msgspec
from rich.cells import cell_len, set_cell_size

ELLIPSIS: Final = "…"
UNKNOWN: Final = "–"
"""Stands where there is no figure."""

_LONGEST: Final = 2000
_MOST_MARKS: Final = 2
_ESCAPES: Final = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c]*+(?:\x07|\x1b\\|\x9c)"
    r"|\x1b[\]PX^_].*"
    r"|\x1b[ -/]*[0-~]",
    re.DOTALL,
)
"""CSI; strings (OSC, DCS, SOS, PM, APC) to their terminator, or to the end where a terminal would
wait for one; other escapes. ECMA-48, section 5.3 and 5.6. A C1 control without a terminator is more
likely a wrong encoding than a sequence: it goes alone."""
_INVISIBLE: Final = frozenset(
    [chr(c) for c in (0x34F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x3164, 0xFFA0)]
    + [chr(c) for r in ((0x180B, 0x1810), (0xFE00, 0xFE10), (0xE0100, 0xE01F0)) for c in range(*r)]
)
"""Default_Ignorable_Code_Point beyond the categories of control characters: joiners, fillers and
variation selectors, whose width no two terminals agree on (DerivedCoreProperties.txt of Unicode).
"""
_SAFE_ASCII: Final = re.compile(r"[ -~]*")


def clean(text: str) -> str:
    """One printable line: escapes and invisible characters gone, white space folded.

    Bidirectional controls, zero-width characters, surrogates and private-use code points go, and
    so do combining marks and other parts without a width that lead the text or are stacked beyond
    two, which would climb over their neighbours. Longer texts are cut at 2000 characters.
    """
    return _clean(text[:_LONGEST])


@lru_cache(maxsize=2048)
def _clean(text: str) -> str:
    if _SAFE_ASCII.fullmatch(text):
        return " ".join(text.split()) if text[:1] == " " or "  " in text else text.rstrip()
    text = _ESCAPES.sub("", text)
    kept: list[str] = []
    marks = _MOST_MARKS
    for char in text:
        category = unicodedata.category(char)
        if char.isspace():
            kept.append(" ")
            marks = _MOST_MARKS
        elif category[0] == "C" or char in _INVISIBLE:
            continue
        elif category[0] == "M" or cell_len(char) == 0:
            if marks < _MOST_MARKS:
                kept.append(char)
                marks += 1
        else:
            kept.append(char)
            marks = 0
    return " ".join("".join(kept).split())


def in_json(data: object) -> str:
    """JSON for a terminal as well as for programs: what is not ASCII is written as an escape."""
    # Of what JSON leaves as it is, DEL alone is no printable character.
    return json.dumps(msgspec.to_builtins(data), indent=2).replace("\x7f", "\\u007f")


def width(text: str) -> int:
    """Terminal cells the text takes; Korean and other wide characters take two."""
    return cell_len(text)


def fit(text: str, cells: int) -> str:
    """Exactly ``cells`` wide: padded, or cut at its end with an ellipsis."""
    return pad(shorten(text, cells), cells)


def fit_tail(text: str, cells: int) -> str:
    """Exactly ``cells`` wide, keeping the end: what tells two pods apart is their tail."""
    return pad(shorten_tail(text, cells), cells)


def shorten(text: str, cells: int) -> str:
    """At most ``cells`` wide, cut at its end."""
    if cell_len(text) <= cells:
        return text
    if cells <= 1:
        return ELLIPSIS[:cells]
    return set_cell_size(text, cells - 1).rstrip() + ELLIPSIS


def shorten_tail(text: str, cells: int) -> str:
    """At most ``cells`` wide, cut at its start."""
    if cell_len(text) <= cells:
        return text
    if cells <= 1:
        return ELLIPSIS[:cells]
    kept = text[-(cells - 1) :]
    while cell_len(kept) > cells - 1:
        kept = kept[1:]
    return ELLIPSIS + kept


def pad(text: str, cells: int, right: bool = False) -> str:
    """At least ``cells`` wide; with ``right``, pushed to the right edge."""
    missing = cells - cell_len(text)
    if missing <= 0:
        return text
    return " " * missing + text if right else text + " " * missing


def wrap(text: str, cells: int) -> list[str]:
    """Lines of at most ``cells``, broken between words where there are any."""
    if not text or cells < 2:
        return []
    lines = [""]
    for word in text.split():
        if lines[-1] and cell_len(lines[-1]) + 1 + cell_len(word) <= cells:
            lines[-1] += " " + word
            continue
        while cell_len(word) > cells:
            head = word[:cells]
            while cell_len(head) > cells:
                head = head[:-1]
            lines.append(head)
            word = word[len(head) :]
        lines.append(word)
    return [line for line in lines if line]


def age(seconds: float | None) -> str:
    """A duration as kubectl prints AGE: ``45s``, ``3m20s``, ``25m``, ``5h``, ``2d3h``, ``12d``.

    Follows ``k8s.io/apimachinery/pkg/util/duration.HumanDuration``, but for what lies in the
    future because two clocks differ: that is ``0s``, not ``<invalid>``.
    """
    if seconds is None:
        return UNKNOWN
    total = int(seconds)
    if total < 0:
        return "0s"
    if total < 120:
        return f"{total}s"
    minutes = total // 60
    if minutes < 10:
        return f"{minutes}m{total % 60}s" if total % 60 else f"{minutes}m"
    if minutes < 180:
        return f"{minutes}m"
    hours = total // 3600
    if hours < 8:
        return f"{hours}h{minutes % 60}m" if minutes % 60 else f"{hours}h"
    if hours < 48:
        return f"{hours}h"
    days = hours // 24
    if hours < 192:
        return f"{days}d{hours % 24}h" if hours % 24 else f"{days}d"
    if days < 365 * 2:
        return f"{days}d"
    years, rest = divmod(days, 365)
    return f"{years}y{rest}d" if days < 365 * 8 and rest else f"{years}y"


def ago(seconds: float) -> str:
    """``7 s ago``, ``3 min ago``: for sentences."""
    return f"{span(seconds)} ago"


def span(seconds: float) -> str:
    """``7 s``, ``3 min``, ``2 h``: a duration in a sentence."""
    total = max(0, int(seconds))
    if total < 120:
        return f"{total} s"
    if total < 7200:
        return f"{total // 60} min"
    if total < 172800:
        return f"{total // 3600} h"
    return f"{total // 86400} days"


def cpu(milli: float | None) -> str:
    """CPU as kubectl top prints it: ``487m``; whole cores from ten on: ``12.5``."""
    if milli is None:
        return UNKNOWN
    return f"{milli:.0f}m" if abs(milli) < 9999.5 else f"{milli / 1000:.1f}"


def cores(milli: float | None) -> str:
    """CPU in cores: ``0.25``, ``1.62``, ``12``."""
    if milli is None:
        return UNKNOWN
    value = milli / 1000
    return f"{value:.0f}" if value >= 9.995 or value == int(value) else f"{value:.2f}"


def memory(count: float | None) -> str:
    """Bytes in binary units with three figures at most: ``128Mi``, ``1.9Gi``."""
    if count is None:
        return UNKNOWN
    value, suffix = float(count), ""
    for larger in ("Ki", "Mi", "Gi", "Ti", "Pi"):
        if abs(value) < (999.5 if suffix else 1024):
            break
        value, suffix = value / 1024, larger
    fine = suffix in ("Gi", "Ti", "Pi") and abs(value) < 9.95
    return f"{value:.1f}{suffix}" if fine else f"{value:.0f}{suffix}"


def percent(value: float | None) -> str:
    """``87 %``."""
    return UNKNOWN if value is None else f"{value:.0f} %"


def quantity(thousandths: float | None) -> str:
    """A metric of no known unit, given in thousandths: ``1.5``, ``12k``, ``250m``."""
    if thousandths is None:
        return UNKNOWN
    if thousandths and abs(thousandths) < 999.5:
        return f"{thousandths:.0f}m"
    value, suffix = thousandths / 1000, ""
    if abs(value) < 9999.5:
        return f"{value:.0f}" if value == int(value) or abs(value) >= 1000 else f"{value:.3g}"
    for larger in ("k", "M", "G", "T", "P", "E"):
        value, suffix = value / 1000, larger
        if abs(value) < 999.5:
            break
    return f"{value:.3g}{suffix}"


def plural(count: int, noun: str) -> str:
    """``1 pod``, ``4 pods``."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
