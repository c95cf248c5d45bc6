"""What the machine is told when it starts."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NODE_NAME = "kubectl-ray-sandbox"
VERSION = "v1.36.1"
"""The Kubernetes whose behaviour and words are kept to."""

MOST_PODS = 110


@dataclass(frozen=True)
class Pace:
    """Seconds between tries. The defaults are the kubelet's; tests are in a hurry."""

    first_restart: float = 10.0
    longest: float = 300.0
    calm: float = 600.0
    """A container that ran this long starts again without a delay counted from before."""
    settle: float = 1.0
    """From an end to the restart or to CrashLoopBackOff."""
    again: float = 12.0
    """Between tries of what is missing: a key, a ConfigMap."""
    first_mount: float = 0.5
    longest_mount: float = 122.0
    first_pull: float = 10.0
    eager: float = 0.3
    """Between the sandbox's own looks at a Ray that has not been ready yet."""
    memory: float = 5.0
    """Between looks at how much memory containers with a limit use."""
    token: float = 1800.0
    """Between tokens of a pod's service account; one is good for an hour."""
    stop: float = 3.0
    """What processes get to end by themselves when the sandbox stops."""


@dataclass(frozen=True)
class Settings:
    """What the machine offers on paper, and where things are.

    `ray_bin` is the folder of the Python that runs jobs. `missing_images` are patterns (fnmatch) of image names that
    cannot be pulled. `api` tells the API server's URL once it is known, `token` makes a service account's token
    (namespace, name), for programs in pods that use the API.
    """

    cpus: int
    memory: int
    ray_bin: Path
    missing_images: tuple[str, ...] = ()
    temporary: tuple[str, ...] = ("/tmp", "/var/tmp", "/dev/shm")  # noqa: S108 - a folder of our own is made inside
    pace: Pace = Pace()
    api: Callable[[], str] | None = None
    token: Callable[[str, str], str] | None = None
    user: int = os.getuid() if hasattr(os, "getuid") else 0
