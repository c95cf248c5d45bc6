"""Subresources that do something: a pod is given to a node or evicted, a namespace is finalized, a token is issued.

Source: Kubernetes' `pkg/registry/core/pod/storage` (storage.go, eviction.go), `pkg/registry/core/namespace/storage`
and `pkg/registry/core/serviceaccount/storage/token.go`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kubectl_ray.sandbox.api import kinds, tokens, typed
from kubectl_ray.sandbox.api.refusals import Refused, bad_request, conflict
from kubectl_ray.sandbox.serving import answers, deleting, options, writes
from kubectl_ray.sandbox.serving.bodies import given

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

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
    body = await given(call.request, "Binding", "v1")
    node = (body.get("target") or {}).get("name")
    if not node:
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
    body = await given(call.request, "Eviction", "policy/v1")
    _check_types(body, "Eviction", {"metadata": dict, "metadata.name": str, "deleteOptions": dict})
    if (body.get("metadata") or {}).get("name") not in {None, "", call.asked.name}:
        raise bad_request("name in URL does not match name in Eviction object")
    wanted = deleting.checked(body.get("deleteOptions") or {})
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


async def token(call: Call) -> web.StreamResponse:
    """Issue a token of a service account.

    Raises:
        Refused: what `tokens.issue` raises; 400, 413, 415.
    """
    asked = options.writing("CreateOptions", call.request.query)
    body = await given(call.request, "TokenRequest", "authentication.k8s.io/v1")
    _check_types(body, "TokenRequest", _TOKEN_REQUEST)
    made = tokens.issue(call.objects, call.namespace, call.asked.name, body, dry_run=asked.dry_run)
    return answers.answered(call.request, made, 201)


_TOKEN_REQUEST = {
    "metadata": dict,
    "metadata.name": str,
    "spec": dict,
    "spec.audiences": list,
    "spec.expirationSeconds": int,
    "spec.boundObjectRef": dict,
    **{f"spec.boundObjectRef.{name}": str for name in ("apiVersion", "kind", "name", "uid")},
}


def _check_types(body: Object, kind: str, wanted: Mapping[str, type]) -> None:
    """The fields that are read, outer ones first; lists are of text.

    Raises:
        Refused: 400, one of them is of another type.
    """
    for path, type_ in wanted.items():
        value: Any = body
        for name in path.split("."):
            value = (value or {}).get(name)
        fits = isinstance(value, type_) and not (type_ is int and isinstance(value, bool))
        if fits and type_ is list:
            fits = all(isinstance(each, str) for each in value)
        if value is not None and not fits:
            why = f"json: cannot unmarshal {typed.json_type(value)} into Go struct field {kind}.{path}"
            raise bad_request(f'{kind} in version "v1" cannot be handled as a {kind}: {why}')


async def finalize(call: Call) -> web.StreamResponse:
    """Take finalizers off a namespace (its `spec.finalizers`); one that is being deleted goes with the last of them.

    Raises:
        Refused: what `Objects.edit` raises; 400, 413, 415.
    """
    form = call.form()
    asked = options.writing("UpdateOptions", call.request.query)
    body = await given(call.request, "Namespace", "v1")
    left = (body.get("spec") or {}).get("finalizers") or []

    def keep(held: Object) -> None:
        held["spec"]["finalizers"] = left

    kept = call.objects.edit(
        kinds.NAMESPACES,
        "",
        call.asked.name,
        keep,
        version=(body.get("metadata") or {}).get("resourceVersion") or "",
        dry_run=asked.dry_run,
    )
    return writes.shown(call, kept, form, 200)


ANSWERS: dict[tuple[Kind, str, str], Callable[[Call], Awaitable[web.StreamResponse]]] = {
    (kinds.PODS, "binding", "create"): bind,
    (kinds.PODS, "eviction", "create"): evict,
    (kinds.SERVICE_ACCOUNTS, "token", "create"): token,
    (kinds.NAMESPACES, "finalize", "update"): finalize,
}
