"""The real kubectl reads and rewrites the kubeconfig that our login was put into."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from kubectl_ray.kube.context_file import Login, add, remove

if TYPE_CHECKING:
    from collections.abc import Callable

NAME = "kubectl-ray-sandbox"
LOGIN = Login(
    NAME,
    {"server": "https://127.0.0.1:1", "extensions": [{"name": "ours", "extension": {"home": "/home/jürgen/a b"}}]},
    {"token": "1:20"},
)
KUBECTL = Path(sys.executable).with_name("kubectl")


def ours(cluster: dict[str, Any]) -> bool:
    """The mark, which has to survive kubectl."""
    return [each["name"] for each in cluster.get("extensions", ())] == ["ours"]


@pytest.fixture
def kubectl(tmp_path: Path) -> Callable[..., str]:
    """`kubectl config` on one file."""

    def config(*words: str) -> str:
        done = subprocess.run(
            [KUBECTL, "config", *words, "--kubeconfig", tmp_path / "config"],
            env={"HOME": str(tmp_path)},
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        return done.stdout.strip()

    return config


def test_kubectl_reads_it(tmp_path: Path, kubectl: Callable[..., str]) -> None:
    """Name, address, token and the current context."""
    add(str(tmp_path / "config"), {}, LOGIN, ours=ours, switch=True)
    assert kubectl("current-context") == NAME
    assert kubectl("get-contexts", "-o", "name") == NAME
    view = "jsonpath={.clusters[0].cluster.server} {.users[0].user.token}"
    assert kubectl("view", "--raw", "-o", view) == "https://127.0.0.1:1 1:20"


def test_kubectl_rewrites_it(tmp_path: Path, kubectl: Callable[..., str]) -> None:
    """After `kubectl config` has written the whole file anew, ours is still known as ours, and goes alone."""
    path = tmp_path / "config"
    kubectl("set-cluster", "other", "--server=https://other")
    kubectl("set-context", "other", "--cluster=other")
    kubectl("use-context", "other")
    added = add(str(path), {}, LOGIN, ours=ours, switch=True)
    assert added.before == "other"
    kubectl("set-context", "--current", "--namespace=team")
    assert remove(str(path), NAME, ours=ours, before=added.before)
    assert kubectl("get-contexts", "-o", "name") == "other"
    assert kubectl("current-context") == "other"
    assert NAME not in path.read_text(encoding="utf-8")
