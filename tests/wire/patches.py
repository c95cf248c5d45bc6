"""Selectors and patches as an API server understands them (RFC 6902, RFC 7386; of labels, the forms in use)."""

from __future__ import annotations

import copy
import re

from tests.wire.store import Refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_SET = re.compile(r"(\S+) (in|notin) \(([^)]*)\)")
FIELDS = ("metadata.name", "metadata.namespace")
CORE_FIELDS = {
    "pods": ("spec.nodeName", "status.phase", "status.podIP"),
    "events": ("involvedObject.kind", "involvedObject.name", "involvedObject.uid", "reason", "type"),
}


def selector(labels: str, fields: str, plural: str) -> Callable[[dict[str, Any]], bool]:
    """What `labelSelector` and `fieldSelector` let through."""
    wanted = [part.partition("=") for part in fields.split(",") if part]
    for name, _, _ in wanted:
        if name.rstrip("!") not in (*FIELDS, *CORE_FIELDS.get(plural, ())):
            raise Refused(400, "BadRequest", f"field label not supported: {name}")

    def matches(item: dict[str, Any]) -> bool:
        have = item.get("metadata", {}).get("labels") or {}
        return all(_label(part.strip(), have) for part in re.split(r",(?![^(]*\))", labels) if part) and all(
            (str(_dig(item, name.rstrip("!"))) == value.removeprefix("=")) != name.endswith("!")
            for name, _, value in wanted
        )

    return matches


def _dig(item: Any, path: str) -> Any:
    for part in path.split("."):
        item = item.get(part, "") if isinstance(item, dict) else ""
    return item


def _label(part: str, have: dict[str, str]) -> bool:
    if found := _SET.fullmatch(part):
        inside = have.get(found[1]) in [value.strip() for value in found[3].split(",")]
        return inside == (found[2] == "in")
    if "!=" in part:
        name, _, value = part.partition("!=")
        return have.get(name) != value
    if "=" in part:
        name, _, value = part.partition("=")
        return have.get(name) == value.removeprefix("=")
    return part.removeprefix("!") in have if not part.startswith("!") else part[1:] not in have


def merge(old: Any, patch: Any) -> Any:
    """RFC 7386."""
    if not isinstance(patch, dict):
        return copy.deepcopy(patch)
    new = dict(old) if isinstance(old, dict) else {}
    for key, value in patch.items():
        if value is None:
            new.pop(key, None)
        else:
            new[key] = merge(new.get(key), value)
    return new


def operate(old: dict[str, Any], operations: list[dict[str, Any]]) -> dict[str, Any]:
    """RFC 6902 without move and copy; whatever fails is the same bare 422, as on a real server."""
    document: dict[str, Any] = {"": copy.deepcopy(old)}
    for operation in operations:
        path = [part.replace("~1", "/").replace("~0", "~") for part in operation["path"].split("/")]
        try:
            _apply(document, path, operation["op"], operation.get("value"))
        except (KeyError, IndexError, ValueError, TypeError) as error:
            raise Refused(422, "Invalid", "the server rejected our request due to an error in our request") from error
    result: dict[str, Any] = document[""]
    return result


def _apply(document: Any, path: list[str], operation: str, value: Any) -> None:
    at = document
    for part in path[:-1]:
        at = at[int(part)] if isinstance(at, list) else at[part]
    last: Any = path[-1]
    if isinstance(at, list):
        last = len(at) if last == "-" else int(last)
    match operation:
        case "test":
            if at[last] != value:
                raise ValueError(operation)
        case "remove":
            del at[last]
        case "add" if isinstance(at, list):
            at.insert(last, copy.deepcopy(value))
        case "replace" if isinstance(at, list):
            at[last] = copy.deepcopy(value)
        case "add" | "replace":
            at[last] = copy.deepcopy(value)
        case _:
            raise ValueError(operation)
