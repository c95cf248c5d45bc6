"""The rows of `cluster list`."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings

from kubectl_ray.models.cluster import Cluster
from kubectl_ray.models.health import PodCount, count_pods
from kubectl_ray.views.clusters import COLUMNS, Row, columns
from tests.unit.models.mangled import mangled
from tests.unit.views.tables import CASES, cluster_of, count_of, now_of, printed

if TYPE_CHECKING:
    from collections.abc import Callable

    Recording = Callable[[str], dict[str, Any]]
    Golden = Callable[[str, str], None]

CASE = json.loads((Path(__file__).parents[2] / "recordings/clusters/ready.json").read_text(encoding="utf-8"))


def row(case: dict[str, Any], **more: Any) -> Row:
    """The row of a recorded case with its pods counted."""
    return Row(cluster_of(case), now_of(case), count_of(case), **more)


@pytest.mark.parametrize("wide", [False, True])
def test_golden(golden: Golden, recording: Recording, wide: bool) -> None:
    """All recorded cases in one table, pods counted where they were recorded."""
    rows = [row(recording(case)) for case in CASES]
    golden(f"tables/clusters{'-wide' if wide else ''}.txt", printed(columns(all_namespaces=True), rows, wide=wide))


def test_columns() -> None:
    """The namespace is in front with -A, labels are behind on demand."""
    titles = [column.title for column in COLUMNS if not column.wide]
    assert titles == ["NAME", "STATUS", "WORKERS", "CPUS", "GPUS", "TPUS", "MEMORY", "RAY VERSION", "AGE"]
    assert columns(all_namespaces=True, show_labels=True)[0].title == "NAMESPACE"
    assert columns(all_namespaces=True, show_labels=True)[-1].title == "LABELS"


def test_pods_may_be_counted_later(recording: Recording) -> None:
    """A row is made as its cluster streams in; the count changes what it says."""
    case = recording("ready")
    made = Row(cluster_of(case), now_of(case))
    assert (made.status, made.workers) == ("ready", "1/1")
    made.count = PodCount()
    assert (made.status, made.workers) == ("head-down", "0/1")
    made.count = count_of(case)
    assert (made.status, made.workers) == ("ready", "1/1")


def test_nobody_counted(recording: Recording) -> None:
    """A status that is not about this spec is not shown; without the right to see pods the cell says so."""
    case = recording("ready")
    case["cluster"]["metadata"]["generation"] = 9
    made = Row(cluster_of(case), now_of(case))
    assert (made.status, made.workers) == ("<unknown>", "?/1")
    made.denied = True
    assert made.workers == "<no permission>"


def test_labels(recording: Recording) -> None:
    """As kubectl shows them."""
    case = recording("ready")
    case["cluster"]["metadata"]["labels"] = {"b": "2", "a": "1"}
    (line,) = printed([columns(show_labels=True)[-1]], [row(case)]).splitlines()[1:]
    assert line == "a=1,b=2"


def test_a_row_holds_no_object(recording: Recording) -> None:
    """Memory grows with the cells only: nothing of the raw object but its labels is reachable from a row."""
    case = recording("workers-many-causes")
    raw = copy.deepcopy(case["cluster"])
    made = Row(Cluster(raw), now_of(case), count_of(case))
    held: set[int] = set()

    def reach(value: object) -> None:
        if isinstance(value, (str, int, float, bool, type(None))) or id(value) in held:
            return
        held.add(id(value))
        if isinstance(value, dict):
            for item in value.values():
                reach(item)
        elif isinstance(value, (list, tuple)):
            for item in value:
                reach(item)
        else:
            for name in getattr(type(value), "__slots__", ()):
                reach(getattr(value, name))

    reach(made)
    objects = [raw, raw["spec"], raw["status"], raw["metadata"], *raw["spec"]["workerGroupSpecs"]]
    assert not held & {id(each) for each in objects}


@settings(max_examples=200)
@given(mangled(CASE["cluster"]), mangled(CASE["pods"][0]))
def test_never_raises(cluster: object, pod: object) -> None:
    """Whatever the objects hold, every cell is text."""
    for count in (None, *count_pods([pod]).values()):
        made = Row(Cluster(cluster), 1e9, count)
        assert all(isinstance(column.cell(made), str) for column in columns(all_namespaces=True, show_labels=True))
