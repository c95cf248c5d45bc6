"""`cluster nodes [NAME]`: a row for each head and worker, as kubectl sees their pods."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.e2e.harness.conditions import until
from tests.e2e.harness.objects import container, group, raycluster

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.harness.oracle import Kubectl
    from tests.e2e.harness.running import Ray


def test_of_one_cluster(ray: Ray, kubectl: Kubectl, ready_cluster: str) -> None:
    """The head and the worker, by the names of their pods."""
    rows = ray(f"cluster nodes {ready_cluster}").rows
    assert {row[0] for row in rows[1:]} == kubectl.names("pods", f"ray.io/cluster={ready_cluster}")
    said = [cell for row in rows[1:] for cell in row]
    assert said.count("head") == 1
    assert said.count("worker") == 1


def test_of_all_clusters(ray: Ray, kubectl: Kubectl, ready_cluster: str) -> None:
    """Without a name all Ray nodes of the namespace."""
    rows = ray("cluster nodes --no-headers").rows
    assert ready_cluster in [cell for row in rows for cell in row]
    assert {row[0] for row in rows} >= kubectl.names("pods", f"ray.io/cluster={ready_cluster}")


def test_why_one_waits(ray: Ray, kubectl: Kubectl, fresh: Callable[[str], str]) -> None:
    """A node that is not ready is not shown as ready."""
    name = fresh("nodes")
    nowhere = {"nodeSelector": {"nowhere": "here"}, "containers": [container("ray")]}
    kubectl.create(
        raycluster(
            name,
            group("g", 1, template={"spec": nowhere}),
            headGroupSpec={"rayStartParams": {}, "template": {"spec": nowhere}},
        )
    )
    until(lambda: len(kubectl.pods(name)) == 2, "its pods are there")
    said = ray(f"cluster nodes {name}")
    assert len(said.rows) == 3
    assert "ready" not in said.out.lower().replace("not ready", "").replace("ready\n", "").splitlines()[1]


@pytest.mark.parametrize("format_", ["name", "json"])
def test_formats(ray: Ray, kubectl: Kubectl, ready_cluster: str, format_: str) -> None:
    """The pods, as kubectl prints them."""
    said = ray(f"cluster nodes {ready_cluster} -o {format_}").out
    pods = kubectl.names("pods", f"ray.io/cluster={ready_cluster}")
    if format_ == "name":
        assert set(said.split()) == {f"pod/{name}" for name in pods}
    else:
        assert {item["metadata"]["name"] for item in json.loads(said)["items"]} == pods


def test_unknown_cluster(ray: Ray, ready_cluster: str) -> None:
    """Exit code 5 and the near name."""
    assert f"Did you mean {ready_cluster}?" in ray(f"cluster nodes {ready_cluster}y", code=5).err
