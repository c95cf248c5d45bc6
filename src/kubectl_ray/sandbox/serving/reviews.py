"""Questions about oneself: who am I, may I, what may I.

Source: Kubernetes' `pkg/registry/authorization` and `pkg/registry/authentication/selfsubjectreview`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kubectl_ray.sandbox.api.refusals import Refused, bad_request
from kubectl_ray.sandbox.serving import answers, media
from kubectl_ray.sandbox.serving.bodies import given

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiohttp import web

    from kubectl_ray.sandbox.api.store import Object
    from kubectl_ray.sandbox.api.users import User
    from kubectl_ray.sandbox.serving.rights import Rights

AUTHORIZATION, AUTHENTICATION = "authorization.k8s.io", "authentication.k8s.io"
KINDS = {
    (AUTHORIZATION, "v1", "selfsubjectaccessreviews"): "SelfSubjectAccessReview",
    (AUTHORIZATION, "v1", "selfsubjectrulesreviews"): "SelfSubjectRulesReview",
    (AUTHENTICATION, "v1", "selfsubjectreviews"): "SelfSubjectReview",
}


async def answer(request: web.Request, kind: str, api_version: str, user: User, rights: Rights) -> web.StreamResponse:
    """The answer to a question about oneself.

    Raises:
        Refused: 400, 413, 415, 422.
    """
    form = media.form(request.headers.get("Accept", ""), kinds=())
    asked = await given(request, kind, api_version)
    made: Object = {"kind": kind, "apiVersion": api_version, "metadata": {}}
    made |= _ANSWERS[kind](asked, user, rights)
    return answers.answered(request, made, 201, media_type=form.media_type)


def _access(asked: Object, user: User, rights: Rights) -> Object:
    spec = asked.get("spec") or {}
    resource, path = spec.get("resourceAttributes"), spec.get("nonResourceAttributes")
    if (resource is None) == (path is None):
        why = "exactly one of nonResourceAttributes or resourceAttributes must be specified"
        if resource is not None:
            why = "cannot be specified in combination with resourceAttributes"
        field = "spec.resourceAttributes" if resource is None else "spec.nonResourceAttributes"
        message = f"Invalid value: null: {why}"
        causes = [{"reason": "FieldValueInvalid", "message": message, "field": field}]
        details = {"group": AUTHORIZATION, "causes": causes}
        raise Refused(422, "Invalid", f'.{AUTHORIZATION} "" is invalid: {field}: {message}', details)
    if path is not None:
        allowed = rights.may_path(user, path.get("verb", ""), path.get("path", ""))
        return {"spec": {"nonResourceAttributes": path}, "status": {"allowed": allowed}}
    assert resource is not None  # noqa: S101 - one of the two is given
    plural, subresource = resource.get("resource", ""), resource.get("subresource", "")
    allowed = rights.may(
        user,
        resource.get("verb", ""),
        resource.get("group", ""),
        f"{plural}/{subresource}" if subresource else plural,
        resource.get("namespace", ""),
        resource.get("name", ""),
    )
    return {"spec": {"resourceAttributes": resource}, "status": {"allowed": allowed}}


def _rules(asked: Object, user: User, rights: Rights) -> Object:
    namespace = (asked.get("spec") or {}).get("namespace", "")
    if not namespace:
        raise bad_request("no namespace on request")
    resources, paths = rights.rules(user, namespace)
    return {"spec": {}, "status": {"resourceRules": resources, "nonResourceRules": paths, "incomplete": False}}


def _self(_asked: Object, user: User, rights: Rights) -> Object:
    info: dict[str, Any] = {"username": user.name}
    if user.uid:
        info["uid"] = user.uid
    if user.groups:
        info["groups"] = list(user.groups)
    if user.extra:
        info["extra"] = {key: list(values) for key, values in user.extra.items()}
    return {"metadata": {"creationTimestamp": rights.now()}, "status": {"userInfo": info}}


_ANSWERS: dict[str, Callable[[Object, User, Rights], Object]] = {
    "SelfSubjectAccessReview": _access,
    "SelfSubjectRulesReview": _rules,
    "SelfSubjectReview": _self,
}
