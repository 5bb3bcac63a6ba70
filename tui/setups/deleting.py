"""Deleting a setup: exactly the objects that bear its labels, each as the one that was listed."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from tui.cluster import ownership
from tui.cluster.audit import AuditError
from tui.cluster.errors import ApiError, Fault
from tui.cluster.guard import RefusedError
from tui.cluster.halt import Halt
from tui.cluster.objects import KINDS, Object, Ref
from tui.cluster.rights import Right, in_words
from tui.setups.outcome import Failure, Outcome, Progress, Step, Telling
from tui.setups.plan import Deletion, Manifest
from tui.setups.render import WORKLOADS
from tui.setups.site import Site, Stock

_TRIES = 12


def make(
    site: Site,
    manifests: tuple[Manifest, ...],
    setup: str,
    namespace: str,
    stock: Stock,
    halt: Halt,
) -> Deletion:
    """What deleting a setup would delete.

    Args:
        site: the cluster.
        manifests: of the setup as it is now, to name those of its objects that are not ours.
        setup: its name.
        namespace: where.
        stock: what is there.
        halt: ends it.

    Raises:
        ApiError: the cluster cannot be read.
    """
    survey = site.survey(manifests, setup, namespace, halt, stock)
    found: dict[Ref, Object] = dict(survey.leftover)
    foreign = []
    for ref, live in survey.live.items():
        if live is None:
            continue
        if ownership.setup_of(live) == setup:
            found[ref] = live
        else:
            foreign.append((ref, ownership.owner(live)))
    order = _order(found)
    verbs = [Right("delete", ref.known, namespace, ref.name) for ref in order]
    used = {one.ref.known for one in manifests}
    unseen = [right for right in survey.unseen if right.kind in used]
    return Deletion(
        setup=setup,
        namespace=namespace,
        objects=tuple((ref, str(found[ref]["metadata"].get("uid", ""))) for ref in order),
        foreign=tuple(foreign),
        missing_rights=in_words(site.missing([*unseen, *verbs], halt)),
        guard=site.writer.guard.refusal,
        typed=site.writer.guard.typed,
    )


def remove(site: Site, ref: Ref, live: Object, setup: str, typed: str, halt: Halt) -> bool:
    """Delete an object as long as it is the one that was read and ours; False if it is neither.

    Raises:
        ApiError: the server refused.
    """
    uid = live["metadata"].get("uid")
    now: Object | None = live
    for attempt in range(_TRIES):
        if now is None or now["metadata"].get("uid") != uid:
            return True
        if ownership.setup_of(now) != setup:
            return False
        if now["metadata"].get("deletionTimestamp"):
            return True
        try:
            site.writer.delete(ref, now, setup, typed=typed, halt=halt)
        except ApiError as error:
            if error.kind is Fault.NOT_FOUND:
                return True
            if error.kind is not Fault.CONFLICT:
                raise
            if halt.wait(0.02 * (attempt + 1)):
                raise ApiError(Fault.STOPPED, "stopped") from None
            now = site.objects.get(ref, halt)
            continue
        return True
    raise ApiError(Fault.CONFLICT, f"{ref} is changed by others again and again; try once more.")


def held(live: Object) -> str:
    """Why an object that is being deleted is still there, to be appended; empty if not known."""
    holds = ", ".join((live.get("metadata") or {}).get("finalizers") or ())
    return f": its finalizers hold it ({holds}) until those who set them are done" if holds else ""


class Deleting:
    """One run of a deletion that was shown and confirmed."""

    def __init__(
        self,
        site: Site,
        deletion: Deletion,
        report: Callable[[Progress], None],
        *,
        typed: str,
        wait: float,
        halt: Halt,
    ) -> None:
        self._site = site
        self._deletion = deletion
        self._typed = typed
        self._wait = wait
        self._halt = halt
        self._began = site.steady()
        self._say = Telling(report, lambda: self._seconds).say
        self._gone: list[Ref] = []
        self._kept: list[Ref] = []
        self._workloads: list[tuple[Object, frozenset[str]]] = []
        """Each with the uids of what makes its pods."""

    def run(self) -> Outcome:
        """Do it; never raises."""
        failure = None
        try:
            failure = self._run()
        except (RefusedError, AuditError) as error:
            failure = Failure(None, "Refused", str(error))
        except ApiError as error:
            stopped = error.kind is Fault.STOPPED
            words = "It was stopped; deleting again completes it." if stopped else error.message
            failure = Failure(None, error.reason or error.kind.value, words)
        left = tuple(ref for ref, _ in self._deletion.objects if ref not in self._gone)
        return Outcome(
            setup=self._deletion.setup,
            namespace=self._deletion.namespace,
            seconds=self._seconds,
            done=tuple(self._gone),
            left=left,
            failure=failure,
        )

    def _run(self) -> Failure | None:
        site, deletion = self._site, self._deletion
        site.writer.guard.permit(self._typed)
        if deletion.problems:
            return Failure(None, "Refused", deletion.problems[0])
        for ref, uid in deletion.objects:
            site.patiently(
                partial(self._remove, ref, uid),
                self._halt,
                partial(self._say, ref, Step.WAITING),
            )
        deadline = self._began + self._wait
        for ref, uid in deletion.objects:
            if ref not in self._kept and not self._await_end(ref, uid, deadline):
                return self._stays(ref)
        for workload, makers in self._workloads:
            if not self._await_pods(workload, makers, deadline):
                name = workload["metadata"]["name"]
                return Failure(
                    None,
                    "Timeout",
                    f"The setup's objects are gone, but pods of {name} are still ending after "
                    f"{self._wait:.0f} s.",
                )
        if self._kept:
            names = ", ".join(str(ref) for ref in self._kept)
            return Failure(
                self._kept[0], "NotOurs", f"{names} was given to somebody else meanwhile; it stays."
            )
        return None

    def _remove(self, ref: Ref, uid: str) -> None:
        live = self._site.objects.get(ref, self._halt)
        if live is None or live["metadata"].get("uid") != uid:
            return
        self._say(ref, Step.DELETING, "deleting")
        makers = self._makers(live) if ref.kind in WORKLOADS else frozenset()
        mine = remove(self._site, ref, live, self._deletion.setup, self._typed, self._halt)
        if not mine:
            self._kept.append(ref)
        elif makers:
            self._workloads.append((live, makers))

    def _makers(self, workload: Object) -> frozenset[str]:
        """What makes a workload's pods, by uid; empty if that may not be read."""
        try:
            return self._site.makers(workload, self._deletion.namespace, self._halt)
        except ApiError as error:
            if error.kind is Fault.FORBIDDEN:
                return frozenset()
            raise

    def _await_end(self, ref: Ref, uid: str, deadline: float) -> bool:
        while True:
            live = self._site.patiently(
                partial(self._site.objects.get, ref, self._halt),
                self._halt,
                partial(self._say, ref, Step.WAITING),
            )
            if live is None or live["metadata"].get("uid") != uid:
                self._gone.append(ref)
                self._say(ref, Step.GONE, "gone")
                return True
            if self._site.steady() >= deadline:
                return False
            self._pause()

    def _await_pods(self, workload: Object, makers: frozenset[str], deadline: float) -> bool:
        """Those that others made stay, whatever labels they have."""
        while True:
            try:
                pods = self._site.patiently(
                    lambda: self._site.pods_of(
                        workload, makers, self._deletion.namespace, self._halt
                    ),
                    self._halt,
                    lambda words: None,
                )
            except ApiError as error:
                if error.kind is Fault.FORBIDDEN:
                    return True
                raise
            if not pods:
                return True
            if self._site.steady() >= deadline:
                return False
            self._pause()

    def _stays(self, ref: Ref) -> Failure:
        live = self._site.objects.get(ref, self._halt) or {}
        return Failure(ref, "Timeout", f"{ref} is not gone after {self._wait:.0f} s{held(live)}.")

    @property
    def _seconds(self) -> float:
        return self._site.steady() - self._began

    def _pause(self) -> None:
        if self._halt.wait(self._site.look / 2):
            raise ApiError(Fault.STOPPED, "stopped")


def _order(found: dict[Ref, Object]) -> list[Ref]:
    """What others refer to goes last: HPAs, workloads, Services, ConfigMaps."""
    place = {known.kind: index for index, known in enumerate(KINDS)}
    return sorted(found, key=lambda ref: (-place[ref.kind], ref.name))
