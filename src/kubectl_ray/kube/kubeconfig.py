"""Which API server, as whom, in which namespace: kubeconfig files, flags and environment become one `Target`.

Source of the rules: client-go's `tools/clientcmd` (client_config.go, validation.go), as of Kubernetes 1.36. Where
kubectl would go on to `http://localhost:8080` because nothing names a server, this says in words what is missing.
"""

from __future__ import annotations

import os

from kubectl_ray.errors import Invalid, KubectlRayError, NotFound, NotLoggedIn, WrongUse
from kubectl_ray.kube import kubefile, urls

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

_EXTENSION = "client.authentication.k8s.io/exec"
_PROXY_SCHEMES = ("http", "https", "socks5", "socks5h")
# RFC 9110 §5.6.2: what a header's name may consist of; `%` is escaped as well, as client-go does.
_HEADER_NAME = frozenset(b"!#$&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")


class Overrides:
    """What the connection flags say; None or empty where a flag was not given."""

    def __init__(  # noqa: PLR0913 -- one argument a flag of kubectl's
        self,
        *,
        kubeconfig: str | None = None,
        context: str | None = None,
        kube_cluster: str | None = None,
        user: str | None = None,
        namespace: str | None = None,
        server: str | None = None,
        token: str | None = None,
        tls_server_name: str | None = None,
        certificate_authority: str | None = None,
        client_certificate: str | None = None,
        client_key: str | None = None,
        insecure_skip_tls_verify: bool | None = None,
        as_: str | None = None,
        as_groups: Iterable[str] | None = None,
        as_uid: str | None = None,
        as_user_extra: Iterable[str] | None = None,
    ) -> None:
        self.kubeconfig = kubeconfig
        self.context = context
        self.kube_cluster = kube_cluster
        self.user = user
        self.namespace = namespace
        self.server = server
        self.token = token
        self.tls_server_name = tls_server_name
        self.certificate_authority = certificate_authority
        self.client_certificate = client_certificate
        self.client_key = client_key
        self.insecure_skip_tls_verify = insecure_skip_tls_verify
        self.as_ = as_
        self.as_groups = list(as_groups or ())
        self.as_uid = as_uid
        self.as_user_extra = list(as_user_extra or ())


class Target:
    """What is needed to reach one API server. Its `repr` shows no secret."""

    def __init__(self, server: str, cluster: Mapping[str, Any], user: dict[str, Any]) -> None:
        address = urls.parse(server, "The API server's address", ("http", "https"))
        self.server = str(address)
        self.scheme = address.scheme
        self.host = address.host
        self.port = address.port
        self.prefix = address.prefix
        self.ca: bytes | None = cluster.get("certificate-authority-data")
        self.insecure: bool = cluster.get("insecure-skip-tls-verify", False)
        self.tls_server_name: str | None = cluster.get("tls-server-name")
        self.proxy_url: str | None = cluster.get("proxy-url")
        self.disable_compression: bool = cluster.get("disable-compression", False)
        self.user = user
        self.url_login = address.login
        self.context: str | None = None
        self.cluster: str | None = None
        self.user_name: str | None = None
        self.user_known = True
        self.namespace = "default"
        self.impersonate: list[tuple[str, str]] = impersonation(user)
        self.exec_cluster: dict[str, Any] = {}
        if "exec" in user:
            self.exec_cluster = _exec_cluster(server, self, cluster.get("extensions", []))

    def __repr__(self) -> str:
        return f"Target(server={self.server!r}, context={self.context!r}, user_name={self.user_name!r})"


def load(
    overrides: Overrides,
    env: Mapping[str, str],
    *,
    service_account_dir: str = "/var/run/secrets/kubernetes.io/serviceaccount",
) -> Target:
    """Find the API server, the login and the namespace that kubectl would use.

    Raises:
        WrongUse: `--kubeconfig` names no file, no context is chosen, or flags contradict each other.
        NotFound: the context, cluster or user that is asked for is in no kubeconfig.
        Invalid: a kubeconfig cannot be read, or contradicts itself.
        NotLoggedIn: there is no kubeconfig at all.
    """
    known = kubefile.read(overrides.kubeconfig, env)
    name = overrides.context or known.current
    context = _entry(known.contexts, name, "context", required=True)
    cluster_name = overrides.kube_cluster or context.get("cluster", "")
    user_name = overrides.user or context.get("user", "")
    required = bool(overrides.kube_cluster) or not overrides.server
    cluster = _override_cluster(_entry(known.clusters, cluster_name, "cluster", required=required), overrides)
    user = _override_user(_entry(known.users, user_name, "user", required=bool(overrides.user)), overrides)
    _check_cluster(cluster, cluster_name)
    _check_user(user, user_name)
    pod = _Pod(env, service_account_dir)
    server = cluster.get("server", "")
    if not server and pod.possible():
        target = pod.target(cluster, user)
    else:
        server = server or env.get("KUBERNETES_MASTER", "")
        if not server:
            raise _nowhere(known, name, cluster_name)
        target = Target(server, cluster, user)
        target.user_known = user_name in known.users
    target.context, target.cluster, target.user_name = name or None, cluster_name or None, user_name or None
    inherited = context.get("namespace") or (pod.namespace() if pod.possible() else "default")
    target.namespace = overrides.namespace or inherited
    return target


def contexts(overrides: Overrides, env: Mapping[str, str]) -> list[tuple[str, str]]:
    """Every context's name and namespace, in the files' order.

    Raises:
        WrongUse: `--kubeconfig` names no file.
        Invalid: a kubeconfig cannot be read.
    """
    known = kubefile.read(overrides.kubeconfig, env)
    return [(name, context.get("namespace", "default")) for name, context in known.contexts.items()]


def impersonation(user: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The `Impersonate-*` headers that a user entry asks for, with the names of extras escaped as client-go does."""
    if not user.get("as"):
        return []
    headers = [("Impersonate-User", user["as"])]
    if user.get("as-uid"):
        headers.append(("Impersonate-Uid", user["as-uid"]))
    headers.extend(("Impersonate-Group", group) for group in user.get("as-groups", ()))
    for key, values in user.get("as-user-extra", {}).items():
        raw = key.encode("utf-8", "surrogateescape")
        escaped = "".join(chr(byte) if byte in _HEADER_NAME else f"%{byte:02X}" for byte in raw)
        headers.extend((f"Impersonate-Extra-{escaped}", value) for value in values)
    return headers


class _Pod:
    """A pod's own login: the service account's token, CA and namespace."""

    def __init__(self, env: Mapping[str, str], folder: str) -> None:
        self._env = env
        self._folder = folder

    def possible(self) -> bool:
        host, port = self._env.get("KUBERNETES_SERVICE_HOST"), self._env.get("KUBERNETES_SERVICE_PORT")
        return bool(host and port) and os.path.isfile(self._path("token"))

    def target(self, cluster: dict[str, Any], user: dict[str, Any]) -> Target:
        cluster = dict(cluster)
        if not cluster.get("certificate-authority-data") and not cluster.get("insecure-skip-tls-verify"):
            cluster["certificate-authority-data"] = _content(self._path("ca.crt"), "the service account's CA")
        if not user.get("token"):
            user = {**user, "tokenFile": self._path("token")}
        host, port = self._env["KUBERNETES_SERVICE_HOST"], self._env["KUBERNETES_SERVICE_PORT"]
        return Target("https://" + urls.join(host, port), cluster, user)

    def namespace(self) -> str:
        if self._env.get("POD_NAMESPACE"):
            return self._env["POD_NAMESPACE"]
        try:
            with open(self._path("namespace"), encoding="utf-8") as stream:
                return stream.read().strip() or "default"
        except (OSError, ValueError):
            return "default"

    def _path(self, name: str) -> str:
        return os.path.join(self._folder, name)


def _entry(entries: Mapping[str, dict[str, Any]], name: str, kind: str, *, required: bool) -> dict[str, Any]:
    if not name:
        return {}
    if name in entries:
        return dict(entries[name])
    if not required:
        return {}
    raise NotFound(f"There is no {kind} {name} in the kubeconfig", hint=_near(name, entries, kind))


def _near(name: str, names: Iterable[str], kind: str) -> str:
    from kubectl_ray.models.near import near

    flag = {"context": "--context", "cluster": "--kube-cluster", "user": "--user"}[kind]
    every = [known for known in names if known]
    if not every:
        return f"The kubeconfig has no {kind} at all: log in with the tool of your cluster's provider."
    shown = near(name, every) or every[:5]
    return f"Give one of them with {flag}: {', '.join(shown)}{', …' if len(every) > len(shown) else ''}"


def _nowhere(known: kubefile.KubeFile, context: str, cluster: str) -> KubectlRayError:
    """Why nothing names a server, in words; kubectl would try http://localhost:8080 here."""
    if cluster or context:
        return Invalid(
            f"The context {context or '-'} of the kubeconfig names no API server"
            + (f": its cluster {cluster} has no `server`" if cluster else ""),
            hint="Log in again with the tool that wrote the kubeconfig, or give --server.",
        )
    if known.contexts:
        return WrongUse(
            "The kubeconfig has no current context",
            hint=f"Give one of them with --context: {', '.join(list(known.contexts)[:5])}"
            "\nor choose one for good: kubectl config use-context NAME",
        )
    looked = " and ".join([*known.missing, *known.read]) or "KUBECONFIG"
    what = "is empty" if known.read else "does not exist"
    return NotLoggedIn(
        f"There is no kubeconfig: {looked} {what}",
        hint="Log in with the tool of your cluster's provider, or name its kubeconfig with --kubeconfig or KUBECONFIG.",
    )


def _override_cluster(cluster: dict[str, Any], flags: Overrides) -> dict[str, Any]:
    if flags.insecure_skip_tls_verify or flags.certificate_authority:
        for key in ("certificate-authority", "certificate-authority-data", "insecure-skip-tls-verify"):
            cluster.pop(key, None)
    if flags.tls_server_name or flags.server:
        cluster.pop("tls-server-name", None)
    given = {
        "server": flags.server,
        "tls-server-name": flags.tls_server_name,
        "certificate-authority": flags.certificate_authority,
        "insecure-skip-tls-verify": flags.insecure_skip_tls_verify,
    }
    return cluster | {key: value for key, value in given.items() if value}


def _override_user(user: dict[str, Any], flags: Overrides) -> dict[str, Any]:
    if flags.client_certificate:
        user.pop("client-certificate-data", None)
    if flags.client_key:
        user.pop("client-key-data", None)
    extra: dict[str, list[str]] = {}
    for pair in flags.as_user_extra:
        key, equals, value = pair.partition("=")
        if not equals:
            raise WrongUse("--as-user-extra has to be KEY=VALUE", hint="For example --as-user-extra scopes=view")
        extra.setdefault(key, []).append(value)
    given = {
        "token": flags.token,
        "client-certificate": flags.client_certificate,
        "client-key": flags.client_key,
        "as": flags.as_,
        "as-uid": flags.as_uid,
        "as-groups": flags.as_groups,
        "as-user-extra": {**user.get("as-user-extra", {}), **extra} if extra else None,
    }
    return user | {key: value for key, value in given.items() if value}


def _check_cluster(cluster: dict[str, Any], name: str) -> None:
    """Refuse what contradicts itself, and read the CA's file into its data."""
    path = cluster.pop("certificate-authority", "")
    if path and cluster.get("certificate-authority-data"):
        raise Invalid(
            f"The cluster {name} has both certificate-authority and certificate-authority-data", hint="Remove one."
        )
    if path:
        cluster["certificate-authority-data"] = _content(path, f"the certificate-authority of cluster {name}")
    if cluster.get("certificate-authority-data") and cluster.get("insecure-skip-tls-verify"):
        raise WrongUse(
            "A certificate authority and insecure-skip-tls-verify are both set; only one can be meant",
            hint="Remove insecure-skip-tls-verify.",
        )
    if "proxy-url" in cluster:
        urls.parse(cluster["proxy-url"], f"The proxy-url of cluster {name}", _PROXY_SCHEMES)


def _check_user(user: Mapping[str, Any], name: str) -> None:
    has = {key for key, value in user.items() if value}
    problems: dict[str, object] = {
        "both token and username or password: only one can be meant": "token" in has and has & {"username", "password"},
        "both client-certificate and client-certificate-data": {"client-certificate", "client-certificate-data"} <= has,
        "as-uid, as-groups or as-user-extra, but no `as` to say who": "as" not in has
        and has & {"as-uid", "as-groups", "as-user-extra"},
        "both an exec plugin and an auth-provider": {"exec", "auth-provider"} <= has,
    }
    if has & {"client-certificate", "client-certificate-data"}:
        problems["both client-key and client-key-data"] = {"client-key", "client-key-data"} <= has
        problems["a client certificate without a client key"] = not has & {"client-key", "client-key-data"}
    if "exec" in has:
        problems |= _exec_problems(user["exec"])
    for problem, found in problems.items():
        if found:
            raise Invalid(
                f"The user {name or 'of the flags'} has {problem}", hint="Correct the kubeconfig or the flags."
            )


def _exec_problems(plugin: Mapping[str, Any]) -> dict[str, object]:
    version = plugin.get("apiVersion", "")
    mode = plugin.get("interactiveMode") or ("" if version.endswith("/v1") else "IfAvailable")
    return {
        "an exec plugin without a command": not plugin.get("command"),
        "an exec plugin without an apiVersion": not version,
        "an exec plugin with a nameless variable in env": any(not pair.get("name") for pair in plugin.get("env", ())),
        "an exec plugin without an interactiveMode: Never, IfAvailable or Always": not mode,
        "an exec plugin with an unknown interactiveMode": mode not in {"", "Never", "IfAvailable", "Always"},
    }


def _content(path: str, what: str) -> bytes:
    try:
        with open(path, "rb") as stream:
            return stream.read()
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "its name cannot be"
        raise Invalid(f"{path}, {what}, cannot be read: {why}") from None


def _exec_cluster(server: str, target: Target, extensions: list[Any]) -> dict[str, Any]:
    """`spec.cluster` of KUBERNETES_EXEC_INFO (client.authentication.k8s.io/v1), for plugins with provideClusterInfo."""
    import binascii

    info: dict[str, Any] = {"server": server}
    if target.tls_server_name:
        info["tls-server-name"] = target.tls_server_name
    if target.insecure:
        info["insecure-skip-tls-verify"] = True
    if target.ca:
        info["certificate-authority-data"] = binascii.b2a_base64(target.ca, newline=False).decode()
    if target.proxy_url:
        info["proxy-url"] = target.proxy_url
    if target.disable_compression:
        info["disable-compression"] = True
    named = (item for item in extensions if isinstance(item, dict) and item.get("name") == _EXTENSION)
    info["config"] = next((item.get("extension") for item in named), None)
    return info
