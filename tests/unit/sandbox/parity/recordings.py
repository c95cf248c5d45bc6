"""Recordings of the real operator: what was done, what was seen, the objects and the events."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[3] / "recordings" / "operator"

Object = dict[str, Any]


@dataclass(frozen=True)
class Recording:
    """One run: `timeline` is what a person or the kubelet did and what watches saw, in order.

    A line of it has `do` (create, patch, delete) or `saw` (ADDED, MODIFIED, DELETED, with the fields that changed).
    """

    name: str
    namespace: str
    timeline: list[Object]
    objects: dict[str, list[Object]]
    events: list[list[Any]]


def names(prefix: str = "") -> list[str]:
    """All recordings that begin so."""
    return sorted(path.stem for path in FOLDER.glob(f"{prefix}*.json"))


def load(name: str) -> Recording:
    """Read one."""
    held = json.loads((FOLDER / f"{name}.json").read_text())
    return Recording(name, held["namespace"], held["timeline"], held["objects"], held["events"])
