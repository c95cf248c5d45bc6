"""`version`: three versions, each as far as it can be told."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from kubectl_ray import __version__
from tests.unit.cli.running import run
from tests.wire.server import ApiServer

if TYPE_CHECKING:
    from collections.abc import Iterator

OURS = f"kubectl ray plugin version: {__version__}"


def operator(image: str) -> dict[str, object]:
    """The operator's Deployment, as its Helm chart makes it."""
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": "kuberay-operator",
            "namespace": "ray-system",
            "labels": {"app.kubernetes.io/name": "kuberay-operator"},
        },
        "spec": {"template": {"spec": {"containers": [{"name": "kuberay-operator", "image": image}]}}},
    }


@pytest.fixture
def api() -> Iterator[ApiServer]:
    """A Kubernetes v1.36.1."""
    with ApiServer() as server:
        server.route("/version", lambda _request: (200, {"gitVersion": "v1.36.1"}))
        yield server


def test_three_lines(api: ApiServer) -> None:
    """The first two are the Go plugin's, word for word."""
    api.add(operator("quay.io/kuberay/operator:v1.6.2"))
    said = run("version", api.env)
    assert said.out.splitlines() == [OURS, "KubeRay operator version: v1.6.2", "Kubernetes version: v1.36.1"]
    assert (said.code, said.err) == (0, "")


@pytest.mark.parametrize(
    ("image", "version"),
    [
        ("operator:v1.5.1", "v1.5.1"),
        ("registry:5000/kuberay/operator:v1.6.2@sha256:abc", "v1.6.2"),
        ("registry:5000/kuberay/operator", "registry:5000/kuberay/operator"),
        ("", "not found"),
    ],
)
def test_the_tag_of_the_image(api: ApiServer, image: str, version: str) -> None:
    """The operator's version is its image's tag; without one, the image."""
    api.add(operator(image))
    assert f"KubeRay operator version: {version}\n" in run("version", api.env).out


def test_no_operator(api: ApiServer) -> None:
    """It is said, and is no error."""
    said = run("version", api.env)
    assert said.out.splitlines()[1] == "KubeRay operator version: not found"
    assert said.code == 0


def test_no_right(api: ApiServer) -> None:
    """Deployments of all namespaces are more than most logins may see."""
    api.deny("list", "deployments")
    said = run("version", api.env)
    assert said.out.splitlines()[1:] == ["KubeRay operator version: <no permission>", "Kubernetes version: v1.36.1"]
    assert said.code == 0


def test_json(api: ApiServer) -> None:
    """The same for a script."""
    api.add(operator("operator:v1.6.2"))
    assert json.loads(run("version -o json", api.env).out) == {
        "clientVersion": __version__,
        "operatorVersion": "v1.6.2",
        "kubernetesVersion": "v1.36.1",
    }
    assert run("version --client -o yaml").out == f"clientVersion: {__version__}\n"


@pytest.mark.parametrize("line", ["version --client", "--version"])
def test_client_only(api: ApiServer, line: str) -> None:
    """No cluster is asked."""
    assert run(line, api.env).out == OURS + "\n"
    assert not api.requests


def test_nobody_there(api: ApiServer) -> None:
    """The plugin's own version is still an answer; the rest is a warning."""
    api.stop()
    said = run("version", api.env)
    assert (said.code, said.out) == (0, OURS + "\n")
    assert said.err.startswith("Warning: the cluster cannot be asked: ")


@pytest.mark.parametrize("answer", [(200, b"<html>"), (200, {}), (200, []), (500, b"")])
def test_an_odd_answer(api: ApiServer, answer: tuple[int, object]) -> None:
    """What is not Kubernetes' own has no version."""
    api.routes.clear()
    api.route("/version", lambda _request: answer)
    assert "Kubernetes version: not found\n" in run("version", api.env).out


def test_forbidden_version(api: ApiServer) -> None:
    """A login that may not even ask for the version."""
    api.routes.clear()
    api.route("/version", lambda _request: (403, {}))
    assert "Kubernetes version: <no permission>\n" in run("version", api.env).out


def test_not_logged_in(api: ApiServer) -> None:
    """An expired login is an error: exit code 4."""
    api.fail(401, "Unauthorized", times=9)
    said = run("version", api.env)
    assert said.code == 4
    assert said.out == OURS + "\n"


def test_nobody_there_for_a_script(api: ApiServer) -> None:
    """With `-o json` it is an error: a script must not take half an answer for a whole one."""
    api.stop()
    said = run("version -o json", api.env)
    assert (said.code, said.out) == (1, "")


@pytest.mark.parametrize("path", ["/deployments", "/version"])
def test_a_login_that_expires(api: ApiServer, path: str) -> None:
    """Whichever of the two questions meets it, 401 is an error."""
    api.routes.clear()
    api.fail(401, "Unauthorized", path=path, times=None)
    assert run("version", api.env).code == 4


@pytest.mark.parametrize("spec", [{}, {"template": {"spec": {"containers": []}}}, {"template": 7}])
def test_a_deployment_of_another_shape(api: ApiServer, spec: object) -> None:
    """A Deployment that has no container is no operator."""
    api.add({**operator(""), "spec": spec})
    assert "KubeRay operator version: not found\n" in run("version", api.env).out
