"""The page of `cluster describe`, and what happened lately."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings

from kubectl_ray.models.cluster import Cluster
from kubectl_ray.models.event import Event
from kubectl_ray.models.pod import Pod
from kubectl_ray.views import happenings
from kubectl_ray.views.describe import page
from tests.unit.models.mangled import mangled
from tests.unit.views.tables import cluster_of, now_of, pods_of

if TYPE_CHECKING:
    from collections.abc import Callable

    Recording = Callable[[str], dict[str, Any]]
    Golden = Callable[[str, str], None]

CASE = json.loads((Path(__file__).parents[2] / "recordings/clusters/head-oom.json").read_text(encoding="utf-8"))


def described(case: dict[str, Any]) -> str:
    """The page of a recorded case."""
    return page(cluster_of(case), pods_of(case), map(Event, case["events"]), now_of(case)) + "\n"


@pytest.mark.parametrize(
    "case",
    [
        "ready",
        "multihost",
        "autoscaler",
        "worker-quota",
        "workers-many-causes",
        "head-imagepull",
        "head-oom",
        "head-cpu",
        "head-quota",
        "bad-minmax",
        "suspended",
        "dup-groups",
    ],
)
def test_golden(golden: Golden, recording: Recording, case: str) -> None:
    """The whole page of each recorded case."""
    golden(f"pages/{case}.txt", described(recording(case)))


def test_width(recording: Recording) -> None:
    """80 columns, but for a command to copy and a name that is longer."""
    for case in ("ready", "workers-many-causes", "head-imagepull", "head-quota", "dup-groups"):
        long = [line for line in described(recording(case)).splitlines() if len(line) > 80]
        assert all(line.startswith("  kubectl ") for line in long), long


def test_no_permission(recording: Recording) -> None:
    """What may not be seen says so in its place; the rest of the page is there."""
    case = recording("ready")
    text = page(cluster_of(case), None, None, now_of(case))
    assert text.count("<no permission>") == 3
    assert "Worker group wg: ? of 1 ready" in text


def test_owner(recording: Recording) -> None:
    """An owned cluster is changed through its owner: no other command is proposed."""
    case = recording("ready")
    case["cluster"]["metadata"]["ownerReferences"] = [{"kind": "RayJob", "name": "train"}]
    text = described(case)
    assert "RayJob train" in text
    assert "kubectl describe rayjob train -n rec-s1" in text
    assert "cluster delete" not in text
    assert "cluster scale" not in text


def test_leftover_workers(recording: Recording) -> None:
    """Workers of a removed group run for ever: they are named, with the way to end them."""
    case = recording("ready")
    case["cluster"]["spec"]["workerGroupSpecs"] = []
    text = described(case)
    assert "Left over: 1 worker" in text
    assert "kubectl delete pod lc-wg-worker-28547 -n rec-s1" in text


def test_many_workers(recording: Recording) -> None:
    """The page stays a page: those in trouble are shown first, the rest is counted."""
    case = recording("ready")
    worker = next(raw for raw in case["pods"] if raw["metadata"]["labels"]["ray.io/node-type"] == "worker")
    for number in range(60):
        case["pods"].append({**worker, "metadata": {**worker["metadata"], "name": f"lc-wg-worker-{number:05d}"}})
    bad = {**worker, "metadata": {**worker["metadata"], "name": "zzz"}, "status": {"phase": "Pending"}}
    case["pods"].append(bad)
    lines = described(case).splitlines()
    group = lines[next(at for at, line in enumerate(lines) if line.startswith("Worker group")) :]
    assert group[4].startswith("  zzz")
    assert "  … and 42 more" in group


def test_another_image(recording: Recording) -> None:
    """Workers made before a change of the spec run the old image: that is said."""
    case = recording("ready")
    case["cluster"]["spec"]["workerGroupSpecs"][0]["template"]["spec"]["containers"][0]["image"] = "new:1"
    assert "some run another image than new ones will: rayproject/ray:2.52.0" in described(case)


def test_nothing_foreign_is_obeyed(recording: Recording) -> None:
    """Text of the server never moves the cursor."""
    case = recording("worker-quota")
    case["cluster"]["spec"]["rayVersion"] = "2\x1b[2J"
    case["cluster"]["status"]["conditions"][0]["message"] = "FailedCreateWorkerPod\nx\x1b[31m\x07"
    case["events"][0]["message"] = "evil\x1b]0;title\x07"
    case["pods"][0]["metadata"]["name"] = "\x1b[5m"
    text = described(case)
    assert text.replace("\n", "").isprintable()


def test_events_are_folded(recording: Recording) -> None:
    """What repeats is one line with a count: texts that differ in generated names only are the same thing."""
    case = recording("worker-quota")
    cluster = cluster_of(case)
    found = happenings.fold(cluster, happenings.about(cluster, pods_of(case), map(Event, case["events"])))
    failed = [each for each in found if each.reason == "FailedToCreateWorkerPod"]
    assert len(failed) == 1
    assert failed[0].count > 9
    assert "(combined from similar events)" not in failed[0].message
    assert len({(each.about[0], each.reason, each.message) for each in found}) == len(found)
    assert len(found) < len(case["events"])


def test_refused(recording: Recording) -> None:
    """A spec that the operator refused: its words are the reason, as long as the event lasts."""
    case = recording("bad-minmax")
    assert "Reason:       The RayCluster spec is invalid" in described(case)
    case["events"] = []
    assert "Reason:" not in described(case)


def test_how_a_container_ended(recording: Recording) -> None:
    """The operator's Go struct is cut down to what a person reads."""
    text = described(recording("ready"))
    assert "ContainerStateTerminated" not in text
    assert "exit code 1 Error" in " ".join(text.split())


def test_events_of_others_are_left_out(recording: Recording) -> None:
    """An older cluster of the same name, another cluster's pods, and pods older than this cluster are not meant."""
    case = recording("ready")
    cluster = cluster_of(case)
    events = [
        {"involvedObject": {"kind": "RayCluster", "name": "lc", "uid": "old"}, "reason": "OldCluster"},
        {"involvedObject": {"kind": "RayCluster", "name": "lc", "uid": cluster.uid}, "reason": "This"},
        {"involvedObject": {"kind": "RayCluster", "name": "lc2"}, "reason": "Other"},
        {"involvedObject": {"kind": "Pod", "name": "lc-head-qtm7p"}, "reason": "Head"},
        {"involvedObject": {"kind": "Pod", "name": "lc-wg-worker-zzzz4"}, "reason": "GoneWorker"},
        {"involvedObject": {"kind": "Pod", "name": "lc-more-head-zzzz4"}, "reason": "OtherHead"},
        {
            "involvedObject": {"kind": "Pod", "name": "lc-wg-worker-zzzz5"},
            "reason": "OldWorker",
            "lastTimestamp": "2020-01-01T00:00:00Z",
        },
        {"involvedObject": {"kind": "Service", "name": "lc-head-svc"}, "reason": "Service"},
    ]
    reasons = [event.reason for event in happenings.about(cluster, pods_of(case), map(Event, events))]
    assert reasons == ["This", "Head", "GoneWorker"]


def test_only_the_newest(recording: Recording) -> None:
    """Fifteen things are enough; the rest is counted."""
    case = recording("ready")
    cluster = cluster_of(case)
    about = {"kind": "RayCluster", "name": "lc", "uid": cluster.uid}
    events = [
        Event(
            {
                "involvedObject": about,
                "reason": f"R{at:02d}",
                "message": "x",
                "lastTimestamp": f"2026-11-23T12:00:{at:02d}Z",
            }
        )
        for at in range(19)
    ]
    lines = list(happenings.lines(cluster, [], events, now_of(case)))
    assert len(lines) == 16
    assert "R18: x" in lines[0]
    assert lines[-1].strip() == "… and 4 older"


@settings(max_examples=200)
@given(mangled(CASE["cluster"]), mangled(CASE["pods"][0]), mangled(CASE["events"][0]))
def test_never_raises(cluster: object, pod: object, event: object) -> None:
    """Whatever the objects hold, there is a page of printable lines."""
    for pods in (None, [], [Pod(pod)]):
        text = page(Cluster(cluster), pods, [Event(event)], 1e9)
        assert text.replace("\n", "").isprintable()
