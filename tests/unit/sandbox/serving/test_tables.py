"""Tables, compared with those of a real server for the same objects."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_ray.sandbox.api import kinds, schemas
from kubectl_ray.sandbox.serving.ages import age, lasting
from kubectl_ray.sandbox.serving.tables import cells, table
from tests.unit.sandbox.api.recorded import answers

RECORDED = answers("tables")


def kind_of(path: str) -> kinds.Kind:
    """The kind that is served there."""
    _, root, *rest = path.split("/")
    kind = kinds.by_path(*(("", rest[0]) if root == "api" else (rest[0], rest[1])), rest[-1])
    assert kind is not None
    return kind


def seconds(cell: Any) -> Any:
    """A cell that a second of delay may change, in a form that it does not."""
    return "some seconds" if isinstance(cell, str) and cell[:-1].isdigit() and cell.endswith("s") else cell


ROWS = [(each, row) for each in RECORDED for row in each["rows"]]


@pytest.mark.parametrize(("recorded", "row"), ROWS, ids=lambda each: str(each.get("path", each.get("cells", ""))[:1]))
def test_rows(recorded: dict[str, Any], row: dict[str, Any]) -> None:
    """Each object has the cells and conditions that the real server gives it."""
    kind = kind_of(recorded["path"])
    made = table(kind, [row["object"]], "Object", recorded["now"])
    (own,) = made["rows"]
    assert [seconds(cell) for cell in own["cells"]] == [seconds(cell) for cell in row["cells"]]
    assert own.get("conditions") == row["conditions"]
    assert own["object"] is row["object"]
    assert [column["name"] for column in made["columnDefinitions"]] == recorded["columns"]
    assert made["metadata"] == {"resourceVersion": row["object"]["metadata"]["resourceVersion"]}


def test_included() -> None:
    """A row holds the metadata of its object, all of it, or nothing."""
    held = {"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"name": "c"}, "data": {"a": "b"}}
    rows = {each: table(kinds.CONFIG_MAPS, [held], each)["rows"][0] for each in ("Metadata", "Object", "None")}
    partial = {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": {"name": "c"}}
    assert [rows[each]["object"] for each in rows] == [partial, held, None]
    assert rows["None"]["cells"] == ["c", 1, "<unknown>"]


def test_empty() -> None:
    """No objects, no rows, all columns."""
    made = table(kinds.PODS, [])
    assert (made["rows"], len(made["columnDefinitions"]), made["metadata"]) == ([], 9, {})


def test_custom_columns() -> None:
    """Cells of Ray's kinds come from the paths of their definitions; what is not there is null."""
    held = {
        "metadata": {"name": "c", "creationTimestamp": "2026-01-01T00:00:00Z"},
        "status": {"desiredWorkerReplicas": 2, "desiredCPU": "300m", "state": "ready", "head": {"podIP": "127.0.0.1"}},
    }
    made = cells(kinds.RAY_CLUSTERS, held, 1767225600 + 90)
    assert made == ["c", 2, None, "300m", None, None, None, "ready", "90s", "127.0.0.1", None]


@pytest.mark.parametrize("kind", kinds.KINDS, ids=lambda kind: kind.resource)
def test_as_many_cells_as_columns(kind: kinds.Kind) -> None:
    """An object of which nothing is known has a cell in each column."""
    assert len(cells(kind, {"metadata": {"name": "x"}}, 0)) == len(schemas.columns(kind))


DURATIONS = [
    (-5, "<invalid>"),
    (-1, "0s"),
    (0, "0s"),
    (119, "119s"),
    (120, "2m"),
    (599, "9m59s"),
    (600, "10m"),
    (3 * 3600 - 1, "179m"),
    (3 * 3600, "3h"),
    (3 * 3600 + 60, "3h1m"),
    (8 * 3600, "8h"),
    (48 * 3600 - 1, "47h"),
    (48 * 3600, "2d"),
    (49 * 3600, "2d1h"),
    (8 * 86400, "8d"),
    (2 * 365 * 86400, "2y"),
    (2 * 365 * 86400 + 86400, "2y1d"),
    (9 * 365 * 86400 + 86400, "9y"),
]


@pytest.mark.parametrize(("duration", "told"), DURATIONS)
def test_durations(duration: float, told: str) -> None:
    """Durations have at most two units, as kubectl shows them."""
    assert lasting(duration) == told


@given(st.none() | st.text() | st.integers(), st.floats(0, 1e11))
def test_any_age(since: Any, now: float) -> None:
    """Any time, or what is none, has an age."""
    assert age(since, now)
