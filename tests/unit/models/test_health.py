"""One true word for how a cluster is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings

from kubectl_ray.models.cluster import Cluster
from kubectl_ray.models.health import NEW, WORDS, Claims, PodCount, count_pods, judge
from tests.unit.models.mangled import mangled

if TYPE_CHECKING:
    from collections.abc import Callable

    Recording = Callable[[str], dict[str, Any]]

CASE = json.loads((Path(__file__).parents[2] / "recordings/clusters/workers-crash.json").read_text(encoding="utf-8"))
LATER = 4e9


def by_pods(case: dict[str, Any]) -> tuple[str, str]:
    """The judgement of a recorded case with its pods."""
    cluster = Cluster(case["cluster"])
    count = count_pods(case["pods"]).get((cluster.namespace, cluster.name), PodCount())
    return judge(Claims(cluster), count, LATER)


def by_status(case: dict[str, Any]) -> tuple[str, str]:
    """The judgement of a recorded case without pods."""
    return judge(Claims(Cluster(case["cluster"])), None, LATER)


@pytest.mark.parametrize(
    ("case", "pods", "status"),
    [
        ("ready", ("ready", ""), ("ready", "")),
        ("multihost", ("ready", ""), ("ready", "")),
        ("autoscaler", ("scaling", ""), ("scaling", "")),
        ("head-imagepull", ("failing", "ImagePullBackOff"), ("failing", "ImagePullBackOff")),
        ("head-oom", ("failing", "CrashLoopBackOff"), ("failing", "CrashLoopBackOff")),
        ("head-cpu", ("pending", "Unschedulable"), ("starting", "")),
        ("head-quota", ("failing", "FailedCreateHeadPod"), ("failing", "FailedCreateHeadPod")),
        ("head-readiness-fails", ("starting", ""), ("starting", "")),
        ("worker-quota", ("degraded", "FailedCreateWorkerPod"), ("degraded", "FailedCreateWorkerPod")),
        ("workers-many-causes", ("degraded", "ErrImagePull"), ("degraded", "FailedCreateWorkerPod")),
        ("workers-crash", ("degraded", "CreateContainerConfigError"), ("starting", "")),
        ("bad-minmax", ("not-picked-up", ""), ("not-picked-up", "")),
        ("dup-groups", ("pending", "Unschedulable"), ("starting", "")),
    ],
)
def test_recordings(recording: Recording, case: str, pods: tuple[str, str], status: tuple[str, str]) -> None:
    """What is said of each recorded case, from its pods and from its status alone."""
    assert by_pods(recording(case)) == pods
    assert by_status(recording(case)) == status


def test_suspended_and_deleting(recording: Recording) -> None:
    """Words that need no pods."""
    assert by_status(recording("suspended")) == ("suspended", "")
    assert by_status(recording("deleting")) == ("deleting", "")
    assert by_pods({**recording("suspended"), "pods": []}) == ("suspended", "")


def test_suspended_only_when_the_pods_are_gone(recording: Recording) -> None:
    """A cluster that shall be suspended is suspending while a pod is there, also one that is being stopped."""
    case = recording("ready")
    case["cluster"]["spec"]["suspend"] = True
    assert by_pods(case) == ("suspending", "")
    for pod in case["pods"]:
        pod["metadata"]["deletionTimestamp"] = "2026-11-23T11:52:02Z"
    assert by_pods(case) == ("suspending", "")
    assert by_status(case) == ("suspending", "")


def test_queued(recording: Recording) -> None:
    """Suspended in a queue of Kueue is queued."""
    case = recording("suspended")
    case["cluster"]["metadata"]["labels"] = {"kueue.x-k8s.io/queue-name": "team"}
    assert by_status(case) == ("queued", "")


def test_state_ready_is_not_believed(recording: Recording) -> None:
    """`state: ready` and every count say ready; the head's pod is gone."""
    case = recording("ready")
    case["pods"] = [pod for pod in case["pods"] if pod["metadata"]["labels"]["ray.io/node-type"] == "worker"]
    assert case["cluster"]["status"]["state"] == "ready"
    assert by_pods(case) == ("head-down", "")


def test_workers_that_stop_do_not_count(recording: Recording) -> None:
    """A worker that is being deleted is not there any more."""
    case = recording("ready")
    (worker,) = (pod for pod in case["pods"] if pod["metadata"]["labels"]["ray.io/node-type"] == "worker")
    worker["metadata"]["deletionTimestamp"] = "2026-11-23T11:52:02Z"
    assert by_pods(case) == ("scaling", "")


def test_pods_of_removed_groups_do_not_count(recording: Recording) -> None:
    """Ready is counted per group: a leftover worker of another group makes nothing ready."""
    case = recording("ready")
    case["cluster"]["spec"]["workerGroupSpecs"][0]["groupName"] = "new"
    assert by_pods(case) == ("scaling", "")
    cluster = Cluster(case["cluster"])
    count = count_pods(case["pods"])[cluster.namespace, cluster.name]
    assert Claims(cluster).ready(count) == 0


def test_surplus(recording: Recording) -> None:
    """More workers than wanted: they are being taken away, unless an autoscaler decides about them."""
    case = recording("ready")
    case["cluster"]["spec"]["workerGroupSpecs"][0]["replicas"] = 0
    assert by_pods(case) == ("scaling", "")
    case["cluster"]["spec"]["enableInTreeAutoscaling"] = True
    assert by_pods(case) == ("ready", "")


def test_status_of_another_spec(recording: Recording) -> None:
    """Without pods a status is shown only where it was written for this very spec."""
    case = recording("ready")
    case["cluster"]["metadata"]["generation"] = 2
    assert by_status(case) == ("<unknown>", "")
    case = recording("ready")
    case["cluster"]["spec"]["workerGroupSpecs"][0]["replicas"] = 2
    assert by_status(case) == ("<unknown>", "")
    assert Claims(Cluster(case["cluster"])).ready(None) is None


def test_new(recording: Recording) -> None:
    """In the first seconds a cluster without a status is starting; later nobody picked it up."""
    claims = Claims(Cluster(recording("bad-minmax")["cluster"]))
    assert claims.created is not None
    assert judge(claims, PodCount(), claims.created + NEW - 1) == ("starting", "")
    assert judge(claims, PodCount(), claims.created + NEW + 1) == ("not-picked-up", "")


def test_managed_elsewhere(recording: Recording) -> None:
    """The pods of a cluster that another controller runs are elsewhere: its status counts, where it agrees."""
    case = recording("ready")
    case["cluster"]["spec"]["managedBy"] = "kueue.x-k8s.io/multikueue"
    case["pods"] = []
    assert by_pods(case) == ("ready", "")
    case["cluster"]["status"]["observedGeneration"] = 0
    assert by_pods(case) == ("head-down", "")
    case["cluster"]["status"] = {}
    assert by_pods(case) == ("<unknown>", "")


def test_without_conditions(recording: Recording) -> None:
    """An operator with its conditions switched off leaves state and address to go by."""
    case = recording("ready")
    case["cluster"]["status"]["conditions"] = []
    assert by_status(case) == ("ready", "")
    del case["cluster"]["status"]["head"]["podIP"]
    assert by_status(case) == ("head-down", "")


def test_count_pods_by_namespace_and_cluster(recording: Recording) -> None:
    """Clusters of the same name in two namespaces are kept apart; clean-up pods are none of a cluster."""
    pods = recording("ready")["pods"] + recording("multihost")["pods"]
    for pod in recording("ready")["pods"]:
        pods.append({**pod, "metadata": {**pod["metadata"], "namespace": "other"}})
    labels = {"ray.io/cluster": "lc", "ray.io/node-type": "redis-cleanup"}
    pods.append({"metadata": {"namespace": "rec-s1", "labels": labels}})
    counts = count_pods(iter(pods))
    assert {key: (count.head_ready, count.ready, count.pods) for key, count in counts.items()} == {
        ("rec-s1", "lc"): (True, {"wg": 1}, 2),
        ("rec-s1", "mh"): (True, {"mh": 2}, 3),
        ("other", "lc"): (True, {"wg": 1}, 2),
    }


def test_real_trouble_before_no_room(recording: Recording) -> None:
    """A pod that waits for a machine hides no pod that cannot start."""
    case = recording("workers-many-causes")
    for pods in (case["pods"], list(reversed(case["pods"]))):
        assert by_pods({**case, "pods": pods})[1] == "ErrImagePull"


@settings(max_examples=200)
@given(mangled(CASE["cluster"]), mangled(CASE["pods"][0]), mangled(CASE["pods"][2]))
def test_always_one_of_the_words(cluster: object, pod: object, other: object) -> None:
    """Whatever the objects hold, the answer is one of the documented words."""
    claims = Claims(Cluster(cluster))
    for count in (None, PodCount(), *count_pods([pod, other]).values()):
        word, reason = judge(claims, count, LATER)
        assert word in WORDS
        assert isinstance(reason, str)
        ready = claims.ready(count)
        assert ready is None or ready >= 0
