"""Reading a field of a Kubernetes object that may be missing, of another type, or one second old.

Each function answers with a value of the type it names, whatever it is given.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

LARGEST = 2**63 - 1  # an int64, the largest whole number that Kubernetes' own types hold


def mapping(value: object) -> dict[str, Any]:
    """The value when it is a mapping, else an empty one."""
    return value if isinstance(value, dict) else {}


def sequence(value: object) -> list[Any]:
    """The value when it is a list, else an empty one."""
    return value if isinstance(value, list) else []


def mappings(value: object) -> list[dict[str, Any]]:
    """Those items of a list that are mappings."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def text(value: object, missing: str = "") -> str:
    """The value when it is a string, else `missing`."""
    return value if isinstance(value, str) else missing


def texts(value: object) -> dict[str, str]:
    """The string entries of a mapping: labels, annotations, selectors."""
    if not isinstance(value, dict):
        return {}
    return {key: item for key, item in value.items() if isinstance(key, str) and isinstance(item, str)}


def whole(value: object) -> int | None:
    """The value when it is a whole number that an int64 holds, else None. `True` is no number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if isinstance(value, float) and not value.is_integer():  # neither inf nor nan is
        return None
    return int(value) if -LARGEST <= value <= LARGEST else None


def dig(value: object, *path: str) -> Any:
    """What lies at the path of keys, or None where any step is missing."""
    for key in path:
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value
