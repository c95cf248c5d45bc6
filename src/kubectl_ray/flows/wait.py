"""Waiting for what a command promised, with the reason on the screen while it lasts.

A wait never deletes or undoes anything: it ends when the condition holds, when it cannot come true any more, or
when the time is over.
"""

from __future__ import annotations

from kubectl_ray.diagnose import waiting
from kubectl_ray.errors import KubectlRayError, NotFound, NotReady, TimedOut
from kubectl_ray.flows.observe import changes
from kubectl_ray.flows.proxy import dashboard
from kubectl_ray.models.age import limit
from kubectl_ray.models.event import Event as ClusterEvent
from kubectl_ray.models.resources import EVENTS
from kubectl_ray.results import Progress
from kubectl_ray.views.text import clean

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from kubectl_ray.flows.observe import Seen
    from kubectl_ray.kube.client import Client
    from kubectl_ray.models.cluster import Cluster

    Clock = Callable[[], float]
    """Seconds on a clock that never jumps."""
    Judge = Callable[[Seen], "str | None"]
    """What is still missing, in words; None when nothing is. Raises NotReady when it cannot come any more."""

QUIET = 4.0
"""Seconds without any status before the events are asked why: only an event tells that the operator refuses a spec."""


def until_ready(
    api: Client, name: str, namespace: str, *, generation: int, timeout: float, clock: Clock
) -> Iterator[Progress]:
    """Wait until the head and every worker that the spec asks for are ready and Ray itself answers.

    `generation` is that of the write waited for: an older object (a lagging watch) does not count.

    Raises:
        NotReady: the operator refused the spec.
        TimedOut: `timeout` seconds are over (0: no limit).
        NotFound: the cluster was deleted meanwhile.
    """
    answers = _RayAnswers(api, namespace)

    def missing(cluster: Cluster, seen: Seen) -> str | None:
        lacks = waiting.by_status(cluster) if seen.no_right_to_pods else waiting.by_pods(cluster, seen.pods)
        return "Ray to answer on the head" if lacks is None and not answers.now(cluster) else lacks

    judge = _since_written(missing, Refusal(api, name, namespace, clock), generation)
    look = f"Nothing was deleted. Look at it:  kubectl ray cluster describe {name} -n {namespace}"
    limit = _TimeLimit(timeout, clock, f"Ray cluster {name} is not ready", look)
    yield from _wait(api, name, namespace, judge, limit)


def until_group_sized(
    api: Client, name: str, namespace: str, group: str, *, generation: int, timeout: float, clock: Clock
) -> Iterator[Progress]:
    """Wait until one group has exactly the workers that its spec asks for: missing ones ready, surplus ones gone.

    Raises: as `until_ready`.
    """

    def missing(cluster: Cluster, seen: Seen) -> str | None:
        if seen.no_right_to_pods:
            return waiting.by_status(cluster)
        return waiting.by_group(cluster, cluster.group(group), seen.pods)

    judge = _since_written(missing, Refusal(api, name, namespace, clock), generation)
    look = f"Nothing was undone. Look at it:  kubectl ray cluster describe {name} -n {namespace}"
    limit = _TimeLimit(timeout, clock, f"{group} of {name} has not changed size", look)
    yield from _wait(api, name, namespace, judge, limit)


def until_gone(
    api: Client, name: str, namespace: str, *, uid: str, timeout: float, clock: Clock
) -> Generator[Progress, None, bool]:
    """Wait until the cluster with this uid and all its pods are gone (deleting returns long before that).

    Returns whether the pods were looked at: False where this login may not see them.
    """
    pods_seen = True

    def judge(seen: Seen) -> str | None:
        nonlocal pods_seen
        pods_seen = not seen.no_right_to_pods
        if seen.cluster is not None and seen.cluster.uid == uid:
            return waiting.going(seen.cluster, seen.pods)
        if seen.cluster is not None:
            return None  # somebody made a new one with this name: its pods are not ours to wait for
        return waiting.pods_going(seen.pods)

    look = f"The deletion goes on. See what is left:  kubectl get pods -l ray.io/cluster={name} -n {namespace}"
    limit = _TimeLimit(timeout, clock, f"Ray cluster {name} is not gone", look)
    yield from _wait(api, name, namespace, judge, limit)
    return pods_seen


class _TimeLimit:
    """The time given, in seconds (0: no limit), and the words for when it is over."""

    def __init__(self, timeout: float, clock: Clock, unkept: str, hint: str) -> None:
        self._timeout = timeout
        self._clock = clock
        self._unkept = unkept
        self._hint = hint
        self._began = clock()

    def check(self, missing: str) -> None:
        """Raise TimedOut when the time is over."""
        if self._timeout and self._clock() - self._began >= self._timeout:
            raise TimedOut(f"{self._unkept} after {limit(self._timeout)}: waiting for {missing}.", self._hint)


def _wait(api: Client, name: str, namespace: str, judge: Judge, limit: _TimeLimit) -> Iterator[Progress]:
    shown = None
    for seen in changes(api, name, namespace):
        missing = judge(seen)
        if missing is None:
            return
        missing = clean(missing)  # it may quote what a registry or a scheduler wrote
        if missing != shown:
            shown = missing
            yield Progress(f"Waiting for {missing}")
        limit.check(missing)


def _since_written(missing: Callable[[Cluster, Seen], str | None], refusal: Refusal, generation: int) -> Judge:
    """Judges what is seen of a cluster by `missing`, once it is seen as it was written, or refused."""

    def judge(seen: Seen) -> str | None:
        cluster = seen.cluster
        if cluster is None:
            raise refusal.gone()
        if cluster.generation < generation:
            return "the change to be seen"
        refusal.check(cluster)
        lacks = missing(cluster, seen)
        return f"{lacks} (does it run?)" if lacks == waiting.UNNOTICED and refusal.quiet else lacks

    return judge


SILENCES = 3
"""So many times in a row nothing came back: the way to Ray is closed (a network policy), and tells nothing about it."""


class _RayAnswers:
    """Asks the head's dashboard, at most once a view."""

    def __init__(self, api: Client, namespace: str) -> None:
        self._api = api
        self._namespace = namespace
        self._silences = 0

    def now(self, cluster: Cluster) -> bool:
        """Ray answers, or it cannot be told."""
        ray = dashboard(self._api, self._namespace, cluster.head_service)
        answers = ray.answers()
        self._silences = self._silences + 1 if ray.silent else 0
        return answers is not False or self._silences >= SILENCES


class Refusal:
    """Notices that a cluster will never be ready: it is deleted, or the operator refuses it, as only an event tells."""

    def __init__(self, api: Client, name: str, namespace: str, clock: Clock) -> None:
        self._api = api
        self._name = name
        self._namespace = namespace
        self._clock = clock
        self._since = clock()
        self.quiet = False  # it has been, for longer than an operator that runs would be

    def gone(self) -> NotFound:
        """The error for a cluster that somebody deleted meanwhile."""
        return NotFound(
            f"Ray cluster {self._name} was deleted while it was waited for.",
            hint=f"See which there are:  kubectl ray cluster list -n {self._namespace}",
        )

    def check(self, cluster: Cluster) -> None:
        """Raise NotReady with the operator's own words, once it has been quiet for a while."""
        if cluster.has_status or self._clock() - self._since < QUIET:
            return
        self._since = self._clock()
        self.quiet = True
        selector = f"involvedObject.kind=RayCluster,involvedObject.name={self._name}"
        try:
            events = [ClusterEvent(raw) for raw in self._api.list(EVENTS, self._namespace, field_selector=selector)]
        except KubectlRayError:
            return  # no right to events, or no answer now: the wait itself goes on
        refused = waiting.refusal(cluster, events)
        if refused:
            raise NotReady(
                f"The KubeRay operator refuses Ray cluster {self._name}: {clean(refused)}",
                hint=f"Delete it and create it anew:  kubectl ray cluster delete {self._name} -n {self._namespace}",
            )
