"""Objects as rows of a table: what `kubectl get` shows.

Source: Kubernetes KEP-170 (server-side get); apiextensions-apiserver, `pkg/registry/customresource/tableconvertor`.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from kubectl_ray.sandbox.api import kinds, schemas
from kubectl_ray.sandbox.serving import pod_row
from kubectl_ray.sandbox.serving.ages import lasting, moment
from kubectl_ray.sandbox.serving.rows import CELLS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kubectl_ray.sandbox.api.kinds import Kind
    from kubectl_ray.sandbox.api.store import Object

PATH = re.compile(r"\.([A-Za-z_][A-Za-z0-9_]*)")


def table(kind: Kind, objects: Sequence[Object], include: str = "Metadata", now: float = 0) -> Object:
    """These objects as a table; `include` says what each row holds of its object: None, Metadata or Object.

    `metadata` is that of a single object's table; a list has its own.
    """
    first = objects[0]["metadata"] if len(objects) == 1 else {}
    version = first.get("resourceVersion")
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": {"resourceVersion": version} if version else {},
        "columnDefinitions": schemas.columns(kind),
        "rows": [row(kind, each, include, now) for each in objects],
    }


def row(kind: Kind, held: Object, include: str, now: float) -> Object:
    """One object's row."""
    made: Object = {"cells": cells(kind, held, now)}
    if kind is kinds.PODS and (ended := pod_row.conditions(held)):
        made["conditions"] = ended
    if include == "Metadata":
        made["object"] = {
            "kind": "PartialObjectMetadata",
            "apiVersion": "meta.k8s.io/v1",
            "metadata": held["metadata"],
        }
    else:
        made["object"] = held if include == "Object" else None
    return made


def cells(kind: Kind, held: Object, now: float) -> list[Any]:
    """What stands in the columns, wide ones included."""
    built_in = CELLS.get(kind)
    if built_in is not None:
        return built_in(held, now)
    printed = schemas.printed_columns(kind)
    return [held["metadata"].get("name", ""), *(_cell(held, each, now) for each in printed)]


def _cell(held: Object, column: Object, now: float) -> Any:
    value: Any = held
    for name in PATH.findall(column["jsonPath"]):
        value = value.get(name) if isinstance(value, dict) else None
    if value is None:
        return None
    sort = column["type"]
    if sort == "date":
        since = moment(value)
        return "<invalid>" if since is None else lasting(now - since)
    if sort == "integer":
        return int(value) if isinstance(value, int | float) else None
    if sort == "boolean":
        return value if isinstance(value, bool) else None
    if sort == "number":
        return float(value) if isinstance(value, int | float) else None
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
