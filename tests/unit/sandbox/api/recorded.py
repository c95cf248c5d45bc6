"""Answers of a real API server of version 1.36, and what tests leave out when they compare with them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

FOLDER = Path(__file__).parents[3] / "recordings" / "api"

SERVER_DEFAULTS = frozenset(
    {
        "dnsPolicy",
        "imagePullPolicy",
        "protocol",
        "resources",
        "restartPolicy",
        "schedulerName",
        "securityContext",
        "targetPort",
        "terminationGracePeriodSeconds",
        "terminationMessagePath",
        "terminationMessagePolicy",
        "apiVersion",
        "type",
    }
)
"""Fields that the real server fills in after a patch: that is not what a patch does."""


def answers(name: str) -> Any:
    """What is recorded in `NAME.json`."""
    return json.loads((FOLDER / f"{name}.json").read_text())


def without_defaults(value: Any) -> Any:
    """A value without the fields that the server fills in."""
    if isinstance(value, dict):
        return {key: without_defaults(each) for key, each in value.items() if key not in SERVER_DEFAULTS}
    return [without_defaults(each) for each in value] if isinstance(value, list) else value


def tried(do: Callable[[], T], *errors: type[Exception]) -> tuple[T | None, Any]:
    """What comes of it: the value, or the error if it is one of these."""
    try:
        return do(), None
    except errors as error:
        return None, error
