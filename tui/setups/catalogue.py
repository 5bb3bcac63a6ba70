"""The catalogue: folders with a ``setup.toml`` and manifests, the built-in ones and a user's own.

A folder is data: it can name no file outside itself, no kind that reaches beyond a namespace, and
no Secret. What cannot be used is listed with the reason instead of being left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from tui.cluster import shapes
from tui.cluster.errors import unexpected
from tui.cluster.objects import KINDS, Object, known_kind
from tui.resources import fixtures
from tui.setups import about, documents, render
from tui.setups.model import Broken, Catalogue, Setup, SetupError
from tui.setups.values import NAME

_MOST_FILES: Final = 50
_MOST_SETUPS: Final = 100
_YAML: Final = (".yaml", ".yml")
_SERVER_SET: Final = (
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "managedFields",
    "ownerReferences",
    "finalizers",
    "generateName",
)


def builtin_folder() -> Path:
    """Where the setups that come with the program are."""
    return fixtures() / "setups"


def load(own: Path | None = None) -> Catalogue:
    """The built-in setups, and those of a folder of one's own.

    Raises:
        SetupError: ``own`` is no folder that can be read.
    """
    setups: list[Setup] = []
    broken: list[Broken] = []
    for folder in _folders(builtin_folder()):
        _add(folder, True, setups, broken)
    if own is not None:
        for folder in _own_folders(own):
            _add(folder, False, setups, broken)
    return Catalogue(tuple(setups), tuple(broken), own)


def _folders(parent: Path) -> list[Path]:
    found = sorted(one for one in parent.iterdir() if one.is_dir() and _is_meant(one))
    return found[:_MOST_SETUPS]


def _own_folders(own: Path) -> list[Path]:
    try:
        parent = own.expanduser()
        if (parent / "setup.toml").exists():
            raise SetupError(
                f"{own} is a setup itself; name the folder that it is in: {parent.resolve().parent}"
                "."
            )
        return _folders(parent)
    except (OSError, RuntimeError) as error:
        why = getattr(error, "strerror", None) or error
        raise SetupError(f"The folder of setups {own} cannot be read: {why}.") from None


def _is_meant(folder: Path) -> bool:
    """Whether somebody means a folder to be a setup: not every one beside them is."""
    try:
        if (folder / "setup.toml").exists():
            return True
        return folder.name[0] != "." and any(one.suffix in _YAML for one in folder.iterdir())
    except OSError:
        return folder.name[0] != "."  # that it cannot be read is told of it alone


def _add(folder: Path, builtin: bool, setups: list[Setup], broken: list[Broken]) -> None:
    try:
        if any(one.name == folder.name for one in setups):
            raise SetupError("A built-in setup has this name; rename the folder.")
        setups.append(read(folder, builtin=builtin))
    except SetupError as error:
        why = str(error)
    except Exception as error:  # one odd folder must not take the others with it
        why = f"It cannot be made sense of ({unexpected(error)})."
    else:
        return
    broken.append(Broken(folder.name, folder, f"The setup {folder.name} cannot be used: {why}"))


def read(folder: Path, *, builtin: bool = False) -> Setup:
    """One setup from its folder.

    Raises:
        SetupError: it cannot be used; one sentence.
    """
    if not NAME.fullmatch(folder.name):
        raise SetupError("A setup's folder is named with small letters, digits and dashes.")
    texts = _texts(folder)
    said = about.parse(texts.pop("setup.toml"))
    templates = [
        (name, template)
        for name in sorted(texts)
        if name.endswith(_YAML)
        for template in documents.parse(texts[name], name)
    ]
    files = {name: text for name, text in texts.items() if not name.endswith(_YAML)}
    setup = Setup(
        name=folder.name,
        title=said.title,
        summary=said.summary,
        folder=folder,
        builtin=builtin,
        key=said.key,
        placeholders=said.placeholders,
        needs=said.needs,
        health=said.health,
        checks=said.checks,
        templates=tuple(template for _, template in templates),
        files=files,
    )
    _verify(setup, [name for name, _ in templates])
    return setup


def _texts(folder: Path) -> dict[str, str]:
    """The folder's text files by name; links that lead out of it are refused."""
    try:
        root = folder.resolve(strict=True)
        found = sorted(one for one in folder.iterdir() if not one.is_dir() and one.name[0] != ".")
        if len(found) > _MOST_FILES:
            raise SetupError(f"It has more than {_MOST_FILES} files.")
        texts = {}
        for one in found:
            if not one.exists():
                raise SetupError(f"{one.name} is a link that leads nowhere.")
            if not one.is_file():
                continue
            if one.resolve(strict=True).parent != root:
                raise SetupError(f"{one.name} is a link that leads out of the folder.")
            if one.stat().st_size > documents.LARGEST:
                raise SetupError(f"{one.name} is larger than {documents.LARGEST // 1024} KiB.")
            texts[one.name] = one.read_text(encoding="utf-8-sig")
    except (OSError, RuntimeError) as error:
        raise SetupError(
            f"It cannot be read: {getattr(error, 'strerror', None) or error}."
        ) from None
    except UnicodeDecodeError:
        raise SetupError(f"{one.name} is not UTF-8 text.") from None
    if "setup.toml" not in texts:
        raise SetupError("It has no setup.toml, which says what it is and what values it has.")
    return texts


def _verify(setup: Setup, origins: Iterable[str]) -> None:
    """Refuse what a setup must not hold, and placeholders that nothing fills.

    Args:
        setup: what was read.
        origins: the file that each of its templates stands in.
    """
    if not setup.templates:
        raise SetupError("It has no manifests (*.yaml).")
    known = {one.name for one in setup.placeholders} | {"namespace"}
    values = {one.name: one.default for one in setup.placeholders}
    for template, origin in zip(setup.templates, origins, strict=True):
        try:
            _verify_object(template)
            _verify_placeholders(template, known, setup.files)
            _verify_shape(render.object_of(template, {**values, "namespace": "x"}, setup.files))
        except SetupError as error:
            raise SetupError(f"{origin}: {error}") from None
    for need in setup.needs:
        for text in (need.name, need.hint):
            _verify_names(render.names_in(text), known, "setup.toml")
    for check in (*setup.checks, *([setup.health] if setup.health else [])):
        _verify_names(render.names_in(check.service), known, "setup.toml")
    render.render(setup, values, "default")


def _verify_placeholders(template: Object, known: set[str], files: Mapping[str, str]) -> None:
    for text in _strings(template):
        file = render.file_named(text)
        if file is None:
            _verify_names(render.names_in(text), known, str(template.get("kind")))
        elif file not in files:
            raise SetupError(f"A manifest names the file {file}, which is not in the folder.")
        else:
            _verify_names(render.names_in(files[file]), known, file)


def _verify_shape(body: Object) -> None:
    """Refuse fields that are followed here, and are of another type than Kubernetes gives them."""
    known = known_kind(str(body["kind"]))
    wrong = shapes.fault(body, known.plural) if known is not None else ""
    if wrong:
        raise SetupError(
            f"{body['kind']} {body['metadata']['name']} is none that Kubernetes takes: {wrong}."
        )


def _verify_names(names: Iterable[str], known: set[str], where: str) -> None:
    for name in names:
        if name not in known:
            raise SetupError(
                f"{where} has the placeholder ${{{name}}}, for which setup.toml has no value "
                "(write $${ for a plain ${)."
            )


def _verify_object(template: Object) -> None:
    kind, metadata = template.get("kind"), template.get("metadata")
    if not isinstance(kind, str):
        raise SetupError("A manifest has no kind.")
    if kind == "Secret":
        raise SetupError(
            "It has a Secret. Setups never read or write Secrets: create it with kubectl, and name "
            "it in the manifests."
        )
    found = known_kind(kind)
    if found is None:
        there = ", ".join(one.kind for one in KINDS)
        raise SetupError(f"It has a {kind}. A setup may hold {there}.")
    if template.get("apiVersion") != found.api_version:
        raise SetupError(f"A {kind} must be of {found.api_version}.")
    name = metadata.get("name") if isinstance(metadata, dict) else None
    if not isinstance(metadata, dict) or not isinstance(name, str) or not name:
        raise SetupError(f"A {kind} has no name.")
    if metadata.get("namespace", "${namespace}") != "${namespace}":
        raise SetupError(
            f"{kind} {name} names a namespace of its own. Leave it out: a setup goes where it is "
            "applied."
        )
    for field in _SERVER_SET:
        if field in metadata:
            raise SetupError(f"{kind} {name} has metadata.{field}, which only the server sets.")
    for field in ("labels", "annotations"):
        if not isinstance(metadata.get(field) or {}, dict):
            raise SetupError(f"{kind} {name} has {field} that are no map.")
    if "status" in template:
        raise SetupError(f"{kind} {name} has a status, which only the server sets.")


def _strings(node: Any) -> Iterable[str]:
    if isinstance(node, str):
        yield node
    elif isinstance(node, dict):
        for value in node.values():
            yield from _strings(value)
    elif isinstance(node, list):
        for value in node:
            yield from _strings(value)
