"""Start the sandbox: a Kubernetes cluster with KubeRay on this machine, without containers and without root.

It is for trying, learning and testing job scripts, not for work that matters: its pods are processes of yours on this
machine. It is an extra: pip install 'kubectl-ray[sandbox]'. The context kubectl-ray-sandbox is written into your
kubeconfig; every command here, and kubectl, then works with it. What you create is kept when the sandbox stops. The
flags hold for one run: stop it and start it again to change them.
"""

from __future__ import annotations

import argparse

from kubectl_ray.commands.sandbox import local
from kubectl_ray.errors import KubectlRayError, WrongUse
from kubectl_ray.flags.numbers import count
from kubectl_ray.models.quantity import NANO, amount, format_memory, normalize_memory
from kubectl_ray.results import IfInterrupted, Line, Note, Progress
from kubectl_ray.views.text import count as plural

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from kubectl_ray.context import Context
    from kubectl_ray.kube.context_file import Added
    from kubectl_ray.results import Event
    from kubectl_ray.sandbox.background import Options
    from kubectl_ray.sandbox.home import Home, Run

EXAMPLES = """
  # A cluster of your own, in some seconds
  kubectl ray sandbox start

  # Make it the current context, whatever is current now
  kubectl ray sandbox start --switch

  # See what becomes of a cluster that finds no room, or no image
  kubectl ray sandbox start --cpus 4 --memory 16GB --missing-image '*:nightly*'
"""

HIGHEST_PORT = 65535
MOST_CPUS = 100_000
LEAST_MEMORY = 2**30


class Args(argparse.Namespace):
    """`kubectl ray sandbox start`."""

    switch: bool
    cpus: int | None
    memory: str | None
    ray_version: str | None
    missing_images: list[str]
    port: int | None
    kubeconfig: str | None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """How large it says it is, and what may be tried on it."""
    add = parser.add_argument
    add("--switch", action="store_true", help="make its context the current one, also where another one is")
    add("--cpus", type=count, metavar="N", help="CPUs it has on paper (default: 8, or all of a larger machine)")
    add("--memory", metavar="SIZE", help="memory it has on paper (default: 32Gi, or all of a larger machine)")
    add("--ray-version", metavar="VERSION", help="another Ray than the installed one; fetched from the network once")
    add(
        "--missing-image",
        dest="missing_images",
        action="append",
        default=[],
        metavar="PATTERN",
        help="images like this cannot be pulled: see what happens then; * is anything; repeatable",
    )
    add("--port", type=count, metavar="N", help="port of its API server on 127.0.0.1 (default: the last one, else any)")


def run(ctx: Context, args: Args) -> Iterator[Event]:
    """Start it unless it runs, and write its context.

    Raises:
        WrongUse: a size or a port cannot be meant.
        KubectlRayError: it is not installed, or cannot be started; nothing of it is left then.
    """
    size = _checked(args)
    local.require()
    home = local.home(ctx)
    with local.in_words():
        home.prepare()
        yield IfInterrupted("The sandbox was not started.")
        with home.starting():
            yield from _started(ctx, args, home, size)


def _checked(args: Args) -> int:
    """The memory in bytes, 0 where none is given."""
    if args.cpus is not None and not 1 <= args.cpus <= MOST_CPUS:
        raise WrongUse(f"--cpus={args.cpus}: the sandbox has from 1 to {MOST_CPUS} CPUs")
    if args.port is not None and not 1 <= args.port <= HIGHEST_PORT:
        raise WrongUse(f"--port={args.port}: a port is from 1 to {HIGHEST_PORT}")
    if not args.memory:
        return 0
    size = amount(normalize_memory(args.memory, "--memory")) // NANO
    if size < LEAST_MEMORY:
        raise WrongUse(f"--memory={args.memory}: the head of a Ray cluster needs more", hint="Write --memory=32GB.")
    return size


def _started(ctx: Context, args: Args, home: Home, size: int) -> Iterator[Event]:
    from kubectl_ray.sandbox import background

    found = background.running(home)
    new = found is None
    if found is None:
        options = yield from _options(ctx, args, size)
        killed = home.run() is not None
        left = background.clean(home)
        if killed or left:
            yield Note(f"The last sandbox was killed; {plural(left, 'process', 'processes')} of its pods ended.")
        yield Progress("Starting the sandbox")
        found = background.start(home, options, ctx.env)
    try:
        if new:
            _make_sure(ctx, found)
        added = _written(ctx, args, home, found)
    except BaseException:
        if new:  # nothing is to be left of a start that failed
            for _ in background.stop(home):
                pass
        raise
    yield IfInterrupted("The sandbox runs.")
    yield from _told(args, found, added, new=new)


def _options(ctx: Context, args: Args, size: int) -> Generator[Event, None, Options]:
    """What the process is told; another Ray than the installed one is fetched first."""
    from kubectl_ray.sandbox import ray_versions
    from kubectl_ray.sandbox.background import Options
    from kubectl_ray.sandbox.home import cache_of

    programs, version = ray_versions.beside(), ray_versions.installed()
    if args.ray_version and args.ray_version != version:
        other = ray_versions.Environment(args.ray_version, cache_of(ctx.env))
        if not other.complete:
            for text in other.make():
                yield Progress(text)
        other.link()
        programs, version = other.programs, other.version
    return Options(
        programs=programs,
        ray=version,
        cpus=args.cpus or 0,
        memory=size,
        port=args.port or 0,
        missing_images=tuple(args.missing_images),
    )


def _make_sure(ctx: Context, found: Run) -> None:
    """It says that it answers: ask it."""
    api = local.client(ctx, found)
    try:
        answer = api.raw("GET", "/readyz", timeout=10.0)
    finally:
        api.close()
    if answer.status != 200:  # noqa: PLR2004 -- HTTP's OK
        raise KubectlRayError(f"The sandbox answers, but is not ready (HTTP {answer.status})")


def _written(ctx: Context, args: Args, home: Home, found: Run) -> Added:
    """Its context, in the file that `kubectl config` would choose; `stop` finds it there again."""
    import os

    from kubectl_ray.kube import context_file
    from kubectl_ray.sandbox.home import Entry

    added = context_file.add(
        args.kubeconfig, ctx.env, local.login(home, found), ours=local.replaceable_by(home), switch=args.switch
    )
    added.path = os.path.abspath(added.path)  # noqa: PTH100 -- pathlib costs 10 ms to import
    home.keep_context(Entry(added.path, added.before, added.made))
    return added


def _told(args: Args, found: Run, added: Added, *, new: bool) -> Iterator[Event]:
    yield Line(f"The sandbox runs{'' if new else ' already'}: {found.server}")
    memory = format_memory(found.memory * NANO)
    yield Line(f"  context {local.NAME} in {added.path}{', the current one' if added.current else ''}")
    yield Line(f"  Ray {found.ray}; room for {found.cpus} CPU and {memory} memory on paper")
    if not new:
        if args.cpus or args.memory or args.ray_version or args.missing_images or args.port:
            yield Note(
                f"It keeps what it was started with. To change that:  kubectl ray sandbox stop, then {local.START}"
            )
    else:
        yield Note(
            "It is for trying and learning, not for work that matters: its pods are processes of yours on this machine."
        )
    there = "" if added.current else f" --context {local.NAME}"
    yield Note(f"Create a cluster:  kubectl ray cluster create my-cluster --worker-replicas=1{there}")
    if not added.current:
        yield Note(f"Make it current:   {local.START} --switch")
    yield Note("End it:            kubectl ray sandbox stop")
