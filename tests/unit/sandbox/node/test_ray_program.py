"""The program `ray` of pods, as far as it goes without Ray."""

from __future__ import annotations

import json
import socket

import pytest

from kubectl_ray.sandbox.node import ray_program
from kubectl_ray.sandbox.node.ray_flags import Pod


def test_the_pod_is_read_from_the_environment() -> None:
    """An empty one is a pod that nothing is known of."""
    told = {
        "KUBECTL_RAY_FOLDER": "/t",
        "KUBECTL_RAY_PORTS": json.dumps({6379: 20001}),
        "KUBECTL_RAY_SERVICES": json.dumps({"s.ns": {6379: 20002}}),
        "KUBECTL_RAY_MEMORY": "5",
        "RAY_CLUSTER_NAMESPACE": "ns",
    }
    assert ray_program.described(told) == Pod("/t", 5, {6379: 20001}, {"s.ns": {6379: 20002}}, "ns")
    assert ray_program.described({}) == Pod()


def test_health_is_that_something_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    """0 when it does, 1 when nothing comes within a few seconds."""
    monkeypatch.setattr(ray_program, "HEALTH_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        pod = Pod(ports={6379: port})
        assert ray_program.health(["--address", "127.0.0.1:6379"], pod, {}) == 0
        assert ray_program.health(["--skip-version-check"], pod, {"RAY_ADDRESS": "127.0.0.1:6379"}) == 0
    assert ray_program.health(["--address=127.0.0.1:6379"], pod, {}) == 1


@pytest.mark.parametrize(
    "arguments", [["--component=x", "--address=a:1"], ["--help"], ["--address"], ["--address=auto"]]
)
def test_other_health_checks_are_rays(arguments: list[str]) -> None:
    """What this program does not know, Ray answers."""
    assert ray_program.health(arguments, Pod(), {}) is None
