"""`cluster scale`: the smallest change, refused where it cannot last, tried again when somebody was faster."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
import yaml

from tests.e2e.harness.conditions import until
from tests.e2e.harness.objects import group, owner, raycluster, reference, suspended

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.harness.front import Front
    from tests.e2e.harness.oracle import Kubectl
    from tests.e2e.harness.running import Ray

GROUP = "default-worker-group"


def replicas(kubectl: Kubectl, cluster: str, name: str = GROUP) -> int:
    """What the spec asks for."""
    return int(kubectl.group(cluster, name)["replicas"])


def set_by_hand(kubectl: Kubectl, cluster: str, number: int) -> None:
    """Somebody else changes the first group."""
    operation = {"op": "replace", "path": "/spec/workerGroupSpecs/0/replicas", "value": number}
    kubectl("patch", "raycluster", cluster, "--type=json", "-p", json.dumps([operation]))


def test_up_and_down_with_pods(ray: Ray, kubectl: Kubectl, ready_cluster: str) -> None:
    """It returns when the workers are ready, or gone, as kubectl counts them."""
    ray(f"cluster scale {GROUP} --cluster {ready_cluster} --replicas=2")
    assert kubectl.ready(ready_cluster, GROUP) == 2
    ray(f"cluster scale {GROUP} --cluster {ready_cluster} --replicas=1")
    assert len(kubectl.pods(ready_cluster, GROUP)) == 1
    assert kubectl.ready(ready_cluster, GROUP) == 1


@pytest.mark.parametrize("flag", ["--cluster", "-c", "--ray-cluster"])
def test_the_flag_for_the_cluster(ray: Ray, kubectl: Kubectl, fresh: Callable[[str], str], flag: str) -> None:
    """Three spellings of one flag."""
    name = fresh("scale")
    kubectl.create(suspended(name))
    ray(f"cluster scale {GROUP} {flag} {name} --replicas=3")
    assert replicas(kubectl, name) == 3


def test_says_what_changed(ray: Ray, kubectl: Kubectl, fresh: Callable[[str], str]) -> None:
    """The group, the cluster, the old and the new number."""
    name = fresh("scale")
    kubectl.create(suspended(name, group(GROUP, 2)))
    said = ray(f"cluster scale --cluster {name} --replicas=5").out
    assert all(word in said for word in (GROUP, name, "2", "5"))


def test_only_the_number_is_written(ray: Ray, kubectl: Kubectl, fresh: Callable[[str], str]) -> None:
    """Nothing else of the spec changes, and the other group stays as it is."""
    name = fresh("scale")
    before = kubectl.create(suspended(name, group("a", 2), group("b", 3)))["spec"]
    ray(f"cluster scale b --cluster {name} --replicas=6")
    after = kubectl.get("raycluster", name)["spec"]
    before["workerGroupSpecs"][1]["replicas"] = 6
    assert after == before


def test_limits(ray: Ray, kubectl: Kubectl, fresh: Callable[[str], str]) -> None:
    """Both limits and the number in one change."""
    name = fresh("scale")
    kubectl.create(suspended(name, group(GROUP, 1, minimum=0, maximum=2)))
    ray(f"cluster scale {GROUP} --cluster {name} --min-replicas=4 --replicas=5 --max-replicas=8")
    changed = kubectl.group(name, GROUP)
    assert (changed["minReplicas"], changed["replicas"], changed["maxReplicas"]) == (4, 5, 8)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("--replicas=9", "--max-replicas"),
        ("--replicas=1", "--min-replicas"),
        ("--min-replicas=7", "--max-replicas"),
        ("--max-replicas=1", "--min-replicas"),
        ("--replicas=-1", "-1"),
        ("--replicas=two", "two"),
        ("", "--replicas"),
    ],
)
def test_refused(ray: Ray, kubectl: Kubectl, fresh: Callable[[str], str], words: str, told: str) -> None:
    """Outside the limits, or no number: exit code 2, the flag that would help, and nothing is written."""
    name = fresh("scale")
    before = kubectl.create(suspended(name, group(GROUP, 3, minimum=2, maximum=5)))["spec"]
    assert told in ray(f"cluster scale {GROUP} --cluster {name} {words}", code=2).err
    assert kubectl.get("raycluster", name)["spec"] == before


def test_unknown_group(ray: Ray, kubectl: Kubectl, fresh: Callable[[str], str]) -> None:
    """The near one is suggested."""
    name = fresh("scale")
    kubectl.create(suspended(name, group("gpu-pool"), group("cpu-pool")))
    assert "gpu-pool" in ray(f"cluster scale gpu-pol --cluster {name} --replicas=2", code=5).err


def test_group_must_be_named_when_there_are_two(ray: Ray, kubectl: Kubectl, fresh: Callable[[str], str]) -> None:
    """Without a name the groups there are get told."""
    name = fresh("scale")
    kubectl.create(suspended(name, group("gpu-pool"), group("cpu-pool")))
    said = ray.outcome(f"cluster scale --cluster {name} --replicas=2")
    assert said.code in {2, 5}
    assert "gpu-pool" in said.err
    assert "cpu-pool" in said.err


def test_unknown_cluster(ray: Ray, kubectl: Kubectl, fresh: Callable[[str], str]) -> None:
    """Exit code 5, and the near name."""
    name = fresh("scale-me")
    kubectl.create(suspended(name))
    said = ray(f"cluster scale {GROUP} --cluster {name}x --replicas=2", code=5).err
    assert "Did you mean" in said
    assert name in said.replace(f"{name}x", "")


def test_nothing_to_change(ray: Ray, kubectl: Kubectl, fresh: Callable[[str], str]) -> None:
    """A number that it has already is said, and nothing is written."""
    name = fresh("scale")
    before = kubectl.create(suspended(name, group(GROUP, 2)))["metadata"]["generation"]
    assert "already" in ray(f"cluster scale --cluster {name} --replicas=2").out
    assert kubectl.get("raycluster", name)["metadata"]["generation"] == before


@pytest.mark.parametrize("mode", ["client", "server"])
def test_dry_run(ray: Ray, kubectl: Kubectl, fresh: Callable[[str], str], mode: str) -> None:
    """The object that would be is shown, and the one that is stays."""
    name = fresh("scale")
    before = kubectl.create(suspended(name))["spec"]
    shown = yaml.safe_load(ray(f"cluster scale --cluster {name} --replicas=4 --dry-run={mode} -o yaml").out)
    assert shown["spec"]["workerGroupSpecs"][0]["replicas"] == 4
    assert kubectl.get("raycluster", name)["spec"] == before


def test_somebody_was_faster_once(
    kubectl: Kubectl, fresh: Callable[[str], str], front: Front, ray_by_front: Ray
) -> None:
    """A change between our reading and our writing is read again, and ours is made on top."""
    name = fresh("race")
    kubectl.create(suspended(name, group(GROUP, 1)))
    numbers = iter([7])

    def other() -> None:
        for number in numbers:
            set_by_hand(kubectl, name, number)

    front.before("PATCH ", other)
    ray_by_front(f"cluster scale {GROUP} --cluster {name} --replicas=3")
    assert replicas(kubectl, name) == 3
    assert sum(request.startswith("PATCH") for request in front.requests) == 2


def test_somebody_is_faster_each_time(
    kubectl: Kubectl, fresh: Callable[[str], str], front: Front, ray_by_front: Ray
) -> None:
    """After three tries it gives up with words, and the other's number stays."""
    name = fresh("race")
    kubectl.create(suspended(name, group(GROUP, 1)))
    numbers = iter(range(10, 100))
    front.before("PATCH ", lambda: set_by_hand(kubectl, name, next(numbers)))
    said = ray_by_front(f"cluster scale {GROUP} --cluster {name} --replicas=3", code=1)
    assert "three" in said.err or "3" in said.err
    assert sum(request.startswith("PATCH") for request in front.requests) == 3
    assert replicas(kubectl, name) == 12


def test_a_group_was_added_before_ours(
    kubectl: Kubectl, fresh: Callable[[str], str], front: Front, ray_by_front: Ray
) -> None:
    """When the groups move in the list meanwhile, it is still the named one that changes."""
    name = fresh("race")
    kubectl.create(suspended(name, group("mine", 1)))
    once = iter([group("other", 5)])

    def other() -> None:
        for added in once:
            operation = {"op": "add", "path": "/spec/workerGroupSpecs/0", "value": added}
            kubectl("patch", "raycluster", name, "--type=json", "-p", json.dumps([operation]))

    front.before("PATCH ", other)
    ray_by_front(f"cluster scale mine --cluster {name} --replicas=3")
    assert (replicas(kubectl, name, "mine"), replicas(kubectl, name, "other")) == (3, 5)


def test_autoscaler_is_told(ray: Ray, kubectl: Kubectl, fresh: Callable[[str], str]) -> None:
    """With an autoscaler it is said that the number will not last, and what would."""
    name = fresh("auto")
    kubectl.create(suspended(name, group(GROUP, 4, minimum=0, maximum=8), enableInTreeAutoscaling=True))
    assert "--min-replicas" in ray(f"cluster scale --cluster {name} --replicas=6").err
    assert "--max-replicas" in ray(f"cluster scale --cluster {name} --replicas=2").err


def test_lowering_under_an_autoscaler_waits_for_nothing(
    ray: Ray, kubectl: Kubectl, fresh: Callable[[str], str]
) -> None:
    """It returns at once: only the autoscaler takes workers away."""
    name = fresh("auto")
    nowhere = {"nodeSelector": {"nowhere": "here"}, "containers": [{"name": "ray", "image": "rayproject/ray:2.52.0"}]}
    made = raycluster(
        name,
        group(GROUP, 3, minimum=0, maximum=8, template={"spec": nowhere}),
        headGroupSpec={"rayStartParams": {}, "template": {"spec": nowhere}},
        enableInTreeAutoscaling=True,
    )
    kubectl.create(made)
    until(lambda: len(kubectl.pods(name, GROUP)) == 3, "the workers' pods are there")
    ray(f"cluster scale --cluster {name} --replicas=1", within=20)
    assert len(kubectl.pods(name, GROUP)) == 3


@pytest.mark.parametrize("kind", ["RayJob", "RayService"])
def test_owned_cluster(ray: Ray, kubectl: Kubectl, fresh: Callable[[str], str], kind: str) -> None:
    """A cluster of a RayJob or RayService is not changed behind its back; --force-owned insists."""
    name = fresh("owned")
    boss = kubectl.create(owner(kind, f"{name}-boss"))
    kubectl.create(suspended(name, metadata={"ownerReferences": [reference(boss)]}))
    try:
        said = ray(f"cluster scale --cluster {name} --replicas=2", code=2)
        assert f"{kind} {name}-boss" in said.err
        assert replicas(kubectl, name) == 1
        ray(f"cluster scale --cluster {name} --replicas=2 --force-owned")
        assert replicas(kubectl, name) == 2
    finally:
        kubectl("delete", kind.lower(), f"{name}-boss", "--wait=false")


def test_no_room_is_said_while_waiting(ray: Ray, kubectl: Kubectl, fresh: Callable[[str], str]) -> None:
    """Workers that no node can hold: exit code 3 with the scheduler's reason, and the number stays asked for."""
    name = fresh("large")
    ray(f"cluster create {name} --no-wait --head-node-selectors=nowhere=here --worker-cpus=640")
    said = ray(f"cluster scale {GROUP} --cluster {name} --replicas=3 --timeout=4s", code=3, within=30)
    assert "no room" in said.err
    assert "CPU" in said.err
    assert replicas(kubectl, name) == 3
