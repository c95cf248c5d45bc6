"""Faults of the cluster itself, where it is the real one that `make cluster-up` started on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.realcluster import cluster, logins
from tests.realcluster import faults as real
from tests.realcluster.errors import RealClusterError

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

    from tests.e2e.harness.oracle import Kubectl


class Faults:
    """Breaks a part within a `with` block; the parts are those of tests/realcluster/faults.py."""

    def stopped(self, part: str) -> AbstractContextManager[None]:
        """The part does not run."""
        return real.stopped(part)

    def paused(self, part: str) -> AbstractContextManager[None]:
        """The part is frozen: it keeps its connections and answers nothing."""
        return real.paused(part)

    def delete_pod(self, namespace: str, name: str) -> None:
        """The pod's object is gone at once, as after the loss of its node."""
        real.delete_pod(namespace, name)

    def kubeconfig_of_an_expired_token(self, folder: Path, namespace: str) -> Path:
        """A login of a service account that was good once: it may read Ray clusters, but its token has expired."""
        rules = [{"apiGroups": ["ray.io"], "resources": ["rayclusters"], "verbs": ["get", "list"]}]
        logins.service_account(namespace, "was-here", rules)
        expired = logins.token(namespace, "was-here", 0)
        return logins.token_kubeconfig(folder / "expired.kubeconfig", namespace, expired)


def of(kubectl: Kubectl) -> bool:
    """Whether this cluster is the real one of this machine."""
    server = kubectl("config", "view", "--minify", "-o", "jsonpath={.clusters[0].cluster.server}").strip()
    try:
        ours = cluster.server(cluster.known_facts()["port"])
    except (RealClusterError, OSError):
        return False
    return server == ours
