"""Questions about oneself: who am I, may I, what may I.

Source: Kubernetes' `pkg/registry/authorization` and `pkg/registry/authentication/selfsubjectreview`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aiohttp import hdrs

from kubectl_ray.sandbox.api import decoding
from kubectl_ray.sandbox.api.refusals import Refused, bad_request
from kubectl_ray.sandbox.serving import answers, media
from kubectl_ray.sandbox.serving.bodies import body

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
    media_type = media.body_type(request.headers.get(hdrs.CONTENT_TYPE, ""))
    given = await _given(request, kind, api_version, yaml=media_type == media.YAML)
    form = media.form(request.headers.get("Accept", ""), kinds=())
    made: Object = {"kind": kind, "apiVersion": api_version, "metadata": {}}
    made |= _ANSWERS[kind](given, user, rights)
    return answers.answered(request, made, 201, media_type=form.media_type)


async def _given(request: web.Request, kind: str, api_version: str, *, yaml: bool) -> Object:
    text = await body(request)
    unknown = f"the object provided is unrecognized (must be of type {kind}):"
    try:
        value = (decoding.read_yaml(text) if yaml else decoding.read_json(text)).value
    except decoding.NotReadable as wrong:
        raise bad_request(f"{unknown} couldn't get version/kind; json parse error: {wrong}") from None
    if not isinstance(value, dict):
        raise bad_request(
            f"{unknown} couldn't get version/kind; json parse error: json: cannot unmarshal into Go value"
        )
    if (value.get("kind") or kind, value.get("apiVersion") or api_version) != (kind, api_version):
        raise bad_request(f"{value.get('kind')} in version {value.get('apiVersion')} cannot be handled as a {kind}")
    return value


def _object(value: Object, field: str) -> Object | None:
    found = value.get(field)
    if found is not None and not isinstance(found, dict):
        raise bad_request(f"json: cannot unmarshal into Go struct field .{field}")
    return found


def _text(value: Object, field: str) -> str:
    found = value.get(field) or ""
    if not isinstance(found, str):
        raise bad_request(f"json: cannot unmarshal into Go struct field .{field} of type string")
    return found


def _access(given: Object, user: User, rights: Rights) -> Object:
    spec = _object(given, "spec") or {}
    resource, path = _object(spec, "resourceAttributes"), _object(spec, "nonResourceAttributes")
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
        allowed = rights.may_path(user, _text(path, "verb"), _text(path, "path"))
        return {"spec": {"nonResourceAttributes": path}, "status": {"allowed": allowed}}
    assert resource is not None  # noqa: S101 - one of the two is given
    plural, subresource = _text(resource, "resource"), _text(resource, "subresource")
    allowed = rights.may(
        user,
        _text(resource, "verb"),
        _text(resource, "group"),
        f"{plural}/{subresource}" if subresource else plural,
        _text(resource, "namespace"),
        _text(resource, "name"),
    )
    return {"spec": {"resourceAttributes": resource}, "status": {"allowed": allowed}}


def _rules(given: Object, user: User, rights: Rights) -> Object:
    namespace = _text(_object(given, "spec") or {}, "namespace")
    if not namespace:
        raise bad_request("no namespace on request")
    resources, paths = rights.rules(user, namespace)
    return {"spec": {}, "status": {"resourceRules": resources, "nonResourceRules": paths, "incomplete": False}}


def _self(_given: Object, user: User, rights: Rights) -> Object:
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
