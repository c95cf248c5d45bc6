"""Where the token of a cluster is looked for, in which order, and what is said where there is none."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_ray.errors import KubectlRayError, NotAllowed, NotFound, ServerError, WrongUse
from kubectl_ray.flows import token
from kubectl_ray.models.cluster import Cluster
from tests.kuberay import cluster

if TYPE_CHECKING:
    from pathlib import Path


class Api:
    """An API server with Secrets: by name, the object or the error that it answers with."""

    def __init__(self, **secrets: Any) -> None:
        self.secrets = secrets

    def get(self, _resource: object, name: str, _namespace: str) -> Any:
        """One Secret."""
        found = self.secrets.get(name, NotFound(f"no {name}"))
        if isinstance(found, KubectlRayError):
            raise found
        return found


def secret(text: str) -> dict[str, Any]:
    """A Secret that holds this token."""
    return {"data": {"auth_token": base64.b64encode(text.encode()).decode()}}


def asking(**options: object) -> Cluster:
    """A cluster a that asks for a token."""
    return Cluster(cluster("a", authOptions={"mode": "token", **options}))


def known(api: Api, cluster: Cluster, **env: str) -> str:
    """`token.known` with this environment."""
    return token.known(api, cluster, env)  # type: ignore[arg-type]


def of_secret(api: Api, cluster: Cluster) -> str:
    """`token.of_secret`."""
    return token.of_secret(api, cluster)  # type: ignore[arg-type]


def test_the_environment_wins(tmp_path: Path) -> None:
    """What a person set for this shell comes before all else, and a path there before the Secret."""
    path = tmp_path / "token"
    path.write_text("of-path\n")
    api = Api(a=secret("of-secret"))
    assert known(api, asking(), RAY_AUTH_TOKEN="of-env", RAY_AUTH_TOKEN_PATH=str(path)) == "of-env"
    assert known(api, asking(), RAY_AUTH_TOKEN_PATH=str(path)) == "of-path"


def test_the_secret_comes_before_the_file(tmp_path: Path) -> None:
    """The file in the home folder may be another cluster's."""
    (tmp_path / ".ray").mkdir()
    (tmp_path / ".ray" / "auth_token").write_text("of-home\n")
    assert known(Api(a=secret("of-secret")), asking(), HOME=str(tmp_path)) == "of-secret"
    assert known(Api(), asking(), HOME=str(tmp_path)) == "of-home"


def test_without_any(tmp_path: Path) -> None:
    """What is missing is the Secret, not the file."""
    with pytest.raises(NotFound, match="Secret a in namespace default does not exist"):
        known(Api(), asking(), HOME=str(tmp_path))


def test_a_path_that_cannot_be_read(tmp_path: Path) -> None:
    """As for Ray itself this is an error: whoever names a file means that one."""
    with pytest.raises(WrongUse, match="cannot be read"):
        known(Api(a=secret("x")), asking(), RAY_AUTH_TOKEN_PATH=str(tmp_path / "nothing"))
    (tmp_path / "empty").write_text(" \n")
    with pytest.raises(WrongUse, match="holds no token"):
        known(Api(a=secret("x")), asking(), RAY_AUTH_TOKEN_PATH=str(tmp_path / "empty"))


def test_a_secret_with_a_name_of_its_own() -> None:
    """The spec names it."""
    assert of_secret(Api(mine=secret("x")), asking(secretName="mine")) == "x"


def test_no_right() -> None:
    """The words name the Secret and the right; the exit code is that of rights."""
    with pytest.raises(NotAllowed) as caught:
        of_secret(Api(a=NotAllowed("forbidden")), asking())
    assert "may not read the token of Ray cluster a" in caught.value.message
    assert "`get` on Secret a" in caught.value.hint


def test_a_cluster_without_tokens() -> None:
    """It says that none is asked for, rather than that one is missing."""
    with pytest.raises(NotFound, match="not switched on"):
        of_secret(Api(a=secret("x")), Cluster(cluster("a")))
    with pytest.raises(NotFound, match="Kubernetes tokens of its users"):
        of_secret(Api(a=secret("x")), asking(enableK8sTokenAuth=True))


@pytest.mark.parametrize("data", [None, {}, {"auth_token": ""}, {"other": "eA=="}])
def test_a_secret_without_the_key(data: Any) -> None:
    """It says which key is missing."""
    with pytest.raises(NotFound, match="auth_token"):
        of_secret(Api(a={"data": data}), asking())


@given(st.text() | st.binary().map(lambda raw: base64.b64encode(raw).decode()))
def test_any_data(value: str) -> None:
    """Whatever a Secret holds: one line that can be printed, or an error of ours."""
    try:
        found = of_secret(Api(a={"data": {"auth_token": value}}), asking())
    except (NotFound, ServerError):
        return
    assert found
    assert found.isprintable()
