"""Follows the head of a target: threads that ask and watch, and one picture of what they found.

The threads only put what they get on the inbox, a queue that the caller's thread empties with `take`; the picture is
changed there and nowhere else. The threads are daemons and end within a second of `close`, or with the API client.
"""

from __future__ import annotations

import threading

from kubectl_ray.errors import KubectlRayError, NotAllowed, NotFound, NotLoggedIn, NotReady
from kubectl_ray.flows.head import choose, serves
from kubectl_ray.flows.observe import Watcher
from kubectl_ray.models.cluster import Cluster
from kubectl_ray.models.pod import CLUSTER_LABEL, NODE_TYPE_LABEL, Pod
from kubectl_ray.models.ray_job import RayJob
from kubectl_ray.models.ray_service import RayService
from kubectl_ray.models.resources import PODS, RAYCLUSTERS, RAYJOBS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from kubectl_ray.flows.head import Target
    from kubectl_ray.flows.wait import Refusal
    from kubectl_ray.kube.client import Client
    from kubectl_ray.models.resources import Resource

    Inbox = Callable[[Any], object]
    """Takes anything, from any thread, at once; `SimpleQueue().put`."""

LOOKED = 5.0
"""Seconds between two looks at a cluster that has no head."""
OWNER_LOOKED = 10.0
"""Seconds between two looks at a RayJob or RayService that may not be watched."""
ANSWERED = 10.0
"""Seconds after which a question that has no answer is asked anew, over another connection."""
AGAIN = 1.0
"""Seconds before a watch that failed is begun anew; `LOGIN` where the login or a right failed."""
LOGIN = 5.0
_NEVER = float("inf")


class _From:
    """A queue for one source: what comes from it is marked with it, so that an old one's word can be told."""

    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox

    def put(self, item: Any) -> None:
        """As a queue's."""
        self._inbox((self, item))


class Follower:
    """The head of a target as it is now; `take` and `tick` are called in one thread, and bring it up to date.

    `cluster_name` is "" while a RayJob or RayService has none. `cluster` is the RayCluster as it was last read. `pod`
    is its head, whether it runs or not. `settled`: pods were listed since the cluster's name changed; before that,
    `pod` is still the old one.
    """

    def __init__(self, api: Client, target: Target, inbox: Inbox, *, clock: Callable[[], float]) -> None:
        self.target = target
        self.cluster_name = target.name if target.resource is RAYCLUSTERS else ""
        self.cluster: Cluster | None = None
        self.pod: Pod | None = None
        self.settled = False
        self._api = api
        self._inbox = inbox
        self._clock = clock
        self._owner: RayJob | RayService | None = None
        self._pods: dict[str, Pod] = {}
        self._sources: dict[Resource, _From] = {}  # of watches
        self._askers: dict[Resource, _From] = {}
        self._watchers: dict[Resource, Watcher] = {}
        self._begin: dict[Resource, float] = {}
        self._look_at = _NEVER
        self._owner_look_at = _NEVER
        self._asked: dict[Resource, float] = {}
        self._outdated = False  # the answer about the cluster that is out may be from before what has come since
        self._uid = ""
        self._refusal: Refusal | None = None
        self._no_pods: KubectlRayError | None = None  # kept until the cluster's own answer, which says more

    def start(self) -> None:
        """Begin to look, all at once; for a RayCluster its object and its pods are asked for beside each other."""
        if self.cluster_name:
            self._watch(PODS)
            self._ask(RAYCLUSTERS)
        else:
            self._watch(self.target.resource)

    def close(self) -> None:
        """End the watches; nobody is told any more."""
        self._sources.clear()
        self._askers.clear()
        for watcher in self._watchers.values():
            watcher.over.set()
        self._watchers.clear()

    def again(self) -> None:
        """Look anew, over new connections: the network may have been gone, and the old ones may not know."""
        self._api.forget_idle()
        self._asked.clear()
        for resource in list(self._watchers):
            self._watch(resource)

    # What there is to say.

    @property
    def usable(self) -> bool:
        """The head's pod runs; whether Ray does is another question."""
        return serves(self.pod)

    @property
    def looked_at(self) -> bool:
        """Everything that can speak against going on has been looked at."""
        return self.cluster is not None and self.settled

    @property
    def suspended(self) -> bool:
        """It, or what owns it, is suspended, and nothing of it serves."""
        if self._owner is not None and self._owner.suspended:
            return True
        return self.cluster is not None and self.cluster.suspended

    @property
    def how_to_resume(self) -> str:
        """The command that resumes what is suspended."""
        kind, name = self.target.resource.singular, self.target.name
        owner = None if self.cluster is None else self.cluster.owner
        if owner is not None and owner[0] == "Kueue":
            return f"The queue {owner[1]} resumes it when there is room."
        if owner is not None:
            kind, name = owner[0].lower(), owner[1]
        inner = '{"rayClusterConfig":{"suspend":false}}' if kind == "rayservice" else '{"suspend":false}'
        patch = f'{{"spec":{inner}}}'
        return f"Resume it:  kubectl patch {kind} {name} -n {self.target.namespace} --type=merge -p '{patch}'"

    @property
    def why(self) -> str:
        """What is waited for, in words that follow "Waiting for "."""
        from kubectl_ray.diagnose import pods, waiting

        if not self.cluster_name:
            if self._owner is None or not self._owner.has_status:
                return waiting.UNNOTICED
            return f"{self.target.words} to get a Ray cluster"
        if self.cluster is None:
            return f"Ray cluster {self.cluster_name}"
        heads = list(self._pods.values())
        if not self.usable:
            return waiting.by_head(self.cluster, heads) or "the head"
        reason = pods.why(self.pod) if self.pod is not None else ""
        return f"Ray to answer on the head ({reason})" if reason else "Ray to answer on the head"

    # How it comes to know.

    @property
    def due(self) -> float:
        """When `tick` has something to do, by the clock."""
        return min([self._look_at, self._owner_look_at, *self._begin.values()])

    def tick(self) -> None:
        """Do what is due."""
        now = self._clock()
        for resource, at in list(self._begin.items()):
            if now >= at:
                del self._begin[resource]
                self._watch(resource)
        if now >= self._look_at:
            self._ask(RAYCLUSTERS)
        if now >= self._owner_look_at:
            self._ask(self.target.resource)

    def take(self, item: Any) -> bool:
        """Make sense of something from the inbox; False: it is not from here.

        Raises:
            NotFound: the target is not there (any more).
            NotReady: the operator refuses it.
            KubectlRayError: at the start, what keeps anybody from knowing more: no rights, no login, no server.
        """
        if not isinstance(item, tuple) or not isinstance(item[0], _From):
            return False
        source, (resource, kind, found) = item
        if kind in {"GOT", "FAILED"}:
            self._answered(resource, source, found)
        elif self._sources.get(resource) is source:
            if kind == "ERROR":
                self._ended(resource, found)
            elif resource is PODS:
                self._take_pods(kind, found)
            else:
                self._take_owner(kind, found)
        return True

    def _take_pods(self, kind: str, found: Any) -> None:
        before, first = self.pod, not self.settled
        if kind == "LISTED":
            pods = [Pod(raw) for raw in found]
            self._pods = {pod.name: pod for pod in pods}
            self.settled, self._no_pods = True, None
        elif kind == "DELETED":
            self._pods.pop(Pod(found).name, None)
        else:
            self._pods[Pod(found).name] = Pod(found)
        self._choose()
        if not first and _sign(before) != _sign(self.pod):
            self._ask(RAYCLUSTERS)  # it may be suspended, or gone
        self._plan()

    def _choose(self) -> None:
        self.pod = choose(self._pods.values(), self._uid)

    def _plan(self) -> None:
        """The next look at the cluster: soon while it has no head, or while its own object is not known."""
        wanted = bool(self.cluster_name) and (self.pod is None or self.cluster is None)
        self._look_at = min(self._look_at, self._clock() + LOOKED) if wanted else _NEVER

    def _take_owner(self, kind: str, found: Any) -> None:
        if kind == "LISTED" and not found and self._owner is None:
            self._ask(self.target.resource)  # the answer to that has the words
        elif kind == "DELETED" or (kind == "LISTED" and not found):
            raise self._deleted()
        else:
            self._owned(found[0] if kind == "LISTED" else found)

    def _owned(self, raw: dict[str, Any]) -> None:
        owner = (RayJob if self.target.resource is RAYJOBS else RayService)(raw)
        if self._owner is not None and owner.uid != self._owner.uid:
            raise self._deleted()
        self._owner = owner
        if owner.refused:
            raise NotReady(
                f"The KubeRay operator refuses {self.target.words}: {owner.refused}",
                hint=f"Look at it:  kubectl describe {self.target.resource.singular} {owner.name} -n {owner.namespace}",
            )
        if owner.cluster and owner.cluster != self.cluster_name:
            self.cluster_name = owner.cluster
            self.cluster, self._uid = None, ""
            self.settled = False
            self._asked.pop(RAYCLUSTERS, None)
            self._watch(PODS)
            self._ask(RAYCLUSTERS)
        elif owner.ended and self.pod is None and not owner.cluster:
            raise self._deleted()

    def _answered(self, resource: Resource, source: _From, found: Any) -> None:
        if self._askers.get(resource) is not source:
            return
        if isinstance(found, Exception) and (not isinstance(found, KubectlRayError) or isinstance(found, NotReady)):
            raise found
        self._asked.pop(resource, None)
        if resource is not RAYCLUSTERS:
            self._owner_answered(found)
            return
        if isinstance(found, KubectlRayError):
            self._no_cluster(found)
        else:
            self._clustered(Cluster(found))
        if self._no_pods is not None:
            raise self._no_pods
        self._look_at = _NEVER
        self._plan()
        if self._outdated:
            self._ask(resource)

    def _owner_answered(self, found: Any) -> None:
        if isinstance(found, NotFound):
            raise found if self._owner is None else self._deleted()
        if isinstance(found, KubectlRayError):
            self._not_told(found, known=self._owner is not None)
        else:
            self._owned(found)
        if self._owner_look_at < _NEVER:
            self._owner_look_at = self._clock() + OWNER_LOOKED

    def _clustered(self, cluster: Cluster) -> None:
        if self._uid and cluster.uid != self._uid and self._owner is None:
            raise self._deleted()
        self.cluster, self._uid = cluster, cluster.uid
        self._choose()
        if cluster.deleting and self.pod is None and self._owner is None:
            raise self._deleted()

    def _no_cluster(self, error: KubectlRayError) -> None:
        """The RayCluster was asked for in vain."""
        if not isinstance(error, NotFound):
            self._not_told(error, known=self.cluster is not None)
        elif self._owner is None:
            raise error if self.cluster is None else self._deleted()
        elif self._owner.ended and not self._owner.suspended:
            raise NotFound(
                f"The Ray cluster of {self.target.words} is gone: the job has ended ({self._owner.deployment_status})."
                if isinstance(self._owner, RayJob)
                else f"The Ray cluster of {self.target.words} is gone.",
                hint=f"Look at it:  kubectl describe {self.target.resource.singular} {self.target.name}"
                f" -n {self.target.namespace}",
            )

    def _deleted(self) -> NotFound:
        plural = self.target.resource.plural
        there = f"-n {self.target.namespace}"
        listed = "kubectl ray cluster list" if self.target.resource is RAYCLUSTERS else f"kubectl get {plural}"
        return NotFound(f"{self.target.words} was deleted.", hint=f"See which there are:  {listed} {there}")

    def _ended(self, resource: Resource, error: Exception) -> None:
        """A watch ended with an error: at the start that is the end, later it is begun anew."""
        if not isinstance(error, KubectlRayError):
            raise error
        refused = isinstance(error, NotAllowed) and not isinstance(error, NotLoggedIn)
        if resource is not PODS and refused:
            if self._owner_look_at == _NEVER:  # it may not be watched: asked for now and then
                self._owner_look_at = self._clock() + OWNER_LOOKED
                self._ask(resource)
            return
        if resource is PODS and RAYCLUSTERS in self._asked and not self.settled and self.pod is None:
            self._no_pods = error  # which of the two comes first is chance
        else:
            self._not_told(error, known=self.settled if resource is PODS else self._owner is not None)
        self._begin[resource] = self._clock() + (LOGIN if isinstance(error, NotAllowed) else AGAIN)

    def _not_told(self, error: KubectlRayError, *, known: bool) -> None:
        if not known and self.pod is None:
            raise error

    # Its threads.

    def _watch(self, resource: Resource) -> None:
        old = self._watchers.pop(resource, None)
        if old is not None:
            old.over.set()
        self._begin.pop(resource, None)
        labels, fields = "", f"metadata.name={self.target.name}"
        if resource is PODS:
            labels, fields = f"{CLUSTER_LABEL}={self.cluster_name},{NODE_TYPE_LABEL}=head", ""
        source = self._sources[resource] = _From(self._inbox)
        self._watchers[resource] = Watcher(
            self._api, resource, (self.target.namespace, labels, fields), source, every=LOOKED / 2
        )
        self._watchers[resource].start()

    def _ask(self, resource: Resource) -> None:
        """GET the cluster or the owner, in a thread; one at a time, but for one that has no answer for too long."""
        now = self._clock()
        before = self._asked.get(resource, -ANSWERED)
        out = now - before < ANSWERED
        # Also where one is out: else the look stays due, and whoever waits for what is due spins.
        due = (before if out else now) + ANSWERED
        if resource is RAYCLUSTERS:
            self._look_at, self._outdated = due, out
        elif self._owner_look_at < _NEVER:
            self._owner_look_at = due
        if out:
            return
        self._asked[resource] = now
        source = self._askers[resource] = _From(self._inbox)
        name = self.cluster_name if resource is RAYCLUSTERS else self.target.name
        named = resource is self.target.resource
        threading.Thread(target=self._get, args=(source, resource, name, named), daemon=True).start()

    def _get(self, source: _From, resource: Resource, name: str, named: bool) -> None:
        namespace = self.target.namespace
        try:
            try:
                raw = self._api.get(resource, name, namespace)
            except NotFound as error:
                if error.missing_group or not named:
                    raise
                from kubectl_ray.flows.find import missing

                raise missing(self._api, name, namespace, resource) from error
            if resource is RAYCLUSTERS:
                self._check(Cluster(raw))
            source.put((resource, "GOT", raw))
        except Exception as error:  # noqa: BLE001 -- raised in the caller's thread, which would wait for ever otherwise
            source.put((resource, "FAILED", error))

    def _check(self, cluster: Cluster) -> None:
        """Raise NotReady when the operator refuses this cluster, which only an event tells."""
        if cluster.has_status or cluster.managed_elsewhere:
            return
        from kubectl_ray.flows.wait import Refusal

        if self._refusal is None:
            self._refusal = Refusal(self._api, cluster.name, cluster.namespace, self._clock)
        self._refusal.check(cluster)


def _sign(pod: Pod | None) -> tuple[str, bool]:
    """Another one, or one that is being stopped now, is reason to look."""
    return ("", False) if pod is None else (pod.uid, pod.deleting)
