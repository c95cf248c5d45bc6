"""From an answer that is not a success to one of our errors: what failed, why, and what to do.

Source of the shapes: Kubernetes `metav1.Status` (apimachinery, meta/v1/types.go), and answers recorded from a real API
server. Nothing of a Status is trusted to have the type it should have, and no control character of it gets through.
"""

from __future__ import annotations

import json
import re

from kubectl_ray.errors import (
    AlreadyExists,
    Conflict,
    Expired,
    Invalid,
    KubectlRayError,
    NotAllowed,
    NotFound,
    NotLoggedIn,
    ServerError,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from kubectl_ray.models.resources import Resource

MESSAGE_LIMIT = 4000
"""Characters of a server's text that a message may hold."""

# Patterns as text: most runs read no error, and compiling these costs 1 ms.
# C0 and C1 controls (but line end and tab), and the characters that turn the direction of what follows.
_UNSEEN = "[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u2028\u2029\ud800-\udfff]"
_CANNOT = (
    r'User "(?P<user>[^"]*)" cannot (?P<verb>\S+) (?:resource "(?P<resource>[^"]*)" in API group "(?P<group>[^"]*)"'
    r'|path "(?P<path>[^"]*)")(?P<where> in the namespace "(?P<namespace>[^"]*)"| at the cluster scope)?'
)
_UNKNOWN_FIELD = r'(unknown|duplicate) field "((?:[^"\\]|\\.)*)"'
_UNDECLARED = r"(\.\S+): field not declared in schema"
_WARNING = r'(\d{3}) [^\s"]+ "((?:[^"\\]|\\.)*)"'
_READING = {"get": "read", "list": "list", "watch": "watch"}


class Asked:
    """What was asked for, to name it in an error: `Asked("list", PODS, "default")`."""

    __slots__ = ("name", "namespace", "resource", "server", "user", "verb")

    def __init__(  # the parts of a request
        self,
        verb: str,
        resource: Resource | None,
        namespace: str = "",
        name: str = "",
        *,
        server: str = "",
        user: str = "",
    ) -> None:
        self.verb = verb
        self.resource = resource
        self.namespace = namespace if resource is None or resource.namespaced else ""
        self.name = name
        self.server = server or "The API server"
        self.user = user

    @property
    def what(self) -> str:
        """`pod "a"` or `pods`."""
        if self.resource is None:
            return "this"
        return f'{self.resource.singular} "{self.name}"' if self.name else self.resource.plural

    @property
    def where(self) -> str:
        """` in namespace "x"`, ` in all namespaces` or nothing."""
        if self.resource is not None and not self.resource.namespaced:
            return ""
        return f' in namespace "{self.namespace}"' if self.namespace else " in all namespaces"


class Status:
    """A `metav1.Status`, each part of the type it should be; plain text counts as its message."""

    __slots__ = ("causes", "code", "continue_token", "details", "message", "plain", "reason")

    def __init__(self, code: int, value: Any) -> None:
        status = value if isinstance(value, dict) else {}
        self.plain = not isinstance(value, dict) or status.get("kind") != "Status"
        told = status.get("code")
        self.code = code or (told if isinstance(told, int) and not isinstance(told, bool) else 0)
        self.reason = clean(status.get("reason"))
        self.message = clean(value if isinstance(value, str) else status.get("message"))
        details = status.get("details")
        self.details: dict[str, Any] = details if isinstance(details, dict) else {}
        metadata = status.get("metadata")
        token = metadata.get("continue") if isinstance(metadata, dict) else None
        self.continue_token = token if isinstance(token, str) else ""
        causes = self.details.get("causes")
        self.causes = [cause for cause in causes if isinstance(cause, dict)] if isinstance(causes, list) else []

    def detail(self, name: str) -> str:
        """A text of the details; "" where there is none."""
        return clean(self.details.get(name))

    @property
    def retry_after(self) -> float:
        """Seconds; 0 where the server names none."""
        seconds = self.details.get("retryAfterSeconds")
        return float(min(max(seconds, 0), 3600)) if isinstance(seconds, int) else 0.0


def clean(value: object) -> str:
    """A server's text without what could play tricks on a terminal; "" if it is no text."""
    if not isinstance(value, str):
        return ""
    return re.sub(_UNSEEN, "", value)[:MESSAGE_LIMIT].strip()


def read_status(code: int, body: bytes) -> Status:
    """The Status in an answer's body, or its text if it is none."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        value = body.decode("utf-8", "replace")
    return Status(code, value)


def read_warnings(values: list[str]) -> list[str]:
    """The texts of `Warning` headers with code 299, which is what an API server uses (RFC 7234 §5.5)."""
    return [
        text
        for value in values
        for code, quoted in re.findall(_WARNING, value)
        if code == "299" and (text := clean(re.sub(r"\\(.)", r"\1", quoted)))
    ]


def error_from(status: Status, asked: Asked) -> KubectlRayError:
    """One of our errors for a Status that says Failure."""
    error = _choose(status, asked)
    error.code = status.code
    error.reason = status.reason
    error.details = dict(status.details)
    if status.continue_token:
        error.details["continue"] = status.continue_token
    if isinstance(error, Invalid) and not status.causes:
        fields = _unknown_fields(status)
        if fields:
            error.details["causes"] = [{"reason": "FieldUnknown", "field": field} for field in fields]
    if isinstance(error, NotFound) and status.plain and asked.resource is not None:
        error.missing_group = asked.resource.group
    return error


def _choose(status: Status, asked: Asked) -> KubectlRayError:  # noqa: PLR0911 -- one line a kind of answer
    match status.code:
        case 401:
            return _not_logged_in(asked)
        case 403:
            return _not_allowed(status, asked)
        case 404:
            return _not_found(status, asked)
        case 409:
            return _conflict(status, asked)
        case 410:
            return Expired(
                f"The API server no longer knows this point in the history of {asked.what}",
                "Try again: a new list starts from now.",
            )
        case 400 | 413 | 415 | 422:
            return _invalid(status, asked)
        case 500 if _unknown_fields(status):
            return _invalid(status, asked)
        case code if 300 <= code < 400:  # noqa: PLR2004 -- a redirect, which no API server sends
            return ServerError(
                f"{asked.server} answered with a redirect ({code}) instead of {asked.what}",
                "Is a login page or a proxy in the way? Look at the server's address in the kubeconfig.",
            )
    return _server_error(status, asked)


def _server_error(status: Status, asked: Asked) -> ServerError:
    why = status.message or status.reason
    if status.plain and why.lstrip().startswith("<"):
        why = "a web page instead of a Kubernetes answer; is a proxy in the way?"
    message = f"{asked.server} could not {asked.verb} {asked.what}{asked.where} (HTTP {status.code})"
    hint = "Try again in a moment; if it lasts, ask the cluster's administrator, with these words."
    if status.code in {405, 406}:
        hint = "This API server is too old or too new for what was asked; kubectl version shows it."
    return ServerError(f"{message}: {why}" if why else message, hint)


def _not_logged_in(asked: Asked) -> NotLoggedIn:
    who = f' of user "{asked.user}"' if asked.user else ""
    return NotLoggedIn(
        f"{asked.server} does not accept the login{who}: it is missing, wrong or expired (HTTP 401)",
        "Log in again, the way you log in to this cluster; kubectl config view --minify shows which login is used.",
    )


def _not_allowed(status: Status, asked: Asked) -> KubectlRayError:
    found = re.search(_CANNOT, status.message)
    if found is None:
        if status.message and not status.plain:
            # Not a question of rights: a quota, a limit range, an admission webhook, a namespace that is going.
            return _refused_by_policy(status, asked)
        return NotAllowed(
            f"You may not {_READING.get(asked.verb, asked.verb)} {asked.what}{asked.where}"
            + (f": {status.message}" if status.message else ""),
            "Ask the cluster's administrator for the right to do it.",
        )
    verb = found["verb"]
    resource = found["resource"] or found["path"] or ""
    group = found["group"] or ""
    namespace = found["namespace"]
    where = f" in namespace {namespace}" if namespace else " in the whole cluster" if found["where"] else ""
    full = f"{resource}.{group}" if group and "/" not in resource else resource
    if found["user"] == "system:anonymous":
        return NotLoggedIn(
            f"You are not logged in: the API server takes you for system:anonymous, who may not {verb} {resource}",
            "Log in to this cluster; kubectl config view --minify shows which login is used.",
        )
    check = f"kubectl auth can-i {verb} {full}" + (f" -n {namespace}" if namespace else " --all-namespaces")
    return NotAllowed(
        f"{found['user']} may not {verb} {resource}{where}",
        f"Ask the cluster's administrator for the right to {verb} {full}{where}; to see whether you have it: {check}",
    )


def _refused_by_policy(status: Status, asked: Asked) -> KubectlRayError:
    hint = "The cluster's administrator set this rule: keep to it, or ask for another."
    if "exceeded quota" in status.message:
        hint = "Ask for less, remove something in the namespace, or ask the administrator for a larger quota."
    elif any(cause.get("reason") == "NamespaceTerminating" for cause in status.causes):
        hint = "The namespace is being deleted: use another, or wait until it is gone and create it again."
    return Invalid(f"{asked.what}{asked.where} is refused: {status.message}", hint)


def _not_found(status: Status, asked: Asked) -> NotFound:
    resource = asked.resource
    if status.plain or resource is None:
        known = f"{resource.plural} of {resource.api_version}" if resource is not None else "this path"
        hint = "Is what defines them installed in the cluster? kubectl api-resources shows what it knows."
        if resource is None or not resource.group:
            hint = (
                "Is this the address of a Kubernetes API server? kubectl cluster-info shows what kubectl finds there."
            )
        return NotFound(f"{asked.server} does not know {known} (HTTP 404)", hint)
    if status.detail("kind") == "namespaces" and resource.plural != "namespaces":
        namespace = status.detail("name") or asked.namespace
        return NotFound(
            f'There is no namespace "{namespace}"',
            f"See which there are: kubectl get namespaces; or make it: kubectl create namespace {namespace}",
        )
    name = status.detail("name") or asked.name
    in_namespace = f" -n {asked.namespace}" if asked.namespace else ""
    kind = resource.full_name
    return NotFound(
        f'There is no {resource.singular} "{name}"{asked.where if resource.namespaced else ""}'
        if status.detail("kind") in {"", resource.plural, resource.kind}
        else status.message or f"{asked.what} is not there",
        f"See which there are: kubectl get {kind}{in_namespace}",
    )


def _conflict(status: Status, asked: Asked) -> KubectlRayError:
    if status.reason == "AlreadyExists":
        return AlreadyExists(
            f"There is already a {asked.what}{asked.where}" if asked.name else status.message,
            "Choose another name, or remove the old one first.",
        )
    managed = [cause for cause in status.causes if cause.get("reason") == "FieldManagerConflict"]
    if managed:
        lines = [f"  {clean(cause.get('field'))}: {clean(cause.get('message'))}" for cause in managed]
        return Conflict(
            "\n".join([f"{asked.what}{asked.where} has fields that somebody else manages:", *lines]),
            "Leave these fields to their manager, or take them over by force.",
        )
    return Conflict(
        f"{asked.what}{asked.where} was changed by somebody else meanwhile: {status.message}",
        "Look at it as it is now, then try again.",
    )


def _invalid(status: Status, asked: Asked) -> Invalid:
    fields = _unknown_fields(status)
    if fields:
        return Invalid(
            f"The API server does not know {'this field' if len(fields) == 1 else 'these fields'} of {asked.what}: "
            + ", ".join(fields),
            "Correct the name; or the definition installed in the cluster is older than the field.",
        )
    lines = [
        f"  {field}: {clean(cause.get('message'))}"
        for cause in status.causes
        if (field := clean(cause.get("field"))) != "<nil>"
    ]
    message = f"The API server refused {asked.what}{asked.where}"
    if lines:
        return Invalid("\n".join([f"{message}:", *lines]), "Correct what is named, then try again.")
    why = status.message or f"HTTP {status.code}"
    hint = "Correct what is named, then try again."
    if "HTTP request to an HTTPS server" in why:
        hint = "The server's address in the kubeconfig has to start with https://"
    return Invalid(f"{message}: {why}", hint)


def _unknown_fields(status: Status) -> list[str]:
    fields = [
        field if kind == "unknown" else f"{field} (given twice)"
        for kind, field in re.findall(_UNKNOWN_FIELD, status.message)
    ]
    return fields or [field.lstrip(".") for field in re.findall(_UNDECLARED, status.message)]
