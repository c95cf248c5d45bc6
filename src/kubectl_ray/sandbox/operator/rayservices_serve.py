"""What is given to Ray Serve, and what it says of its applications."""

from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING, Any

import yaml

from kubectl_ray.sandbox.operator.dashboard import NoAnswer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kubectl_ray.sandbox.api.store import Object

SERVE_PORT = 8000
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


def localized(config: dict[str, Any], host_port: Callable[[int], int | None]) -> dict[str, Any]:
    """The configuration as it can run here; `host_port` finds the head's port on this machine for a container's port.

    All nodes of all clusters share 127.0.0.1, so the port that the user names is taken by whoever comes first, and a
    proxy on every node would want it several times over: Serve gets the head's own port on this machine, one proxy on
    the head, and no address but loopback. The RayService keeps what the user wrote.
    """
    options = config.get("http_options")
    options = dict(options) if isinstance(options, dict) else {}
    made = {**config, "proxy_location": "HeadOnly"}
    made["http_options"] = {**options, "host": "127.0.0.1", "port": _port(options.get("port"), SERVE_PORT, host_port)}
    calls = config.get("grpc_options")
    if isinstance(calls, dict):
        made["grpc_options"] = {**calls, "port": _port(calls.get("port"), 9000, host_port)}
    return made


def _port(given: object, usual: int, host_port: Callable[[int], int | None]) -> int:
    """A port nobody leads to stays one: Serve listens at a free one, and nothing reaches it, as in a real pod."""
    return host_port(given if isinstance(given, int) else usual) or _free_port()


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        found: int = listener.getsockname()[1]
        return found


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
