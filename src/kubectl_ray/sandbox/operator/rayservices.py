"""RayServices: a cluster that serves, its applications kept as the spec says, and a new cluster put in its place.

Source of order, times and texts: the KubeRay operator v1.6.2 with its gates as they are by default (no incremental
upgrade), as recorded.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from kubectl_ray.sandbox.api import kinds
from kubectl_ray.sandbox.api.refusals import Refused
from kubectl_ray.sandbox.operator import naming
from kubectl_ray.sandbox.operator import rayservices_objects as bodies
from kubectl_ray.sandbox.operator import rayservices_serve as serve
from kubectl_ray.sandbox.operator import rayservices_status as told
from kubectl_ray.sandbox.operator.dashboard import NoAnswer
from kubectl_ray.sandbox.operator.parents import (
    as_written,
    drop_finalizer,
    head_pod,
    keep_service,
    key_of,
    origin_labels,
    owner_key,
    stable_head_service,
    with_letters,
)
from kubectl_ray.sandbox.operator.rayservices_validation import fault
from kubectl_ray.sandbox.operator.services import NoServePortError
from kubectl_ray.sandbox.operator.stepwise import Stepwise

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kubectl_ray.sandbox.api.objects import Objects
    from kubectl_ray.sandbox.api.store import Change, Object
    from kubectl_ray.sandbox.operator.dashboard import Access
    from kubectl_ray.sandbox.operator.parents import Key

POLL = 2.0
"""Seconds after which a RayService is looked at again."""

DELETION_DELAY = 60
"""Seconds that a replaced cluster lives on, where the RayService does not say."""

FINALIZER = "ray.io/rayservice-finalizer"
COMPONENT = "rayservice-controller"


class RayServices(Stepwise):
    """The controller of RayServices."""

    kind = kinds.RAY_SERVICES
    component = COMPONENT
    longest = POLL
    failures = (Refused, NoAnswer, NoServePortError)

    def __init__(self, objects: Objects, access: Access) -> None:
        super().__init__(objects, access)
        self._given: dict[str, str] = {}
        """What Serve was given last, by the uid of the cluster."""
        self._due: dict[str, float] = {}
        """When a cluster that serves no more is deleted, by its uid, in seconds since 1970."""

    def keys(self, change: Change) -> Iterable[Key]:
        """The RayService where its spec, labels or annotations changed, or that which owns a cluster or service."""
        if change.kind is kinds.RAY_SERVICES:
            return () if change.what == "MODIFIED" and not _worth(change) else (key_of(change.object),)
        if change.kind is kinds.RAY_CLUSTERS and change.what == "DELETED":
            for memory in (self._given, self._due):
                memory.pop(change.object["metadata"]["uid"], None)
        if change.kind not in {kinds.RAY_CLUSTERS, kinds.SERVICES}:
            return ()
        owner = owner_key(change, "RayService")
        return () if owner is None else (owner,)

    async def _step(self, service: Object) -> float | None:
        status = told.read(service)
        left = self._clean(service, status)
        if service["metadata"].get("deletionTimestamp"):
            if left:
                return POLL
            if FINALIZER in service["metadata"].get("finalizers", ()):
                self._objects.edit(kinds.RAY_SERVICES, *key_of(service), _drop_finalizer)
            return None
        if FINALIZER not in service["metadata"].get("finalizers", ()):
            self._objects.edit(kinds.RAY_SERVICES, *key_of(service), _add_finalizer)
            return POLL
        wrong = fault(service)
        if wrong is not None:
            namespace, name = key_of(service)
            self._tell(service, "Warning", wrong.reason, f"{namespace}/{name}: {wrong.text}")
            told.set_condition(status, self._objects.now(), "Ready", "False", "ValidationFailed", wrong.text)
            self._write(service, status)
            return None
        if (told.condition(status, "Ready") or {}).get("reason") == told.TIMED_OUT:
            return POLL if left else None
        await self._work(service, status)
        return POLL

    async def _work(self, service: Object, status: Object) -> None:
        active, pending = self._clusters(service, status)
        for cluster in (active, pending):
            if cluster is not None:
                await self._label_head(service, cluster)
        ready: Object | None = None
        applications: dict[str, dict[str, Object]] = {}
        if pending is not None:
            running, applications[told.PENDING] = await self._serve(service, pending)
            ready = pending if running else None
        elif active is not None and not bodies.to_replace(service, active, None):
            running, applications[told.ACTIVE] = await self._serve(service, active)
            ready = active if running else None
        if ready is not None:
            self._lead(service, ready)
            # The endpoints are counted below: who keeps them gets its turn first, as in a real cluster, where this
            # operator's writes take longer than that.
            await asyncio.sleep(0)
        status["observedGeneration"] = service["metadata"]["generation"]
        told.tell_side(status, told.ACTIVE, active, applications.get(told.ACTIVE))
        told.tell_side(status, told.PENDING, pending, applications.get(told.PENDING))
        serving = ready is not None and ready is pending
        if ready is not None:
            told.promote(status, ready["metadata"]["name"])
        if not serving and bodies.to_replace(service, active, pending):
            status[told.PENDING] = {**told.read({})[told.PENDING], "rayClusterName": with_letters(key_of(service)[1])}
        self._conclude(service, status)

    def _conclude(self, service: Object, status: Object) -> None:
        namespace, name = key_of(service)
        own = (service["spec"].get("serveService") or {}).get("metadata") or {}
        found = told.endpoints(self._objects, namespace, own.get("name") or f"{name}-serve-svc")
        status.pop("numServeEndpoints", None)
        if found:
            status["numServeEndpoints"] = found
        warning = told.conclude(service, status, self._objects.clock(), self._objects.now())
        if warning is not None:
            self._tell(service, "Warning", "RayServiceInitializingTimeout", warning)
        if told.differs(told.read(service), status):
            self._write(service, status)

    def _clusters(self, service: Object, status: Object) -> tuple[Object | None, Object | None]:
        """The active and the pending cluster, made or changed as the spec wants.

        Raises:
            Refused: one can be neither made nor changed.
        """
        namespace = service["metadata"]["namespace"]
        name = told.cluster_name(status, told.PENDING)
        active = self._objects.find(kinds.RAY_CLUSTERS, namespace, told.cluster_name(status, told.ACTIVE))
        pending = self._objects.find(kinds.RAY_CLUSTERS, namespace, name) if name else None
        if name and pending is None:
            return active, self._make(service, name)
        if bodies.to_update(service, active, active=True) and active is not None:
            active = self._update(service, active, "active")
        if bodies.to_update(service, pending, active=False) and pending is not None:
            pending = self._update(service, pending, "pending")
        return active, pending

    def _make(self, service: Object, name: str) -> Object:
        namespace = service["metadata"]["namespace"]
        try:
            made = self._objects.create(kinds.RAY_CLUSTERS, bodies.construct(service, name), namespace)
        except Refused as refused:
            text = f"Failed to create the RayCluster {namespace}/{name}: {refused}"
            self._tell(service, "Warning", "FailedToCreateRayCluster", text)
            raise
        self._tell(service, "Normal", "CreatedRayCluster", f"Created the RayCluster {namespace}/{name}")
        return made

    def _update(self, service: Object, cluster: Object, side: str) -> Object:
        namespace, name = key_of(cluster)
        goal = bodies.construct(service, name)

        def change(held: Object) -> None:
            held["spec"] = goal["spec"]
            held["metadata"] |= {part: goal["metadata"][part] for part in ("labels", "annotations")}

        try:
            changed = self._objects.edit(kinds.RAY_CLUSTERS, namespace, name, change)
        except Refused as refused:
            text = f"Failed to update the {side} RayCluster {namespace}/{name}: {refused}"
            self._tell(service, "Warning", "FailedToUpdateRayCluster", text)
            raise
        self._tell(service, "Normal", "UpdatedRayCluster", f"Updated the {side} RayCluster {namespace}/{name}")
        return changed

    async def _label_head(self, service: Object, cluster: Object) -> None:
        """Say at the head's pod whether its Serve proxy answers: that puts it behind the serve service."""
        pod = head_pod(self._objects, cluster)
        if pod is None:
            raise NoAnswer(f"found 0 head. cluster name {cluster['metadata']['name']}")
        namespace, name = key_of(pod)
        healthy = False
        if not service["spec"].get("excludeHeadPodFromServeSvc"):
            healthy = await self._access.serves(cluster)
        label = "true" if healthy else "false"
        if pod["metadata"].get("labels", {}).get(naming.SERVE) == label:
            return

        def change(held: Object) -> None:
            held["metadata"].setdefault("labels", {})[naming.SERVE] = label

        try:
            self._objects.edit(kinds.PODS, namespace, name, change)
        except Refused as refused:
            text = f'Failed to update the serve label to "{label}" for the Head Pod {namespace}/{name}: {refused}'
            self._tell(service, "Warning", "FailedToUpdateHeadPodServeLabel", text)
            raise
        text = f'Updated the serve label to "{label}" for the Head Pod {namespace}/{name}'
        self._tell(service, "Normal", "UpdatedHeadPodServeLabel", text)

    async def _serve(self, service: Object, cluster: Object) -> tuple[bool, dict[str, Object]]:
        """Give Serve what it does not have yet; whether all applications run, and how each is.

        Raises:
            NoAnswer: Serve cannot be asked, or does not take it.
        """
        conditions = (cluster.get("status") or {}).get("conditions", ())
        if not any(each["type"] == "HeadPodReady" and each["status"] == "True" for each in conditions):
            return False, {}
        dashboard = self._access.dashboard(cluster)
        running, applications = serve.statuses(await dashboard.applications())
        wanted, uid = service["spec"].get("serveConfigV2", ""), cluster["metadata"]["uid"]
        if applications and self._given.get(uid) == wanted:
            return running, applications
        namespace, name = key_of(cluster)
        try:
            await dashboard.configure(serve.read(wanted))
        except NoAnswer as error:
            text = f"Failed to update serve applications to the RayCluster {namespace}/{name}: {serve.refused(error)}"
            self._tell(service, "Warning", "FailedToUpdateServeApplications", text)
            raise
        self._given[uid] = wanted
        text = f"Updated serve applications to the RayCluster {namespace}/{name}"
        self._tell(service, "Normal", "UpdatedServeApplications", text)
        return running, applications

    def _lead(self, service: Object, cluster: Object) -> None:
        for wanted in (stable_head_service(service, cluster), bodies.serve_service(service, cluster)):
            keep_service(self._objects, wanted, lambda *said: self._tell(service, *said))

    def _clean(self, service: Object, status: Object) -> bool:
        """Delete clusters that serve no more, each after its delay; whether there are any still."""
        namespace, deleted = service["metadata"]["namespace"], bool(service["metadata"].get("deletionTimestamp"))
        kept = {told.cluster_name(status, side) for side in (told.ACTIVE, told.PENDING)}
        now = self._objects.clock()
        delay = service["spec"].get("rayClusterDeletionDelaySeconds", DELETION_DELAY)
        left = False
        for cluster in self._objects.list(kinds.RAY_CLUSTERS, namespace, origin_labels(service)):
            if not deleted and cluster["metadata"]["name"] in kept:
                continue
            left = True
            due = self._due.setdefault(cluster["metadata"]["uid"], now + delay)
            if (deleted or now > due) and not cluster["metadata"].get("deletionTimestamp"):
                self._drop(service, cluster)
        return left

    def _drop(self, service: Object, cluster: Object) -> None:
        namespace, name = key_of(cluster)
        try:
            self._objects.delete(kinds.RAY_CLUSTERS, namespace, name, propagation="Background")
        except Refused as refused:
            text = f"Failed to delete the RayCluster {namespace}/{name}: {refused}"
            self._tell(service, "Warning", "FailedToDeleteRayCluster", text)
            raise
        self._tell(service, "Normal", "DeletedRayCluster", f"Deleted the RayCluster {namespace}/{name}")

    def _write(self, service: Object, status: Object) -> None:
        status["lastUpdateTime"] = self._objects.now()

        def change(held: Object) -> None:
            held["status"] = status

        version = service["metadata"]["resourceVersion"]
        self._objects.edit(kinds.RAY_SERVICES, *key_of(service), change, status=True, version=version)


def _worth(change: Change) -> bool:
    before = (change.before or {}).get("metadata", {})
    fields = ("generation", "labels", "annotations", "deletionTimestamp")
    return any(before.get(field) != change.object["metadata"].get(field) for field in fields)


def _add_finalizer(held: Object) -> None:
    held["metadata"].setdefault("finalizers", []).append(FINALIZER)
    held["spec"]["rayClusterConfig"] = as_written(held["spec"]["rayClusterConfig"])


def _drop_finalizer(held: Object) -> None:
    drop_finalizer(held, FINALIZER)
