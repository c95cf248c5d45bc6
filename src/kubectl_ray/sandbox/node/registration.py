"""The Node object: what `kubectl get nodes` shows of this machine."""

from __future__ import annotations

import platform
import uuid
from typing import TYPE_CHECKING

from kubectl_ray.sandbox.api.kinds import NODES
from kubectl_ray.sandbox.node.settings import MOST_PODS, NODE_NAME, VERSION

if TYPE_CHECKING:
    from kubectl_ray.sandbox.api.objects import Objects
    from kubectl_ray.sandbox.api.store import Object
    from kubectl_ray.sandbox.node.settings import Settings

ADDRESS = "127.0.0.1"
_ARCHITECTURES = {"x86_64": "amd64", "AMD64": "amd64", "aarch64": "arm64"}
_HEALTH = (
    ("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
    ("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    ("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
    ("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
)


def register(objects: Objects, settings: Settings) -> Object:
    """Make or refresh the Node object: its size may have changed since the last start."""
    labels = _labels()
    if objects.find(NODES, "", NODE_NAME) is None:
        objects.create(NODES, {"metadata": {"name": NODE_NAME, "labels": labels}, "spec": {}})
    status = _status(objects, settings)

    def describe(seen: Object) -> None:
        seen["metadata"]["labels"] = {**seen["metadata"].get("labels", {}), **labels}

    def refresh(seen: Object) -> None:
        seen["status"] = status

    objects.edit(NODES, "", NODE_NAME, describe)
    return objects.edit(NODES, "", NODE_NAME, refresh, status=True)


def _labels() -> dict[str, str]:
    architecture, system = _machine()
    return {
        "beta.kubernetes.io/arch": architecture,
        "beta.kubernetes.io/os": system,
        "kubernetes.io/arch": architecture,
        "kubernetes.io/hostname": NODE_NAME,
        "kubernetes.io/os": system,
    }


def _machine() -> tuple[str, str]:
    machine = platform.machine()
    return _ARCHITECTURES.get(machine, machine), platform.system().lower()


def _status(objects: Objects, settings: Settings) -> Object:
    size = {"cpu": str(settings.cpus), "memory": f"{settings.memory // 1024}Ki", "pods": str(MOST_PODS)}
    architecture, system = _machine()
    identity = uuid.uuid5(uuid.NAMESPACE_DNS, platform.node() or NODE_NAME)
    now = objects.now()
    return {
        "capacity": size,
        "allocatable": size,
        "conditions": [
            {
                "type": type_,
                "status": status,
                "lastHeartbeatTime": now,
                "lastTransitionTime": now,
                "reason": reason,
                "message": message,
            }
            for type_, status, reason, message in _HEALTH
        ],
        "addresses": [{"type": "InternalIP", "address": ADDRESS}, {"type": "Hostname", "address": NODE_NAME}],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": 0}},
        "nodeInfo": {
            "machineID": identity.hex,
            "systemUUID": str(identity),
            "bootID": str(uuid.uuid4()),
            "kernelVersion": platform.release(),
            "osImage": f"{platform.system()} {platform.release()}",
            "containerRuntimeVersion": f"processes://{platform.python_version()}",
            "kubeletVersion": VERSION,
            "kubeProxyVersion": "",
            "operatingSystem": system,
            "architecture": architecture,
        },
        "images": [],
    }
