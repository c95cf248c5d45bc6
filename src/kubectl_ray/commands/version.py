"""Show the versions of this plugin, of the KubeRay operator, and of Kubernetes.

The operator is found by its Deployment, in any namespace. What your login may not see is shown as <no permission>.
"""

from __future__ import annotations

import argparse

from kubectl_ray import __version__
from kubectl_ray.errors import KubectlRayError, NotAllowed, NotLoggedIn
from kubectl_ray.flags.names import offers
from kubectl_ray.models.fields import dig, mappings, text
from kubectl_ray.models.resources import DEPLOYMENTS
from kubectl_ray.results import Line, Objects, Warn
from kubectl_ray.views.table import NO_PERMISSION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from kubectl_ray.context import Context
    from kubectl_ray.results import Event

EXAMPLES = """
  # Plugin, operator, Kubernetes
  kubectl ray version

  # The plugin alone: asks no cluster
  kubectl ray version --client

  # The operator's version for a script
  kubectl ray version -o json | jq -r .operatorVersion
"""

#: How the operator's Deployment is labelled: by its Helm chart, and by its kustomize manifests before 1.0.
OPERATOR_LABELS = "app.kubernetes.io/name in (kuberay-operator,kuberay)"
NOT_FOUND = "not found"
FORMATS = ("json", "yaml")


class Args(argparse.Namespace):
    """`kubectl ray version [--client] [-o json|yaml]`."""

    client: bool
    output: str | None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to ask, and how to show it."""
    parser.add_argument("--client", action="store_true", help="only this plugin's version; ask no cluster")
    action = parser.add_argument("-o", "--output", choices=FORMATS, metavar="FORMAT", help="json or yaml")
    offers(action, FORMATS)


def run(ctx: Context, args: Args) -> Iterator[Event]:
    """The first two lines are those of the Go plugin, which scripts read.

    An API server that cannot be reached is a warning: the plugin's own version is still an answer.

    Raises:
        KubectlRayError: with -o, the API server cannot be asked.
    """
    versions: dict[str, Any] = {"clientVersion": __version__}
    if args.output:
        if not args.client:
            versions |= {"operatorVersion": operator(ctx), "kubernetesVersion": kubernetes(ctx)}
        yield Objects([versions], single=True)
        return
    yield Line(f"kubectl ray plugin version: {__version__}")
    if args.client:
        return
    try:
        yield Line(f"KubeRay operator version: {operator(ctx)}")
        yield Line(f"Kubernetes version: {kubernetes(ctx)}")
    except NotLoggedIn:
        raise
    except KubectlRayError as error:
        yield Warn(f"the cluster cannot be asked: {error.message}")


def operator(ctx: Context) -> str:
    """The tag of the operator's image, `not found`, or `<no permission>`."""
    try:
        found = list(ctx.api.list(DEPLOYMENTS, "", label_selector=OPERATOR_LABELS))
    except NotLoggedIn:
        raise
    except NotAllowed:
        return NO_PERMISSION
    images = [image for deployment in found if (image := _image(deployment))]
    return _tag(images[0]) if images else NOT_FOUND


def kubernetes(ctx: Context) -> str:
    """`gitVersion` of the API server's /version, or `<no permission>`.

    Raises:
        NotLoggedIn: the login is not accepted.
    """
    import json

    answer = ctx.api.raw("GET", "/version")
    if answer.status == 401:  # noqa: PLR2004 -- HTTP's Unauthorized
        raise NotLoggedIn("You are not logged in to the Kubernetes cluster.", hint="Log in again, then repeat this.")
    if answer.status == 403:  # noqa: PLR2004 -- HTTP's Forbidden
        return NO_PERMISSION
    try:
        version = json.loads(answer.body)["gitVersion"]
    except (ValueError, KeyError, TypeError):
        return NOT_FOUND
    return str(version)


def _image(deployment: dict[str, Any]) -> str:
    """The image of the first container; "" when the object has none."""
    containers = mappings(dig(deployment, "spec", "template", "spec", "containers"))
    return text(containers[0].get("image")) if containers else ""


def _tag(image: str) -> str:
    """The tag of `registry:5000/kuberay/operator:v1.6.2@sha256:…`; without one, the whole name."""
    name = image.partition("@")[0]
    _path, colon, tag = name.rpartition(":")
    return tag if colon and "/" not in tag else image
