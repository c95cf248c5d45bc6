"""One container of a pod: from its image to its end, again and again as its pod's restart policy says.

Source: Kubernetes v1.36, `pkg/kubelet/kuberuntime` (kuberuntime_container.go, doBackOff); states, texts and events
are recorded.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import signal
import time
from typing import TYPE_CHECKING

from kubectl_ray.sandbox.api.resources import asked, written
from kubectl_ray.sandbox.node.environment import Missing, expand
from kubectl_ray.sandbox.node.images import failure, full_name, identity
from kubectl_ray.sandbox.node.logs import LogFile
from kubectl_ray.sandbox.node.probes import start_problem
from kubectl_ray.sandbox.node.processes import CONTAINER, Belonging, Running, end_all, launch
from kubectl_ray.sandbox.node.status import go_duration
from kubectl_ray.sandbox.node.supervision import end, probed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kubectl_ray.sandbox.api.store import Object
    from kubectl_ray.sandbox.node.pods import PodLife

log = logging.getLogger(__name__)

STARTED, CREATED = "Container started", "Container created"
LONGEST_MESSAGE = 4096
_FALLBACK_LINES, _FALLBACK_BYTES = 80, 2048
_LAST_OUTPUT = 1.0
"""Seconds that its last output may take after a container has ended."""
_NEVER = "1970-01-01T00:00:00Z"


class ContainerLife:
    """What happens to one container; its `status` is what the API shows."""

    def __init__(self, pod: PodLife, spec: Object, *, init: bool, known: Object | None = None) -> None:
        self.pod = pod
        self.spec = spec
        self.name: str = spec["name"]
        self.init = init
        self.sidecar = init and spec.get("restartPolicy") == "Always"
        self.state: Object = {"waiting": {"reason": pod.first_reason}}
        self.last: Object = {}
        self.restarts = 0
        self.ready = self.started = False
        self.id = ""
        self.oom = False
        self.process: Running | None = None
        self.environment: Mapping[str, str] = {}
        self.log = LogFile(pod.log_path(self.name, 0))
        self.previous: LogFile | None = None
        self.settled = asyncio.Event()
        """It ran for the first time, or a sidecar passed its startup probe: the next one may start."""
        self._busy = False
        self._delay, self._delayed_at = 0.0, 0.0
        if known:
            self._resume(known)

    # What the API shows ----------------------------------------------------------------------------------------

    @property
    def status(self) -> Object:
        """The container's status."""
        ran = bool(self.id)
        resources = self.spec.get("resources") or {}
        requests = written(asked({"spec": {"containers": [self.spec]}}, "requests"))
        return {
            "name": self.name,
            "state": self.state,
            "lastState": self.last,
            "ready": self.ready,
            "restartCount": self.restarts,
            "image": full_name(self.spec["image"]) if ran else self.spec["image"],
            "imageID": identity(self.spec["image"]) if ran else "",
            **({"containerID": self.id} if ran else {}),
            "started": self.started,
            **({"allocatedResources": requests} if requests else {}),
            **({"resources": resources} if resources else {}),
            **self._mounts(),
        }

    def _mounts(self) -> Object:
        mounts = [
            {
                "mountPath": each["mountPath"],
                "name": each["name"],
                **({"readOnly": True, "recursiveReadOnly": "Disabled"} if each.get("readOnly") else {}),
            }
            for each in self.spec.get("volumeMounts") or []
        ]
        return {"volumeMounts": mounts} if mounts else {}

    @property
    def running(self) -> bool:
        """Its process lives."""
        return self.process is not None and not self.process.ended

    def event(self, type_: str, reason: str, message: str) -> None:
        """Say something about the container."""
        part = "initContainers" if self.init else "containers"
        self.pod.event(type_, reason, message, f"spec.{part}{{{self.name}}}")

    def _wait_for(self, reason: str, message: str = "") -> None:
        """Show that it waits; what it was before is its last state."""
        if "terminated" in self.state:
            self.last = self.state
        self.state = {"waiting": {"reason": reason, **({"message": message} if message else {})}}
        self.ready = self.started = False
        self.pod.changed()

    # Its life --------------------------------------------------------------------------------------------------

    async def run(self) -> int:
        """Run it, until it need not run any more; its last exit code. A defect of ours is told of, and tried again."""
        delay = self.pod.settings.pace.again
        while True:
            try:
                return await self._run()
            except Exception as defect:
                log.exception("container %s of pod %s/%s", self.name, self.pod.namespace, self.pod.name)
                self._busy = False
                self.log.close()
                why = f"{type(defect).__name__}: {defect}"
                self.event("Warning", "Failed", f"Error: {why}")
                self._wait_for("CreateContainerError", why)
            await asyncio.sleep(delay)
            delay = min(delay * 2, self.pod.settings.pace.longest)

    async def _run(self) -> int:
        if self.id:
            self.restarts += 1
        while True:
            await self._image()
            code = await self._once()
            if not self._again(code):
                return code
            await self._back_off()
            self.restarts += 1

    def _again(self, code: int) -> bool:
        policy = self.pod.policy
        if self.pod.stopping:
            return False
        if self.sidecar:
            return True
        if self.init:
            return code != 0 and policy != "Never"
        return policy == "Always" or (policy == "OnFailure" and code != 0)

    async def _image(self) -> None:
        image, pace = self.spec["image"], self.pod.settings.pace
        policy = self.spec.get("imagePullPolicy", "IfNotPresent")
        self.pod.check_pull_secrets()
        delay = pace.first_pull
        while (problem := failure(image, policy, self.pod.settings.missing_images)) is not None:
            reason, message = problem
            if reason == "ErrImagePull":
                self.event("Normal", "Pulling", f'Pulling image "{image}"')
                self.event("Warning", "Failed", f'Failed to pull image "{image}": {message}')
            else:
                self.event("Warning", "InspectFailed" if reason == "InvalidImageName" else reason, message)
            self.event("Warning", "Failed", f"Error: {reason}")
            self._wait_for(reason, message)
            if reason != "ErrImagePull":
                await asyncio.sleep(pace.again)
                continue
            await asyncio.sleep(pace.settle * 2)
            self.event("Normal", "BackOff", f'Back-off pulling image "{image}"')
            self.event("Warning", "Failed", "Error: ImagePullBackOff")
            self._wait_for("ImagePullBackOff", f'Back-off pulling image "{image}": {reason}: {message}')
            await asyncio.sleep(delay)
            delay = min(delay * 2, pace.longest)
            self.pod.check_pull_secrets()
        text = f'Container image "{image}" already present on machine and can be accessed by the pod'
        if policy == "Always":
            self.event("Normal", "Pulling", f'Pulling image "{image}"')
            text = f'Successfully pulled image "{image}" in 1ms (1ms including waiting). Image size: 0 bytes.'
        self.event("Normal", "Pulled", text)

    async def _once(self) -> int:
        """One run, from its environment to its exit code."""
        identity_ = secrets.token_hex(32)
        while True:
            try:
                self.environment = self.pod.environment(self.spec, identity_)
                break
            except Missing as missing:
                self.event("Warning", "Failed", f"Error: {missing}")
                self._wait_for("CreateContainerConfigError", str(missing))
                await asyncio.sleep(self.pod.settings.pace.again)
        await self.pod.prepare(self)
        self._turn_log()
        self.event("Normal", "Created", CREATED)
        began = self.pod.now()
        command = self.pod.command(self, self._argv())
        self._busy = True
        try:
            running = await launch(command, self.log.write, stdin=bool(self.spec.get("stdin")))
        except OSError as error:
            self._busy = False
            return self._not_started(command.argv, error, identity_)
        if "terminated" in self.state:
            self.last = self.state
        self.process, self.id, self.oom = running, f"processes://{identity_}", False
        self.event("Normal", "Started", STARTED)
        try:
            if await self._hooked():
                self._show_running(began)
                code = await probed(self, running)
            else:
                code = await running.wait()
        finally:
            await end_all(Belonging(CONTAINER, identity_, [running.pid]))
            await running.quiet(_LAST_OUTPUT)
            self.log.close()
            self._busy = False
        self._ended(code, began)
        return code

    def _argv(self) -> list[str]:
        """The command; without one an image's own would run, and there is none: a shell that has nothing to do.

        `$(NAME)` stands for a variable here and only here: what is exec'd is taken as it is written.
        """
        command, args = self.spec.get("command") or [], self.spec.get("args") or []
        return [expand(each, self.environment) for each in (*(command or ([] if args else ["/bin/sh"])), *args)]

    def _turn_log(self) -> None:
        if self.restarts and self.log.path.exists() and self.log.path != self.pod.log_path(self.name, self.restarts):
            if self.previous is not None:
                self.previous.remove()
            self.previous = self.log
        self.log = LogFile(self.pod.log_path(self.name, self.restarts))
        with contextlib.suppress(OSError):
            self.log.open()

    def _not_started(self, argv: object, error: OSError, identity_: str) -> int:
        program = list(argv) if isinstance(argv, list | tuple) else []
        message = (
            "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create "
            f"failed: unable to start container process: {start_problem(program, error)}: unknown"
        )
        self.log.close()
        self.event("Warning", "Failed", f"Error: {message}")
        self.id = f"processes://{identity_}"
        ended = {
            "exitCode": 128,
            "reason": "StartError",
            "message": message,
            "startedAt": _NEVER,
            "finishedAt": self.pod.now(),
            "containerID": self.id,
        }
        self.state = {"terminated": ended}
        if self.pod.policy == "Never":
            self.pod.changed()
        else:
            self._wait_for("RunContainerError", message)
        return 128

    async def _hooked(self) -> bool:
        """Run its postStart hook; False when that failed, and the container is being ended for it."""
        hook = (self.spec.get("lifecycle") or {}).get("postStart")
        if not hook or await self.pod.hook(self, hook):
            return True
        self.event("Warning", "FailedPostStartHook", "PostStartHook failed")
        self.event("Normal", "Killing", "FailedPostStartHook")
        self._wait_for("PostStartHookError", "PostStartHook failed")
        await end(self, self.pod.grace)
        return False

    def _show_running(self, began: str) -> None:
        self.state = {"running": {"startedAt": began}}
        self.started = not self.spec.get("startupProbe")
        self.ready = self.started and not self.spec.get("readinessProbe") and (not self.init or self.sidecar)
        if self.init and not self.sidecar:
            self.started = True
        if self.started:
            self.settled.set()
        self.pod.changed()

    def _ended(self, code: int, began: str) -> None:
        self.process = None
        self.ready = self.init and not self.sidecar and code == 0
        self.started = False
        reason = "Completed" if code == 0 else "OOMKilled" if self.oom else "Error"
        message = self._message(code)
        ended = {
            "exitCode": code,
            "reason": reason,
            **({"message": message} if message else {}),
            "startedAt": began,
            "finishedAt": self.pod.now(),
            "containerID": self.id,
        }
        if self.state.get("waiting", {}).get("reason") == "PostStartHookError":
            self.last = {"terminated": ended}
        else:
            self.state = {"terminated": ended}
        if not self.pod.stopping:
            self.pod.changed()

    def _message(self, code: int) -> str:
        path = self.pod.message_path(self)
        try:
            text = path.read_bytes()[:LONGEST_MESSAGE].decode(errors="replace")
        except OSError:
            text = ""
        if not text and code and self.spec.get("terminationMessagePolicy") == "FallbackToLogsOnError":
            text = self.log.last(_FALLBACK_LINES, _FALLBACK_BYTES)
        return text

    async def _back_off(self) -> None:
        """The kubelet's: at once the first time, then 10 s, twice as long each time, anew after ten calm minutes."""
        pace = self.pod.settings.pace
        finished = time.monotonic()
        await asyncio.sleep(pace.settle)
        if self._delay and finished - self._delayed_at > pace.calm:
            self._delay = 0.0
        if self._delay:
            where = f"{self.pod.name}_{self.pod.namespace}({self.pod.uid})"
            text = f"Back-off restarting failed container {self.name} in pod {where}"
            self.event("Warning", "BackOff", text)
            message = f"back-off {go_duration(self._delay)} restarting failed container={self.name} pod={where}"
            self._wait_for("CrashLoopBackOff", message)
            await asyncio.sleep(max(0.0, finished + self._delay - time.monotonic()))
        self._delay = min(self._delay * 2, pace.longest) if self._delay else pace.first_restart
        self._delayed_at = time.monotonic()

    # Its end ---------------------------------------------------------------------------------------------------

    async def stop(self, task: asyncio.Task[int], grace: float) -> None:
        """Take it down with its pod: its process gets `grace` seconds; what only waits is not started any more."""
        if task.done():
            return
        while not task.done():
            if self.running:
                self.event("Normal", "Killing", f"Stopping container {self.name}")
                await end(self, grace, hook=True)
                await asyncio.wait([task])
            elif self._busy:
                await asyncio.wait([task], timeout=0.01)
            else:
                task.cancel()
                await asyncio.wait([task])
        if "waiting" in self.state and "terminated" in self.last:
            self.state = self.last
        self.ready = self.started = False

    def kill_for_memory(self) -> None:
        """It used far more than its limit."""
        if self.process is not None:
            self.oom = True
            self.process.send(signal.SIGKILL)

    def _resume(self, known: Object) -> None:
        """Begin where a sandbox that went away left it: what ran then has ended, as after a reboot of the machine."""
        self.restarts = known.get("restartCount", 0)
        self.id = known.get("containerID", "")
        self.last = known.get("lastState") or {}
        self.log = LogFile(self.pod.log_path(self.name, self.restarts))
        if self.restarts:
            self.previous = LogFile(self.pod.log_path(self.name, self.restarts - 1))
        state = known.get("state") or {}
        if "running" in state:
            ended = {
                "exitCode": 255,
                "reason": "Unknown",
                "startedAt": state["running"].get("startedAt"),
                "finishedAt": self.pod.now(),
                "containerID": self.id,
            }
            self.state = {"terminated": ended}
        elif "terminated" in state:
            self.state = state

    @property
    def over(self) -> bool:
        """It has ended, and does not start again by its pod's policy."""
        ended: Object = self.state.get("terminated") or {}
        return bool(ended) and not self._again(ended["exitCode"])
