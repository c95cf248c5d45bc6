"""A pod of a Ray cluster."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings

from kubectl_ray.models.pod import Pod
from tests.unit.models.mangled import JUNK, mangled

if TYPE_CHECKING:
    from collections.abc import Callable

    Recording = Callable[[str], dict[str, Any]]

FOLDER = Path(__file__).parents[2] / "recordings/clusters"
CRASHING = json.loads((FOLDER / "workers-crash.json").read_text(encoding="utf-8"))["pods"]


def pod(status: dict[str, Any], spec: dict[str, Any] | None = None, **metadata: Any) -> Pod:
    """A pod with this status."""
    return Pod({"metadata": metadata, "spec": spec or {"containers": [{"name": "ray"}]}, "status": status})


def container(name: str = "ray", *, ready: bool = False, restarts: int = 0, **state: Any) -> dict[str, Any]:
    """A container's status."""
    return {"name": name, "ready": ready, "restartCount": restarts, "state": state}


RUNNING = container(ready=True, running={"startedAt": "2026-11-23T11:52:03Z"})
INIT = {"containers": [{"name": "ray"}], "initContainers": [{"name": "wait-gcs-ready"}]}
SIDECAR = {"containers": [{"name": "ray"}], "initContainers": [{"name": "proxy", "restartPolicy": "Always"}]}


@pytest.mark.parametrize(
    ("status", "spec", "metadata", "shown"),
    [
        ({"phase": "Running", "containerStatuses": [RUNNING]}, None, {}, "Running"),
        ({"phase": "Pending"}, None, {}, "Pending"),
        ({"phase": "Failed", "reason": "Evicted"}, None, {}, "Evicted"),
        (
            {"phase": "Running", "containerStatuses": [container(waiting={"reason": "CrashLoopBackOff"})]},
            None,
            {},
            "CrashLoopBackOff",
        ),
        ({"phase": "Running", "containerStatuses": [container(terminated={"exitCode": 3})]}, None, {}, "ExitCode:3"),
        (
            {"phase": "Running", "containerStatuses": [container(terminated={"exitCode": 9, "signal": 9})]},
            None,
            {},
            "Signal:9",
        ),
        (
            {"phase": "Running", "containerStatuses": [container(terminated={"reason": "OOMKilled"})]},
            None,
            {},
            "OOMKilled",
        ),
        (
            {"phase": "Succeeded", "containerStatuses": [container(terminated={"reason": "Completed"})]},
            None,
            {},
            "Completed",
        ),
        (
            {"phase": "Pending", "initContainerStatuses": [container("wait-gcs-ready", running={})]},
            INIT,
            {},
            "Init:0/1",
        ),
        (
            {
                "phase": "Pending",
                "initContainerStatuses": [container("wait-gcs-ready", waiting={"reason": "ErrImagePull"})],
            },
            INIT,
            {},
            "Init:ErrImagePull",
        ),
        (
            {"phase": "Pending", "initContainerStatuses": [container("wait-gcs-ready", terminated={"exitCode": 1})]},
            INIT,
            {},
            "Init:ExitCode:1",
        ),
        (
            {
                "phase": "Pending",
                "initContainerStatuses": [container("wait-gcs-ready", terminated={"exitCode": 2, "reason": "Error"})],
            },
            INIT,
            {},
            "Init:Error",
        ),
        (
            {
                "phase": "Pending",
                "initContainerStatuses": [
                    container("wait-gcs-ready", terminated={"exitCode": 0, "reason": "Completed"})
                ],
                "containerStatuses": [container(waiting={"reason": "PodInitializing"})],
            },
            INIT,
            {},
            "PodInitializing",
        ),
        (
            {
                "phase": "Running",
                "initContainerStatuses": [{**container("proxy", ready=True, running={}), "started": True}],
                "containerStatuses": [RUNNING],
            },
            SIDECAR,
            {},
            "Running",
        ),
        ({"phase": "Running", "containerStatuses": [RUNNING]}, None, {"deletionTimestamp": "x"}, "Terminating"),
        ({"phase": "Failed"}, None, {"deletionTimestamp": "x"}, "Failed"),
        ({"phase": "Running", "reason": "NodeLost"}, None, {"deletionTimestamp": "x"}, "Unknown"),
        (
            {
                "phase": "Pending",
                "conditions": [{"type": "PodScheduled", "status": "False", "reason": "SchedulingGated"}],
            },
            None,
            {},
            "SchedulingGated",
        ),
        (
            {
                "phase": "Running",
                "conditions": [{"type": "Ready", "status": "True"}],
                "containerStatuses": [container("done", terminated={"reason": "Completed"}), RUNNING],
            },
            None,
            {},
            "Running",
        ),
        (
            {"phase": "Running", "containerStatuses": [container("done", terminated={"reason": "Completed"}), RUNNING]},
            None,
            {},
            "NotReady",
        ),
        ({}, None, {}, "Unknown"),
    ],
)
def test_status_as_kubectl(
    status: dict[str, Any], spec: dict[str, Any] | None, metadata: dict[str, Any], shown: str
) -> None:
    """The STATUS that kubectl's table has."""
    assert pod(status, spec, **metadata).status_text == shown


def test_status_of_recordings(recording: Recording) -> None:
    """The same for pods as a real API server gives them."""
    said = {
        case: sorted({Pod(raw).status_text for raw in recording(case)["pods"]})
        for case in (
            "ready",
            "head-imagepull",
            "head-cpu",
            "head-oom",
            "head-readiness-fails",
            "autoscaler",
            "workers-crash",
        )
    }
    assert said == {
        "ready": ["Running"],
        "head-imagepull": ["ImagePullBackOff"],
        "head-cpu": ["Pending"],
        "head-oom": ["CrashLoopBackOff"],
        "head-readiness-fails": ["Running"],
        "autoscaler": ["PodInitializing", "Running"],
        "workers-crash": ["CreateContainerConfigError", "Error", "Pending", "Running"],
    }


def test_ready_is_container_0_of_the_spec() -> None:
    """Statuses are sorted by name: a finished helper before the Ray container does not make a live head unready."""
    spec = {"containers": [{"name": "ray-head"}, {"name": "autoscaler"}]}
    head = {**RUNNING, "name": "ray-head"}
    assert pod({"phase": "Running", "containerStatuses": [container("autoscaler"), head]}, spec).ready
    assert not pod(
        {"phase": "Running", "containerStatuses": [{**head, "name": "autoscaler"}, container("ray-head")]}, spec
    ).ready


@pytest.mark.parametrize(
    ("phase", "metadata"), [("Pending", {}), ("Failed", {}), ("Running", {"deletionTimestamp": "2026-11-23T11:52:02Z"})]
)
def test_not_ready(phase: str, metadata: dict[str, Any]) -> None:
    """A pod that is stopped or not running is never ready, whatever its container says."""
    assert not pod({"phase": phase, "containerStatuses": [RUNNING]}, **metadata).ready


def test_ready_text() -> None:
    """Ready containers of all, restartable init containers among them."""
    assert pod({"phase": "Running", "containerStatuses": [RUNNING]}).ready_text == "1/1"
    proxy = {**container("proxy", ready=True, running={}), "started": True}
    assert pod({"containerStatuses": [RUNNING], "initContainerStatuses": [proxy]}, SIDECAR).ready_text == "2/2"
    assert Pod({}).ready_text == "0/0"


def test_restarts_text() -> None:
    """How often, and how long ago the last one was."""
    assert pod({"containerStatuses": [RUNNING]}).restarts_text(0.0) == "0"
    ended = {"terminated": {"finishedAt": "1970-01-01T00:01:40Z"}}
    crashed = {**container(restarts=3, waiting={"reason": "CrashLoopBackOff"}), "lastState": ended}
    assert pod({"containerStatuses": [crashed]}).restarts_text(400.0) == "3 (5m ago)"
    assert pod({"containerStatuses": [crashed]}).restarts == 3


def test_waiting_reason() -> None:
    """The reason that is trouble; being made is none. An init container's counts too."""
    making = container(waiting={"reason": "ContainerCreating"})
    assert not pod({"containerStatuses": [making]}).waiting_reason
    pulling = container("wait-gcs-ready", waiting={"reason": "ErrImagePull", "message": "no such host"})
    waiting = container(waiting={"reason": "PodInitializing"})
    worker = pod({"containerStatuses": [waiting], "initContainerStatuses": [pulling]}, INIT)
    assert (worker.waiting_reason, worker.waiting_message) == ("ErrImagePull", "no such host")


def test_how_it_ended(recording: Recording) -> None:
    """Out of memory is told by the last ending only, while the container waits to be started again."""
    (head,) = map(Pod, recording("head-oom")["pods"])
    assert head.terminated["reason"] == "OOMKilled"
    assert head.waiting_reason == "CrashLoopBackOff"
    assert pod({"containerStatuses": [RUNNING]}).terminated == {}


def test_unschedulable(recording: Recording) -> None:
    """The scheduler's words."""
    (head,) = map(Pod, recording("head-cpu")["pods"])
    assert "Insufficient cpu" in head.unschedulable
    assert not pod({"phase": "Running"}).unschedulable


def test_labels_say_what_it_is(recording: Recording) -> None:
    """Cluster, group and type come from labels, never from the name."""
    head, worker = sorted(map(Pod, recording("ready")["pods"]), key=lambda each: each.node_type)
    assert (head.cluster, head.node_type, head.group) == ("lc", "head", "headgroup")
    assert (worker.cluster, worker.node_type, worker.group) == ("lc", "worker", "wg")
    assert worker.sizes.cpus == "100m"
    assert worker.image == "rayproject/ray:2.52.0"


def test_ports() -> None:
    """The named ports of the Ray container; what is no port is left out."""
    ports = [
        {"name": "dashboard", "containerPort": 8265},
        {"containerPort": 6379},
        {"name": "client", "containerPort": 0},
    ]
    found = Pod({"spec": {"containers": [{"name": "ray-head", "ports": ports}, {"ports": [{"name": "x"}]}]}})

    assert found.ports == {"dashboard": 8265}


def test_owner(recording: Recording) -> None:
    """What made it is its cluster."""
    recorded = recording("ready")
    uid = recorded["cluster"]["metadata"]["uid"]

    assert [Pod(raw).owner_uid for raw in recorded["pods"]] == [uid, uid]
    assert Pod({}).owner_uid == ""


def test_ray_runs() -> None:
    """While its container is not there between two runs, Ray does not run, though the pod does."""
    runs = {"containerStatuses": [{"name": "ray-head", "state": {"running": {}}}]}
    waits = {"containerStatuses": [{"name": "ray-head", "state": {"waiting": {"reason": "CrashLoopBackOff"}}}]}

    assert pod(runs).ray_runs
    assert not pod(waits).ray_runs


def everything(raw: object) -> None:
    """Ask a pod for everything."""
    seen = Pod(raw)
    for name, value in vars(Pod).items():
        if isinstance(value, property):
            getattr(seen, name)
    assert isinstance(seen.status_text, str)
    assert isinstance(seen.restarts_text(1e9), str)
    assert isinstance(seen.ready, bool)


@settings(max_examples=300)
@given(mangled(CRASHING[0]))
def test_never_raises(raw: object) -> None:
    """Whatever is missing or of another type, every property gives an answer."""
    everything(raw)


@given(JUNK)
def test_never_raises_on_junk(raw: object) -> None:
    """Not even an object."""
    everything(raw)
