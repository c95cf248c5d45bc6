"""Show whether the sandbox runs: its address, context, clusters, processes and memory.

Exit code 0 in either case; scripts read .running of -o json.
"""

from __future__ import annotations

import argparse

from kubectl_ray.commands.sandbox import local
from kubectl_ray.errors import KubectlRayError
from kubectl_ray.flags.names import offers
from kubectl_ray.models.age import human
from kubectl_ray.models.quantity import MEBI, NANO, format_memory
from kubectl_ray.results import Line, Note, Objects

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from kubectl_ray.context import Context
    from kubectl_ray.results import Event
    from kubectl_ray.sandbox.home import Home, Run

EXAMPLES = """
  # Does it run, and what does it cost?
  kubectl ray sandbox status

  # For a script
  kubectl ray sandbox status -o json | jq .running
"""

FORMATS = ("json", "yaml")


class Args(argparse.Namespace):
    """`kubectl ray sandbox status [-o json|yaml]`."""

    output: str | None
    kubeconfig: str | None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """How to show it."""
    action = parser.add_argument("-o", "--output", choices=FORMATS, metavar="FORMAT", help="json or yaml")
    offers(action, FORMATS)


def run(ctx: Context, args: Args) -> Iterator[Event]:
    """Ask the sandbox itself, not the current context.

    Raises:
        KubectlRayError: it is not installed, or the kubeconfig cannot be read.
    """
    local.require()
    home = local.home(ctx)
    with local.in_words():
        if home.exists():
            home.check()
        found = home.running()
        facts = _facts(ctx, args, home, found)
    if args.output:
        yield Objects([facts], single=True)
    elif found is None:
        yield Line("The sandbox does not run.")
        left = facts["processes"]
        if left:
            are = "process of its pods is" if left == 1 else "processes of its pods are"
            yield Note(f"It was killed, and {left} {are} left.\nEnd them:  kubectl ray sandbox stop")
        yield Note(f"Start it:  {local.START}")
    else:
        yield from map(Line, _page(facts, ctx.now() - found.since))


def _facts(ctx: Context, args: Args, home: Home, found: Run | None) -> dict[str, Any]:
    from kubectl_ray.kube import context_file
    from kubectl_ray.sandbox import background

    size = background.size(home)
    facts: dict[str, Any] = {"running": found is not None, "home": str(home.folder), "log": str(home.log)}
    if found is not None:
        import datetime as dt

        since = dt.datetime.fromtimestamp(int(found.since), dt.UTC)
        facts |= {
            "server": found.server,
            "pid": found.pid,
            "since": since.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "context": {
                "name": local.NAME,
                "current": context_file.current(args.kubeconfig, ctx.env) == local.NAME,
                "files": [entry.path for entry in home.contexts()],
            },
            "rayVersion": found.ray,
            "capacity": {"cpu": str(found.cpus), "memory": format_memory(found.memory * NANO)},
            "clusters": _clusters(ctx, found),
        }
    return facts | {"processes": size.processes, "memoryBytes": size.memory}


def _clusters(ctx: Context, found: Run) -> list[dict[str, str]] | None:
    """None where it does not tell: it is too busy, or about to end."""
    try:
        return [{"namespace": namespace, "name": name} for namespace, name in local.clusters(ctx, found)]
    except KubectlRayError:
        return None


def _rounded(size: int) -> str:
    """Bytes as whole mebibytes: what is measured is never exact."""
    return format_memory(-(-size // MEBI) * MEBI * NANO)


def _page(facts: dict[str, Any], age: float) -> Iterator[str]:
    context, room = facts["context"], facts["capacity"]
    clusters = facts["clusters"]
    shown = "<no answer>" if clusters is None else str(len(clusters))
    if clusters:
        shown += f": {', '.join('/'.join(each.values()) for each in clusters)}"
    yield f"Sandbox:    runs since {human(age)}, process {facts['pid']}"
    yield f"Address:    {facts['server']}"
    yield f"Context:    {context['name']}, {'the current one' if context['current'] else 'not the current one'}"
    yield f"Ray:        {facts['rayVersion']}"
    yield f"Room:       {room['cpu']} CPU and {room['memory']} memory on paper"
    yield f"Clusters:   {shown}"
    yield f"Processes:  {facts['processes']}, {_rounded(facts['memoryBytes'])} memory"
    yield f"Folder:     {facts['home']}"
