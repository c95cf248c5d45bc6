"""kubectl as the judge: what is in the cluster, and what a case puts there by hand."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

from tests.e2e.harness.conditions import until
from tests.e2e.harness.running import run

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

Object = dict[str, Any]


class Kubectl:
    """kubectl with the suite's login, in the suite's namespace."""

    def __init__(self, env: Mapping[str, str], cwd: Path) -> None:
        self.env = dict(env)
        self.cwd = cwd

    def __call__(self, *words: str, feed: Object | None = None, within: float = 120.0) -> str:
        """What it prints.

        Raises:
            AssertionError: it failed; shows its words.
        """
        done = subprocess.run(
            ["kubectl", *words],
            env=self.env,
            cwd=self.cwd,
            input=b"" if feed is None else json.dumps(feed).encode(),
            capture_output=True,
            timeout=within,
            check=False,
        )
        if done.returncode:
            raise AssertionError(f"$ kubectl {' '.join(words)}\n{done.stderr.decode()}")
        return done.stdout.decode()

    def get(self, kind: str, name: str) -> Object:
        """One object.

        Raises:
            AssertionError: there is none.
        """
        found: Object = json.loads(self("get", kind, name, "-o", "json"))
        return found

    def find(self, kind: str, name: str) -> Object | None:
        """One object, or None."""
        said = self("get", kind, name, "-o", "json", "--ignore-not-found")
        return json.loads(said) if said.strip() else None

    def all(self, kind: str, selector: str = "") -> list[Object]:
        """All objects of a kind."""
        items: list[Object] = json.loads(self("get", kind, "-l", selector, "-o", "json"))["items"]
        return items

    def names(self, kind: str, selector: str = "") -> set[str]:
        """The names of all objects of a kind."""
        return {item["metadata"]["name"] for item in self.all(kind, selector)}

    def create(self, made: Object) -> Object:
        """Create an object, as the API server then has it."""
        there: Object = json.loads(self("create", "-f", "-", "-o", "json", feed=made))
        return there

    def set_status(self, kind: str, name: str, status: Object) -> None:
        """Write an object's status, as the operator would."""
        patch = json.dumps({"status": status})
        self("patch", kind, name, "--subresource=status", "--type=merge", "-p", patch)

    def pods(self, cluster: str, group: str = "") -> list[Object]:
        """The pods of a Ray cluster, or of one of its groups."""
        return self.all("pods", f"ray.io/cluster={cluster}" + (f",ray.io/group={group}" if group else ""))

    def ready(self, cluster: str, group: str) -> int:
        """How many pods of a group are ready and stay."""
        return sum(is_ready(pod) for pod in self.pods(cluster, group))

    def group(self, cluster: str, name: str) -> Object:
        """A worker group as the spec has it."""
        groups = self.get("raycluster", cluster)["spec"]["workerGroupSpecs"]
        found: Object = next(group for group in groups if group["groupName"] == name)
        return found

    def remove(self, *clusters: str) -> None:
        """Delete Ray clusters and wait until their pods are gone."""
        self("delete", "raycluster", *clusters, "--ignore-not-found", "--wait=true")
        for cluster in clusters:
            until(lambda name=cluster: not self.pods(name), f"the pods of {cluster} are gone", within=90)  # type: ignore[misc]


def is_ready(pod: Object) -> bool:
    """Ready, and not on its way out."""
    conditions = pod.get("status", {}).get("conditions", [])
    ready = any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)
    return ready and "deletionTimestamp" not in pod["metadata"]


def kubectl_says(line: str, env: Mapping[str, str], cwd: Path) -> str:
    """The stdout of a kubectl command line that a person types."""
    return run(f"kubectl {line}", env, cwd).expect(0).out
