"""Makes a worker group have the pods that it should have.

Source: KubeRay v1.6.2, `reconcilePods` and `reconcileMultiHostWorkerGroup` in `raycluster_controller.go`.
"""

from __future__ import annotations

from itertools import count, islice
from typing import TYPE_CHECKING

from kubectl_ray.sandbox.api.refusals import Refused
from kubectl_ray.sandbox.operator import naming, pod_state, spec
from kubectl_ray.sandbox.operator.failures import ReconcileError, of_pods

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kubectl_ray.sandbox.api.store import Object
    from kubectl_ray.sandbox.operator.making import Making


def reconcile_group(making: Making, group: Object) -> None:
    """Create and delete pods of one group; nothing while deleted ones are still ending.

    Raises:
        ReconcileError: something was in the way, or it is only half done: look again.
    """
    name = group["groupName"]
    if not making.expectations.met(making.key, name):
        return
    pods = making.pods(group=name)
    if spec.suspended(group):
        _suspend(making, name, pods)
    elif spec.hosts(group) > 1:
        _reconcile_replicas(making, group, pods)
    else:
        _reconcile_pods(making, group, pods)


def _suspend(making: Making, name: str, pods: list[Object]) -> None:
    place = f"{making.namespace}/{making.name}"
    try:
        making.delete_all(pods)
    except Refused as refused:
        message = f"Failed deleting worker Pods for suspended group {name} in RayCluster {place}, {refused.message}"
        making.tell("FailedToDeleteWorkerPodCollection", message, warning=True)
        raise of_pods("FailedDeleteWorkerPod", refused) from refused
    making.tell("DeletedWorkerPod", f"Deleted all pods for suspended worker group {name} in RayCluster {place}")


def _reconcile_pods(making: Making, group: Object, pods: list[Object]) -> None:
    """A group whose replicas are single pods."""
    name, namespace = group["groupName"], making.namespace
    ended = [pod for pod in pods if pod_state.hopeless(pod, naming.WORKER)]
    for pod in ended:
        place, end = f"{namespace}/{pod['metadata']['name']}", pod_state.end_text(pod)
        told, failed = f"Deleted worker Pod {place}; {end}", f"Failed deleting worker Pod {place}; {end}"
        making.delete_worker(name, pod["metadata"]["name"], told=told, failed=failed)
    if ended:
        raise ReconcileError(f"delete {len(ended)} unhealthy worker Pods")
    chosen = {
        pod
        for pod in (group.get("scaleStrategy") or {}).get("workersToDelete") or []
        if making.delete_worker(name, pod, told=f"Deleted pod {namespace}/{pod}", must_be_there=False)
    }
    left = [pod for pod in pods if pod["metadata"]["name"] not in chosen]
    missing = spec.desired(group) - len(left)
    if missing > 0:
        for index in islice(_free_indexes(left), missing):
            making.create_worker(group, index=index)
    elif missing < 0 and not spec.autoscaling(making.cluster["spec"]):
        for pod in left[:-missing]:
            place = f"{namespace}/{pod['metadata']['name']}"
            told, failed = f"Deleted Pod {place}", f"Failed deleting Pod {place}"
            making.delete_worker(name, pod["metadata"]["name"], told=told, failed=failed, must_be_there=False)


def _reconcile_replicas(making: Making, group: Object, pods: list[Object]) -> None:
    """A group whose replicas are several pods each: a replica lives and dies as one."""
    replicas: dict[str, list[Object]] = {}
    for pod in pods:
        if naming.REPLICA_NAME in pod["metadata"]["labels"]:
            replicas.setdefault(pod["metadata"]["labels"][naming.REPLICA_NAME], []).append(pod)
    _delete_incomplete(making, group, replicas)
    whole = dict(replicas)
    for pod in pods:
        replica = pod["metadata"]["labels"].get(naming.REPLICA_NAME, "")
        why = pod_state.hopeless(pod, naming.WORKER)
        if why and replica in whole:
            _delete_replica(making, group, whole.pop(replica), why)
    _delete_chosen(making, group, replicas)
    missing = spec.desired(group) // spec.hosts(group) - len(whole)
    if missing > 0:
        for index in islice(_free_indexes(members[0] for members in whole.values()), missing):
            _create_replica(making, group, index)
    elif missing < 0 and not spec.autoscaling(making.cluster["spec"]):
        for members in islice(whole.values(), -missing):
            _delete_replica(making, group, members, "scaling down")


def _create_replica(making: Making, group: Object, index: int) -> None:
    replica = f"{group['groupName']}-{naming.random_suffix()}"
    for host in range(spec.hosts(group)):
        making.create_worker(group, index=index, replica=replica, host=host)


def _delete_incomplete(making: Making, group: Object, replicas: dict[str, list[Object]]) -> None:
    """Somebody deleted a pod: the others of its replica go, too."""
    for replica, members in replicas.items():
        if len(members) < spec.hosts(group):
            _delete_replica(making, group, members, "cleanup of incomplete multi-host group")
            raise ReconcileError(f"cleaned up incomplete replica group {replica}, requeueing")


def _delete_chosen(making: Making, group: Object, replicas: dict[str, list[Object]]) -> None:
    """The autoscaler, or the user, named pods: their whole replicas go."""
    named = set((group.get("scaleStrategy") or {}).get("workersToDelete") or [])
    going = [pod for each in replicas.values() if any(_name(member) in named for member in each) for pod in each]
    if going:
        _delete_replica(making, group, going, "autoscaler scale-down request")
        raise ReconcileError(f"deleted {len(going)} worker Pods based on ScaleStrategy, requeueing")


def _delete_replica(making: Making, group: Object, members: list[Object], why: str) -> None:
    for pod in members:
        place = f"worker Pod {making.namespace}/{_name(pod)} for group {group['groupName']}"
        told, failed = f"Deleted {place}: {why}", f"Failed deleting {place}; {pod_state.end_text(pod)}"
        making.delete_worker(group["groupName"], _name(pod), told=told, failed=failed, must_be_there=False)


def _name(pod: Object) -> str:
    return str(pod["metadata"]["name"])


def _free_indexes(pods: Iterable[Object]) -> Iterable[int]:
    """Replica numbers that no pod has, from 0 on."""
    taken = {pod["metadata"]["labels"].get(naming.REPLICA_INDEX) for pod in pods}
    return (index for index in count() if str(index) not in taken)
