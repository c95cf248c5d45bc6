"""The RayCluster that a RayJob makes for itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_ray.sandbox.operator.naming import KEEP_DEAD_HEAD, owned_by
from kubectl_ray.sandbox.operator.parents import as_written, origin_labels, submission_mode
from kubectl_ray.sandbox.operator.rayjobs_submitter import sidecar

if TYPE_CHECKING:
    from kubectl_ray.sandbox.api.store import Object


def construct(job: Object, status: Object) -> Object:
    """The cluster, with the submitter in its head's pod where the job is submitted from there (SidecarMode).

    Raises:
        Unfit: the submitter's command cannot be made.
    """
    meta, mode = job["metadata"], submission_mode(job["spec"])
    annotations = dict(meta.get("annotations", {}))
    if mode == "SidecarMode":
        # The head has a container that ends: its pod may not be made anew for that.
        annotations[KEEP_DEAD_HEAD] = "true"
    labels = {**meta.get("labels", {}), **origin_labels(job), "ray.io/job-submission-mode": mode}
    made: Object = {
        "apiVersion": "ray.io/v1",
        "kind": "RayCluster",
        "metadata": {
            "name": status["rayClusterName"],
            "namespace": meta["namespace"],
            "labels": labels,
            **({"annotations": annotations} if annotations else {}),
            "ownerReferences": owned_by(job),
        },
        "spec": as_written(job["spec"]["rayClusterSpec"]),
    }
    if mode == "SidecarMode":
        pod = made["spec"]["headGroupSpec"]["template"]["spec"]
        pod["containers"].append(sidecar(job, made, status))
        pod["restartPolicy"] = "Never"
    return made
