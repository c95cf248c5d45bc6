"""What the sandbox's commands share: is it installed, where it is, its login in the kubeconfig, a client of its own."""

from __future__ import annotations

from contextlib import contextmanager

from kubectl_ray.errors import KubectlRayError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from kubectl_ray.context import Context
    from kubectl_ray.kube.client import Client
    from kubectl_ray.kube.context_file import Login
    from kubectl_ray.sandbox.home import Home, Run

NAME = "kubectl-ray-sandbox"
"""Of the context, the cluster and the user in the kubeconfig."""
START = "kubectl ray sandbox start"
PATIENCE = 10.0
"""Seconds in which the sandbox answers one request, or is not waited for any more."""
_MARK = "sandbox.kubectl-ray"
_PACKAGES = ("aiohttp", "psutil", "ray", "trustme")


def check_system() -> None:
    """Make sure that there can be a sandbox here.

    Raises:
        KubectlRayError: this system cannot run it.
    """
    import os

    if os.name != "posix":
        raise KubectlRayError(
            "The sandbox runs on Linux and macOS only", hint="On Windows, use it in WSL (Windows Subsystem for Linux)."
        )


def require() -> None:
    """Make sure that the extra packages are there.

    Raises:
        KubectlRayError: they are not, or this system cannot run the sandbox.
    """
    from importlib.util import find_spec

    check_system()
    missing = [name for name in _PACKAGES if find_spec(name) is None]
    if missing:
        raise KubectlRayError(
            f"The sandbox is not installed: {', '.join(missing)} cannot be found",
            hint="Install it:  pip install 'kubectl-ray[sandbox]'",
        )


@contextmanager
def in_words() -> Iterator[None]:
    """The sandbox's own errors as ours.

    Raises:
        KubectlRayError: it has trouble.
    """
    from kubectl_ray.sandbox.home import Trouble

    try:
        yield
    except Trouble as trouble:
        raise KubectlRayError(trouble.message, hint=trouble.hint) from trouble


def home(ctx: Context) -> Home:
    """The folder that the environment means; nothing is touched.

    Raises:
        KubectlRayError: it means none.
    """
    from kubectl_ray.sandbox.home import Home, folder_of

    with in_words():
        return Home(folder_of(ctx.env))


def login(place: Home, run: Run) -> Login:
    """What stands in the kubeconfig: address, certificate, token, and a mark by which it is known again."""
    from base64 import b64encode

    from kubectl_ray.kube.context_file import Login

    cluster = {
        "certificate-authority-data": b64encode(run.ca.encode()).decode(),
        "extensions": [{"extension": {"home": str(place.folder)}, "name": _MARK}],
        "server": run.server,
    }
    return Login(NAME, cluster, {"token": run.token})


def made_by(place: Home) -> Callable[[dict[str, Any]], bool]:
    """Whether a cluster's fields in a kubeconfig are of this sandbox."""
    return lambda cluster: _home_in(cluster) == str(place.folder)


def replaceable_by(place: Home) -> Callable[[dict[str, Any]], bool]:
    """Whether they are of this sandbox, or of one with another folder that runs no more."""
    from pathlib import Path

    from kubectl_ray.sandbox.home import Home, Trouble

    def decide(cluster: dict[str, Any]) -> bool:
        other = _home_in(cluster)
        if other is None:
            return False
        try:
            return other == str(place.folder) or not Home(Path(other)).alive()
        except (OSError, Trouble):
            return False

    return decide


def _home_in(cluster: dict[str, Any]) -> str | None:
    for each in cluster.get("extensions") or ():
        if isinstance(each, dict) and each.get("name") == _MARK and isinstance(each.get("extension"), dict):
            found = each["extension"].get("home")
            return found if isinstance(found, str) else None
    return None


def client(ctx: Context, run: Run) -> Client:
    """The sandbox's own API server, whatever the kubeconfig says."""
    from kubectl_ray.kube.client import Client
    from kubectl_ray.kube.credentials import Credentials
    from kubectl_ray.kube.kubeconfig import Target

    target = Target(run.server, {"certificate-authority-data": run.ca.encode()}, {"token": run.token})
    credentials = Credentials(target, ctx.env, interactive=False, stderr=ctx.stderr)
    return Client(target, credentials, ctx.env, talk=ctx.talk, request_timeout=PATIENCE)


def clusters(ctx: Context, run: Run) -> list[tuple[str, str]]:
    """Namespace and name of every Ray cluster, in order."""
    from kubectl_ray.models.kubernetes_object import KubernetesObject
    from kubectl_ray.models.resources import RAYCLUSTERS

    api = client(ctx, run)
    try:
        found = [KubernetesObject(raw) for raw in api.list(RAYCLUSTERS, "")]
        return sorted((each.namespace, each.name) for each in found)
    finally:
        api.close()
