"""A tunnel over a relay that moves nothing, and heads to go to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kubectl_ray.flows.head import Target
from kubectl_ray.flows.tunnel import Change, Port, Started, Tunnel
from tests.kuberay import head

if TYPE_CHECKING:
    from collections.abc import Generator

    from kubectl_ray.kube.client import Client
    from tests.unit.flows.relays import FakeRelay

A = Target("raycluster", "a", "default")


class Session:
    """A tunnel whose changes are asked for by their kind; what comes in between is kept in `seen`."""

    def __init__(self, client: Client, relay: FakeRelay, target: Target = A, *ports: Port, **options: Any) -> None:
        self.tunnel = Tunnel(client, target, ports, relay=relay.made, **options)
        self.stream: Generator[Change, None, None] = self.tunnel.changes()
        self.seen: list[Change] = []

    def until(self, kind: type[Change]) -> Any:
        """The next change of this kind."""
        for change in self.stream:
            self.seen.append(change)
            if isinstance(change, kind):
                return change
        raise AssertionError(self.seen)

    def opened(self) -> Session:
        """All its ports were told to have started."""
        for _ in self.tunnel.ports:
            self.until(Started)
        self.seen.clear()
        return self

    def close(self) -> None:
        """End it."""
        self.stream.close()


def named(name: str, *, ready: bool = True, of: str = "a", created: str = "2026-01-01T00:00:00Z", **more: Any) -> Any:
    """A head's pod with a name of its own."""
    pod = head(of, ready=ready, **more)
    pod["metadata"].update(name=name, uid=f"uid-of-{name}", creationTimestamp=created)
    return pod
