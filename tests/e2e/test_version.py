"""`version`: the plugin's, the operator's and Kubernetes', each as far as it can be told."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.e2e.harness.running import run

if TYPE_CHECKING:
    from tests.e2e.harness.logins import Logins
    from tests.e2e.harness.oracle import Kubectl
    from tests.e2e.harness.running import Ray


def test_versions(ray: Ray, kubectl: Kubectl) -> None:
    """The plugin's own version and the server's."""
    said = ray("version").out
    server = json.loads(kubectl("version", "-o", "json"))["serverVersion"]["gitVersion"]
    assert server.removeprefix("v") in said
    assert "kubectl" in said.lower()


def test_without_a_cluster(ray: Ray, logins: Logins) -> None:
    """The plugin's version is told all the same, and the exit code is 0."""
    nobody = logins.write("nobody", server={"server": "http://127.0.0.1:1"})
    said = ray.having(KUBECONFIG=nobody)("version")
    assert any(character.isdigit() for character in said.out)


def test_the_program_itself(ray: Ray) -> None:
    """On a machine without kubectl the program runs directly."""
    said = run("kubectl-ray version", ray.env, ray.cwd).expect(0)
    assert said.out == ray("version").out


def test_flag(ray: Ray) -> None:
    """--version tells the plugin's version alone."""
    assert len(ray("--version").lines) == 1
