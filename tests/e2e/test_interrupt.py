"""Ctrl-C at several moments: it ends by SIGINT within a second, says what goes on, and nothing is undone."""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING

import pytest

from tests.e2e.harness.objects import container, raycluster, suspended

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.harness.front import Front
    from tests.e2e.harness.live import Live, Outcome
    from tests.e2e.harness.oracle import Kubectl
    from tests.e2e.harness.running import Ray

NOWHERE = "--head-node-selectors=nowhere=here --worker-node-selectors=nowhere=here"


def interrupted(running: Live) -> Outcome:
    """Its end after a Ctrl-C: by SIGINT, within a second, without a traceback."""
    began = time.monotonic()
    running.interrupt()
    ended = running.ended(within=10)
    took = time.monotonic() - began
    assert ended.code == -signal.SIGINT, ended
    assert took < 1.5, f"{took:.1f} s\n{ended}"
    assert "Traceback" not in ended.out + ended.err
    return ended


@pytest.mark.parametrize("terminal", [True, False])
def test_while_a_created_cluster_starts(
    ray: Ray, kubectl: Kubectl, fresh: Callable[[str], str], *, terminal: bool
) -> None:
    """The cluster stays and is made on; the command that looks at it is named."""
    name = fresh("stop")
    start = ray.on_terminal if terminal else ray.live
    with start(f"cluster create {name} {NOWHERE}") as running:
        running.see("Waiting for", within=30)
        ended = interrupted(running)
    said = ended.out + ended.err
    assert f"kubectl ray cluster get {name}" in said
    assert "still being made" in said
    assert "deletionTimestamp" not in kubectl.get("raycluster", name)["metadata"]


def test_before_the_cluster_is_created(
    kubectl: Kubectl, fresh: Callable[[str], str], front: Front, ray_by_front: Ray
) -> None:
    """While the API server has not answered yet: nothing is promised."""
    name = fresh("stop")
    held = front.hold(r"POST .*rayclusters")
    with ray_by_front.live(f"cluster create {name} {NOWHERE}") as running:
        assert held.reached.wait(30)
        ended = interrupted(running)
    assert "still being made" not in ended.err
    assert kubectl.find("raycluster", name) is None


def test_while_the_server_is_first_asked(front: Front, ray_by_front: Ray) -> None:
    """A list that hangs can be left."""
    held = front.hold(r"GET .*rayclusters")
    with ray_by_front.live("cluster list") as running:
        assert held.reached.wait(30)
        interrupted(running)


def test_while_a_group_is_scaled(ray: Ray, kubectl: Kubectl, fresh: Callable[[str], str]) -> None:
    """The number stays asked for."""
    name = fresh("stop")
    ray(f"cluster create {name} --no-wait {NOWHERE}")
    with ray.live(f"cluster scale --cluster {name} --replicas=2") as running:
        running.see("Waiting for", within=30)
        ended = interrupted(running)
    assert f"kubectl ray cluster get {name}" in ended.err
    assert kubectl.group(name, "default-worker-group")["replicas"] == 2


def test_while_a_deletion_is_waited_for(ray: Ray, kubectl: Kubectl, fresh: Callable[[str], str]) -> None:
    """The deletion goes on."""
    name = fresh("stop")
    kubectl.create(suspended(name, metadata={"finalizers": ["example.com/hold"]}))
    try:
        with ray.live(f"cluster delete {name} --yes") as running:
            running.see("Waiting for", within=30)
            ended = interrupted(running)
        assert "goes on" in ended.err
        assert "deletionTimestamp" in kubectl.get("raycluster", name)["metadata"]
    finally:
        kubectl("patch", "raycluster", name, "--type=merge", "-p", '{"metadata": {"finalizers": null}}')


def test_time_is_over_on_a_terminal(ray: Ray, kubectl: Kubectl, fresh: Callable[[str], str]) -> None:
    """A wait that gives up is exit code 3 on a terminal too, and its last line says what to do."""
    name = fresh("stop")
    nowhere = {"nodeSelector": {"nowhere": "here"}, "containers": [container("ray")]}
    kubectl.create(raycluster(name, headGroupSpec={"rayStartParams": {}, "template": {"spec": nowhere}}))
    with ray.on_terminal(
        f"cluster worker-group create g --cluster {name} --worker-node-selectors=nowhere=here --timeout=3s"
    ) as running:
        ended = running.ended(within=40)
    ended.expect(3)
    assert "kubectl ray cluster" in ended.out.strip().splitlines()[-1]
