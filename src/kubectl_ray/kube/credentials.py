"""Who we are to the API server: the headers and the client certificate that a `Target`'s user stands for.

Which login wins, and when one is read again, is client-go's rule (`rest/transport.go`, `transport/round_trippers.go`):
`tokenFile` over `token`, either over user and password, any of these and a client certificate over an exec plugin.
Over plain http nothing but the impersonation is sent.
"""

from __future__ import annotations

import _thread
import binascii
import time

from kubectl_ray.errors import NotLoggedIn
from kubectl_ray.kube.exec_plugin import ExecPlugin, Issued

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import TextIO

    from kubectl_ray.kube.kubeconfig import Target

_TOKEN_FILE_LIFE = 60.0  # seconds; a kubelet renews a projected token minutes before it ends
_JUST_RENEWED = 5.0  # seconds within which another thread's renewal counts as this one's
_REPLACEMENT = {
    "gcp": "Install gke-gcloud-auth-plugin, then: gcloud container clusters get-credentials NAME",
    "azure": "Install kubelogin (github.com/Azure/kubelogin), then: kubelogin convert-kubeconfig",
    "oidc": "Install kubelogin (github.com/int128/kubelogin), then: kubectl oidc-login setup --help",
}


class Credentials:
    """The login of one run. Reads nothing and runs nothing before something is asked for; safe to use from threads."""

    def __init__(
        self,
        target: Target,
        env: Mapping[str, str],
        *,
        interactive: bool,
        stderr: TextIO,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.generation = 0
        """Grows when the client certificate changes: connections made before it are somebody else's."""
        self._target = target
        self._now = now
        self._lock = _thread.allocate_lock()
        self._token = ""
        self._token_read = 0.0
        self._issued: Issued | None = None
        self._renewed = float("-inf")
        self._files: tuple[bytes, bytes] | None = None
        user = target.user
        self._plugin: ExecPlugin | None = None
        own = "token", "tokenFile", "username", "password", "client-certificate", "client-certificate-data"
        if (
            target.scheme == "https"
            and "exec" in user
            and not target.url_login
            and not any(user.get(key) for key in own)
        ):
            self._plugin = ExecPlugin(user["exec"], target.exec_cluster, env, interactive=interactive, stderr=stderr)

    def __repr__(self) -> str:
        return f"Credentials({self._target!r})"

    def warm(self) -> None:
        """Start the exec plugin, if there is one and it is needed, without waiting for it."""
        with self._lock:
            if self._plugin is not None and self._issued is None:
                self._plugin.start()

    def close(self) -> None:
        """End a plugin that was started and whose answer nobody needs any more."""
        with self._lock:
            if self._plugin is not None:
                self._plugin.stop()

    def headers(self) -> list[tuple[str, str]]:
        """`Authorization` and `Impersonate-*` for the next request.

        Raises:
            NotLoggedIn: there is no login, or it cannot be had.
        """
        with self._lock:
            authorization = self._authorization() if self._target.scheme == "https" else ""
        found = [("Authorization", authorization)] if authorization else []
        return [(name, _clean(name, value)) for name, value in (*found, *self._target.impersonate)]

    def certificate(self) -> tuple[bytes, bytes] | None:
        """The client certificate and its key as PEM, None where the login has none.

        Raises:
            NotLoggedIn: a file cannot be read, or the plugin failed.
        """
        if self._target.scheme != "https":
            return None
        with self._lock:
            if self._plugin is not None:
                return self._plugin_answer(self._plugin).certificate
            if self._files is None:
                self._files = self._read_certificate()
            return self._files

    def renew(self) -> bool:
        """After a 401, and never after a 403: get the login anew; True if it changed, so that one more try makes sense.

        Raises:
            NotLoggedIn: the plugin failed this time.
        """
        with self._lock:
            if self._now() - self._renewed < _JUST_RENEWED:
                return True
            changed = self._renew()
            if changed:
                self._renewed = self._now()
            return changed

    def _renew(self) -> bool:
        if self._plugin is not None:
            before, after = self._issued, self._plugin_answer(self._plugin, again=True)
            return before is None or (before.token, before.certificate) != (after.token, after.certificate)
        changed = False
        if self._target.user.get("tokenFile"):
            before_token, self._token_read = self._token, 0.0
            changed = self._file_token() != before_token
        if self._files is not None and self._target.user.get("client-certificate"):
            fresh = self._read_certificate()
            if fresh != self._files:
                self._files = fresh
                self.generation += 1
                changed = True
        return changed

    def _authorization(self) -> str:
        user = self._target.user
        if self._target.url_login:
            return _basic(*self._target.url_login)
        if user.get("tokenFile"):
            return f"Bearer {self._file_token()}"
        if user.get("token"):
            return f"Bearer {user['token']}"
        if user.get("username") or user.get("password"):
            return _basic(user.get("username", ""), user.get("password", ""))
        if self._plugin is not None:
            token = self._plugin_answer(self._plugin).token
            return f"Bearer {token}" if token else ""
        if user.get("client-certificate") or user.get("client-certificate-data"):
            return ""
        raise self._no_login()

    def _no_login(self) -> NotLoggedIn:
        name = self._target.user_name
        provider = self._target.user.get("auth-provider")
        if provider:
            kind = provider.get("name")
            return NotLoggedIn(
                f"The user {name} logs in by the auth-provider {kind}, an old way that is not spoken here",
                hint=_REPLACEMENT.get(
                    str(kind), "Log in again with a tool that writes an exec plugin into the kubeconfig."
                ),
            )
        if not name:
            what = f"The context {self._target.context} names no user" if self._target.context else "No login is given"
        elif self._target.user_known:
            what = f"The user {name} of the kubeconfig has no login: no token, no certificate, no plugin"
        else:
            what = f"The context {self._target.context or '-'} logs in as {name}, which is in no kubeconfig"
        return NotLoggedIn(
            what, hint="Log in again with the tool of your cluster's provider, or give --token or --client-certificate."
        )

    def _file_token(self) -> str:
        """The token in the file, read again after a minute; the last good one where that fails."""
        now = self._now()
        if self._token and now - self._token_read < _TOKEN_FILE_LIFE:
            return self._token
        path = self._target.user["tokenFile"]
        try:
            with open(path, encoding="utf-8") as stream:
                token, why = stream.read().strip(), "it is empty"
        except (OSError, ValueError) as error:
            token, why = "", getattr(error, "strerror", None) or "it is not text"
        if token:
            self._token, self._token_read = token, now
        elif not self._token:
            self._token = self._target.user.get("token", "")
            if not self._token:
                raise NotLoggedIn(f"The token file {path} cannot be used: {why}", hint="Log in again, or give --token.")
        return self._token

    def _plugin_answer(self, plugin: ExecPlugin, *, again: bool = False) -> Issued:
        before = self._issued
        if before is not None and not again and (before.expires is None or self._now() <= before.expires):
            return before
        self._issued = plugin.run()
        if before is not None and before.certificate != self._issued.certificate:
            self.generation += 1
        return self._issued

    def _read_certificate(self) -> tuple[bytes, bytes] | None:
        user = self._target.user
        certificate = user.get("client-certificate-data") or _file(user.get("client-certificate"), "client certificate")
        key = user.get("client-key-data") or _file(user.get("client-key"), "client key")
        return (certificate, key) if certificate and key else None


def _file(path: str | None, what: str) -> bytes:
    if not path:
        return b""
    try:
        with open(path, "rb") as stream:
            return stream.read()
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "its name cannot be"
        raise NotLoggedIn(
            f"The {what} {path} cannot be read: {why}", hint="Log in again, or correct the path."
        ) from None


def _basic(user: str, password: str) -> str:
    return "Basic " + binascii.b2a_base64(f"{user}:{password}".encode(), newline=False).decode()


def _clean(name: str, value: str) -> str:
    """Refuse what would end the header early (RFC 9110 §5.5); the value itself stays out of the message."""
    if any((letter < " " and letter != "\t") or letter == "\x7f" for letter in value):
        raise NotLoggedIn(
            f"The login's {name} holds a line break or another control character",
            hint="Write the token on one line; in YAML, not as a block with | or >.",
        )
    return value
