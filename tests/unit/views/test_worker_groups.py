"""The rows of `cluster worker-group list`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kubectl_ray.views.worker_groups import columns, rows
from tests.unit.views.tables import cluster_of, count_of, printed

if TYPE_CHECKING:
    from collections.abc import Callable

    Recording = Callable[[str], dict[str, Any]]
    Golden = Callable[[str, str], None]


def test_golden(golden: Golden, recording: Recording) -> None:
    """Groups of recorded clusters, pods counted where they were recorded."""
    cases = [recording(case) for case in ("ready", "multihost", "autoscaler", "workers-many-causes", "suspended")]
    shown = [row for case in cases for row in rows(cluster_of(case), count_of(case))]
    golden("tables/worker-groups.txt", printed(columns(all_namespaces=True), shown, wide=True))


def test_nobody_counted(recording: Recording) -> None:
    """With a single group the status' count is that group's; with several nobody can say."""
    (only,) = rows(cluster_of(recording("ready")))
    assert only.workers == "1/1"
    first, *_ = rows(cluster_of(recording("workers-many-causes")))
    assert first.workers == "?/1"
    first, *_ = rows(cluster_of(recording("workers-many-causes")), denied=True)
    assert first.workers == "<no permission>"


def test_no_limit_is_no_number(recording: Recording) -> None:
    """The CRD's own maximum means that nobody chose one."""
    case = recording("ready")
    case["cluster"]["spec"]["workerGroupSpecs"][0]["maxReplicas"] = 2147483647
    (only,) = rows(cluster_of(case))
    assert only.maximum == "<none>"
