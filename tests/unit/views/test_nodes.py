"""The rows of `cluster nodes`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hypothesis import given, settings

from kubectl_ray.models.pod import Pod
from kubectl_ray.views.nodes import Row, columns, order
from tests.unit.models.mangled import mangled
from tests.unit.views.tables import now_of, pods_of, printed

if TYPE_CHECKING:
    from collections.abc import Callable

    Recording = Callable[[str], dict[str, Any]]
    Golden = Callable[[str, str], None]

CASE = json.loads((Path(__file__).parents[2] / "recordings/clusters/head-oom.json").read_text(encoding="utf-8"))


def test_golden(golden: Golden, recording: Recording) -> None:
    """Nodes of recorded clusters in their order."""
    cases = [recording(case) for case in ("ready", "multihost", "workers-many-causes", "workers-crash", "head-oom")]
    rows = [Row(pod, now_of(case)) for case in cases for pod in pods_of(case)]
    golden("tables/nodes.txt", printed(columns(all_namespaces=True), sorted(rows, key=order), wide=True))


def test_columns() -> None:
    """The cluster stands there only where there may be several."""
    assert [column.title for column in columns()][:3] == ["NAME", "TYPE", "GROUP"]
    assert [column.title for column in columns(several_clusters=True)][:3] == ["NAME", "CLUSTER", "TYPE"]
    assert [column.title for column in columns(show_labels=True)][-1] == "LABELS"


@settings(max_examples=200)
@given(mangled(CASE["pods"][0]))
def test_never_raises(pod: object) -> None:
    """Whatever the object holds, every cell is text and rows can be sorted."""
    made = Row(Pod(pod), 1e9)
    assert all(isinstance(column.cell(made), str) for column in columns(all_namespaces=True, show_labels=True))
    assert sorted([made, Row(Pod({}), 0.0)], key=order)
