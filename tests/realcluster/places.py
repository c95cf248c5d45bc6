"""Where the real cluster keeps its files, and the versions it is made of."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.realcluster.errors import MachineUnfit

if TYPE_CHECKING:
    from collections.abc import Mapping

KUBERNETES = "1.36.1"
OPERATORS = ("1.4.2", "1.5.1", "1.6.2")
RAY = "2.52.0"
RAY_IMAGE = f"docker.io/rayproject/ray:{RAY}"
PAUSE_IMAGE = "localhost/pause:1"

NODE_NAME = "node1"
NODE_ADDRESS = "10.123.0.1"
API_PORT = 6443

SOURCES = Path(__file__).parent
CHECKOUT = SOURCES.parent.parent

# One node a machine, whoever started it: its pods share the machine's control groups. So its place is fixed, which
# also keeps the paths of sockets short and the configuration files constant.
RUN = Path("/run/kubectl-ray-realcluster")


@dataclass(frozen=True)
class Places:
    """The folders that outlive a node: what was built, and the node's disk."""

    cache: Path

    @property
    def builds(self) -> Path:
        """Results of steps, by the content of their inputs."""
        return self.cache / "builds"

    @property
    def state(self) -> Path:
        """The node's disk: etcd's data, the kubelet's volumes, containerd's images."""
        return self.cache / "node"

    @property
    def logs(self) -> Path:
        """One file a step and a daemon; kept after the node is gone."""
        return self.cache / "logs"


def places(environ: Mapping[str, str]) -> Places:
    """The folders named by KUBECTL_RAY_CACHE, else XDG_CACHE_HOME, else `~/.cache`."""
    root = environ.get("KUBECTL_RAY_CACHE") or environ.get("XDG_CACHE_HOME") or Path(environ["HOME"], ".cache")
    return Places(Path(root).absolute() / "kubectl-ray" / "realcluster")


def operator_version(environ: Mapping[str, str]) -> str:
    """The KubeRay operator that OPERATOR picks; the newest when it is not set.

    Raises:
        MachineUnfit: there is no recipe for that version.
    """
    wanted = environ.get("OPERATOR", "").removeprefix("v") or OPERATORS[-1]
    if wanted not in OPERATORS:
        raise MachineUnfit(f"no recipe for KubeRay {wanted}; set OPERATOR to one of {', '.join(OPERATORS)}")
    return wanted
