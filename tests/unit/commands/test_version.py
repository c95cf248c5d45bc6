"""`version`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from kubectl_ray import __version__

if TYPE_CHECKING:
    from tests.kuberay import World


def operator(image: object = "quay.io/kuberay/operator:v1.6.2") -> dict[str, Any]:
    """The operator's Deployment."""
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": "kuberay-operator",
            "namespace": "kube-system",
            "labels": {"app.kubernetes.io/name": "kuberay-operator"},
        },
        "spec": {"template": {"spec": {"containers": [{"image": image}]}}},
    }


def test_all_three(world: World) -> None:
    """The first two lines are the Go plugin's, which scripts read; Kubernetes' version follows."""
    world.add(operator())

    ran = world.run("version")

    assert ran.code == 0, ran
    assert ran.out == (
        f"kubectl ray plugin version: {__version__}\nKubeRay operator version: v1.6.2\nKubernetes version: v1.36.1\n"
    )


@pytest.mark.parametrize("line", ["version --client", "--version"])
def test_the_client_alone(world: World, line: str) -> None:
    """`--client` asks no cluster."""
    ran = world.run(line)

    assert (ran.out, ran.asked) == (f"kubectl ray plugin version: {__version__}\n", [])


def test_json(world: World) -> None:
    """`-o json` has all three for a script."""
    world.add(operator())

    assert json.loads(world.run("version -o json").out) == {
        "clientVersion": __version__,
        "operatorVersion": "v1.6.2",
        "kubernetesVersion": "v1.36.1",
    }


def test_json_of_the_client_alone(world: World) -> None:
    """`--client -o json` has the plugin's version only."""
    ran = world.run("version --client -o json")

    assert json.loads(ran.out) == {"clientVersion": __version__}
    assert ran.asked == []


@pytest.mark.parametrize(
    ("image", "version"),
    [
        ("registry:5000/kuberay/operator:v1.6.2", "v1.6.2"),
        ("kuberay/operator:v1.6.2@sha256:abc", "v1.6.2"),
        ("registry:5000/kuberay/operator", "registry:5000/kuberay/operator"),
        (None, "not found"),
    ],
)
def test_the_operators_image(world: World, image: object, version: str) -> None:
    """The operator's version is its image's tag; without one, the image's whole name."""
    world.add(operator(image))

    assert f"KubeRay operator version: {version}\n" in world.run("version").out


def test_a_deployment_of_another_shape(world: World) -> None:
    """A Deployment without containers is no operator."""
    world.add({**operator(), "spec": {}})

    assert "KubeRay operator version: not found\n" in world.run("version").out


def test_no_operator(world: World) -> None:
    """Where there is none, it is said, and the exit code stays 0."""
    ran = world.run("version")

    assert ran.code == 0
    assert "KubeRay operator version: not found\n" in ran.out


def test_no_right_to_deployments(world: World) -> None:
    """Where Deployments may not be listed, the answer is `<no permission>`."""
    world.api.deny("list", "deployments")

    ran = world.run("version")

    assert ran.code == 0
    assert "KubeRay operator version: <no permission>\n" in ran.out


def test_no_right_to_the_version(world: World) -> None:
    """/version can be closed too."""
    world.api.fail(403, "Forbidden", "no", path="/version")

    assert "Kubernetes version: <no permission>\n" in world.run("version").out


def test_a_version_without_words(world: World) -> None:
    """An answer that is no version is `not found`."""
    world.api.fault("/version", status=200, body=b"<html>")

    assert "Kubernetes version: not found\n" in world.run("version").out


@pytest.mark.parametrize("path", ["/deployments", "/version"])
def test_an_expired_login(world: World, path: str) -> None:
    """401 is an error, not an answer."""
    world.api.fail(401, "Unauthorized", "Unauthorized", path=path, times=None)

    assert world.run("version").code == 4


def test_nobody_answers(world: World) -> None:
    """An API server that is down is a warning: the plugin's own version is still an answer."""
    world.api.stop()

    ran = world.run("version")

    assert ran.code == 0, ran
    assert ran.out == f"kubectl ray plugin version: {__version__}\n"
    assert ran.err.startswith("Warning: the cluster cannot be asked: ")


def test_nobody_answers_a_script(world: World) -> None:
    """With `-o json` it is an error: a script must not read half an answer."""
    world.api.stop()

    ran = world.run("version -o json")

    assert (ran.code, ran.out) == (1, "")
