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
    verb = VERBS.get(method, method.lower())
    outside = Asked(path, verb)
    parts = [part for part in path.strip("/").split("/") if part]
    if parts[:1] == ["api"]:
        group, version, rest = "", parts[1:2], parts[2:]
    elif parts[:1] == ["apis"] and len(parts) > 1:
        group, version, rest = parts[1], parts[2:3], parts[3:]
    else:
        return outside
    if not version or not rest:
        return outside
    if rest[0] == "watch" and method in {"GET", "HEAD"}:
        verb, rest = "watch", rest[1:]
    namespace = ""
    if rest[:1] == ["namespaces"] and len(rest) > 1:
        namespace = rest[1]
        if len(rest) > 2 and rest[2] not in _OF_NAMESPACE:  # noqa: PLR2004 - the word, the name, and one more
            rest = rest[2:]
    if not rest:
        return outside
    plural, name, subresource = (*rest, "", "")[:3]
    found = Asked(path, verb, group, version[0], namespace, plural, name, subresource)
    if len(rest) > 3:  # noqa: PLR2004 - kind, name, subresource
        found = found._replace(rest="/" + "/".join(rest[3:]))
        if path.endswith("/"):
            found = found._replace(rest=found.rest + "/")
    elif subresource and path.endswith("/"):
        found = found._replace(rest="/")
    return found._replace(verb=_of_collection(verb, query)) if not name else found


def _of_collection(verb: str, query: Mapping[str, str]) -> str:
    if verb == "delete":
        return "deletecollection"
    if verb != "get":
        return verb
    return "watch" if truth(query.get("watch", "")) else "list"


def truth(text: str) -> bool:
    """A flag in a query: everything but "", "0" and "false" is yes, as Go's conversion has it."""
    return text.lower() not in {"", "0", "false"}
