"""Discovery says of what the sandbox serves what a real server says of it."""

from __future__ import annotations

from typing import Any

import pytest

from kubectl_ray.sandbox.api import kinds
from kubectl_ray.sandbox.serving import discovery
from tests.unit.sandbox.api.recorded import answers

RECORDED = answers("discovery")
AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json"
READ_ONLY = "deployments"
"""Of this kind the sandbox serves the reading only."""


def body(path: str, accept: str = "application/json") -> Any:
    """What is served there."""
    found = discovery.answer(path, accept, "10.123.0.1:6443")
    assert found is not None
    return found.body


def known(listed: list[dict[str, Any]], wanted: list[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    """Of the real server's entries those that are here too."""
    names = {each[name] for each in listed}
    return sorted((each for each in wanted if each[name] in names), key=lambda each: str(each[name]))


PATHS = [path for path in RECORDED["legacy"] if path.count("/") > 1 and not path.endswith("/batch")]


@pytest.mark.parametrize("path", PATHS)
def test_resources(path: str) -> None:
    """Each resource and subresource is described as the real server describes it."""
    own, real = body(path), RECORDED["legacy"][path]
    wanted = known(own["resources"], real["resources"], "name")
    if path == "/apis/apps/v1":
        assert own["resources"] == [{**wanted[0], "verbs": ["get", "list", "watch"]}]
    else:
        assert own["resources"] == wanted
    assert {**own, "resources": 0} == {**real, "resources": 0}


def test_core_versions() -> None:
    """`/api` names the version and the server's address."""
    assert body("/api") == RECORDED["legacy"]["/api"]


def test_groups() -> None:
    """Groups come in the real order, alone as in the list."""
    own, real = body("/apis"), RECORDED["legacy"]["/apis"]
    names = [each["name"] for each in own["groups"]]
    real_names = [each["name"] for each in real["groups"] if each["name"] in names]
    assert names == real_names
    assert names == list(discovery.ORDER)
    assert body("/apis/batch") == RECORDED["legacy"]["/apis/batch"]


@pytest.mark.parametrize("path", ["/api", "/apis"])
def test_aggregated(path: str) -> None:
    """Everything in one answer."""
    own, real = body(path, AGGREGATED), RECORDED["aggregated"][path]
    assert (own["kind"], own["apiVersion"], own["metadata"]) == (real["kind"], real["apiVersion"], real["metadata"])
    by_name = {each["metadata"].get("name"): each for each in real["items"]}
    for item in own["items"]:
        (version,), there = item["versions"], by_name[item["metadata"].get("name")]["versions"][0]
        assert (version["version"], version["freshness"]) == (there["version"], there["freshness"])
        for mine, theirs in zip(
            version["resources"], known(version["resources"], there["resources"], "resource"), strict=True
        ):
            if mine["resource"] == READ_ONLY:
                continue
            parts = {each["subresource"] for each in mine.get("subresources", [])}
            kept = [each for each in theirs.get("subresources", []) if each["subresource"] in parts]
            assert mine == ({**theirs, "subresources": kept} if kept else theirs)


def test_forms() -> None:
    """The first form that the client takes and the server has; the old one for those who ask for no other."""
    beta = "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList"
    for accept, media_type in (
        (AGGREGATED, "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"),
        (beta, beta),
        ("application/json;g=apidiscovery.k8s.io;v=v9;as=APIGroupDiscoveryList," + beta, beta),
        ("application/json," + beta, "application/json"),
        ("*/*", "application/json"),
        ("", "application/json"),
        (";;,=;as", "application/json"),
    ):
        found = discovery.answer("/apis", accept, "a:1")
        assert found is not None
        assert found.media_type == media_type


@pytest.mark.parametrize("path", ["/apis/nope", "/apis/batch/v9", "/api/v9", "/apis/batch/v1/jobs", "/", "/version"])
def test_nothing_there(path: str) -> None:
    """What is not served is not described."""
    assert discovery.answer(path, "", "a:1") is None


def test_every_kind_is_there() -> None:
    """Each kind that the sandbox has is in the list of its group and version."""
    for kind in kinds.KINDS:
        listed = discovery.resources(kind.group, kind.version)
        assert listed is not None
        assert kind.plural in {each["name"] for each in listed["resources"]}
