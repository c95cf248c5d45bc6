"""Completion as a shell asks for it: `kubectl __complete ray …`, which finds `kubectl_complete-ray` on PATH."""

from __future__ import annotations

import shlex
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.e2e.harness.objects import group, untouched

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.e2e.harness.front import Front
    from tests.e2e.harness.logins import Logins
    from tests.e2e.harness.oracle import Kubectl
    from tests.e2e.harness.running import Ray
    from tests.e2e.plugin import Suite

KNOWN = "tab-cluster"


@pytest.fixture(scope="module", autouse=True)
def known(suite: Suite) -> Iterator[None]:
    """A cluster with two groups to propose."""
    suite.kubectl.create(untouched(KNOWN, group("tab-gpus"), group("tab-cpus")))
    yield
    suite.kubectl("delete", "raycluster", KNOWN, "--wait=false")


def proposed(ray: Ray, line: str) -> set[str]:
    """What completion proposes for the last word of a line, `'` `'` being a word not begun; without descriptions."""
    done = subprocess.run(
        ["kubectl", "__complete", "ray", *shlex.split(line)],
        env=ray.env,
        cwd=ray.cwd,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    lines = done.stdout.splitlines()
    assert lines[-1].startswith(":"), done.stdout
    return {each.split("\t")[0] for each in lines[:-1]}


@pytest.mark.parametrize(
    ("line", "some"),
    [
        ("''", {"cluster", "version"}),
        ("cl", {"cluster"}),
        ("cluster ''", {"create", "list", "get", "describe", "delete", "scale", "nodes", "worker-group"}),
        ("cluster worker-group ''", {"create", "list"}),
        ("cluster create x --wor", {"--worker-replicas", "--worker-cpus", "--worker-memory", "--worker-gpus"}),
        ("cluster list --out", {"--output"}),
        ("cluster list -o ''", {"json", "yaml", "name", "wide"}),
        ("cluster create x --dry-run=''", {"client", "server"}),
        ("cluster get ''", {KNOWN}),
        ("cluster describe tab", {KNOWN}),
        ("cluster delete ''", {KNOWN}),
        ("cluster delete other tab", {KNOWN}),
        ("cluster nodes tab", {KNOWN}),
        ("cluster scale --cluster ''", {KNOWN}),
        (f"cluster scale --cluster {KNOWN} ''", {"tab-gpus", "tab-cpus"}),
        (f"cluster scale --replicas 3 -c {KNOWN} tab-g", {"tab-gpus"}),
        ("cluster worker-group list -c ''", {KNOWN}),
        ("scale cluster ''", {KNOWN}),
        (f"scale cluster {KNOWN} -w ''", {"tab-gpus", "tab-cpus"}),
        ("get cluster tab", {KNOWN}),
        ("cluster list -n kube-sys", {"kube-system"}),
        ("cluster list --namespace ''", {"kube-system", "default"}),
    ],
)
def test_proposes(ray: Ray, line: str, some: set[str]) -> None:
    """Words, flags, values and live names."""
    assert some <= proposed(ray, line)


def test_of_the_named_namespace(ray: Ray) -> None:
    """Names come from the namespace that the line names."""
    assert KNOWN not in proposed(ray, "-n kube-system cluster get ''")


def test_contexts(ray: Ray, kubectl: Kubectl) -> None:
    """Contexts of the kubeconfig."""
    context = kubectl("config", "current-context").strip()
    assert context in proposed(ray, "cluster list --context ''")


def test_a_named_cluster_is_not_proposed_twice(ray: Ray) -> None:
    """What stands in the line already is not proposed again."""
    assert KNOWN not in proposed(ray, f"cluster delete {KNOWN} ''")


def test_a_new_name_is_not_proposed(ray: Ray) -> None:
    """A name to be made is not one that exists."""
    assert KNOWN not in proposed(ray, "cluster create ''")


def test_without_a_cluster_it_is_silent(ray: Ray, logins: Logins) -> None:
    """Nobody answers: no proposal, no error text on the screen."""
    nobody = ray.having(KUBECONFIG=logins.write("tab-nobody", server={"server": "http://127.0.0.1:1"}))
    assert proposed(nobody, "cluster get ''") == set()
    assert "create" in proposed(nobody, "cluster ''")


def test_a_slow_cluster_does_not_hang_the_shell(front: Front, ray_by_front: Ray) -> None:
    """A server that never answers costs a few seconds, not a terminal."""
    front.hold(r"GET .*rayclusters")
    assert proposed(ray_by_front, "cluster get ''") == set()


def test_words_ask_nobody(front: Front, ray_by_front: Ray) -> None:
    """Words and flags are proposed without a request."""
    proposed(ray_by_front, "cluster ''")
    proposed(ray_by_front, "cluster create x --")
    assert front.requests == []


def test_the_program_itself(suite: Suite) -> None:
    """`kubectl_complete-ray` takes the words after `ray`."""
    done = subprocess.run(
        ["kubectl_complete-ray", "cluster", "get", "tab"],
        env=suite.ray.env,
        cwd=suite.folder,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert KNOWN in done.stdout


def test_bash_script(suite: Suite, tmp_path: Path) -> None:
    """`kubectl ray completion bash` is a script that bash takes."""
    script = tmp_path / "completion.bash"
    script.write_text(suite.ray("completion bash").out)
    subprocess.run(["bash", "-n", str(script)], check=True, timeout=30)
