"""Names, labels and annotations of what the operator makes.

Source: KubeRay v1.6.2, `controllers/ray/utils` (constant.go, util.go), and what was recorded of it.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from kubectl_ray.sandbox.api.objects import LETTERS

if TYPE_CHECKING:
    from kubectl_ray.sandbox.api.store import Object

VERSION = "v1.6.2"
"""The operator whose behaviour this is."""

CLUSTER = "ray.io/cluster"
NODE_TYPE = "ray.io/node-type"
GROUP = "ray.io/group"
IS_NODE = "ray.io/is-ray-node"
IDENTIFIER = "ray.io/identifier"
SERVE = "ray.io/serve"
HEADLESS = "ray.io/headless-worker-svc"
REPLICA_NAME = "ray.io/worker-group-replica-name"
REPLICA_INDEX = "ray.io/worker-group-replica-index"
HOST_INDEX = "ray.io/replica-host-index"
FROM_NAME = "ray.io/originated-from-cr-name"
FROM_KIND = "ray.io/originated-from-crd"
APP_NAME = "app.kubernetes.io/name"
CREATED_BY = "app.kubernetes.io/created-by"
BY_US = {APP_NAME: "kuberay", CREATED_BY: "kuberay-operator"}
"""Labels that everything of the operator has."""

FT_ENABLED = "ray.io/ft-enabled"
STORAGE_NAMESPACE = "ray.io/external-storage-namespace"
KUBERAY_VERSION = "ray.io/kuberay-version"
RECREATE_HASH = "ray.io/upgrade-strategy-recreate-hash"
OVERWRITE_COMMAND = "ray.io/overwrite-container-cmd"
KEEP_DEAD_HEAD = "ray.io/disable-provisioned-head-restart"
SERVE_SERVICE = "ray.io/enable-serve-service"

HEAD, WORKER = "head", "worker"
HEAD_GROUP = "headgroup"

LONGEST_CLUSTER_NAME = 53
"""So that `<name>-serve-svc` is a service name."""

_LONGEST_PREFIX = 50
_LONGEST_LABEL = 63
_PUNCTUATION = "!\"#%&'()*,-./:;?@[\\]_{}"


def random_suffix() -> str:
    """Five letters, as Kubernetes' own generated names have."""
    return "".join(secrets.choice(LETTERS) for _ in range(5))


def pod_prefix(owner: str, node_type: str) -> str:
    """`metadata.generateName` of a pod; the owner is the cluster, or cluster and group."""
    return f"{owner[:_LONGEST_PREFIX]}-{node_type}-".lower()


def short_name(name: str) -> str:
    """The last 50 letters, beginning with a letter: how service accounts, roles and the token's secret are named."""
    cut = name[-_LONGEST_PREFIX:]
    return "r" + cut[1:] if cut[:1].isdigit() or cut[:1] in _PUNCTUATION else cut


def identifier(cluster: str, node_type: str) -> str:
    """The label value `<cluster>-head`, of its last 63 letters."""
    cut = f"{cluster}-{node_type}"[-_LONGEST_LABEL:]
    return "r" + cut[1:] if cut[:1] in _PUNCTUATION else cut


def head_service_name(cluster: Object) -> str:
    """The user's own name of it, else `<cluster>-head-svc`."""
    own = cluster["spec"]["headGroupSpec"].get("headService") or {}
    name: str = (own.get("metadata") or {}).get("name") or f"{cluster['metadata']['name']}-head-svc"
    return name


def head_address(cluster: Object) -> str:
    """The head service's full DNS name."""
    return f"{head_service_name(cluster)}.{cluster['metadata']['namespace']}.svc.cluster.local"


def service_account(cluster: Object) -> str:
    """The autoscaler's: the one that the head's template names, else the cluster's name. Not cut to length."""
    spec = cluster["spec"]["headGroupSpec"]["template"].get("spec") or {}
    name: str = spec.get("serviceAccountName") or cluster["metadata"]["name"]
    return name


def owned_by(owner: Object) -> list[Object]:
    """`metadata.ownerReferences` of what belongs to it."""
    return [
        {
            "apiVersion": owner["apiVersion"],
            "kind": owner["kind"],
            "name": owner["metadata"]["name"],
            "uid": owner["metadata"]["uid"],
            "controller": True,
            "blockOwnerDeletion": True,
        }
    ]


def maker(cluster: Object) -> str:
    """The kind of the user's object behind this cluster: RayCluster, RayJob or RayService."""
    kind = (cluster["metadata"].get("labels") or {}).get(FROM_KIND)
    return str(kind) if kind in {"RayJob", "RayService"} else "RayCluster"
