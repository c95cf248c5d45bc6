"""The kubeconfig files themselves: which there are, what each says, and how several become one.

Source of the rules: client-go's clientcmd (`ClientConfigLoadingRules.Load`, `api/v1/types.go`), as of Kubernetes 1.36.
"""

from __future__ import annotations

import binascii
import os

from kubectl_ray.errors import Invalid, WrongUse
from kubectl_ray.kube import documents

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

# Field → what it has to be. Fields that are not named here are ignored, as kubectl ignores them.
_CLUSTER = {
    "server": "text",
    "tls-server-name": "text",
    "insecure-skip-tls-verify": "yes or no",
    "certificate-authority": "text",
    "certificate-authority-data": "base64",
    "proxy-url": "text",
    "disable-compression": "yes or no",
    "extensions": "list",
}
_USER = {
    "client-certificate": "text",
    "client-certificate-data": "base64",
    "client-key": "text",
    "client-key-data": "base64",
    "token": "text",
    "tokenFile": "text",
    "as": "text",
    "as-uid": "text",
    "as-groups": "list of text",
    "as-user-extra": "map of lists",
    "username": "text",
    "password": "text",
    "auth-provider": "map",
    "exec": "map",
}
_CONTEXT = {"cluster": "text", "user": "text", "namespace": "text"}
_EXEC = {
    "command": "text",
    "args": "list of text",
    "env": "list",
    "apiVersion": "text",
    "installHint": "text",
    "provideClusterInfo": "yes or no",
    "interactiveMode": "text",
}
_ENV = {"name": "text", "value": "text"}
_PATHS = ("certificate-authority", "client-certificate", "client-key", "tokenFile")


class KubeFile:
    """What all kubeconfig files say together: name → fields, with relative paths made absolute."""

    def __init__(self) -> None:
        self.clusters: dict[str, dict[str, Any]] = {}
        self.users: dict[str, dict[str, Any]] = {}
        self.contexts: dict[str, dict[str, Any]] = {}
        self.current = ""
        self.read: list[str] = []
        self.missing: list[str] = []


def home(env: Mapping[str, str]) -> str:
    """The folder that holds `.kube`, empty where the environment names none."""
    if os.name != "nt":
        return env.get("HOME", "")
    places = [env.get("HOME", ""), env.get("HOMEDRIVE", "") + env.get("HOMEPATH", ""), env.get("USERPROFILE", "")]
    for place in places:
        if place and os.path.exists(os.path.join(place, ".kube", "config")):
            return place
    return next((place for place in (places[0], places[2], places[1]) if place), "")


def read(explicit: str | None, env: Mapping[str, str]) -> KubeFile:
    """Read `--kubeconfig`, else all files of KUBECONFIG, else `~/.kube/config`; the first to name an entry wins.

    Missing and empty files are passed over, except the one given with `--kubeconfig`.

    Raises:
        WrongUse: the file of `--kubeconfig` does not exist.
        Invalid: a file cannot be read, or is not a kubeconfig.
    """
    if explicit:
        paths = [explicit]
    elif env.get("KUBECONFIG"):
        paths = list(dict.fromkeys(path for path in env["KUBECONFIG"].split(os.pathsep) if path))
    else:
        paths = [os.path.join(home(env), ".kube", "config")]
    merged = KubeFile()
    for path in paths:
        try:
            with open(path, "rb") as stream:
                data = stream.read()
        except (FileNotFoundError, NotADirectoryError):
            if explicit:
                raise WrongUse(
                    f"There is no file {path}", hint="Give an existing kubeconfig with --kubeconfig."
                ) from None
            merged.missing.append(path)
            continue
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or "its name cannot be"
            raise Invalid(f"The kubeconfig {path} cannot be read: {why}") from None
        merged.read.append(path)
        if data:
            _add(merged, data, path)
    return merged


def _add(merged: KubeFile, data: bytes, path: str) -> None:
    name = f"The kubeconfig {path}"
    document = documents.parse(data, name)
    if document is None:
        return
    if not isinstance(document, dict):
        raise Invalid(f"{name} is not a kubeconfig: it has to be a map of clusters, users and contexts")
    head = _fields(document, {"apiVersion": "text", "kind": "text", "current-context": "text"}, name)
    if head.get("apiVersion", "v1") != "v1" or head.get("kind", "Config") != "Config":
        kind = f"kind {head.get('kind', 'Config')}, version {head.get('apiVersion', 'v1')}"
        raise Invalid(
            f"{name} is not a kubeconfig: it is of {kind}",
            hint="A kubeconfig has apiVersion v1 and kind Config.",
        )
    folder = os.path.dirname(os.path.abspath(path))
    tables = (
        ("clusters", "cluster", _CLUSTER, merged.clusters),
        ("users", "user", _USER, merged.users),
        ("contexts", "context", _CONTEXT, merged.contexts),
    )
    for plural, singular, table, known in tables:
        for key, fields in _entries(document.get(plural), plural, singular, table, name).items():
            _absolute(fields, folder)
            known.setdefault(key, fields)
    merged.current = merged.current or head.get("current-context", "")


def _entries(raw: object, plural: str, singular: str, table: Mapping[str, str], name: str) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for position, item in enumerate(_list(raw, f"{name}: {plural}")):
        where = f"{name}: {plural}[{position}]"
        entry = _map(item, where)
        key = _fields(entry, {"name": "text"}, where).get("name", "")
        if key in found:
            raise Invalid(f"{name} has two {plural} called {key}", hint="Remove or rename one of them.")
        fields = _fields(_map(entry.get(singular), where), table, f"{name}: {singular} {key}")
        if "exec" in fields:
            fields["exec"] = _exec(fields["exec"], f"{name}: exec of user {key}")
        found[key] = fields
    return found


def _exec(raw: dict[str, Any], where: str) -> dict[str, Any]:
    fields = _fields(raw, _EXEC, where)
    fields["env"] = [_fields(_map(pair, f"{where}: env"), _ENV, f"{where}: env") for pair in fields.get("env", [])]
    return fields


def _absolute(fields: dict[str, Any], folder: str) -> None:
    for key in _PATHS:
        if key in fields:
            fields[key] = os.path.normpath(os.path.join(folder, fields[key]))
    command = fields.get("exec", {}).get("command", "")
    if os.sep in command:  # a bare word is looked for in PATH
        fields["exec"]["command"] = os.path.normpath(os.path.join(folder, command))


def _fields(raw: Mapping[Any, Any], table: Mapping[str, str], where: str) -> dict[str, Any]:
    """The fields of `raw` that `table` names, checked; empty ones are left out, as Go's `omitempty` would."""
    found = {}
    for key, wanted in table.items():
        value = raw.get(key)
        if value is None:
            continue
        checked = _CHECKS[wanted](value, f"{where}: {key}")
        if checked:
            found[key] = checked
    return found


def _text(value: object, where: str) -> str:
    if not isinstance(value, str):
        raise Invalid(f"{where} has to be text", hint="Put quotes around it.")
    if any("\ud800" <= letter <= "\udfff" for letter in value):
        raise Invalid(f"{where} holds half a character")
    return value


def _bool(value: object, where: str) -> bool:
    if not isinstance(value, bool):
        raise Invalid(f"{where} has to be true or false")
    return value


def _base64(value: object, where: str) -> bytes:
    text = _text(value, where).replace("\r", "").replace("\n", "")
    try:
        return binascii.a2b_base64(text, strict_mode=True)
    except ValueError:
        raise Invalid(f"{where} is not base64") from None


def _list(value: object, where: str) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise Invalid(f"{where} has to be a list")
    return value


def _map(value: object, where: str) -> dict[Any, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Invalid(f"{where} has to be a map")
    return value


def _texts(value: object, where: str) -> list[str]:
    return ["" if item is None else _text(item, where) for item in _list(value, where)]


def _map_of_lists(value: object, where: str) -> dict[str, list[str]]:
    return {_key(key): _texts(items, where) for key, items in _map(value, where).items()}


def _key(key: object) -> str:
    # As YAML becomes JSON on kubectl's way: `true:` is the key "true".
    return str(key).lower() if isinstance(key, bool) else str(key)


_CHECKS = {
    "text": _text,
    "yes or no": _bool,
    "base64": _base64,
    "list": _list,
    "map": _map,
    "list of text": _texts,
    "map of lists": _map_of_lists,
}
