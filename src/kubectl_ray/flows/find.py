"""Find the Ray cluster that is meant: by its name, or the only one there is; a wrong name meets the near ones."""

from __future__ import annotations

from kubectl_ray.errors import KubectlRayError, NotFound, WrongUse
from kubectl_ray.models.cluster import Cluster
from kubectl_ray.models.fields import dig, text
from kubectl_ray.models.near import suggestion
from kubectl_ray.models.resources import NAMESPACES, RAYCLUSTERS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from kubectl_ray.kube.client import Client
    from kubectl_ray.models.resources import Resource

SHOWN = 5
"""Names in one message."""


def cluster(api: Client, name: str | None, namespace: str) -> dict[str, Any]:
    """The Ray cluster `name` of a namespace; without a name the only one there is.

    Raises:
        NotFound: none of that name (the hint names the near ones), or none at all.
        WrongUse: no name was given and there are several.
    """
    if name is None:
        return _only(api, namespace)
    try:
        return api.get(RAYCLUSTERS, name, namespace)
    except NotFound as error:
        if error.missing_group:
            raise
        raise missing(api, name, namespace) from error


def missing(api: Client, name: str, namespace: str, resource: Resource = RAYCLUSTERS) -> NotFound:
    """The error for a name that does not exist, with the near names, or where to look for others."""
    clusters = resource is RAYCLUSTERS
    what = "Ray cluster" if clusters else resource.kind
    said = f"There is no {what} {name} in namespace {namespace}."
    try:
        names = [Cluster(raw).name for raw in api.list(resource, namespace)]
    except KubectlRayError:
        check_namespace(api, namespace)
        return NotFound(said, hint="Check its name; those there are could not be listed with this login.")
    if not names:
        check_namespace(api, namespace)
    elsewhere = _where_to_look(len(names), namespace) if clusters else f"See all:  kubectl get {resource.plural} -A"
    return NotFound(said, hint=suggestion(name, names, "{}") or elsewhere)


def _where_to_look(clusters: int, namespace: str) -> str:
    if clusters:
        there = f"See the {clusters} there are" if clusters > 1 else "See the only one there is"
        return f"{there}:  kubectl ray cluster list {f'-n {namespace}' if namespace else '-A'}"
    if not namespace:
        return "There are no Ray clusters at all. Create one:  kubectl ray cluster create NAME"
    return "There are no Ray clusters in this namespace. Look in all of them:  kubectl ray cluster list -A"


def check_namespace(api: Client, namespace: str) -> None:
    """Raise NotFound, naming the near ones, when this namespace does not exist; for where nothing was found.

    A list in a namespace that does not exist is empty, not an error. A login that may not look is no error either.
    """
    if not namespace:
        return
    try:
        api.get(NAMESPACES, namespace)
    except NotFound as error:
        try:
            names = [text(dig(raw, "metadata", "name")) for raw in api.list(NAMESPACES)]
        except KubectlRayError:
            names = []
        hint = suggestion(namespace, names, "-n {}") or "See which there are:  kubectl get namespaces"
        raise NotFound(f"There is no namespace {namespace}.", hint=hint) from error
    except KubectlRayError:
        return


def _only(api: Client, namespace: str) -> dict[str, Any]:
    found = list(api.list(RAYCLUSTERS, namespace))
    if len(found) == 1:
        return found[0]
    if not found:
        check_namespace(api, namespace)
        raise NotFound(
            f"There are no Ray clusters in namespace {namespace}.",
            hint="Create one:  kubectl ray cluster create NAME",
        )
    names = ", ".join(Cluster(raw).name for raw in found[:SHOWN])
    raise WrongUse(
        f"There are {len(found)} Ray clusters in namespace {namespace}: {names}{', …' if len(found) > SHOWN else ''}.",
        hint="Say which one with --cluster NAME.",
    )
