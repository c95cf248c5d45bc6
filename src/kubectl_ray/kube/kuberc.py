"""Which exec plugins the user's kuberc lets run: `credentialPluginPolicy` and its allowlist.

Source of the rules: kubectl's `pkg/kuberc` and client-go's `plugin/pkg/client/auth/exec`, as of Kubernetes 1.36. The
file is `~/.kube/kuberc` or what KUBERC names; `KUBERC=off` or `KUBECTL_KUBERC=false` turn it off.
"""

from __future__ import annotations

import os

from kubectl_ray.errors import Invalid, NotLoggedIn
from kubectl_ray.kube import documents, kubefile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

_GROUP = "kubectl.config.k8s.io/"
_FALSE = frozenset({"0", "f", "F", "false", "False", "FALSE"})


class Policy:
    """Which plugins may run. `kind` is AllowAll, DenyAll or Allowlist."""

    def __init__(self, kind: str = "AllowAll", allowed: tuple[str, ...] = (), path: str = "") -> None:
        self.kind = kind
        self.allowed = allowed
        self.path = path

    def check(self, command: str, found: str | None, which: Callable[[str], str | None]) -> None:
        """Refuse the plugin `command`, which was found at the path `found`, unless the policy lets it run.

        An entry allows what it names word for word, or what it is found as on PATH.

        Raises:
            NotLoggedIn: it may not run.
        """
        if self.kind == "AllowAll":
            return
        if self.kind == "Allowlist":
            if command in self.allowed or found in self.allowed:
                return
            base = os.path.basename(found or command)
            if found and any(os.path.basename(entry) == base and which(entry) == found for entry in self.allowed):
                return
        raise NotLoggedIn(
            f"The login plugin {command} may not run: {self.path} has credentialPluginPolicy {self.kind}",
            hint="Use another login, or change that policy: kubectl kuberc set --section credentialplugin --help",
        )


def policy(env: Mapping[str, str], warn: Callable[[str], object]) -> Policy:
    """Read the kuberc. Trouble with the default file is only warned about, as kubectl does.

    Raises:
        Invalid: the file that KUBERC names cannot be used, or a policy contradicts itself.
    """
    named = env.get("KUBERC", "")
    if named == "off" or env.get("KUBECTL_KUBERC", "") in _FALSE:
        return Policy()
    path = named or os.path.join(kubefile.home(env), ".kube", "kuberc")
    try:
        with open(path, "rb") as stream:
            preference = _preference(stream.read(), path)
    except FileNotFoundError as error:
        if named:
            raise Invalid(f"The kuberc {path} cannot be read: {error.strerror}", hint="Correct KUBERC.") from None
        return Policy()
    except (OSError, ValueError, Invalid) as error:
        words = error.message if isinstance(error, Invalid) else f"The kuberc {path} cannot be read"
        if named:
            raise Invalid(words, hint="Correct the file, or unset KUBERC.") from None
        warn(f"Warning: {words}; going on without it.\n")
        return Policy()
    return _policy(preference, path)


def _preference(data: bytes, path: str) -> Mapping[str, Any]:
    """The first document that is a Preference of a known version; the empty one where the file is empty."""
    tried = False
    for part in data.replace(b"\r\n", b"\n").split(b"\n---"):
        try:
            document = documents.parse(part, f"The kuberc {path}")
        except Invalid:
            tried = True
            continue
        if document is None:
            continue
        tried = True
        if isinstance(document, dict) and document.get("kind") == "Preference":
            if document.get("apiVersion") == f"{_GROUP}v1beta1":
                return document
            if document.get("apiVersion") == f"{_GROUP}v1alpha1":
                return {}  # that version has no policy
    if tried:
        raise Invalid(f"The kuberc {path} holds no Preference of {_GROUP}v1beta1")
    return {}


def _policy(preference: Mapping[str, Any], path: str) -> Policy:
    kind = preference.get("credentialPluginPolicy")
    kind = "AllowAll" if kind is None or kind == "" else kind
    entries = preference.get("credentialPluginAllowlist")
    if kind not in ("AllowAll", "DenyAll", "Allowlist"):  # a list is no member of a set
        raise _wrong(path, "credentialPluginPolicy has to be AllowAll, DenyAll or Allowlist")
    if kind != "Allowlist":
        if entries is not None:
            raise _wrong(path, f"credentialPluginAllowlist has no meaning with credentialPluginPolicy {kind}")
        return Policy(kind, path=path)
    if not entries or not isinstance(entries, list):
        raise _wrong(path, "credentialPluginPolicy Allowlist needs a list credentialPluginAllowlist with an entry")
    return Policy(kind, tuple(_entry(entry, path) for entry in entries), path)


def _entry(entry: object, path: str) -> str:
    fields = entry if isinstance(entry, dict) else {}
    command, name = fields.get("command") or "", fields.get("name") or ""  # `name` is the older word
    if command and name and command != name:
        raise _wrong(path, "an entry of credentialPluginAllowlist has both a command and another name")
    command = command or name
    if not isinstance(command, str) or not command or os.path.normpath(command) != command:
        raise _wrong(path, "an entry of credentialPluginAllowlist has no command, or one that is no plain path")
    return command


def _wrong(path: str, what: str) -> Invalid:
    return Invalid(f"The kuberc {path}: {what}", hint="Correct the file; no login plugin runs until then.")
