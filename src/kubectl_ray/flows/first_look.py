"""What is looked at once a session is open, beside it: does Ray ask for a token, does the Python here fit.

It begins a moment after the ports do, so that nobody who uses them at once waits for it.
"""

from __future__ import annotations

from threading import Event, Thread

from kubectl_ray.diagnose.client_versions import Versions, misfit
from kubectl_ray.errors import KubectlRayError
from kubectl_ray.flows import token
from kubectl_ray.flows.local_dashboard import dashboard
from kubectl_ray.flows.local_python import LocalPython
from kubectl_ray.models.authentication import Authentication

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from kubectl_ray.kube.client import Client
    from kubectl_ray.models.cluster import Cluster

MOMENT = 0.5
"""Seconds before it begins."""


def needs_token(cluster: Cluster | None, host: str, port: int) -> bool:
    """Does Ray ask for a token? The dashboard tells (`port` 0: it is not open), else the cluster's spec."""
    asked = dashboard(host, port).needs_token() if port else None
    if asked is not None:
        return asked
    return cluster is not None and Authentication(cluster).mode == "token"


class FirstLook:
    """Looks in a thread of its own, and says what there is to say, then "": that was all. `close` ends it.

    `client`: the session has a port for Ray Client, so that versions matter.
    """

    def __init__(self, api: Client, env: Mapping[str, str], say: Callable[[str], None], *, client: bool) -> None:
        self._api = api
        self._env = env
        self._say = say
        self._client = client
        self._python = LocalPython(env)
        self._over = Event()

    def start(self, cluster: Cluster | None, host: str, port: int) -> None:
        """Look at the dashboard behind this port."""
        Thread(target=self._look, args=(cluster, host, port), name="first look", daemon=True).start()

    def close(self) -> None:
        """Say nothing from now on, and leave no process."""
        self._over.set()
        self._python.close()

    def _look(self, cluster: Cluster | None, host: str, port: int) -> None:
        if self._over.wait(MOMENT):
            return
        try:
            for found in self._found(cluster, host, port):
                self._tell(found)
        except (OSError, ImportError):  # no descriptor is left for a module's file: these remarks can be done without
            pass
        finally:
            self._tell("")  # somebody waits for it

    def _found(self, cluster: Cluster | None, host: str, port: int) -> Iterator[str]:
        known = ""
        if cluster is not None and needs_token(cluster, host, port):
            yield (
                "The cluster asks for a token. In a shell:\n"
                "  export RAY_AUTH_MODE=token\n"
                f"  export RAY_AUTH_TOKEN=$(kubectl ray cluster token {cluster.name} -n {cluster.namespace})"
            )
            try:
                known = token.known(self._api, cluster, self._env)
            except KubectlRayError:
                return  # whoever pastes that line learns why
        if self._client:
            there = dashboard(host, port, known)
            line = misfit(self._python.versions(), Versions(there.python_version(), there.ray_version()))
            if line:
                yield line

    def _tell(self, text: str) -> None:
        if not self._over.is_set():
            self._say(text)
