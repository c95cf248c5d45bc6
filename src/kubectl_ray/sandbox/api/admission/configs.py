"""Secrets and config maps: how their data is written, and when it may not change.

Source: `pkg/registry/core/secret/strategy.go`, `pkg/apis/core/validation/validation.go`.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING

from kubectl_ray.sandbox.api import kinds
from kubectl_ray.sandbox.api.metadata import immutable, prohibited, required, wrong
from kubectl_ray.sandbox.api.refusals import bad_request

if TYPE_CHECKING:
    from kubectl_ray.sandbox.api.kinds import Kind
    from kubectl_ray.sandbox.api.metadata import Cause
    from kubectl_ray.sandbox.api.store import Object

LARGEST = 1024 * 1024
LONGEST_KEY = 253
KEY_RULE = (
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',"
    "  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"
)
_KEY = re.compile(r"[-._a-zA-Z0-9]+", re.ASCII)
WANTED = {
    "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
    "kubernetes.io/dockercfg": (".dockercfg",),
    "kubernetes.io/tls": ("tls.crt", "tls.key"),
    "kubernetes.io/ssh-auth": ("ssh-privatekey",),
}
"""Keys that a secret of such a type has to have."""

ACCOUNT = "kubernetes.io/service-account.name"


def fill_secret(secret: Object) -> None:
    """Its type, and `stringData` put into `data`.

    Raises:
        Refused: 400, data is not base64.
    """
    secret["type"] = secret.get("type") or "Opaque"
    texts = secret.pop("stringData", None) or {}
    if texts:
        data = secret["data"] = dict(secret.get("data") or {})
        data.update({key: base64.b64encode((text or "").encode()).decode() for key, text in texts.items()})
    for key, text in (secret.get("data") or {}).items():
        if text is None:
            secret["data"][key] = ""
            continue
        try:
            base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            at = next(
                (index for index, each in enumerate(text) if not (each.isascii() and (each.isalnum() or each in "+/"))),
                len(text),
            )
            why = f"illegal base64 data at input byte {at}"
            raise bad_request(f'Secret in version "v1" cannot be handled as a Secret: {why}') from None


def causes(kind: Kind, held: Object) -> list[Cause]:
    """What is wrong with the keys or the size of a secret or a config map."""
    found: list[Cause] = []
    size = 0
    data, binary = held.get("data") or {}, held.get("binaryData") or {}
    for key, text in data.items():
        found += _key_causes(key, f"data[{key}]")
        if key in binary:
            found.append(wrong(key, "duplicate of key present in binaryData", f"data[{key}]"))
        size += len(str(text).encode())
    for key, text in binary.items():
        found += _key_causes(key, f"binaryData[{key}]")
        size += len(str(text)) * 3 // 4
    if kind is kinds.SECRETS:
        size = size * 3 // 4
        found += [required(f"data[{key}]") for key in WANTED.get(held["type"], ()) if key not in data]
        notes = held["metadata"].get("annotations") or {}
        if held["type"] == "kubernetes.io/service-account-token" and not notes.get(ACCOUNT):
            found.append(required(f"metadata.annotations[{ACCOUNT}]"))
    if size > LARGEST:
        field = "data" if kind is kinds.SECRETS else ""
        found.append(("FieldValueTooLong", f"Too long: may not be more than {LARGEST} bytes", field))
    return found


def changed_causes(kind: Kind, before: Object, after: Object) -> list[Cause]:
    """The type of a secret stays, and all of what is marked as immutable."""
    found: list[Cause] = []
    if kind is kinds.SECRETS and before.get("type") != after.get("type"):
        found.append(immutable(after.get("type"), "type"))
    if before.get("immutable"):
        why = "field is immutable when `immutable` is set"
        if not after.get("immutable"):
            found.append(prohibited(why, "immutable"))
        found += [prohibited(why, key) for key in ("data", "binaryData") if before.get(key) != after.get(key)]
    return found


def _key_causes(key: str, field: str) -> list[Cause]:
    errors = [f"must be no more than {LONGEST_KEY} characters"] if len(key) > LONGEST_KEY else []
    if not _KEY.fullmatch(key):
        errors.append(KEY_RULE)
    elif key in {".", ".."}:
        errors.append(f"must not be '{key}'")
    elif key.startswith(".."):
        errors.append("must not start with '..'")
    return [wrong(key, why, field) for why in errors]
