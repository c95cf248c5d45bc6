"""Kubernetes objects as `-o json|yaml|name|jsonpath|custom-columns` want them, piece by piece."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from kubectl_ray.results import Objects


def pieces(event: Objects, format_: str, expression: str, *, headers: bool, managed: bool) -> Iterator[str]:
    """The text of these objects. Without `managed` json and yaml leave metadata.managedFields out, as kubectl does.

    Raises:
        WrongUse: the expression cannot be read.
    """
    if format_ == "name":
        return (f"{name_of(item)}\n" for item in event.items)
    if format_ == "jsonpath":
        from kubectl_ray.views.jsonpath import Template

        return iter((Template(expression).text(_whole(event)),))
    if format_ == "custom-columns":
        from kubectl_ray.views.custom_columns import lines

        return (f"{line}\n" for line in lines(expression, event.items, headers=headers))
    items = event.items if managed else map(without_managed_fields, event.items)
    return _json(items, single=event.single) if format_ == "json" else _yaml(items, single=event.single)


def name_of(item: dict[str, Any]) -> str:
    """As kubectl names an object: `raycluster.ray.io/x`, `pod/x`."""
    kind = str(item.get("kind", "")).lower()
    group, slash, _version = str(item.get("apiVersion", "")).partition("/")
    metadata = item.get("metadata")
    name = metadata.get("name", "") if isinstance(metadata, dict) else ""
    return f"{kind}.{group}/{name}" if slash else f"{kind}/{name}"


def without_managed_fields(item: dict[str, Any]) -> dict[str, Any]:
    """The object less metadata.managedFields; the one given is not changed."""
    metadata = item.get("metadata")
    if not isinstance(metadata, dict) or "managedFields" not in metadata:
        return item
    kept = {key: value for key, value in metadata.items() if key != "managedFields"}
    return {**item, "metadata": kept}


def _whole(event: Objects) -> dict[str, Any]:
    items = list(event.items)
    if event.single and items:
        return items[0]
    return {"apiVersion": "v1", "items": items, "kind": "List", "metadata": {"resourceVersion": ""}}


def _json(items: Iterable[dict[str, Any]], *, single: bool) -> Iterator[str]:
    from kubectl_ray.views import json_text

    if single:
        return (f"{json_text.text(item)}\n" for item in items)
    return json_text.list_text(items)


def _yaml(items: Iterable[dict[str, Any]], *, single: bool) -> Iterator[str]:
    from kubectl_ray.views import yaml_text

    if single:
        return (yaml_text.text(item) for item in items)
    return yaml_text.list_text(items)
