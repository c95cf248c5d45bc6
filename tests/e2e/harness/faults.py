"""Faults of the cluster itself, where it is the real one that `make cluster-up` started on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.realcluster import cluster
from tests.realcluster import faults as real
from tests.realcluster.errors import RealClusterError

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from tests.e2e.harness.oracle import Kubectl


class Faults:
    """Breaks a part within a `with` block; the parts are those of tests/realcluster/faults.py."""

    def stopped(self, part: str) -> AbstractContextManager[None]:
        """The part does not run."""
        return real.stopped(part)

    def paused(self, part: str) -> AbstractContextManager[None]:
        """The part is frozen: it keeps its connections and answers nothing."""
        return real.paused(part)


def of(kubectl: Kubectl) -> Faults | None:
    """The faults of this cluster; None when it is not one of ours."""
    server = kubectl("config", "view", "--minify", "-o", "jsonpath={.clusters[0].cluster.server}").strip()
    try:
        ours = cluster.server(cluster.known_facts()["port"])
    except (RealClusterError, OSError):
        return None
    return Faults() if server == ours else None
