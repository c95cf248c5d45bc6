"""What is served, for clients that ask before they act: kubectl asks for all of it in two requests.

Source: Kubernetes, `pkg/endpoints/discovery`; KEP-3352 for the aggregated form.
"""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING, Any, NamedTuple

from kubectl_ray.sandbox.api import kinds
from kubectl_ray.sandbox.serving import reviews

if TYPE_CHECKING:
    from kubectl_ray.sandbox.api.kinds import Kind

JSON = "application/json"
AGGREGATED = "APIGroupDiscoveryList"
AGGREGATED_GROUP = "apidiscovery.k8s.io"
AGGREGATED_VERSIONS = ("v2", "v2beta1")
ORDER = (
    "apps",
    "events.k8s.io",
    "authentication.k8s.io",
    "authorization.k8s.io",
    "batch",
    "rbac.authorization.k8s.io",
    "apiextensions.k8s.io",
    "scheduling.k8s.io",
    "discovery.k8s.io",
    kinds.RAY,
)
"""Groups as the real server lists them."""

OPTIONS = ("create", "get")
PROXY = ("create", "delete", "get", "patch", "update")
STATUS = ("get", "patch", "update")
CUSTOM = ("delete", "deletecollection", "get", "list", "patch", "create", "update", "watch")
"""The order in which custom resources have their verbs."""


class _Part(NamedTuple):
    """A subresource: its verbs, and the type of its bodies where that is not the object's."""

    verbs: tuple[str, ...]
    name: str = ""
    group: str = ""
    version: str = ""


PARTS = {
    "attach": _Part(OPTIONS, "PodAttachOptions"),
    "binding": _Part(("create",), "Binding"),
    "eviction": _Part(("create",), "Eviction", "policy", "v1"),
    "exec": _Part(OPTIONS, "PodExecOptions"),
    "finalize": _Part(("update",)),
    "log": _Part(("get",)),
    "portforward": _Part(OPTIONS, "PodPortForwardOptions"),
    "proxy": _Part(PROXY),
    "status": _Part(STATUS),
    "token": _Part(("create",), "TokenRequest", "authentication.k8s.io", "v1"),
}


class Answer(NamedTuple):
    """A body, and the media type that it is sent as."""

    media_type: str
    body: dict[str, Any]


def answer(path: str, accept: str, address: str) -> Answer | None:
    """What is at `/api`, `/apis` and below them; None where nothing of discovery is served.

    `accept` is the request's header, `address` is the server's `host:port`.
    """
    parts = path.strip("/").split("/")
    if parts in (["api"], ["apis"]):
        version = _aggregated_version(accept)
        if version:
            media_type = f"{JSON};g={AGGREGATED_GROUP};v={version};as={AGGREGATED}"
            return Answer(media_type, aggregated(core=parts == ["api"], version=version))
    body: dict[str, Any] | None = None
    match parts:
        case ["api"]:
            body = versions(address)
        case ["apis"]:
            body = groups()
        case ["api", version]:
            body = resources("", version)
        case ["apis", name]:
            body = group(name)
        case ["apis", name, version]:
            body = resources(name, version)
    return None if body is None else Answer(JSON, body)


def _aggregated_version(accept: str) -> str:
    """The version of the aggregated form that the client would take first; "" where it takes only the old one."""
    for each in accept.split(","):
        media_type, *given = (part.strip() for part in each.split(";"))
        asked = dict(part.partition("=")[::2] for part in given)
        if asked.get("as") == AGGREGATED and asked.get("g") == AGGREGATED_GROUP and media_type in {JSON, "*/*"}:
            if asked.get("v") in AGGREGATED_VERSIONS:
                return asked["v"]
        elif media_type == JSON and "as" not in asked:
            return ""
    return ""


def versions(address: str) -> dict[str, Any]:
    """The versions of the core group, at `/api`."""
    return {
        "kind": "APIVersions",
        "versions": ["v1"],
        "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": address}],
    }


def _served() -> dict[str, str]:
    """Each group's version, in the real server's order; the core group is not one of them."""
    found = {kind.group: kind.version for kind in kinds.KINDS if kind.group}
    found.update({name: version for name, version, _plural in reviews.KINDS})
    return {name: found[name] for name in (*ORDER, *sorted(found.keys() - set(ORDER))) if name in found}


def groups() -> dict[str, Any]:
    """All groups, at `/apis`."""
    made = [_group(name, version) for name, version in _served().items()]
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": made}


def group(name: str) -> dict[str, Any] | None:
    """One group, at `/apis/GROUP`."""
    version = _served().get(name)
    return None if version is None else {"kind": "APIGroup", "apiVersion": "v1", **_group(name, version)}


def _group(name: str, version: str) -> dict[str, Any]:
    one = {"groupVersion": f"{name}/{version}", "version": version}
    return {"name": name, "versions": [one], "preferredVersion": one}


def _kinds(name: str, version: str) -> list[Kind]:
    found = [kind for kind in kinds.KINDS if (kind.group, kind.version) == (name, version)]
    return sorted(found, key=lambda kind: kind.plural)


def _reviews(name: str, version: str) -> list[tuple[str, str]]:
    return sorted(
        (plural, made) for (owner, its, plural), made in reviews.KINDS.items() if (owner, its) == (name, version)
    )


def _verbs(kind: Kind) -> list[str]:
    """What can be done with a kind; all namespaces cannot be deleted at once."""
    verbs = [verb for verb in kind.verbs if kind is not kinds.NAMESPACES or verb != "deletecollection"]
    return [verb for verb in CUSTOM if verb in verbs] if kind.group == kinds.RAY else sorted(verbs)


def _part(kind: Kind, name: str) -> tuple[_Part, str]:
    """A subresource, and the name of the type of its bodies."""
    part = PARTS[name]
    return part, part.name or (f"{kind.name}ProxyOptions" if name == "proxy" else kind.name)


def resources(name: str, version: str) -> dict[str, Any] | None:
    """What is served in a group and version ("" is the core group); None where nothing is."""
    listed: list[dict[str, Any]] = []
    for kind in _kinds(name, version):
        about: dict[str, Any] = {
            "name": kind.plural,
            "singularName": kind.singular,
            "namespaced": kind.namespaced,
            "kind": kind.name,
            "verbs": _verbs(kind),
        }
        about |= {"shortNames": list(kind.short)} if kind.short else {}
        about |= {"categories": list(kind.categories)} if kind.categories else {}
        listed.append({**about, "storageVersionHash": _storage_hash(kind)})
        for each in kind.subresources:
            part, made = _part(kind, each)
            one = {"name": f"{kind.plural}/{each}", "singularName": "", "namespaced": kind.namespaced}
            one |= {"group": part.group, "version": part.version} if part.group else {}
            listed.append({**one, "kind": made, "verbs": list(part.verbs)})
    for plural, made in _reviews(name, version):
        one = {"name": plural, "singularName": made.lower(), "namespaced": False, "kind": made, "verbs": ["create"]}
        listed.append(one)
    if not listed:
        return None
    listed.sort(key=lambda each: str(each["name"]))
    head = {"kind": "APIResourceList"} | ({"apiVersion": "v1"} if name else {})
    return {**head, "groupVersion": f"{name}/{version}" if name else version, "resources": listed}


def _storage_hash(kind: Kind) -> str:
    """A mark of the type that is stored, by which clients migrate; some kinds are stored in an older version."""
    stored = {kinds.NEW_EVENTS: "/v1", kinds.CRDS: f"{kinds.CRDS.group}/v1beta1"}
    digest = hashlib.sha256(f"{stored.get(kind, f'{kind.group}/{kind.version}')}/{kind.name}".encode()).digest()
    return base64.b64encode(digest[:8]).decode()


def aggregated(*, core: bool, version: str = "v2") -> dict[str, Any]:
    """All groups with all that they serve: the core group at `/api`, the others at `/apis`."""
    served = {"": "v1"} if core else _served()
    items = [
        {
            "metadata": {"name": name} if name else {},
            "versions": [{"version": each, "resources": _aggregated(name, each), "freshness": "Current"}],
        }
        for name, each in served.items()
    ]
    return {"kind": AGGREGATED, "apiVersion": f"{AGGREGATED_GROUP}/{version}", "metadata": {}, "items": items}


def _aggregated(name: str, version: str) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = []
    for kind in _kinds(name, version):
        about: dict[str, Any] = {
            "resource": kind.plural,
            "responseKind": _response(kind, kind.name),
            "scope": "Namespaced" if kind.namespaced else "Cluster",
            "singularResource": kind.singular,
            "verbs": _verbs(kind),
        }
        about |= {"shortNames": list(kind.short)} if kind.short else {}
        about |= {"categories": list(kind.categories)} if kind.categories else {}
        parts = [_aggregated_part(kind, each) for each in sorted(kind.subresources)]
        listed.append({**about, **({"subresources": parts} if parts else {})})
    for plural, made in _reviews(name, version):
        about = {
            "resource": plural,
            "responseKind": {"group": "", "version": "", "kind": made},
            "scope": "Cluster",
            "singularResource": made.lower(),
            "verbs": ["create"],
        }
        listed.append(about)
    return listed


def _response(kind: Kind, name: str) -> dict[str, str]:
    """The type of answers; for built-in kinds only its name is told."""
    custom = kind.group == kinds.RAY
    return {"group": kind.group if custom else "", "version": kind.version if custom else "", "kind": name}


def _aggregated_part(kind: Kind, name: str) -> dict[str, Any]:
    part, made = _part(kind, name)
    response = _response(kind, made)
    if part.group:
        response = {"group": part.group, "version": part.version, "kind": made}
    return {"subresource": name, "responseKind": response, "verbs": list(part.verbs)}
