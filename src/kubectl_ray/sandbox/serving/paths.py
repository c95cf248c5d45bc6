"""What a request's path and method ask for.

Source: apiserver, `pkg/endpoints/request/requestinfo.go`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

VERBS = {
    "GET": "get",
    "HEAD": "get",
    "POST": "create",
    "PUT": "update",
    "PATCH": "patch",
    "DELETE": "delete",
}

_OF_NAMESPACE = {"status", "finalize"}
"""What may stand behind a namespace's name without being a kind of object inside it."""


_BEFORE = 3
"""Parts of a path before a kind: `apis`, the group, the version."""
_INSIDE = 2
"""Parts before a kind inside a namespace: `namespaces` and its name."""


class Asked(NamedTuple):
    """What is asked for; `plural` is "" where the path is none of an object's or a collection's.

    `rest` is what stands behind the subresource, with its slash: the path that a proxy passes on, percent-decoded.
    """

    path: str
    verb: str
    group: str = ""
    version: str = ""
    namespace: str = ""
    plural: str = ""
    name: str = ""
    subresource: str = ""
    rest: str = ""


def asked(method: str, path: str, query: Mapping[str, str]) -> Asked:
    """Take a path (percent-decoded) apart; never fails, an odd path is one that is not of an object."""
    verb = VERBS.get(method, "")
    outside = Asked(path, verb)
    parts = [part for part in path.split("/") if part]
    if parts[:1] == ["api"]:
        parts.insert(1, "")
    elif parts[:1] != ["apis"]:
        return outside
    if len(parts) <= _BEFORE:
        return outside
    group, version = parts[1:_BEFORE]
    rest = parts[_BEFORE:]
    if rest[0] == "watch" and verb == "get":
        verb, rest = "watch", rest[1:]
    namespace = rest[1] if rest[:1] == ["namespaces"] and len(rest) > 1 else ""
    if namespace and len(rest) > _INSIDE and rest[_INSIDE] not in _OF_NAMESPACE:
        rest = rest[_INSIDE:]
    if not rest:
        return outside
    plural, name, subresource = (*rest, "", "")[:3]
    behind = "".join(f"/{part}" for part in rest[3:])
    if subresource and path.endswith("/"):
        behind += "/"
    verb = verb if name else _of_collection(verb, query)
    return Asked(path, verb, group, version, namespace, plural, name, subresource, behind)


def _of_collection(verb: str, query: Mapping[str, str]) -> str:
    if verb == "delete":
        return "deletecollection"
    if verb != "get":
        return verb
    return "watch" if truth(query.get("watch", "")) else "list"


def truth(text: str) -> bool:
    """A flag in a query: everything but "", "0" and "false" is yes, as Go's conversion has it."""
    return text.lower() not in {"", "0", "false"}
