"""A request that is refused, with the `Status` object that the real API server would send.

Source: Kubernetes' apimachinery, `pkg/api/errors`; the texts are those of v1.36.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kubectl_ray.sandbox.api.kinds import Kind


class Refused(Exception):
    """The request is not done; `status` is the answer's body and `code` its HTTP code."""

    def __init__(self, code: int, reason: str, message: str, details: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.details = dict(details) if details is not None else None

    @property
    def status(self) -> dict[str, Any]:
        """The `Status` object."""
        body: dict[str, Any] = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
        }
        if self.reason:
            body["reason"] = self.reason
        if self.details is not None:
            body["details"] = self.details
        body["code"] = self.code
        return body


def _about(kind: Kind, name: str) -> dict[str, Any]:
    return {**({"name": name} if name else {}), **({"group": kind.group} if kind.group else {}), "kind": kind.plural}


def not_found(kind: Kind, name: str) -> Refused:
    """404: no object of that name."""
    return Refused(404, "NotFound", f'{kind.resource} "{name}" not found', _about(kind, name))


def already_exists(kind: Kind, name: str, *, deleting: bool = False) -> Refused:
    """409: the name is taken, perhaps by an object that is about to go."""
    message = f'{"object is being deleted: " if deleting else ""}{kind.resource} "{name}" already exists'
    return Refused(409, "AlreadyExists", message, _about(kind, name))


def conflict(kind: Kind, name: str, why: str) -> Refused:
    """409: the object changed meanwhile, or is another one of the same name."""
    message = f'Operation cannot be fulfilled on {kind.resource} "{name}": {why}'
    return Refused(409, "Conflict", message, _about(kind, name))


def forbidden(kind: Kind, name: str, why: str) -> Refused:
    """403: rights or a quota are in the way."""
    return Refused(403, "Forbidden", f'{kind.resource} "{name}" is forbidden: {why}', _about(kind, name))


def terminating(kind: Kind, name: str, namespace: str) -> Refused:
    """403: nothing new is made in a namespace that is being deleted."""
    refused = forbidden(
        kind, name, f"unable to create new content in namespace {namespace} because it is being terminated"
    )
    refused.details = {
        **(refused.details or {}),
        "causes": [
            {
                "reason": "NamespaceTerminating",
                "message": f"namespace {namespace} is being terminated",
                "field": "metadata.namespace",
            }
        ],
    }
    return refused


def invalid(kind: Kind, name: str, causes: Sequence[tuple[str, str, str]]) -> Refused:
    """422: fields have wrong values; a cause is (reason, message, field)."""
    told = list(dict.fromkeys(f"{field}: {message}" for _reason, message, field in causes))
    text = told[0] if len(told) == 1 else "[" + ", ".join(told) + "]"
    details = {
        **({"name": name} if name else {}),
        **({"group": kind.group} if kind.group else {}),
        "kind": kind.name,
        "causes": [{"reason": reason, "message": message, "field": field} for reason, message, field in causes],
    }
    shown = f"{kind.name}.{kind.group}" if kind.group else kind.name
    return Refused(422, "Invalid", f'{shown} "{name}" is invalid: {text}', details)


def bad_patch() -> Refused:
    """422 without details: what the real server says of a JSON patch whose test fails or whose path is missing."""
    return Refused(422, "Invalid", "the server rejected our request due to an error in our request", {})


def bad_request(message: str) -> Refused:
    """400: the request cannot be understood."""
    return Refused(400, "BadRequest", message)


def expired(message: str) -> Refused:
    """410: the version or the continue token is too old."""
    return Refused(410, "Expired", message)
