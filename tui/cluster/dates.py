"""Dates of HTTP headers."""

from __future__ import annotations


def http_date(value: str | None) -> float | None:
    """A ``Date`` or ``Retry-After`` header in seconds since the epoch; None if it is none."""
    # Imported when there is one to read: the email package takes longer than a first frame can
    # spare, and the HTTP client has loaded it by then.
    from email.utils import parsedate_to_datetime

    try:
        return parsedate_to_datetime(value).timestamp() if value else None
    except (ValueError, OverflowError, TypeError):
        return None
