"""Delete Ray clusters, and wait until they and all their workers are gone.

Says first what goes: workers, GPUs, and jobs that run there. Asks on a terminal; elsewhere --yes is needed.
A cluster that belongs to a RayJob, a RayService or Kueue is refused; its owner is named.
"""

from __future__ import annotations

import argparse

from kubectl_ray.errors import NotFound, WrongUse
from kubectl_ray.flags.names import add_cluster_argument
from kubectl_ray.flags.output import TRIED, add_writing, add_yes
from kubectl_ray.flags.ownership import add_force_owned, refuse_owned
from kubectl_ray.flags.waiting import add_waiting
from kubectl_ray.flows import creator, find, wait
from kubectl_ray.flows.proxy import dashboard
from kubectl_ray.models.cluster import Cluster
from kubectl_ray.models.resources import RAYCLUSTERS
from kubectl_ray.results import IfInterrupted, Line, Note, Objects, Warn
from kubectl_ray.views.summary import what_goes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from kubectl_ray.context import Context
    from kubectl_ray.results import Event

EXAMPLES = """
  # One cluster; asks first
  kubectl ray cluster delete my-cluster

  # All of mine, without a question
  kubectl ray cluster delete --all --mine --yes
"""

ASKED_FOR_JOBS = 20
"""Of so many clusters at most the running jobs are asked for: each is one request to its head."""
SILENCES = 3
"""After so many heads that did not answer no more are asked: each costs some seconds."""


class Args(argparse.Namespace):
    """`kubectl ray cluster delete NAME…`."""

    names: list[str]
    selector: str
    all: bool
    mine: bool
    yes: bool
    dry_run: str
    output: str | None
    wait: bool
    timeout: float
    force_owned: bool
    other_plugin: bool


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which clusters, and how sure."""
    add_cluster_argument(parser, dest="names", nargs="*")
    parser.add_argument("-l", "--selector", default="", metavar="K=V", help="all clusters with these labels")
    parser.add_argument("--all", action="store_true", help="all clusters of the namespace")
    parser.add_argument("--mine", action="store_true", help="of these only the ones that I created")
    add_force_owned(parser)
    add_yes(parser)
    add_writing(parser)
    add_waiting(parser, for_what="they are gone")


def run(ctx: Context, args: Args) -> Iterator[Event]:
    """Say what goes, ask, delete, wait.

    Raises:
        NotFound: one of the names does not exist; nothing was deleted.
        WrongUse: a cluster has an owner, or there is nobody to ask and no --yes; nothing was deleted.
    """
    clusters = _meant(ctx, args)
    if not clusters:
        find.check_namespace(ctx.api, ctx.namespace)
        yield Note(f"There is nothing to delete in namespace {ctx.namespace}.")
        return
    for cluster in clusters:
        refuse_owned(cluster, args.force_owned, verb="delete")
        if cluster.owner:
            kind, name = cluster.owner
            yield Warn(f"Ray cluster {cluster.name} belongs to {kind} {name}, which may make it anew.")
    me = "" if args.mine else creator.name_of(ctx.api)  # all of them are mine: nobody else's name is to be said
    yield from _what_goes(ctx, clusters, me)
    if args.dry_run == "client":
        if args.output:
            yield _objects(clusters)
        else:
            yield from (Line(_line(args, cluster)) for cluster in clusters)
        return
    if not args.yes and args.dry_run == "none" and not ctx.confirm(_question(clusters)):
        yield Line("Canceled deletion." if args.other_plugin else "Nothing was deleted.")
        return
    yield from _delete(ctx, args, clusters)


def _line(args: Args, cluster: Cluster) -> str:
    """One cluster that is deleted, or would be."""
    if args.dry_run != "none":
        return f"Ray cluster {cluster.name} would be deleted{TRIED[args.dry_run]}."
    return (
        f"Deleted raycluster {cluster.name}" if args.other_plugin else f"Ray cluster {cluster.name} is being deleted."
    )


def _objects(clusters: list[Cluster]) -> Objects:
    """What `-o` asks for: the clusters as they were."""
    return Objects([cluster.raw for cluster in clusters], single=len(clusters) == 1)


def _delete(ctx: Context, args: Args, clusters: list[Cluster]) -> Iterator[Event]:
    deleted = []
    for cluster in clusters:
        try:
            ctx.api.delete(RAYCLUSTERS, cluster.name, ctx.namespace, uid=cluster.uid, dry_run=args.dry_run == "server")
        except NotFound:
            yield Note(f"Ray cluster {cluster.name} was gone already.")
            continue
        deleted.append(cluster)
        if args.output:  # told even if the next one cannot be deleted
            yield Note(_line(args, cluster))
        else:
            yield Line(_line(args, cluster))
    if args.output and deleted:
        yield _objects(deleted)
    if args.dry_run == "server" or not args.wait:
        return
    yield IfInterrupted("The deletion goes on by itself.")
    began = ctx.monotonic()
    sure = True
    for cluster in clusters:
        left = max(1.0, args.timeout - (ctx.monotonic() - began)) if args.timeout else 0.0
        seen = yield from wait.until_gone(
            ctx.api, cluster.name, ctx.namespace, uid=cluster.uid, timeout=left, clock=ctx.monotonic
        )
        sure = sure and seen
    if not args.other_plugin:
        names = ", ".join(cluster.name for cluster in clusters)
        words = f"Gone, with all workers: {names}" if sure else f"Gone: {names}  (workers: <no permission>)"
        yield Note(words) if args.output else Line(words)  # behind `-o json` stdout holds the objects alone


def _meant(ctx: Context, args: Args) -> list[Cluster]:
    """The clusters that the words mean, each once, in the order named."""
    names = list(dict.fromkeys(_bare(name) for name in args.names))
    by_rule = args.all or args.selector or args.mine
    if not names and not by_rule:
        raise WrongUse("Which Ray cluster?", hint="Name it, or say -l LABEL=VALUE, --mine or --all.")
    if names and by_rule:
        raise WrongUse("Names and -l, --mine or --all do not go together.", hint="Say one or the other.")
    if names:
        return [Cluster(find.cluster(ctx.api, name, ctx.namespace)) for name in names]
    selector = args.selector
    if args.mine:
        selector = ",".join(filter(None, (selector, creator.mine(ctx.api))))
    return [Cluster(raw) for raw in ctx.api.list(RAYCLUSTERS, ctx.namespace, label_selector=selector)]


def _bare(name: str) -> str:
    """The name in `raycluster/NAME`, the other plugin's and kubectl's way to write it."""
    kind, slash, rest = name.partition("/")
    if not slash:
        return name
    if kind.lower() in {"raycluster", "rayclusters", "raycluster.ray.io", "rayclusters.ray.io"} and rest:
        return rest
    raise WrongUse(
        f"{name}: this command deletes Ray clusters.", hint=f"Delete it with kubectl:  kubectl delete {kind} {rest}"
    )


def _what_goes(ctx: Context, clusters: list[Cluster], me: str) -> Iterator[Note]:
    """A line a cluster, with the jobs that run there where they can be asked for."""
    questions, silences = ASKED_FOR_JOBS, SILENCES
    for cluster in clusters:
        jobs = None
        if cluster.head_service and cluster.head_ready and questions and silences:
            ray = dashboard(ctx.api, ctx.namespace, cluster.head_service)
            jobs = ray.running_jobs()
            questions -= 1
            silences -= ray.silent
        yield Note(what_goes(cluster, jobs, me=me))


def _question(clusters: list[Cluster]) -> str:
    if len(clusters) == 1:
        return f"Delete Ray cluster {clusters[0].name}?"
    return f"Delete these {len(clusters)} Ray clusters?"
