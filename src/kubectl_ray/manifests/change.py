"""Changes of a RayCluster as JSON patches, as small as they can be, with tests that nobody was faster.

`workerGroupSpecs` is one atomic list, so a group is meant by its index; the `test` on its name makes sure that it is
still that group. resourceVersion moves with every write of the status and is no use as a test; generation moves with
the spec only. Source: RFC 6902.
"""

from __future__ import annotations

from kubectl_ray.errors import Conflict, WrongUse
from kubectl_ray.models.cluster import Cluster

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from kubectl_ray.models.worker_group import Group

GROUPS = "/spec/workerGroupSpecs"


def scale(
    raw: dict[str, Any],
    group: str,
    *,
    replicas: int | None = None,
    minimum: int | None = None,
    maximum: int | None = None,
) -> list[dict[str, Any]]:
    """The patch that gives a group these numbers; empty when it has them.

    Without an autoscaler a new limit takes the present number along, as the operator would; with one, the number is the
    autoscaler's.

    Raises:
        NotFound: the cluster has no such group.
        WrongUse: the number would lie outside the limits, or the limits contradict each other.
    """
    cluster = Cluster(raw)
    found = cluster.group(group)
    least = found.minimum if minimum is None else minimum
    most = found.maximum if maximum is None else maximum
    _check(found, replicas, minimum, maximum)
    if replicas is None and not cluster.autoscaling and (minimum is not None or maximum is not None):
        within = min(max(found.replicas, least), most)
        replicas = within if within != found.replicas else None
    place = f"{GROUPS}/{found.index}"
    changes: list[dict[str, Any]] = []
    for key, value in (("minReplicas", minimum), ("maxReplicas", maximum), ("replicas", replicas)):
        if value is None or found.raw.get(key) == value:
            continue
        path = f"{place}/{key}"
        if key in found.raw:
            changes.append({"op": "test", "path": path, "value": found.raw[key]})
            changes.append({"op": "replace", "path": path, "value": value})
        else:
            changes.append({"op": "add", "path": path, "value": value})
    if not changes:
        return []
    return [{"op": "test", "path": f"{place}/groupName", "value": found.raw.get("groupName")}, *changes]


def add_group(raw: dict[str, Any], group: dict[str, Any]) -> list[dict[str, Any]]:
    """The patch that appends a worker group, also to a cluster that has none.

    The test is on the generation: a JSON patch cannot say "and nobody else has added one".
    """
    cluster = Cluster(raw)
    test = {"op": "test", "path": "/metadata/generation", "value": cluster.metadata.get("generation")}
    if isinstance(cluster.spec.get("workerGroupSpecs"), list):
        return [test, {"op": "add", "path": f"{GROUPS}/-", "value": group}]
    return [test, {"op": "add", "path": GROUPS, "value": [group]}]


def applied(raw: dict[str, Any], operations: list[dict[str, Any]]) -> dict[str, Any]:
    """The object after the patch, for a dry run on this side; `raw` stays as it is.

    Understands `test`, `add` and `replace`, which are all that this module writes.

    Raises:
        Conflict: a test fails, or a path is not there.
    """
    result: dict[str, Any] = _copy(raw)
    for operation in operations:
        *way, last = (step.replace("~1", "/").replace("~0", "~") for step in operation["path"].split("/")[1:])
        target: Any = result
        for step in way:
            target = _step(target, step)
        if operation["op"] == "test":
            if _step(target, last) != operation["value"]:
                raise Conflict(f"{operation['path']} is not {operation['value']!r}.", "Try again.")
        elif isinstance(target, list):
            value = _copy(operation["value"])
            if last == "-":
                target.append(value)
            elif operation["op"] == "add":
                target.insert(int(last), value)
            else:
                target[int(last)] = value
        else:
            target[last] = _copy(operation["value"])
    return result


def _check(group: Group, replicas: int | None, minimum: int | None, maximum: int | None) -> None:
    least = group.minimum if minimum is None else minimum
    most = group.maximum if maximum is None else maximum
    if least > most:
        if minimum is None:
            raise WrongUse(
                f"--max-replicas={most} is less than the least of {group.name}, {least}.",
                f"Lower both:  --min-replicas={most} --max-replicas={most}",
            )
        raise WrongUse(
            f"--min-replicas={least} is more than the most of {group.name}, {most}.",
            f"Raise both:  --min-replicas={least} --max-replicas={least}",
        )
    if replicas is None:
        return
    if replicas > most:
        raise WrongUse(
            f"--replicas={replicas} is more than the most of {group.name}, {most}.",
            f"Raise it too:  --replicas={replicas} --max-replicas={replicas}",
        )
    if replicas < least:
        raise WrongUse(
            f"--replicas={replicas} is less than the least of {group.name}, {least}.",
            f"Lower it too:  --replicas={replicas} --min-replicas={replicas}",
        )


def _step(value: object, step: str) -> Any:
    if isinstance(value, dict) and step in value:
        return value[step]
    if isinstance(value, list) and step.isdigit() and int(step) < len(value):
        return value[int(step)]
    raise Conflict(f"There is no {step} to change.", "Try again.")


def _copy(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copy(item) for key, item in value.items()}
    return [_copy(item) for item in value] if isinstance(value, list) else value
