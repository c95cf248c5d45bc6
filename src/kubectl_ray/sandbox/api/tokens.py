"""Tokens of service accounts: made on request, known again after a restart, worth nothing without their account.

Source: Kubernetes' `pkg/registry/core/serviceaccount/storage/token.go` and `pkg/serviceaccount`; JSON Web Tokens,
RFC 7519, signed with HMAC SHA-256 (RFC 7518 §3.2): nobody but the sandbox reads them. The key is a Secret in
kube-system, so it lives as long as the objects.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import secrets
import time
import uuid
from typing import TYPE_CHECKING, Any

from kubectl_ray.sandbox.api import kinds
from kubectl_ray.sandbox.api.kinds import by_name
from kubectl_ray.sandbox.api.refusals import Refused, not_found
from kubectl_ray.sandbox.api.users import User

if TYPE_CHECKING:
    from kubectl_ray.sandbox.api.objects import Objects
    from kubectl_ray.sandbox.api.store import Object

ISSUER = "https://kubernetes.default.svc"
HOME, KEY_NAME, KEY_TYPE = "kube-system", "kubectl-ray-sandbox-token-key", "kubectl-ray/token-key"
DEFAULT_LIFE, SHORTEST_LIFE, LONGEST_LIFE = 3600, 600, 2**32
"""Seconds."""
GROUP = "authentication.k8s.io"
LONGEST = 8192
"""Characters of a token; a longer one is none of ours."""


def issue(objects: Objects, namespace: str, account: str, request: Object, *, dry_run: bool = False) -> Object:
    """The answer to a TokenRequest: the request itself with `.status.token`.

    Raises:
        Refused: 404 no such account, or no such object to bind it to; 422 a wrong name or life.
    """
    found = objects.get(kinds.SERVICE_ACCOUNTS, namespace, account)
    spec: dict[str, Any] = request.get("spec") or {}
    named = (request.get("metadata") or {}).get("name")
    if named and named != account:
        raise _invalid(account, named, "must match the service account name if specified", "metadata.name")
    life = spec.get("expirationSeconds")
    life = DEFAULT_LIFE if life is None else life
    if life < SHORTEST_LIFE:
        raise _invalid("", life, "may not specify a duration less than 10 minutes", "spec.expirationSeconds")
    if life > LONGEST_LIFE:
        raise _invalid("", life, "may not specify a duration larger than 2^32 seconds", "spec.expirationSeconds")
    bound = spec.get("boundObjectRef")
    if bound is not None:
        bound = _bound(objects, namespace, bound)
    audiences = spec.get("audiences") or [ISSUER]
    now = int(objects.clock())
    uid = found["metadata"]["uid"]
    claims = {
        "aud": audiences,
        "exp": now + life,
        "iat": now,
        "iss": ISSUER,
        "jti": str(uuid.uuid4()),
        "kubernetes.io": {"namespace": namespace, "serviceaccount": {"name": account, "uid": uid}, "bound": bound},
        "nbf": now,
        "sub": f"system:serviceaccount:{namespace}:{account}",
    }
    token = "" if dry_run else _signed(claims, _key(objects, make=True))
    return {
        "kind": "TokenRequest",
        "apiVersion": f"{GROUP}/v1",
        "metadata": {"name": account, "namespace": namespace, "uid": uid, "creationTimestamp": objects.now()},
        "spec": {"audiences": audiences, "expirationSeconds": life, "boundObjectRef": spec.get("boundObjectRef")},
        "status": {
            "token": token,
            "expirationTimestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now + life)),
        },
    }


def identify(objects: Objects, token: str) -> User | None:
    """Whose token it is; None for one that is not ours, has expired, or whose account or bound object is gone."""
    claims = _read(token, _key(objects, make=False))
    if claims is None or claims["exp"] <= objects.clock() or ISSUER not in claims["aud"]:
        return None
    about = claims["kubernetes.io"]
    namespace, account, bound = about["namespace"], about["serviceaccount"], about["bound"]
    found = objects.find(kinds.SERVICE_ACCOUNTS, namespace, account["name"])
    if found is None or found["metadata"]["uid"] != account["uid"]:
        return None
    if bound is not None:
        kind = by_name(bound["apiVersion"], bound["kind"])
        held = objects.find(kind, namespace, bound["name"]) if kind is not None else None
        if held is None or held["metadata"]["uid"] != bound["uid"]:
            return None
    groups = ("system:serviceaccounts", f"system:serviceaccounts:{namespace}", "system:authenticated")
    extra = {"authentication.kubernetes.io/credential-id": (f"JTI={claims['jti']}",)}
    return User(claims["sub"], groups, account["uid"], extra)


def _bound(objects: Objects, namespace: str, reference: Object) -> Object:
    """The object that the token ends with."""
    kind = by_name(reference.get("apiVersion") or "v1", reference.get("kind") or "")
    if kind not in {kinds.PODS, kinds.SECRETS} or kind is None:
        why = f"cannot bind token for serviceaccount to kind {reference.get('kind')}"
        raise _invalid("", reference.get("kind"), why, "spec.boundObjectRef")
    found = objects.find(kind, namespace, reference.get("name") or "")
    if found is None:
        raise not_found(kind, reference.get("name") or "")
    uid = found["metadata"]["uid"]
    if reference.get("uid") and reference["uid"] != uid:
        why = f"the UID in the bound object reference ({reference['uid']}) does not match the UID in record."
        message = f'Operation cannot be fulfilled on {kind.plural} "{reference["name"]}": {why}'
        raise Refused(409, "Conflict", message, {"name": reference["name"], "kind": kind.plural})
    return {"apiVersion": kind.api_version, "kind": kind.name, "name": reference["name"], "uid": uid}


def _key(objects: Objects, *, make: bool) -> bytes | None:
    """What tokens are signed with; None where there is none yet."""
    found = objects.find(kinds.SECRETS, HOME, KEY_NAME)
    if found is None:
        if not make:
            return None
        text = base64.b64encode(secrets.token_bytes(32)).decode()
        body = {"metadata": {"name": KEY_NAME}, "type": KEY_TYPE, "immutable": True, "data": {"key": text}}
        found = objects.create(kinds.SECRETS, body, HOME)
    return base64.b64decode(found["data"]["key"])


def _signed(claims: Object, key: bytes | None) -> str:
    assert key is not None  # noqa: S101 - it was just made
    head = ".".join(_encoded(json.dumps(each, separators=(",", ":")).encode()) for each in ({"alg": "HS256"}, claims))
    return f"{head}.{_encoded(hmac.digest(key, head.encode(), hashlib.sha256))}"


def _read(token: str, key: bytes | None) -> Object | None:
    """The claims of a token that is signed with this key."""
    head, _, signature = token.rpartition(".")
    if key is None or not token.isascii() or len(token) > LONGEST:
        return None
    try:
        given = _decoded(signature)
    except (binascii.Error, ValueError):
        return None
    if not hmac.compare_digest(given, hmac.digest(key, head.encode(), hashlib.sha256)):
        return None
    claims: Object = json.loads(_decoded(head.partition(".")[2]))
    return claims


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _invalid(name: str, value: object, why: str, field: str) -> Refused:
    message = f"Invalid value: {json.dumps(value)}: {why}"
    causes = [{"reason": "FieldValueInvalid", "message": message, "field": field}]
    details = {**({"name": name} if name else {}), "group": GROUP, "kind": "TokenRequest", "causes": causes}
    return Refused(422, "Invalid", f'TokenRequest.{GROUP} "{name}" is invalid: {field}: {message}', details)
