"""What is not shown of a value: passwords, tokens and the like, wherever somebody put them.

Setups hold no Secret, but people write passwords into environment variables, arguments, URLs and
the files of a ConfigMap. A name tells most of them; a configuration has to stay readable, so that
inside a text only what such a name is set to is covered, and never a variable or a directive's
arguments (``proxy_pass http://app``).
"""

from __future__ import annotations

import re
from typing import Any, Final

from tui.setups import managed

COVER: Final = "(not shown)"
_TELLING: Final = re.compile(
    r"(?i)passw|pass.?phrase|(?:^|[_.-]|pg)pass$|(?-i:[a-z]Pass$)|.[_.-]pwd$"
    r"|secret(?!name|ref|keyref|s\b)|(?<!serviceaccount)token|credential|(?:^|[_.-])creds?$"
    r"|(?:api|private|access|signing|encryption|master).?key|[_.-]key$"
    r"|(?:^|[_.-])(?:auth|authorization|jwt)$|bearer"
)
_ORDINARY: Final = re.compile(
    r"(?i)(?:public|topology|partition|sort|cache|primary|foreign|routing|hash|group|shard)[_.-]?key$"
    r"|(?:proxy|fastcgi|grpc|uwsgi|scgi)_pass$|tokeniz|max.?tokens$|(?:file|path|dir|ttl)$"
)
_NAME: Final = r"[A-Za-z_][\w.-]{0,100}"
_VALUE: Final = r"""(?:"(?:[^"\\\n]|\\.)*"|'[^'\n]*'|[^\s"';,&)}\]]+)"""
_LINE: Final = re.compile(
    rf"(?m)^(?P<before>[ \t]*(?:-[ ]+)?(?P<name>{_NAME})[ \t]*(?:=[ \t]*|:[ \t]+))(?P<value>\S.*)"
)
"""``password: x``, ``PASSWORD=x``"""
_WITHIN: Final = re.compile(
    rf"""(?P<before>
      (?P<quote>["'])(?P<quoted>{_NAME})(?P=quote)\s*:\s*   # {{"password": "x"}}
      | (?<![\w.$-])(?:--)?(?P<name>{_NAME})=              # user=u password=x, --password=x
      | (?<!\S)--(?P<flag>{_NAME})[ \t]+                   # --password x
    )(?P<value>{_VALUE})""",
    re.VERBOSE,
)
_PLAIN: Final = re.compile(
    r"(?i)[\"']?(?:\$|\{\{|\{env|%\(|<|true$|false$|yes$|no$|on$|off$|null$|none$|~$|[\"']{1,2}$|[|>][+-]?$|\(not)"
)
"""What stands for a value, or is none."""
_IN_URL: Final = re.compile(
    r"(?i)\b([a-z][a-z0-9+.-]{1,20}://)(?:([^\s/:@\"']*):[^\s/\"']+|[^\s/:@\"']{20,})@"
)
_SCHEME: Final = re.compile(r"\b(Bearer|bearer|BEARER|Basic)[ ]+(?=\S*[0-9=])[\w.~+/=-]{8,}")
_HASH: Final = re.compile(r"\$(?:2[aby]|apr1|argon2id?|[156])\$\S+")
_BEGIN: Final = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----")
_END: Final = re.compile(r"-----END [A-Z ]*PRIVATE KEY-----")


def tells(name: str) -> bool:
    """Whether what has this name should not be shown."""
    return bool(_TELLING.search(name)) and not _ORDINARY.search(name)


def by_path(path: managed.Path) -> bool:
    """Whether a field should not be shown, by its name or by that of what it is in."""
    before = ""
    for element in path:
        if element[:2] == "f:" and tells(element[2:]):
            return True
        if before == "f:env" and tells(str(managed.keys(element).get("name", ""))):
            return True
        before = element
    return False


def value(given: Any) -> Any:
    """A value as it may be shown."""
    if isinstance(given, str):
        return text(given)
    if isinstance(given, list):
        return _items(given)
    if not isinstance(given, dict):
        return given
    if "value" in given and tells(str(given.get("name", ""))):
        return {**given, "value": COVER}
    return {
        name: COVER if isinstance(item, str) and tells(name) else value(item)
        for name, item in given.items()
    }


def _items(given: list[Any]) -> list[Any]:
    """With what follows a flag as an argument of its own: ``["--password", "x"]``."""
    found, flag = [], ""
    for item in given:
        hidden = flag.startswith("--") and "=" not in flag and tells(flag) and isinstance(item, str)
        found.append(COVER if hidden and not item.startswith("-") else value(item))
        flag = item if isinstance(item, str) else ""
    return found


def text(given: str) -> str:
    """A text as it may be shown, line for line."""
    found = _IN_URL.sub(_without_password, given)
    found = _SCHEME.sub(rf"\1 {COVER}", found)
    found = _HASH.sub(COVER, found)
    found = _within(_LINE.sub(_without_value, found))
    return _without_keys(found) if "PRIVATE KEY" in found else found


def lines(given: list[str]) -> list[str]:
    """The lines of a text as they may be shown, as many as there are."""
    return text("\n".join(given)).split("\n") if given else []


def _without_password(match: re.Match[str]) -> str:
    user = match[2]
    return f"{match[1]}{COVER}@" if user is None else f"{match[1]}{user}:{COVER}@"


def _without_value(match: re.Match[str]) -> str:
    return match["before"] + COVER if _covers(match["name"], match["value"]) else match[0]


def _covers(name: str, given: str) -> bool:
    return tells(name) and not _PLAIN.match(given.rstrip(" ,;"))


def _within(given: str) -> str:
    found, done, at = [], 0, 0
    while match := _WITHIN.search(given, at):
        at = match.end("before")  # a value may hold more of them: url=http://x/?token=y
        if _covers(match["name"] or match["quoted"] or match["flag"], match["value"]):
            found += [given[done:at], COVER]
            done = at = match.end()
    return "".join(found) + given[done:]


def _without_keys(given: str) -> str:
    lines, inside = [], False
    for line in given.split("\n"):
        ends = inside and bool(_END.search(line))
        lines.append(COVER if inside and not ends else line)
        inside = (inside and not ends) or bool(_BEGIN.search(line))
    return "\n".join(lines)
