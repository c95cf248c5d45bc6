"""Does the Python on this machine fit a cluster for Ray Client? It needs the same Ray, and the same Python 3.x.

Source: Ray's own check in `ray.util.client`, which refuses other versions of Ray and other minor versions of Python.
"""

from __future__ import annotations


class Versions:
    """`python` as `3.11.4` or `3.11`, `ray` as `2.52.0`; "" for what is not there or cannot be told."""

    __slots__ = ("python", "ray")

    def __init__(self, python: str = "", ray: str = "") -> None:
        self.python = python
        self.ray = ray

    @property
    def minor(self) -> str:
        """The Python without its last number: `3.11`."""
        return ".".join(self.python.split(".")[:2])


def misfit(here: Versions, cluster: Versions) -> str:
    """One line that says which to install, or "" where all fits, or nothing can be said.

    A Python without Ray is told of only if it is the wrong Python: nobody may mean to use it.
    """
    other_python = bool(here.minor and cluster.minor and here.minor != cluster.minor)
    other_ray = bool(here.ray and cluster.ray and here.ray != cluster.ray)
    if not other_python and not other_ray:
        return ""
    ray = f"Ray {cluster.ray}" if cluster.ray and (other_ray or not here.ray) else ""
    needed = " and ".join(filter(None, (f"Python {cluster.minor}" if other_python else "", ray)))
    python = f"Python {here.minor}" if other_python else ""
    have = " with ".join(filter(None, (python, f"Ray {here.ray}" if other_ray else "")))
    program = f"python{cluster.minor} -m pip" if other_python else "pip"
    exactly = f"=={cluster.ray}" if cluster.ray else ""
    return f'ray.init needs {needed}; here is {have}:  {program} install "ray[client]{exactly}"'
