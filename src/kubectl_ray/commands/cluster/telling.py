"""A session's changes as a person reads them: which are the answer, which the talk, and the lines of each.

`session` and `dashboard` show a tunnel with this; it is no command.
"""

from __future__ import annotations

import math

from kubectl_ray.flows.session_json import Connecting, Ready, Remark
from kubectl_ray.flows.tunnel_changes import Absent, Lost, Moved, Reconnected, Started, Suspended, Waiting
from kubectl_ray.results import Line, Note, Progress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from kubectl_ray.flows.head import Target
    from kubectl_ray.flows.tunnel_changes import Change
    from kubectl_ray.results import Event

TITLES = {
    "client": "Ray Interactive Client Session",
    "dashboard": "Ray Dashboard Session",
    "serve": "Ray Serve Session",
    "metrics": "Ray Metrics Session",
}
_USES = (("client", "In Python:"), ("dashboard", "Dashboard:"), ("serve", "Serve:"), ("metrics", "Metrics:"))
_COLUMN = max(len(use) for _name, use in _USES) + 2
_ABSENT = {
    "client": "The cluster has no Ray Client: {why}. Does its image have ray[client]?",
    "dashboard": "The cluster has no dashboard: {why}.",
    "serve": "Serve does not run on the cluster: {why}. It comes with the first application.",
    "metrics": "The cluster has no metrics: {why}.",
}
STOP = "Press Ctrl-C to end."
_ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 -- what somebody else listens on


def host(addresses: Sequence[str]) -> str:
    """The address of this machine at which ports that listen there are reached best."""
    found = "127.0.0.1" if "127.0.0.1" in addresses or not addresses else addresses[0]
    return _ANYWHERE.get(found, found)


def place(started: Started) -> str:
    """HOST:PORT of a port that has started."""
    found = host(started.addresses)
    return f"[{found}]:{started.local}" if ":" in found else f"{found}:{started.local}"


def url(started: Started) -> str:
    """The address that Python, a browser or a program takes."""
    scheme = "ray" if started.name == "client" else "http"
    return f"{scheme}://{place(started)}{'/metrics' if started.name == 'metrics' else ''}"


def taken(started: Started) -> Iterator[Event]:
    """That another port is used than the one that was wanted."""
    if started.wanted not in {started.local, 0}:
        yield Note(f"Port {started.wanted} is taken on this machine; {started.local} is used instead.")


def talk(target: Target, change: Change) -> Iterator[Event]:
    """The lines of what happens to the connection, and of remarks."""
    name = target.name
    if isinstance(change, Waiting):
        yield Progress(f"Waiting for {change.why}")
    elif isinstance(change, Lost):
        yield Note(f"The connection to {name} is lost: {change.why}; connecting again ...")
    elif isinstance(change, Reconnected):
        yield Note(f"{name}: reconnected after {math.ceil(change.after) or 1} s.")
    elif isinstance(change, Moved):
        yield Note(f"{target.words} runs on Ray cluster {change.cluster} now; the ports lead there.")
    elif isinstance(change, Suspended):
        yield Note(f"{target.words} was suspended; the session goes on when it is back.")
        yield Note(change.hint)
    elif isinstance(change, Remark):
        yield Note(change.text)


class Teller:
    """Puts the changes of one session into lines, in the order in which they come.

    `aside`: nothing goes to stdout, which belongs to a command inside the session. `end`: how to end it, said with the
    addresses; "" where nothing is to be said.
    """

    def __init__(self, target: Target, *, aside: bool = False, end: str = STOP) -> None:
        self.started: dict[str, Started] = {}
        self._target = target
        self._aside = aside
        self._end = end
        self._ready = False

    def tell(self, change: Change) -> Iterator[Event]:
        """The lines of one change."""
        if isinstance(change, Started):
            self.started[change.name] = change
            yield self._answer(f"{TITLES[change.name]} started on port {change.local}...")
            yield from taken(change)
            if self._ready:
                yield from map(Note, self._uses([change.name]))
        elif isinstance(change, Absent):
            yield Note(_ABSENT[change.name].format(why=change.why))
        elif isinstance(change, Connecting):
            yield self._answer("Connecting...")
        elif isinstance(change, Ready):
            self._ready = True
            if not self._aside:
                yield from self._addresses()
        else:
            yield from talk(self._target, change)

    def _answer(self, text: str) -> Event:
        return Note(text) if self._aside else Line(text)

    def _addresses(self) -> Iterator[Event]:
        yield from map(Note, self._uses(self.started))
        variables = [
            f"export {name}={url(self.started[port])}"
            for name, port in (("RAY_ADDRESS", "client"), ("RAY_API_SERVER_ADDRESS", "dashboard"))
            if port in self.started
        ]
        for number, variable in enumerate(variables):
            yield Note(f"{'' if number else 'In a shell:':{_COLUMN}}{variable}")
        if self._end:
            yield Note(self._end)

    def _uses(self, names: Iterable[str]) -> Iterator[str]:
        """What to paste, a line for each of these ports that has started."""
        for name, use in _USES:
            if name in names and name in self.started:
                address = url(self.started[name])
                yield f"{use:{_COLUMN}}" + (f'ray.init("{address}")' if name == "client" else address)
