"""Which pod is the head of what a person named: a RayCluster, or a RayJob's or RayService's present one."""

from __future__ import annotations

from kubectl_ray.errors import WrongUse

KINDS = {"raycluster": "RayCluster", "rayjob": "RayJob", "rayservice": "RayService"}
"""What a head can be asked of, by the word of `TYPE/NAME`."""


class Target:
    """What a person named: `kind` is raycluster, rayjob or rayservice."""

    __slots__ = ("kind", "name", "namespace")

    def __init__(self, kind: str, name: str, namespace: str) -> None:
        self.kind = kind
        self.name = name
        self.namespace = namespace

    @property
    def words(self) -> str:
        """For a message: `Ray cluster a`, `RayService a`."""
        return f"{'Ray cluster' if self.kind == 'raycluster' else KINDS[self.kind]} {self.name}"


def target(written: str, namespace: str) -> Target:
    """From `NAME` or `TYPE/NAME`; the type in any case, singular or plural, with or without `.ray.io`.

    Raises:
        WrongUse: another type, or no name.
    """
    type_, slash, name = written.rpartition("/")
    kind = type_.lower().removesuffix(".ray.io").removesuffix(".v1").removesuffix("s") if slash else "raycluster"
    if kind not in KINDS:
        raise WrongUse(
            f"There is no session with a {type_!r}.", hint=f"Say raycluster/{name}, rayjob/{name} or rayservice/{name}."
        )
    if not name:
        raise WrongUse(f"{written} names nothing.", hint=f"Say which one: {kind}/NAME")
    return Target(kind, name, namespace)
