"""`kube.kuberc`: which exec plugins may run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_ray.errors import Invalid, NotLoggedIn
from kubectl_ray.kube import kuberc

if TYPE_CHECKING:
    from pathlib import Path

HEAD = "apiVersion: kubectl.config.k8s.io/v1beta1\nkind: Preference\n"


def _policy(folder: Path, text: str, **env: str) -> tuple[kuberc.Policy, list[str]]:
    """The policy of a `~/.kube/kuberc` with this text, and what was warned about."""
    (folder / ".kube").mkdir(exist_ok=True)
    (folder / ".kube" / "kuberc").write_text(text)
    warned: list[str] = []
    return kuberc.policy({"HOME": str(folder), **env}, warned.append), warned


def test_no_file(tmp_path: Path) -> None:
    """Without a kuberc every plugin may run."""
    warned: list[str] = []
    kuberc.policy({"HOME": str(tmp_path)}, warned.append).check("plugin", "/bin/plugin", str)
    assert warned == []


@pytest.mark.parametrize(
    "text", ["", "# nothing\n", HEAD, HEAD + "credentialPluginPolicy: ''", HEAD + "credentialPluginPolicy: AllowAll"]
)
def test_allows(text: str, tmp_path: Path) -> None:
    """Saying nothing, or AllowAll, lets every plugin run."""
    policy, warned = _policy(tmp_path, text)
    assert (policy.kind, warned) == ("AllowAll", [])


def test_deny_all(tmp_path: Path) -> None:
    """DenyAll lets none run, and the error names the file."""
    policy, _ = _policy(tmp_path, HEAD + "credentialPluginPolicy: DenyAll")
    with pytest.raises(NotLoggedIn, match="kuberc has credentialPluginPolicy DenyAll"):
        policy.check("plugin", "/bin/plugin", str)


@pytest.mark.parametrize(
    ("entry", "allowed"),
    [
        ("command: plugin", True),
        ("name: plugin", True),
        ("command: /usr/bin/plugin", True),
        ("command: other", False),
        ("command: /opt/plugin", False),
    ],
)
def test_allowlist(entry: str, allowed: bool, tmp_path: Path) -> None:  # a table's column
    """An entry allows the command word for word, or the program that it is found as."""
    policy, _ = _policy(tmp_path, f"{HEAD}credentialPluginPolicy: Allowlist\ncredentialPluginAllowlist: [{{{entry}}}]")
    try:
        policy.check("plugin", "/usr/bin/plugin", {"plugin": "/usr/bin/plugin"}.get)
    except NotLoggedIn:
        assert not allowed
    else:
        assert allowed


def test_allowlist_follows_the_path(tmp_path: Path) -> None:
    """A bare name allows the path that it is found at on PATH, and only that."""
    policy, _ = _policy(
        tmp_path, HEAD + "credentialPluginPolicy: Allowlist\ncredentialPluginAllowlist: [command: plugin]"
    )
    policy.check("/usr/bin/plugin", "/usr/bin/plugin", {"plugin": "/usr/bin/plugin"}.get)
    with pytest.raises(NotLoggedIn):
        policy.check("/opt/plugin", "/opt/plugin", {"plugin": "/usr/bin/plugin"}.get)


@pytest.mark.parametrize(
    "text",
    [
        "credentialPluginPolicy: denyall",
        "credentialPluginPolicy: 1",
        "credentialPluginPolicy: []",
        "credentialPluginPolicy: Allowlist",
        "credentialPluginPolicy: Allowlist\ncredentialPluginAllowlist: []",
        "credentialPluginPolicy: Allowlist\ncredentialPluginAllowlist: text",
        "credentialPluginPolicy: Allowlist\ncredentialPluginAllowlist: [text]",
        "credentialPluginPolicy: Allowlist\ncredentialPluginAllowlist: [{}]",
        "credentialPluginPolicy: Allowlist\ncredentialPluginAllowlist: [{command: 1}]",
        "credentialPluginPolicy: Allowlist\ncredentialPluginAllowlist: [{command: a/../b}]",
        "credentialPluginPolicy: Allowlist\ncredentialPluginAllowlist: [{command: a, name: b}]",
        "credentialPluginPolicy: DenyAll\ncredentialPluginAllowlist: []",
        "credentialPluginAllowlist: [{command: a}]",
    ],
)
def test_wrong_policy(text: str, tmp_path: Path) -> None:
    """A policy that is mistaken lets nothing run: it is there for security."""
    with pytest.raises(Invalid, match="kuberc"):
        _policy(tmp_path, HEAD + text)


@pytest.mark.parametrize("text", ["kind: Pod", "[", "text", "apiVersion: v1\nkind: Preference"])
def test_broken_default_file_is_warned_about(text: str, tmp_path: Path) -> None:
    """The default file is passed over with a warning if it is no Preference, as kubectl does."""
    policy, warned = _policy(tmp_path, text)
    assert policy.kind == "AllowAll"
    assert len(warned) == 1


def test_first_known_document_counts(tmp_path: Path) -> None:
    """Of several documents the first Preference of a known version is taken."""
    policy, _ = _policy(tmp_path, f"kind: Pod\n---\n{HEAD}credentialPluginPolicy: DenyAll\n---\n{HEAD}")
    assert policy.kind == "DenyAll"


def test_older_version_has_no_policy(tmp_path: Path) -> None:
    """v1alpha1 knows no policy; what stands there is ignored."""
    text = "apiVersion: kubectl.config.k8s.io/v1alpha1\nkind: Preference\ncredentialPluginPolicy: DenyAll\n"
    assert _policy(tmp_path, text)[0].kind == "AllowAll"


@pytest.mark.parametrize("env", [{"KUBERC": "off"}, {"KUBECTL_KUBERC": "false"}])
def test_turned_off(env: dict[str, str], tmp_path: Path) -> None:
    """KUBERC=off and KUBECTL_KUBERC=false turn the file off."""
    assert _policy(tmp_path, HEAD + "credentialPluginPolicy: DenyAll", **env)[0].kind == "AllowAll"


@pytest.mark.parametrize("content", [None, "kind: Pod", "["])
def test_named_file_has_to_be_good(content: str | None, tmp_path: Path) -> None:
    """The file that KUBERC names has to be there and to be a Preference."""
    path = tmp_path / "named"
    if content is not None:
        path.write_text(content)
    with pytest.raises(Invalid, match="named"):
        kuberc.policy({"KUBERC": str(path)}, str)


@given(st.text(alphabet="abAllowlistDenyAll[]{}: \n-", max_size=60))
def test_fuzz(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    """Any text after the head is a policy, or an `Invalid`."""
    path = tmp_path_factory.getbasetemp() / "kuberc"
    path.write_text(f"{HEAD}credentialPluginPolicy: {text}")
    try:
        assert kuberc.policy({"KUBERC": str(path)}, str).kind in {"AllowAll", "DenyAll", "Allowlist"}
    except Invalid:
        return
