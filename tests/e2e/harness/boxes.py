"""Plain pods for cases about kubectl itself: small shells that run on any node that has the Ray image."""

from __future__ import annotations

from typing import Any

Object = dict[str, Any]

IMAGE = "rayproject/ray:2.52.0"
STAY = "trap 'exit 0' TERM; while :; do sleep 0.2; done"
"""A shell that lives until it is asked to end."""


def shell(name: str, script: str, **more: Any) -> Object:
    """A container that runs a script."""
    least = {"requests": {"cpu": "10m", "memory": "16Mi"}}
    return {"name": name, "image": IMAGE, "command": ["sh", "-c", script], "resources": least, **more}


def pod(name: str, *containers: Object, labels: Object | None = None, **spec: Any) -> Object:
    """A pod that goes quickly when it is deleted."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": labels or {}},
        "spec": {"terminationGracePeriodSeconds": 2, "containers": list(containers), **spec},
    }


def talker(name: str) -> Object:
    """Two containers that say something and stay; the first crashed once, after words of its own."""
    once = "if [ -e /data/seen ]; then echo second life; else touch /data/seen; echo first life; exit 3; fi; "
    return pod(
        name,
        shell("main", once + "echo to the end >&2; " + STAY, volumeMounts=[{"name": "data", "mountPath": "/data"}]),
        shell("side", "for n in 1 2 3 4 5; do echo line $n; done; " + STAY),
        labels={"app": name, "tier": "test"},
        volumes=[{"name": "data", "emptyDir": {}}],
    )


def config_map(name: str, labels: Object | None = None, **data: str) -> Object:
    """Something small that nobody reconciles."""
    meta = {"name": name, **({"labels": labels} if labels else {})}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": data}
