from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.needs import posix
from tests.setups.place import Place
from tui.setups import catalogue, render, report
from tui.setups.model import Setup, SetupError

CONFIG_MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {a: '1'}\n"
Write = Callable[..., Path]


def test_every_built_in_setup_can_be_used() -> None:
    found = catalogue.load()
    assert not found.broken
    assert [setup.name for setup in found.setups] == [
        "caddy",
        "fastapi",
        "hpa-behavior",
        "hpa-cpu",
        "hpa-memory",
        "load-app",
        "nginx",
    ]
    kinds = {t["kind"] for setup in found.setups for t in setup.templates}
    assert kinds == {"ConfigMap", "Service", "Deployment", "HorizontalPodAutoscaler"}
    with pytest.raises(SetupError, match="there are caddy, fastapi"):
        found.get("apache")


def test_ones_own_setups_stand_beside_them(folder: Write) -> None:
    own = folder("own", 'key = "o"\n', a__yaml=CONFIG_MAP)
    found = catalogue.load(own)
    assert found.setups[-1].name == "own"
    assert (found.setups[-1].key, found.setups[-1].builtin) == ("o", False)
    with pytest.raises(SetupError, match="cannot be read"):
        catalogue.load(own / "nowhere")


def with_(text: str, **metadata: str) -> str:
    lines = "".join(f"  {name}: {value}\n" for name, value in metadata.items())
    return text.replace("metadata: {name: c}\n", f"metadata:\n  name: c\n{lines}")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (CONFIG_MAP.replace("ConfigMap", "Secret"), "never read or write Secrets"),
        (CONFIG_MAP.replace("ConfigMap", "Namespace"), "has a Namespace"),
        (CONFIG_MAP.replace("ConfigMap", "ClusterRole"), "has a ClusterRole"),
        (CONFIG_MAP.replace("ConfigMap", "PersistentVolumeClaim"), "A setup may hold"),
        (CONFIG_MAP.replace("apiVersion: v1", "apiVersion: v2"), "must be of v1"),
        (with_(CONFIG_MAP, namespace="kube-system"), "names a namespace of its own"),
        (with_(CONFIG_MAP, uid="x"), "only the server sets"),
        (with_(CONFIG_MAP, finalizers="[x]"), "only the server sets"),
        (with_(CONFIG_MAP, ownerReferences="[]"), "only the server sets"),
        (with_(CONFIG_MAP, labels="[x]"), "no map"),
        (CONFIG_MAP + "status: {}\n", "has a status"),
        (CONFIG_MAP.replace("{name: c}", "{}"), "has no name"),
        (CONFIG_MAP.replace("'1'", "'${port}'"), r"placeholder \$\{port\}"),
        (CONFIG_MAP.replace("'1'", "'${file:secret}'"), "not in the folder"),
        (CONFIG_MAP.replace("'1'", "'${file:../x}'"), "placeholder"),
        (CONFIG_MAP + "---\n" + CONFIG_MAP, "two objects called ConfigMap c"),
        ("", "no manifests"),
        ("kind: 1\n", "has no kind"),
        ("apiVersion: v1\nkind: List\nitems: []\n", "has a List. A setup may hold"),
        ("apiVersion: v1\nkind: ConfigMap\n", "A ConfigMap has no name"),
    ],
)
def test_what_a_folder_must_not_hold(folder: Write, text: str, says: str) -> None:
    found = catalogue.load(folder("own", a__yaml=text))
    [broken] = found.broken
    assert broken.name == "own"
    with pytest.raises(SetupError, match=says):
        found.get("own")


DEPLOYMENT = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\n"
HPA = "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: h}\n"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (HPA + "spec: {scaleTargetRef: 7}", "a map, got a whole number at spec.scaleTargetRef"),
        (HPA + "spec: {scaleTargetRef: {name: [x]}}", "got a list at spec.scaleTargetRef.name"),
        (HPA + "spec: 7", "at spec"),
        (DEPLOYMENT + "spec: {template: [1, 2]}", "got a list at spec.template"),
        (DEPLOYMENT + "spec: {template: {metadata: 5}}", "at spec.template.metadata"),
        (DEPLOYMENT + "spec: {template: {spec: {containers: {}}}}", "template.spec.containers"),
        (DEPLOYMENT + "spec: {replicas: two}", "a whole number, got text at spec.replicas"),
        (CONFIG_MAP.replace("{name: c}", "{name: c, labels: {a: 1}}"), "metadata.labels"),
        (CONFIG_MAP.replace("{name: c}", "{name: c, annotations: [a]}"), "annotations"),
    ],
)
def test_an_odd_field_is_told_with_its_file_and_leaves_other_setups_alone(
    folder: Write, text: str, says: str
) -> None:
    folder("good", a__yaml=CONFIG_MAP)
    found = catalogue.load(folder("odd", a__yaml=CONFIG_MAP.replace("c}", "e}"), b__yaml=text))
    [broken] = found.broken
    assert "cannot be used: b.yaml: " in broken.problem
    assert says in broken.problem
    assert "good" in [setup.name for setup in found.setups]


def test_a_folder_that_nobody_foresaw_is_listed_as_broken(
    folder: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder("good", a__yaml=CONFIG_MAP)
    own = folder("odd", a__yaml=CONFIG_MAP)
    real = catalogue.read

    def read(there: Path, *, builtin: bool = False) -> Setup:
        if there.name == "odd":
            raise AttributeError("'int' object has no attribute 'get'")
        return real(there, builtin=builtin)

    monkeypatch.setattr(catalogue, "read", read)
    found = catalogue.load(own)
    assert "cannot be made sense of (AttributeError" in found.broken[0].problem
    assert found.setups[-1].name == "good"


VALUE = '[values.x]\ntype = "{}"\ndefault = {}\ntitle = "t"'
TYPES = "one of name, port, node-port, image, number, quantity"


@pytest.mark.parametrize(
    ("toml", "says"),
    [
        ("colour = 1", "setup.toml: there is no such field as colour."),
        ("key = 1", "setup.toml: expected text, got a whole number at key."),
        ("title", "setup.toml: "),
        (VALUE.format("port", 0), "the default of x is a whole number from 1 to 65535, not 0."),
        (VALUE.format("number", '"a"'), "the default of x is a whole number, not 'a'."),
        (VALUE.format("number", '"a"\nleast = 1'), "x is a whole number of at least 1, not 'a'."),
        (VALUE.format("number", '"a"\nmost = 1'), "x is a whole number of at most 1, not 'a'."),
        (VALUE.format("text", '"a"'), f"[values.x]: type is 'text', and has to be {TYPES}."),
        (VALUE.format("name", "1.5"), "[values.x]: expected a whole number or text, got a number"),
        ("[values.x]\ntype = 'name'", "[values.x]: default is missing."),
        ("[values]\nx = 1", "[values.x]: expected a map, got a whole number."),
        (VALUE.replace("x]", "namespace]").format("name", '"a"'), "cannot be the name of a value"),
        (VALUE.replace("x]", "X_Y]").format("name", '"a"'), "small letters, digits and dashes"),
        ("[health]\nservice = 's'", "[health]: path is missing."),
        ("[health]\nservice = 's'\npath = 'http://evil/'", "no path of a URL, such as /healthz"),
        ("[[checks]]\nservice = 's'\npath = '/'\n[[checks]]\nservice = 1", "[[checks]] 2: "),
        ("[[needs]]\nkind = 'pod'", "[[needs]] 1: kind is 'pod', and has to be one of metrics, "),
        ("[[needs]]\nkind = 'service'\nname = '${nobody}'", "nobody"),
        ("[[needs]]\nkind = 'metrics'\nhint = '${nobody}'", "nobody"),
        (VALUE.format("port", "80\nmost = 90"), "least and most are for numbers, not for a port."),
    ],
)
def test_settings_that_make_no_sense(folder: Write, toml: str, says: str) -> None:
    [broken] = catalogue.load(folder("own", toml, a__yaml=CONFIG_MAP)).broken
    assert says in broken.problem
    assert "`" not in broken.problem


def test_where_a_setup_was_looked_for_is_said(folder: Write, tmp_path: Path) -> None:
    own = folder("own", a__yaml=CONFIG_MAP)
    with pytest.raises(SetupError, match=rf"your own would be the folder {own}/p\."):
        catalogue.load(own).get("p")
    with pytest.raises(SetupError, match=rf"is a setup itself; name the folder .* in: {own}\."):
        catalogue.load(own / "own")
    (own / "p").mkdir()
    (own / ".git").mkdir()
    (own / ".git" / "a.yaml").write_text(CONFIG_MAP)
    (own / "notes").mkdir()
    (own / "p" / "a.yml").write_text(CONFIG_MAP)
    [broken] = catalogue.load(own).broken
    assert broken.problem.startswith("The setup p cannot be used: It has no setup.toml")
    assert list(report.catalogue(catalogue.load(tmp_path / "setups" / "notes")))[-1] == (
        f"None of the folders in {own}/notes has a setup.toml."
    )


def readme_example() -> dict[str, str]:
    """The files of the setup of one's own that the README shows."""
    text = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    section = text.partition("One of your own is a folder")[2].partition("\n## ")[0]
    [toml] = re.findall(r"```toml\n(.*?)```", section, re.DOTALL)
    [manifest] = re.findall(r"```yaml\n(.*?)```", section, re.DOTALL)
    return {"setup.toml": toml, "hello.yaml": manifest}


def test_the_readmes_example_works(place: Place, tmp_path: Path) -> None:
    own = tmp_path / "own"
    (own / "hello").mkdir(parents=True)
    for name, text in readme_example().items():
        (own / "hello" / name).write_text(text)
    setups = place.setups(own)
    assert not setups.catalogue.broken
    ended = place.apply("hello", setups, replicas=3)
    assert ended.good, ended.failure
    assert place.get("Deployment", "hello")["spec"]["replicas"] == 3
    assert place.delete("hello", setups).good


def test_a_folder_cannot_take_the_name_of_a_built_in_one(folder: Write) -> None:
    found = catalogue.load(folder("nginx", a__yaml=CONFIG_MAP))
    assert "rename the folder" in found.broken[0].problem
    assert found.get("nginx").builtin


@posix
def test_links_that_lead_out_are_refused(folder: Write, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text("secret")
    own = folder("own", a__yaml=CONFIG_MAP)
    (own / "own" / "x.conf").symlink_to(tmp_path / "elsewhere")
    assert "leads out of the folder" in catalogue.load(own).broken[0].problem
    (own / "own" / "x.conf").unlink()
    (own / "own" / "b.yaml").symlink_to(tmp_path / "nowhere")
    assert "b.yaml is a link that leads nowhere" in catalogue.load(own).broken[0].problem


def test_what_windows_editors_write_is_read(folder: Write) -> None:
    own = folder("own", a__yaml=CONFIG_MAP.replace("'1'", "'${file:b}'"), b="one\ntwo\n")
    for file in (own / "own").iterdir():
        file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes().replace(b"\n", b"\r\n"))
    setup = catalogue.load(own).get("own")
    [manifest] = render.render(setup, {}, "here")
    assert manifest.body["data"] == {"a": "one\ntwo\n"}


def test_where_ones_own_setup_is_stands_apart_from_its_title(folder: Write) -> None:
    own = folder("own", a__yaml=CONFIG_MAP)
    assert f"own: t  ({own}/own)" in list(report.catalogue(catalogue.load(own)))


def test_files_that_are_no_text_are_refused(folder: Write) -> None:
    own = folder("own", a__yaml=CONFIG_MAP)
    (own / "own" / "x.bin").write_bytes(b"\xff\xfe")
    assert "not UTF-8" in catalogue.load(own).broken[0].problem
