"""Which pod is the head of what a person named: a RayCluster, or a RayJob's or RayService's present one.

Needs the rights to get that object, to get the RayCluster, and to get, list and watch pods. The pods are watched, and
so is a RayJob or RayService (where that is not allowed it is asked for now and then); the RayCluster is only asked for
when its head comes or goes, and now and then while there is none.
"""

from __future__ import annotations

from kubectl_ray.errors import WrongUse
from kubectl_ray.models.resources import RAYCLUSTERS, RAYJOBS, RAYSERVICES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from kubectl_ray.models.pod import Pod
    from kubectl_ray.models.resources import Resource

KINDS = {resource.singular: resource for resource in (RAYCLUSTERS, RAYJOBS, RAYSERVICES)}
"""What a head can be asked of, by the word of `TYPE/NAME`."""

ENDED = ("Failed", "Succeeded")
"""Phases of a pod in which nothing runs any more."""


class Target:
    """What a person named: `kind` is raycluster, rayjob or rayservice."""

    __slots__ = ("kind", "name", "namespace")

    def __init__(self, kind: str, name: str, namespace: str) -> None:
        self.kind = kind
        self.name = name
        self.namespace = namespace

    @property
    def resource(self) -> Resource:
        """Of its kind."""
        return KINDS[self.kind]

    @property
    def words(self) -> str:
        """For a message: `Ray cluster a`, `RayService a`."""
        return f"{'Ray cluster' if self.resource is RAYCLUSTERS else self.resource.kind} {self.name}"


def target(written: str, namespace: str) -> Target:
    """From `NAME` or `TYPE/NAME`; the type in any case, singular or plural, with or without `.ray.io`.

    Raises:
        WrongUse: another type, or no name.
    """
    type_, slash, name = written.rpartition("/")
    kind = type_.lower().partition(".")[0].removesuffix("s") if slash else RAYCLUSTERS.singular
    if kind not in KINDS:
        raise WrongUse(
            f"A session leads to a raycluster, a rayjob or a rayservice, not to {type_ or 'nothing'}.",
            hint=f"Did you mean {name or 'NAME'}, rayjob/{name or 'NAME'} or rayservice/{name or 'NAME'}?",
        )
    if not name:
        raise WrongUse(f"{written!r} names no {KINDS[kind].kind}.", hint=f"Say which one: {kind}/NAME")
    if not all(each.isascii() and (each.isalnum() or each in "-.") for each in name):
        # A comma would be more of the selector by which the head's pod is found.
        raise WrongUse(
            f"{name!r} cannot be the name of a {KINDS[kind].kind}.", hint="Names are made of a-z, 0-9, - and ."
        )
    return Target(kind, name, namespace)


def choose(pods: Iterable[Pod], cluster_uid: str = "") -> Pod | None:
    """The head among the head pods of a cluster: the newest that lives, else the newest that still stops.

    Pods of another cluster of the same name (`cluster_uid` is not that of their owner) do not count.
    """
    ours = [pod for pod in pods if not cluster_uid or pod.owner_uid in {"", cluster_uid}]
    there = [pod for pod in ours if pod.phase not in ENDED]
    return max(there, key=lambda pod: (not pod.deleting, pod.created or 0.0, pod.name), default=None)


def serves(pod: Pod | None) -> bool:
    """Whether connections to this pod can come to something: it runs (a pod that is being stopped may still)."""
    return pod is not None and pod.phase == "Running"
