"""Paths and queries of the Kubernetes API; no name can lead to another path than its own."""

from __future__ import annotations

from kubectl_ray.errors import WrongUse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from kubectl_ray.kube.status import Asked

_PLAIN = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


def path_of(asked: Asked, *, collection: bool = False, subresource: str | None = None) -> str:
    """The path of what is asked for: one object, or all of a kind.

    Raises:
        WrongUse: the name or namespace cannot be one.
    """
    resource = asked.resource
    assert resource is not None  # noqa: S101  # only streams have none, and they bring their path
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
