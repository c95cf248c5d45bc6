"""`cluster session` and `cluster dashboard` over a tunnel that only tells: what it is asked for, and what is shown."""

from __future__ import annotations

import io
import shlex
from importlib import import_module
from typing import TYPE_CHECKING, Any

from kubectl_ray.cli import grammar
from kubectl_ray.cli.argv import take_apart
from kubectl_ray.cli.parser import build, globally_known, parse
from kubectl_ray.cli.show import Screen
from kubectl_ray.context import Context
from kubectl_ray.flags.connection import overrides
from kubectl_ray.flows.tunnel import DEFAULTS, REMOTE, Port
from kubectl_ray.flows.tunnel_changes import Change, Started
from kubectl_ray.models.cluster import Cluster
from tests.kuberay import cluster

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Mapping, Sequence

    from kubectl_ray.flows.head import Target
    from tests.kuberay import World

HERE = ["127.0.0.1", "::1"]


def started(
    name: str, local: int | None = None, *, wanted: int | None = None, addresses: Sequence[str] = HERE
) -> Started:
    """A port that answers; at its usual number if none is given."""
    usual = REMOTE[name]
    where = usual if local is None else local
    return Started(name, where, usual, wanted=usual if wanted is None else wanted, addresses=addresses)


class Tunnel:
    """Tells what it was made with; an error among it is raised, anything that can be called is."""

    def __init__(self, script: Iterable[Any], raw: dict[str, Any]) -> None:
        self.target: Target
        self.ports: list[Port]
        self.addresses: Sequence[str]
        self.timeout: float
        self.cluster = Cluster(raw)
        self.closed = False
        self._script = list(script)

    def tell(self, change: Change) -> None:
        """From another thread."""
        self._script.append(change)

    def changes(self, meanwhile: Callable[[], None]) -> Generator[Change, None, None]:
        """What it was made with."""
        meanwhile()
        try:
            for each in self._script:
                if isinstance(each, BaseException):
                    raise each
                if callable(each):
                    each()
                else:
                    yield each
        finally:
            self.closed = True


class Person(Context):
    """A context with that tunnel, and a desktop that says whether it can."""

    def __init__(self, tunnel: Tunnel, *, browser: bool, clipboard: bool, **world: Any) -> None:
        super().__init__(**world)
        self.made = tunnel
        self.pages: list[str] = []
        self.copied: list[str] = []
        self._browser = browser
        self._clipboard = clipboard

    def tunnel(  # type: ignore[override]
        self, target: Target, ports: Iterable[Port] = (), *, addresses: Sequence[str] = (), timeout: float = 0.0
    ) -> Tunnel:
        """The one that only tells."""
        self.made.target, self.made.addresses, self.made.timeout = target, addresses, timeout
        self.made.ports = list(ports) or [Port(name) for name in DEFAULTS[target.kind]]
        return self.made

    def open_browser(self, url: str) -> bool:
        """Write it down."""
        self.pages.append(url)
        return self._browser

    def copy(self, text: str) -> bool:
        """Write it down."""
        self.copied.append(text)
        return self._clipboard


class Ran:
    """What came out, and the person's context afterwards."""

    def __init__(self, ctx: Person, screen: Screen, out: str, err: str) -> None:
        self.ctx = ctx
        self.code = screen.exit_code
        self.if_interrupted = screen.if_interrupted
        self.out = out
        self.err = err

    @property
    def ports(self) -> list[tuple[str, int]]:
        """What the tunnel was asked for."""
        return [(port.name, port.wanted) for port in self.ctx.made.ports]


def run(
    world: World,
    line: str,
    *script: Any,
    raw: dict[str, Any] | None = None,
    env: Mapping[str, str] | None = None,
    starter: Any = None,
    browser: bool = True,
    clipboard: bool = True,
) -> Ran:
    """Run what follows `kubectl ray` until the tunnel has told all of `script`; errors come through."""
    argv = shlex.split(line)
    match = grammar.find(take_apart(argv, globally_known().options, strict=False, complete=False).words)
    assert match is not None
    module = import_module(match.command.module)
    args = parse(build(module, match.defaults), module, match, argv)
    out, err = io.StringIO(), io.StringIO()
    ctx = Person(
        Tunnel(script, raw or cluster("my-cluster")),
        browser=browser,
        clipboard=clipboard,
        overrides=overrides(args),
        env={**world.api.env, **(env or {})},
        stdin=io.StringIO(),
        stderr=err,
        verbosity=args.verbosity,
        argv=argv,
        starter=starter,
    )
    screen = Screen(out, err, {})
    screen.configure(args)
    try:
        screen.show(module.run(ctx, args))
    finally:
        ctx.close()
    return Ran(ctx, screen, out.getvalue(), err.getvalue())
