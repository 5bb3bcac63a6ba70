"""CronJobs: a Job at each time of a schedule.

https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/
"""

from __future__ import annotations

import zoneinfo
from datetime import UTC, datetime, tzinfo
from typing import ClassVar, Final

from tui.demo import resources
from tui.demo.api import schedule
from tui.demo.api.operations import CONTROLLER_MANAGER, CONTROLLER_STATUS, DeleteOptions
from tui.demo.controllers.base import Controller, controller_of, owner_key, owner_reference
from tui.demo.controllers.job import is_done
from tui.demo.store import Entry, Key, Object

_SCHEDULED_AT: Final = "batch.kubernetes.io/cronjob-scheduled-timestamp"


class CronJobController(Controller):
    """Creates Jobs in time and forgets old ones."""

    name: ClassVar[str] = "cronjob-controller"

    def start(self) -> None:
        """Watch what matters."""
        self.watch(resources.CRON_JOBS)
        self.watch(resources.JOBS, lambda event: owner_key(event, "CronJob"))

    def reconcile(self, key: Key) -> None:
        """Make the world right for one key."""
        cron = self.store.get(resources.CRON_JOBS.storage, *key)
        if cron is None or cron.deleting:
            return
        jobs = self._jobs(cron)
        last = cron.status.get("lastScheduleTime")
        if not cron.spec.get("suspend"):
            last = self._start_due(cron, jobs, last)
            self._wait(cron)
        self._forget(cron, jobs)
        self._update_status(cron, last)

    def _jobs(self, cron: Entry) -> list[Entry]:
        found = [
            job
            for job in self.store.entries(resources.JOBS.storage, cron.namespace)
            if (owner := controller_of(job)) is not None and owner["uid"] == cron.uid
        ]
        return sorted(found, key=lambda job: (job.metadata["creationTimestamp"], job.name))

    def _start_due(self, cron: Entry, jobs: list[Entry], last: str | None) -> str | None:
        """Start the job that is due; returns the time it was due at, or the last before."""
        times = schedule.parse(cron.spec["schedule"])
        since = datetime.fromisoformat(last or cron.metadata["creationTimestamp"])
        zone = _zone(cron)
        due = times.last_between(since.astimezone(zone), self.clock.wall().astimezone(zone))
        if due is None:
            return last
        late = (self.clock.wall() - due).total_seconds() * self.clock.speed
        deadline = cron.spec.get("startingDeadlineSeconds")
        if deadline is not None and late > deadline:
            return last
        running = [job for job in jobs if not is_done(job) and not job.deleting]
        policy = cron.spec.get("concurrencyPolicy", "Allow")
        if running and policy == "Forbid":
            message = "Not starting job because prior execution is running and concurrency policy"
            self._say(cron, "JobAlreadyActive", f"{message} is Forbid")
            return last
        if policy == "Replace":
            for job in running:
                self._delete(cron, job)
        self._create(cron, due.astimezone(UTC))
        return due.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def _create(self, cron: Entry, due: datetime) -> None:
        name = f"{cron.name}-{int(due.timestamp()) // 60}"
        if self.store.get(resources.JOBS.storage, cron.namespace, name) is not None:
            return
        template = cron.copy()["spec"]["jobTemplate"]
        metadata = template.get("metadata") or {}
        notes = {**(metadata.get("annotations") or {})}
        notes[_SCHEDULED_AT] = due.strftime("%Y-%m-%dT%H:%M:%SZ")
        made: Object = {
            "metadata": {
                "name": name,
                "labels": metadata.get("labels") or {},
                "annotations": notes,
                "ownerReferences": [owner_reference(resources.CRON_JOBS, cron)],
            },
            "spec": template["spec"],
        }
        self.api.create(resources.JOBS, cron.namespace, made, CONTROLLER_MANAGER)
        self._say(cron, "SuccessfulCreate", f"Created job {name}")

    def _wait(self, cron: Entry) -> None:
        now = self.clock.wall()
        following = schedule.parse(cron.spec["schedule"]).next_after(now.astimezone(_zone(cron)))
        if following is not None:
            # Schedules go by the wall clock, which a fast cluster does not turn faster.
            seconds = (following - now).total_seconds() * self.clock.speed
            self.enqueue(cron.key, max(0.1, seconds + 0.05))

    def _forget(self, cron: Entry, jobs: list[Entry]) -> None:
        ended: dict[str, list[Entry]] = {"Complete": [], "Failed": []}
        known = {one["uid"] for one in cron.status.get("active") or ()}
        for job in jobs:
            if job.deleting or not is_done(job):
                continue
            true = {c["type"] for c in job.status["conditions"] if c["status"] == "True"}
            how = "Complete" if "Complete" in true else "Failed"
            ended[how].append(job)
            if job.uid in known:
                message = f"Saw completed job: {job.name}, condition: {how}"
                self._say(cron, "SawCompletedJob", message)
        limits = {
            "Complete": int(cron.spec.get("successfulJobsHistoryLimit", 3)),
            "Failed": int(cron.spec.get("failedJobsHistoryLimit", 1)),
        }
        for how, found in ended.items():
            for job in found[: max(0, len(found) - limits[how])]:
                self._delete(cron, job)

    def _delete(self, cron: Entry, job: Entry) -> None:
        options = DeleteOptions("Background", uid=job.uid)
        self.api.delete(resources.JOBS, job.namespace, job.name, options)
        self._say(cron, "SuccessfulDelete", f"Deleted job {job.name}")

    def _update_status(self, cron: Entry, last: str | None) -> None:
        status: Object = {}
        active = [job for job in self._jobs(cron) if not is_done(job) and not job.deleting]
        if active:
            status["active"] = [_reference(job) for job in active]
        if last:
            status["lastScheduleTime"] = last
        done = [one.status["completionTime"] for one in self._jobs(cron) if _completed(one)]
        success = max(done, default=cron.status.get("lastSuccessfulTime"))
        if success:
            status["lastSuccessfulTime"] = success
        if status == cron.status:
            return

        def alter(data: Object) -> None:
            data["status"] = status

        self.api.change(resources.CRON_JOBS, cron, alter, CONTROLLER_STATUS)

    def _say(self, cron: Entry, reason: str, message: str) -> None:
        self.record(resources.CRON_JOBS, cron, "Normal", reason, message)


def _completed(job: Entry) -> bool:
    return bool(job.status.get("completionTime"))


def _reference(job: Entry) -> Object:
    return {
        "kind": "Job",
        "namespace": job.namespace,
        "name": job.name,
        "uid": job.uid,
        "apiVersion": resources.JOBS.group_version,
        "resourceVersion": str(job.revision),
    }


def _zone(cron: Entry) -> tzinfo:
    name = cron.spec.get("timeZone")
    try:
        return zoneinfo.ZoneInfo(name) if name else UTC
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return UTC
