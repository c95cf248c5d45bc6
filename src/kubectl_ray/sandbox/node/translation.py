"""What paths and addresses inside a container mean on this machine. Pure.

There are no file systems and networks of their own: `/tmp/ray`, mounted volumes and service names exist in a pod's
texts only, so they are replaced in what a container is started with (arguments, environment, commands of exec).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

LOOPBACK = "127.0.0.1"
_BEFORE = r"(?<![\w./~$}-])"
_AFTER = r"(?![\w.-])"
_SERVICE = re.compile(
    r"(?<![\w.-])([a-z0-9](?:[-a-z0-9]*[a-z0-9])?)\.([a-z0-9](?:[-a-z0-9]*[a-z0-9])?)\.svc(?:\.cluster\.local)?"
    r":(\d{1,5})(?!\d)"
)
_SHORT = re.compile(
    r"(?<![\w./-])([a-z](?:[-a-z0-9]*[a-z0-9])?)(?:\.([a-z0-9](?:[-a-z0-9]*[a-z0-9])?))?:(\d{1,5})(?!\d)"
)
_SELF = re.compile(r"(?<![\w.-])(?:localhost|127\.0\.0\.1):(\d{1,5})(?!\d)")


def _nowhere(_service: str, _namespace: str, _port: int) -> int | None:
    return None


@dataclass(frozen=True)
class Translation:
    """Of one container.

    `paths` are (inside, outside), `ports` the pod's own moved ones, `service` tells which port of this machine stands
    for a service's (name, namespace, port), None where there is none.
    """

    namespace: str = "default"
    paths: Sequence[tuple[str, str]] = ()
    ports: Mapping[int, int] = field(default_factory=dict)
    service: Callable[[str, str, int], int | None] = _nowhere

    def path(self, text: str) -> str:
        """A whole path."""
        for inside, outside in self._longest():
            if text == inside or text.startswith(inside + "/"):
                return outside + text[len(inside) :]
        return text

    def text(self, text: str) -> str:
        """Any text: an argument, a script, a value of the environment."""
        if self.paths and "/" in text:
            text = self._paths(text)
        if ":" in text:
            text = _SERVICE.sub(self._service_address, text)
            text = _SELF.sub(self._own_address, text)
            text = _SHORT.sub(self._short_address, text)
        return text

    def argv(self, argv: Sequence[str]) -> list[str]:
        """A command."""
        return [self.text(each) for each in argv]

    def _longest(self) -> list[tuple[str, str]]:
        return sorted(self.paths, key=lambda each: -len(each[0]))

    def _paths(self, text: str) -> str:
        known = dict(self.paths)
        either = "|".join(re.escape(inside) for inside, _outside in self._longest())
        return re.sub(f"(?:(?<=file://)|{_BEFORE})({either}){_AFTER}", lambda found: known[found[1]], text)

    def _service_address(self, found: re.Match[str]) -> str:
        return self._address(found[0], found[1], found[2], found[3])

    def _short_address(self, found: re.Match[str]) -> str:
        return self._address(found[0], found[1], found[2] or self.namespace, found[3])

    def _address(self, text: str, name: str, namespace: str, port: str) -> str:
        host_port = self.service(name, namespace, int(port))
        return text if host_port is None else f"{LOOPBACK}:{host_port}"

    def _own_address(self, found: re.Match[str]) -> str:
        host_port = self.ports.get(int(found[1]))
        return found[0] if host_port is None else f"{LOOPBACK}:{host_port}"
