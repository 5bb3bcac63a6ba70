"""Jobs: pods that run until enough of them have succeeded.

https://kubernetes.io/docs/concepts/workloads/controllers/job/
"""

from __future__ import annotations

from typing import ClassVar, Final

from tui.demo import resources
from tui.demo.api import errors
from tui.demo.api.operations import CONTROLLER_MANAGER, CONTROLLER_STATUS, DeleteOptions
from tui.demo.controllers import templates
from tui.demo.controllers.base import Controller, condition, is_finished, is_ready, owner_key
from tui.demo.store import Entry, Key, Object

_INDEX: Final = "batch.kubernetes.io/job-completion-index"
_FIRST_BACKOFF: Final = 10.0
_LAST_BACKOFF: Final = 600.0


class JobController(Controller):
    """Creates pods, counts how they end, and says when the job is done."""

    name: ClassVar[str] = "job-controller"

    def start(self) -> None:
        """Watch what matters."""
        self.watch(resources.JOBS)
        self.watch(resources.PODS, lambda event: owner_key(event, "Job"))

    def reconcile(self, key: Key) -> None:
        """Make the world right for one key."""
        job = self.store.get(resources.JOBS.storage, *key)
        if job is None or job.deleting:
            return
        if is_done(job):
            self._expire(job)
            return
        pods = sorted(templates.pods_of(self.store, job), key=lambda pod: pod.name)
        active = [pod for pod in pods if not is_finished(pod) and not pod.deleting]
        why = self._failure(job, pods, active)
        suspended = bool(job.spec.get("suspend"))
        if why[0] or suspended or self._is_complete(job, pods):
            for pod in active:
                self._delete(job, pod)
            active = []
        elif not suspended:
            active += self._create(job, pods, active)
        self._update_status(job, pods, active, why)

    # -- counting

    @staticmethod
    def _ended(pods: list[Entry], phase: str) -> list[Entry]:
        return [pod for pod in pods if pod.status.get("phase") == phase]

    def _succeeded(self, job: Entry, pods: list[Entry]) -> int:
        done = self._ended(pods, "Succeeded")
        if _is_indexed(job):
            return len({_index_of(pod) for pod in done})
        return len(done)

    def _is_complete(self, job: Entry, pods: list[Entry]) -> bool:
        done = self._succeeded(job, pods)
        if "completions" in job.spec:
            return done >= int(job.spec["completions"])
        running = [pod for pod in pods if not is_finished(pod)]
        return done > 0 and not running  # a work queue: one success ends it

    def _failure(self, job: Entry, pods: list[Entry], active: list[Entry]) -> tuple[str, str]:
        deadline = job.spec.get("activeDeadlineSeconds")
        started = job.status.get("startTime")
        if deadline is not None and started:
            left = self.clock.simulated(started) + int(deadline) - self.clock.now()
            if left <= 0:
                return ("DeadlineExceeded", "Job was active longer than specified deadline")
            self.enqueue(job.key, left + 0.01)
        failures = len(self._ended(pods, "Failed"))
        if job.spec["template"]["spec"].get("restartPolicy") == "OnFailure":
            failures += sum(_restarts(pod) for pod in active)
        if failures > int(job.spec.get("backoffLimit", 6)):
            return ("BackoffLimitExceeded", "Job has reached the specified backoff limit")
        return ("", "")

    # -- acting

    def _create(self, job: Entry, pods: list[Entry], active: list[Entry]) -> list[Entry]:
        parallel = int(job.spec.get("parallelism", 1))
        wanted = parallel
        if "completions" in job.spec:
            left = int(job.spec["completions"]) - self._succeeded(job, pods)
            wanted = min(parallel, left)
        elif self._ended(pods, "Succeeded"):
            wanted = len(active)
        for pod in active[wanted:]:
            self._delete(job, pod)
        missing = wanted - len(active)
        if missing <= 0 or self._must_wait(job, pods):
            return []
        indexes = self._free_indexes(job, pods)
        made = []
        for number in range(missing):
            template = job.copy()["spec"]["template"]
            data = templates.pod_of(resources.JOBS, job, template)
            prefix = f"{job.name}-"
            if _is_indexed(job):
                if number >= len(indexes):
                    break
                prefix = _give_index(data, job.name, indexes[number])
            data["metadata"]["generateName"] = prefix
            try:
                entry = self.api.create(resources.PODS, job.namespace, data, CONTROLLER_MANAGER)
            except errors.ApiError as problem:
                self._say(job, "Warning", "FailedCreate", f"Error creating: {problem}")
                self.enqueue(job.key, 5.0)
                break
            self._say(job, "Normal", "SuccessfulCreate", f"Created pod: {entry.name}")
            made.append(entry)
        return made

    def _free_indexes(self, job: Entry, pods: list[Entry]) -> list[str]:
        if not _is_indexed(job):
            return []
        taken = {_index_of(pod) for pod in pods if pod.status.get("phase") != "Failed"}
        return [str(n) for n in range(int(job.spec["completions"])) if str(n) not in taken]

    def _must_wait(self, job: Entry, pods: list[Entry]) -> bool:
        """After a failure the next pod waits 10 s, then twice as long each time."""
        failed = self._ended(pods, "Failed")
        if not failed:
            return False
        wait = min(_FIRST_BACKOFF * 2 ** (len(failed) - 1), _LAST_BACKOFF)
        last = max(_finished_at(pod) for pod in failed)
        left = self.clock.simulated(last) + wait - self.clock.now() if last else 0.0
        if left > 0:
            self.enqueue(job.key, left + 0.01)
        return left > 0

    def _delete(self, job: Entry, pod: Entry) -> None:
        self.api.delete(resources.PODS, pod.namespace, pod.name)
        self._say(job, "Normal", "SuccessfulDelete", f"Deleted pod: {pod.name}")

    def _expire(self, job: Entry) -> None:
        """Delete a finished job when its ``ttlSecondsAfterFinished`` is over."""
        lifetime = job.spec.get("ttlSecondsAfterFinished")
        if lifetime is None:
            return
        ends = max(
            one["lastTransitionTime"]
            for one in job.status["conditions"]
            if one["type"] in ("Complete", "Failed")
        )
        left = self.clock.simulated(ends) + int(lifetime) - self.clock.now()
        if left > 0:
            self.enqueue(job.key, left + 0.01)
        else:
            self.api.delete(
                resources.JOBS, job.namespace, job.name, DeleteOptions("Foreground", uid=job.uid)
            )

    def _say(self, job: Entry, type_: str, reason: str, message: str) -> None:
        self.record(resources.JOBS, job, type_, reason, message)

    # -- status

    def _update_status(
        self, job: Entry, pods: list[Entry], active: list[Entry], why: tuple[str, str]
    ) -> None:
        now = self.clock.stamp()
        suspended = bool(job.spec.get("suspend"))
        status: Object = {}
        conditions = list(job.status.get("conditions") or ())
        started = job.status.get("startTime") or (None if suspended else now)
        complete = self._is_complete(job, pods) and not why[0] and not suspended
        outcome: list[tuple[str, str, str]] = []
        if complete:
            reached = "Reached expected number of succeeded pods"
            outcome = [
                (type_, "CompletionsReached", reached)
                for type_ in ("SuccessCriteriaMet", "Complete")
            ]
            status["completionTime"] = now
        elif why[0]:
            outcome = [(type_, *why) for type_ in ("FailureTarget", "Failed")]
        elif suspended != (condition({"conditions": conditions}, "Suspended") is not None):
            conditions = [one for one in conditions if one["type"] != "Suspended"]
            if suspended:
                outcome = [("Suspended", "JobSuspended", "Job suspended")]
                started = None
        for type_, reason, message in outcome:
            conditions.append(
                {
                    "type": type_,
                    "status": "True",
                    "lastProbeTime": now,
                    "lastTransitionTime": now,
                    "reason": reason,
                    "message": message,
                }
            )
        if conditions:
            status["conditions"] = conditions
        if started:
            status["startTime"] = started
        terminating = sum(pod.deleting and not is_finished(pod) for pod in pods)
        counts = {
            "active": len(active),
            "succeeded": self._succeeded(job, pods),
            "failed": len(self._ended(pods, "Failed")),
        }
        status |= {name: number for name, number in counts.items() if number}
        status |= {"terminating": terminating, "uncountedTerminatedPods": {}}
        status["ready"] = sum(is_ready(pod) for pod in active)
        if _is_indexed(job):
            done = sorted({int(_index_of(pod)) for pod in self._ended(pods, "Succeeded")})
            if done:
                status["completedIndexes"] = ranges(done)
        if status == job.status:
            return

        def alter(data: Object) -> None:
            data["status"] = status

        self.api.change(resources.JOBS, job, alter, CONTROLLER_STATUS)
        if complete:
            self._say(job, "Normal", "Completed", "Job completed")
        elif why[0]:
            self._say(job, "Warning", *why)
        elif suspended and outcome:
            self._say(job, "Normal", "Suspended", "Job suspended")


def is_done(job: Entry) -> bool:
    """Whether a job has completed or failed."""
    return any(
        one["type"] in ("Complete", "Failed") and one["status"] == "True"
        for one in job.status.get("conditions") or ()
    )


def ranges(numbers: list[int]) -> str:
    """Sorted numbers as ``1,3-5,7``, as ``completedIndexes`` has them."""
    parts: list[list[int]] = []
    for number in numbers:
        if parts and parts[-1][-1] == number - 1:
            parts[-1] = [parts[-1][0], number]
        else:
            parts.append([number])
    return ",".join("-".join(map(str, part)) for part in parts)


def _is_indexed(job: Entry) -> bool:
    return bool(job.spec.get("completionMode") == "Indexed")


def _index_of(pod: Entry) -> str:
    return str((pod.metadata.get("annotations") or {}).get(_INDEX, "0"))


def _give_index(pod: Object, job: str, index: str) -> str:
    """Tell a pod its index; returns the prefix of its name."""
    metadata = pod["metadata"]
    metadata.setdefault("annotations", {})[_INDEX] = index
    metadata.setdefault("labels", {})[_INDEX] = index
    source = {"fieldRef": {"fieldPath": f"metadata.labels['{_INDEX}']"}}
    for container in pod["spec"].get("containers") or ():
        variables = container.setdefault("env", [])
        variables.append({"name": "JOB_COMPLETION_INDEX", "valueFrom": source})
    pod["spec"]["hostname"] = f"{job}-{index}"
    return f"{job}-{index}-"


def _restarts(pod: Entry) -> int:
    return sum(one["restartCount"] for one in pod.status.get("containerStatuses") or ())


def _finished_at(pod: Entry) -> str:
    states = [one.get("state") or {} for one in pod.status.get("containerStatuses") or ()]
    ends = [(state.get("terminated") or {}).get("finishedAt") or "" for state in states]
    return max(ends, default="")
