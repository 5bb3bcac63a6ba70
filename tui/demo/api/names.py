"""Names and labels, and the words for bad ones."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from tui.demo.api.errors import Cause

DNS_LABEL: Final = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_DNS_SUBDOMAIN: Final = re.compile(
    r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*"
)
_LABEL_PART: Final = re.compile(r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]")
_PATH_NAMED: Final = frozenset(
    {"Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding", "APIService"}
)
_LABEL_NAMED: Final = frozenset({"Service", "Namespace"})
NON_NEGATIVE: Final = "must be greater than or equal to 0"

LABEL_RULE: Final = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and "
    "must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex "
    "used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
)
_SUBDOMAIN_RULE: Final = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or "
    "'.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used "
    "for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
_VALUE_RULE: Final = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or "
    "'.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  "
    "or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
)
_NAME_RULE: Final = (
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
    "alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for "
    "validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
)
_PREFIX_RULE: Final = "an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"

Causes = Iterator[Cause]


def name(kind: str, value: str, field: str = "metadata.name") -> Causes:
    """An object's name."""
    if kind in _PATH_NAMED:
        if value in (".", ".."):
            yield Cause.invalid(field, value, f"may not be '{value}'")
        for part in ("/", "%"):
            if part in value:
                yield Cause.invalid(field, value, f"may not contain '{part}'")
        return
    if kind in _LABEL_NAMED:
        if not DNS_LABEL.fullmatch(value):
            yield Cause.invalid(field, value, LABEL_RULE)
        if len(value) > 63:
            yield Cause.invalid(field, value, "must be no more than 63 characters")
        return
    if not _DNS_SUBDOMAIN.fullmatch(value):
        yield Cause.invalid(field, value, _SUBDOMAIN_RULE)
    if len(value) > 253:
        yield Cause.invalid(field, value, "must be no more than 253 characters")


def labels(found: Any, field: str) -> Causes:
    """A map of labels."""
    for key, value in (found or {}).items():
        if not isinstance(value, str):
            continue
        yield from _qualified(key, key, field)
        if value and (len(value) > 63 or not _LABEL_PART.fullmatch(value)):
            yield Cause.invalid(field, value, _VALUE_RULE)


def annotation_keys(found: Any, field: str) -> Causes:
    """A map of annotations, whose values are free."""
    for key in found or {}:
        yield from _qualified(key.lower(), key, field)


def _qualified(key: str, shown: str, field: str) -> Causes:
    prefix, slash, part = key.rpartition("/")
    if "/" in prefix:
        yield Cause.invalid(field, shown, f"a qualified name {_NAME_RULE} with {_PREFIX_RULE}")
        return
    if slash and not prefix:
        yield Cause.invalid(field, shown, "prefix part must be non-empty")
    elif slash and not _DNS_SUBDOMAIN.fullmatch(prefix):
        yield Cause.invalid(field, shown, f"prefix part {_SUBDOMAIN_RULE}")
    if not part:
        yield Cause.invalid(field, shown, "name part must be non-empty")
    elif len(part) > 63:
        yield Cause.invalid(field, shown, "name part must be no more than 63 characters")
    if not _LABEL_PART.fullmatch(part):
        yield Cause.invalid(field, shown, f"name part {_NAME_RULE}")
