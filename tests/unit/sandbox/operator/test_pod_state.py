"""What the operator reads out of a pod's status."""

from __future__ import annotations

from typing import Any

import pytest

from kubectl_ray.sandbox.operator import pod_state

Object = dict[str, Any]

ENDED = {"exitCode": 137, "reason": "OOMKilled", "startedAt": "2026-11-23T11:52:29Z"}


def pod(phase: str = "Running", *, ready: str | None = None, policy: str = "Always", **ray: object) -> Object:
    """A head; `ray` is the state of its container."""
    condition = [{"type": "Ready", "status": ready}] if ready else []
    containers = [{"name": "ray-head", "state": dict(ray)}] if ray else []
    return {
        "metadata": {"name": "c-head-1", "labels": {}},
        "spec": {"containers": [{"name": "ray-head"}], "restartPolicy": policy},
        "status": {"phase": phase, "conditions": condition, "containerStatuses": containers},
    }


def test_all_pods_run() -> None:
    """A pod without the condition counts as ready; no pods at all do not."""
    assert pod_state.all_running([pod(ready="True"), pod()])
    assert not pod_state.all_running([pod(ready="True"), pod(ready="False")])
    assert not pod_state.all_running([pod("Pending")])
    assert not pod_state.all_running([])


def test_a_ready_worker_says_so() -> None:
    """Without the condition it is not ready."""
    assert pod_state.running_and_ready(pod(ready="True"))
    assert not pod_state.running_and_ready(pod())


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (pod("Pending"), ("False", "Unknown", "")),
        (pod(ready="True"), ("True", "HeadPodRunningAndReady", "")),
        (pod(ready="False"), ("False", "Unknown", "")),
    ],
)
def test_how_ready_the_head_is(seen: Object, expected: tuple[str, str, str]) -> None:
    """The condition Ready, or nothing known."""
    assert pod_state.head_readiness(seen) == expected


def test_the_first_container_that_is_not_ready_is_quoted() -> None:
    """Those that run are passed over."""
    seen = pod(ready="False", waiting={"reason": "ErrImagePull", "message": "no such image"})
    seen["status"]["conditions"][0] |= {
        "reason": "ContainersNotReady",
        "message": "containers with unready status: [x]",
    }
    seen["status"]["containerStatuses"].insert(0, {"name": "a", "state": {"running": {}}})
    told = "containers with unready status: [x]; ray-head: no such image"
    assert pod_state.head_readiness(seen) == ("False", "ErrImagePull", told)


def test_how_a_container_ended_in_gos_words() -> None:
    """Times as Go prints them; the zero time where one is missing."""
    assert pod_state.terminated_text(pod(terminated=ENDED)) == (
        "&ContainerStateTerminated{ExitCode:137,Signal:0,Reason:OOMKilled,Message:,StartedAt:2026-11-23 11:52:29 +0000 "
        "UTC,FinishedAt:0001-01-01 00:00:00 +0000 UTC,ContainerID:,}"
    )
    assert pod_state.terminated_text(pod(running={})) == "nil"


@pytest.mark.parametrize(
    ("seen", "hopeless"),
    [
        (pod("Failed"), True),
        (pod("Succeeded"), True),
        (pod("Pending"), False),
        (pod(terminated=ENDED), False),
        (pod(policy="Never", terminated=ENDED), True),
        (pod(policy="OnFailure", terminated=ENDED), False),
        (pod(policy="Never", running={}), False),
    ],
)
def test_which_pods_are_deleted(seen: Object, *, hopeless: bool) -> None:
    """What ended for good, and what may not be restarted."""
    assert bool(pod_state.hopeless(seen, "head")) is hopeless
