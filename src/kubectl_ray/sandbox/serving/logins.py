"""Who asks: bearer tokens, nobody, and those who ask in another's name.

Source: apiserver, `pkg/endpoints/filters/authentication.go` and `impersonation.go`.
"""

from __future__ import annotations

import hmac
import json
import secrets
from typing import TYPE_CHECKING, Protocol
from urllib.parse import unquote

from kubectl_ray.sandbox.api.refusals import Refused, bad_request
from kubectl_ray.sandbox.api.users import ADMIN, ANONYMOUS, User
from kubectl_ray.sandbox.serving.certificates import write_private

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from multidict import CIMultiDictProxy

TOKEN = "token"  # noqa: S105 - a file's name
_AUTHENTICATED = "system:authenticated"
_SERVICE_ACCOUNT = "system:serviceaccount:"
_EXTRA = "impersonate-extra-"
_LETTERS = 32


class May(Protocol):
    """Whether a user has a right."""

    def __call__(self, user: User, verb: str, group: str, resource: str, namespace: str, name: str) -> bool:
        """True when some role gives it."""


def admin_token(folder: Path) -> str:
    """The one login's token, made at the first start; its file is the owner's alone.

    Raises:
        OSError: it cannot be read or written.
    """
    path = folder / TOKEN
    try:
        held = path.read_bytes().decode("ascii", "replace").strip()
    except FileNotFoundError:
        held = ""
    if len(held) < _LETTERS or not held.isascii() or not held.isprintable() or path.stat().st_mode & 0o077:
        held = secrets.token_urlsafe(_LETTERS)
        write_private(path, held.encode())
    return held


def login(headers: CIMultiDictProxy[str], token: str, identify: Callable[[str], User | None]) -> User:
    """Whose request it is.

    Raises:
        Refused: 401, the token is nobody's.
    """
    given = headers.get("Authorization", "").strip()
    scheme, _, value = given.partition(" ")
    value = value.strip()
    if scheme.lower() != "bearer" or not value:
        return ANONYMOUS
    if hmac.compare_digest(value.encode("utf-8", "surrogateescape"), token.encode()):
        return ADMIN
    user = identify(value)
    if user is None:
        raise Refused(401, "Unauthorized", "Unauthorized")
    return user


def impersonated(headers: CIMultiDictProxy[str], user: User, may: May) -> User:
    """In whose name it is asked; the user itself where no such header is given.

    Raises:
        Refused: 400 a group without a name; 403 the user may not.
    """
    name, uid = headers.get("Impersonate-User", ""), headers.get("Impersonate-Uid", "")
    groups = tuple(headers.getall("Impersonate-Group", []))
    extra: dict[str, tuple[str, ...]] = {}
    for key, value in headers.items():
        if key.lower().startswith(_EXTRA):
            field = unquote(key[len(_EXTRA) :]).lower()
            extra[field] = (*extra.get(field, ()), value)
    if not name:
        if groups or uid or extra:
            raise bad_request(f"requested {_shown(uid, groups, extra)} without impersonating a user name")
        return user
    _check(user, name, uid, groups, extra, may)
    return User(name, _completed(name, groups), uid, extra)


def _completed(name: str, groups: tuple[str, ...]) -> tuple[str, ...]:
    if name == ANONYMOUS.name:
        return groups or ANONYMOUS.groups
    parts = name.split(":")
    if not groups and name.startswith(_SERVICE_ACCOUNT) and len(parts) == 4:  # noqa: PLR2004 - system:…:ns:name
        groups = ("system:serviceaccounts", f"system:serviceaccounts:{parts[2]}")
    return groups if _AUTHENTICATED in groups else (*groups, _AUTHENTICATED)


def _check(
    user: User, name: str, uid: str, groups: tuple[str, ...], extra: dict[str, tuple[str, ...]], may: May
) -> None:
    parts = name.split(":")
    asked: list[tuple[str, str, str, str]] = []
    if name.startswith(_SERVICE_ACCOUNT) and len(parts) == 4:  # noqa: PLR2004 - system:serviceaccount:ns:name
        asked.append(("", "serviceaccounts", parts[2], parts[3]))
    else:
        asked.append(("", "users", "", name))
    asked += [("", "groups", "", group) for group in groups]
    if uid:
        asked.append(("authentication.k8s.io", "uids", "", uid))
    asked += [
        ("authentication.k8s.io", f"userextras/{key}", "", value) for key, values in extra.items() for value in values
    ]
    for group, resource, namespace, wanted in asked:
        if not may(user, "impersonate", group, resource, namespace, wanted):
            where = f'in the namespace "{namespace}"' if namespace else "at the cluster scope"
            shown = f"{resource.partition('/')[0]}.{group}" if group else resource
            why = f'User "{user.name}" cannot impersonate resource "{resource}" in API group "{group}" {where}'
            details = {"name": wanted, **({"group": group} if group else {}), "kind": resource.partition("/")[0]}
            raise Refused(403, "Forbidden", f'{shown} "{wanted}" is forbidden: {why}', details)


def _shown(uid: str, groups: tuple[str, ...], extra: dict[str, tuple[str, ...]]) -> str:
    """Go's `%#v` of what was asked for."""

    def texts(values: tuple[str, ...]) -> str:
        return "{" + ", ".join(json.dumps(each) for each in values) + "}" if values else "(nil)"

    told = ", ".join(f"{json.dumps(key)}:[]string{texts(values)}" for key, values in sorted(extra.items()))
    held = "map[string][]string" + ("{" + told + "}" if told else "(nil)")
    return f'&user.DefaultInfo{{Name:"", UID:{json.dumps(uid)}, Groups:[]string{texts(groups)}, Extra:{held}}}'
