"""What the kinds are made of, as data files made from Kubernetes' and KubeRay's own definitions, and their reader.

Read when first needed, and shared: nobody changes what is returned. Never: rules that no definition states.
"""

from __future__ import annotations

import copy
import gzip
import json
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from kubectl_ray.sandbox.api.kinds import RAY

if TYPE_CHECKING:
    from kubectl_ray.sandbox.api.kinds import Kind

Schema = dict[str, Any]
"""An OpenAPI schema. Those of built-in types refer to each other by `$ref`; those of Ray's kinds hold their parts."""

REF = "#/components/schemas/"


def _read(name: str) -> Any:
    return json.loads(gzip.decompress(files(__name__).joinpath(name).read_bytes()))


@cache
def _built_in() -> dict[str, Any]:
    return _read("kubernetes.json.gz")  # type: ignore[no-any-return]


def types() -> dict[str, Schema]:
    """The built-in types by Kubernetes' names for them (`io.k8s.api.core.v1.Pod`)."""
    return _built_in()["types"]  # type: ignore[no-any-return]


def type_name(api_version: str, name: str) -> str | None:
    """What Kubernetes calls the type of an object; None where it is not a built-in one that the sandbox knows."""
    return _built_in()["kinds"].get(f"{api_version}/{name}")  # type: ignore[no-any-return]


def referred(schema: Schema) -> str | None:
    """The name of the type that a field has; None where the field's schema is its own."""
    ref = schema.get("$ref")
    if ref is None and "allOf" in schema:
        ref = schema["allOf"][0].get("$ref")
    return None if ref is None else ref.removeprefix(REF)


def resolved(schema: Schema) -> Schema:
    """The type that a field has."""
    name = referred(schema)
    return schema if name is None else types()[name]


@cache
def _ray() -> tuple[dict[str, Any], list[Schema]]:
    """The definitions with numbers as schemas, and the schemas, whose parts are each other."""
    read = _read("kuberay.json.gz")
    parts: list[Schema] = []
    for part in read["parts"]:  # a part comes after those that it holds
        if "properties" in part:
            part["properties"] = {name: parts[number] for name, number in part["properties"].items()}
        for key in ("items", "additionalProperties"):
            if isinstance(part.get(key), int) and not isinstance(part[key], bool):
                part[key] = parts[part[key]]
        if "anyOf" in part:
            part["anyOf"] = [parts[number] for number in part["anyOf"]]
        parts.append(part)
    return read["crds"], parts


def custom(kind: Kind) -> Schema | None:
    """The schema of a kind that a custom resource definition makes; None for built-in kinds."""
    crds, parts = _ray()
    crd = crds.get(kind.resource)
    return None if crd is None else parts[crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]]


def custom_definition(kind: Kind) -> dict[str, Any]:
    """The custom resource definition as KubeRay ships it, without descriptions; the caller may change its outer parts.

    Raises:
        KeyError: the kind is a built-in one.
    """
    crds, parts = _ray()
    crd: dict[str, Any] = copy.deepcopy(crds[kind.resource])
    version = crd["spec"]["versions"][0]
    version["schema"] = {"openAPIV3Schema": parts[version["schema"]["openAPIV3Schema"]]}
    crd["spec"].setdefault("conversion", {"strategy": "None"})
    return crd


@cache
def _columns() -> dict[str, list[dict[str, Any]]]:
    return _read("columns.json.gz")  # type: ignore[no-any-return]


def columns(kind: Kind) -> list[dict[str, Any]]:
    """The columns of a kind's table, as a real server defines them; for Ray's kinds, those of their definition."""
    if kind.group != RAY:
        return _columns()[kind.resource]
    return [_columns()["pods"][0], *(_custom_column(each) for each in printed_columns(kind))]


def printed_columns(kind: Kind) -> list[dict[str, Any]]:
    """The columns that the definition of one of Ray's kinds asks for, with the paths of what stands in them."""
    return _ray()[0][kind.resource]["spec"]["versions"][0].get("additionalPrinterColumns", [])  # type: ignore[no-any-return]


def _custom_column(printed: dict[str, Any]) -> dict[str, Any]:
    where = f"Custom resource definition column (in JSONPath format): {printed['jsonPath']}"
    return {
        "name": printed["name"],
        "type": printed["type"],
        "format": printed.get("format", ""),
        "description": printed.get("description") or where,
        "priority": printed.get("priority", 0),
    }
