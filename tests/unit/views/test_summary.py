"""A cluster in a line."""

from __future__ import annotations

from typing import Any

from kubectl_ray.models.cluster import Cluster
from kubectl_ray.views.summary import group_in_words, in_words, what_goes


def cluster(**metadata: Any) -> Cluster:
    """One head, two workers with a GPU each."""

    def template(cpu: str, memory: str, **more: str) -> dict[str, Any]:
        resources = {"requests": {"cpu": cpu, "memory": memory, **more}}
        return {"spec": {"containers": [{"name": "ray", "image": "rayproject/ray:2.9.3", "resources": resources}]}}

    group = {"groupName": "g", "replicas": 2, "template": template("8", "32G", **{"nvidia.com/gpu": "1"})}
    spec = {
        "rayVersion": "2.9.3",
        "headGroupSpec": {"template": template("500m", "8Gi")},
        "workerGroupSpecs": [group],
    }
    return Cluster({"metadata": {"name": "c", **metadata}, "spec": spec})


def test_what_was_sent_is_shown() -> None:
    """Versions, sizes and numbers, as the API server got them."""
    assert list(in_words(cluster())) == [
        "  Ray 2.9.3, image rayproject/ray:2.9.3",
        "  head: 500m CPU, 8Gi memory",
        "  g: 2 workers, each 8 CPU, 32G memory, 1 GPU",
    ]


def test_limits_are_shown_when_somebody_chose_them() -> None:
    """The CRD's own maximum is nobody's choice."""
    raw = cluster().raw
    raw["spec"]["workerGroupSpecs"][0] |= {"minReplicas": 1, "maxReplicas": 4}
    assert group_in_words(Cluster(raw).groups[0]) == "g: 2 workers, between 1 and 4, each 8 CPU, 32G memory, 1 GPU"


def test_a_deletion_says_what_goes() -> None:
    """Workers, GPUs, running jobs; few are named, the rest counted."""
    assert what_goes(cluster(), None, me="") == "Ray cluster c: the head and 2 workers, 2 GPUs"
    words = what_goes(cluster(), ["a", "b", "c", "d"], me="")
    assert words == "Ray cluster c: the head and 2 workers, 2 GPUs; running jobs end: a, b, c, and 1 more"


def test_anothers_cluster_is_named_as_such() -> None:
    """The creator is told, unless it is oneself."""
    annotations = {"kubectl-ray/created-by": "ann"}
    assert what_goes(cluster(annotations=annotations), [], me="bob").endswith("(created by ann)")
    assert "created by" not in what_goes(cluster(annotations=annotations), [], me="ann")


def test_a_suspended_cluster_is_said_to_be() -> None:
    """Nothing of it runs, so nothing that runs goes."""
    raw = cluster().raw
    raw["spec"]["suspend"] = True
    assert what_goes(Cluster(raw), [], me="") == "Ray cluster c: the head and 2 workers, 2 GPUs (suspended)"


def test_one_is_not_several() -> None:
    """Words go with their numbers."""
    raw = cluster().raw
    raw["spec"]["workerGroupSpecs"][0]["replicas"] = 1
    assert what_goes(Cluster(raw), [], me="") == "Ray cluster c: the head and 1 worker, 1 GPU"
