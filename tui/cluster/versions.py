"""Which watch events are news: guards a table against repeated and out-of-order ones."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

_REMEMBERED: Final = 2048
_LONGEST: Final = 39
"""Digits: those of 128 bits."""


class Versions:
    """The newest resourceVersion of each object, and the uids that were deleted lately.

    Versions of one resource can be compared as numbers (KEP-5504); one that is no number is
    always news.
    """

    def __init__(self) -> None:
        self._newest: dict[str, int] = {}
        self._listed = 0
        """The version of the list: what it did not hold was gone by then."""
        self._deleted: OrderedDict[str, None] = OrderedDict()

    def restart(self) -> None:
        """A new list is truth again, even if its versions are lower (a restored etcd)."""
        self._newest.clear()
        self._deleted.clear()
        self._listed = 0

    def listed(self, version: str) -> None:
        """The list is whole: an event from before it is no news, whomever it is of."""
        self._listed = _number(version) or 0

    def is_news(self, uid: str, version: str) -> bool:
        """Note an object as seen; False if it is an old state of it, or it is known deleted."""
        if uid in self._deleted:
            return False
        number = _number(version)
        if number is None:
            return True
        known = self._newest.get(uid)
        if number <= (self._listed if known is None else known):
            return False
        self._newest[uid] = number
        return True

    def forget(self, uid: str) -> None:
        """The object was deleted; its uid never comes back."""
        self._newest.pop(uid, None)
        self._deleted[uid] = None
        if len(self._deleted) > _REMEMBERED:
            self._deleted.popitem(last=False)


def _number(version: str) -> int | None:
    """None where it is none, or one that no store counts to."""
    return int(version) if version.isdecimal() and len(version) <= _LONGEST else None
