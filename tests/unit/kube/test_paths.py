"""`kube.paths`: paths and queries that mean what was given, and nothing else."""

from __future__ import annotations

from urllib.parse import parse_qsl, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_ray.errors import WrongUse
from kubectl_ray.kube.paths import encode_query, path_of, quote, selection
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
