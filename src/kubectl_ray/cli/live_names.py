"""Names for completion that only the kubeconfig or the API server knows. Few bytes, one request, little patience."""

from __future__ import annotations

import json
import sys

from kubectl_ray.flags.connection import overrides
from kubectl_ray.models.resources import NAMESPACES, RAYCLUSTERS

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Mapping
    from typing import Any

    from kubectl_ray.context import Context
    from kubectl_ray.kube.client import Client
    from kubectl_ray.models.resources import Resource

#: Seconds for the one request; at most so many names are asked for.
_REQUEST = 1.5
_MOST = 500
_METADATA_ONLY = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json"


def names(
    kind: str,
    args: argparse.Namespace,
    env: Mapping[str, str],
    connect: Callable[[Context], Client] | None = None,
    typed: str = "",
) -> list[str]:
    """The names of this kind, in the namespace and with the login of the flags typed so far.

    `typed`: the beginning that is there; a target's says whether it is of a Ray cluster, a RayJob or a RayService.

    Raises:
        KubectlRayError: they cannot be found out.
    """
    if kind in {"context", "user", "kube-cluster"}:
        return _of_kubeconfig(kind, args, env)
    if kind == "session":
        return _of_sessions(args, env)
    from kubectl_ray.context import Context

    ctx = Context(
        overrides=overrides(args),
        env=env,
        stdin=sys.stdin,
        stderr=sys.stderr,
        request_timeout=_REQUEST,
        connect=connect,
    )
    try:
        if kind == "namespace":
            return _listed(ctx, NAMESPACES)
        if kind == "cluster":
            return _listed(ctx, RAYCLUSTERS)
        if kind == "target":
            return _targets(ctx, typed)
        return _groups(ctx, getattr(args, "cluster", None)) if kind == "group" else []
    finally:
        ctx.close()


def _of_kubeconfig(kind: str, args: argparse.Namespace, env: Mapping[str, str]) -> list[str]:
    from kubectl_ray.kube import kubefile

    known = kubefile.read(args.kubeconfig, env)
    return sorted({"context": known.contexts, "user": known.users, "kube-cluster": known.clusters}[kind])


def _of_sessions(args: argparse.Namespace, env: Mapping[str, str]) -> list[str]:
    """What the open sessions lead to, as `session stop` takes it; no cluster is asked."""
    from kubectl_ray.commands.session.chosen import opened
    from kubectl_ray.flows.sessions import Registry
    from kubectl_ray.views.sessions import written

    return sorted({written(each.kind, each.name) for each in opened(Registry(env), args)})


def _targets(ctx: Context, typed: str) -> list[str]:
    """NAME of a Ray cluster; behind `rayjob/` and the like, those of that type."""
    from kubectl_ray.flows.head import KINDS, target

    written, slash, _name = typed.partition("/")
    if slash:
        return [f"{written}/{name}" for name in _listed(ctx, KINDS[target(f"{written}/x", "").kind])]
    return [*_listed(ctx, RAYCLUSTERS), *(f"{kind}/" for kind in KINDS if typed)]


def _listed(ctx: Context, resource: Resource) -> list[str]:
    found = _items(ctx, resource.path(ctx.namespace), headers=[("Accept", _METADATA_ONLY)], query={"limit": str(_MOST)})
    return [name for item in found if (name := _name(item))]


def _groups(ctx: Context, cluster: str | None) -> list[str]:
    query = {"limit": str(_MOST)}
    if cluster:
        query["fieldSelector"] = f"metadata.name={cluster}"
    found: dict[str, None] = {}
    for item in _items(ctx, RAYCLUSTERS.path(ctx.namespace), headers=[("Accept", "application/json")], query=query):
        spec = item.get("spec")
        groups = spec.get("workerGroupSpecs") if isinstance(spec, dict) else None
        for group in groups if isinstance(groups, list) else ():
            if isinstance(group, dict) and isinstance(group.get("groupName"), str):
                found[group["groupName"]] = None
    return list(found)


def _items(ctx: Context, path: str, *, headers: list[tuple[str, str]], query: dict[str, str]) -> list[dict[str, Any]]:
    answer = ctx.api.raw("GET", path, headers=headers, query=query, timeout=_REQUEST)
    try:
        body = json.loads(answer.body)
    except ValueError:
        return []
    items = body.get("items") if isinstance(body, dict) else None
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []


def _name(item: dict[str, Any]) -> str:
    metadata = item.get("metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else None
    return name if isinstance(name, str) else ""
