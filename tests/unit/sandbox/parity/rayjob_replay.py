"""Plays a recorded RayJob: its cluster, Ray and the submitter do what they did, and what our operator writes is kept.

What they did is read off the recorded statuses: a status RUNNING means that Ray said so before. The cluster itself is
not played (`replay` does that), it is there when the recording says so.
"""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kubectl_ray.sandbox.api import kinds
from kubectl_ray.sandbox.api.events import seconds
from kubectl_ray.sandbox.controllers.jobs import Jobs
from kubectl_ray.sandbox.operator.parents import submission_mode
from kubectl_ray.sandbox.operator.rayjobs import RayJobs
from tests.unit.sandbox.operator.world import World

if TYPE_CHECKING:
    from kubectl_ray.sandbox.api.store import Change

Object = dict[str, Any]

FOLDER = Path(__file__).parents[3] / "recordings" / "rayjobs"
OWN = ("jobDeploymentStatus", "jobStatus", "reason", "message", "failed", "succeeded", "jobId", "rayClusterName")
TIMES = ("startTime", "endTime")
ENDED = ("SUCCEEDED", "FAILED", "STOPPED")

_TIME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?Z")


def load(name: str) -> Object:
    """Read a recording."""
    held: Object = json.loads((FOLDER / f"{name}.json").read_text())
    return held


def own(status: Object) -> Object:
    """What a RayJob says of itself, flat, with times as such; not what it copies from its cluster."""
    found = {field: status[field] for field in (*OWN, "dashboardURL") if field in status}
    found |= {field: "TIME" for field in TIMES if field in status}
    return found | {f"rayJobInfo.{field}": "TIME" for field in TIMES if field in (status.get("rayJobInfo") or {})}


class RayJobReplay:
    """One recording, played once; then `ours` and `theirs` are the statuses in order."""

    def __init__(self, recording: Object) -> None:
        self.recording = recording
        self.world = World(recording["namespace"])
        self.ours: list[Object] = []
        self.theirs: list[Object] = []
        self.last: Object = {}
        self.objects: dict[str, Object] = {}
        self._jobs = Jobs(self.world.objects)
        self._before: Object = {}

    async def run(self) -> None:
        """Play it to its end."""
        world = self.world
        async with world.ray.serving():
            controller = RayJobs(world.objects, world.access)
            world.store.listen(self._take_down)
            if "cluster" in self.recording:
                await self._give_cluster(controller)
            for step in self.recording["steps"]:
                world.now = world.ray.now = max(world.now, float(step["clock"]))
                if "do" in step:
                    if step["do"] != "create":
                        await world.poll(controller, self.recording["name"], self._jobs, after=0.0)
                    self._do(step)
                elif isinstance(step["saw"], dict):
                    self._saw(step["saw"])
                    await world.rest(controller, self._jobs)
                    await world.poll(controller, self.recording["name"], self._jobs, after=0.0)
                await world.rest(controller, self._jobs)
                self._keep_objects()
            await world.access.close()

    async def _give_cluster(self, controller: RayJobs) -> None:
        body = {"metadata": {"name": self.recording["spec"]["clusterSelector"]["ray.io/cluster"]}}
        self.world.objects.create(kinds.RAY_CLUSTERS, {**body, "spec": self.recording["cluster"]}, self.world.namespace)
        self.world.cluster_comes_up()
        await self.world.rest(controller)

    def _do(self, step: Object) -> None:
        name, objects = self.recording["name"], self.world.objects
        if step["do"] == "create":
            self.world.now = self.world.ray.now = float(step["clock"])
            body = {"metadata": {"name": name}, "spec": copy.deepcopy(self.recording["spec"])}
            objects.create(kinds.RAY_JOBS, body, self.world.namespace)
        elif step["do"] == "patch":
            objects.edit(kinds.RAY_JOBS, self.world.namespace, name, lambda held: merge(held["spec"], step["spec"]))
        else:
            objects.delete(kinds.RAY_JOBS, self.world.namespace, name)

    def _saw(self, status: Object) -> None:
        """Before this status could be seen, somebody else did something: do it."""
        before, self._before = self._before, status
        self.theirs.append(own(_unflat(status)))
        state = status.get("jobDeploymentStatus")
        mode, spec = submission_mode(self.recording["spec"]), self.recording["spec"]
        if state in {"Running", "Waiting"} and before.get("jobDeploymentStatus") == "Initializing":
            if "cluster" not in self.recording:
                self.world.cluster_comes_up()
            return
        if status.get("reason") == "DeadlineExceeded":
            self.world.now = max(self.world.now, seconds(status["startTime"]) + spec["activeDeadlineSeconds"])
        told = ("jobStatus", "message", "rayJobInfo.startTime", "rayJobInfo.endTime")
        if status.get("jobStatus") and any(before.get(field) != status.get(field) for field in told):
            times = {f"{part}_time": int(seconds(status.get(f"rayJobInfo.{part}Time", "")) * 1000) for part in _PARTS}
            words = self._with_our_names(status["message"])
            self.world.ray.job(self.last.get("jobId", ""), status["jobStatus"], message=words, **times)
        if status.get("jobStatus") and not before.get("jobStatus") and mode == "K8sJobMode":
            self._submitter_runs()
        submitted = mode in {"K8sJobMode", "SidecarMode"} and before.get("jobStatus") in ENDED
        if submitted and state in {"Complete", "Failed"}:
            self._submitter_ends(0 if mode == "K8sJobMode" or status["jobStatus"] != "FAILED" else 1)

    def _submitter_runs(self) -> None:
        world = self.world
        for pod in world.objects.list(kinds.PODS, world.namespace, {"job-name": self.recording["name"]}):
            ready = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}
            world.set_status(kinds.PODS, pod["metadata"]["name"], ready)

    def _submitter_ends(self, code: int) -> None:
        world = self.world
        for pod in world.objects.list(kinds.PODS, world.namespace):
            for each in pod["spec"]["containers"]:
                if each["name"] != "ray-job-submitter":
                    continue
                ended = {
                    "exitCode": code,
                    "reason": "Error" if code else "Completed",
                    "finishedAt": world.objects.now(),
                }
                status: Object = {"containerStatuses": [{"name": each["name"], "state": {"terminated": ended}}]}
                if len(pod["spec"]["containers"]) == 1:
                    status["phase"] = "Succeeded"
                world.set_status(kinds.PODS, pod["metadata"]["name"], status)

    def _take_down(self, change: Change) -> None:
        if change.kind is not kinds.RAY_JOBS or change.what == "DELETED":
            return
        status = change.object.get("status") or {}
        self.last = status
        flat = own(status)
        if flat and (not self.ours or self.ours[-1] != flat):
            self.ours.append(flat)

    def _keep_objects(self) -> None:
        """The newest of each kind that the RayJob or its submitter owns."""
        world = self.world
        for kind in (kinds.RAY_CLUSTERS, kinds.SERVICES, kinds.JOBS, kinds.PODS, kinds.RAY_JOBS):
            for held in world.objects.list(kind, world.namespace):
                owners = [(each["kind"], each["name"]) for each in held["metadata"].get("ownerReferences", ())]
                # The user may have changed it after it was recorded.
                then = self.recording["objects"]["rayjob"]["metadata"]["generation"]
                mine = kind is kinds.RAY_JOBS and held["metadata"]["generation"] <= then
                if mine or {("RayJob", self.recording["name"]), ("Job", self.recording["name"])} & set(owners):
                    self.objects[kind.name.lower()] = held

    def names(self) -> dict[str, str]:
        """Ours by theirs: ids, clusters, uids."""
        found = {}
        for ours, theirs in zip(self.ours, self.theirs, strict=False):
            for field in ("jobId", "rayClusterName"):
                if field in ours and field in theirs:
                    found[ours[field]] = theirs[field]
        for kind, theirs in self.recording["objects"].items():
            for field in ("uid", "name"):
                if field in theirs["metadata"] and kind in self.objects:
                    found[self.objects[kind]["metadata"][field]] = theirs["metadata"][field]
        return found

    def as_theirs(self, ours: Any) -> Any:
        """With their names, and TIME for times."""
        text = json.dumps(ours)
        for mine, theirs in self.names().items():
            text = text.replace(mine, theirs)
        return json.loads(_TIME.sub("TIME", text))

    def _with_our_names(self, text: str) -> str:
        for mine, theirs in self.names().items():
            text = text.replace(theirs, mine)
        return text


_PARTS = ("start", "end")


def merge(held: Object, patch: Object) -> None:
    """Apply a merge patch without nulls."""
    for field, value in patch.items():
        if isinstance(value, dict) and isinstance(held.get(field), dict):
            merge(held[field], value)
        else:
            held[field] = value


def _unflat(status: Object) -> Object:
    info = {field: status[f"rayJobInfo.{field}"] for field in TIMES if f"rayJobInfo.{field}" in status}
    return {**{k: v for k, v in status.items() if "." not in k}, "rayJobInfo": info}


def timeless(theirs: Any) -> Any:
    """With TIME for times."""
    return json.loads(_TIME.sub("TIME", json.dumps(theirs)))
