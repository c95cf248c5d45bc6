"""A Job's way from its pods to its end."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from kubectl_ray.sandbox.api import kinds
from kubectl_ray.sandbox.api.objects import Objects
from kubectl_ray.sandbox.api.refusals import forbidden
from kubectl_ray.sandbox.api.store import Store
from kubectl_ray.sandbox.controllers.jobs import Jobs

if TYPE_CHECKING:
    from kubectl_ray.sandbox.api.kinds import Kind
    from kubectl_ray.sandbox.api.store import Change, Object

NOW = 1_795_435_000.0
TEMPLATE = {"spec": {"containers": [{"name": "main", "image": "i"}], "restartPolicy": "Never"}}
TRACKING = "batch.kubernetes.io/job-tracking"


class Machine:
    """Objects, a clock that stands, the controller; the node's part is played by hand. `seen` are the Jobs' changes."""

    def __init__(self) -> None:
        self.now = NOW
        self.store = Store()
        self.objects = Objects(self.store, lambda: self.now)
        self.controller = Jobs(self.objects)
        self.history: list[Change] = []
        self.wait: float | None = None
        self.store.listen(self.history.append)
        self.objects.create(kinds.NAMESPACES, {"metadata": {"name": "lab"}})
        self.seen: list[Object] = []

    def start(self, **spec: Any) -> None:
        """Create the Job `j`."""
        body = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "j"}}
        spec = {"backoffLimit": 2, "completions": 1, "parallelism": 1, "template": TEMPLATE, **spec}
        self.objects.create(kinds.JOBS, {**body, "spec": spec}, "lab")
        self.rest()

    def rest(self) -> None:
        """Let the controller follow changes until there are none."""
        steps, at = 0, 0
        while at < len(self.history):
            fresh, at = self.history[at:], len(self.history)
            self.seen += [change.object for change in fresh if change.kind is kinds.JOBS]
            for key in dict.fromkeys(key for change in fresh for key in self.controller.keys(change)):
                self.wait = asyncio.run(self.controller.reconcile(key))
                steps += 1
                assert steps < 40, "the controller does not come to rest"
        self.history.clear()

    def later(self, seconds: float) -> None:
        """Time passes, and the controller looks again."""
        self.now += seconds
        self.wait = asyncio.run(self.controller.reconcile(("lab", "j")))
        self.rest()

    @property
    def pods(self) -> list[Object]:
        """Those there are, in the order of their making."""
        found = self.objects.list(kinds.PODS, "lab")
        return sorted(found, key=lambda pod: int(pod["metadata"]["resourceVersion"]))

    @property
    def status(self) -> Object:
        """The Job's."""
        found: Object = self.objects.get(kinds.JOBS, "lab", "j")["status"]
        return found

    def set_phase(self, pod: Object, phase: str, **more: Any) -> None:
        """The node tells how the pod is."""
        ready = {"type": "Ready", "status": "True" if phase == "Running" else "False"}
        ready["lastTransitionTime"] = self.objects.now()

        def change(held: Object) -> None:
            held["status"] = {"phase": phase, "conditions": [ready], **more}
            held["spec"]["nodeName"] = "n"

        name = pod["metadata"]["name"]
        self.objects.edit(kinds.PODS, "lab", name, change)
        self.objects.edit(kinds.PODS, "lab", name, change, status=True)
        self.rest()

    def conditions(self) -> list[tuple[str, str]]:
        """Type and reason of those that hold."""
        held = self.status.get("conditions", ())
        return [(each["type"], each["reason"]) for each in held if each["status"] == "True"]

    def events(self) -> list[tuple[str, str, str]]:
        """Type, reason and message."""
        found = sorted(
            self.objects.list(kinds.EVENTS, "lab"), key=lambda each: int(each["metadata"]["resourceVersion"])
        )
        return [(each["type"], each["reason"], each["message"]) for each in found]


def test_makes_a_pod_as_recorded() -> None:
    """Names, labels, owner and finalizer of the pod, the event, and the Job's first status."""
    machine = Machine()
    machine.start()
    (pod,) = machine.pods
    uid = machine.objects.get(kinds.JOBS, "lab", "j")["metadata"]["uid"]
    assert pod["metadata"]["generateName"] == "j-"
    assert pod["metadata"]["labels"] == {
        "batch.kubernetes.io/controller-uid": uid,
        "batch.kubernetes.io/job-name": "j",
        "controller-uid": uid,
        "job-name": "j",
    }
    owner = {"apiVersion": "batch/v1", "kind": "Job", "name": "j", "uid": uid}
    assert pod["metadata"]["ownerReferences"] == [{**owner, "controller": True, "blockOwnerDeletion": True}]
    assert pod["metadata"]["finalizers"] == [TRACKING]
    assert machine.events() == [("Normal", "SuccessfulCreate", f"Created pod: {pod['metadata']['name']}")]
    assert machine.status == {
        "startTime": machine.objects.now(),
        "active": 1,
        "terminating": 0,
        "uncountedTerminatedPods": {},
        "ready": 0,
    }


def test_completes_in_the_recorded_order() -> None:
    """First SuccessCriteriaMet and the pod's uid, then its finalizer goes, then come Complete and the count."""
    machine = Machine()
    machine.start()
    (pod,) = machine.pods
    machine.set_phase(pod, "Running")
    assert machine.status["ready"] == 1
    machine.seen.clear()
    machine.set_phase(pod, "Succeeded")
    first, second = (held["status"] for held in machine.seen)
    assert [each["type"] for each in first["conditions"]] == ["SuccessCriteriaMet"]
    assert first["uncountedTerminatedPods"] == {"succeeded": [pod["metadata"]["uid"]]}
    assert "active" not in first
    assert [each["type"] for each in second["conditions"]] == ["SuccessCriteriaMet", "Complete"]
    assert (second["succeeded"], second["uncountedTerminatedPods"]) == (1, {})
    assert second["completionTime"] == machine.objects.now()
    assert second["conditions"][1] == {
        "type": "Complete",
        "status": "True",
        "lastProbeTime": machine.objects.now(),
        "lastTransitionTime": machine.objects.now(),
        "reason": "CompletionsReached",
        "message": "Reached expected number of succeeded pods",
    }
    assert "finalizers" not in machine.pods[0]["metadata"]
    assert machine.events()[-1] == ("Normal", "Completed", "Job completed")


def test_fails_after_backoff_limit() -> None:
    """A failed pod is followed by another after 10 s, then 20; one more failure than backoffLimit is the end."""
    machine = Machine()
    machine.start(backoffLimit=2)
    for wait in (10.0, 20.0):
        machine.set_phase(machine.pods[-1], "Failed")
        assert machine.wait == wait
        machine.later(wait)
    assert len(machine.pods) == 3
    machine.set_phase(machine.pods[-1], "Failed")
    assert machine.conditions() == [
        ("FailureTarget", "BackoffLimitExceeded"),
        ("Failed", "BackoffLimitExceeded"),
    ]
    assert machine.status["failed"] == 3
    last = ("Warning", "BackoffLimitExceeded", "Job has reached the specified backoff limit")
    assert machine.events()[-1] == last
    assert len(machine.pods) == 3


def test_restarts_in_place_count() -> None:
    """With restartPolicy OnFailure the containers' restarts are the failures."""
    machine = Machine()
    machine.start(template={"spec": {**TEMPLATE["spec"], "restartPolicy": "OnFailure"}}, backoffLimit=2)
    machine.set_phase(machine.pods[0], "Running", containerStatuses=[{"name": "main", "restartCount": 1}])
    assert machine.conditions() == []
    machine.set_phase(machine.pods[0], "Running", containerStatuses=[{"name": "main", "restartCount": 2}])
    assert ("FailureTarget", "BackoffLimitExceeded") in machine.conditions()


def test_active_deadline() -> None:
    """After activeDeadlineSeconds the pods are deleted and the Job has failed."""
    machine = Machine()
    machine.start(activeDeadlineSeconds=30)
    assert machine.wait == 30.0
    machine.set_phase(machine.pods[0], "Running")
    machine.later(30)
    _gone(machine)
    assert machine.conditions() == [("FailureTarget", "DeadlineExceeded"), ("Failed", "DeadlineExceeded")]
    reasons = [reason for _type, reason, _message in machine.events()]
    assert reasons == ["SuccessfulCreate", "SuccessfulDelete", "DeadlineExceeded"]
    assert machine.events()[-1][2] == "Job was active longer than specified deadline"


def _gone(machine: Machine) -> None:
    """The node ends pods that are being deleted."""
    for pod in machine.pods:
        if pod["metadata"].get("deletionTimestamp"):
            machine.objects.delete(kinds.PODS, "lab", pod["metadata"]["name"], grace=0)
    machine.rest()


def test_suspended_and_resumed() -> None:
    """A suspended Job has no pods; resumed it starts its time anew."""
    machine = Machine()
    machine.start(suspend=True)
    assert (machine.pods, machine.conditions()) == ([], [("Suspended", "JobSuspended")])
    assert "startTime" not in machine.status
    machine.now += 100
    machine.objects.edit(kinds.JOBS, "lab", "j", lambda held: held["spec"].update(suspend=False))
    machine.rest()
    assert (len(machine.pods), machine.conditions()) == (1, [])
    assert machine.status["startTime"] == machine.objects.now()
    machine.objects.edit(kinds.JOBS, "lab", "j", lambda held: held["spec"].update(suspend=True))
    machine.rest()
    _gone(machine)
    assert (machine.pods, machine.conditions()) == ([], [("Suspended", "JobSuspended")])
    reasons = [reason for _type, reason, _message in machine.events()]
    assert sorted(reasons) == ["Resumed", "SuccessfulCreate", "SuccessfulDelete", "Suspended"]


def test_ttl() -> None:
    """The Job goes ttlSecondsAfterFinished after its end."""
    machine = Machine()
    machine.start(ttlSecondsAfterFinished=60)
    machine.set_phase(machine.pods[0], "Succeeded")
    assert machine.wait == 60.0
    machine.later(60)
    left = machine.objects.find(kinds.JOBS, "lab", "j")
    assert left is None or left["metadata"]["deletionTimestamp"]


def test_several_completions() -> None:
    """No more pods at a time than parallelism, none more than are still wanted."""
    machine = Machine()
    machine.start(completions=3, parallelism=2)
    assert len(machine.pods) == 2
    machine.set_phase(machine.pods[0], "Succeeded")
    assert [len(machine.pods), machine.status["succeeded"]] == [3, 1]
    for pod in machine.pods:
        if pod.get("status", {}).get("phase") != "Succeeded":
            machine.set_phase(pod, "Succeeded")
    assert len(machine.pods) == 3
    assert machine.conditions()[-1] == ("Complete", "CompletionsReached")


def test_an_ended_job_does_nothing() -> None:
    """A pod of a complete Job that is deleted is not made anew."""
    machine = Machine()
    machine.start()
    machine.set_phase(machine.pods[0], "Succeeded")
    machine.objects.delete(kinds.PODS, "lab", machine.pods[0]["metadata"]["name"], grace=0)
    machine.rest()
    assert machine.pods == []


def test_a_deleted_pod_is_replaced() -> None:
    """A pod that is deleted before its end counts as failed, and another takes its place."""
    machine = Machine()
    machine.start()
    name = machine.pods[0]["metadata"]["name"]
    machine.set_phase(machine.pods[0], "Running")
    machine.objects.delete(kinds.PODS, "lab", name)
    machine.rest()
    _gone(machine)
    machine.later(10)
    assert [pod["metadata"]["name"] for pod in machine.pods] != [name]
    assert len(machine.pods) == 1


class _Full(Objects):
    """A namespace whose quota is used up."""

    def create(self, kind: Kind, body: Object, namespace: str = "", **rest: Any) -> Object:
        """Refuse pods."""
        if kind is kinds.PODS:
            raise forbidden(kind, "j-", "exceeded quota: q, requested: pods=1, used: pods=1, limited: pods=1")
        return super().create(kind, body, namespace, **rest)


def test_a_refused_pod() -> None:
    """The API server's words become an event, and it is tried again, later each time."""
    machine = Machine()
    machine.objects = _Full(machine.store, lambda: machine.now)
    machine.controller = Jobs(machine.objects)
    machine.start()
    text = 'Error creating: pods "j-" is forbidden: exceeded quota: q, requested: pods=1, used: pods=1, limited: pods=1'
    assert machine.events() == [("Warning", "FailedCreate", text)]
    first = machine.wait
    machine.later(1)
    assert first is not None
    assert machine.wait is not None
    assert machine.wait > first


def test_managed_elsewhere() -> None:
    """A Job of another controller is left alone."""
    machine = Machine()
    machine.start(managedBy="kueue.x-k8s.io/multikueue")
    assert machine.pods == []


@pytest.mark.parametrize("phase", ["Running", "Succeeded"])
def test_pods_of_a_job_that_is_gone_are_let_go(phase: str) -> None:
    """The finalizer must not hold them."""
    machine = Machine()
    machine.start(backoffLimit=0)
    machine.store.drop(kinds.JOBS, machine.objects.get(kinds.JOBS, "lab", "j"))
    machine.set_phase(machine.pods[0], phase)
    assert not any(TRACKING in pod["metadata"].get("finalizers", ()) for pod in machine.pods)
