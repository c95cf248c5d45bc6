"""Kubeconfigs of other users than the administrator: few rights, tokens that expire, exec plugins."""

from __future__ import annotations

import base64
import json
import time
import uuid
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.realcluster import certificates, cluster, faults, kubeconfig, node
from tests.realcluster.api import ApiError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

ISSUER = "https://kubernetes.default.svc"
RBAC = "/apis/rbac.authorization.k8s.io/v1"
# The API server allows a minute's difference between clocks, and remembers for ten seconds that a token was good.
LEEWAY = 60.0
REMEMBERED = 10.0


@contextmanager
def limited_user(
    folder: Path, rules: Sequence[Mapping[str, Any]], *, user: str = "ada", namespace: str | None = None
) -> Iterator[Path]:
    """A kubeconfig of a user with a certificate who may do only what `rules` say, in one namespace or in all.

    A rule is a PolicyRule: `{"apiGroups": ["ray.io"], "resources": ["rayclusters"], "verbs": ["get", "list"]}`.
    """
    who = certificates.Identity(f"user-{user}", f"/CN={user}")
    certificates.make_certificate(cluster.PKI, who)
    name = f"limited-{user}-{uuid.uuid4().hex[:6]}"
    scope, place = ("", f"{RBAC}/namespaces/{namespace}") if namespace else ("cluster", RBAC)
    kind = "Role" if namespace else "ClusterRole"
    roles, bindings = f"{place}/{scope}roles", f"{place}/{scope}rolebindings"
    api = faults.api()
    api.create(roles, {"metadata": {"name": name}, "rules": [dict(rule) for rule in rules]})
    try:
        subject = {"kind": "User", "name": user, "apiGroup": "rbac.authorization.k8s.io"}
        reference = {"kind": kind, "name": name, "apiGroup": "rbac.authorization.k8s.io"}
        api.create(bindings, {"metadata": {"name": name}, "subjects": [subject], "roleRef": reference})
        _await_rights(user, rules, namespace)
        yield _written(folder / f"{user}.kubeconfig", kubeconfig.client_certificate(cluster.PKI, who.name), namespace)
    finally:
        api.delete(f"{bindings}/{name}")
        api.delete(f"{roles}/{name}")


def service_account(namespace: str, name: str, rules: Sequence[Mapping[str, Any]]) -> None:
    """Make a service account with rights in its namespace; it goes with the namespace."""
    api = faults.api()
    place = f"{RBAC}/namespaces/{namespace}"
    api.create(f"/api/v1/namespaces/{namespace}/serviceaccounts", {"metadata": {"name": name}})
    api.create(f"{place}/roles", {"metadata": {"name": name}, "rules": [dict(rule) for rule in rules]})
    subject = {"kind": "ServiceAccount", "name": name, "namespace": namespace}
    reference = {"kind": "Role", "name": name, "apiGroup": "rbac.authorization.k8s.io"}
    api.create(f"{place}/rolebindings", {"metadata": {"name": name}, "subjects": [subject], "roleRef": reference})
    _await_rights(f"system:serviceaccount:{namespace}:{name}", rules, namespace)


def token(namespace: str, account: str, seconds: float) -> str:
    """A service account's token that the API server takes for that long; 0 or less: it is expired already.

    A TokenRequest lasts ten minutes at least, so this one is signed here with the service accounts' key. Its `exp` is
    put earlier by the server's leeway of one minute. A token that was used once is remembered for up to ten seconds,
    also beyond its end.
    """
    found = faults.api().request("GET", f"/api/v1/namespaces/{namespace}/serviceaccounts/{account}")
    said = claims(namespace, account, found["metadata"]["uid"], time.time() + seconds - LEEWAY)
    return signed(said, lambda text: certificates.signed(cluster.PKI / "sa.key", text))


def claims(namespace: str, account: str, uid: str, expires: float) -> dict[str, Any]:
    """What a service account's token says; `expires` is in seconds since 1970."""
    began = int(expires) - 3600
    return {
        "iss": ISSUER,
        "aud": [ISSUER],
        "sub": f"system:serviceaccount:{namespace}:{account}",
        "iat": began,
        "nbf": began,
        "exp": int(expires),
        "jti": str(uuid.uuid4()),
        "kubernetes.io": {"namespace": namespace, "serviceaccount": {"name": account, "uid": uid}},
    }


def signed(said: dict[str, Any], sign: Callable[[bytes], bytes]) -> str:
    """A JSON Web Token (RFC 7519) of RS256 with these claims."""
    text = ".".join(_base64url(json.dumps(part).encode()) for part in ({"alg": "RS256", "typ": "JWT"}, said))
    return f"{text}.{_base64url(sign(text.encode()))}"


def token_kubeconfig(file: Path, namespace: str, bearer: str) -> Path:
    """A kubeconfig that holds a token."""
    return _written(file, {"token": bearer}, namespace)


@dataclass(frozen=True)
class ExecPlugin:
    """An exec plugin whose answers a test decides, and which remembers how it was called."""

    folder: Path
    kubeconfig: Path
    api_version: str

    def answer(self, bearer: str, expires: str | None = None) -> None:
        """Give this token from now on; `expires` is an RFC 3339 time."""
        status = {"token": bearer, **({"expirationTimestamp": expires} if expires else {})}
        document = {"apiVersion": self.api_version, "kind": "ExecCredential", "status": status}
        (self.folder / "answer.json").write_text(json.dumps(document))

    def calls(self) -> list[dict[str, Any]]:
        """KUBERNETES_EXEC_INFO of each call; an empty object where it was not set."""
        file = self.folder / "calls"
        return [json.loads(line or "{}") for line in file.read_text().splitlines()] if file.exists() else []


def exec_plugin(folder: Path, namespace: str, version: str = "v1", **options: Any) -> ExecPlugin:
    """A kubeconfig whose user logs in with an exec plugin of `client.authentication.k8s.io/VERSION`.

    `options` are further fields of the exec entry: `provideClusterInfo`, `env`, `installHint`. It answers nothing
    until `answer` was called.
    """
    api_version = f"client.authentication.k8s.io/{version}"
    script = folder / "plugin"
    script.write_text(
        f"#!/bin/sh\nprintf '%s\\n' \"$KUBERNETES_EXEC_INFO\" >>'{folder}/calls'\nexec cat '{folder}/answer.json'\n"
    )
    script.chmod(0o755)
    entry = {"apiVersion": api_version, "command": str(script), "interactiveMode": "Never", **options}
    return ExecPlugin(folder, _written(folder / "exec.kubeconfig", {"exec": entry}, namespace), api_version)


def _await_rights(user: str, rules: Sequence[Mapping[str, Any]], namespace: str | None) -> None:
    """Wait until the API server's authorizer has seen the new binding."""
    rule = next((rule for rule in rules if rule.get("resources")), None)
    if rule is None:
        return
    resource, _, subresource = rule["resources"][0].partition("/")
    wanted = {
        "group": rule.get("apiGroups", [""])[0],
        "resource": resource,
        "subresource": subresource,
        "verb": rule["verbs"][0],
        "namespace": namespace or "",
        "name": (rule.get("resourceNames") or [""])[0],
    }
    review = {"spec": {"user": user, "resourceAttributes": wanted}}
    path = "/apis/authorization.k8s.io/v1/subjectaccessreviews"

    def allowed() -> bool:
        try:
            return bool(faults.api().create(path, review)["status"]["allowed"])
        except ApiError:
            return False

    node.until(allowed, 30, f"the rights of {user}")


def _written(file: Path, user: dict[str, Any], namespace: str | None) -> Path:
    address = cluster.server(cluster.known_facts()["port"])
    return kubeconfig.write(file, kubeconfig.kubeconfig(address, cluster.PKI / "ca.crt", user, namespace))


def _base64url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
