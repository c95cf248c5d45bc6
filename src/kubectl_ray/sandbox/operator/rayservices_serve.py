"""What is given to Ray Serve, and what it says of its applications.

It is given what the user wrote. That all pods share 127.0.0.1 is the node's business: it lets each proxy listen on its
own pod's port, on loopback.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import yaml

from kubectl_ray.sandbox.operator.dashboard import NoAnswer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kubectl_ray.sandbox.api.store import Object

_HELP = (
    'fail to create / update Serve applications. If you observe this error consistently, please check "Issue 5: Fail to'
    ' create / update Serve applications." in https://docs.ray.io/en/master/cluster/kubernetes/troubleshooting/'
    "rayservice-troubleshooting.html#kuberay-raysvc-troubleshoot for more details. err: "
)


def refused(error: NoAnswer) -> str:
    """How the operator tells that Serve did not take its configuration."""
    return f"{_HELP}{error}"


def read(text: str) -> dict[str, Any]:
    """`spec.serveConfigV2` as an object; an empty one for an empty text.

    Raises:
        NoAnswer: it is no YAML, or no map; the operator finds that out only when it is to be handed to Serve.
    """
    try:
        found = yaml.safe_load(text)
        found = {} if found is None else json.loads(json.dumps(found, default=str))
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        raise NoAnswer(f"error converting YAML to JSON: yaml: {_told(error)}") from error
    if not isinstance(found, dict):
        kind = "string" if isinstance(found, str) else type(found).__name__
        why = f"json: cannot unmarshal {kind} into Go value of type map[string]interface {{}}"
        raise NoAnswer(f"error unmarshaling JSON: while decoding JSON: {why}")
    return found


def _told(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(error)
    return f"line {mark.line + 1}: {problem}" if mark is not None else str(problem)


def statuses(applications: Mapping[str, Object]) -> tuple[bool, dict[str, Object]]:
    """Whether all run, and how each stands in the RayService's status."""
    told: dict[str, Object] = {}
    for name, application in applications.items():
        deployments = application.get("deployments")
        deployments = deployments if isinstance(deployments, dict) else {}
        held = {each: _said(found) for each, found in deployments.items() if isinstance(found, dict)}
        told[name or "default"] = {**_said(application), **({"serveDeploymentStatuses": held} if held else {})}
    return bool(told) and all(each.get("status") == "RUNNING" for each in told.values()), told


def _said(found: Object) -> Object:
    return {field: str(found[field]) for field in ("status", "message") if found.get(field)}
