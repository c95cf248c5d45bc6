"""Create a Ray cluster: a head, and one group of workers.

The cluster is made in the namespace of your login's context (or -n). The command waits until the head and all
workers are ready and Ray answers; --no-wait returns at once. An existing cluster of that name is never touched.
"""

from __future__ import annotations

from kubectl_ray.commands.cluster.writing import answer, ending
from kubectl_ray.errors import AlreadyExists, NotFound, NotLoggedIn
from kubectl_ray.flags.cluster_shape import ClusterFlags, add_cluster_flags, shape_from
from kubectl_ray.flags.output import TRIED, add_writing
from kubectl_ray.flags.waiting import add_waiting
from kubectl_ray.flows import creator, find, wait
from kubectl_ray.manifests.checks import check_cluster
from kubectl_ray.manifests.cluster import raycluster
from kubectl_ray.models.cluster import Cluster
from kubectl_ray.models.resources import RAYCLUSTERS
from kubectl_ray.results import IfInterrupted, Line, Note, Objects
from kubectl_ray.views.summary import in_words
from kubectl_ray.views.text import count

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from kubectl_ray.context import Context
    from kubectl_ray.results import Event

EXAMPLES = """
  # Ten workers with 8 CPUs, 32 GB and 2 GPUs each
  kubectl ray cluster create my-cluster \\
    --worker-replicas=10 --worker-cpus=8 --worker-memory=32GB --worker-gpus=2

  # A certain Ray version, workers that come and go between 0 and 20
  kubectl ray cluster create my-cluster --ray-version=2.52.0 \\
    --autoscaler=v2 --worker-min-replicas=0 --worker-max-replicas=20

  # Look at what would be sent, change nothing
  kubectl ray cluster create my-cluster --worker-gpus=1 --dry-run=client -o yaml
"""


class Args(ClusterFlags):
    """`kubectl ray cluster create NAME --worker-replicas N …`."""

    dry_run: str
    output: str | None
    wait: bool
    timeout: float
    other_plugin: bool


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The name, the shape of the cluster, and how to write and wait."""
    parser.add_argument("name", nargs="?", metavar="NAME", help="name of the new Ray cluster (or `name:` in --file)")
    add_cluster_flags(parser)
    add_writing(parser)
    add_waiting(parser)


def run(ctx: Context, args: Args) -> Iterator[Event]:
    """Create the cluster, then wait until it can be used.

    Raises:
        WrongUse: the flags or the file cannot be meant like this, or the operator would refuse the result.
        AlreadyExists: a cluster of this name is there; it was not touched.
        NotFound: there is no such namespace; the hint names the near ones.
        NotReady: the operator refuses it, or the time is over; the cluster stays as it is.
    """
    shape = shape_from(args, ctx.read_text(args.file) if args.file else None)
    if args.dry_run == "client":
        shape.namespace = args.namespace or shape.namespace or _namespace_if_any(ctx)
        manifest = raycluster(shape)
        check_cluster(manifest)
        yield Objects([manifest], single=True)
        return
    namespace = args.namespace or shape.namespace or ctx.namespace
    shape.namespace = namespace
    shape.creator = creator.name_of(ctx.api)
    manifest = raycluster(shape)
    check_cluster(manifest)
    made = _create(ctx, manifest, namespace, dry_run=args.dry_run == "server")
    cluster = Cluster(made)
    name = cluster.name
    if args.dry_run == "server":
        yield answer(args, made, f"Ray cluster {name} would be created{TRIED['server']}.")
        return
    ours = f"Ray cluster {name} created in namespace {namespace}."
    yield answer(args, made, f"Created Ray cluster: {name}" if args.other_plugin else ours)
    yield from map(Note, in_words(cluster))
    again = f"kubectl ray cluster get {name} -n {namespace}"
    if not args.wait:
        yield Note(f"See how far it is:  {again}")
        return
    yield IfInterrupted(f"Ray cluster {name} is still being made. Look at it:  {again}")
    yield from wait.until_ready(
        ctx.api, name, namespace, generation=cluster.generation, timeout=args.timeout, clock=ctx.monotonic
    )
    if args.other_plugin and not args.output:
        yield Line(f"Ray cluster {name} is provisioned")
        return
    workers = count(cluster.desired_workers, "worker")
    yield ending(args, f"Ray cluster {name} is ready: the head and {workers}.")
    yield Note(f"Look at it:    kubectl ray cluster describe {name} -n {namespace}")
    yield Note(f"Remove it:     kubectl ray cluster delete {name} -n {namespace}")


def _namespace_if_any(ctx: Context) -> str | None:
    """The login's namespace; None without any login, which a client dry run does not need."""
    try:
        return ctx.namespace
    except NotLoggedIn:
        return None


def _create(ctx: Context, manifest: dict[str, object], namespace: str, *, dry_run: bool) -> dict[str, object]:
    try:
        return ctx.api.create(RAYCLUSTERS, manifest, namespace, dry_run=dry_run)
    except AlreadyExists as error:
        name = Cluster(manifest).name
        raise AlreadyExists(
            f"A Ray cluster {name} is there already in namespace {namespace}; it was not touched.",
            hint=f"Choose another name, or look at it:  kubectl ray cluster describe {name} -n {namespace}",
        ) from error
    except NotFound as error:
        if not error.missing_group:
            find.check_namespace(ctx.api, namespace)
        raise
