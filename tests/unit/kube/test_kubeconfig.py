"""`kube.kubeconfig`: from files, flags and environment to one target.

The oracle tests (tests/contract/oracle) hold the same rules against the real kubectl.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_ray.errors import Invalid, KubectlRayError, NotFound, NotLoggedIn, WrongUse
from kubectl_ray.kube.kubeconfig import Overrides, Target, contexts, load

if TYPE_CHECKING:
    from pathlib import Path

SERVER = "https://api.example.test:6443"


def _config(
    cluster: dict[str, Any] | None = None, user: dict[str, Any] | None = None, **context: str
) -> dict[str, Any]:
    return {
        "clusters": [{"name": "c", "cluster": {"server": SERVER} if cluster is None else cluster}],
        "users": [{"name": "u", "user": {"token": "t"} if user is None else user}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u", **context}}],
        "current-context": "x",
    }


def _load(folder: Path, config: dict[str, Any] | None, env: dict[str, str] | None = None, **flags: Any) -> Target:
    if config is not None:
        (folder / "config").write_text(json.dumps(config))
    known = {"KUBECONFIG": str(folder / "config"), **(env or {})}
    return load(Overrides(**flags), known, service_account_dir=str(folder / "serviceaccount"))


def test_target(tmp_path: Path) -> None:
    """The current context gives server, login and namespace."""
    target = _load(tmp_path, _config({"server": SERVER + "/p/", "disable-compression": True}, namespace="team"))
    assert (target.scheme, target.host, target.port, target.prefix) == ("https", "api.example.test", 6443, "/p")
    assert (target.context, target.cluster, target.user_name, target.namespace) == ("x", "c", "u", "team")
    assert (target.user, target.ca, target.insecure, target.tls_server_name) == ({"token": "t"}, None, False, None)
    assert (target.disable_compression, target.user_known) == (True, True)


def test_namespace_flag(tmp_path: Path) -> None:
    """The flag wins over the context."""
    target = _load(tmp_path, _config(namespace="team"), namespace="other")
    assert target.namespace == "other"


def test_namespace_default(tmp_path: Path) -> None:
    """Without any namespace it is `default`."""
    assert _load(tmp_path, _config()).namespace == "default"


def test_repr_shows_no_secret(tmp_path: Path) -> None:
    """A target in a traceback or a log shows no token and no password."""
    target = _load(tmp_path, _config({"server": "https://ada:hunter2@host"}, {"token": "hunter2"}))
    assert "hunter2" not in repr(target) + str(target) + target.server
    assert target.url_login == ("ada", "hunter2")


def test_unknown_context_names_near_ones(tmp_path: Path) -> None:
    """An unknown context is an error that names those of nearly that name."""
    config = _config()
    config["contexts"] += [{"name": name} for name in ("staging", "production", "x1", "x2", "x3", "x4")]
    with pytest.raises(NotFound, match="no context productoin") as caught:
        _load(tmp_path, config, context="productoin")
    assert "--context: production" in caught.value.hint


@pytest.mark.parametrize(("flag", "option"), [("user", "--user"), ("kube_cluster", "--kube-cluster")])
def test_unknown_entry_names_its_flag(flag: str, option: str, tmp_path: Path) -> None:
    """A user or cluster that is asked for and unknown is an error that names the flag."""
    flags: dict[str, Any] = {flag: "nope"}
    with pytest.raises(NotFound) as caught:
        _load(tmp_path, _config(), **flags)
    assert option in caught.value.hint


def test_contexts_cluster_is_in_no_file(tmp_path: Path) -> None:
    """Kubectl would go on to localhost:8080; here it is said that the cluster is unknown."""
    with pytest.raises(NotFound, match="no cluster c"):
        _load(tmp_path, _config() | {"clusters": []})


def test_user_in_no_file_is_told_apart(tmp_path: Path) -> None:
    """A context may name a user that no file has; whoever needs the login can say so."""
    target = _load(tmp_path, _config() | {"users": []})
    assert (target.user, target.user_known) == ({}, False)


def test_no_kubeconfig(tmp_path: Path) -> None:
    """Without any kubeconfig it is said which file is missing, and what to do."""
    with pytest.raises(NotLoggedIn, match="config does not exist") as caught:
        _load(tmp_path, None)
    assert "--kubeconfig" in caught.value.hint


def test_empty_kubeconfig(tmp_path: Path) -> None:
    """A kubeconfig that says nothing is as good as none."""
    with pytest.raises(NotLoggedIn, match="config is empty"):
        _load(tmp_path, {})


def test_no_current_context(tmp_path: Path) -> None:
    """Contexts but none chosen: they are named."""
    with pytest.raises(WrongUse, match="no current context") as caught:
        _load(tmp_path, _config() | {"current-context": ""})
    assert "--context: x" in caught.value.hint


def test_cluster_without_server(tmp_path: Path) -> None:
    """A cluster entry has to name a server."""
    with pytest.raises(Invalid, match="c has no `server`"):
        _load(tmp_path, _config({"insecure-skip-tls-verify": True}))


def test_server_flag_needs_no_kubeconfig(tmp_path: Path) -> None:
    """--server and --token are a login of their own."""
    target = _load(tmp_path, None, server="https://host", token="t")  # not a password
    assert (target.host, target.user, target.context) == ("host", {"token": "t"}, None)


def test_server_flag_for_a_context_with_unknown_cluster(tmp_path: Path) -> None:
    """With --server the context's cluster may be missing, as for kubectl."""
    assert _load(tmp_path, _config() | {"clusters": []}, server="https://host").host == "host"


def test_kubernetes_master(tmp_path: Path) -> None:
    """KUBERNETES_MASTER names the server where nothing else does."""
    assert _load(tmp_path, {}, {"KUBERNETES_MASTER": "https://host"}).host == "host"


def test_server_flag_clears_tls_server_name(tmp_path: Path) -> None:
    """Another server has another name on its certificate."""
    config = _config({"server": SERVER, "tls-server-name": "name"})
    assert _load(tmp_path, config).tls_server_name == "name"
    assert _load(tmp_path, config, server="https://host").tls_server_name is None
    assert _load(tmp_path, config, server="https://host", tls_server_name="other").tls_server_name == "other"


def test_authority_file_is_read(tmp_path: Path) -> None:
    """The authority is there as data, whichever way it was given."""
    (tmp_path / "ca.pem").write_text("PEM")
    assert _load(tmp_path, _config({"server": SERVER, "certificate-authority": "ca.pem"})).ca == b"PEM"
    assert _load(tmp_path, _config(), certificate_authority=str(tmp_path / "ca.pem")).ca == b"PEM"


def test_missing_authority_file(tmp_path: Path) -> None:
    """A missing authority is an error with its path."""
    with pytest.raises(Invalid, match=r"ca\.pem"):
        _load(tmp_path, _config({"server": SERVER, "certificate-authority": "ca.pem"}))


def test_insecure_flag_over_authority(tmp_path: Path) -> None:
    """--insecure-skip-tls-verify puts the kubeconfig's authority aside."""
    target = _load(
        tmp_path, _config({"server": SERVER, "certificate-authority-data": "UEVN"}), insecure_skip_tls_verify=True
    )
    assert (target.ca, target.insecure) == (None, True)


def test_authority_flag_over_insecure(tmp_path: Path) -> None:
    """--certificate-authority puts insecure-skip-tls-verify aside."""
    (tmp_path / "ca.pem").write_text("PEM")
    config = _config({"server": SERVER, "insecure-skip-tls-verify": True})
    target = _load(tmp_path, config, certificate_authority=str(tmp_path / "ca.pem"))
    assert (target.ca, target.insecure) == (b"PEM", False)


def test_authority_and_insecure(tmp_path: Path) -> None:
    """Both together contradict each other."""
    config = _config({"server": SERVER, "insecure-skip-tls-verify": True, "certificate-authority-data": "UEVN"})
    with pytest.raises(WrongUse, match="only one"):
        _load(tmp_path, config)


def test_certificate_flags_replace_data(tmp_path: Path) -> None:
    """--client-certificate and --client-key take the place of the kubeconfig's data, each for itself."""
    user = {"client-certificate-data": "QQ==", "client-key-data": "Qg=="}
    target = _load(tmp_path, _config(user=user), client_certificate="a", client_key="b")
    assert target.user == {"client-certificate": "a", "client-key": "b"}


@pytest.mark.parametrize(
    ("user", "words"),
    [
        ({"token": "t", "username": "ada"}, "token and username"),
        ({"client-certificate-data": "QQ=="}, "without a client key"),
        ({"client-certificate-data": "QQ==", "client-certificate": "a", "client-key": "b"}, "both client-certificate"),
        ({"client-certificate": "a", "client-key": "b", "client-key-data": "QQ=="}, "both client-key"),
        ({"token": "t", "as-groups": ["g"]}, "no `as`"),
        ({"token": "t", "as-uid": "7"}, "no `as`"),
        ({"exec": {"command": "a", "apiVersion": "x/v1beta1"}, "auth-provider": {"name": "gcp"}}, "both an exec"),
        ({"exec": {"apiVersion": "x/v1beta1"}}, "without a command"),
        ({"exec": {"command": "a"}}, "without an apiVersion"),
        ({"exec": {"command": "a", "apiVersion": "x/v1"}}, "interactiveMode"),
        ({"exec": {"command": "a", "apiVersion": "x/v1", "interactiveMode": "never"}}, "unknown interactiveMode"),
        ({"exec": {"command": "a", "apiVersion": "x/v1beta1", "env": [{"value": "b"}]}}, "nameless variable"),
    ],
)
def test_contradicting_user(user: dict[str, Any], words: str, tmp_path: Path) -> None:
    """A login that contradicts itself is refused with what contradicts."""
    with pytest.raises(Invalid, match=words):
        _load(tmp_path, _config(user=user))


def test_impersonation_headers(tmp_path: Path) -> None:
    """All of the impersonation becomes headers; names of extras are escaped byte by byte."""
    target = _load(
        tmp_path,
        _config(),
        as_="bob",
        as_groups=["dev", "ops"],
        as_uid="7",
        as_user_extra=["scopes=a=b", "scopes=c", "ex/Ämple%=d"],
    )
    assert target.impersonate == [
        ("Impersonate-User", "bob"),
        ("Impersonate-Uid", "7"),
        ("Impersonate-Group", "dev"),
        ("Impersonate-Group", "ops"),
        ("Impersonate-Extra-scopes", "a=b"),
        ("Impersonate-Extra-scopes", "c"),
        ("Impersonate-Extra-ex%2F%C3%84mple%25", "d"),
    ]


def test_impersonation_flags_over_kubeconfig(tmp_path: Path) -> None:
    """Flags win one by one; of the extras, key by key."""
    user = {"token": "t", "as": "ada", "as-groups": ["a"], "as-user-extra": {"k": ["1"], "l": ["2"]}}
    target = _load(tmp_path, _config(user=user), as_="bob", as_user_extra=["k=3"])
    assert target.impersonate == [
        ("Impersonate-User", "bob"),
        ("Impersonate-Group", "a"),
        ("Impersonate-Extra-k", "3"),
        ("Impersonate-Extra-l", "2"),
    ]


def test_extra_without_value(tmp_path: Path) -> None:
    """--as-user-extra takes KEY=VALUE; kubectl drops it silently and asks with other rights."""
    with pytest.raises(WrongUse, match="KEY=VALUE"):
        _load(tmp_path, _config(), as_="bob", as_user_extra=["scopes"])


def test_bad_proxy_url(tmp_path: Path) -> None:
    """A proxy of another kind is refused before anything is connected."""
    with pytest.raises(Invalid, match="proxy-url of cluster c"):
        _load(tmp_path, _config({"server": SERVER, "proxy-url": "ftp://host"}))


def test_exec_cluster(tmp_path: Path) -> None:
    """A plugin can be told of the cluster, with the extension that is meant for it."""
    extensions = [{"name": "a", "extension": 1}, {"name": "client.authentication.k8s.io/exec", "extension": {"k": "v"}}]
    cluster = {"server": SERVER, "certificate-authority-data": "UEVN", "tls-server-name": "n", "extensions": extensions}
    plugin = {"exec": {"command": "a", "apiVersion": "x/v1beta1"}}
    assert _load(tmp_path, _config(cluster, plugin)).exec_cluster == {
        "server": SERVER,
        "tls-server-name": "n",
        "certificate-authority-data": "UEVN",
        "config": {"k": "v"},
    }


@pytest.fixture(name="pod")
def _pod(tmp_path: Path) -> dict[str, str]:
    """The environment of a pod with a service account."""
    (tmp_path / "serviceaccount").mkdir()
    for name, content in (("token", "own"), ("ca.crt", "PEM"), ("namespace", "pods\n")):
        (tmp_path / "serviceaccount" / name).write_text(content)
    return {"KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "443"}


def test_pod(tmp_path: Path, pod: dict[str, str]) -> None:
    """In a pod without a kubeconfig the service account is the login."""
    target = _load(tmp_path, None, pod)
    assert (target.server, target.host, target.ca, target.namespace) == (
        "https://[fd00::1]:443",
        "fd00::1",
        b"PEM",
        "pods",
    )
    assert target.user == {"tokenFile": str(tmp_path / "serviceaccount" / "token")}


def test_pod_with_kubeconfig(tmp_path: Path, pod: dict[str, str]) -> None:
    """A kubeconfig wins over the service account; only the namespace may still be the pod's."""
    target = _load(tmp_path, _config(), pod)
    assert (target.server, target.user, target.namespace) == (SERVER, {"token": "t"}, "pods")
    assert _load(tmp_path, _config(namespace="default"), pod).namespace == "default"


def test_pod_namespace_from_environment(tmp_path: Path, pod: dict[str, str]) -> None:
    """POD_NAMESPACE wins over the service account's file."""
    assert _load(tmp_path, None, pod | {"POD_NAMESPACE": "told"}).namespace == "told"


def test_pod_impersonates(tmp_path: Path, pod: dict[str, str]) -> None:
    """--as works in a pod too; kubectl would go to localhost:8080 there."""
    assert _load(tmp_path, None, pod, as_="bob").impersonate == [("Impersonate-User", "bob")]


def test_pod_without_token_file_is_none(tmp_path: Path, pod: dict[str, str]) -> None:
    """A pod without a service account is as good as no kubeconfig."""
    (tmp_path / "serviceaccount" / "token").unlink()
    with pytest.raises(NotLoggedIn):
        _load(tmp_path, None, pod)


def test_contexts(tmp_path: Path) -> None:
    """Completion gets all contexts with their namespaces, even where none is chosen."""
    config = _config() | {"current-context": ""}
    config["contexts"].append({"name": "y", "context": {"namespace": "n"}})
    (tmp_path / "config").write_text(json.dumps(config))
    assert contexts(Overrides(), {"KUBECONFIG": str(tmp_path / "config")}) == [("x", "default"), ("y", "n")]


_TEXT = st.text(max_size=12)


@given(
    st.dictionaries(st.sampled_from(["server", "proxy-url", "tls-server-name"]), _TEXT),
    st.dictionaries(st.sampled_from(["token", "username", "tokenFile", "as", "as-uid", "client-certificate"]), _TEXT),
    st.dictionaries(st.sampled_from(["server", "namespace", "context", "token", "as_", "as_uid"]), _TEXT),
)
def test_fuzz(
    tmp_path_factory: pytest.TempPathFactory, cluster: dict[str, str], user: dict[str, str], flags: dict[str, Any]
) -> None:
    """Whatever the fields and flags say, there is a target with a namespace, or one of our errors."""
    folder = tmp_path_factory.getbasetemp()
    try:
        target = _load(folder, _config(cluster, user), **flags)
    except KubectlRayError:
        return
    assert target.namespace
    assert all(name.isascii() for name, _ in target.impersonate)
