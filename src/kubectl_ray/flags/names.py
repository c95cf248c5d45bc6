"""The arguments that name a Ray cluster or a worker group, and how completion learns what an argument names.

Commands call these instead of `parser.add_argument`, so that a cluster is named the same way everywhere.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

#: What `completes` accepts: kinds whose live names complete.py asks a cluster, a file or the registry for.
LIVE_KINDS = (
    "cluster",
    "group",
    "namespace",
    "context",
    "user",
    "kube-cluster",
    "session",
    "target",
    "file",
    "directory",
)


def completes(action: argparse.Action, kind: str) -> argparse.Action:
    """Tell completion that this argument's values are names of `kind`, one of LIVE_KINDS."""
    if kind not in LIVE_KINDS:
        raise ValueError(kind)
    vars(action)["completes"] = kind
    return action


def offers(action: argparse.Action, values: tuple[str, ...]) -> argparse.Action:
    """Tell completion which values to propose where `choices` is too strict; one that ends in `=` is a beginning."""
    vars(action)["offers"] = values
    return action


def add_cluster_argument(
    parser: argparse.ArgumentParser,
    *,
    dest: str = "name",
    nargs: str | None = None,
    help: str = "name of the Ray cluster",  # noqa: A002 -- argparse's own word for it
) -> argparse.Action:
    """The positional NAME of a Ray cluster: a string; with nargs `?` it may be None, with `*` or `+` it is a list."""
    return completes(parser.add_argument(dest, nargs=nargs, metavar="NAME", help=help), "cluster")


def add_cluster_flag(
    parser: argparse.ArgumentParser,
    *,
    required: bool = False,
    help: str = "the Ray cluster; need not be given where the namespace has only one",  # noqa: A002 -- as above
) -> argparse.Action:
    """`--cluster`, `-c`, `--ray-cluster`: the Ray cluster, in args.cluster (None when absent)."""
    action = parser.add_argument(
        "--cluster", "-c", "--ray-cluster", dest="cluster", metavar="NAME", required=required, help=help
    )
    return completes(action, "cluster")


def add_group_argument(
    parser: argparse.ArgumentParser,
    *,
    optional: bool = False,
    new: bool = False,
    help: str = "name of the worker group",  # noqa: A002 -- as above
) -> argparse.Action:
    """The positional GROUP, in args.group. A `new` group's name is not completed: it does not exist yet."""
    action = parser.add_argument("group", nargs="?" if optional else None, metavar="GROUP", help=help)
    return action if new else completes(action, "group")
