"""Paths and queries of the Kubernetes API, also in the words of kubectl; no name leads to another path than its own."""

from __future__ import annotations

from kubectl_ray.errors import WrongUse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from kubectl_ray.kube.status import Asked

PATCH_SHOWN = 400
"""Characters of a patch that are worth showing; a longer one holds whole pods, with all of their environment."""

_FLAGS = (("labelSelector", "-l"), ("fieldSelector", "--field-selector"))
_WORDS = {
    "get": "get {one} {name}",
    "list": "get {all}",
    "watch": "get {all} --watch-only",
    "create": "create -f {kind}.yaml",
    "apply": "apply --server-side -f {kind}.yaml",
    "patch": "patch {one} {name} --type={patch}",
    "delete": "delete {one} {name} --wait=false",
}
_PLAIN = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


def path_of(asked: Asked, *, collection: bool = False, subresource: str | None = None) -> str:
    """The path of what is asked for: one object, or all of a kind.

    Raises:
        WrongUse: the name or namespace cannot be one.
    """
    resource = asked.resource
    assert resource is not None  # noqa: S101 -- only streams have none, and they bring their path
    name = None if collection else segment(asked.name, resource.singular)
    namespace = segment(asked.namespace, "namespace") if asked.namespace else None
    return resource.path(namespace, name, subresource)


def segment(text: str, what: str) -> str:
    """One part of a path, by the rule of Kubernetes' IsValidPathSegmentName.

    Raises:
        WrongUse: it would be another path.
    """
    if not text or text in {".", ".."} or "/" in text or "%" in text:
        raise WrongUse(f"{text!r} cannot be the name of a {what}", "Names are made of a-z, 0-9, - and .")
    return quote(text)


def selection(label_selector: str, field_selector: str) -> dict[str, str]:
    """The query of a list or watch that wants only some objects."""
    given = {"labelSelector": label_selector, "fieldSelector": field_selector}
    return {name: value for name, value in given.items() if value}


def quote(text: str) -> str:
    """Percent-encode all but RFC 3986's unreserved characters."""
    return "".join(chr(byte) if byte in _PLAIN else f"%{byte:02X}" for byte in text.encode("utf-8", "surrogatepass"))


def encode_query(query: Mapping[str, str] | None) -> str:
    """`?name=value&…`, or nothing where there is none."""
    return "?" + "&".join(f"{quote(name)}={quote(value)}" for name, value in query.items()) if query else ""


def as_kubectl(asked: Asked, query: Mapping[str, str], headers: Iterable[tuple[str, str]], body: bytes) -> str:
    """The kubectl command line that asks for the same; empty where kubectl has none."""
    resource = asked.resource
    if resource is None or asked.verb not in _WORDS:
        return ""
    patch = "json" if ("Content-Type", "application/json-patch+json") in headers else "merge"
    words = _WORDS[asked.verb].format(
        one=resource.singular, all=resource.plural, kind=resource.kind, name=asked.name, patch=patch
    )
    line = ["kubectl", words]
    if resource.namespaced:
        line.append(f"-n {asked.namespace}" if asked.namespace else "-A")
    line += [f"{flag} {shell(query[name])}" for name, flag in _FLAGS if query.get(name)]
    if asked.verb == "patch":
        line.append(f"-p {shell(body.decode()) if len(body) <= PATCH_SHOWN else '…'}")
    if "dryRun" in query or (asked.verb == "delete" and b'"dryRun"' in body):
        line.append("--dry-run=server")
    return " ".join(line)


def shell(text: str) -> str:
    """A word as a shell takes it."""
    if text and all(letter.isalnum() or letter in "-._/=," for letter in text):
        return text
    return "'" + text.replace("'", "'\\''") + "'"
