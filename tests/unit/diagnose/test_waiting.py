"""What a wait says it waits for."""

from __future__ import annotations

from typing import Any

from kubectl_ray.diagnose import waiting
from kubectl_ray.diagnose.pods import scheduler_words, why
from kubectl_ray.models.cluster import Cluster
from kubectl_ray.models.event import Event
from kubectl_ray.models.pod import Pod


def cluster(replicas: int = 2, **more: Any) -> Cluster:
    """A cluster with one group `g`."""
    return Cluster(
        {
            "metadata": {"name": "c", "uid": "u1", **more.get("metadata", {})},
            "spec": {"workerGroupSpecs": [{"groupName": "g", "replicas": replicas}], **more.get("spec", {})},
            "status": more.get("status", {"desiredWorkerReplicas": replicas}),
        }
    )


def pod(
    kind: str = "worker", *, ready: bool = False, group: str = "g", waits: tuple[str, str] = ("", ""), **more: Any
) -> Pod:
    """A pod of that cluster, running unless `waits` gives a reason and a message."""
    state = {"waiting": {"reason": waits[0], "message": waits[1]}} if waits[0] else {"running": {}}
    return Pod(
        {
            "metadata": {
                "name": f"c-{kind}",
                "labels": {"ray.io/node-type": kind, "ray.io/group": group if kind == "worker" else "headgroup"},
                **more.get("metadata", {}),
            },
            "spec": {"containers": [{"name": "ray"}]},
            "status": {
                "phase": more.get("phase", "Running"),
                "conditions": more.get("conditions", []),
                "containerStatuses": [{"name": "ray", "ready": ready, "state": state, **more.get("container", {})}],
            },
        }
    )


def head(*, ready: bool = True, **more: Any) -> Pod:
    """The head's pod."""
    return pod("head", ready=ready, **more)


def test_nothing_is_missing_when_head_and_all_workers_are_ready() -> None:
    """The wait is over when every pod that the spec asks for is ready."""
    assert waiting.by_pods(cluster(2), [head(), pod(ready=True), pod(ready=True)]) is None


def test_the_head_and_each_group_are_counted() -> None:
    """What lacks is said with its numbers."""
    assert waiting.by_pods(cluster(2), [head(ready=False), pod(ready=True)]) == "the head; g 1/2 ready"


def test_pods_of_a_removed_group_do_not_count() -> None:
    """A worker of a group that the spec does not have is nobody's."""
    assert waiting.by_pods(cluster(1), [head(), pod(ready=True, group="old")]) == "g 0/1 ready"


def test_no_status_and_no_pod_means_that_nobody_noticed() -> None:
    """Without any trace of the operator, that is what is waited for."""
    assert waiting.by_pods(cluster(1, status={}), []) == "the KubeRay operator to notice it"


def test_a_suspended_cluster_says_so() -> None:
    """It cannot become ready before it is resumed."""
    words = waiting.by_pods(cluster(1, spec={"suspend": True}), [])
    assert words == "the cluster to be resumed: it is suspended"


def test_the_reason_that_most_workers_share_is_said() -> None:
    """One reason stands for many workers: the most frequent one."""
    bad = ("ImagePullBackOff", "Back-off pulling image x")
    pods = [head(), pod(waits=bad), pod(waits=bad), pod(waits=("CrashLoopBackOff", ""))]
    assert waiting.by_pods(cluster(3), pods) == "g 0/3 ready (the image cannot be pulled: Back-off pulling image x)"


def test_workers_that_cannot_be_made_show_the_operators_reason() -> None:
    """A quota refuses a pod: no pod tells it, the cluster's condition does."""
    refused = {
        "desiredWorkerReplicas": 2,
        "conditions": [
            {"type": "ReplicaFailure", "status": "True", "reason": "F", "message": "F\nexceeded quota: tiny"}
        ],
    }
    assert (
        waiting.by_pods(cluster(2, status=refused), [head(), pod(ready=True)]) == "g 1/2 ready (exceeded quota: tiny)"
    )


def test_a_refused_pods_name_is_left_out() -> None:
    """The operator tries again each second, with another name: that is no news."""
    message = 'pods "c-head-x7k2p" is forbidden: exceeded quota: tiny'
    status = {"conditions": [{"type": "ReplicaFailure", "status": "True", "reason": "F", "message": message}]}
    assert waiting.by_pods(cluster(0, status=status), []) == "the head (exceeded quota: tiny)"


def test_surplus_workers_are_waited_for() -> None:
    """A group that shrinks is done when the surplus pods are gone."""
    going = pod(metadata={"deletionTimestamp": "2026-01-01T00:00:00Z"})
    seen = cluster(1)
    assert waiting.by_group(seen, seen.group("g"), [pod(ready=True), going]) == "1 worker of g to stop"
    assert waiting.by_group(seen, seen.group("g"), [pod(ready=True)]) is None


def test_with_an_autoscaler_nobody_waits_for_surplus_workers() -> None:
    """Only the autoscaler decides when an idle worker goes."""
    seen = cluster(1, spec={"enableInTreeAutoscaling": True})
    assert waiting.by_group(seen, seen.group("g"), [pod(ready=True), pod(ready=True)]) is None


def test_without_a_right_to_pods_the_status_is_believed_and_that_is_said() -> None:
    """No right is an answer, not a crash."""
    status = {"conditions": [{"type": "HeadPodReady", "status": "True"}], "desiredWorkerReplicas": 2}
    assert waiting.by_status(cluster(2, status=status)) == "workers 0/2 ready (why: <no permission> to list pods)"
    assert waiting.by_status(cluster(2, status={**status, "readyWorkerReplicas": 2})) is None


def test_the_scheduler_is_told_in_plain_words() -> None:
    """The numbers stay; talk of preemption goes."""
    message = (
        "0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, preemption: 0/1 nodes are "
        "available: 1 Preemption is not helpful for scheduling."
    )
    condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}
    assert why(pod(phase="Pending", conditions=[condition])) == "no room: of 1 machine, 1 lacks CPU"


def test_each_cause_keeps_its_number_of_machines() -> None:
    """Several causes are several numbers; one that we do not know keeps the scheduler's words."""
    message = (
        "0/9 nodes are available: 2 Insufficient nvidia.com/gpu, 3 node(s) had untolerated taint {a: b}, "
        "3 node(s) didn't match Pod's node affinity/selector, 1 node(s) had disk pressure."
    )
    assert scheduler_words(message) == (
        "of 9 machines, 2 lack GPUs (nvidia.com/gpu), 3 reserved for others (tainted), "
        "3 without the labels asked for, 1 node(s) had disk pressure"
    )


def test_an_unknown_text_of_the_scheduler_is_quoted() -> None:
    """A missing volume has no numbers."""
    assert (
        scheduler_words('persistentvolumeclaim "x" not found. not found')
        == 'persistentvolumeclaim "x" not found. not found'
    )


def test_out_of_memory_is_said_while_it_backs_off() -> None:
    """The state says CrashLoopBackOff only; the last end tells the cause."""
    killed = pod(
        waits=("CrashLoopBackOff", "back-off 40s"), container={"lastState": {"terminated": {"reason": "OOMKilled"}}}
    )
    assert why(killed).startswith("out of memory")


def test_a_refused_spec_is_told_by_the_operators_event() -> None:
    """An event about an older cluster of the same name does not count."""
    told = {"reason": "InvalidRayClusterSpec", "message": "bad", "involvedObject": {"uid": "u1"}}
    assert waiting.refusal(cluster(), [Event(told)]) == "bad"
    assert not waiting.refusal(cluster(), [Event({**told, "involvedObject": {"uid": "other"}})])


def test_a_deleted_cluster_goes_when_its_pods_are_gone() -> None:
    """Deleting returns at once; the pods take longer."""
    assert waiting.pods_going([]) is None
    assert waiting.pods_going([head(ready=False)]) == "the head to stop"
    assert waiting.pods_going([head(), pod()]) == "2 nodes to stop"
    assert waiting.going(cluster(metadata={"finalizers": ["x/clean"]}), []) == "the clean-up of c (x/clean)"
