"""Where pods go, and the scheduler's own words where they cannot; the texts are recorded."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from kubectl_ray.sandbox.api.kinds import CLAIMS, EVENTS, NAMESPACES, NODES, PODS, SERVICE_ACCOUNTS
from kubectl_ray.sandbox.api.objects import Objects
from kubectl_ray.sandbox.api.store import Store
from kubectl_ray.sandbox.loop import Loop
from kubectl_ray.sandbox.node.registration import register
from kubectl_ray.sandbox.node.scheduler import GATED, Scheduler
from kubectl_ray.sandbox.node.settings import NODE_NAME, Settings
from tests.unit.sandbox.node.machine import NAMESPACE, Object, pod, shell

NEVER = "no new claims to deallocate, preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling."
LATER = (
    "no new claims to deallocate, preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod."
)


class Place:
    """An API with a node of 4 CPUs and 8 GiB, and the scheduler."""

    def __init__(self, tmp: Any = None) -> None:
        self.objects = Objects(Store())
        self.objects.create(NAMESPACES, {"metadata": {"name": NAMESPACE}})
        self.objects.create(SERVICE_ACCOUNTS, {"metadata": {"name": "default"}}, NAMESPACE)
        register(self.objects, Settings(cpus=4, memory=8 << 30, ray_bin=tmp))
        self.loop = Loop(self.objects.store, Scheduler(self.objects))

    async def schedule(self, *pods: Object) -> None:
        """Let it work on these."""
        if self.loop.idle:
            self.loop.start()
        for each in pods:
            self.objects.create(PODS, each, NAMESPACE)
        await self.loop.settle()

    def why(self, name: str = "p") -> str:
        """The text of PodScheduled; "" when it is placed."""
        found = self.objects.get(PODS, NAMESPACE, name)
        condition = next(each for each in found["status"]["conditions"] if each["type"] == "PodScheduled")
        if condition["status"] == "True":
            assert found["spec"]["nodeName"] == NODE_NAME
            return ""
        assert condition["reason"] in {"Unschedulable", "SchedulingGated"}
        return str(condition["message"])

    def events(self) -> list[tuple[str, str]]:
        """Reasons and messages."""
        return [(each["reason"], each["message"]) for each in self.objects.list(EVENTS)]


def wants(name: str = "p", *, limits: Object | None = None, **requests: str) -> Object:
    """A pod that asks for these."""
    resources = {"requests": requests, **({"limits": limits} if limits else {})}
    return pod(shell("true", resources=resources), name=name)


def refused(made: Object) -> str:
    """The text for a pod on an empty node."""
    place = Place()

    async def work() -> str:
        await place.schedule(made)
        await place.loop.stop()
        return place.why()

    why = asyncio.run(work())
    if why and why != GATED:
        assert place.events() == [("FailedScheduling", why)]
    return why


def test_a_pod_that_fits_is_placed_and_told_of() -> None:
    """Normal Scheduled, with the node's name."""
    place = Place()

    async def work() -> None:
        await place.schedule(wants(cpu="4", memory="8Gi"))
        await place.loop.stop()

    asyncio.run(work())
    assert place.why() == ""
    assert place.events() == [("Scheduled", f"Successfully assigned ns/p to {NODE_NAME}")]


@pytest.mark.parametrize(
    ("made", "why"),
    [
        (wants(cpu="100"), f"1 Insufficient cpu. {NEVER}"),
        (
            wants(cpu="100", memory="1Ti", limits={"nvidia.com/gpu": "1"}),
            f"1 Insufficient cpu, 1 Insufficient memory, 1 Insufficient nvidia.com/gpu. {NEVER}",
        ),
        (
            {**wants(), "spec": {**wants()["spec"], "nodeSelector": {"disk": "ssd"}}},
            f"1 node(s) didn't match Pod's node affinity/selector. {NEVER}",
        ),
    ],
)
def test_why_a_pod_never_fits(made: Object, why: str) -> None:
    """All that is short, in the order of its letters; others need not end for it."""
    assert refused(made) == f"0/1 nodes are available: {why}"


def test_a_pod_that_would_fit_an_empty_node_waits_for_others_to_end() -> None:
    """Other words; it is placed when they are gone."""
    place = Place()

    async def work() -> None:
        await place.schedule(wants("first", cpu="3"))
        await place.schedule(wants(cpu="2"))
        assert place.why() == f"0/1 nodes are available: 1 Insufficient cpu. {LATER}"

        def end(seen: Object) -> None:
            seen["status"]["phase"] = "Succeeded"

        place.objects.edit(PODS, NAMESPACE, "first", end, status=True)
        await place.loop.settle()
        assert place.why() == ""
        await place.loop.stop()

    asyncio.run(work())


def test_a_pod_needs_what_its_largest_init_container_does() -> None:
    """Where that is more than the sum of the others."""
    made = wants(cpu="1")
    made["spec"]["initContainers"] = [shell("true", "i", resources={"requests": {"cpu": "5"}})]
    assert "Insufficient cpu" in refused(made)


@pytest.mark.parametrize(
    ("claim", "why"),
    [
        (None, 'persistentvolumeclaim "c" not found. not found'),
        ("Pending", "pod has unbound immediate PersistentVolumeClaims. not found"),
    ],
)
def test_claims_are_looked_at_before_nodes(claim: str | None, why: str) -> None:
    """A claim that is missing or unbound; the odd end is the real text."""
    place = Place()
    made = wants()
    made["spec"]["volumes"] = [{"name": "v", "persistentVolumeClaim": {"claimName": "c"}}]

    async def work() -> None:
        if claim:
            spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
            place.objects.create(CLAIMS, {"metadata": {"name": "c"}, "spec": spec}, NAMESPACE)
        await place.schedule(made)
        await place.loop.stop()

    asyncio.run(work())
    assert place.why() == f"0/1 nodes are available: {why}"


def test_two_pods_cannot_have_one_host_port() -> None:
    """The second waits."""
    place = Place()
    ports = [{"containerPort": 80, "hostPort": 8099}]

    async def work() -> None:
        for name in ("first", "p"):
            await place.schedule(pod(shell("true", ports=ports), name=name))
        await place.loop.stop()

    asyncio.run(work())
    assert place.why() == (
        f"0/1 nodes are available: 1 node(s) didn't have free ports for the requested pod ports. {LATER}"
    )


@pytest.mark.parametrize(
    ("operator", "values", "fits"),
    [
        ("In", ["linux", "darwin"], True),
        ("In", ["windows"], False),
        ("NotIn", ["windows"], True),
        ("Exists", [], True),
        ("DoesNotExist", [], False),
        ("Gt", ["1"], False),
    ],
)
def test_required_node_affinity_is_kept_to(operator: str, values: list[str], fits: bool) -> None:
    """All expressions of one of the terms."""
    expression = {"key": "kubernetes.io/os", "operator": operator, **({"values": values} if values else {})}
    terms = {"nodeSelectorTerms": [{"matchExpressions": [expression]}]}
    made = wants()
    made["spec"]["affinity"] = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}}
    assert (refused(made) == "") is fits


def test_a_cordoned_or_tainted_node_takes_only_who_tolerates_it() -> None:
    """`kubectl cordon` and `kubectl taint` work; uncordoned it takes who waits."""
    place = Place()

    def cordon(seen: Object) -> None:
        seen["spec"] = {"unschedulable": True}

    def taint(seen: Object) -> None:
        seen["spec"] = {"taints": [{"key": "k", "value": "v", "effect": "NoSchedule"}]}

    def free(seen: Object) -> None:
        seen["spec"] = {}

    async def work() -> None:
        place.objects.edit(NODES, "", NODE_NAME, cordon)
        await place.schedule(wants())
        assert place.why() == f"0/1 nodes are available: 1 node(s) were unschedulable. {NEVER}"
        place.objects.edit(NODES, "", NODE_NAME, taint)
        tolerant = wants("tolerant")
        tolerant["spec"]["tolerations"] = [{"key": "k", "operator": "Equal", "value": "v", "effect": "NoSchedule"}]
        await place.schedule(tolerant)
        assert place.why() == f"0/1 nodes are available: 1 node(s) had untolerated taint(s). {NEVER}"
        assert place.why("tolerant") == ""
        place.objects.edit(NODES, "", NODE_NAME, free)
        await place.loop.settle()
        assert place.why() == ""
        await place.loop.stop()

    asyncio.run(work())


def test_a_gated_pod_is_not_placed() -> None:
    """SchedulingGated, and no event."""
    made = wants()
    made["spec"]["schedulingGates"] = [{"name": "x/y"}]
    assert refused(made) == GATED


def test_a_pod_of_another_scheduler_is_left_alone() -> None:
    """No condition."""
    place = Place()
    made = wants()
    made["spec"]["schedulerName"] = "mine"

    async def work() -> None:
        await place.schedule(made)
        await place.loop.stop()

    asyncio.run(work())
    assert not place.objects.get(PODS, NAMESPACE, "p").get("status", {}).get("conditions")
