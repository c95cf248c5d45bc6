"""One pod's life on the machine: volumes, init containers in their order, containers, and its end.

Source: Kubernetes v1.36, `pkg/kubelet` (pod_workers.go, kuberuntime_manager.go); orders and texts are recorded.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING

from kubectl_ray.sandbox.api.events import record
from kubectl_ray.sandbox.api.events import seconds as seconds_of
from kubectl_ray.sandbox.api.kinds import PODS, SECRETS
from kubectl_ray.sandbox.api.quantities import parse
from kubectl_ray.sandbox.api.refusals import Refused
from kubectl_ray.sandbox.node import ports, processes, status, surroundings
from kubectl_ray.sandbox.node.containers import ContainerLife
from kubectl_ray.sandbox.node.service_account import ServiceAccount
from kubectl_ray.sandbox.node.targets import Target, run_hook
from kubectl_ray.sandbox.node.volumes import Unmountable, mount

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from kubectl_ray.sandbox.api.objects import Objects
    from kubectl_ray.sandbox.api.resources import Amounts
    from kubectl_ray.sandbox.api.store import Object
    from kubectl_ray.sandbox.node.places import Places
    from kubectl_ray.sandbox.node.settings import Settings
    from kubectl_ray.sandbox.node.translation import Translation

log = logging.getLogger(__name__)

COMPONENT = "kubelet"
_LAST_WORDS = 0.3
"""Seconds between a pod's last status and its end: controllers see it then, as they do with a real kubelet."""
TOO_LONG = "Pod was active on the node longer than the specified deadline"


class PodLife:
    """A pod that is bound to this machine, from then until its object may go."""

    def __init__(self, objects: Objects, settings: Settings, places: Places, given: ports.Ports, pod: Object) -> None:
        self._objects = objects
        self._places = places
        self._given = given
        self.settings = settings
        self.pod = pod
        self.namespace: str = pod["metadata"]["namespace"]
        self.name: str = pod["metadata"]["name"]
        self.uid: str = pod["metadata"]["uid"]
        self.policy: str = pod["spec"].get("restartPolicy", "Always")
        self.place = places.pod(self.uid)
        self._account = ServiceAccount(objects, settings, pod, self.place.account)
        self.stopping = False
        self._silent = False
        self._volumes: dict[str, Path] = {}
        self._seen = status.Seen(pod.get("status", {}).get("startTime") or self.now(), sandboxed=False)
        self._tasks: dict[ContainerLife, asyncio.Task[int]] = {}
        self._meanings: dict[str, Translation] = {}
        known = {
            each["name"]: each
            for part in ("initContainerStatuses", "containerStatuses")
            for each in pod.get("status", {}).get(part) or []
        }
        self.inits = [
            ContainerLife(self, each, init=True, known=known.get(each["name"]))
            for each in pod["spec"].get("initContainers") or []
        ]
        self.containers = [
            ContainerLife(self, each, init=False, known=known.get(each["name"])) for each in pod["spec"]["containers"]
        ]
        self._life: asyncio.Task[None] | None = None
        self._limit: asyncio.Task[None] | None = None
        self._end: asyncio.Task[None] | None = None

    # What containers ask of their pod --------------------------------------------------------------------------

    @property
    def first_reason(self) -> str:
        """Why containers wait at first."""
        return "PodInitializing" if self.pod["spec"].get("initContainers") else "ContainerCreating"

    @property
    def grace(self) -> float:
        """Seconds that its processes get to end."""
        return float(self.pod["spec"].get("terminationGracePeriodSeconds", 30))

    @property
    def offered(self) -> Amounts:
        """What the machine has on paper."""
        return {"cpu": parse(str(self.settings.cpus)), "memory": parse(f"{self.settings.memory // 1024}Ki")}

    def now(self) -> str:
        """The time as objects have it."""
        return self._objects.now()

    def event(self, type_: str, reason: str, message: str, field_path: str = "") -> None:
        """Say something about the pod."""
        if self._silent:
            return
        record(self._objects, self.pod, type_, reason, message, COMPONENT, field_path=field_path)

    def check_pull_secrets(self) -> None:
        """A missing one is told of, and not fatal."""
        names = [each.get("name", "") for each in self.pod["spec"].get("imagePullSecrets") or []]
        absent = [each for each in names if self._objects.find(SECRETS, self.namespace, each) is None]
        if absent:
            self.event(
                "Warning",
                "FailedToRetrieveImagePullSecret",
                f"Unable to retrieve some image pull secrets ({', '.join(absent)}); attempting to pull the image may "
                "not succeed.",
            )

    def log_path(self, container: str, run: int) -> Path:
        """The log of a container's run."""
        return self._places.logs(self.pod, container) / f"{run}.log"

    def message_path(self, container: ContainerLife) -> Path:
        """Where it may write why it ends."""
        return self.place.message(container.name)

    async def prepare(self, container: ContainerLife) -> None:
        """What a new run of a container begins with: no old words, no old Ray, ports that are free."""
        with contextlib.suppress(OSError):
            self.message_path(container).write_bytes(b"")
        if not container.init and container.spec is self.pod["spec"]["containers"][0]:
            mounts = container.spec.get("volumeMounts") or []
            mounted = next((each["name"] for each in mounts if each["mountPath"] == surroundings.RAY_FOLDER), None)
            await self.place.new_ray(self._volumes.get(mounted) if mounted else None)
            self._given.renew(ports.key(self.pod))
            self._meanings.clear()

    def meaning(self, container: Object) -> Translation:
        """What paths and addresses in a container mean."""
        if container["name"] not in self._meanings:
            self._meanings[container["name"]] = surroundings.translation(
                self._objects, self._given, self.pod, container, self.place, self._volumes, self.settings.ray_bin
            )
        return self._meanings[container["name"]]

    def environment(self, container: Object, identity: str) -> dict[str, str]:
        """All variables of a container.

        Raises:
            Missing: something that they refer to.
        """
        self._meanings.pop(container["name"], None)
        marks = {processes.SANDBOX: self._places.home, processes.POD: self.uid, processes.CONTAINER: identity}
        return surroundings.variables(
            self._objects,
            self.settings,
            self.pod,
            container,
            self.place,
            self.meaning(container),
            marks,
            self.offered,
        )

    def command(self, container: ContainerLife, argv: Sequence[str]) -> processes.Command:
        """A command as it is run in a container that has its environment."""
        return surroundings.command(
            container.spec, container.environment, self.meaning(container.spec), argv, self.place
        )

    def target(self, container: ContainerLife) -> Target:
        """What probes need."""
        return Target(self, container)

    async def hook(self, container: ContainerLife, hook: Object) -> bool:
        """Run a lifecycle hook; whether it was fine."""
        return await run_hook(Target(self, container), hook)

    def changed(self) -> None:
        """Write the status, as it is now."""
        if self._silent:
            return
        inits = [each.status for each in self.inits]
        containers = [each.status for each in self.containers]
        if self._seen.ending:
            inits = [_located(each) for each in inits]
            containers = [_located(each) for each in containers]

        def write(seen: Object) -> None:
            if seen["metadata"]["uid"] == self.uid:
                seen["status"] = status.pod_status(seen, self._seen, inits, containers, self.now())

        try:
            self.pod = self._objects.edit(PODS, self.namespace, self.name, write, status=True)
        except Refused as refused:
            log.info("status of pod %s/%s: %s", self.namespace, self.name, refused.message)

    # Its life --------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin."""
        self._life = asyncio.get_running_loop().create_task(self._live())

    @property
    def terminal(self) -> bool:
        """It has succeeded or failed."""
        return self.pod.get("status", {}).get("phase") in {status.SUCCEEDED, status.FAILED}

    async def _live(self) -> None:
        try:
            if self.terminal:
                return
            if any("running" in (each.get("state") or {}) for each in self._known()):
                self.event("Normal", "SandboxChanged", "Pod sandbox changed, it will be killed and re-created.")
            self.changed()
            await self._mounted()
            self._seen = self._seen._replace(sandboxed=True)
            self.changed()
            self._limit = asyncio.create_task(self._deadline())
            await self._containers()
            if not self.stopping:
                self._limit.cancel()
                self._finished()
        except asyncio.CancelledError:
            raise
        except Exception as defect:
            log.exception("pod %s/%s", self.namespace, self.name)
            await self._failed(f"{type(defect).__name__}: {defect}")
        finally:
            self._account.end()

    def _known(self) -> list[Object]:
        known: Object = self.pod.get("status", {})
        return [*(known.get("initContainerStatuses") or []), *(known.get("containerStatuses") or [])]

    async def _mounted(self) -> None:
        delay = self.settings.pace.first_mount
        while True:
            try:
                self.place.make(self.settings.ray_bin)
                self._volumes = mount(self._objects, self.pod, self.place.path, self.offered, self.settings.token)
                await self.place.new_ray(None)
                self._account.begin()
            except (Unmountable, OSError) as problem:
                self.event("Warning", "FailedMount", str(problem))
            except Exception as defect:
                log.exception("volumes of pod %s/%s", self.namespace, self.name)
                self.event("Warning", "FailedMount", f"{type(defect).__name__}: {defect}")
            else:
                return
            await asyncio.sleep(delay)
            delay = min(delay * 2, self.settings.pace.longest_mount)

    async def _containers(self) -> None:
        """Init containers one after the other, then all others at once; returns when none runs any more."""
        for each in self.inits:
            if await self._initialized(each):
                return
        mains = [self._begin(each) for each in self.containers if not each.over]
        if mains:
            await asyncio.wait(mains)
        if not self.stopping:
            self.stopping = True
            sidecars = [each for each in reversed(self.inits) if each.sidecar]
            for each in sidecars:
                await each.stop(self._tasks[each], self.grace)
            self.stopping = False

    async def _initialized(self, container: ContainerLife) -> bool:
        """Run an init container, start a sidecar; True when the pod has failed by that."""
        task = self._begin(container)
        if container.sidecar:
            settled = asyncio.create_task(container.settled.wait())
            await asyncio.wait([settled, task], return_when=asyncio.FIRST_COMPLETED)
            settled.cancel()
            return False
        await asyncio.wait([task])
        return self.stopping or task.cancelled() or task.result() != 0

    def _begin(self, container: ContainerLife) -> asyncio.Task[int]:
        task = asyncio.create_task(container.run())
        self._tasks[container] = task
        task.add_done_callback(_tell)
        return task

    def _finished(self) -> None:
        """All of it ended by itself."""
        self._seen = self._seen._replace(sandboxed=False)
        self.changed()

    async def _failed(self, why: str) -> None:
        """Nothing goes on by itself: whoever looks at the pod is told, and none of it runs on unseen."""
        if self._limit is not None:
            self._limit.cancel()
        self.event("Warning", "FailedSync", f"Error syncing pod: {why}")
        self.stopping = True
        await self._stop_all(self.grace)
        self._seen = self._seen._replace(
            ending=True, sandboxed=False, phase=status.FAILED, reason="FailedSync", message=why
        )
        self.changed()

    async def _deadline(self) -> None:
        seconds = self.pod["spec"].get("activeDeadlineSeconds")
        if seconds is None:
            return
        await asyncio.sleep(max(0.0, seconds_of(self._seen.started) + seconds - self._objects.clock()))
        self.event("Normal", "DeadlineExceeded", TOO_LONG)
        self.stopping = True
        await self._stop_all(self.grace)
        self._seen = self._seen._replace(
            ending=True, sandboxed=False, phase=status.FAILED, reason="DeadlineExceeded", message=TOO_LONG
        )
        self.changed()

    # Its end ---------------------------------------------------------------------------------------------------

    def stop(self, grace: float) -> None:
        """Its object is being deleted: take it down, then let the object go. May be called again."""
        if self._end is None:
            self._end = asyncio.get_running_loop().create_task(self._stop(grace))

    async def _stop(self, grace: float) -> None:
        if not self.terminal:
            self.stopping = True
            await self._stop_all(grace)
            tasks = [each for each in (self._life, self._limit) if each]
            for task in tasks:
                task.cancel()
            if tasks:
                await asyncio.wait(tasks)
            if not self.terminal:
                self._seen = self._seen._replace(ending=True, sandboxed=False)
                self.changed()
                await asyncio.sleep(_LAST_WORDS)
        with contextlib.suppress(Refused):
            self._objects.delete(PODS, self.namespace, self.name, grace=0, uid=self.uid)

    async def _stop_all(self, grace: float) -> None:
        """All containers at once; sidecars after the others."""
        for sidecars in (False, True):
            stops = [each.stop(task, grace) for each, task in self._tasks.items() if each.sidecar is sidecars]
            await asyncio.gather(*stops)

    def let_go(self) -> None:
        """Write nothing any more, whatever happens now."""
        self.stopping = self._silent = True

    async def abandon(self) -> None:
        """The object is gone, or the sandbox stops: kill what runs."""
        self.let_go()
        tasks: list[asyncio.Task[object]] = [
            each for each in (self._life, self._limit, self._end, *self._tasks.values()) if each
        ]
        for task in tasks:
            task.cancel()
        await processes.end_all(processes.Belonging(processes.POD, self.uid, self.sessions))
        if tasks:
            await asyncio.wait(tasks)

    @property
    def sessions(self) -> list[int]:
        """The sessions of its processes."""
        return [each.process.pid for each in (*self.inits, *self.containers) if each.process is not None]

    def find(self, name: str) -> ContainerLife | None:
        """A container by its name."""
        return next((each for each in (*self.containers, *self.inits) if each.name == name), None)


def _located(known: Object) -> Object:
    """A container that waited and never ran: nobody knows how it ended."""
    return status.unlocated(known) if "waiting" in known["state"] else known


def _tell(task: asyncio.Task[int]) -> None:
    if not task.cancelled() and task.exception() is not None:
        log.error("a container's life", exc_info=task.exception())
