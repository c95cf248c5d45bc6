"""The OpenAPI documents hold what kubectl looks for in them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kubectl_ray.sandbox.api import kinds, schemas
from kubectl_ray.sandbox.serving import openapi

WRITABLE = [kind for kind in kinds.KINDS if "patch" in kind.verbs]


def document(kind: kinds.Kind) -> dict[str, Any]:
    """The document of a kind's group and version, as a client reads it."""
    listed = json.loads(openapi.answer("/openapi/v3") or b"")["paths"]
    name = f"apis/{kind.api_version}" if kind.group else f"api/{kind.version}"
    text = openapi.answer(listed[name]["serverRelativeURL"].partition("?")[0])
    assert text is not None
    return json.loads(text)  # type: ignore[no-any-return]


def references(value: Any) -> set[str]:
    """All types that a value refers to."""
    if isinstance(value, list):
        return set().union(*map(references, value))
    if not isinstance(value, dict):
        return set()
    own = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
    return own.union(*map(references, value.values()))


@pytest.mark.parametrize("kind", WRITABLE, ids=lambda kind: kind.resource)
def test_field_validation(kind: kinds.Kind) -> None:
    """Each kind's patch takes `fieldValidation`: so kubectl leaves validation to the server."""
    found = [
        {each["name"] for each in path["patch"]["parameters"]}
        for path in document(kind)["paths"].values()
        if path.get("patch", {}).get("x-kubernetes-group-version-kind", {}).get("kind") == kind.name
    ]
    assert found
    assert all({"fieldValidation", "fieldManager", "dryRun", "force"} <= names for names in found)


@pytest.mark.parametrize("kind", kinds.KINDS, ids=lambda kind: kind.resource)
def test_types(kind: kinds.Kind) -> None:
    """Each kind has its type, marked as such; and every type that a document names is in it."""
    found = document(kind)
    types = found["components"]["schemas"]
    mark = {"group": kind.group, "version": kind.version, "kind": kind.name}
    assert mark in types[openapi.type_of(kind)]["x-kubernetes-group-version-kind"]
    assert {each.removeprefix(schemas.REF) for each in references(found)} <= types.keys()


def test_paths() -> None:
    """Paths have the operations that the kind has."""
    paths = document(kinds.RAY_CLUSTERS)["paths"]
    one = paths["/apis/ray.io/v1/namespaces/{namespace}/rayclusters/{name}"]
    assert one.keys() == {"parameters", "get", "put", "patch", "delete"}
    assert "application/strategic-merge-patch+json" not in one["patch"]["requestBody"]["content"]
    assert paths["/apis/ray.io/v1/rayclusters"].keys() == {"parameters", "get"}
    assert "/apis/ray.io/v1/namespaces/{namespace}/rayclusters/{name}/status" in paths
    assert document(kinds.DEPLOYMENTS)["paths"]["/apis/apps/v1/deployments"].keys() == {"parameters", "get"}


def test_patch_keys() -> None:
    """What kubectl apply needs to merge lists is there."""
    types = document(kinds.PODS)["components"]["schemas"]
    containers = types["io.k8s.api.core.v1.PodSpec"]["properties"]["containers"]
    assert containers["x-kubernetes-patch-merge-key"] == "name"
    assert containers["x-kubernetes-patch-strategy"] == "merge"


def test_marks_tell_documents_apart() -> None:
    """Each document has another mark, and the same each time."""
    marks = [each["serverRelativeURL"].partition("hash=")[2] for each in openapi.index()["paths"].values()]
    assert len(set(marks)) == len(marks)
    assert all(len(mark) == 128 for mark in marks)
    assert openapi.index() == openapi.index()


@pytest.mark.parametrize("path", ["/openapi/v3/apis/nope/v1", "/openapi/v2", "/", "/openapi/v3/api"])
def test_nothing_there(path: str) -> None:
    """Other documents are not there."""
    assert openapi.answer(path) is None


def test_version_2() -> None:
    """Version 2 is an empty document, in the form that is asked for: kubectl says then that there is no such kind."""
    media_type, text = openapi.legacy("application/json")
    assert (media_type, json.loads(text)["swagger"]) == ("application/json", "2.0")
    media_type, text = openapi.legacy("application/com.github.proto-openapi.spec.v2@v1.0+protobuf")
    assert media_type == "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
    assert text == b"\n\x032.0\x12\x15\n\nKubernetes\x12\x07v1.36.1"
