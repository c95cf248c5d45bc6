"""The options that a request's query carries, checked in the real server's words.

Source: apimachinery, `pkg/apis/meta/v1/validation` and `pkg/apis/meta/internalversion/validation`.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, NamedTuple

from kubectl_ray.sandbox.api.refusals import Refused, bad_request
from kubectl_ray.sandbox.serving.paths import truth

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_INTEGER = re.compile(r"[-+]?[0-9]+", re.ASCII)
_VERSION = re.compile(r"[0-9]+", re.ASCII)
_MANAGER_LENGTH = 128
LARGEST = 2**63 - 1


class Writing(NamedTuple):
    """How a create, update or patch is to be done."""

    dry_run: bool
    validation: str
    manager: str
    force: bool


class Listing(NamedTuple):
    """Which objects to list or watch; `version` is None where none was given."""

    labels: str
    fields: str
    limit: int
    token: str
    version: int | None
    match: str
    timeout: int | None
    bookmarks: bool
    initial: bool | None


def writing(kind: str, query: Mapping[str, str], *, agent: str = "", patch_type: str = "") -> Writing:
    """Options of `CreateOptions`, `UpdateOptions` or `PatchOptions`; the manager is the agent's program by default.

    Raises:
        Refused: 422.
    """
    wrong: list[tuple[str, str, str]] = []
    manager = query.get("fieldManager", "")
    apply = patch_type.startswith("application/apply-patch")
    if apply and not manager:
        wrong.append(("FieldValueRequired", "Required value: is required for apply patch", "fieldManager"))
    elif len(manager.encode()) > _MANAGER_LENGTH:
        wrong.append(
            ("FieldValueTooLong", f"Too long: may not be more than {_MANAGER_LENGTH} bytes", "fieldManager"),
        )
    elif any(not char.isprintable() for char in manager):
        told = "should only contain printable characters"
        wrong.append(("FieldValueInvalid", f"Invalid value: {json.dumps(manager)}: {told}", "fieldManager"))
    if patch_type and not apply and "force" in query:
        wrong.append(("FieldValueForbidden", "Forbidden: may not be specified for non-apply patch", "force"))
    validation = query.get("fieldValidation", "")
    if validation not in {"", "Ignore", "Strict", "Warn"}:
        known = 'supported values: "", "Ignore", "Strict", "Warn"'
        wrong.append(
            ("FieldValueNotSupported", f"Unsupported value: {json.dumps(validation)}: {known}", "fieldValidation")
        )
    dry_run = _dry_run(query, wrong)
    if wrong:
        raise invalid(kind, wrong)
    return Writing(dry_run, validation or "Warn", manager or program(agent), truth(query.get("force", "")))


def program(agent: str) -> str:
    """The field manager that a User-Agent stands for: its first word up to a slash."""
    return agent.partition("/")[0][:_MANAGER_LENGTH] or "unknown"


def _dry_run(query: Mapping[str, str], wrong: list[tuple[str, str, str]]) -> bool:
    value = query.get("dryRun", "")
    if value not in {"", "All"}:
        told = f'Unsupported value: [{json.dumps(value)}]: supported values: "All"'
        wrong.append(("FieldValueNotSupported", told, "dryRun"))
    return value == "All"


def listing(query: Mapping[str, str], *, watch: bool) -> Listing:
    """Options of `ListOptions`.

    Raises:
        Refused: 400 not a number; 422 they contradict each other; 500 for a watch's version that is no number.
    """
    limit = number(query, "limit") or 0
    timeout = number(query, "timeoutSeconds")
    initial = truth(query["sendInitialEvents"]) if query.get("sendInitialEvents") else None
    match, version = query.get("resourceVersionMatch", ""), query.get("resourceVersion", "")
    wrong = _watch_match(match, initial) if watch else _list_match(match, version, query.get("continue", ""), initial)
    if wrong:
        raise invalid("ListOptions", [wrong])
    return Listing(
        query.get("labelSelector", ""),
        query.get("fieldSelector", ""),
        limit,
        query.get("continue", ""),
        list_version(version) if not watch else exact_version(version),
        match,
        timeout,
        truth(query.get("allowWatchBookmarks", "")),
        initial,
    )


def _forbidden(field: str, message: str) -> tuple[str, str, str]:
    return "FieldValueForbidden", f"Forbidden: {message}", field


def _watch_match(match: str, initial: bool | None) -> tuple[str, str, str] | None:
    field = "resourceVersionMatch"
    if initial is not None and match != "NotOlderThan":
        return _forbidden(field, "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan")
    if initial is None and match:
        return _forbidden(field, "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided")
    return None


def _list_match(match: str, version: str, token: str, initial: bool | None) -> tuple[str, str, str] | None:
    field = "resourceVersionMatch"
    if initial is not None:
        return _forbidden("sendInitialEvents", "sendInitialEvents is forbidden for list")
    if match and match not in {"Exact", "NotOlderThan"} and version and not token:
        known = 'supported values: "Exact", "NotOlderThan", ""'
        return "FieldValueNotSupported", f"Unsupported value: {json.dumps(match)}: {known}", field
    why = ""
    if match and not version:
        why = "resourceVersionMatch is forbidden unless resourceVersion is provided"
    elif match and token:
        why = "resourceVersionMatch is forbidden when continue is provided"
    elif match == "Exact" and version == "0":
        why = 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'
    return _forbidden(field, why) if why else None


def number(query: Mapping[str, str], name: str) -> int | None:
    """A whole number of 64 bits; None when it is not given.

    Raises:
        Refused: 400, it is none.
    """
    text = query.get(name, "")
    if not text:
        return None
    if not _INTEGER.fullmatch(text):
        raise bad_request(f"strconv.ParseInt: parsing {json.dumps(text)}: invalid syntax")
    if len(text) > len(str(LARGEST)) + 1 or not -LARGEST - 1 <= int(text) <= LARGEST:
        raise bad_request(f"strconv.ParseInt: parsing {json.dumps(text)}: value out of range")
    return int(text)


def exact_version(text: str) -> int | None:
    """A resourceVersion as a get or a watch has it.

    Raises:
        Refused: 500 without a reason, which is what the real server makes of one that is no number.
    """
    return _version(text, lambda told: Refused(500, "", f"resourceVersion: {told}"))


def list_version(text: str) -> int | None:
    """A resourceVersion as a list has it.

    Raises:
        Refused: 400.
    """
    return _version(text, lambda told: bad_request(f"invalid resource version: resourceVersion: {told}"))


def _version(text: str, refusal: _Refusal) -> int | None:
    if not text:
        return None
    if not _VERSION.fullmatch(text):
        raise refusal(
            f"Invalid value: {json.dumps(text)}: strconv.ParseUint: parsing {json.dumps(text)}: invalid syntax"
        )
    if len(text) > len(str(LARGEST)):
        raise refusal(
            f"Invalid value: {json.dumps(text)}: strconv.ParseUint: parsing {json.dumps(text)}: value out of range"
        )
    return int(text)


def invalid(kind: str, causes: Sequence[tuple[str, str, str]]) -> Refused:
    """422: options that make no sense; a cause is (reason, message, field)."""
    told = [f"{field}: {message}" for _reason, message, field in causes]
    text = told[0] if len(told) == 1 else "[" + ", ".join(told) + "]"
    details = {
        "group": "meta.k8s.io",
        "kind": kind,
        "causes": [{"reason": reason, "message": message, "field": field} for reason, message, field in causes],
    }
    return Refused(422, "Invalid", f'{kind}.meta.k8s.io "" is invalid: {text}', details)


if TYPE_CHECKING:
    from collections.abc import Callable

    _Refusal = Callable[[str], Refused]
