"""The way to Ray's dashboard on the connection that is already open: the API server's service proxy.

Source: Kubernetes' `services/{name}:{port}/proxy` subresource. Needs the right `get` on `services/proxy`; without it
the answer is a Status object, which `ray.dashboard` reads as "cannot be told".
"""

from __future__ import annotations

from kubectl_ray.errors import KubectlRayError
from kubectl_ray.models.resources import SERVICES
from kubectl_ray.ray.dashboard import Dashboard

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kubectl_ray.kube.client import Client

PATIENCE = 3.0
"""Seconds to wait for one answer before the way counts as closed for now."""


def dashboard(api: Client, namespace: str, service: str) -> Dashboard:
    """The dashboard behind `service`, the head's Service; its port is found by its name, never by its number."""
    base = SERVICES.path(namespace, f"{service}:dashboard", "proxy")

    def ask(method: str, path: str) -> tuple[int, str, bytes]:
        try:
            answer = api.raw(method, base + path, timeout=PATIENCE)
        except KubectlRayError:
            return 0, "", b""
        return answer.status, answer.header("content-type"), answer.body

    return Dashboard(ask)
