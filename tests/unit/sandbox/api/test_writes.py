"""What a write does beside its answer: versions, generations, dry runs, what a watch sees."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from kubectl_ray.sandbox.api import kinds
from kubectl_ray.sandbox.api.events import record
from kubectl_ray.sandbox.api.objects import Objects
from kubectl_ray.sandbox.api.refusals import Refused
from kubectl_ray.sandbox.api.store import Store

if TYPE_CHECKING:
    from kubectl_ray.sandbox.api.store import Change

Object = dict[str, Any]
NOW = 1_000_000_000.0


@pytest.fixture
def objects() -> Objects:
    """The namespace n; the time stands."""
    made = Objects(Store(), lambda: NOW)
    made.create(kinds.NAMESPACES, {"metadata": {"name": "n"}})
    return made


def pod(objects: Objects, name: str = "p", **spec: Any) -> Object:
    """A pod with one container."""
    body = {"metadata": {"name": name}, "spec": {"containers": [{"name": "a", "image": "i"}], **spec}}
    return objects.create(kinds.PODS, body, "n")


def cluster(objects: Objects, **meta: Any) -> Object:
    """A RayCluster c."""
    return objects.create(kinds.RAY_CLUSTERS, {"metadata": {"name": "c", **meta}, "spec": {"a": 1}}, "n")


def test_a_dry_run_keeps_nothing(objects: Objects) -> None:
    """Neither a creation nor a change nor a deletion; the answer is that of a real one."""
    tried = objects.create(kinds.SECRETS, {"metadata": {"name": "s"}}, "n", dry_run=True)
    assert tried["type"] == "Opaque"
    assert objects.find(kinds.SECRETS, "n", "s") is None
    cluster(objects, finalizers=["a.b/c"])
    version = objects.store.version
    changed = objects.edit(kinds.RAY_CLUSTERS, "n", "c", lambda held: held["spec"].update(a=2), dry_run=True)
    assert changed["metadata"]["generation"] == 2
    marked = objects.delete(kinds.RAY_CLUSTERS, "n", "c", dry_run=True)
    assert marked is not None
    assert marked["metadata"]["deletionTimestamp"]
    assert objects.store.version == version
    assert objects.get(kinds.RAY_CLUSTERS, "n", "c")["spec"] == {"a": 1}


def test_a_dry_run_is_refused_as_a_real_one(objects: Objects) -> None:
    """A wrong name, or one that is taken."""
    cluster(objects)
    with pytest.raises(Refused, match="already exists"):
        objects.create(kinds.RAY_CLUSTERS, {"metadata": {"name": "c"}}, "n", dry_run=True)


def test_nothing_is_written_when_nothing_changed(objects: Objects) -> None:
    """The version stays."""
    before = cluster(objects)
    assert objects.edit(kinds.RAY_CLUSTERS, "n", "c", lambda held: held["spec"].update(a=1)) is before


def test_the_status_has_its_own_way(objects: Objects) -> None:
    """A plain write leaves it, a write of the status leaves all else; only the spec is counted."""
    cluster(objects)

    def both(held: Object) -> None:
        held["status"] = {"state": "ready"}
        held["spec"] = {"a": 2}

    plain = objects.edit(kinds.RAY_CLUSTERS, "n", "c", both)
    assert (plain.get("status"), plain["spec"], plain["metadata"]["generation"]) == (None, {"a": 2}, 2)
    objects.edit(kinds.RAY_CLUSTERS, "n", "c", lambda held: held["spec"].update(a=3))
    status = objects.edit(kinds.RAY_CLUSTERS, "n", "c", both, status=True)
    assert (status["status"], status["spec"], status["metadata"]["generation"]) == ({"state": "ready"}, {"a": 3}, 3)


def test_an_old_version_is_refused(objects: Objects) -> None:
    """409 with the words that clients know."""
    before = cluster(objects)
    objects.edit(kinds.RAY_CLUSTERS, "n", "c", lambda held: held["spec"].update(a=2))
    version = before["metadata"]["resourceVersion"]
    with pytest.raises(Refused, match="the object has been modified; please apply your changes") as caught:
        objects.edit(kinds.RAY_CLUSTERS, "n", "c", lambda held: held["spec"].update(a=3), version=version)
    assert caught.value.code == 409


def test_what_a_watch_sees_of_a_pods_end(objects: Objects) -> None:
    """Marked, then marked with no time left, then gone."""
    pod(objects, nodeName="m")
    seen: list[tuple[str, Any]] = []

    def note(change: Change) -> None:
        seen.append((change.what, change.object["metadata"].get("deletionGracePeriodSeconds")))

    objects.store.listen(note)
    objects.delete(kinds.PODS, "n", "p")
    objects.delete(kinds.PODS, "n", "p", grace=0)
    assert seen == [("MODIFIED", 30), ("MODIFIED", 0), ("DELETED", 0)]


def test_when_a_pod_is_to_be_gone(objects: Objects) -> None:
    """The time of its deletion is the end of its grace period; a shorter one moves it back."""
    pod(objects, nodeName="m", terminationGracePeriodSeconds=20)
    first = objects.delete(kinds.PODS, "n", "p")
    second = objects.delete(kinds.PODS, "n", "p", grace=5)
    assert first is not None
    assert second is not None
    assert first["metadata"]["deletionTimestamp"] == "2001-09-09T01:47:00Z"
    assert second["metadata"]["deletionTimestamp"] == "2001-09-09T01:46:45Z"


def test_a_pod_that_has_ended_goes_at_once(objects: Objects) -> None:
    """Nothing runs any more."""
    pod(objects, nodeName="m")
    objects.edit(kinds.PODS, "n", "p", lambda held: held["status"].update(phase="Failed"), status=True)
    assert objects.delete(kinds.PODS, "n", "p") is None


def test_the_last_finalizer(objects: Objects) -> None:
    """An object that is being deleted goes with it; one that is not stays."""
    cluster(objects, finalizers=["a.b/c"])
    objects.edit(kinds.RAY_CLUSTERS, "n", "c", lambda held: held["metadata"].update(finalizers=[]))
    assert objects.find(kinds.RAY_CLUSTERS, "n", "c") is not None
    objects.edit(kinds.RAY_CLUSTERS, "n", "c", lambda held: held["metadata"].update(finalizers=["a.b/c"]))
    objects.delete(kinds.RAY_CLUSTERS, "n", "c")
    objects.edit(kinds.RAY_CLUSTERS, "n", "c", lambda held: held["metadata"].pop("finalizers"))
    assert objects.find(kinds.RAY_CLUSTERS, "n", "c") is None


def test_what_happens_to_dependents_when_nothing_is_said(objects: Objects) -> None:
    """A job leaves its pods behind, other kinds do not; in-process callers say what they want."""
    template = {"spec": {"restartPolicy": "Never", "containers": [{"name": "a", "image": "i"}]}}
    for name in ("j", "k"):
        objects.create(kinds.JOBS, {"metadata": {"name": name}, "spec": {"template": template}}, "n")
    left = objects.delete(kinds.JOBS, "n", "j", propagation="")
    assert left is not None
    assert left["metadata"]["finalizers"] == ["orphan"]
    assert objects.delete(kinds.JOBS, "n", "k") is None
    cluster(objects)
    assert objects.delete(kinds.RAY_CLUSTERS, "n", "c", propagation="") is None


def test_generated_names(objects: Objects) -> None:
    """Five letters behind what is asked for, which is cut so that all of it is no longer than 63."""
    made = objects.create(kinds.SECRETS, {"metadata": {"generateName": "x" * 70}}, "n")
    assert (len(made["metadata"]["name"]), made["metadata"]["name"][:58]) == (63, "x" * 58)


def test_the_scheduler_may_place_a_pod_once(objects: Objects) -> None:
    """A pod that has a node keeps it."""
    pod(objects)
    placed = objects.edit(kinds.PODS, "n", "p", lambda held: held["spec"].update(nodeName="m"))
    assert (placed["spec"]["nodeName"], placed["metadata"]["generation"]) == ("m", 1)
    with pytest.raises(Refused, match="pod updates may not change fields"):
        objects.edit(kinds.PODS, "n", "p", lambda held: held["spec"].update(nodeName="other"))


def test_the_image_of_a_pod_may_change(objects: Objects) -> None:
    """And nothing else of its container."""
    pod(objects)
    changed = objects.edit(kinds.PODS, "n", "p", lambda held: held["spec"]["containers"][0].update(image="other"))
    assert changed["spec"]["containers"][0]["image"] == "other"
    with pytest.raises(Refused, match="pod updates may not change fields"):
        objects.edit(kinds.PODS, "n", "p", lambda held: held["spec"]["containers"][0].update(command=["x"]))


def test_events_have_two_faces(objects: Objects) -> None:
    """`events.k8s.io` shows, takes and changes the same objects as the core API."""
    about = cluster(objects)
    record(objects, about, "Normal", "A", "text", "x")
    (shown,) = objects.list(kinds.NEW_EVENTS, "n")
    name = shown["metadata"]["name"]
    assert (shown["apiVersion"], shown["note"]) == ("events.k8s.io/v1", "text")
    objects.edit(kinds.NEW_EVENTS, "n", name, lambda event: event.update(note="other"))
    assert objects.get(kinds.EVENTS, "n", name)["message"] == "other"
    body = {"metadata": {"name": "e"}, "regarding": {"name": "c"}, "note": "made", "reason": "R", "action": "A"}
    objects.create(kinds.NEW_EVENTS, body, "n")
    assert objects.get(kinds.EVENTS, "n", "e")["involvedObject"] == {"name": "c"}
    objects.delete(kinds.NEW_EVENTS, "n", "e")
    assert objects.find(kinds.NEW_EVENTS, "n", "e") is None


def test_an_objects_own_list_is_not_shared(objects: Objects) -> None:
    """What the caller does with its body later changes nothing."""
    body: Object = {"metadata": {"name": "s", "labels": {"a": "b"}}}
    objects.create(kinds.SECRETS, body, "n")
    body["metadata"]["labels"]["a"] = "c"
    assert objects.list(kinds.SECRETS, "n", {"a": "b"})
