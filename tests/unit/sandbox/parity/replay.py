"""Plays a recording against our controllers: people and the machine do what they did, and what comes out is compared.

Watches of different kinds are not in step with each other, and the operator takes its time. So what the machine did is
held back until a status shows it: at each recorded status as few of the pod's changes are let through as make our
status equal to it. Timers are not waited for: where one is due, the cluster is looked at once more.
"""

from __future__ import annotations

import copy
from collections import deque
from typing import TYPE_CHECKING, Any

from kubectl_ray.sandbox.api import kinds
from kubectl_ray.sandbox.api.objects import Objects
from kubectl_ray.sandbox.api.refusals import Refused
from kubectl_ray.sandbox.api.shapes import admit_shape
from kubectl_ray.sandbox.api.store import Store
from kubectl_ray.sandbox.loop import Loop
from kubectl_ray.sandbox.operator.pace import Pace
from kubectl_ray.sandbox.operator.rayclusters import RayClusters
from tests.unit.sandbox.parity import differences, normal
from tests.unit.sandbox.parity.kubelet import PodImage

if TYPE_CHECKING:
    from collections.abc import Hashable

    from kubectl_ray.sandbox.api.kinds import Kind
    from kubectl_ray.sandbox.api.store import Change
    from tests.unit.sandbox.parity.recordings import Recording

Object = dict[str, Any]

AHEAD = 1.5
"""Seconds that a pod's watch was behind the cluster's, at most."""

GROUP, REPLICA, HOST = "ray.io/group", "ray.io/worker-group-replica-name", "ray.io/replica-host-index"
KINDS = {kind.name: kind for kind in kinds.KINDS if kind is not kinds.NEW_EVENTS}


class AtOnce(Pace):
    """No replay waits."""

    async def wait(self, key: Hashable) -> None:
        """Return at once."""


class Replay:
    """One recording, played once; then `problems`, `statuses`, `made`, `unrecorded`, `events` tell what came of it."""

    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        self.problems: list[str] = []
        self.statuses: dict[str, set[str]] = {}
        self.made: dict[tuple[str, str], Object] = {}
        self.ours: dict[str, str] = {}
        self._met: dict[str, str] = {}
        self._gone: set[str] = set()
        self._seconds = 0.0
        self._objects = Objects(Store(), clock=lambda: 1_800_000_000 + self._seconds)
        self._loop = Loop(self._objects.store, RayClusters(self._objects, AtOnce()))
        self._images: dict[str, PodImage] = {}
        self._wanted: dict[str, Object] = {}
        self._recorded: dict[str, list[Object]] = {}
        self._written: list[tuple[str, Object]] = []
        self._held_back: deque[Object] = deque()

    async def run(self) -> None:
        """Play it to its end."""
        namespace = self.recording.namespace
        self._objects.create(kinds.NAMESPACES, {"metadata": {"name": namespace}})
        self._objects.create(kinds.SERVICE_ACCOUNTS, {"metadata": {"name": "default"}}, namespace)
        self._objects.store.listen(self._take_down)
        self._loop.start()
        lines = deque(self.recording.timeline)
        while lines:
            line = lines.popleft()
            self._seconds = max(self._seconds, line["t"])
            if "do" in line:
                await self._let_all_through()
                await self._do(line)
            elif line["kind"] == "Pod":
                self._held_back.append(line)
            elif line["kind"] == "RayCluster":
                await self._saw_cluster(line, lines)
            else:
                await self._saw_other(line)
        await self._let_all_through()
        await self._loop.stop()

    async def _do(self, line: Object) -> None:
        """What a person did, or the autoscaler."""
        kind, name, namespace = KINDS[line["kind"]], line["name"], self.recording.namespace
        if line["do"] == "create":
            self._objects.create(kind, admit_shape(kind, line["body"])[0], namespace)
        elif line["do"] == "patch":
            patch = self._with_our_names(line["patch"])
            self._objects.edit(kind, namespace, name, lambda held: _patch(kind, held, patch))
        else:
            ours = self.ours.get(name, name) if kind is kinds.PODS else name
            self._objects.delete(kind, namespace, str(ours), propagation=line.get("propagation", "Background"))
        await self._loop.settle()

    def _with_our_names(self, patch: object) -> Any:
        """The autoscaler names pods."""
        if isinstance(patch, dict):
            return {key: self._with_our_names(value) for key, value in patch.items()}
        if isinstance(patch, list):
            return [self._with_our_names(value) for value in patch]
        return self.ours.get(patch, patch) if isinstance(patch, str) else patch

    async def _saw_cluster(self, line: Object, coming: deque[Object]) -> None:
        name = line["name"]
        if line["saw"] == "DELETED":
            await self._let_all_through()
            if self._objects.find(kinds.RAY_CLUSTERS, self.recording.namespace, name) is not None:
                self._objects.edit(kinds.RAY_CLUSTERS, self.recording.namespace, name, _without_finalizers)
                await self._loop.settle()
            return
        wanted = self._wanted.setdefault(name, {})
        for path, value in line.get("changed", {}).items():
            told = "TIME" if path.startswith("status.stateTransitionTimes.") else value
            told = normal.address(normal.message(told)) if isinstance(told, str) else told
            if value is None or path == "status":
                wanted.pop(path, None)
            else:
                wanted[path] = told
        if not wanted:
            return
        self._recorded.setdefault(name, []).append(dict(wanted))
        while not await self._comes_true(name, wanted):
            if not self._held_back:
                self._look_ahead(line["t"], coming)
            if not self._held_back:
                ours = self._status(name)
                different = {
                    path: (ours.get(path), wanted.get(path))
                    for path in ours.keys() | wanted.keys()
                    if ours.get(path) != wanted.get(path)
                }
                self.problems.append(f"{line['t']} RayCluster/{name}: ours, theirs: {different}")
                return
            await self._saw_pod(self._held_back.popleft())

    def _look_ahead(self, now: float, coming: deque[Object]) -> None:
        for line in list(coming):
            if line["t"] > now + AHEAD or "do" in line:
                return
            if line.get("kind") == "Pod":
                coming.remove(line)
                self._held_back.append(line)
                return

    async def _comes_true(self, name: str, wanted: Object) -> bool:
        """Our status is the recorded one, now or when a due timer has fired."""
        await self._loop.settle()
        if self._is(name, wanted):
            return True
        await self._look_again(name)
        return self._is(name, wanted)

    def _is(self, name: str, wanted: Object) -> bool:
        """Our status is the recorded one, but for what is accepted (`differences`)."""
        ours = self._status(name)
        return ours == wanted or differences.head_seen_later(ours) == differences.head_seen_later(wanted)

    async def _look_again(self, name: str) -> None:
        self._loop.add((self.recording.namespace, name))
        await self._loop.settle()

    def _status(self, name: str) -> Object:
        """Ours, with the recorded names of pods; each one that was looked at is kept."""
        cluster = self._objects.find(kinds.RAY_CLUSTERS, self.recording.namespace, name)
        status = copy.deepcopy((cluster or {}).get("status", {}))
        head = status.get("head", {})
        if "podName" in head:
            theirs = {ours: recorded for recorded, ours in self.ours.items()}
            head["podName"] = theirs.get(head["podName"]) or self._first_seen(head["podName"])
        self.statuses.setdefault(name, set()).add(normal.ordered_status(status))
        return normal.flat_status(status)

    def _first_seen(self, ours: str) -> str:
        """A head that the pods' watch has not told of yet: it can only be the next one to come."""
        for line in (*self._held_back, *self.recording.timeline):
            new = line.get("saw") == "ADDED" and line["kind"] == "Pod" and line["name"] not in self.ours
            if new and line["changed"].get(f"labels.{GROUP}") == "headgroup":
                pod = self._objects.find(kinds.PODS, self.recording.namespace, ours)
                if pod and pod["metadata"]["labels"]["ray.io/cluster"] == line["changed"]["labels.ray.io/cluster"]:
                    return str(line["name"])
        return ours

    def _take_down(self, change: Change) -> None:
        """A status that our operator wrote."""
        before = (change.before or {}).get("status", {})
        if change.kind is kinds.RAY_CLUSTERS and change.object.get("status", {}) != before:
            self._written.append((change.object["metadata"]["name"], change.object["status"]))

    def unrecorded(self) -> list[str]:
        """Statuses that ours wrote and the real one did not."""
        theirs = {ours: recorded for recorded, ours in self.ours.items()}
        found = []
        for name, status in self._written:
            head = status.get("head", {})
            named = {"podName": theirs.get(head["podName"], head["podName"])} if "podName" in head else {}
            flat = normal.flat_status({**status, "head": {**head, **named}})
            recorded = self._recorded.get(name, [])
            if flat not in recorded and not differences.told_early(flat):
                found.append(f"RayCluster/{name}: {flat}")
        return found

    async def _let_all_through(self) -> None:
        while self._held_back:
            await self._saw_pod(self._held_back.popleft())
        await self._loop.settle()

    async def _saw_pod(self, line: Object) -> None:
        self._seconds = max(self._seconds, line["t"])
        name, namespace, changed = line["name"], self.recording.namespace, line.get("changed", {})
        await self._loop.settle()
        if line["saw"] == "ADDED":
            await self._meet(line)
        if name not in self.ours:
            return
        image = self._images.setdefault(name, PodImage())
        image.change(changed)
        if line["saw"] == "DELETED":
            await self._is_going(line)
            self._gone.add(name)
            if self._objects.find(kinds.PODS, namespace, self.ours[name]) is not None:
                self._objects.delete(kinds.PODS, namespace, self.ours[name], grace=0)
        elif "meta.deletionTimestamp" in changed:
            await self._is_going(line)
        elif self._objects.find(kinds.PODS, namespace, self.ours[name]) is not None:
            if image.scheduled:
                self._objects.edit(kinds.PODS, namespace, self.ours[name], _bind)
            status = image.status()
            self._objects.edit(
                kinds.PODS, namespace, self.ours[name], lambda held: _set_status(held, status), status=True
            )
        await self._loop.settle()

    async def _meet(self, line: Object) -> None:
        """A recorded pod was made: ours of the same place stands for it from now on."""
        changed = line["changed"]
        labels = {key.removeprefix("labels."): value for key, value in changed.items() if key.startswith("labels.")}
        replica = labels.pop(REPLICA, None)
        for _ in range(2):
            taken = set(self.ours.values())
            for pod in self._objects.list(kinds.PODS, self.recording.namespace, labels):
                if pod["metadata"]["name"] in taken or "deletionTimestamp" in pod["metadata"]:
                    continue
                if (replica is None) == (REPLICA not in pod["metadata"]["labels"]):
                    self.ours[line["name"]] = self._met[line["name"]] = pod["metadata"]["name"]
                    self.made["Pod", line["name"]] = pod
                    return
            await self._look_again(labels["ray.io/cluster"])
        self.problems.append(f"{line['t']} Pod/{line['name']} was made, we have none with {labels}")

    async def _is_going(self, line: Object) -> None:
        """A recorded pod was deleted: ours is, too; one of the same group may stand for it, which one is any."""
        name, namespace = line["name"], self.recording.namespace
        for _ in range(2):
            ours = self._objects.find(kinds.PODS, namespace, self.ours[name])
            if ours is None or "deletionTimestamp" in ours["metadata"]:
                return
            cluster = ours["metadata"]["labels"]["ray.io/cluster"]
            if self._objects.find(kinds.RAY_CLUSTERS, namespace, cluster) is None or self._ends(cluster):
                self._objects.delete(kinds.PODS, namespace, self.ours[name])
                return
            for other in list(self.ours):
                if other not in self._gone and self._alike(other, name) and self._goes(self.ours[other]):
                    self._swap(other, name)
                    return
            await self._look_again(cluster)
        self.problems.append(f"{line['t']} Pod/{name} was deleted, ours is not")

    def _goes(self, ours: str) -> bool:
        held = self._objects.find(kinds.PODS, self.recording.namespace, ours)
        return held is None or "deletionTimestamp" in held["metadata"]

    def _swap(self, one: str, other: str) -> None:
        """Each stands for the other from now on, with the other pods of its replica."""
        replicas = [self._replica(each) for each in (one, other)]
        for first, second in zip(*replicas, strict=True):
            self.ours[first], self.ours[second] = self.ours[second], self.ours[first]

    def _replica(self, name: str) -> list[str]:
        """The recorded pods of a replica, by their number."""
        labels = self.made["Pod", name]["metadata"]["labels"]
        if REPLICA not in labels:
            return [name]
        hosts = [
            (pod["metadata"]["labels"][HOST], recorded)
            for (kind, recorded), pod in self.made.items()
            if kind == "Pod" and pod["metadata"]["labels"].get(REPLICA) == labels[REPLICA]
        ]
        return [recorded for _host, recorded in sorted(hosts)]

    def _ends(self, cluster: str) -> bool:
        held = self._objects.get(kinds.RAY_CLUSTERS, self.recording.namespace, cluster)
        return "deletionTimestamp" in held["metadata"]

    def _alike(self, one: str, other: str) -> bool:
        labels = [self.made["Pod", each]["metadata"]["labels"] for each in (one, other)]
        same = all(labels[0].get(key) == labels[1].get(key) for key in ("ray.io/cluster", GROUP, HOST))
        images = [self._images[each].status() for each in (one, other)]
        return same and images[0].get("phase") == images[1].get("phase")

    async def _saw_other(self, line: Object) -> None:
        """A service, a secret, an account."""
        await self._loop.settle()
        kind: Kind = KINDS[line["kind"]]
        found = self._objects.find(kind, self.recording.namespace, line["name"])
        if line["saw"] == "ADDED" and found is None:
            self.problems.append(f"{line['t']} {line['kind']}/{line['name']} was made, ours was not")
        elif line["saw"] == "ADDED" and found is not None:
            self.made[line["kind"], line["name"]] = found
        elif line["saw"] == "DELETED" and found is not None:
            try:
                self._objects.delete(kind, self.recording.namespace, line["name"])
            except Refused as refused:
                self.problems.append(f"{line['t']} {line['kind']}/{line['name']}: {refused}")
            await self._loop.settle()

    def events(self, component: str) -> list[tuple[str, str, str]]:
        """Type, reason and message of what was told, each once, in order; with the recorded names of pods."""
        found = [
            (each["type"], each["reason"], normal.message(self._with_their_names(each)))
            for each in sorted(self._objects.list(kinds.EVENTS), key=_moment)
            if each["source"].get("component") == component
        ]
        return list(dict.fromkeys(found))

    def _with_their_names(self, event: Object) -> str:
        """The message; a pod that was made stood for the recorded one that was made then."""
        stands = self._met if event["reason"].startswith("Created") else self.ours
        text = str(event["message"])
        for theirs, ours in stands.items():
            text = text.replace(ours, theirs)
        return text


def _moment(event: Object) -> int:
    return int(event["metadata"]["name"].rpartition(".")[2], 16)


def _without_finalizers(held: Object) -> None:
    held["metadata"].pop("finalizers", None)


def _bind(held: Object) -> None:
    held["spec"]["nodeName"] = "node1"


def _set_status(held: Object, status: Object) -> None:
    held["status"] = {**held.get("status", {}), **status}


def _patch(kind: Kind, held: Object, patch: Any) -> None:
    """A JSON patch, or a merge patch of plain fields, as they were sent; then the schema's defaults."""
    if isinstance(patch, dict):
        held["spec"] |= patch["spec"]
    for step in patch if isinstance(patch, list) else ():
        *parents, last = step["path"].strip("/").split("/")
        place: Any = held
        for part in parents:
            place = place[int(part)] if isinstance(place, list) else place[part]
        key: Any = int(last) if isinstance(place, list) and last != "-" else last
        if step["op"] == "remove":
            del place[key]
        elif step["op"] != "test" and key == "-":
            place.append(copy.deepcopy(step["value"]))
        elif step["op"] != "test":
            place[key] = copy.deepcopy(step["value"])
    held["spec"] = admit_shape(kind, held)[0]["spec"]
