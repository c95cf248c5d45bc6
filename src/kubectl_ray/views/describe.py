"""`cluster describe NAME`: a page about one cluster, for a person with a question."""

from __future__ import annotations

from kubectl_ray.models.age import human, since
from kubectl_ray.models.fields import dig, text, texts, whole
from kubectl_ray.models.health import (
    DEGRADED,
    FAILING,
    HEAD_DOWN,
    NOT_PICKED_UP,
    PENDING,
    READY,
    SCALING,
    SUSPENDED,
    Claims,
    PodCount,
    judge,
)
from kubectl_ray.models.pod import ray_container
from kubectl_ray.views import happenings
from kubectl_ray.views.table import NO_PERMISSION, NONE
from kubectl_ray.views.text import WIDTH, clean, count, folded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from kubectl_ray.models.cluster import Cluster
    from kubectl_ray.models.event import Event
    from kubectl_ray.models.pod import Pod
    from kubectl_ray.models.worker_group import Group

    Why = Callable[[Pod], str]

MOST_PODS = 20  # of one group

_SCHEMES = {"dashboard": "http://", "client": "ray://", "serve": "http://", "metrics": "http://"}
_ORDER = ("dashboard", "client", "serve", "gcs-server", "metrics")

_MEANING = {
    "ready": "everything that was asked for is there",
    "starting": "not whole yet",
    "scaling": "workers are being added, replaced or taken away",
    "pending": "no machine has room for a pod",
    "degraded": "the head works, workers cannot start",
    "failing": "the head cannot start",
    "head-down": "the head is not ready; jobs that ran are lost",
    "suspending": "its pods are being stopped",
    "suspended": "nothing runs until it is resumed",
    "queued": "it waits in a queue of Kueue",
    "deleting": "it is being deleted",
    "not-picked-up": "no KubeRay operator has noticed it, or it refused the spec",
    "<unknown>": "its status is not about this spec",
}


def page(
    cluster: Cluster,
    pods: Sequence[Pod] | None,
    events: Iterable[Event] | None,
    now: float,
    why: Callable[[Pod], str] | None = None,
) -> str:
    """The page, lines of at most 80 columns where words allow it.

    `pods` and `events` are None where the login may not list them. `why` says why a pod is not ready. `now` is epoch
    seconds.
    """
    counted = None
    if pods is not None:
        counted = PodCount()
        for pod in pods:
            counted.add(pod)
    word, reason = judge(Claims(cluster), counted, now)
    explain = why or _waiting
    seen = None if events is None else list(events)
    refused = happenings.refusal(cluster, seen) if seen and word == NOT_PICKED_UP else ""
    parts = [
        _facts(cluster, (word, reason, refused), now),
        _head(cluster, pods, now, explain),
        *(_group(cluster, group, pods, now, explain) for group in cluster.groups),
        _orphans(cluster, pods),
        _addresses(cluster),
        _events(cluster, pods or (), seen, now),
        _next(cluster, pods or (), word),
    ]
    return "\n\n".join("\n".join(lines) for lines in map(list, parts) if lines)


def _waiting(pod: Pod) -> str:
    return pod.waiting_reason or pod.unschedulable


def _pairs(pairs: Iterable[tuple[str, str]]) -> Iterator[str]:
    shown = [(title, value) for title, value in pairs if value]
    width = max(len(title) for title, _ in shown) + 3
    for title, value in shown:
        yield from folded(value, " " * width, f"{title}:".ljust(width))


def _facts(cluster: Cluster, judged: tuple[str, str, str], now: float) -> Iterator[str]:
    word, reason, refused = judged
    status = f"{word} ({reason}): {_MEANING[word]}" if reason else f"{word}: {_MEANING[word]}"
    owner = cluster.owner
    labels = ", ".join(f"{key}={value}" for key, value in sorted(cluster.labels.items()))
    yield from _pairs(
        (
            ("Name", cluster.name),
            ("Namespace", cluster.namespace),
            ("Status", status),
            ("Reason", refused or cluster.replica_failure),
            ("Ray version", cluster.ray_version),
            ("Image", cluster.image),
            ("Age", since(cluster.created, now)),
            ("Created by", cluster.creator),
            ("Owner", " ".join(owner) if owner else ""),
            ("Managed by", cluster.managed_by if cluster.managed_elsewhere else ""),
            ("Autoscaling", _autoscaling(cluster)),
            ("Token", "needed to use it" if cluster.auth_token else ""),
            ("Labels", labels),
            ("Asks for", f"{count(cluster.desired_workers, 'worker')} and a head; {cluster.sizes} in all"),
        )
    )


def _autoscaling(cluster: Cluster) -> str:
    if not cluster.autoscaling:
        return "no"
    version = cluster.autoscaler_version
    seconds = whole(dig(cluster.spec, "autoscalerOptions", "idleTimeoutSeconds"))
    idle = human(60 if seconds is None else seconds)
    return f"{f'version {version[1:]}' if version else 'yes'}; idle workers go after {idle}"


def _container(spec: dict[str, object]) -> Iterator[str]:
    """Requests and limits of the Ray container."""
    resources = ray_container(spec).get("resources")
    for title in ("requests", "limits"):
        amounts = dig(resources, title)
        shown = ", ".join(f"{key} {value}" for key, value in amounts.items()) if isinstance(amounts, dict) else ""
        yield from folded(shown or "none", " " * 12, f"  {title}:".ljust(12))
    selector = texts(spec.get("nodeSelector"))
    if selector:
        pairs = ", ".join(f"{key}={value}" for key, value in selector.items())
        yield from folded(pairs, " " * 12, "  only on:".ljust(12))


def _head(cluster: Cluster, pods: Sequence[Pod] | None, now: float, why: Why) -> Iterator[str]:
    yield "Head"
    template = dig(cluster.spec, "headGroupSpec", "template", "spec")
    yield from _container(template if isinstance(template, dict) else {})
    if pods is None:
        yield f"  pods:     {NO_PERMISSION}"
    else:
        yield from _pods([pod for pod in pods if pod.node_type == "head"], now, why)


def _group(cluster: Cluster, group: Group, pods: Sequence[Pod] | None, now: float, why: Why) -> Iterator[str]:
    mine = [pod for pod in pods or () if pod.node_type == "worker" and pod.group == group.name]
    ready = "?" if pods is None else str(sum(pod.ready for pod in mine))
    limits = f", between {group.minimum} and {group.maximum}" if group.bounded else ""
    hosts = f", {group.hosts} hosts each" if group.hosts > 1 else ""
    state = " (suspended)" if group.suspended else ""
    yield clean(f"Worker group {group.name}: {ready} of {group.desired} ready{limits}{hosts}{state}")
    yield from _container(group.template)
    if group.image and group.image != cluster.image:
        yield from folded(group.image, " " * 12, "  image:".ljust(12))
    if pods is None:
        yield f"  pods:     {NO_PERMISSION}"
        return
    yield from _pods(mine, now, why)
    others = {pod.image for pod in mine} - {group.image, ""}
    if others:
        yield from folded(f"some run another image than new ones will: {', '.join(sorted(others))}", "    ", "  ! ")


def _pods(pods: list[Pod], now: float, why: Why) -> Iterator[str]:
    """Those that are not ready first, with the reason below each."""
    if not pods:
        return
    shown = sorted(pods, key=lambda pod: (pod.ready, pod.name))[:MOST_PODS]
    cells: list[tuple[str, ...]] = [("NAME", "STATUS", "READY", "RESTARTS", "AGE", "MACHINE")]
    cells += [
        (
            clean(pod.name),
            clean(pod.status_text),
            pod.ready_text,
            pod.restarts_text(now),
            since(pod.created, now),
            clean(pod.node) or NONE,
        )
        for pod in shown
    ]
    cells = [row[: _columns_that_fit(cells)] for row in cells]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for at, row in enumerate(cells):
        yield "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        reason = why(shown[at - 1]) if at else ""
        if reason:
            yield from folded(reason, " " * 6, "    ! ")
    if len(pods) > MOST_PODS:
        yield f"  … and {len(pods) - MOST_PODS} more"


def _columns_that_fit(cells: list[tuple[str, ...]]) -> int:
    """How many columns fit into the page; name and status always stand there."""
    used, fitting = 0, 0
    for column in zip(*cells, strict=True):
        used += max(map(len, column)) + 2
        if used > WIDTH and fitting > 1:
            break
        fitting += 1
    return fitting


def _orphans(cluster: Cluster, pods: Sequence[Pod] | None) -> Iterator[str]:
    """Workers of groups that the spec no longer has: the operator leaves them running for ever."""
    known = {group.name for group in cluster.groups}
    left = [pod for pod in pods or () if pod.node_type == "worker" and pod.group not in known and not pod.deleting]
    if left:
        yield f"Left over: {count(len(left), 'worker')} of groups that were removed; nobody will stop them"
        yield from (f"  kubectl delete pod {clean(pod.name)} -n {cluster.namespace}" for pod in left[:MOST_PODS])


def _addresses(cluster: Cluster) -> Iterator[str]:
    ports = cluster.ports
    if not ports:
        return
    host = f"{cluster.head_service}.{cluster.namespace}.svc"
    names = sorted(ports, key=lambda name: (_ORDER.index(name) if name in _ORDER else len(_ORDER), name))
    width = max(map(len, names)) + 3
    yield "Addresses, from within Kubernetes"
    for name in names:
        yield clean(f"  {name}:".ljust(width + 2) + f"{_SCHEMES.get(name, '')}{host}:{ports[name]}")


def _events(cluster: Cluster, pods: Sequence[Pod], events: Iterable[Event] | None, now: float) -> Iterator[str]:
    if events is None:
        yield f"Events: {NO_PERMISSION}"
        return
    lines = list(happenings.lines(cluster, pods, events, now))
    yield "Events, newest first (! is a warning)" if lines else "Events: none lately"
    yield from lines


def _next(cluster: Cluster, pods: Sequence[Pod], word: str) -> Iterator[str]:
    """Commands to run now, each under what it is for."""
    steps = [*_steps_to_understand(cluster, pods, word), *_steps_to_use(cluster, word)]
    if steps:
        yield "Next"
    for what, command in steps:
        yield f"  # {what}"
        yield f"  {clean(command)}"


def _steps_to_understand(cluster: Cluster, pods: Sequence[Pod], word: str) -> Iterator[tuple[str, str]]:
    name, there = cluster.name, f"-n {cluster.namespace}"
    if word == NOT_PICKED_UP:
        yield ("is the operator there", "kubectl ray version")
        yield ("what it said", f"kubectl get events {there} --field-selector involvedObject.name={name}")
    if word not in {PENDING, DEGRADED, FAILING, HEAD_DOWN}:
        return
    for pod in sorted(pods, key=_head_first):
        if not pod.ready and not pod.deleting:
            yield ("what Kubernetes says of it", f"kubectl describe pod {pod.name} {there}")
            if pod.restarts:
                yield ("its last words", f"kubectl logs {pod.name} {there} --previous")
            return


def _steps_to_use(cluster: Cluster, word: str) -> Iterator[tuple[str, str]]:
    name, there = cluster.name, f"-n {cluster.namespace}"
    if word in {READY, SCALING}:
        port = cluster.ports.get("dashboard", "8265")
        yield ("see the dashboard", f"kubectl port-forward service/{cluster.head_service} {port} {there}")
    if cluster.owner is not None:
        kind, owner = cluster.owner
        if kind != "Kueue":
            yield ("its owner", f"kubectl describe {kind.lower()} {owner} {there}")
        return
    if word == SUSPENDED:
        patch = '{"spec":{"suspend":false}}'
        yield ("resume it", f"kubectl patch raycluster {name} {there} --type=merge -p '{patch}'")
    if cluster.groups and word in {READY, SCALING, PENDING, DEGRADED}:
        group = cluster.groups[0].name
        yield ("more or fewer workers", f"kubectl ray cluster scale {group} --cluster {name} --replicas=N {there}")
    yield ("remove it", f"kubectl ray cluster delete {name} {there}")


def _head_first(pod: Pod) -> tuple[bool, str]:
    return (pod.node_type != "head", text(pod.name))
