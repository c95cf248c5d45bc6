"""The data files hold what the sandbox serves, and are made as their maker says."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from kubectl_ray.sandbox.api import kinds, schemas
from kubectl_ray.sandbox.api.schemas import make

if TYPE_CHECKING:
    from pathlib import Path

RAY = (kinds.RAY_CLUSTERS, kinds.RAY_JOBS, kinds.RAY_SERVICES)


def texts(value: Any) -> int:
    """How many descriptions are in a schema."""
    if isinstance(value, list):
        return sum(map(texts, value))
    if not isinstance(value, dict):
        return 0
    return isinstance(value.get("description"), str) + sum(map(texts, value.values()))


@pytest.mark.parametrize("kind", kinds.KINDS, ids=lambda kind: kind.resource)
def test_every_kind_has_a_schema(kind: kinds.Kind) -> None:
    """Each kind is described, by its type or by its definition, and has columns."""
    built_in = schemas.type_name(kind.api_version, kind.name)
    assert (built_in is None) is (schemas.custom(kind) is not None)
    assert schemas.columns(kind)[0]["name"] in {"Name", "Last Seen"}


def test_no_descriptions() -> None:
    """Descriptions are left out; fields of that name are not."""
    assert texts(schemas.types()) == 0
    assert all(texts(schemas.custom(kind)) == 0 for kind in RAY)
    assert "description" in schemas.types()["io.k8s.api.scheduling.v1.PriorityClass"]["properties"]


def test_equal_parts_are_one() -> None:
    """Pod templates are in memory once: of head and workers, of clusters and jobs."""
    cluster, job = schemas.custom(kinds.RAY_CLUSTERS), schemas.custom(kinds.RAY_JOBS)
    assert cluster is not None
    assert job is not None
    spec, job_spec = cluster["properties"]["spec"]["properties"], job["properties"]["spec"]["properties"]
    head = spec["headGroupSpec"]["properties"]["template"]
    assert spec["workerGroupSpecs"]["items"]["properties"]["template"] is head
    inside = job_spec["rayClusterSpec"]["properties"]["headGroupSpec"]["properties"]["template"]
    assert inside is head


def test_definitions_can_be_kept() -> None:
    """A definition is plain JSON, and whoever changes its outer parts changes nobody else's."""
    one = schemas.custom_definition(kinds.RAY_CLUSTERS)
    one["metadata"]["labels"] = {"mine": "yes"}
    assert "labels" not in schemas.custom_definition(kinds.RAY_CLUSTERS)["metadata"]
    json.dumps(one)


def written(folder: Path, kind: kinds.Kind) -> None:
    """A definition as KubeRay ships it, with little in it."""
    part = {"type": "object", "description": "x", "properties": {"description": {"type": "string", "description": "y"}}}
    schema = {"type": "object", "properties": {"a": part, "b": part, "c": {"type": "array", "items": part}}}
    versions = [
        {"name": "v1", "schema": {"openAPIV3Schema": schema}},
        {"name": "v1alpha1", "schema": {"openAPIV3Schema": {}}},
    ]
    crd = {"metadata": {"name": kind.resource}, "spec": {"versions": versions}}
    (folder / f"ray.io_{kind.plural}.yaml").write_text(json.dumps(crd))


def test_definitions_are_made(tmp_path: Path) -> None:
    """One version is kept, equal parts are written once, descriptions are not."""
    for kind in RAY:
        written(tmp_path, kind)
    made = make.ray_definitions(tmp_path)
    assert len(made["parts"]) == 4
    assert texts(made["parts"]) == 0
    (version,) = made["crds"]["rayjobs.ray.io"]["spec"]["versions"]
    whole = made["parts"][version["schema"]["openAPIV3Schema"]]
    assert whole["properties"]["a"] == whole["properties"]["b"]
    assert made["parts"][whole["properties"]["a"]]["properties"].keys() == {"description"}


def test_a_definition_is_missing(tmp_path: Path) -> None:
    """Without all definitions nothing is made."""
    written(tmp_path, kinds.RAY_JOBS)
    with pytest.raises(ValueError, match=r"has definitions of \['rayjobs.ray.io'\]"):
        make.ray_definitions(tmp_path)


def test_types_are_made(tmp_path: Path) -> None:
    """Of a document those types are kept that a served kind is made of."""
    mark = [{"group": "", "version": "v1", "kind": "ConfigMap"}]
    found = {
        "a.ConfigMap": {"x-kubernetes-group-version-kind": mark, "properties": {"m": {"$ref": make.REF + "a.Meta"}}},
        "a.Meta": {"description": "x"},
        "a.Other": {},
    }
    served = {kind.api_version for kind in kinds.KINDS if kind.group != kinds.RAY} | set(make.FURTHER)
    for each in served:
        types = found if each == "v1" else {}
        document = {"components": {"schemas": types}}
        (tmp_path / f"openapi-{each.replace('/', '-')}.json").write_text(json.dumps(document))
    made = make.built_in_types(tmp_path)
    assert made["kinds"] == {"v1/ConfigMap": "a.ConfigMap"}
    assert made["types"].keys() == {"a.ConfigMap", "a.Meta"}


def test_same_bytes(tmp_path: Path) -> None:
    """The same content gives the same file."""
    for name in ("one", "two"):
        make.write(tmp_path / name, {"b": 1, "a": [2]})
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
