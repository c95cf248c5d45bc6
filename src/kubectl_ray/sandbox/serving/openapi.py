"""OpenAPI v3: an index, and one document a group and version; kubectl reads types, patch keys and parameters there.

Without descriptions. kubectl 1.36 asks for version 2 only where it finds nothing in version 3, and finds nothing there
either. Source: Kubernetes KEP-2896; kube-openapi, `pkg/handler3`.
"""

from __future__ import annotations

import hashlib
import json
from functools import cache
from typing import TYPE_CHECKING, Any

from kubectl_ray.sandbox.api import kinds, schemas, typed
from kubectl_ray.sandbox.api.patches import APPLY_PATCH, JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kubectl_ray.sandbox.api.kinds import Kind

ROOT, LEGACY = "/openapi/v3", "/openapi/v2"
PROTOBUF, PROTOBUF_SENT = (f"application/com.github.proto-openapi.spec.v2{mark}v1.0+protobuf" for mark in "@.")
"""As clients ask for a document of version 2 in protobuf, and as servers say that they send it."""
TITLE, VERSION = "Kubernetes", "v1.36.1"
JSON, YAML = "application/json", "application/yaml"
STATUS, DELETE_OPTIONS, LIST_META = typed.META + "Status", typed.META + "DeleteOptions", typed.META + "ListMeta"
PATCH = typed.META + "Patch"

WRITING = ("dryRun", "fieldManager", "fieldValidation")
DELETING = ("dryRun", "gracePeriodSeconds", "orphanDependents", "propagationPolicy")
LISTING = (
    "allowWatchBookmarks",
    "continue",
    "fieldSelector",
    "labelSelector",
    "limit",
    "resourceVersion",
    "resourceVersionMatch",
    "sendInitialEvents",
    "timeoutSeconds",
    "watch",
)
TYPES = {
    "allowWatchBookmarks": "boolean",
    "force": "boolean",
    "gracePeriodSeconds": "integer",
    "limit": "integer",
    "orphanDependents": "boolean",
    "sendInitialEvents": "boolean",
    "timeoutSeconds": "integer",
    "watch": "boolean",
}
"""Types of query parameters that are not text."""


def answer(path: str) -> bytes | None:
    """The JSON text at this path (without its query); None where there is none."""
    name = path.removeprefix(ROOT).strip("/")
    if not path.startswith(ROOT):
        return None
    made = index() if not name else document(name)
    return None if made is None else _text(made)


def legacy(accept: str) -> tuple[str, bytes]:
    """The media type and the text of the document of version 2: it describes nothing.

    Clients that speak protobuf want it in that (gnostic's `openapi_v2.Document`: 1 is the version, 2 the title).
    """
    if PROTOBUF in accept:
        title = _field(1, TITLE.encode()) + _field(2, VERSION.encode())
        return PROTOBUF_SENT, _field(1, b"2.0") + _field(2, title)
    info = {"title": TITLE, "version": VERSION}
    return JSON, _text({"swagger": "2.0", "info": info, "paths": {}, "definitions": {}})


def _field(number: int, value: bytes) -> bytes:
    """A field of a protobuf message; short ones only."""
    return bytes([number << 3 | 2, len(value)]) + value


def _text(document: dict[str, Any]) -> bytes:
    return json.dumps(document, separators=(",", ":"), sort_keys=True).encode()


@cache
def _hashes() -> dict[str, str]:
    """Each document's mark: clients keep a document as long as it stays the same."""
    names = sorted({_name(kind) for kind in kinds.KINDS})
    return {name: hashlib.sha512(_text(_document(name))).hexdigest().upper() for name in names}


def index() -> dict[str, Any]:
    """All documents, at `/openapi/v3`."""
    return {"paths": {name: {"serverRelativeURL": f"{ROOT}/{name}?hash={mark}"} for name, mark in _hashes().items()}}


def document(name: str) -> dict[str, Any] | None:
    """One document, by its name in the index (`api/v1`, `apis/ray.io/v1`); None where there is none."""
    return _document(name) if name in _hashes() else None


def _name(kind: Kind) -> str:
    return f"apis/{kind.api_version}" if kind.group else f"api/{kind.version}"


def _document(name: str) -> dict[str, Any]:
    listed = [kind for kind in kinds.KINDS if _name(kind) == name]
    types: dict[str, Any] = {}
    for each in (STATUS, DELETE_OPTIONS, LIST_META):
        _take(each, types)
    types[PATCH] = {"type": "object"}
    paths: dict[str, Any] = {}
    for kind in listed:
        types.update(_types(kind))
        for inner in list(_references(types)):
            _take(inner, types)
        paths.update(_paths(kind))
    info = {"title": f"{TITLE} CRD Swagger" if listed[0].group == kinds.RAY else TITLE, "version": VERSION}
    return {"openapi": "3.0.0", "info": info, "paths": paths, "components": {"schemas": types}}


def type_of(kind: Kind) -> str:
    """The name of a kind's type in the documents."""
    name = schemas.type_name(kind.api_version, kind.name)
    return name or f"io.{kind.group.partition('.')[0]}.{kind.version}.{kind.name}"


def _types(kind: Kind) -> dict[str, Any]:
    """The types of an object of this kind and of a list of them."""
    schema = schemas.custom(kind)
    name = type_of(kind)
    if schema is None:
        made: dict[str, Any] = {}
        _take(name, made)
        listed = schemas.type_name(kind.api_version, f"{kind.name}List")
        if listed:
            _take(listed, made)
        return made
    text = {"type": "string"}
    meta = {"allOf": [{"$ref": schemas.REF + typed.META + "ObjectMeta"}]}
    own = {**schema["properties"], "apiVersion": text, "kind": text, "metadata": meta}
    items = {"type": "array", "items": {"$ref": schemas.REF + name}}
    metas = {"allOf": [{"$ref": schemas.REF + LIST_META}]}
    return {
        name: {**schema, "properties": own, **_known_as(kind, kind.name)},
        f"{name}List": {
            "type": "object",
            "required": ["items"],
            "properties": {"apiVersion": text, "kind": text, "metadata": metas, "items": items},
            **_known_as(kind, f"{kind.name}List"),
        },
    }


def _known_as(kind: Kind, name: str) -> dict[str, Any]:
    return {"x-kubernetes-group-version-kind": [{"group": kind.group, "kind": name, "version": kind.version}]}


def _take(name: str, types: dict[str, Any]) -> None:
    """This type and all that it is made of."""
    if name not in types:
        types[name] = schemas.types()[name]
        for inner in list(_references(types[name])):
            _take(inner, types)


def _references(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        if isinstance(schema.get("$ref"), str):
            yield schema["$ref"].removeprefix(schemas.REF)
        for inner in schema.values():
            yield from _references(inner)
    elif isinstance(schema, list):
        for inner in schema:
            yield from _references(inner)


def _paths(kind: Kind) -> dict[str, Any]:
    """The paths of a kind with what can be done there."""
    inside = "{namespace}" if kind.namespaced else ""
    collection, one = kind.path(inside), kind.path(inside, "{name}")
    place = [_in_path("namespace")] if kind.namespaced else []
    writable = "create" in kind.verbs
    made = {
        collection: _operations(kind, ("list", "create", "deletecollection") if writable else ("list",), place),
        one: _operations(
            kind, ("get", "update", "patch", "delete") if writable else ("get",), [_in_path("name"), *place]
        ),
    }
    if kind.namespaced:
        made[kind.path()] = _operations(kind, ("list",), [])
    if "status" in kind.subresources:
        made[f"{one}/status"] = _operations(kind, ("get", "update", "patch"), [_in_path("name"), *place])
    return made


def _in_path(name: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string", "uniqueItems": True}}


def _in_query(name: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "schema": {"type": TYPES.get(name, "string"), "uniqueItems": True}}


METHODS = {
    "list": ("get", "list", LISTING),
    "create": ("post", "post", WRITING),
    "deletecollection": ("delete", "deletecollection", (*DELETING, *LISTING)),
    "get": ("get", "get", ()),
    "update": ("put", "put", WRITING),
    "patch": ("patch", "patch", (*WRITING, "force")),
    "delete": ("delete", "delete", DELETING),
}
"""By verb: the HTTP method, what the documents call it, and its query parameters."""


def _operations(kind: Kind, verbs: tuple[str, ...], place: list[dict[str, Any]]) -> dict[str, Any]:
    made: dict[str, Any] = {"parameters": [*place, _in_query("pretty")]}
    for verb in verbs:
        method, action, parameters = METHODS[verb]
        name = type_of(kind)
        answer_type = f"{name}List" if verb == "list" else STATUS if action.startswith("delete") else name
        operation: dict[str, Any] = {
            "responses": {"200": {"description": "OK", "content": _content(answer_type, JSON, YAML)}},
            "x-kubernetes-action": action,
            "x-kubernetes-group-version-kind": {"group": kind.group, "version": kind.version, "kind": kind.name},
        }
        if parameters:
            operation["parameters"] = [_in_query(each) for each in parameters]
        if verb in {"create", "update"}:
            operation["requestBody"] = {"content": _content(name, "*/*"), "required": True}
        elif verb == "patch":
            own = [] if kind.group == kinds.RAY else [STRATEGIC_PATCH]
            content = _content(PATCH, APPLY_PATCH, JSON_PATCH, MERGE_PATCH, *own)
            operation["requestBody"] = {"content": content, "required": True}
        elif action.startswith("delete"):
            operation["requestBody"] = {"content": _content(DELETE_OPTIONS, "*/*")}
        made[method] = operation
    return made


def _content(name: str, *media_types: str) -> dict[str, Any]:
    return {each: {"schema": {"$ref": schemas.REF + name}} for each in media_types}
