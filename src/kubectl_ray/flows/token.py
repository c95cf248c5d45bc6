"""The token that a Ray cluster with token authentication asks for: from the environment, its Secret, or Ray's own file.

Source: Ray's lookup (`RAY_AUTH_TOKEN`, `RAY_AUTH_TOKEN_PATH`, `~/.ray/auth_token`) and KubeRay's Secret, which comes
before the file here because it is this cluster's own.
"""

from __future__ import annotations

import base64

from kubectl_ray.errors import KubectlRayError, NotAllowed, NotFound, NotLoggedIn, ServerError, WrongUse
from kubectl_ray.models.authentication import KEY, Authentication
from kubectl_ray.models.fields import dig, text
from kubectl_ray.models.resources import SECRETS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from kubectl_ray.kube.client import Client
    from kubectl_ray.models.cluster import Cluster

_LONGEST = 65_536
"""Characters of a file with a token."""


def known(api: Client, cluster: Cluster, env: Mapping[str, str]) -> str:
    """The token for this cluster, wherever it is; what the environment names wins.

    Raises:
        NotFound: there is none anywhere. NotAllowed: the Secret may not be read, and there is no other.
        WrongUse: `RAY_AUTH_TOKEN_PATH` names a file that cannot be read.
    """
    given = env.get("RAY_AUTH_TOKEN", "").strip()
    if given:
        return given
    path = env.get("RAY_AUTH_TOKEN_PATH", "")
    if path:
        return _file(path)
    try:
        return of_secret(api, cluster)
    except KubectlRayError as error:
        home = env.get("HOME") or env.get("USERPROFILE", "")
        try:
            return _file(f"{home}/.ray/auth_token") if home else ""
        except WrongUse:
            raise error from None


def of_secret(api: Client, cluster: Cluster) -> str:
    """The token in the cluster's own Secret.

    Raises:
        NotFound: the cluster asks for no token, or for its users' own, or the Secret is not there or holds none.
        NotAllowed: this login may not read it; the words name the right and whom to ask.
    """
    authentication = Authentication(cluster)
    where = f"in namespace {cluster.namespace}"
    if authentication.kubernetes_tokens:
        raise NotFound(
            f"Ray cluster {cluster.name} has no token of its own: it takes the Kubernetes tokens of its users.",
            hint=f"Make one of a service account that may use it:  kubectl create token ACCOUNT -n {cluster.namespace}",
        )
    if authentication.mode != "token":
        raise NotFound(
            f"Ray cluster {cluster.name} has no token: token authentication is not switched on in its spec.",
            hint="It is switched on with spec.authOptions.mode: token (Ray 2.52 or newer) when the cluster is made.",
        )
    name = authentication.secret
    try:
        secret = api.get(SECRETS, name, cluster.namespace)
    except NotLoggedIn:
        raise
    except NotAllowed as error:
        raise NotAllowed(
            f"Your login may not read the token of Ray cluster {cluster.name}: it is in Secret {name} {where}.",
            hint=f"Ask whoever gives out rights {where} for `get` on Secret {name}, or for the token itself.",
        ) from error
    except NotFound as error:
        raise NotFound(
            f"The token of Ray cluster {cluster.name} is not there: Secret {name} {where} does not exist.",
            hint="KubeRay makes it with the cluster, unless spec.authOptions.secretName names one of yours.",
        ) from error
    return _decoded(dig(secret, "data", KEY), name)


def _decoded(value: object, name: str) -> str:
    """The token in the field of a Secret, base64 as in every Secret.

    Raises:
        NotFound: the field is missing or empty. ServerError: it is not base64 of a text.
    """
    if not text(value):
        raise NotFound(f"Secret {name} holds no token: it has no {KEY}.", hint=f"Look at its keys:  {_look(name)}")
    try:
        token = base64.b64decode(text(value), validate=True).decode().strip()
    except ValueError as error:
        raise ServerError(
            f"{KEY} in Secret {name} is no text in base64.", hint=f"Look at it:  {_look(name)}"
        ) from error
    if not token.isprintable() or not token:
        raise ServerError(f"{KEY} in Secret {name} is no token.", hint=f"Look at it:  {_look(name)}")
    return token


def _look(name: str) -> str:
    return f"kubectl describe secret {name}"


def _file(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as stream:
            token = stream.read(_LONGEST).strip()
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "it is no text"
        raise WrongUse(f"The token in {path} cannot be read: {why}", hint="Set RAY_AUTH_TOKEN instead.") from error
    if not token:
        raise WrongUse(f"{path} holds no token.", hint="Set RAY_AUTH_TOKEN instead.")
    return token
