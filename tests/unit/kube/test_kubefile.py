"""`kube.kubefile`: which kubeconfig files there are, what they say, how several become one.

The oracle tests (tests/contract/oracle) hold the same rules against the real kubectl.
"""

from __future__ import annotations

import base64
import json
import os
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_ray.errors import Invalid, WrongUse
from kubectl_ray.kube import kubefile

if TYPE_CHECKING:
    from pathlib import Path


def _read(folder: Path, *contents: str | dict[str, Any]) -> kubefile.KubeFile:
    """Read kubeconfigs of these contents, in this order."""
    paths = []
    for number, content in enumerate(contents):
        path = folder / f"config-{number}"
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        paths.append(str(path))
    return kubefile.read(None, {"KUBECONFIG": os.pathsep.join(paths)})


def test_first_to_name_an_entry_wins(tmp_path: Path) -> None:
    """An entry is taken whole from the first file that has it; others are added."""
    first = {"clusters": [{"name": "a", "cluster": {"server": "https://1"}}]}
    second = {
        "clusters": [{"name": "a", "cluster": {"proxy-url": "x"}}, {"name": "b", "cluster": {"server": "https://2"}}]
    }
    known = _read(tmp_path, first, second)
    assert known.clusters == {"a": {"server": "https://1"}, "b": {"server": "https://2"}}


def test_first_current_context_wins(tmp_path: Path) -> None:
    """The first file with a current context decides, an empty one counts as none."""
    assert _read(tmp_path, {"current-context": ""}, {"current-context": "b"}, {"current-context": "c"}).current == "b"


def test_missing_and_empty_files(tmp_path: Path) -> None:
    """Missing files are remembered and passed over; empty ones say nothing."""
    (tmp_path / "empty").touch()
    names = [str(tmp_path / "missing"), "", str(tmp_path / "empty"), str(tmp_path / "empty" / "not-a-folder")]
    known = kubefile.read(None, {"KUBECONFIG": os.pathsep.join(names)})
    assert known.missing == [names[0], names[3]]
    assert known.read == [names[2]]
    assert known.contexts == {}


def test_default_file(tmp_path: Path) -> None:
    """Without KUBECONFIG it is ~/.kube/config."""
    (tmp_path / ".kube").mkdir()
    (tmp_path / ".kube" / "config").write_text("current-context: here")
    assert kubefile.read(None, {"HOME": str(tmp_path), "KUBECONFIG": ""}).current == "here"


def test_explicit_file_must_exist(tmp_path: Path) -> None:
    """--kubeconfig names exactly one file, and it has to be there."""
    with pytest.raises(WrongUse, match="missing"):
        kubefile.read(str(tmp_path / "missing"), {})


def test_unreadable_file(tmp_path: Path) -> None:
    """A folder where a file should be is an error with the path."""
    with pytest.raises(Invalid, match="directory"):
        kubefile.read(None, {"KUBECONFIG": str(tmp_path)})


def test_paths_are_relative_to_their_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Relative paths start at the folder of the file that names them, wherever the program runs."""
    monkeypatch.chdir(tmp_path)
    user = {"client-certificate": "ada.crt", "client-key": "../ada.key", "tokenFile": "/abs/token"}
    names = ("tools/plugin", "plugin", "/abs/plugin")
    plugins = [{"name": name, "user": {"exec": {"command": name}}} for name in names]
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "config").write_text(
        json.dumps(
            {
                "clusters": [{"name": "c", "cluster": {"certificate-authority": "./ca.pem"}}],
                "users": [{"name": "u", "user": user}, *plugins],
            }
        )
    )
    known = kubefile.read("sub/config", {})
    sub = tmp_path / "sub"
    assert known.clusters["c"] == {"certificate-authority": f"{sub}/ca.pem"}
    assert known.users["u"] == {
        "client-certificate": f"{sub}/ada.crt",
        "client-key": f"{tmp_path}/ada.key",
        "tokenFile": "/abs/token",
    }
    commands = [known.users[name]["exec"]["command"] for name in names]
    assert commands == [f"{sub}/tools/plugin", "plugin", "/abs/plugin"]


def test_base64_fields_are_bytes(tmp_path: Path) -> None:
    """`*-data` is decoded; line breaks in it do not matter."""
    data = base64.encodebytes(b"x" * 100).decode()
    known = _read(tmp_path, {"users": [{"name": "u", "user": {"client-key-data": data}}]})
    assert known.users["u"]["client-key-data"] == b"x" * 100


@pytest.mark.parametrize(
    "content",
    [
        "- a list",
        "just text",
        "kind: Pod",
        "apiVersion: v2",
        "clusters: {}",
        "clusters: [1]",
        "current-context: 1",
        '{"current-context": "\\ud800"}',
        "contexts: [{name: 1}]",
        "contexts: [{name: a}, {name: a}]",
        "contexts: [{name: a, context: []}]",
        "contexts: [{name: a, context: {namespace: 1}}]",
        "users: [{name: a, user: {token: true}}]",
        "users: [{name: a, user: {as-groups: text}}]",
        "users: [{name: a, user: {as-groups: [1]}}]",
        "users: [{name: a, user: {as-user-extra: {a: text}}}]",
        "users: [{name: a, user: {exec: text}}]",
        "users: [{name: a, user: {exec: {args: text}}}]",
        "users: [{name: a, user: {exec: {env: [{name: A, value: 1}]}}}]",
        "users: [{name: a, user: {exec: {provideClusterInfo: maybe}}}]",
        "users: [{name: a, user: {client-key-data: '?'}}]",
        "clusters: [{name: a, cluster: {insecure-skip-tls-verify: 'yes'}}]",
    ],
)
def test_wrong_types(content: str, tmp_path: Path) -> None:
    """A field of the wrong type is an error that names the file."""
    with pytest.raises(Invalid, match="config-0"):
        _read(tmp_path, content)


@pytest.mark.parametrize(
    "content",
    [
        "null",
        "{clusters: null, users: [], contexts: ~, preferences: {}, extensions: [1]}",
        "{clusters: [null, {name: a}], users: [{name: a, user: null}]}",
        "{users: [{name: a, user: {token: null, exec: null, unknown: 1}}]}",
        "{apiVersion: v1, kind: Config, colour: green}",
    ],
)
def test_nothing_wrong(content: str, tmp_path: Path) -> None:
    """Nulls and unknown fields say nothing."""
    assert _read(tmp_path, content).users in ({}, {"a": {}})


def test_extra_keys_become_text(tmp_path: Path) -> None:
    """A key that YAML takes for something else is the text that kubectl makes of it."""
    known = _read(tmp_path, "users: [{name: u, user: {as: a, as-user-extra: {yes: [b], 2: [c]}}}]")
    assert known.users["u"]["as-user-extra"] == {"true": ["b"], "2": ["c"]}


_SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=8))
_FIELDS = st.sampled_from(
    [
        "name",
        "cluster",
        "user",
        "context",
        "server",
        "token",
        "exec",
        "command",
        "env",
        "args",
        "as",
        "as-groups",
        "as-user-extra",
        "certificate-authority-data",
        "auth-provider",
        "extensions",
        "tokenFile",
        "namespace",
    ]
)
_ANYTHING = st.recursive(
    _SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(_FIELDS, inner, max_size=4)),
    max_leaves=12,
)
_ENTRY = st.fixed_dictionaries(
    {}, optional={"name": st.text(max_size=3), "user": _ANYTHING, "cluster": _ANYTHING, "context": _ANYTHING}
)
_CONFIG = st.fixed_dictionaries(
    {},
    optional={
        "clusters": st.one_of(st.lists(_ENTRY, max_size=3), _ANYTHING),
        "users": st.one_of(st.lists(_ENTRY, max_size=3), _ANYTHING),
        "contexts": st.one_of(st.lists(_ENTRY, max_size=3), _ANYTHING),
        "current-context": _ANYTHING,
    },
)


@given(_CONFIG)
def test_fuzz(tmp_path_factory: pytest.TempPathFactory, config: dict[str, Any]) -> None:
    """Any document is read, or is an `Invalid`."""
    path = tmp_path_factory.getbasetemp() / "fuzz"
    path.write_text(json.dumps(config))
    try:
        kubefile.read(str(path), {})
    except Invalid:
        return
