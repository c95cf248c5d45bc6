"""Creates and deletes what belongs to a cluster, and writes the events about it.

Source: KubeRay v1.6.2, `raycluster_controller.go`; texts of events are the operator's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_ray.sandbox.api import kinds
from kubectl_ray.sandbox.api.events import record
from kubectl_ray.sandbox.api.refusals import Refused
from kubectl_ray.sandbox.operator import naming, pod_state, pods
from kubectl_ray.sandbox.operator.expectations import HEAD_GROUP, Expectations
from kubectl_ray.sandbox.operator.failures import ReconcileError, of_pods

if TYPE_CHECKING:
    from kubectl_ray.sandbox.api.kinds import Kind
    from kubectl_ray.sandbox.api.objects import Objects
    from kubectl_ray.sandbox.api.store import Object

COMPONENT = "raycluster-controller"
NOT_FOUND, CONFLICT = 404, 409

_CREATED = {
    kinds.SERVICE_ACCOUNTS: ("ServiceAccount", "service account"),
    kinds.ROLES: ("Role", "role"),
    kinds.ROLE_BINDINGS: ("RoleBinding", "role binding"),
    kinds.SERVICES: ("Service", "service"),
}


class Making:
    """What is done for one cluster in one reconciliation."""

    def __init__(self, objects: Objects, expectations: Expectations, cluster: Object) -> None:
        self.objects = objects
        self.expectations = expectations
        self.cluster = cluster
        self.namespace: str = cluster["metadata"]["namespace"]
        self.name: str = cluster["metadata"]["name"]

    @property
    def key(self) -> tuple[str, str]:
        """Namespace and name."""
        return self.namespace, self.name

    def tell(self, reason: str, message: str, *, warning: bool = False) -> None:
        """Write an event about the cluster."""
        record(self.objects, self.cluster, "Warning" if warning else "Normal", reason, message, COMPONENT)

    def pods(self, **labels: str) -> list[Object]:
        """The cluster's pods with these labels: `group`, `node_type`; those that are ending, too."""
        wanted = {naming.CLUSTER: self.name}
        wanted |= {{"group": naming.GROUP, "node_type": naming.NODE_TYPE}[key]: labels[key] for key in labels}
        return self.objects.list(kinds.PODS, self.namespace, wanted)

    def create(self, kind: Kind, body: Object, *, shared: bool = False) -> None:
        """Create what is no pod; `shared`: it may be there already, from somebody else.

        Raises:
            ReconcileError: the API server refuses.
        """
        reason, words = _CREATED[kind]
        place = f"{self.namespace}/{body['metadata']['name']}"
        try:
            self.objects.create(kind, body, self.namespace)
        except Refused as refused:
            if shared and refused.code == CONFLICT:
                return
            message = f"Failed creating {words} {place}, {refused.message}"
            self.tell(f"FailedToCreate{reason}", message, warning=True)
            raise ReconcileError(refused.message) from refused
        self.tell(f"Created{reason}", f"Created {words} {place}")

    def create_head(self) -> None:
        """A new head pod.

        Raises:
            ReconcileError: the API server refuses; the status tells of it.
        """
        try:
            made = self.objects.create(kinds.PODS, pods.head_pod(self.cluster), self.namespace)
        except Refused as refused:
            message = f"Failed to create head Pod {self.namespace}/, {refused.message}"
            self.tell("FailedToCreateHeadPod", message, warning=True)
            raise of_pods("FailedCreateHeadPod", refused) from refused
        self.tell("CreatedHeadPod", f"Created head Pod {self.namespace}/{made['metadata']['name']}")

    def create_worker(self, group: Object, *, index: int, replica: str = "", host: int = 0) -> None:
        """A new worker pod.

        Raises:
            ReconcileError: the API server refuses; the status tells of it.
        """
        body = pods.worker_pod(self.cluster, group, index=index, replica=replica, host=host)
        try:
            made = self.objects.create(kinds.PODS, body, self.namespace)
        except Refused as refused:
            place = f"{self.namespace}/{self.name}"
            message = f"Failed to create worker Pod for the cluster {place}, {refused.message}"
            self.tell("FailedToCreateWorkerPod", message, warning=True)
            raise of_pods("FailedCreateWorkerPod", refused) from refused
        self.tell("CreatedWorkerPod", f"Created worker Pod {self.namespace}/{made['metadata']['name']}")

    def delete_head(self, head: Object) -> None:
        """The head came to an end: away with it.

        Raises:
            ReconcileError: the API server refuses; the status tells of it.
        """
        name, end = head["metadata"]["name"], pod_state.end_text(head)
        try:
            self._delete(name)
        except Refused as refused:
            message = f"Failed deleting head Pod {self.namespace}/{name}; {end}, {refused.message}"
            self.tell("FailedToDeleteHeadPod", message, warning=True)
            raise of_pods("FailedDeleteHeadPod", refused) from refused
        self.expectations.expect_gone(self.key, HEAD_GROUP, name)
        self.tell("DeletedHeadPod", f"Deleted head Pod {self.namespace}/{name}; {end}")

    def delete_worker(self, group: str, name: str, *, told: str, failed: str = "", must_be_there: bool = True) -> bool:
        """Delete a worker pod; `told` is the event's message, False where the pod is not there.

        Raises:
            ReconcileError: the API server refuses; the status tells of it.
        """
        try:
            self._delete(name)
        except Refused as refused:
            if refused.code == NOT_FOUND and not must_be_there:
                return False
            message = f"{failed or f'Failed deleting pod {self.namespace}/{name}'}, {refused.message}"
            self.tell("FailedToDeleteWorkerPod", message, warning=True)
            raise of_pods("FailedDeleteWorkerPod", refused) from refused
        self.expectations.expect_gone(self.key, group, name)
        self.tell("DeletedWorkerPod", told)
        return True

    def delete_all(self, pods_of: list[Object]) -> None:
        """Delete all these pods, unless all of them are ending already.

        Raises:
            Refused: the API server refuses.
        """
        if all("deletionTimestamp" in pod["metadata"] for pod in pods_of):
            return
        for pod in pods_of:
            try:
                self._delete(pod["metadata"]["name"])
            except Refused as refused:
                if refused.code != NOT_FOUND:
                    raise

    def _delete(self, name: str) -> None:
        self.objects.delete(kinds.PODS, self.namespace, name)
