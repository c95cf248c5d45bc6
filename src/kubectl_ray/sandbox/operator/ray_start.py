"""The `ray start` command of a pod, from the group's rayStartParams and what its container may use.

Source: KubeRay v1.6.2, `controllers/ray/common/pod.go`.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from kubectl_ray.sandbox.api.quantities import NANO, Quantity
from kubectl_ray.sandbox.operator import naming, spec

if TYPE_CHECKING:
    from kubectl_ray.sandbox.api.store import Object

GCS_PORT = "6379"
METRICS_PORT = 8080
AGENT_PORT = 52365
DASHBOARD_PORT = 8265

_KEEP_TRUTH = ("log-color", "include-dashboard")
"""Options that take `true` or `false` as their value; others are given without one, or not at all."""

_REDIS = (
    ("redisUsername", "redis-username", "$REDIS_USERNAME"),
    ("redisPassword", "redis-password", "$REDIS_PASSWORD"),
)
_ACCELERATORS = {"aws.amazon.com/neuroncore": "neuron_cores", "google.com/tpu": "TPU"}


def gcs_port(cluster: Object) -> str:
    """The port that workers connect to."""
    params = cluster["spec"]["headGroupSpec"].get("rayStartParams") or {}
    return str(params.get("port", GCS_PORT))


def params(cluster: Object, group: Object, node_type: str) -> dict[str, str]:
    """The group's rayStartParams, completed."""
    found: dict[str, str] = dict(group.get("rayStartParams") or {})
    _take_resources(found, group.get("resources") or {})
    labels = group.get("labels") or {}
    if labels:
        found["labels"] = ",".join(f"{name}={labels[name]}" for name in sorted(labels))
    if node_type == naming.WORKER:
        found.setdefault("address", f"{naming.head_address(cluster)}:{gcs_port(cluster)}")
    else:
        found.setdefault("dashboard-host", "0.0.0.0")  # noqa: S104 - what the operator says inside a pod
    found.setdefault("metrics-export-port", str(METRICS_PORT))
    found["block"] = "true"
    found.setdefault("dashboard-agent-listen-port", str(AGENT_PORT))
    if node_type == naming.HEAD:
        if spec.autoscaling(cluster["spec"]):
            found["no-monitor"] = "true"
        _take_redis(found, cluster["spec"])
    _fit(found, spec.containers(group)[0].get("resources") or {})
    return found


def command(found: dict[str, str], node_type: str) -> str:
    """`ray start …`; the options by name, each with a space on both sides."""
    options = []
    for name in sorted(found):
        value = found[name]
        if value.lower() not in {"true", "false"} or name in _KEEP_TRUTH:
            options.append(f" --{name}={value} ")
        elif value.lower() == "true":
            options.append(f" --{name} ")
    head = "--head " if node_type == naming.HEAD else ""
    return f"ray start {head}{''.join(options)}"


def port(found: dict[str, str], name: str, otherwise: int) -> int:
    """A port among the parameters, where it is a number that fits."""
    try:
        number = int(found[name])
    except (KeyError, ValueError):
        return otherwise
    return number if -(2**31) <= number < 2**31 else otherwise


def _take_resources(found: dict[str, str], resources: dict[str, str]) -> None:
    """The group's own `resources` win over what its parameters say."""
    others: dict[str, float] = {}
    for name, quantity in spec.amount(resources).items():
        kind = name.lower()
        if kind == "cpu":
            found["num-cpus"] = str(quantity.whole)
        elif kind == "memory":
            found["memory"] = str(quantity.whole)
        elif spec.gpu(kind):
            found["num-gpus"] = str(quantity.whole)
        else:
            others[name] = _number(quantity)
    if others:
        found["resources"] = _written(others)


def _take_redis(found: dict[str, str], of: Object) -> None:
    """Logins of the store of a fault tolerant head come by environment variables."""
    options = of.get("gcsFaultToleranceOptions") or {}
    found |= {option: variable for field, option, variable in _REDIS if options.get(field) is not None}


def _fit(found: dict[str, str], resources: Object) -> None:
    """CPUs, memory and accelerators from the container's limits; CPUs from its requests where it has no limit."""
    limits, requests = spec.amount(resources.get("limits")), spec.amount(resources.get("requests"))
    nothing = Quantity(0)
    cpu = limits.get("cpu", nothing) if limits.get("cpu", nothing).nanos else requests.get("cpu", nothing)
    if cpu.nanos:
        found.setdefault("num-cpus", str(cpu.whole))
    if limits.get("memory", nothing).nanos:
        found.setdefault("memory", str(limits["memory"].whole))
    custom = _custom(found)
    if custom is None:
        return
    taken = any(name in custom for name in _ACCELERATORS.values())
    for name in sorted(limits):
        if not limits[name].nanos:
            continue
        if spec.gpu(name):
            found.setdefault("num-gpus", str(limits[name].whole))
        if name in _ACCELERATORS and not taken:
            custom[_ACCELERATORS[name]] = _number(limits[name])
            found["resources"] = _written(custom)
            taken = True


def _custom(found: dict[str, str]) -> dict[str, float] | None:
    """The parameter `resources`; None where it is not JSON of names and numbers."""
    try:
        read = json.loads(found.get("resources", "{}").strip("'\"` "))
    except ValueError:
        return None
    if not isinstance(read, dict) or not all(isinstance(each, int | float) for each in read.values()):
        return None
    return read


def _number(quantity: Quantity) -> float:
    return quantity.nanos // NANO if quantity.nanos % NANO == 0 else quantity.nanos / NANO


def _written(resources: dict[str, float]) -> str:
    return f"'{json.dumps(resources, sort_keys=True, separators=(',', ':'))}'"
