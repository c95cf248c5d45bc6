"""Subresources that do something: a pod is given to a node or evicted, a namespace is finalized, a token is issued.

Source: Kubernetes' `pkg/registry/core/pod/storage` (storage.go, eviction.go), `pkg/registry/core/namespace/storage`
and `pkg/registry/core/serviceaccount/storage/token.go`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import hdrs

from kubectl_ray.sandbox.api import decoding, kinds, tokens
from kubectl_ray.sandbox.api.refusals import Refused, bad_request, conflict
from kubectl_ray.sandbox.serving import answers, deleting, media, options, writes
from kubectl_ray.sandbox.serving.bodies import body

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from aiohttp import web

    from kubectl_ray.sandbox.api.kinds import Kind
    from kubectl_ray.sandbox.api.store import Object
    from kubectl_ray.sandbox.serving.calls import Call

_DONE = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}


async def bind(call: Call) -> web.StreamResponse:
    """Give a pod to a node.

    Raises:
        Refused: 404; 409 it has one; 500 no node is named.
    """
    asked = options.writing("CreateOptions", call.request.query)
    given = await _given(call, "Binding", "v1")
    target = given.get("target") or {}
    node = target.get("name") if isinstance(target, dict) else None
    if not node or not isinstance(node, str):
        raise Refused(500, "", "target.name: Required value")
    name = call.asked.name

    def assign(pod: Object) -> None:
        held = pod["spec"].get("nodeName")
        if held:
            why = f'pod {name} is already assigned to node "{held}"'
            told = f'Operation cannot be fulfilled on pods/binding "{name}": {why}'
            raise Refused(409, "Conflict", told, {"name": name, "kind": "pods/binding"})
        if pod["metadata"].get("deletionTimestamp"):
            raise conflict(kinds.PODS, name, f"pod {name} is being deleted, cannot be assigned to a host")
        pod["spec"]["nodeName"] = node

    def tell(pod: Object) -> None:
        conditions = pod.setdefault("status", {}).setdefault("conditions", [])
        scheduled = {"type": "PodScheduled", "status": "True", "lastProbeTime": None}
        scheduled["lastTransitionTime"] = call.objects.now()
        conditions[:] = [each for each in conditions if each["type"] != "PodScheduled"] + [scheduled]

    call.objects.edit(kinds.PODS, call.namespace, name, assign, dry_run=asked.dry_run)
    call.objects.edit(kinds.PODS, call.namespace, name, tell, status=True, dry_run=asked.dry_run)
    return answers.answered(call.request, _DONE, 201)


async def evict(call: Call) -> web.StreamResponse:
    """Delete a pod the polite way; there are no disruption budgets here that could object.

    Raises:
        Refused: 400 another pod is named; 404; what `Objects.delete` raises.
    """
    asked = options.writing("CreateOptions", call.request.query)
    given = await _given(call, "Eviction", "policy/v1")
    meta = given.get("metadata")
    if isinstance(meta, dict) and meta.get("name") not in {None, "", call.asked.name}:
        raise bad_request("name in URL does not match name in Eviction object")
    wanted = deleting.checked(given.get("deleteOptions") or {})
    call.objects.delete(
        kinds.PODS,
        call.namespace,
        call.asked.name,
        propagation=wanted.propagation,
        grace=wanted.grace,
        uid=wanted.uid,
        version=wanted.version,
        dry_run=asked.dry_run or wanted.dry_run,
    )
    return answers.answered(call.request, _DONE, 201)


async def _given(call: Call, kind: str, api_version: str) -> Object:
    media_type = media.body_type(call.request.headers.get(hdrs.CONTENT_TYPE, ""))
    text = await body(call.request)
    unknown = f"the object provided is unrecognized (must be of type {kind}): couldn't get version/kind"
    try:
        value = (decoding.read_yaml(text) if media_type == media.YAML else decoding.read_json(text)).value
    except decoding.NotReadable as wrong:
        raise bad_request(f"{unknown}; json parse error: {wrong}") from None
    if not isinstance(value, dict):
        raise bad_request(f"{unknown}; json parse error: json: cannot unmarshal into Go value")
    if (value.get("kind") or kind, value.get("apiVersion") or api_version) != (kind, api_version):
        raise bad_request(f"{value.get('kind')} in version {value.get('apiVersion')} cannot be handled as a {kind}")
    return value


async def token(call: Call) -> web.StreamResponse:
    """Issue a token of a service account.

    Raises:
        Refused: what `tokens.issue` raises; 400, 413, 415.
    """
    asked = options.writing("CreateOptions", call.request.query)
    given = await _given(call, "TokenRequest", "authentication.k8s.io/v1")
    _check_types(given)
    made = tokens.issue(call.objects, call.namespace, call.asked.name, given, dry_run=asked.dry_run)
    return answers.answered(call.request, made, 201)


def _check_types(given: Object) -> None:
    """The fields of a TokenRequest that are read.

    Raises:
        Refused: 400, one of them is of another type.
    """
    spec, meta = given.get("spec"), given.get("metadata")
    inner = spec if isinstance(spec, dict) else {}
    bound = inner.get("boundObjectRef")
    audiences, life = inner.get("audiences"), inner.get("expirationSeconds")
    right = {
        "spec": spec is None or isinstance(spec, dict),
        "metadata": meta is None or isinstance(meta, dict),
        "spec.audiences": audiences is None or _texts(audiences),
        "spec.expirationSeconds": life is None or (isinstance(life, int) and not isinstance(life, bool)),
        "spec.boundObjectRef": bound is None or (isinstance(bound, dict) and _texts(list(bound.values()))),
    }
    wrong = [field for field, fits in right.items() if not fits]
    if wrong:
        why = f"json: cannot unmarshal into Go struct field TokenRequest.{wrong[0]}"
        raise bad_request(f'TokenRequest in version "v1" cannot be handled as a TokenRequest: {why}')


def _texts(values: object) -> bool:
    return isinstance(values, list) and all(isinstance(each, str) for each in values)


async def finalize(call: Call) -> web.StreamResponse:
    """Take finalizers off a namespace (its `spec.finalizers`); one that is being deleted goes with the last of them.

    Raises:
        Refused: what `Objects.edit` raises; 400, 413, 415.
    """
    form = call.form()
    asked = options.writing("UpdateOptions", call.request.query)
    given = await _given(call, "Namespace", "v1")
    meta, spec = given.get("metadata"), given.get("spec")
    left = spec.get("finalizers") if isinstance(spec, dict) else None
    if not _texts(left or []):
        raise bad_request("json: cannot unmarshal into Go struct field NamespaceSpec.spec.finalizers")
    version = meta.get("resourceVersion") if isinstance(meta, dict) else None

    def keep(held: Object) -> None:
        held["spec"]["finalizers"] = list(left or [])

    kept = call.objects.edit(
        kinds.NAMESPACES,
        "",
        call.asked.name,
        keep,
        version=version if isinstance(version, str) else "",
        dry_run=asked.dry_run,
    )
    return writes.shown(call, kept, form, 200)


ANSWERS: dict[tuple[Kind, str, str], Callable[[Call], Awaitable[web.StreamResponse]]] = {
    (kinds.PODS, "binding", "create"): bind,
    (kinds.PODS, "eviction", "create"): evict,
    (kinds.SERVICE_ACCOUNTS, "token", "create"): token,
    (kinds.NAMESPACES, "finalize", "update"): finalize,
}
