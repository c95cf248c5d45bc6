"""`kube.paths`: paths and queries that mean what was given, and nothing else."""

from __future__ import annotations

import shlex
from urllib.parse import parse_qsl, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_ray.errors import WrongUse
from kubectl_ray.kube.paths import PATCH_SHOWN, as_kubectl, encode_query, path_of, quote, selection, shell
from kubectl_ray.kube.status import Asked
from kubectl_ray.models.resources import NAMESPACES, PODS, RAYCLUSTERS

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


def test_path_of_an_object() -> None:
    """Group, version, namespace, plural, name and subresource stand where Kubernetes wants them."""
    asked = Asked("get", RAYCLUSTERS, "ns", "a")
    assert path_of(asked) == "/apis/ray.io/v1/namespaces/ns/rayclusters/a"
    assert path_of(asked, subresource="status") == "/apis/ray.io/v1/namespaces/ns/rayclusters/a/status"
    assert path_of(asked, collection=True) == "/apis/ray.io/v1/namespaces/ns/rayclusters"


def test_path_over_all_namespaces() -> None:
    """No namespace is all of them; resources without namespaces never have one."""
    assert path_of(Asked("list", PODS), collection=True) == "/api/v1/pods"
    assert path_of(Asked("get", NAMESPACES, "ns", "a")) == "/api/v1/namespaces/a"


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "../pods/x", "a%2fb"])
def test_a_name_leads_nowhere_else(name: str) -> None:
    """A name that would be another path is refused, and never sent."""
    with pytest.raises(WrongUse):
        path_of(Asked("get", PODS, "ns", name))
    if name:
        with pytest.raises(WrongUse):
            path_of(Asked("get", PODS, name, "a"))


@given(text=texts)
def test_quoting_can_be_undone(text: str) -> None:
    """What is quoted means itself, and has no character with a meaning of its own."""
    assert unquote(quote(text)) == text
    assert not set(quote(text)) & set("/?#&=+ \r\n;")


@given(query=st.dictionaries(texts, texts, max_size=4))
def test_query_says_what_was_given(query: dict[str, str]) -> None:
    """Any names and values come out as they went in."""
    assert dict(parse_qsl(encode_query(query).removeprefix("?"), keep_blank_values=True)) == query


def test_empty_selectors_are_not_sent() -> None:
    """A list without selectors has no query."""
    assert encode_query(selection("", "")) == ""
    assert encode_query(selection("a=b", "")) == "?labelSelector=a%3Db"


JSON_PATCH = [("Content-Type", "application/json-patch+json")]


@pytest.mark.parametrize(
    ("asked", "query", "headers", "body", "line"),
    [
        (Asked("get", RAYCLUSTERS, "ns", "a"), {}, [], b"", "kubectl get raycluster a -n ns"),
        (Asked("list", PODS), {"labelSelector": "x in (a)"}, [], b"", "kubectl get pods -A -l 'x in (a)'"),
        (Asked("list", PODS, "ns"), {"fieldSelector": "a=b"}, [], b"", "kubectl get pods -n ns --field-selector a=b"),
        (Asked("watch", RAYCLUSTERS, "ns"), {}, [], b"", "kubectl get rayclusters --watch-only -n ns"),
        (
            Asked("create", RAYCLUSTERS, "ns", "a"),
            {"dryRun": "All"},
            [],
            b"{}",
            "kubectl create -f RayCluster.yaml -n ns --dry-run=server",
        ),
        (
            Asked("patch", RAYCLUSTERS, "ns", "a"),
            {},
            JSON_PATCH,
            b"[]",
            "kubectl patch raycluster a --type=json -n ns -p '[]'",
        ),
        (
            Asked("patch", RAYCLUSTERS, "ns", "a"),
            {},
            [],
            b"{}",
            "kubectl patch raycluster a --type=merge -n ns -p '{}'",
        ),
        (
            Asked("delete", RAYCLUSTERS, "ns", "a"),
            {},
            [],
            b'{"dryRun":["All"]}',
            "kubectl delete raycluster a --wait=false -n ns --dry-run=server",
        ),
        (Asked("delete", RAYCLUSTERS, "ns", "a"), {}, [], b"{}", "kubectl delete raycluster a --wait=false -n ns"),
        (Asked("get", NAMESPACES, "", "a"), {}, [], b"", "kubectl get namespace a"),
        (Asked("open a stream to", None), {}, [], b"", ""),
    ],
)
def test_the_same_with_kubectl(
    asked: Asked, query: dict[str, str], headers: list[tuple[str, str]], body: bytes, line: str
) -> None:
    """A request in kubectl's words."""
    assert as_kubectl(asked, query, headers, body) == line


def test_long_patches_are_not_shown() -> None:
    """A whole worker group may carry a password in its environment."""
    line = as_kubectl(Asked("patch", RAYCLUSTERS, "ns", "a"), {}, JSON_PATCH, b"s" * (PATCH_SHOWN + 1))
    assert line.endswith("-p …")


@given(texts)
def test_shell(text: str) -> None:
    """A shell reads back what was written."""
    assert shlex.split(shell(text)) == [text]
