"""A Cloud Storage bucket in a pod, by GKE's Cloud Storage FUSE driver.

Source: Google Kubernetes Engine, "Cloud Storage FUSE CSI driver": ephemeral volumes, annotations of the sidecar.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from kubectl_ray.manifests.shape import GcsFuse

DRIVER = "gcsfuse.csi.storage.gke.io"
VOLUME = "cluster-storage"


def mount(bucket: GcsFuse, template: dict[str, Any]) -> dict[str, Any]:
    """The pod template with the bucket in its Ray container."""
    attributes = {"bucketName": bucket.bucket or ""}
    if bucket.mount_options:
        attributes["mountOptions"] = bucket.mount_options
    for name, value in (
        ("disableMetrics", bucket.disable_metrics),
        ("gcsfuseMetadataPrefetchOnMount", bucket.metadata_prefetch),
        ("skipCSIBucketAccessCheck", bucket.skip_access_check),
    ):
        if value is not None:
            attributes[name] = "true" if value else "false"
    spec = template["spec"]
    first, *others = spec["containers"]
    first = {**first, "volumeMounts": [{"name": VOLUME, "mountPath": bucket.mount_path or ""}]}
    volume = {"name": VOLUME, "csi": {"driver": DRIVER, "volumeAttributes": attributes}}
    return {
        "metadata": {"annotations": _annotations(bucket)},
        "spec": {**spec, "containers": [first, *others], "volumes": [volume]},
    }


def _annotations(bucket: GcsFuse) -> dict[str, str]:
    """The first one makes GKE add the sidecar at all; the others are its sizes."""
    found = {"gke-gcsfuse/volumes": "true"}
    if bucket.cpu:
        found["gke-gcsfuse/cpu-request"] = bucket.cpu
    if bucket.memory:
        found["gke-gcsfuse/memory-limit"] = found["gke-gcsfuse/memory-request"] = bucket.memory
    if bucket.ephemeral_storage:
        found["gke-gcsfuse/ephemeral-storage-limit"] = bucket.ephemeral_storage
        found["gke-gcsfuse/ephemeral-storage-request"] = bucket.ephemeral_storage
    return found
