"""A relay that moves no bytes: it remembers what it was told to do, and answers as the test says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kubectl_ray.kube.relay_door import Listening
from kubectl_ray.kube.relay_told import NOBODY, Connected, Failed, Lost, Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kubectl_ray.errors import KubectlRayError
    from kubectl_ray.kube.relay_told import Told

HTTP = b"HTTP/1.1 200 OK\r\n"
HTTP2 = b"\x00\x00\x00\x04\x00\x00\x00\x00\x00"
ANSWERS = {10001: HTTP2, 8265: HTTP, 8000: b"HTTP/1.1 404 Not Found\r\n", 8080: HTTP}


class FakeRelay:
    """As `Relay`. `answers`: what a port of the pod answers; a text is why it does not.

    `pods`: those gone to, in order. `failures`: errors that the next tries to connect end with. `taken`: local ports
    that are taken. `missing`: addresses that this machine does not have. `doors`: its local ports. `hanging`: so many
    tries to connect get no answer.
    """

    def __init__(self) -> None:
        self.answers: dict[int, bytes | str] = dict(ANSWERS)
        self.failures: list[KubectlRayError] = []
        self.taken: set[int] = set()
        self.missing: set[str] = set()
        self.doors: list[Listening] = []
        self.hanging = 0
        self.pods: list[str | None] = []
        self.listening: list[tuple[tuple[str, ...], int, int]] = []
        self.probes: list[int] = []
        self.started = self.closed = False
        self.attempt = 0
        self._tell: Callable[[Told], None] = print
        self._held: list[Callable[[], None]] = []
        self._way = False

    def made(self, tell: Callable[[Told], None]) -> Any:
        """Instead of `Relay`, for `Tunnel`."""
        self._tell = tell
        return self

    def start(self) -> None:
        """As a relay's."""
        self.started = True

    def listen(self, addresses: Sequence[str], wanted: int, remote: int) -> Listening:
        """As a relay's."""
        while wanted in self.taken:
            wanted += 1
        self.listening.append((tuple(addresses), wanted, remote))
        self.doors.append(Listening(wanted, remote, [each for each in addresses if each not in self.missing]))
        return self.doors[-1]

    def connect(self, dial: Any) -> int:
        """As a relay's."""
        self.attempt += 1
        self._way = False
        self.pods.append(None if dial is None else dial.args[2])
        if dial is None:
            return self.attempt
        if self.hanging:
            self.hanging -= 1
        elif self.failures:
            self._tell(Failed(self.attempt, self.failures.pop(0)))
        else:
            self._way = True
            self._tell(Connected(self.attempt, "fake"))
            held, self._held = self._held, []
            for ask in held:
                ask()
        return self.attempt

    def probe(
        self,
        remote: int,
        request: bytes,
        enough: Callable[[bytes], bool],
        timeout: float,
        then: Callable[[bytes, str], None],
    ) -> None:
        """As a relay's."""
        assert request
        assert timeout > 0

        def ask() -> None:
            self.probes.append(remote)
            answer = self.answers.get(remote, f"{NOBODY} {remote}")
            if isinstance(answer, str):
                then(b"", answer)
            else:
                assert enough(answer)
                then(answer, "")

        if self._way:
            ask()
        else:
            self._held.append(ask)

    def close(self) -> None:
        """As a relay's."""
        self.closed = True

    # What a test has happen.

    def lose(self, why: str = "the network is gone") -> None:
        """The way to the pod breaks."""
        self._way = False
        self._tell(Lost(self.attempt, why))

    def say(self, told: Told) -> None:
        """Anything else."""
        self._tell(told)

    def refuse(self, remote: int) -> None:
        """Somebody's connection finds nobody at the far side."""
        self._tell(Refused(remote, NOBODY, nobody=True))

    @property
    def last_pod(self) -> str | None:
        """The pod that it was led to last."""
        return self.pods[-1] if self.pods else None
