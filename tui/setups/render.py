"""From templates and values to the objects that are sent.

A placeholder is ``${name}`` inside a string. A string that is nothing else becomes the value in
its own type (a port a number); inside a longer string it becomes text. Since the YAML was parsed
before, no value can change its structure. ``${file:NAME}`` as a whole string becomes the text of a
file of the folder, ``$${`` stands for ``${``.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from tui.cluster import ownership
from tui.cluster.objects import KINDS, Object, Ref
from tui.setups.model import Check, Setup, SetupError, Value, Values
from tui.setups.plan import Manifest

_PLACEHOLDER: Final = re.compile(r"(\$?)\$\{([^{}\n]{1,80})\}")
_FILE: Final = re.compile(r"\$\{file:([A-Za-z0-9][A-Za-z0-9._-]{0,100})\}")
_TEXT_MAPS: Final = frozenset(
    {"data", "labels", "annotations", "matchLabels", "selector", "nodeSelector"}
)
_TEXT_LISTS: Final = frozenset({"args", "command"})
"""Maps, and lists, whose values are always text to Kubernetes."""
_ORDER: Final = {known.kind: place for place, known in enumerate(KINDS)}
WORKLOADS: Final = frozenset({"Deployment", "StatefulSet", "DaemonSet"})


def names_in(text: str) -> Iterator[str]:
    """The placeholders of a text."""
    return (m[2] for m in _PLACEHOLDER.finditer(text) if not m[1])


def fill(text: str, values: Values) -> str:
    """A text with its placeholders filled in.

    Raises:
        SetupError: a placeholder without a value.
    """
    return _PLACEHOLDER.sub(lambda m: "${" + m[2] + "}" if m[1] else str(_of(m[2], values)), text)


def filled(check: Check, values: Values) -> Check:
    """A check with the names of its objects filled in."""
    return replace(check, service=fill(check.service, values))


def file_named(text: str) -> str | None:
    """The file that a string names as ``${file:NAME}``, if that is all it does."""
    found = _FILE.fullmatch(text)
    return found[1] if found else None


def chosen(setup: Setup, values: Values) -> dict[str, Value]:
    """The values that are not the defaults."""
    defaults = {one.name: one.default for one in setup.placeholders}
    return {name: value for name, value in values.items() if value != defaults.get(name)}


def render(setup: Setup, values: Values, namespace: str) -> tuple[Manifest, ...]:
    """The objects of a setup, labelled and digested, in the order of application.

    Args:
        setup: from the catalogue.
        values: a value for every placeholder, validated.
        namespace: where they go; also the value of ``${namespace}``.

    Raises:
        SetupError: two objects of the same kind and name.
    """
    known: dict[str, Value] = {**values, "namespace": namespace}
    bodies = [object_of(template, known, setup.files) for template in setup.templates]
    _checksums(bodies)
    picked = chosen(setup, values)
    notes = {ownership.VALUES: ownership.canonical(picked).decode()} if picked else {}
    manifests: dict[Ref, Manifest] = {}
    for body in bodies:
        ref = Ref(str(body["kind"]), namespace, str(body["metadata"]["name"]))
        if ref in manifests:
            raise SetupError(f"The setup {setup.name} has two objects called {ref}.")
        manifests[ref] = Manifest(ref, _labelled(body, setup.name, namespace, notes))
    return tuple(sorted(manifests.values(), key=lambda one: _ORDER[one.ref.kind]))


def object_of(template: Object, values: Values, files: Mapping[str, str]) -> Object:
    """One object of a setup, its placeholders filled in; not labelled yet.

    Args:
        template: as parsed.
        values: a value for every placeholder, ``namespace`` among them.
        files: text files by name, for ``${file:NAME}``.
    """

    def put(text: str, as_text: bool) -> Value:
        name = file_named(text)
        if name is not None:
            return fill(files[name], values)
        whole = _PLACEHOLDER.fullmatch(text)
        if whole and not whole[1] and not as_text:
            return _of(whole[2], values)
        return fill(text, values)

    filled: Object = _mapped(copy.deepcopy(template), put, as_text=False)
    return filled


def _labelled(body: Object, setup: str, namespace: str, notes: dict[str, str]) -> Object:
    metadata: Object = body["metadata"]
    metadata["namespace"] = namespace
    ours = {ownership.MANAGED_BY: ownership.MANAGER, ownership.SETUP: setup}
    metadata["labels"] = {**(metadata.get("labels") or {}), **ours}
    digest = ownership.digest(body)
    annotations = metadata.get("annotations") or {}
    metadata["annotations"] = {**annotations, **notes, ownership.DIGEST: digest}
    return body


def _checksums(bodies: list[Object]) -> None:
    """Note in each pod template what its ConfigMaps hold, so that a change rolls the pods."""
    maps = {
        body["metadata"]["name"]: {k: body.get(k) for k in ("data", "binaryData")}
        for body in bodies
        if body.get("kind") == "ConfigMap"
    }
    for body in bodies:
        if body.get("kind") not in WORKLOADS:
            continue
        template = (body.get("spec") or {}).get("template")
        if not isinstance(template, dict):
            continue
        read = sorted(name for name in maps if name in set(_config_maps(template)))
        if read:
            metadata = template.setdefault("metadata", {})
            annotations = metadata.get("annotations") or {}
            found = ownership.digest([(name, maps[name]) for name in read])[:16]
            metadata["annotations"] = {**annotations, ownership.CONFIG: found}


def _config_maps(node: Any) -> Iterator[str]:
    """The ConfigMaps that a pod template names, anywhere in it."""
    if isinstance(node, list):
        for item in node:
            yield from _config_maps(item)
    elif isinstance(node, dict):
        for name, value in node.items():
            if name in ("configMap", "configMapRef", "configMapKeyRef") and isinstance(value, dict):
                yield str(value.get("name", ""))
            else:
                yield from _config_maps(value)


def _mapped(node: Any, put: Callable[[str, bool], Value], *, as_text: bool) -> Any:
    if isinstance(node, str):
        return put(node, as_text)
    if isinstance(node, list):
        return [_mapped(item, put, as_text=as_text) for item in node]
    if isinstance(node, dict):
        # An environment variable's value is text, too.
        pair = node.keys() <= {"name", "value"}
        return {
            name: _mapped(
                item,
                put,
                as_text=as_text or pair or _is_text(name, item),
            )
            for name, item in node.items()
        }
    return node


def _is_text(name: str, item: Any) -> bool:
    return name in (_TEXT_MAPS if isinstance(item, dict) else _TEXT_LISTS)


def _of(name: str, values: Values) -> Value:
    if name not in values:
        raise SetupError(f"There is no value for the placeholder ${{{name}}}.")
    return values[name]
