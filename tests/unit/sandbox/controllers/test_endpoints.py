"""Endpoint slices tell where the pods of each service really listen."""

from __future__ import annotations

from functools import partial

import pytest

from kubectl_ray.sandbox.api import kinds
from kubectl_ray.sandbox.controllers.endpoints import Endpoints
from tests.unit.sandbox.controllers.world import Object, World

PORTS = [{"name": "dashboard", "port": 8265, "targetPort": "dash", "appProtocol": "tcp"}, {"name": "gcs", "port": 6379}]


class Machine(World):
    """Pods listen at 30000 and what the test says; what is not listed does not run."""

    def __init__(self) -> None:
        super().__init__()
        self.offsets: dict[str, int] = {}
        self.make(kinds.SERVICES, "s", meta={"labels": {"l": "1"}}, spec={"selector": {"a": "b"}, "ports": PORTS})

    def address(self, _namespace: str, pod: str, port: int) -> tuple[str, int] | None:
        """As the node gives it."""
        return ("127.0.0.1", 30_000 + self.offsets[pod] + port) if pod in self.offsets else None

    def serve(self, name: str, offset: int = 0, *, ready: bool = True, labels: Object | None = None) -> None:
        """A pod that runs."""
        container = {"name": "c", "image": "i", "ports": [{"name": "dash", "containerPort": 8265}]}
        self.pod(name, node="m", meta={"labels": labels or {"a": "b"}}, spec={"containers": [container]})
        self.offsets[name] = offset
        self.tell(name, phase="Running", podIP="127.0.0.1", conditions=[_ready(ready)])

    def tell(self, name: str, **status: object) -> None:
        """The kubelet writes its status."""
        self.objects.edit(kinds.PODS, "n", name, lambda body: body["status"].update(status), status=True)

    def work(self) -> list[Object]:
        """The slices, when all is done."""
        self.run(partial(Endpoints, address=self.address))
        return self.objects.list(kinds.ENDPOINT_SLICES, "n")


def _ready(ready: bool) -> Object:
    return {"type": "Ready", "status": "True" if ready else "False"}


@pytest.fixture
def machine() -> Machine:
    """Service s with the ports 8265 (the container's `dash`) and 6379, no pods."""
    return Machine()


def test_a_slice_as_recorded(machine: Machine) -> None:
    """Labels, owner and endpoint are those of a real controller; the ports are this machine's."""
    machine.serve("p", 7)
    (made,) = machine.work()
    meta = made["metadata"]
    assert meta["generateName"] == "s-"
    assert meta["labels"] == {
        "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
        "kubernetes.io/service-name": "s",
        "l": "1",
    }
    uid = machine.objects.get(kinds.SERVICES, "n", "s")["metadata"]["uid"]
    owner = {"apiVersion": "v1", "kind": "Service", "name": "s", "uid": uid}
    assert meta["ownerReferences"] == [{**owner, "controller": True, "blockOwnerDeletion": True}]
    pod = machine.objects.get(kinds.PODS, "n", "p")["metadata"]["uid"]
    assert made["endpoints"] == [
        {
            "addresses": ["127.0.0.1"],
            "conditions": {"ready": True, "serving": True, "terminating": False},
            "targetRef": {"kind": "Pod", "namespace": "n", "name": "p", "uid": pod},
            "nodeName": "m",
        }
    ]
    assert made["ports"] == [
        {"name": "dashboard", "protocol": "TCP", "port": 38_272, "appProtocol": "tcp"},
        {"name": "gcs", "protocol": "TCP", "port": 36_386},
    ]


def test_no_pods(machine: Machine) -> None:
    """One slice that lists nothing, as recorded."""
    (made,) = machine.work()
    assert (made["endpoints"], made["ports"]) == (None, None)


def test_which_pods_count(machine: Machine) -> None:
    """Those that the selector chooses, that have an address and have not ended."""
    machine.serve("p")
    machine.serve("other", labels={"a": "c"})
    machine.serve("ended")
    machine.tell("ended", phase="Failed")
    machine.pod("waiting", meta={"labels": {"a": "b"}})
    (made,) = machine.work()
    assert [each["targetRef"]["name"] for each in made["endpoints"]] == ["p"]


def test_pods_with_other_ports_stand_in_other_slices(machine: Machine) -> None:
    """Each pod has ports of its own on one machine."""
    for name, offset in (("p", 1), ("q", 2)):
        machine.serve(name, offset)
    made = machine.work()
    assert sorted(each["ports"][1]["port"] for each in made) == [36_380, 36_381]


@pytest.mark.parametrize(("published", "ready"), [(False, False), (True, True)])
def test_a_pod_that_is_not_ready(machine: Machine, published: bool, ready: bool) -> None:
    """It counts as ready only where the service asks for that; `serving` tells the truth."""
    machine.objects.edit(kinds.SERVICES, "n", "s", lambda body: body["spec"].update(publishNotReadyAddresses=published))
    machine.serve("p", ready=False)
    (made,) = machine.work()
    assert made["endpoints"][0]["conditions"] == {"ready": ready, "serving": False, "terminating": False}


def test_a_pod_that_is_being_deleted(machine: Machine) -> None:
    """It serves on, but is not ready any more."""
    machine.serve("p")
    machine.objects.delete(kinds.PODS, "n", "p")
    (made,) = machine.work()
    assert made["endpoints"][0]["conditions"] == {"ready": False, "serving": True, "terminating": True}


def test_changes_are_followed(machine: Machine) -> None:
    """The slice keeps its name while pods come, and go."""
    (empty,) = machine.work()
    machine.serve("p")
    (full,) = machine.work()
    machine.objects.delete(kinds.PODS, "n", "p", grace=0)
    (again,) = machine.work()
    assert empty["metadata"]["name"] == full["metadata"]["name"] == again["metadata"]["name"]
    assert (len(full["endpoints"]), again["endpoints"]) == (1, None)
    assert again["metadata"]["generation"] == 3


def test_nothing_is_written_when_nothing_changed(machine: Machine) -> None:
    """A second look leaves the version as it is."""
    machine.serve("p")
    (first,) = machine.work()
    (second,) = machine.work()
    assert first["metadata"]["resourceVersion"] == second["metadata"]["resourceVersion"]


def test_a_headless_service(machine: Machine) -> None:
    """Its slices say so."""
    machine.make(kinds.SERVICES, "h", spec={"clusterIP": "None", "selector": {"a": "b"}, "ports": PORTS})
    made = {each["metadata"]["generateName"]: each["metadata"]["labels"] for each in machine.work()}
    assert made["h-"]["service.kubernetes.io/headless"] == ""
    assert "service.kubernetes.io/headless" not in made["s-"]


def test_services_without_selector_have_none(machine: Machine) -> None:
    """Their slices are somebody else's business."""
    machine.make(kinds.SERVICES, "free", spec={"ports": [{"port": 80}]})
    machine.make(kinds.SERVICES, "name", spec={"type": "ExternalName", "externalName": "a.b", "selector": {"a": "b"}})
    assert [each["metadata"]["generateName"] for each in machine.work()] == ["s-"]


def test_a_deleted_slice_comes_back(machine: Machine) -> None:
    """And one that is too many goes."""
    machine.serve("p", 1)
    machine.serve("q", 2)
    name = machine.work()[0]["metadata"]["name"]

    def delete() -> None:
        machine.objects.delete(kinds.ENDPOINT_SLICES, "n", name)
        machine.objects.delete(kinds.PODS, "n", "q", grace=0)

    machine.run(partial(Endpoints, address=machine.address), between=delete)
    (left,) = machine.objects.list(kinds.ENDPOINT_SLICES, "n")
    assert [each["targetRef"]["name"] for each in left["endpoints"]] == ["p"]
