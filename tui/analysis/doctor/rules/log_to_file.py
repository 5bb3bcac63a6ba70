"""A proxy writes its access log into a file, where kubectl logs does not see it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from tui.analysis.doctor.directives import Within
from tui.analysis.doctor.finding import Evidence, Finding, Fix, Severity, kubectl, named
from tui.analysis.doctor.patient import Patient
from tui.analysis.doctor.proxies import Flavour, Mounted, proxies, texts
from tui.analysis.doctor.rule import Rule
from tui.state.fetched import Fetch


def _wants(patient: Patient) -> Iterable[Fetch]:
    return (one.fetch for one in proxies(patient, Flavour.CADDY))


def _examine(patient: Patient) -> Iterable[Finding]:
    for one in proxies(patient, Flavour.CADDY):
        for key, directives in texts(patient, one, Flavour.CADDY):
            file = next((found for within in directives if (found := _file(within))), "")
            if file:
                yield _finding(one, key, file)


def _file(within: Within) -> str:
    """Where a ``log`` block writes to; empty if not into a file."""
    directive, around = within
    if directive.name != "output" or not any(d.name == "log" for d in around):
        return ""
    words = directive.words
    is_file = len(words) > 2 and words[1] == "file"
    return words[2] if is_file and not words[2].startswith("/dev/") else ""


def _finding(one: Mounted, key: str, file: str) -> Finding:
    pod = one.pods[0]
    return RULE.found(
        str(one.root),
        f"Caddy logs to {file}, not to its output",
        "`kubectl logs` shows what a container prints. Here requests are written into a file "
        "inside it, so counting log lines finds none, and the file is gone with the pod.",
        [
            Evidence(
                named("ConfigMap", one.root.namespace, one.mount.config_map),
                key,
                f"log {{ output file {file} }}",
            )
        ],
        Fix(
            "Write `output stdout`; or read the file in the pod.",
            kubectl(pod.namespace, "exec", pod.name, "-c", one.container.name, "--", "tail", file),
        ),
    )


RULE: Final = Rule(
    id="log-to-file",
    title="The proxy logs into a file",
    severity=Severity.INFO,
    page=(
        "Kubernetes collects what containers print. A Caddyfile with `output file` writes past "
        "that: kubectl logs stays empty and a count of requests by log lines is zero. nginx's "
        "image links its log files to the output, so there it is fine."
    ),
    examine=_examine,
    wants=_wants,
)
