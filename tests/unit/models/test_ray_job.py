"""A RayJob as far as its cluster goes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from kubectl_ray.models.ray_job import RayJob
from tests.unit.models.mangled import mangled

SOUND = {
    "metadata": {"name": "j", "uid": "1"},
    "spec": {"suspend": False},
    "status": {"rayClusterName": "j-abcde", "jobDeploymentStatus": "Running", "message": ""},
}
RECORDED = Path(__file__).parents[2] / "recordings" / "rayjobs"


def seen(name: str) -> list[RayJob]:
    """A recorded RayJob, as it was at each step."""
    steps = json.loads((RECORDED / f"{name}.json").read_text(encoding="utf-8"))["steps"]
    return [RayJob({"status": step["saw"]}) for step in steps if isinstance(step.get("saw"), dict)]


def test_a_job_that_is_tried_again() -> None:
    """Between two tries it has no cluster and has not ended; it ends once, after the last."""
    states = [(job.cluster != "", job.ended) for job in seen("bo")]
    clusters = {job.cluster for job in seen("bo") if job.cluster}

    assert len(clusters) == 2
    assert (False, False) in states
    ends = [ended for _, ended in states]
    assert ends == sorted(ends)
    assert ends[-1]


def test_a_running_job() -> None:
    """Its cluster is the one that its status names."""
    job = RayJob(SOUND)

    assert (job.cluster, job.deployment_status, job.ended, job.suspended, job.refused) == (
        "j-abcde",
        "Running",
        False,
        False,
        "",
    )


@pytest.mark.parametrize(
    ("status", "ended"),
    [
        ("Complete", True),
        ("Failed", True),
        ("ValidationFailed", True),
        ("Retrying", False),
        ("Suspended", False),
        ("", False),
    ],
)
def test_ended(status: str, ended: bool) -> None:
    """A job that is tried again, or suspended, will have a cluster again."""
    assert RayJob({"status": {"jobDeploymentStatus": status}}).ended is ended


def test_refused() -> None:
    """The operator's words when it will not run it; a failed job's message is something else."""
    words = "The RayJob spec is invalid"
    assert RayJob({"status": {"jobDeploymentStatus": "ValidationFailed", "message": words}}).refused == words
    assert RayJob({"status": {"jobDeploymentStatus": "Failed", "message": words}}).refused == ""


def test_no_status() -> None:
    """Nobody has looked at it yet."""
    assert not RayJob({"spec": {}}).has_status
    assert RayJob(SOUND).has_status


@given(mangled(SOUND))
def test_anything(raw: Any) -> None:
    """No property raises, whatever the object holds."""
    job = RayJob(raw)
    parts = (job.cluster, job.deployment_status, job.ended, job.suspended, job.refused, job.has_status, job.uid)

    assert [type(part) for part in parts] == [str, str, bool, bool, str, bool, str]
