"""The controller of RayClusters.

Source: KubeRay v1.6.2, `raycluster_controller.go`, with its default feature gates and what was recorded of it. Not
offered: an Ingress, a batch scheduler, and the clean-up of a fault tolerant head's store when a cluster is deleted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_ray.sandbox.api import kinds
from kubectl_ray.sandbox.api.refusals import Refused
from kubectl_ray.sandbox.operator import (
    conditions,
    naming,
    pod_state,
    services,
    spec,
    status,
    validation,
)
from kubectl_ray.sandbox.operator.expectations import HEAD_GROUP, Expectations
from kubectl_ray.sandbox.operator.failures import ReconcileError, of_pods
from kubectl_ray.sandbox.operator.making import Making
from kubectl_ray.sandbox.operator.pace import Pace
from kubectl_ray.sandbox.operator.worker_groups import reconcile_group

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

    from kubectl_ray.sandbox.api.objects import Objects
    from kubectl_ray.sandbox.api.store import Change, Object

OPERATOR = "ray.io/kuberay-operator"

SOON, LATER = 2.0, 300.0
"""Seconds to the next look after a status was written, and when nothing is to be done."""

FIRST_RETRY, LAST_RETRY = 0.005, 1000.0
"""Seconds after the first failure, doubled with each one, and at most."""

_OWNED = (kinds.PODS, kinds.SERVICES, kinds.SECRETS)
_CREATOR_CHANGES = ("generation", "labels", "annotations")


class RayClusters:
    """Looks at a cluster when its spec, labels or annotations change, and when a thing of it does."""

    def __init__(self, objects: Objects, pace: Pace | None = None) -> None:
        self._objects = objects
        self._expectations = Expectations(objects)
        self._failures: dict[Hashable, int] = {}
        self._pace = pace or Pace()

    def keys(self, change: Change) -> Iterable[tuple[str, str]]:
        """Namespace and name of the cluster that the change is about."""
        metadata = change.object["metadata"]
        if change.kind is kinds.RAY_CLUSTERS:
            before = change.before["metadata"] if change.what == "MODIFIED" and change.before else {}
            if not before or any(before.get(field) != metadata.get(field) for field in _CREATOR_CHANGES):
                yield metadata["namespace"], metadata["name"]
        elif change.kind in _OWNED:
            for owner in metadata.get("ownerReferences", ()):
                if owner.get("controller") and owner["kind"] == "RayCluster":
                    yield metadata["namespace"], owner["name"]

    async def reconcile(self, key: Hashable) -> float | None:
        """One look; seconds to the next one."""
        namespace, name = key if isinstance(key, tuple) else ("", "")
        await self._pace.wait(key)
        cluster = self._objects.find(kinds.RAY_CLUSTERS, namespace, name)
        if cluster is None:
            self._expectations.forget((namespace, name))
            self._failures.pop(key, None)
            self._pace.forget(key)
            return None
        making = Making(self._objects, self._expectations, cluster)
        if cluster["spec"].get("managedBy", OPERATOR) != OPERATOR or _refused(making):
            return None
        if "deletionTimestamp" in cluster["metadata"]:
            return None
        try:
            written = _reconcile(making)
        except ReconcileError:
            failures = self._failures[key] = self._failures.get(key, 0) + 1
            return min(FIRST_RETRY * 2.0 ** min(failures - 1, 30), LAST_RETRY)
        self._failures.pop(key, None)
        return SOON if written else LATER


def _refused(making: Making) -> bool:
    """The cluster cannot be: an event says why, and that is all."""
    metadata, place = making.cluster["metadata"], f"{making.namespace}/{making.name}"
    fault = validation.metadata_fault(metadata)
    if fault:
        making.tell("InvalidRayClusterMetadata", f"The RayCluster metadata is invalid {place}: {fault}", warning=True)
        return True
    fault = validation.spec_fault(making.cluster["spec"], metadata.get("annotations") or {})
    if fault:
        making.tell("InvalidRayClusterSpec", f"The RayCluster spec is invalid {place}: {fault}", warning=True)
        return True
    fault = validation.upgrade_fault(making.cluster)
    if fault:
        message = f"The RayCluster UpgradeStrategy is invalid {place}: {fault}"
        making.tell("InvalidRayClusterSpec", message, warning=True)
    return bool(fault)


def _reconcile(making: Making) -> bool:
    """Make what is missing, then tell in the status what there is; whether the status was written.

    Raises:
        ReconcileError: it is not done yet; the status was written all the same, where it could be.
    """
    failure: ReconcileError | None = None
    try:
        _make_access(making)
        _make_token(making)
        _make_services(making)
        _make_pods(making)
    except ReconcileError as error:
        failure = error
    except Refused as refused:
        failure = ReconcileError(refused.message)
    try:
        written = _write_status(making, failure)
    except Refused as refused:
        raise failure or ReconcileError(refused.message) from refused
    if failure is not None:
        raise failure
    return written


def _make_access(making: Making) -> None:
    """The autoscaler's account and rights."""
    cluster, objects = making.cluster, making.objects
    if not spec.autoscaling(cluster["spec"]):
        return
    account = naming.service_account(cluster)
    if objects.find(kinds.SERVICE_ACCOUNTS, making.namespace, account) is None:
        if spec.pod_spec(cluster["spec"]["headGroupSpec"]).get("serviceAccountName") == account:
            advice = (
                "If users specify ServiceAccountName for the head Pod, they need to create a ServiceAccount "
                f"themselves. However, ServiceAccount {account} is not found. Please create one. See the PR "
                "description of https://github.com/ray-project/kuberay/pull/1128 for more details."
            )
            message = f"Failed to reconcile RayCluster {making.namespace}/{making.name}. {advice}"
            making.tell("AutoscalerServiceAccountNotFound", message, warning=True)
            raise ReconcileError(f'serviceaccounts "{account}" not found')
        making.create(kinds.SERVICE_ACCOUNTS, services.service_account(cluster), shared=True)
    for kind, body in ((kinds.ROLES, services.role(cluster)), (kinds.ROLE_BINDINGS, services.role_binding(cluster))):
        if objects.find(kind, making.namespace, making.name) is None:
            making.create(kind, body, shared=True)


def _make_token(making: Making) -> None:
    """The secret of the token, unless the user has one; also where authOptions names no mode."""
    options = making.cluster["spec"].get("authOptions")
    if options is None or options.get("mode") == "disabled" or options.get("secretName"):
        return
    if spec.kubernetes_auth(making.cluster["spec"]):
        return
    name = naming.short_name(making.name)
    if making.objects.find(kinds.SECRETS, making.namespace, name) is None:
        making.objects.create(kinds.SECRETS, services.token_secret(making.cluster), making.namespace)


def _make_services(making: Making) -> None:
    """Head service, service of replicas of several hosts, serve service."""
    cluster, objects = making.cluster, making.objects
    found = _head_services(making)
    if len(found) > 1:
        raise ReconcileError(f"{len(found)} head service found")
    if not found:
        making.create(kinds.SERVICES, services.head_service(cluster))
    several = any(spec.hosts(group) > 1 for group in spec.groups(cluster["spec"]))
    if several and not objects.list(kinds.SERVICES, making.namespace, {naming.HEADLESS: making.name}):
        making.create(kinds.SERVICES, services.headless_service(cluster))
    if (cluster["metadata"].get("annotations") or {}).get(naming.SERVE_SERVICE) == "true":
        name = f"{making.name}-serve-svc"
        if objects.find(kinds.SERVICES, making.namespace, name) is None:
            try:
                body = services.serve_service(cluster)
            except services.NoServePortError as error:
                raise ReconcileError(str(error)) from error
            objects.create(kinds.SERVICES, body, making.namespace)


def _head_services(making: Making) -> list[Object]:
    labels = {
        naming.CLUSTER: making.name,
        naming.NODE_TYPE: naming.HEAD,
        naming.IDENTIFIER: naming.identifier(making.name, naming.HEAD),
    }
    return making.objects.list(kinds.SERVICES, making.namespace, labels)


def _make_pods(making: Making) -> None:
    """The head and the workers."""
    cluster = making.cluster
    seen = cluster.get("status") or {}
    phase = status.suspend_status(seen)
    if phase == status.SUSPENDING:
        _delete_everything(making, "due to suspension", "Deleted Pods")
        return
    if phase == status.SUSPENDED or spec.suspended(cluster["spec"]):
        return
    heads = making.pods(node_type=naming.HEAD)
    if _outdated(cluster, heads):
        _delete_everything(making, "due to spec change with Recreate upgradeStrategy", "Deleted all Pods")
        making.expectations.forget(making.key)
        return
    if not making.expectations.met(making.key, HEAD_GROUP):
        pass
    elif len(heads) > 1:
        names = " ".join(head["metadata"]["name"] for head in heads)
        raise ReconcileError(f"{len(heads)} head pods found [{names}]. Please delete extra head pods")
    elif heads:
        why = pod_state.hopeless(heads[0], naming.HEAD)
        if why:
            making.delete_head(heads[0])
            raise ReconcileError(why)
    else:
        keep = (cluster["metadata"].get("annotations") or {}).get(naming.KEEP_DEAD_HEAD) == "true"
        if keep and conditions.is_true(seen.get("conditions") or [], status.PROVISIONED):
            return
        making.create_head()
    for group in spec.groups(cluster["spec"]):
        reconcile_group(making, group)


def _outdated(cluster: Object, heads: list[Object]) -> bool:
    """Pods have to be made anew, for the spec is another one and the user wants that."""
    if (cluster["spec"].get("upgradeStrategy") or {}).get("type") != "Recreate" or not heads:
        return False
    made_of = (heads[0]["metadata"].get("annotations") or {}).get(naming.RECREATE_HASH, "")
    return bool(made_of) and made_of != spec.recreate_hash(cluster["spec"])


def _delete_everything(making: Making, why: str, done: str) -> None:
    place = f"for RayCluster {making.namespace}/{making.name}"
    try:
        making.delete_all(making.pods())
    except Refused as refused:
        message = f"Failed deleting Pods {why} {place}, {refused.message}"
        making.tell("FailedToDeletePodCollection", message, warning=True)
        raise of_pods("FailedDeleteAllPods", refused) from refused
    making.tell("DeletedPod", f"{done} {place} {why}")


def _write_status(making: Making, failure: ReconcileError | None) -> bool:
    """Whether there was something to write.

    Raises:
        ReconcileError: it cannot be told what the status is.
        Refused: it cannot be written.
    """
    objects, cluster = making.objects, making.cluster
    seen = status.Seen(making.pods(), making.pods(node_type=naming.HEAD), _head_services(making))
    try:
        after = status.calculate(cluster, seen, failure, objects.now())
    except ReconcileError as error:
        raise failure or error from error
    if not status.differs(cluster.get("status") or {}, after):
        return False

    def write(held: Object) -> None:
        held["status"] = after

    objects.edit(kinds.RAY_CLUSTERS, making.namespace, making.name, write, status=True)
    return True
