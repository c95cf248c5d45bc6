"""The namespace of one run: its own, and gone afterwards."""

from __future__ import annotations

import os
import secrets
import subprocess
from typing import TYPE_CHECKING

from tests.e2e.harness.conditions import until
from tests.e2e.harness.running import environment

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.harness.oracle import Kubectl

LABEL = "kubectl-ray-e2e"


class NoCluster(Exception):
    """There is no cluster to test on."""


def login(folder: Path, namespace: str) -> Path:
    """A kubeconfig with one context: that of CONTEXT, else the current one of KUBECONFIG; its namespace is ours.

    Raises:
        NoCluster: the kubeconfig has no such context, or its cluster does not answer.
    """
    outside = dict(os.environ)
    chosen = os.environ.get("CONTEXT", "")
    programs = environment(folder / "none", folder)["PATH"]
    words = ["config", "view", "--raw", "--minify", "--flatten", *(["--context", chosen] if chosen else [])]
    seen = subprocess.run(
        ["kubectl", *words], env={**outside, "PATH": programs}, capture_output=True, check=False, timeout=60
    )
    if seen.returncode:
        raise NoCluster(f"no cluster to test on: {seen.stderr.decode().strip()}; set KUBECONFIG, or CONTEXT=name")
    path = folder / "suite.kubeconfig"
    path.touch(mode=0o600)
    path.write_bytes(seen.stdout)
    env = environment(path, folder)
    subprocess.run(
        ["kubectl", "config", "set-context", *(["--current"] if not chosen else [chosen]), f"--namespace={namespace}"],
        env=env,
        capture_output=True,
        check=True,
        timeout=60,
    )
    answered = subprocess.run(
        ["kubectl", "get", "--raw", "/readyz"], env=env, capture_output=True, check=False, timeout=60
    )
    if answered.returncode:
        raise NoCluster(f"no cluster to test on: {answered.stderr.decode().strip()}")
    return path


def new_name() -> str:
    """A namespace that no other run has."""
    return f"kubectl-ray-e2e-{secrets.token_hex(3)}"


def make(kubectl: Kubectl, name: str) -> None:
    """Create the namespace, and wait until pods may be made there."""
    kubectl("create", "namespace", name)
    kubectl("label", "namespace", name, f"{LABEL}=yes")
    until(lambda: kubectl.find("serviceaccount", "default"), f"the service account of namespace {name}")


def remove(kubectl: Kubectl, name: str) -> None:
    """Remove the namespace with all that is in it; pods are not given their half minute to say goodbye."""
    kubectl("delete", "rayclusters,rayjobs,rayservices", "--all", "-n", name, "--wait=false", "--ignore-not-found")
    kubectl("delete", "pods", "--all", "-n", name, "--grace-period=1", "--wait=false", "--ignore-not-found")
    kubectl("delete", "namespace", name, "--timeout=150s", "--ignore-not-found", within=170)
